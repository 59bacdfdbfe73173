/* Partial ways back as one. Pure.
 *
 * Routers forward by destination: two packets to us that meet at a router most likely go on the same way. So
 * where one way back, which is known from the far host on, breaks off at a router that another one passes,
 * the rest of the other is the rest of it. Which router it is is told by its address; or, where routers wrote
 * down the address that they send by (Record Route), by the other end of that link, at which the next router
 * answers.
 *
 * Every hop keeps its technique and age. What comes from another vantage point is inferred at best: policies
 * that look at the source, and balancers, send packets elsewhere. Hops that nobody knows stay unknown, and
 * nothing is put side by side that was not seen so: no shared router, no merging; no merging where the ways
 * part again; none that makes a loop. */
#ifndef RETOUR_REVERSE_MERGE_H
#define RETOUR_REVERSE_MERGE_H

#include "base/compiler.h"
#include "path/model.h"

struct merge {
	size_t joined; /* index of the last hop before the rest of the other; hop_count = there is none */
	size_t filled; /* unknown hops in between that the other knows */
};

/* `first` with what `other` adds to it, as a new path; both lead to us. NULL: it adds nothing, or out of
 * memory. */
struct path *merge_paths(const struct path *first, const struct path *other, struct merge *merge) MUST_USE;

#endif
