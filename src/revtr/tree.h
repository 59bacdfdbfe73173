/* What is known of the ways to one source: the atlas of traceroutes towards it, and every chain that Record
 * Route showed since. Pure.
 *
 * Theory of operation
 *
 * Routers forward by destination (mostly). So what follows a router on the way to the source does not depend
 * on where the packet came from, and everything that was ever seen on its way to this source goes into one
 * tree:
 *
 *   traces   traceroutes from agents to the source: each hop's place in one, and so the rest of the way
 *   chains   Record Route: after this address came that one
 *   mates    the two ends of a link. Traceroute shows the end that a packet comes in by, Record Route mostly
 *            the end that it leaves by, so that both kinds of addresses seldom meet. The far end of the link
 *            that a stamp names is the next router's.
 *   spans    where a stamp lies in a trace is known only from ... to: it was seen after one hop of the trace
 *            and before another. Every further sighting narrows it.
 *
 * A walk asks these in that order from hop to hop until it is at the source, or knows no more. Where several
 * traces pass a router, the newest tells how it goes on. Record Route shows routers at work now: where its
 * list goes another way than the trace that is known of a router, no trace up to then is believed from that
 * router on (tree_doubt), until a newer one passes it.
 *
 * Addresses are IPv4, as 32-bit numbers; 0 is an unknown router. */
#ifndef RETOUR_REVTR_TREE_H
#define RETOUR_REVTR_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define TREE_WALK_MAX 64
#define TREE_NONE     UINT32_MAX
#define TREE_NEVER    INT64_MIN

struct aliases;

enum tree_how {
	TREE_TRACE,	    /* the next hop of a traceroute towards the source */
	TREE_SPAN,	    /* the same, but it may be one or more hops too early in it */
	TREE_CHAIN,	    /* Record Route from the source itself */
	TREE_CHAIN_SPOOFED, /* Record Route in the source's name */
};

struct tree_hop {
	uint32_t address;
	enum tree_how how;
	uint32_t evidence; /* the task that showed it */
	uint32_t trace;	   /* TREE_NONE = by Record Route */
	int64_t seen_ns;
};

struct tree_trace {
	uint32_t *addresses; /* the last is the source's; NULL: free for another */
	unsigned count;
	uint32_t evidence;
	int64_t seen_ns;
	/* Walks that led over it, since it was seen; the hops that they took from it, by half for each day
	 * since; when last, TREE_NEVER = never. */
	unsigned uses;
	double saved;
	int64_t used_ns;
};

/* What comes after a router, for packets of one kind. */
struct tree_next {
	uint32_t address, origin; /* the first that was seen, 0 = none; whose packet was the last */
	int64_t seen_ns;
	uint8_t origins; /* whose packets were seen, one after another */
	bool varies;	 /* they did not all go there */
};

struct tree_entry {
	uint32_t address; /* 0: free */
	uint32_t next;	  /* by a chain; 0 = none is known */
	uint32_t evidence;
	int64_t seen_ns;
	uint32_t trace, place; /* in a trace, TREE_NONE = in none */
	uint32_t span_trace;   /* TREE_NONE = none */
	uint16_t span_start, span_end;
	bool spoofed;	  /* the chain is */
	int64_t doubt_ns; /* no trace seen until then is believed from here on; TREE_NEVER = they are */
	struct tree_next own, passing; /* its own answers, and packets of others (tree_origin.c) */
	/* Routers that its own answers pass on their way to the source, and when that was seen; TREE_NEVER =
	 * it was not. */
	int64_t left_ns;
	int16_t left;
	int64_t asked_ns; /* when it was last asked what follows it, for the sake of a trace; TREE_NEVER =
			     never */
};

struct tree {
	uint32_t source;
	int64_t age_max_ns; /* what is older is not believed */
	struct tree_entry *entries;
	uint32_t entry_count, entry_room; /* a power of two */
	struct tree_trace *traces;
	uint32_t trace_count, trace_free, trace_room;
	uint32_t *nets31; /* /24s that have addresses which no /30 could have; a hash table, 0 = free */
	uint32_t net31_count, net31_room;
	const struct aliases *aliases; /* borrowed; NULL: none are known */
	unsigned doubts;	       /* how often one was raised */
};

int tree_init(struct tree *tree, uint32_t source, int64_t age_max_ns) MUST_USE;
void tree_deinit(struct tree *tree);
/* A traceroute to the source that reached it: `addresses` (0 = silent) from the agent's own on, without the
 * source. *index names it. 0 or -ENOMEM. */
int tree_add_trace(struct tree *tree, const uint32_t *addresses, unsigned count, uint32_t evidence,
	int64_t now_ns, uint32_t *index) MUST_USE;
/* After addresses[0] came the others, in this order, on the way to the source. 0 or -ENOMEM. */
int tree_add_chain(struct tree *tree, const uint32_t *addresses, unsigned count, bool spoofed,
	uint32_t evidence, int64_t now_ns) MUST_USE;
/* The chain began at hop `place` of that trace: narrow where its stamps lie there. 0 or -ENOMEM. */
int tree_align(
	struct tree *tree, uint32_t trace, unsigned place, const uint32_t *stamps, unsigned count) MUST_USE;
/* What follows `address`, at most TREE_WALK_MAX hops. *reached: the last one is the source. */
unsigned tree_walk(
	const struct tree *tree, uint32_t address, int64_t now_ns, struct tree_hop *hops, bool *reached);
/* By the hop limit of an answer of `address`, which is not learned for its sake: so many routers are between
 * it and the source. -1 = not known. */
void tree_note_left(struct tree *tree, uint32_t address, int left, int64_t now_ns);
int tree_left(const struct tree *tree, uint32_t address, int64_t now_ns);
/* Somebody went this way: counts for the traces that it came from. */
void tree_note_use(struct tree *tree, const struct tree_hop *hops, unsigned count, int64_t now_ns);

/* ---- upkeep: tree_upkeep.c */

/* It is not known any more. Its number will be another's. */
void tree_remove_trace(struct tree *tree, uint32_t index);
/* The same traceroute once more, from the agent's own on, without the source. true: nothing has changed, and
 * it is as new as `now_ns` now. */
bool tree_renew_trace(struct tree *tree, uint32_t index, const uint32_t *addresses, unsigned count,
	uint32_t evidence, int64_t now_ns);
/* What is known of the hops' links by chains narrows where stamps lie in that trace. 0 or -ENOMEM. */
int tree_realign(struct tree *tree, uint32_t trace, int64_t now_ns) MUST_USE;
/* Is it worth asking hop `place` of that trace by Record Route what follows it? Not if it was asked within
 * `again_ns`. Says so once: it counts as asked then. */
bool tree_ask(struct tree *tree, uint32_t trace, unsigned place, int64_t again_ns, int64_t now_ns);
/* Forget what is too old to be believed. 0, or -ENOMEM: not all is forgotten that could be. */
int tree_prune(struct tree *tree, int64_t now_ns) MUST_USE;
/* No trace is known any more. 0 or -ENOMEM, as of tree_prune. */
int tree_clear(struct tree *tree, int64_t now_ns) MUST_USE;
double tree_saved(const struct tree_trace *trace, int64_t now_ns);
size_t tree_bytes(const struct tree *tree);

/* ---- doubt: tree_doubt.c */

/* A chain, as for tree_add_chain and before it is added, whose order is certain: does it go another way than
 * a trace that is believed? Then that is not believed any more from there on. How many routers are in doubt
 * now that were not. */
unsigned tree_doubt(struct tree *tree, const uint32_t *addresses, unsigned count, int64_t now_ns);
/* The next trace, from `from` on, by which the doubt in some router could be settled: the newest that passes
 * it. Its number, or TREE_NONE; *from is where to go on, *address (may be NULL) who is in doubt. */
uint32_t tree_doubted(const struct tree *tree, uint32_t *from, int64_t now_ns, uint32_t *address);

/* ---- forwarding by origin: tree_origin.c */

/* A chain, as for tree_add_chain and after it is added, whose order is certain; addresses[0] is who answered.
 */
void tree_note_origin(struct tree *tree, const uint32_t *addresses, unsigned count, int64_t now_ns);
/* Does this router forward what it says itself by another way than what it passes on? */
bool tree_by_origin(const struct tree *tree, uint32_t address, int64_t now_ns);

#endif
