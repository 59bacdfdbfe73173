/* The tables that packets are forwarded by, each made when it is first asked for. Not for other rooms.
 *
 * A table tells every node of a domain the ways to one target: a node of the domain, or the nearest border
 * towards a neighbouring AS (hot potato). A choice tells every AS which neighbour to use for one class of
 * prefixes. Together they are bounded in size: what was not used lately goes first. */
#ifndef RETOUR_SIM_FIB_H
#define RETOUR_SIM_FIB_H

#include "sim/world.h"

#define FIB_FAR UINT32_MAX /* a distance: no way */

struct fib;

/* The ways that one node has to a target, all equally good. */
struct fib_ways {
	const uint32_t *via; /* interfaces of the node; good until another table is asked for */
	uint32_t count;	     /* 0: none */
	uint32_t distance;
};

/* `gone` has a flag for each link that is routed around; it is borrowed, and read when tables are made. */
struct fib *fib_new(const struct world *world, const bool *gone) MUST_USE;
void fib_free(struct fib *fib);
/* Links went or came: forget everything. */
void fib_forget(struct fib *fib);
/* At most about this many bytes (at least the table in use). */
void fib_limit(struct fib *fib, size_t bytes);

/* Out of memory is no way. */
struct fib_ways fib_to_node(struct fib *fib, uint32_t node, uint32_t target); /* of the same domain */
struct fib_ways fib_to_edge(struct fib *fib, uint32_t node, uint32_t edge);   /* of the node's AS */
/* The edge that an AS uses for a prefix: WORLD_NONE, or *own when it announces it itself. */
uint32_t fib_choice(struct fib *fib, uint32_t as, uint32_t prefix, bool *own);

/* What was found out about an address, kept for the addresses in use. */
struct fib_address {
	struct addr addr;
	bool known;
	const struct world_address *owner; /* the first entry, or NULL */
	uint32_t owners;
	uint32_t prefix; /* or WORLD_NONE */
};
const struct fib_address *fib_address(struct fib *fib, struct addr addr);

#endif
