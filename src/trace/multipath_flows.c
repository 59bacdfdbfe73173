/* A few flows that stand for all of them: those that meet the most of what no other chosen one meets (the
 * greedy way to cover a set). */
#include <errno.h>
#include <stdlib.h>

#include "trace/multipath_inside.h"

/* What has been met, by hop limit and vertex. */
struct cover {
	const struct multipath *mp;
	bool *met;
	bool dealt[UINT8_MAX + 2];
};

/* Whom this flow, and every packet of it, meets at a hop limit; NULL = not known, or nobody. */
static bool *place_of(const struct cover *cover, unsigned ttl, unsigned flow)
{
	const struct multipath *mp = cover->mp;
	const struct cell *cell = mp_cell(mp, ttl, flow);
	unsigned end = mp->flows[flow].end;
	if (cell->state != CELL_KNOWN || cell->vertex != cell->other || cover->dealt[ttl] ||
		(end != 0 && ttl > end))
		return NULL;
	return &cover->met[ttl * mp->vertex_count + cell->vertex];
}

static unsigned gain_of(const struct cover *cover, unsigned flow)
{
	unsigned gain = 0;
	for (unsigned ttl = cover->mp->config.first_ttl; ttl <= cover->mp->config.max_ttl; ttl++) {
		const bool *place = place_of(cover, ttl, flow);
		gain += place && !*place;
	}
	return gain;
}

static void meet(struct cover *cover, unsigned flow)
{
	for (unsigned ttl = cover->mp->config.first_ttl; ttl <= cover->mp->config.max_ttl; ttl++) {
		bool *place = place_of(cover, ttl, flow);
		if (place)
			*place = true;
	}
}

/* Of several the first; *gain 0: none meets anything new. */
static unsigned best_of(const struct cover *cover, unsigned *gain_of_best)
{
	unsigned best = 0, most = 0;
	for (unsigned flow = 0; flow < cover->mp->flows_used; flow++) {
		unsigned gain = gain_of(cover, flow);
		if (gain > most) {
			most = gain;
			best = flow;
		}
	}
	*gain_of_best = most;
	return best;
}

/* Those that are left, each once. */
static unsigned count_missed(struct cover *cover)
{
	unsigned missed = 0;
	for (unsigned flow = 0; flow < cover->mp->flows_used; flow++) {
		missed += gain_of(cover, flow);
		meet(cover, flow);
	}
	return missed;
}

int multipath_choose(const struct multipath *mp, struct flow *flows, unsigned most, unsigned *missed)
{
	struct cover cover = {.mp = mp};
	unsigned count = 0, gain;
	cover.met = calloc((size_t)(mp->config.max_ttl + 2) * mp->vertex_count, sizeof(*cover.met));
	if (!cover.met)
		return -ENOMEM;
	for (unsigned ttl = mp->config.first_ttl; ttl <= mp->config.max_ttl; ttl++)
		cover.dealt[ttl] = mp_deals(mp, ttl);
	/* Where nobody answers, the first. */
	for (unsigned flow = best_of(&cover, &gain); count < most && (gain > 0 || count == 0);
		flow = best_of(&cover, &gain)) {
		flows[count++] = mp->flows[flow].flow;
		meet(&cover, flow);
	}
	*missed = count_missed(&cover);
	free(cover.met);
	return (int)count;
}
