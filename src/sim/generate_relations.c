/* Who buys transit from whom, and who peers in private.
 *
 * The biggest peer with each other, all with all. Everybody else buys: the more customers a carrier has in a
 * region, the more it gets (preferential attachment), which makes the degrees heavy-tailed. Two big networks
 * meet in several places, so that each hands packets over at its nearest and the ways there and back differ.
 */
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "sim/generate_inside.h"

#define TRIES	       20
#define ASES_PER_EQUAL 400
#define EQUALS_MAX     30

static uint64_t pair_of(uint32_t a, uint32_t b)
{
	return (uint64_t)MIN(a, b) << 32 | MAX(a, b);
}

/* An open hash set: pairs.items is the table, 0 is empty (no AS is paired with itself). */
static bool remember_pair(struct generator *g, uint64_t pair)
{
	uint64_t *table = g->pairs.items;
	uint64_t mask = g->pairs.capacity - 1;
	uint64_t at = (pair * 0x9e3779b97f4a7c15) >> 20 & mask;
	while (table[at] && table[at] != pair)
		at = (at + 1) & mask;
	if (table[at])
		return false;
	table[at] = pair;
	g->pairs.count++;
	return true;
}

static bool room_for_pair(struct generator *g)
{
	struct gen_list old = g->pairs;
	if (2 * (old.count + 1) <= old.capacity)
		return true;
	g->pairs = (struct gen_list){.capacity = old.capacity ? 2 * old.capacity : 1024};
	g->pairs.items = calloc(g->pairs.capacity, sizeof(uint64_t));
	if (!g->pairs.items) {
		g->pairs = old;
		g->failed = true;
		return false;
	}
	for (unsigned i = 0; i < old.capacity; i++)
		if (((uint64_t *)old.items)[i])
			(void)remember_pair(g, ((uint64_t *)old.items)[i]);
	free(old.items);
	return true;
}

bool generate_relation(struct generator *g, uint32_t a, uint32_t b, bool peers, uint32_t ixp)
{
	if (a == b || !room_for_pair(g) || !remember_pair(g, pair_of(a, b)))
		return false;
	struct gen_relation *relation = generate_add(g, &g->relations, sizeof(*relation));
	if (!relation)
		return false;
	*relation = (struct gen_relation){.a = a, .b = b, .peers = peers, .ixp = ixp};
	if (peers) {
		g->ases[a].peers++;
		g->ases[b].peers++;
	} else {
		g->ases[a].customers++;
		g->ases[b].providers++;
	}
	return true;
}

/* The two places that are nearest to each other. */
static void connect_nearest(struct generator *g, const struct gen_as *a, const struct gen_as *b)
{
	const struct gen_pop *from = &a->pops[0], *to = &b->pops[0];
	unsigned best = UINT32_MAX;
	for (unsigned i = 0; i < a->pop_count; i++)
		for (unsigned k = 0; k < b->pop_count; k++) {
			unsigned us = places_fibre_us(a->pops[i].place, b->pops[k].place);
			if (us < best) {
				best = us;
				from = &a->pops[i];
				to = &b->pops[k];
			}
		}
	uint32_t carrier = generate_edge(g, from), customer = generate_edge(g, to);
	generate_link(g, carrier, customer, best + draw_between(g, 100, 400));
}

/* A link, and often a second one from another router of the carrier, so that either may fail. */
static void connect_pops(struct generator *g, const struct gen_pop *from, const struct gen_pop *to)
{
	unsigned first = draw(g, from->edge_count), delay_us = draw_between(g, 50, 400);
	uint32_t customer = generate_edge(g, to);
	generate_link(g, from->edge + first, customer, delay_us);
	if (from->edge_count > 1 && chance(g, 150))
		generate_link(g, from->edge + (first + 1) % from->edge_count, customer, delay_us);
}

/* Links in at most `most` of the places where both are; numbered from a's space. */
static void connect_ases(struct generator *g, uint32_t a, uint32_t b, unsigned most)
{
	const struct gen_as *from = &g->ases[a], *to = &g->ases[b];
	unsigned common[PLACES_MAX], count = 0;
	for (unsigned i = 0; i < from->pop_count; i++)
		if (generate_pop_at(to, from->pops[i].place))
			common[count++] = from->pops[i].place;
	if (count == 0) {
		connect_nearest(g, from, to);
		return;
	}
	for (unsigned i = 0; i < most && count > 0; i++) {
		unsigned pick = draw(g, count);
		connect_pops(g, generate_pop_at(from, common[pick]), generate_pop_at(to, common[pick]));
		common[pick] = common[--count];
	}
}

static void put_into_urns(struct generator *g, uint32_t carrier)
{
	bool seen[REGIONS] = {false};
	const struct gen_as *as = &g->ases[carrier];
	for (unsigned i = 0; i < as->pop_count; i++) {
		enum region region = places[as->pops[i].place].region;
		uint32_t *item = seen[region] ? NULL : generate_add(g, &g->urns[region], sizeof(*item));
		if (item)
			*item = carrier;
		seen[region] = true;
	}
}

/* A carrier in the customer's region, as likely as it has customers; one in the same place is preferred. */
static uint32_t draw_provider(struct generator *g, const struct gen_as *customer)
{
	const struct gen_list *urn = &g->urns[places[customer->home].region];
	uint32_t provider = NONE;
	for (unsigned i = 0; i < 4; i++) {
		provider = urn->count ? *LIST_AT(uint32_t, *urn, draw(g, urn->count)) : draw(g, 3);
		bool too_big = g->ases[provider].kind == TIER1 && customer->kind >= HOSTING && chance(g, 600);
		if (generate_pop_at(&g->ases[provider], customer->home) && !too_big)
			break;
	}
	return provider;
}

static unsigned provider_count(struct generator *g, const struct gen_as *as)
{
	unsigned at = draw(g, 100);
	switch (as->kind) {
	case TIER1: return 0;
	case CARRIER: return 2 + (at < 50);
	case REGIONAL: return 1 + (at < 75) + (at < 25);
	case GIANT: return 2 + (at < 50);
	case HOSTING: return 1 + (at < 90) + (at < 50);
	case ACCESS: return 1 + (at < 80) + (at < 35);
	case ENTERPRISE: return 1 + (at < 65) + (at < 15);
	}
	return 1;
}

static void buy_transit(struct generator *g, uint32_t index)
{
	const struct gen_as *as = &g->ases[index];
	unsigned wanted = provider_count(g, as);
	for (unsigned tries = 0; as->providers < wanted && tries < TRIES && !g->failed; tries++) {
		uint32_t provider = draw_provider(g, as);
		if (!generate_relation(g, provider, index, false, NONE))
			continue;
		connect_ases(
			g, provider, index, is_transit(as) || as->kind == GIANT ? 8 : draw_between(g, 1, 2));
		put_into_urns(g, provider);
	}
}

/* Carriers of a region also peer with each other, in private, and with those who have the content: the more
 * there are, the more each. */
static void peer_in_private(struct generator *g, uint32_t index)
{
	const struct gen_as *as = &g->ases[index];
	unsigned most = MIN(MAX(g->as_total / ASES_PER_EQUAL, 4), EQUALS_MAX);
	unsigned wanted = as->kind == CARRIER ? draw(g, most)
		: as->kind == GIANT	      ? draw_between(g, 5, 25)
					      : 0;
	for (unsigned i = 0; i < wanted && !g->failed; i++) {
		uint32_t other = draw_provider(g, as);
		bool equals = g->ases[other].kind == CARRIER ||
			(as->kind == GIANT && (g->ases[other].kind == REGIONAL || chance(g, 300)));
		if (equals && generate_relation(g, other, index, true, NONE))
			connect_ases(g, other, index, 4);
	}
}

void generate_relations(struct generator *g)
{
	for (uint32_t i = 0; i < g->as_count && !g->failed; i++) {
		const struct gen_as *as = &g->ases[i];
		for (uint32_t k = 0; k < i && as->kind == TIER1; k++)
			if (generate_relation(g, k, i, true, NONE))
				connect_ases(g, k, i, 16);
		buy_transit(g, i);
		if (is_transit(as))
			put_into_urns(g, i);
	}
	for (uint32_t i = 0; i < g->as_count && !g->failed; i++)
		peer_in_private(g, i);
}
