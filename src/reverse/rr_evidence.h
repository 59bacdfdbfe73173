/* Which stamps of a Record Route list are the way back? Pure.
 *
 * Theory of operation
 *
 * An echo request leaves with room for nine addresses (RFC 791 3.1). Routers on the way there write theirs,
 * the target may write its own, puts the list into its reply (RFC 1122 3.2.2.6), and routers on the way back
 * go on writing while there is room. So the list is
 *
 *   way there ...  target (twice, once, by another of its addresses, or not at all)  ... way back
 *
 * and the question is where the target sits. Each rule below can move one of three bounds:
 *
 *   there_end    stamps before it were written on the way there
 *   back_likely  stamps from it on were probably written on the way back
 *   back_sure    stamps from it on certainly were
 *
 * A stamp that no rule places on the way back is never given out as part of it. A stamp between back_likely
 * and back_sure is inferred, one from back_sure on is measured.
 *
 * What the rules rest on: a packet passes a router once in each direction at most. So a router, or a link,
 * that shows twice was passed once there and once back, and the target lies between. A router writes the
 * address that the packet leaves by, or that it came in by, or always the same one: two stamps in a row may
 * be the two ends of one link that was crossed once. */
#ifndef RETOUR_REVERSE_RR_EVIDENCE_H
#define RETOUR_REVERSE_RR_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "path/model.h"

/* What decided, best first. */
enum rr_rule {
	RR_RULE_TARGET,	 /* the target wrote the address it was asked by */
	RR_RULE_ALIAS,	 /* it wrote another one that is known to be its own */
	RR_RULE_QUOTE,	 /* its port unreachable quotes the list as it arrived there */
	RR_RULE_PASSED,	 /* a router, or the two ends of a link, show before the target and after it */
	RR_RULE_ORDER,	 /* the stamps follow the way there, as hop limits showed it, and then turn round */
	RR_RULE_EXPIRED, /* a request that ran out right before the target came back with its list */
	RR_RULE_DOUBLE,	 /* one address twice in a row: the target between them, or the target itself */
	RR_RULE_COUNT,	 /* hop counts of both ways and of the list agree */
	RR_RULE_NONE,
};

struct rr_known {
	struct addr target;		  /* who was asked */
	struct addr source;		  /* who got the reply */
	const struct route_option *reply; /* the list in the echo reply */
	int reply_ttl;			  /* of that reply; 0 = not known */
	/* The list as it was in a UDP packet when it arrived at the target; NULL = not known. */
	const struct route_option *quote;
	/* The list as it was in an echo request that ran out at the last router before the target; NULL = not
	 * known. */
	const struct route_option *expired;
	const struct addr *aliases; /* other addresses of the target */
	size_t alias_count;
	const struct path *forward; /* the way there, by hop limits; NULL = not known */
};

enum rr_side { RR_THERE, RR_TARGET, RR_UNDECIDED, RR_BACK };

struct rr_stamp {
	struct addr address; /* none: a slot that was used up with nothing in it */
	enum rr_side side;
	enum certainty certainty; /* of RR_BACK */
	bool unrouted; /* private, or nothing that packets could be sent to: a router all the same */
};

struct rr_verdict {
	struct rr_stamp stamps[RECORD_ROUTE_SLOTS_MAX];
	unsigned count;
	unsigned there_end, back_likely, back_sure;
	enum rr_rule rule;    /* RR_RULE_NONE: nothing can be said about any stamp */
	bool full;	      /* no slot was left: the way back goes on unseen */
	bool ends_here;	      /* what is known of the way back ends at `source` */
	bool beyond;	      /* the list was full before it got to the target */
	unsigned back_stamps; /* on the way back, without `source` */
	int back_hops;	      /* routers on the way back by the reply's TTL; -1 = not known */
};

void rr_judge(const struct rr_known *known, struct rr_verdict *verdict);
/* For a person: "the target's own address in the list". */
const char *rr_rule_text(enum rr_rule rule);
/* How many routers a packet with this TTL passed, when it was sent with 64, 128 or 255: the least of these
 * that is not below it. -1: TTL 0, not known. */
int rr_hops_passed(int ttl);

#endif
