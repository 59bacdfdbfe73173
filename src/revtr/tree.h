/* What is known of the ways to one source: the atlas of traceroutes towards it, and every chain that Record
 * Route showed since. Pure.
 *
 * Theory of operation
 *
 * Routers forward by destination (mostly). So what follows a router on the way to the source does not depend on
 * where the packet came from, and everything that was ever seen on its way to this source goes into one tree:
 *
 *   traces   traceroutes from agents to the source: each hop's place in one, and so the rest of the way
 *   chains   Record Route: after this address came that one
 *   mates    the two ends of a link. Traceroute shows the end that a packet comes in by, Record Route mostly the
 *            end that it leaves by, so that both kinds of addresses seldom meet. The far end of the link that a
 *            stamp names is the next router's.
 *   spans    where a stamp lies in a trace is known only from ... to: it was seen after one hop of the trace and
 *            before another. Every further sighting narrows it.
 *
 * A walk asks these in that order from hop to hop until it is at the source, or knows no more. Addresses are
 * IPv4, as 32-bit numbers; 0 is an unknown router. */
#ifndef RETOUR_REVTR_TREE_H
#define RETOUR_REVTR_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define TREE_WALK_MAX 64
#define TREE_NONE     UINT32_MAX

enum tree_how {
	TREE_TRACE,	/* the next hop of a traceroute towards the source */
	TREE_SPAN,	/* the same, but it may be one or more hops too early in it */
	TREE_CHAIN,	/* Record Route from the source itself */
	TREE_CHAIN_SPOOFED, /* Record Route in the source's name */
};

struct tree_hop {
	uint32_t address;
	enum tree_how how;
	uint32_t evidence; /* the task that showed it */
	int64_t seen_ns;
};

struct tree_trace {
	uint32_t *addresses; /* the last is the source's */
	unsigned count;
	uint32_t evidence;
	int64_t seen_ns;
};

struct tree_entry {
	uint32_t address; /* 0: free */
	uint32_t next;	  /* by a chain; 0 = none is known */
	uint32_t evidence;
	int64_t seen_ns;
	uint32_t trace, place; /* in a trace, TREE_NONE = in none */
	uint32_t span_trace;   /* TREE_NONE = none */
	uint16_t span_start, span_end;
	bool spoofed; /* the chain is */
};

struct tree {
	uint32_t source;
	int64_t age_max_ns; /* what is older is not believed */
	struct tree_entry *entries;
	uint32_t entry_count, entry_room; /* a power of two */
	struct tree_trace *traces;
	uint32_t trace_count;
	uint32_t *nets31; /* /24s that have addresses which no /30 could have; a hash table, 0 = free */
	uint32_t net31_count, net31_room;
};

int tree_init(struct tree *tree, uint32_t source, int64_t age_max_ns) MUST_USE;
void tree_deinit(struct tree *tree);
/* A traceroute to the source that reached it: `addresses` (0 = silent) from the agent's own on, without the
 * source. *index names it. 0 or -ENOMEM. */
int tree_add_trace(struct tree *tree, const uint32_t *addresses, unsigned count, uint32_t evidence, int64_t now_ns,
	uint32_t *index) MUST_USE;
/* After addresses[0] came the others, in this order, on the way to the source. 0 or -ENOMEM. */
int tree_add_chain(struct tree *tree, const uint32_t *addresses, unsigned count, bool spoofed, uint32_t evidence,
	int64_t now_ns) MUST_USE;
/* The chain began at hop `place` of that trace: narrow where its stamps lie there. 0 or -ENOMEM. */
int tree_align(struct tree *tree, uint32_t trace, unsigned place, const uint32_t *stamps, unsigned count) MUST_USE;
/* What follows `address`, at most TREE_WALK_MAX hops. *reached: the last one is the source. */
unsigned tree_walk(const struct tree *tree, uint32_t address, int64_t now_ns, struct tree_hop *hops, bool *reached);

#endif
