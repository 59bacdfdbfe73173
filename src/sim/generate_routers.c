/* Routers: in each place cores, which make the backbone, and edges, which carry the links to others. Costs
 * follow the delays, as operators set them, so packets take the fastest way through an AS. */
#include <string.h>

#include "base/compiler.h"
#include "sim/generate_inside.h"

#define METRO_US    150 /* at most, between buildings of a place */
#define INSIDE_US   40	/* at most, between racks of a building */
#define US_PER_COST 10
#define COST_MIN    5

void generate_link(struct generator *g, uint32_t from, uint32_t to, unsigned delay_us)
{
	struct gen_link *link = generate_add(g, &g->links, sizeof(*link));
	if (!link)
		return;
	struct gen_as *as = &g->ases[LIST_AT(struct gen_router, g->routers, from)->as];
	unsigned cost = COST_MIN + delay_us / US_PER_COST;
	*link = (struct gen_link){
		.from = from, .to = to, .delay_us = MAX(delay_us, 10), .cost = cost, .cost_back = cost};
	as->links++;
}

uint32_t generate_router(
	struct generator *g, uint32_t as, unsigned place, const char *role, unsigned number, unsigned home)
{
	uint32_t index = g->routers.count;
	struct gen_router *router = generate_add(g, &g->routers, sizeof(*router));
	if (router) {
		*router = (struct gen_router){
			.as = as, .place = place, .number = number, .home = home, .misleading_place = place};
		snprintf(router->role, sizeof(router->role), "%s", role);
		g->ases[as].router_count++;
	}
	return index;
}

static void add_pop_routers(
	struct generator *g, uint32_t index, struct gen_pop *pop, unsigned cores, unsigned edges)
{
	pop->core = g->routers.count;
	pop->core_count = cores;
	for (unsigned i = 0; i < cores; i++)
		(void)generate_router(g, index, pop->place, "cr", i + 1, 0);
	pop->edge = g->routers.count;
	pop->edge_count = edges;
	for (unsigned i = 0; i < edges; i++)
		(void)generate_router(g, index, pop->place, "er", i + 1, 0);
	if (g->failed)
		return;
	/* Two cores are a pair; every edge has an uplink to each, of the same length: two equal ways. */
	if (cores == 2)
		generate_link(g, pop->core, pop->core + 1, draw_between(g, 10, INSIDE_US));
	for (unsigned e = 0; e < edges; e++) {
		unsigned delay_us = draw_between(g, 10, INSIDE_US);
		for (unsigned c = 0; c < cores; c++)
			generate_link(g, pop->core + c, pop->edge + e, delay_us);
	}
}

/* Behind the core of a network with users there may be more routers, one after the other; in most networks
 * none, in some several. */
static void add_access(struct generator *g, uint32_t index, struct gen_pop *pop)
{
	const struct gen_as *as = &g->ases[index];
	unsigned at = draw(g, 100), depth = at < 52 ? 0 : at < 61 ? 1 : at < 67 ? 2 : draw_between(g, 4, 6);
	pop->access = pop->core_count ? pop->core : pop->edge;
	if (is_transit(as) || as->kind == GIANT) {
		pop->access = pop->edge;
		return;
	}
	for (unsigned i = 0; i < depth && !g->failed; i++) {
		uint32_t router = generate_router(g, index, pop->place, "ar", i + 1, 0);
		if (!g->failed)
			generate_link(g, pop->access, router, draw_between(g, 20, 2000));
		pop->access = router;
	}
}

/* A small network has one router that does everything, or a border and what is behind it. */
static void sizes(struct generator *g, const struct gen_as *as, unsigned *cores, unsigned *edges)
{
	*cores = 1;
	*edges = 1;
	switch (as->kind) {
	case TIER1:
		*cores = draw(g, 2) == 0 ? 2 : 0;
		*edges = 2;
		break;
	case CARRIER:
	case GIANT:
		*cores = draw(g, 2) == 0;
		*edges = 2;
		break;
	case REGIONAL:
		*cores = 0;
		*edges = 1 + chance(g, 700);
		break;
	case HOSTING:
	case ACCESS:
		*cores = 1;
		*edges = 1 + chance(g, 300);
		break;
	case ENTERPRISE:
		*cores = 0;
		*edges = 1 + chance(g, 150);
		break;
	}
}

static uint32_t hub(const struct gen_pop *pop, unsigned which)
{
	return pop->core_count ? pop->core + which % pop->core_count : pop->edge + which % pop->edge_count;
}

static void trunk(struct generator *g, const struct gen_pop *a, const struct gen_pop *b)
{
	unsigned delay_us = places_fibre_us(a->place, b->place) + draw_between(g, 50, METRO_US);
	unsigned planes = a->core_count == 2 && b->core_count == 2 ? 2 : 1;
	for (unsigned i = 0; i < planes; i++)
		generate_link(g, hub(a, i), hub(b, i), delay_us);
}

/* Every place to its nearest among those before it, and to the second nearest for a ring. */
static void backbone(struct generator *g, const struct gen_as *as)
{
	for (unsigned i = 1; i < as->pop_count && !g->failed; i++) {
		unsigned best[2] = {0, 0}, far[2] = {UINT32_MAX, UINT32_MAX};
		for (unsigned k = 0; k < i; k++) {
			unsigned us = places_fibre_us(as->pops[i].place, as->pops[k].place);
			if (us < far[0]) {
				far[1] = far[0];
				best[1] = best[0];
				far[0] = us;
				best[0] = k;
			} else if (us < far[1]) {
				far[1] = us;
				best[1] = k;
			}
		}
		trunk(g, &as->pops[i], &as->pops[best[0]]);
		if (far[1] != UINT32_MAX && (is_transit(as) || as->kind == GIANT))
			trunk(g, &as->pops[i], &as->pops[best[1]]);
		/* Long lines keep a network from being many hops wide. */
		unsigned share = as->kind == TIER1 ? 500 : is_transit(as) || as->kind == GIANT ? 250 : 0;
		for (unsigned k = 0; k < i; k++)
			if (k != best[0] && k != best[1] && chance(g, share))
				trunk(g, &as->pops[i], &as->pops[k]);
	}
}

void generate_routers(struct generator *g)
{
	for (uint32_t i = 0; i < g->as_count && !g->failed; i++) {
		struct gen_as *as = &g->ases[i];
		as->router = g->routers.count;
		as->inner_link = g->links.count;
		for (unsigned p = 0; p < as->pop_count && !g->failed; p++) {
			unsigned cores, edges;
			sizes(g, as, &cores, &edges);
			add_pop_routers(g, i, &as->pops[p], cores, edges);
			for (unsigned e = 1; e < edges && cores == 0; e++)
				generate_link(g, as->pops[p].edge, as->pops[p].edge + e,
					draw_between(g, 10, INSIDE_US));
			add_access(g, i, &as->pops[p]);
		}
		backbone(g, as);
		as->inner_routers = g->routers.count - as->router;
		as->inner_links = g->links.count - as->inner_link;
	}
}

uint32_t generate_edge(struct generator *g, const struct gen_pop *pop)
{
	return pop->edge + draw(g, pop->edge_count);
}

const char *generate_router_name(const struct generator *g, uint32_t router, char name[static 40])
{
	const struct gen_router *r = LIST_AT(struct gen_router, g->routers, router);
	snprintf(name, 40, "%s%u-%s-%u", r->role, r->number, places[r->place].code, g->ases[r->as].asn);
	return name;
}
