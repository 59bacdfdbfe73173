/* Which neighbour each AS sends to, for one class of prefixes: the routes that BGP with the usual policies
 * (Gao and Rexford, 2001) settles on. Pure: a world in, a table out. */
#ifndef RETOUR_SIM_POLICY_H
#define RETOUR_SIM_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "sim/world.h"

#define POLICY_NONE UINT16_MAX	     /* no route */
#define POLICY_OWN  (UINT16_MAX - 1) /* the AS announces it itself */

/* What the AS is to such a neighbour. */
static inline enum relation relation_back(enum relation relation)
{
	return (enum relation)(RELATION_PROVIDER - relation);
}

/* How much an AS likes its routes unless the world says otherwise. */
static inline uint32_t relation_preference(enum relation relation)
{
	return relation == RELATION_CUSTOMER ? 300 : relation == RELATION_PEER ? 200 : 100;
}

struct policy_work;

/* What the work needs of memory, once; NULL: out of memory. */
struct policy_work *policy_work_new(const struct world *world) MUST_USE;
void policy_work_free(struct policy_work *work);
/* Works out the routes; `gone` has a flag for each edge that has no link left (NULL: all have). False when
 * preferences contradict each other and no choice lasts: then those ASes that do not like customers best,
 * then peers, then providers, choose as if they had none. */
bool policy_routes(struct policy_work *work, uint32_t class, const bool *gone);
/* May they contradict each other? Else there is nothing to try out. */
bool policy_may_contradict(struct policy_work *work, uint32_t class);
/* After routes that do not last: one of the ASes that cannot make up their minds. */
uint32_t policy_restless(const struct policy_work *work);
/* After policy_routes, for each AS: which of its edges, counted from its first, POLICY_OWN or POLICY_NONE. */
const uint16_t *policy_choices(const struct policy_work *work);

#endif
