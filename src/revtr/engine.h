/* Reverse traceroute without the far host's help: many measurements at once, which share what they learn.
 * Pure: tasks come out, answers go in, time is what the caller says.
 *
 * Theory of operation
 *
 * A measurement begins at the destination and adds hops until it is at the source:
 *
 *   known   the tree of the source (tree.h) knows how it goes on from the last hop
 *   pinged  the destination by the source, without options: how far is the host that its own packets reach?
 *   probed  the last hop is pinged with Record Route, in the source's name, by agents that are near enough
 *           to it for the list to have room left: what is written after it is the way to the source
 *   stamped the routers before it on the way there stamp a ping of it, behind it: they are on the way
 *           back, too
 *   assumed the router before it on the way there, where both are in one network: inside one network the
 *           way back is mostly the way there
 *
 * after each of which it looks into the tree again. What is found by one measurement goes into the tree,
 * and so to all. A target that several wait for is probed once. A measurement that cannot go on ends with
 * what it has.
 *
 * Hops are IPv4 addresses as numbers; 0 is a router that is there and not known. */
#ifndef RETOUR_REVTR_ENGINE_H
#define RETOUR_REVTR_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "path/model.h"
#include "revtr/budget.h"
#include "revtr/ingress.h"
#include "revtr/task.h"
#include "revtr/tree.h"

#define REVTR_HOPS_MAX 40

/* What may be switched off, to see what it is worth; and the numbers that the method has. */
struct revtr_options {
	bool atlas;  /* traceroutes towards the source */
	bool direct; /* Record Route from the source itself */
	bool ping;   /* the source pings the destination first: what then answers others from another distance
			is another host with this address (anycast, RFC 4786) */
	bool direct_always; /* even where it hardly ever helped this source */
	bool spoofed;	    /* and from agents in its name */
	bool heuristics;    /* lists in which the target did not write itself down are read, too */
	bool quotes;	    /* where nothing tells where in a list the target is, it is asked to quote one
			       (REVTR_RR_UDP) */
	bool differ; /* and that is the list that got farthest, when all have been asked; otherwise the first
		      */
	bool timestamps; /* before the way back is assumed to be the way there, its routers are asked for
			    stamps */
	bool share;	 /* what one measurement found helps the others */
	bool doubt; /* what Record Route contradicts is not believed until it is traced anew (tree_doubt) */
	bool symmetry_intra, symmetry_inter;
	bool fallback; /* a destination that answers nothing: from the last router there that is in its
			  network */
	bool siblings; /* where one address says nothing, its neighbours are asked for it */
	/* Where the hop limits of replies contradict it, the router before a hop on the way there is not
	 * assumed to be the one behind it on the way back. */
	bool counts;
	enum ingress_order order;
	unsigned batch;	       /* spoofed packets at once */
	unsigned spoofers_max; /* for one target */
	unsigned silent_max;   /* so many of them without an answer, and none with one: it is given up */
	unsigned far_max;      /* of them may be agents that are not known to be near */
	unsigned unknown_max;  /* the same, where nobody's distance is known */
	int64_t direct_wait_ns, spoofed_wait_ns, trace_wait_ns;
	int64_t age_max_ns;   /* of what is believed */
	int64_t ask_again_ns; /* a target that was asked in vain is not asked again for so long */
#define REVTR_TASK_MAX                                                                                       \
	0x6fffffffu /* numbers of the engine's tasks; those above it are for whoever else has tasks */
	uint32_t first_task; /* number of the first task, below 2^31 as all of them are; 0 = 1 */
	/* Packets with options: to one address, to one /24, for one source, by one agent. */
	struct budget_rate target, net, source, agent;
	unsigned dead_after; /* so many without an answer, for whomever, and a target is left alone; 0: never
			      */
	int64_t dead_for_ns;
};

/* Those that the literature gives for the system of 2022. */
struct revtr_options revtr_options_published(void);
struct revtr_options revtr_options_default(void);

enum revtr_stop {
	REVTR_GOING_ON,
	REVTR_REACHED,
	REVTR_UNRESPONSIVE, /* nothing more answers, and the way there does not show the last hop */
	REVTR_INTERDOMAIN,  /* the next hop could only be assumed, across networks */
	REVTR_TOO_LONG,
	REVTR_CANCELLED,
	REVTR_REFUSED,	 /* may_ask forbids to ask the last hop */
	REVTR_ELSEWHERE, /* agents seem to reach another host under the destination's address (anycast) */
};

struct revtr_hop {
	uint32_t address;
	uint8_t technique; /* enum technique */
	/* enum certainty: of being on the way back of this destination. What is measured behind an assumption
	 * is measured for somebody else's packets, and inferred for ours. */
	uint8_t certainty;
	float probability; /* that the router is on the way, as such hops are in worlds whose truth is known
			    */
	bool by_origin;	   /* it was seen to forward its own answers by another way than what it passes on */
	uint32_t evidence; /* the task that showed it, 0 = none */
	/* Routers that a packet from here passes until it is at the source, by the hop limit that its reply
	 * came home with; -1 = not known. */
	int16_t left;
	int64_t seen_ns;
};

struct revtr_result {
	uint32_t id; /* as of submission; may be given to another one from the next call on */
	uint32_t source;
	uint32_t destination;
	enum revtr_stop stop;
	const struct revtr_hop *hops; /* after the destination, as packets travel */
	unsigned hop_count;
	int16_t left;	/* as of a hop, from the destination */
	bool elsewhere; /* answers to agents' packets came from much nearer or farther than what the source
			   reaches under that address; they were not used */
	unsigned option_packets, trace_packets; /* sent for it; what others had sent before is not counted */
	unsigned rounds;			/* of spoofed batches it waited for */
	int64_t started_ns, finished_ns;
};

struct revtr_site {
	uint32_t agent; /* its number in tasks */
	bool may_spoof;
};

struct revtr_environment {
	const struct ingress *ingress;	/* borrowed */
	const struct revtr_site *sites; /* by the numbers that `ingress` ranks; borrowed */
	unsigned site_count;
	/* The network of an address, 0 = not known. */
	uint32_t (*asn)(void *context, uint32_t address);
	/* Other addresses near by (of its /24, say) that answer Record Route, by number from 0 on; 0 = there
	 * are no more, its own = not this one. NULL: none are known. */
	uint32_t (*sibling)(void *context, uint32_t address, unsigned number);
	/* Asked before each target: false where its network's owner, or its budget for the day, forbids it.
	 * NULL: never. */
	bool (*may_ask)(void *context, uint32_t asn, uint32_t address);
	const struct aliases *aliases; /* which addresses are one router's; borrowed, NULL: not known */
	void *context;
};

struct revtr_engine;

/* NULL: out of memory. */
struct revtr_engine *revtr_engine_new(
	const struct revtr_options *options, const struct revtr_environment *environment);
void revtr_engine_free(struct revtr_engine *engine);
/* A source and the agent that stands there. *index names it. 0 or -ENOMEM. */
int revtr_engine_add_source(
	struct revtr_engine *engine, struct addr source, uint32_t agent, uint32_t *index) MUST_USE;
/* Are answers to what others send in its name kept from it? Then nobody is asked to. */
void revtr_engine_set_deaf(struct revtr_engine *engine, uint32_t source, bool deaf);
/* What is known of the ways to it. */
struct tree *revtr_engine_tree(struct revtr_engine *engine, uint32_t source);
/* A traceroute for its atlas, as tree_add_trace takes it. 0 or -ENOMEM. */
int revtr_engine_add_trace(struct revtr_engine *engine, uint32_t source, const uint32_t *addresses,
	unsigned count, uint32_t evidence, int64_t now_ns, uint32_t *index) MUST_USE;
/* -EINVAL: not an address that can be measured; -ENOMEM. */
int revtr_engine_submit(struct revtr_engine *engine, uint32_t source, struct addr destination, int64_t now_ns,
	uint32_t *id) MUST_USE;
/* What to do now: a task (true), or nothing before *wake_ns, which may be TIME_NEVER. */
bool revtr_engine_next(
	struct revtr_engine *engine, int64_t now_ns, struct revtr_task *task, int64_t *wake_ns);
/* An answer; late, doubled and unknown ones do no harm. */
void revtr_engine_answer(struct revtr_engine *engine, const struct revtr_answer *answer, int64_t now_ns);
/* A task whose answer cannot come, as an agent that it needs is not there: no silence of its target's. What
 * was looked for and not found with such tasks may be looked for again at once. */
void revtr_engine_lost(struct revtr_engine *engine, uint32_t task, int64_t now_ns);
/* A task that may_ask forbids after all, as others were sent meanwhile. */
void revtr_engine_refused(struct revtr_engine *engine, uint32_t task, int64_t now_ns);
/* There are agents now that were not there: what was looked for in vain without them may be looked for again.
 */
void revtr_engine_more_agents(struct revtr_engine *engine, int64_t now_ns);
/* The next measurement that has ended; its result is borrowed until the next call. */
bool revtr_engine_finished(struct revtr_engine *engine, struct revtr_result *result);
/* An answer to a Record Route ping to hop `place` of that trace of the source's atlas: what it tells of the
 * trace. */
void revtr_engine_align(struct revtr_engine *engine, uint32_t source, uint32_t trace, unsigned place,
	const struct revtr_answer *answer, bool spoofed, int64_t now_ns);
/* It is not wanted any more: no result is told, and what is asked for it alone is asked no further. */
void revtr_engine_cancel(struct revtr_engine *engine, uint32_t id, int64_t now_ns);
/* The source's agent is another one now. What was asked in vain may be asked again at once. */
void revtr_engine_move_source(struct revtr_engine *engine, uint32_t source, uint32_t agent);
/* How long a packet with options for this source would wait for its turn, as of the last call that told the
 * time; or where that is more, so much of the wait for the busiest agent that sends in others' names as is
 * not usual. */
int64_t revtr_engine_backlog(const struct revtr_engine *engine, uint32_t source);
/* Measurements that go on. */
unsigned revtr_engine_busy(const struct revtr_engine *engine);
/* Memory for measurements and questions, without what is known of the sources, in bytes. *under_way: what of
 * it goes with those that go on now; the rest is what was asked within ask_again_ns, and room for more. */
size_t revtr_engine_bytes(const struct revtr_engine *engine, size_t *under_way);

/* The way back that an echo reply's list shows, for the survey and the atlas too: addresses after the target
 * (0: cannot be told or asked), at most RECORD_ROUTE_SLOTS_MAX. `placed`: it was found where in the list the
 * target is; *before is then the number of stamps before it. `certain`: by the target's own address. */
struct revtr_list {
	uint32_t hops[RECORD_ROUTE_SLOTS_MAX];
	unsigned count, before;
	bool placed, certain, home; /* home: the last one is the source */
};
/* `aliases`: addresses of one router, where somebody knows (aliases.h); NULL. */
/* With the list as it was when it arrived at the target, on the same way there. NULL: not known. */
void revtr_read_list_quoted(const struct revtr_answer *answer, const struct route_option *quote,
	struct addr target, struct addr source, const struct aliases *aliases, struct revtr_list *list);
void revtr_read_list(const struct revtr_answer *answer, struct addr target, struct addr source,
	bool heuristics, const struct aliases *aliases, struct revtr_list *list);

/* Routers that are on the way and that the result does not show: so many between two of its hops, by number;
 * the destination's is -1, and where the result breaks off, the source's is the number of hops. Without gaps
 * where no hop limit tells. At most `capacity`, from the destination on. */
struct revtr_gap {
	int after, before;
	unsigned missing;
};
unsigned revtr_gaps(const struct revtr_result *result, struct revtr_gap *gaps, unsigned capacity);

const char *revtr_stop_text(enum revtr_stop stop);

#endif
