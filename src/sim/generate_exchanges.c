/* Exchanges: a shared LAN in a big place, where content and carriers of the region meet the small. */
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "sim/generate_inside.h"

#define MEMBERS_MAX 1000 /* so that a /22 holds their addresses */
#define PARTNERS    40

/* Who joins, in thousandths; those with content peer with everybody, the biggest with nobody. */
static unsigned joins(enum kind kind)
{
	static const unsigned shares[] = {[TIER1] = 100,
		[CARRIER] = 600,
		[REGIONAL] = 700,
		[GIANT] = 950,
		[HOSTING] = 700,
		[ACCESS] = 450,
		[ENTERPRISE] = 60};
	return shares[kind];
}

static unsigned openness(enum kind kind)
{
	static const unsigned shares[] = {[TIER1] = 5,
		[CARRIER] = 120,
		[REGIONAL] = 300,
		[GIANT] = 800,
		[HOSTING] = 450,
		[ACCESS] = 300,
		[ENTERPRISE] = 300};
	return shares[kind];
}

/* `order`: the ASes, shuffled, so that a full exchange has members of every kind. */
static void fill(struct generator *g, struct gen_ixp *ixp, const uint32_t *order)
{
	ixp->members = calloc(MEMBERS_MAX, sizeof(*ixp->members));
	if (!ixp->members) {
		g->failed = true;
		return;
	}
	for (unsigned i = 0; i < g->as_count && ixp->member_count < MEMBERS_MAX; i++) {
		const struct gen_as *as = &g->ases[order[i]];
		const struct gen_pop *pop = generate_pop_at(as, ixp->place);
		if (pop && chance(g, joins(as->kind)))
			ixp->members[ixp->member_count++] = generate_edge(g, pop);
	}
}

/* However many there are, a member sets up sessions with some: relations grow with the members, not with
 * their pairs. */
static unsigned share_met(unsigned members)
{
	return MIN(1000, 1000 * PARTNERS / MAX(members, 1));
}

static void peer(struct generator *g, uint32_t index)
{
	const struct gen_ixp *ixp = LIST_AT(struct gen_ixp, g->ixps, index);
	unsigned met = share_met(ixp->member_count);
	for (unsigned i = 0; i < ixp->member_count; i++)
		for (unsigned k = 0; k < i && !g->failed; k++) {
			uint32_t a = LIST_AT(struct gen_router, g->routers, ixp->members[i])->as;
			uint32_t b = LIST_AT(struct gen_router, g->routers, ixp->members[k])->as;
			unsigned both = openness(g->ases[a].kind) * openness(g->ases[b].kind) / 1000;
			if (draw(g, 1000 * 1000) < both * met)
				(void)generate_relation(g, a, b, true, index);
		}
}

void generate_exchanges(struct generator *g)
{
	unsigned wanted = MIN(MAX(g->as_total / 40, 1), place_count);
	uint32_t *order = calloc(g->as_count + 1, sizeof(*order));
	if (!order) {
		g->failed = true;
		return;
	}
	for (uint32_t i = 0; i < g->as_count; i++) {
		uint32_t at = draw(g, i + 1);
		order[i] = order[at];
		order[at] = i;
	}
	/* The heaviest places of the table have one each, two where there is room for more. */
	for (unsigned weight = 60; weight > 0 && g->ixps.count < wanted; weight--)
		for (unsigned p = 0; p < place_count && g->ixps.count < wanted; p++) {
			if (places[p].weight != weight)
				continue;
			struct gen_ixp *ixp = generate_add(g, &g->ixps, sizeof(*ixp));
			if (!ixp)
				break;
			*ixp = (struct gen_ixp){.place = p, .number = 1};
			fill(g, ixp, order);
			if (!g->failed)
				peer(g, g->ixps.count - 1);
		}
	free(order);
}
