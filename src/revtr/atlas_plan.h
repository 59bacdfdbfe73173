/* Which agents are to trace to a source anew, and when: a budget of traceroutes a day is spent where it saves
 * most. Pure.
 *
 * A traceroute that measurements lean on is worth the hops that they take from it, times the probability that
 * the route has changed since; one of day-old routes in two or three differs. What nobody used is not worth a
 * packet by itself, but may become so: a share of the budget goes to those that were left alone longest. The
 * rest of it stays unspent. */
#ifndef RETOUR_REVTR_ATLAS_PLAN_H
#define RETOUR_REVTR_ATLAS_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#define ATLAS_PER_DAY_USUAL 1000 /* traceroutes to one source; the published service's number */
#define ATLAS_NEVER	    INT64_MAX

struct atlas_candidate {
	uint32_t agent;
	bool known;	 /* there is a traceroute of it */
	int64_t age_ns;	 /* of that */
	double saved;	 /* hops that measurements took from it lately (tree.h) */
	int64_t idle_ns; /* since it was last asked for one; ATLAS_NEVER = it was not */
};

/* At most `budget` of them into `chosen`, the most urgent first; how many. `turn` goes on counting what was
 * chosen in earlier calls. What is older than `age_max_ns` is as good as none. */
unsigned atlas_plan(const struct atlas_candidate *candidates, unsigned count, unsigned budget, unsigned turn,
	int64_t age_max_ns, uint32_t *chosen);

/* A budget of so many a day, as they come due: at most an hour's worth is saved up. */
struct atlas_purse {
	double tokens;
	int64_t filled_ns;
};
/* How many may be spent now. */
unsigned atlas_purse_fill(struct atlas_purse *purse, unsigned per_day, int64_t now_ns);

#endif
