/* Routes between ASes. Nearly everybody prefers any route from a customer to any from a peer, and that to any
 * from a provider; among those of a kind, the one with the highest local preference, then the shortest AS
 * path, prepended numbers counted, then the neighbour with the lowest number. A route from a customer is told
 * to everyone, any other to customers only. So (after Gao and Rexford) three steps make the routes of all:
 *
 *  1. Routes of customers climb from the origin to providers, and their providers.
 *  2. Each of these ASes tells its peers, once.
 *  3. Everybody tells his customers, who tell theirs.
 *
 * Nobody is his own provider's provider, so the ASes stand in an order, customers before their providers. Who
 * tells the others in this order (step 3: against it) has heard all that he will hear: each relation is
 * looked at once, and in steps 1 and 2 only those of the ASes above the origin.
 *
 * An AS that likes a peer as well as some customer, or the like, is odd. It begins as if its preferences were
 * the usual ones; then it chooses again, and whoever heard of a change, until nobody changes. */
#include "sim/policy.h"

#include <stdlib.h>
#include <string.h>

/* How good a route is, as one number, the more the better: the preference, from bit 40; the length of the AS
 * path, from bit 16; the edge, counted from the AS's first. Edges stand by rising number of the neighbour. */
#define RANK_NONE   0ULL
#define RANK_OWN    (UINT64_MAX - POLICY_OWN)
#define LENGTH_MOST 0xffffffU

/* Rounds of changes for each AS before we say that they never end. */
#define PATIENCE 50

/* What an AS says to a neighbour of what it has. In the order of world->kin, apart from the edges: all that
 * the three steps read lies together. */
struct offer {
	uint32_t to;
	uint32_t preference; /* that he gives to it */
	uint16_t choice;     /* which of his edges it comes by */
	uint8_t step;	     /* how much longer the path is for him; 0: he is not told */
};

static uint64_t rank_of(uint32_t preference, uint32_t length, uint16_t choice)
{
	return (uint64_t)preference << 40 | (uint64_t)(LENGTH_MOST - length) << 16 |
		(uint16_t)(UINT16_MAX - choice);
}

static uint16_t rank_choice(uint64_t rank)
{
	return (uint16_t)(UINT16_MAX - (rank & UINT16_MAX));
}

static uint32_t rank_length(uint64_t rank)
{
	return LENGTH_MOST - (rank >> 16 & LENGTH_MOST);
}

struct policy_work {
	const struct world *world;
	uint16_t *choices;
	uint64_t *ranks;	  /* of what each AS has */
	uint32_t *order, ordered; /* customers before their providers */
	uint32_t *places;	  /* of edges: which offer */
	struct offer *offers[2];  /* by family; only the first where families do not differ */
	bool *odd[2];		  /* ASes, likewise */
	uint32_t *queue;	  /* of those above the origin, then of those who choose again */
	bool *queued;
	/* the class at work */
	unsigned family;		   /* index */
	const struct world_prefix *prefix; /* NULL: an ordinary one */
	const bool *gone;
	uint32_t restless;
};

static struct offer offer_of(const struct world *w, uint32_t index, unsigned family)
{
	const struct world_edge *edge = &w->edges[index];
	uint8_t bit = FAMILY_BIT(family ? 6 : 4);
	bool told = (edge->families & bit) && !(edge->silent & bit);
	return (struct offer){.to = edge->neighbour,
		.preference = w->edges[edge->back].preference[family],
		.choice = (uint16_t)(edge->back - w->ases[edge->neighbour].first_edge),
		.step = told ? (uint8_t)(1 + edge->prepend[family]) : 0};
}

/* Does it like some neighbour as well as one who is closer kin? */
static bool is_odd(const struct policy_work *work, uint32_t as, unsigned family)
{
	const struct world *w = work->world;
	uint32_t least[3] = {UINT32_MAX, UINT32_MAX, UINT32_MAX};
	int64_t most[3] = {-1, -1, -1};
	for (uint32_t i = 0; i < w->ases[as].edge_count; i++) {
		const struct world_edge *edge = &w->edges[w->ases[as].first_edge + i];
		uint32_t preference = work->offers[family][work->places[edge->back]].preference;
		least[edge->relation] = MIN(least[edge->relation], preference);
		most[edge->relation] = MAX(most[edge->relation], (int64_t)preference);
	}
	int64_t lower = MAX(most[RELATION_PEER], most[RELATION_PROVIDER]);
	return least[RELATION_CUSTOMER] <= lower || least[RELATION_PEER] <= most[RELATION_PROVIDER];
}

static bool make_offers(struct policy_work *work, unsigned family)
{
	const struct world *w = work->world;
	struct offer *offers = calloc((size_t)w->edge_count + 1, sizeof(*offers));
	work->offers[family] = offers;
	work->odd[family] = calloc((size_t)w->as_count + 1, sizeof(*work->odd[family]));
	if (!offers || !work->odd[family])
		return false;
	for (uint32_t i = 0; i < w->edge_count; i++)
		offers[i] = offer_of(w, w->kin[i], family);
	for (uint32_t as = 0; as < w->as_count && w->preferences; as++)
		work->odd[family][as] = is_odd(work, as, family);
	return true;
}

/* (After Kahn, 1962.) What is in a circle, in a file with that mistake, comes not at all. */
static void make_order(struct policy_work *work)
{
	const struct world *w = work->world;
	uint32_t *missing = work->queue, count = 0; /* customers without a place */
	for (uint32_t as = 0; as < w->as_count; as++) {
		missing[as] = w->ases[as].kin[RELATION_CUSTOMER + 1] - w->ases[as].kin[RELATION_CUSTOMER];
		if (missing[as] == 0)
			work->order[count++] = as;
	}
	for (uint32_t at = 0; at < count; at++) {
		const struct world_as *as = &w->ases[work->order[at]];
		for (uint32_t i = as->kin[RELATION_PROVIDER]; i < as->kin[RELATION_PROVIDER + 1]; i++) {
			uint32_t provider = w->edges[w->kin[i]].neighbour;
			if (--missing[provider] == 0)
				work->order[count++] = provider;
		}
	}
	work->ordered = count;
}

struct policy_work *policy_work_new(const struct world *world)
{
	struct policy_work *work = calloc(1, sizeof(*work));
	size_t count = (size_t)world->as_count + 1;
	if (!work)
		return NULL;
	work->world = world;
	work->choices = calloc(count, sizeof(*work->choices));
	work->ranks = calloc(count, sizeof(*work->ranks));
	work->order = calloc(count, sizeof(*work->order));
	work->queue = calloc(count, sizeof(*work->queue));
	work->queued = calloc(count, sizeof(*work->queued));
	work->places = calloc((size_t)world->edge_count + 1, sizeof(*work->places));
	bool good =
		work->choices && work->ranks && work->order && work->queue && work->queued && work->places;
	for (uint32_t i = 0; i < world->edge_count && good; i++)
		work->places[world->kin[i]] = i;
	for (unsigned family = 0; family <= world->by_family && good; family++)
		good = make_offers(work, family);
	if (!good) {
		policy_work_free(work);
		return NULL;
	}
	make_order(work);
	return work;
}

void policy_work_free(struct policy_work *work)
{
	if (!work)
		return;
	for (unsigned family = 0; family < 2; family++) {
		free(work->offers[family]);
		free(work->odd[family]);
	}
	free(work->choices);
	free(work->ranks);
	free(work->order);
	free(work->places);
	free(work->queue);
	free(work->queued);
	free(work);
}

const uint16_t *policy_choices(const struct policy_work *work)
{
	return work->choices;
}

/* The next filter that is about the prefix at work, or NULL. */
static const struct world_filter *next_filter(
	const struct policy_work *work, const struct world_filter *after)
{
	const struct world *w = work->world;
	const struct world_filter *f = after ? after + 1 : w->filters, *end = w->filters + w->filter_count;
	for (; work->prefix && f < end; f++)
		if (f->prefix.length <= work->prefix->prefix.length &&
			prefix_contains(f->prefix, work->prefix->prefix.addr))
			return f;
	return NULL;
}

static void note_odd(struct policy_work *work)
{
	const struct world *w = work->world;
	uint32_t last = WORLD_NONE;
	for (const struct world_filter *f = next_filter(work, NULL); f; f = next_filter(work, f)) {
		uint32_t as = w->edges[f->edge].as;
		if (f->preference >= 0 && as != last)
			work->odd[work->family][as] = is_odd(work, as, work->family);
		last = as;
	}
}

/* What holds for this prefix only goes into the offers, */
static void set_filters(struct policy_work *work)
{
	const struct world *w = work->world;
	struct offer *offers = work->offers[work->family];
	for (const struct world_filter *f = next_filter(work, NULL); f; f = next_filter(work, f)) {
		struct offer *told = &offers[work->places[f->edge]];
		if (f->silent)
			told->step = 0;
		if (f->prepend >= 0 && told->step > 0)
			told->step = (uint8_t)(1 + f->prepend);
		if (f->preference >= 0)
			offers[work->places[w->edges[f->edge].back]].preference = (uint32_t)f->preference;
	}
	note_odd(work);
}

/* and comes out again. */
static void clear_filters(struct policy_work *work)
{
	const struct world *w = work->world;
	struct offer *offers = work->offers[work->family];
	for (const struct world_filter *f = next_filter(work, NULL); f; f = next_filter(work, f)) {
		uint32_t back = w->edges[f->edge].back;
		offers[work->places[f->edge]] = offer_of(w, f->edge, work->family);
		offers[work->places[back]] = offer_of(w, back, work->family);
	}
	note_odd(work);
}

static const struct world_edge *choice_of(const struct policy_work *work, uint32_t as)
{
	uint64_t rank = work->ranks[as];
	return rank == RANK_NONE || rank == RANK_OWN
		? NULL
		: &work->world->edges[work->world->ases[as].first_edge + rank_choice(rank)];
}

/* Learned from a customer, or its own: may be told to everyone. */
static bool for_everyone(const struct policy_work *work, uint32_t as)
{
	const struct world_edge *edge = choice_of(work, as);
	return edge ? edge->relation == RELATION_CUSTOMER : work->ranks[as] == RANK_OWN;
}

/* How good what the AS has would be for who hears it. */
static uint64_t rank_heard(const struct policy_work *work, uint32_t as, const struct offer *offer)
{
	return rank_of(offer->preference, rank_length(work->ranks[as]) + offer->step, offer->choice);
}

/* Tell the neighbours that are `relation` to the AS; who is odd listens as if he were not. */
static void tell(struct policy_work *work, uint32_t as, enum relation relation)
{
	const struct world *w = work->world;
	const struct world_as *from = &w->ases[as];
	const struct offer *offers = work->offers[work->family];
	const bool *odd = work->odd[work->family], *gone = work->gone;
	uint32_t length = rank_length(work->ranks[as]);
	for (uint32_t i = from->kin[relation]; i < from->kin[relation + 1]; i++) {
		struct offer offer = offers[i];
		if (offer.step == 0 || (gone && gone[w->kin[i]]))
			continue;
		if (odd[offer.to])
			offer.preference = relation_preference(relation_back(relation));
		uint64_t rank = rank_of(offer.preference, length + offer.step, offer.choice);
		work->ranks[offer.to] = MAX(work->ranks[offer.to], rank);
	}
}

static void usual_routes(struct policy_work *work, uint32_t class)
{
	const struct world *w = work->world;
	uint32_t above = 0;
	memset(work->ranks, 0, w->as_count * sizeof(*work->ranks));
	for (uint32_t i = 0; work->prefix && i < work->prefix->origin_count; i++)
		work->ranks[w->origins[work->prefix->first_origin + i]] = RANK_OWN;
	if (!work->prefix)
		work->ranks[class % w->as_count] = RANK_OWN;
	for (uint32_t i = 0; i < work->ordered; i++) {
		uint32_t as = work->order[i];
		if (work->ranks[as] == RANK_NONE)
			continue;
		work->queue[above++] = as;
		tell(work, as, RELATION_PROVIDER);
	}
	for (uint32_t i = 0; i < above; i++)
		tell(work, work->queue[i], RELATION_PEER);
	for (uint32_t i = work->ordered; i-- > 0;)
		if (work->ranks[work->order[i]] != RANK_NONE)
			tell(work, work->order[i], RELATION_CUSTOMER);
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
	uint64_t had = work->ranks[as], best = RANK_NONE;
	for (uint32_t i = 0; i < w->ases[as].edge_count; i++) {
		const struct world_edge *edge = &w->edges[w->ases[as].first_edge + i];
		const struct offer *offer = &work->offers[work->family][work->places[edge->back]];
		uint64_t rank = rank_heard(work, edge->neighbour, offer);
		if (rank > best && offer->step > 0 && work->ranks[edge->neighbour] != RANK_NONE &&
			!(work->gone && work->gone[edge->back]) &&
			(edge->relation == RELATION_PROVIDER || for_everyone(work, edge->neighbour)) &&
			!goes_by(work, edge->neighbour, as))
			best = rank;
	}
	work->ranks[as] = best;
	return best != had;
}

/* Does who hears it use the way by this AS, or may he want to? */
static bool concerns(const struct policy_work *work, uint32_t as, const struct offer *offer)
{
	uint64_t has = work->ranks[offer->to];
	if (has == RANK_OWN)
		return false;
	return rank_choice(has) == offer->choice ||
		(offer->step > 0 && work->ranks[as] != RANK_NONE && rank_heard(work, as, offer) > has);
}

/* A ring of ASes that have to choose again; false when that does not end. */
static bool settle(struct policy_work *work)
{
	const struct world *w = work->world;
	uint64_t patience = (uint64_t)PATIENCE * w->as_count;
	uint32_t first = 0, count = 0;
	for (uint32_t as = 0; as < w->as_count; as++) {
		work->queued[as] = work->odd[work->family][as] && work->ranks[as] != RANK_OWN;
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
		if (work->odd[work->family][as])
			work->restless = as;
		for (uint32_t i = w->ases[as].kin[0]; i < w->ases[as].kin[3]; i++) {
			const struct offer *offer = &work->offers[work->family][i];
			if (work->queued[offer->to] || !concerns(work, as, offer))
				continue;
			work->queued[offer->to] = true;
			work->queue[(first + count++) % w->as_count] = offer->to;
		}
	}
	return count == 0;
}

static void set_class(struct policy_work *work, uint32_t class)
{
	const struct world *w = work->world;
	uint32_t ordinary = 2 * w->as_count;
	work->prefix = class < ordinary ? NULL : &w->prefixes[w->class_prefixes[class - ordinary]];
	bool second = work->prefix ? work->prefix->prefix.addr.family == 6 : class >= w->as_count;
	work->family = w->by_family && second;
}

bool policy_may_contradict(struct policy_work *work, uint32_t class)
{
	set_class(work, class);
	if (memchr(work->odd[work->family], true, work->world->as_count))
		return true;
	for (const struct world_filter *f = next_filter(work, NULL); f; f = next_filter(work, f))
		if (f->preference >= 0)
			return true;
	return false;
}

uint32_t policy_restless(const struct policy_work *work)
{
	return work->restless;
}

bool policy_routes(struct policy_work *work, uint32_t class, const bool *gone)
{
	bool lasts = true;
	set_class(work, class);
	work->gone = gone;
	set_filters(work);
	usual_routes(work, class);
	if (work->world->preferences && !settle(work)) {
		usual_routes(work, class);
		lasts = false;
	}
	clear_filters(work);
	for (uint32_t as = 0; as < work->world->as_count; as++)
		work->choices[as] = rank_choice(work->ranks[as]);
	return lasts;
}
