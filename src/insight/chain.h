/* The longest chain of pairs that runs along one list upwards and along the other downwards. */
#ifndef RETOUR_INSIGHT_CHAIN_H
#define RETOUR_INSIGHT_CHAIN_H

#include "base/compiler.h"
#include "path/model.h"

/* Indices into the hops of the two paths, not TTLs. */
struct pair {
	size_t forward, reverse;
	enum shared_by by;
};

/* Fills `pairs` (room for the shorter path's hops) in forward order. Returns 0 or -ENOMEM. */
int chain_find(
	const struct path *forward, const struct path *reverse, struct pair *pairs, size_t *count) MUST_USE;

#endif
