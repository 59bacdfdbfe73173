/* How good the choice of agents is: orders that the survey gives, beside those that need no survey, for
 * addresses that the survey did not ask. The truth is every site's own Record Route ping. A line each:
 *
 *   selection|ORDER|ASES|SITES|SEED|TARGETS|CLOSEST_1|3|5|10|NEAR_1|3|5|10|BATCHES
 *
 * TARGETS: destinations that some site is near enough to for a hop of the way back; of them those whose
 * closest site is among the first so many, and those with some site near enough among them. BATCHES: of five
 * sites, all together, until the first of them is near enough. */
#include "evaluation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define SITES_MAX 256
#define NEAR	  8 /* stamps before the target's; the ninth place is for a hop */
#define BATCH	  5

static const unsigned firsts[] = {1, 3, 5, 10};

struct score {
	unsigned targets, closest[ARRAY_LEN(firsts)], near[ARRAY_LEN(firsts)], batches;
};

enum order { BY_INGRESS, BY_DISTANCE, EVERYWHERE, AT_RANDOM, ORACLE, ORDERS };
static const char *const names[ORDERS] = {
	"ingress-round-robin", "nearest-in-prefix", "near-to-most", "random", "oracle"};

/* false: no site is near enough. */
static bool true_distances(
	struct evaluation *e, struct virtual *v, struct sim *sim, struct addr target, uint8_t *distances)
{
	static uint32_t tasks;
	uint32_t first = tasks + 1;
	struct revtr_answer answer;
	bool any = false;
	memset(distances, INGRESS_FAR, SITES_MAX);
	for (uint32_t i = 0; i < e->site_count; i++)
		virtual_do(v, &(struct revtr_task){.id = ++tasks, .agent = i, .target = target}, ADDR_NONE);
	while (virtual_answer(v, sim_now(sim) + 2 * NS_PER_S, &answer)) {
		struct revtr_list list;
		uint32_t site = answer.task - first;
		if (site >= e->site_count)
			continue;
		revtr_read_list(&answer, target, host_address(e, e->hosts[site]), true, NULL, &list);
		if (list.placed)
			distances[site] = (uint8_t)list.before;
		any |= list.placed && list.before < NEAR;
	}
	return any;
}

static const uint8_t *by_distance;

static int compare_sites(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	return by_distance[left] != by_distance[right] ? (int)by_distance[left] - (int)by_distance[right]
		: left < right			       ? -1
						       : left > right;
}

static void rank(const struct evaluation *e, enum order order, struct addr target, const uint8_t *distances,
	uint32_t *sites)
{
	static const enum ingress_order orders[] = {[BY_INGRESS] = INGRESS_ROUND_ROBIN,
		[BY_DISTANCE] = INGRESS_BY_DISTANCE,
		[EVERYWHERE] = INGRESS_BY_DISTANCE,
		[AT_RANDOM] = INGRESS_RANDOM,
		[ORACLE] = INGRESS_RANDOM};
	unsigned near;
	/* Of an address that is in no prefix nothing is known but what is so everywhere. */
	struct addr asked = order == EVERYWHERE ? addr_v4(1) : target;
	(void)ingress_rank(&e->ingress, asked, orders[order], target.low, sites, e->site_count, &near);
	by_distance = distances;
	if (order == ORACLE)
		qsort(sites, e->site_count, sizeof(*sites), compare_sites);
}

static void judge_order(struct score *score, const uint32_t *sites, unsigned count, const uint8_t *distances)
{
	uint8_t least = INGRESS_FAR;
	unsigned closest = count, near = count;
	for (unsigned i = 0; i < count; i++)
		least = MIN(least, distances[i]);
	for (unsigned i = count; i-- > 0;) {
		if (distances[sites[i]] == least)
			closest = i;
		if (distances[sites[i]] < NEAR)
			near = i;
	}
	score->targets++;
	score->batches += near / BATCH + 1;
	for (unsigned k = 0; k < ARRAY_LEN(firsts); k++) {
		score->closest[k] += closest < firsts[k];
		score->near[k] += near < firsts[k];
	}
}

void judge_selection(struct evaluation *e)
{
	struct sim *sim = need(sim_new(e->world, e->seed));
	struct virtual *v = need(virtual_new(sim, e->hosts, e->agent_count));
	struct score scores[ORDERS] = {0};
	uint8_t distances[SITES_MAX];
	uint32_t sites[SITES_MAX];
	for (unsigned i = 0; i < e->pair_count && e->site_count <= SITES_MAX; i++) {
		struct addr target = e->pairs[i].destination;
		if (!true_distances(e, v, sim, target, distances))
			continue;
		for (enum order order = 0; order < ORDERS; order++) {
			rank(e, order, target, distances, sites);
			judge_order(&scores[order], sites, e->site_count, distances);
		}
	}
	for (enum order order = 0; order < ORDERS; order++) {
		const struct score *s = &scores[order];
		printf("selection|%s|%u|%u|%llu|%u|%u|%u|%u|%u|%u|%u|%u|%u|%u\n", names[order], e->ases,
			e->site_count, (unsigned long long)e->seed, s->targets, s->closest[0], s->closest[1],
			s->closest[2], s->closest[3], s->near[0], s->near[1], s->near[2], s->near[3],
			s->batches);
	}
	virtual_free(v);
	sim_free(sim);
}
