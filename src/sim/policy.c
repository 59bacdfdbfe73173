/* Routes between ASes, in three steps (after Gao and Rexford). Everybody prefers routes from customers, then
 * from peers, then from providers; among those the shortest AS path, prepended numbers counted; then the
 * neighbour with the lowest number. A route from a customer is told to everyone, any other to customers only.
 *
 *  1. Routes of customers climb from the origin to providers, and their providers.
 *  2. Each of these ASes tells its peers, once.
 *  3. Everybody tells his customers, who tell theirs.
 *
 * Each step is a search by rising path length. Where local preferences differ from the usual, the result is
 * only a start: the ASes concerned choose again, and whoever heard of a change, until nobody changes. */
#include "sim/policy.h"

#include <stdlib.h>
#include <string.h>

#include "sim/heap.h"

#define LENGTH_NONE UINT32_MAX
/* Rounds of changes for each AS before we say that they never end. */
#define PATIENCE 50

struct policy_work {
	const struct world *world;
	uint16_t *choices;
	uint32_t *lengths; /* of the AS path */
	struct heap heap;
	/* the class at work */
	unsigned family;		   /* index */
	const struct world_prefix *prefix; /* NULL: an ordinary one */
	const bool *gone;
	bool filtered;
	/* choosing again */
	uint32_t *queue;
	bool *queued;
};

struct policy_work *policy_work_new(const struct world *world)
{
	struct policy_work *work = calloc(1, sizeof(*work));
	size_t count = (size_t)world->as_count + 1;
	if (!work)
		return NULL;
	work->world = world;
	work->choices = calloc(count, sizeof(*work->choices));
	work->lengths = calloc(count, sizeof(*work->lengths));
	work->queue = calloc(count, sizeof(*work->queue));
	work->queued = calloc(count, sizeof(*work->queued));
	if (!work->choices || !work->lengths || !work->queue || !work->queued) {
		policy_work_free(work);
		return NULL;
	}
	return work;
}

void policy_work_free(struct policy_work *work)
{
	if (!work)
		return;
	free(work->choices);
	free(work->lengths);
	free(work->queue);
	free(work->queued);
	heap_free(&work->heap);
	free(work);
}

const uint16_t *policy_choices(const struct policy_work *work)
{
	return work->choices;
}

static const struct world_filter *filter_of(
	const struct policy_work *work, uint32_t edge, const struct world_filter *after)
{
	const struct world *w = work->world;
	const struct world_filter *f = after ? after + 1 : w->filters, *end = w->filters + w->filter_count;
	for (; work->filtered && f < end; f++)
		if (f->edge == edge && f->prefix.length <= work->prefix->prefix.length &&
			prefix_contains(f->prefix, work->prefix->prefix.addr))
			return f;
	return NULL;
}

/* May the AS of this edge tell the neighbour? Not who learned it from whom: that is the caller's. */
static bool tells(const struct policy_work *work, uint32_t index)
{
	const struct world_edge *edge = &work->world->edges[index];
	uint8_t bit = FAMILY_BIT(work->family ? 6 : 4);
	if (!(edge->families & bit) || edge->silent & bit || (work->gone && work->gone[index]))
		return false;
	for (const struct world_filter *f = filter_of(work, index, NULL); f; f = filter_of(work, index, f))
		if (f->silent)
			return false;
	return true;
}

/* How much longer the path is for the neighbour that is told along this edge. */
static uint32_t step_of(const struct policy_work *work, uint32_t index)
{
	uint32_t prepend = work->world->edges[index].prepend[work->family];
	for (const struct world_filter *f = filter_of(work, index, NULL); f; f = filter_of(work, index, f))
		if (f->prepend >= 0)
			prepend = (uint32_t)f->prepend;
	return 1 + prepend;
}

static uint32_t preference_of(const struct policy_work *work, uint32_t index)
{
	uint32_t preference = work->world->edges[index].preference[work->family];
	for (const struct world_filter *f = filter_of(work, index, NULL); f; f = filter_of(work, index, f))
		if (f->preference >= 0)
			preference = (uint32_t)f->preference;
	return preference;
}

static const struct world_edge *choice_of(const struct policy_work *work, uint32_t as)
{
	uint16_t choice = work->choices[as];
	return choice == POLICY_NONE || choice == POLICY_OWN
		? NULL
		: &work->world->edges[work->world->ases[as].first_edge + choice];
}

/* Learned from a customer, or its own: may be told to everyone. */
static bool for_everyone(const struct policy_work *work, uint32_t as)
{
	const struct world_edge *edge = choice_of(work, as);
	return edge ? edge->relation == RELATION_CUSTOMER : work->choices[as] == POLICY_OWN;
}

/* Tell the neighbour of edge `index`, who takes it when it is shorter, or as long and from a lower number. */
static bool tell(struct policy_work *work, uint32_t index)
{
	const struct world_edge *edge = &work->world->edges[index];
	uint32_t to = edge->neighbour, length;
	if (!tells(work, index))
		return false;
	length = work->lengths[edge->as] + step_of(work, index);
	const struct world_edge *now = choice_of(work, to);
	if (length > work->lengths[to] ||
		(length == work->lengths[to] &&
			(!now || work->world->ases[now->neighbour].asn <= work->world->ases[edge->as].asn)))
		return false;
	bool shorter = length < work->lengths[to];
	work->lengths[to] = length;
	work->choices[to] = (uint16_t)(edge->back - work->world->ases[to].first_edge);
	return shorter;
}

/* Spread by rising length to the neighbours that are `relation` to the teller, unless they have a route that
 * they prefer whatever its length. */
static void spread(struct policy_work *work, enum relation relation)
{
	const struct world *w = work->world;
	uint32_t length, as;
	while (heap_pop(&work->heap, &length, &as)) {
		if (length != work->lengths[as])
			continue; /* found a shorter one since */
		for (uint32_t i = w->ases[as].kin[relation]; i < w->ases[as].kin[relation + 1]; i++) {
			uint32_t index = w->kin[i];
			const struct world_edge *edge = &w->edges[index];
			const struct world_edge *theirs = choice_of(work, edge->neighbour);
			if (work->choices[edge->neighbour] == POLICY_OWN ||
				(theirs && theirs->relation != w->edges[edge->back].relation))
				continue;
			uint32_t to = edge->neighbour;
			if (tell(work, index) && w->ases[to].kin[relation] < w->ases[to].kin[relation + 1])
				heap_push(&work->heap, work->lengths[edge->neighbour], edge->neighbour);
		}
	}
}

static void originate(struct policy_work *work, uint32_t as)
{
	work->choices[as] = POLICY_OWN;
	work->lengths[as] = 0;
	heap_push(&work->heap, 0, as);
}

static void tell_peers(struct policy_work *work)
{
	const struct world *w = work->world;
	for (uint32_t as = 0; as < w->as_count; as++) {
		if (!for_everyone(work, as))
			continue;
		for (uint32_t i = w->ases[as].kin[RELATION_PEER]; i < w->ases[as].kin[RELATION_PEER + 1]; i++)
			if (!for_everyone(work, w->edges[w->kin[i]].neighbour))
				(void)tell(work, w->kin[i]);
	}
}

static void usual_routes(struct policy_work *work, uint32_t class)
{
	const struct world *w = work->world;
	for (uint32_t i = 0; i < w->as_count; i++) {
		work->choices[i] = POLICY_NONE;
		work->lengths[i] = LENGTH_NONE;
	}
	for (uint32_t i = 0; work->prefix && i < work->prefix->origin_count; i++)
		originate(work, w->origins[work->prefix->first_origin + i]);
	if (!work->prefix)
		originate(work, class % w->as_count);
	spread(work, RELATION_PROVIDER);
	tell_peers(work);
	for (uint32_t as = 0; as < w->as_count; as++)
		if (work->choices[as] != POLICY_NONE &&
			w->ases[as].kin[RELATION_CUSTOMER] < w->ases[as].kin[RELATION_CUSTOMER + 1])
			heap_push(&work->heap, work->lengths[as], as);
	spread(work, RELATION_CUSTOMER);
}

/* Does the way of `from` go by `as`? */
static bool goes_by(const struct policy_work *work, uint32_t from, uint32_t as)
{
	const struct world_edge *edge;
	for (uint32_t steps = 0; steps <= work->world->as_count; steps++) {
		if (from == as)
			return true;
		edge = choice_of(work, from);
		if (!edge)
			return false;
		from = edge->neighbour;
	}
	return true;
}

/* The best that the neighbours of an AS offer now; false when that is what it has. */
static bool choose_again(struct policy_work *work, uint32_t as)
{
	const struct world *w = work->world;
	uint16_t best = POLICY_NONE;
	uint32_t best_length = LENGTH_NONE, best_preference = 0;
	for (uint32_t i = 0; i < w->ases[as].edge_count; i++) {
		uint32_t index = w->ases[as].first_edge + i, from = w->edges[index].neighbour;
		uint32_t back = w->edges[index].back;
		if (work->choices[from] == POLICY_NONE ||
			(w->edges[index].relation != RELATION_PROVIDER && !for_everyone(work, from)) ||
			!tells(work, back) || goes_by(work, from, as))
			continue;
		uint32_t preference = preference_of(work, index),
			 length = work->lengths[from] + step_of(work, back);
		if (best != POLICY_NONE &&
			(preference < best_preference ||
				(preference == best_preference && length >= best_length)))
			continue; /* by rising number of the neighbour, so the first stays */
		best = (uint16_t)i;
		best_length = length;
		best_preference = preference;
	}
	bool changed = best != work->choices[as] || best_length != work->lengths[as];
	work->choices[as] = best;
	work->lengths[as] = best_length;
	return changed;
}

/* A ring of ASes that have to choose again; false when that does not end. */
static bool settle(struct policy_work *work)
{
	const struct world *w = work->world;
	uint64_t patience = (uint64_t)PATIENCE * w->as_count;
	uint32_t first = 0, count = 0;
	for (uint32_t as = 0; as < w->as_count; as++) {
		work->queued[as] = work->choices[as] != POLICY_OWN && w->ases[as].own_mind;
		if (work->queued[as])
			work->queue[count++] = as;
	}
	while (count > 0 && patience-- > 0) {
		uint32_t as = work->queue[first];
		first = (first + 1) % w->as_count;
		count--;
		work->queued[as] = false;
		if (!choose_again(work, as))
			continue;
		for (uint32_t i = 0; i < w->ases[as].edge_count; i++) {
			uint32_t other = w->edges[w->ases[as].first_edge + i].neighbour;
			if (work->queued[other] || work->choices[other] == POLICY_OWN)
				continue;
			work->queued[other] = true;
			work->queue[(first + count++) % w->as_count] = other;
		}
	}
	return count == 0;
}

bool policy_routes(struct policy_work *work, uint32_t class, const bool *gone)
{
	const struct world *w = work->world;
	uint32_t ordinary = 2 * w->as_count;
	work->prefix = class < ordinary ? NULL : &w->prefixes[w->class_prefixes[class - ordinary]];
	work->family = work->prefix ? family_index(work->prefix->prefix.addr.family) : class >= w->as_count;
	work->gone = gone;
	work->filtered = work->prefix && w->filter_count > 0;
	usual_routes(work, class);
	if (!w->preferences || settle(work))
		return true;
	usual_routes(work, class);
	return false;
}
