/* Bad habits, drawn from the rates of the profile: first what holds for a whole AS, then router by router. */
#include "base/compiler.h"
#include "sim/generate_inside.h"

static void as_habits(struct generator *g, struct gen_as *as)
{
	const struct profile *p = g->profile;
	bool transit = is_transit(as);
	as->drops_options = chance(g, transit ? p->core_drops_options : p->edge_drops_options);
	as->never_stamps = transit && chance(g, p->core_never_stamps);
	as->sometimes_stamps = transit && chance(g, p->core_sometimes);
	as->private_links = chance(g, p->private_links);
	as->unannounced = chance(g, p->unannounced);
	as->nameless = chance(g, p->nameless);
}

/* Multi-homed networks do not treat all their providers alike. */
static void as_policies(struct generator *g)
{
	for (unsigned i = 0; i < g->relations.count; i++) {
		const struct gen_relation *relation = LIST_AT(struct gen_relation, g->relations, i);
		struct gen_as *customer = &g->ases[relation->b];
		if (relation->peers || customer->providers < 2)
			continue;
		if (customer->prefers == NONE && chance(g, g->profile->traffic_engineering))
			customer->prefers = relation->a;
		else if (customer->prepends == NONE && chance(g, g->profile->prepending))
			customer->prepends = relation->a;
	}
}

/* Costs that somebody changed in one direction only. */
static void uneven_costs(struct generator *g)
{
	for (unsigned i = 0; i < g->links.count; i++) {
		struct gen_link *link = LIST_AT(struct gen_link, g->links, i);
		bool inside = LIST_AT(struct gen_router, g->routers, link->from)->as ==
			LIST_AT(struct gen_router, g->routers, link->to)->as;
		if (inside && chance(g, g->profile->igp_asymmetric))
			link->cost_back += link->cost * draw_between(g, 1, 4) / 2;
	}
}

/* Numbers of its own, so that the same seed gives the same networks with every profile. */
void generate_habits(struct generator *g)
{
	g->rng = rng_seed(rng_u64(&g->rng));
	for (unsigned i = 0; i < g->as_count; i++)
		as_habits(g, &g->ases[i]);
	as_policies(g);
	uneven_costs(g);
	for (unsigned i = 0; i < g->routers.count; i++) {
		struct gen_router *router = LIST_AT(struct gen_router, g->routers, i);
		if (chance(g, g->profile->misleading))
			router->misleading_place = draw(g, place_count);
	}
}

struct keys {
	FILE *out;
	bool any;
};

static void key(struct keys *keys, const char *text)
{
	fprintf(keys->out, "%s%s", keys->any ? ", " : ", behaviour: {", text);
	keys->any = true;
}

static void record_route(struct generator *g, const struct gen_as *as, struct keys *keys)
{
	const struct profile *p = g->profile;
	unsigned at = draw(g, 1000);
	if (as->drops_options)
		key(keys, "record_route: drop");
	else if (as->never_stamps || (as->sometimes_stamps && at < 500) || at < p->stamp_none)
		key(keys, "record_route: none");
	else if (at < p->stamp_none + p->stamp_inbound)
		key(keys, "record_route: inbound");
	else if (at < p->stamp_none + p->stamp_inbound + p->stamp_loopback)
		key(keys, "record_route: loopback");
}

void generate_write_behaviour(struct generator *g, const struct gen_router *router, FILE *out)
{
	const struct profile *p = g->profile;
	struct keys keys = {.out = out};
	unsigned at = draw(g, 1000);
	if (at < p->source_outbound)
		key(&keys, "error_source: outbound");
	else if (at < p->source_outbound + p->source_loopback)
		key(&keys, "error_source: loopback");
	record_route(g, &g->ases[router->as], &keys);
	at = draw(g, 1000);
	if (at < p->balance_flow)
		key(&keys, "balance: flow");
	else if (at < p->balance_flow + p->balance_packet)
		key(&keys, "balance: packet");
	if (chance(g, p->silent))
		key(&keys, "silent: true");
	else if (chance(g, p->limited))
		key(&keys, "error_limit: {burst: 6, per_second: 1}");
	if (chance(g, p->slow)) {
		char text[40];
		snprintf(text, sizeof(text), "reply_delay_ms: %u", draw_between(g, 5, 150));
		key(&keys, text);
	}
	if (keys.any)
		fputc('}', out);
}
