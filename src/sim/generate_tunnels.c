/* Labelled paths through carriers, along the ways that plain routing takes; and a few tunnels that it does
 * not know. */
#include <stdlib.h>

#include "base/compiler.h"
#include "sim/generate_inside.h"

#define TUNNELS_PER_AS 30
#define PATH_MAX_LSRS  12
#define FAR	       UINT32_MAX

/* The network of one AS; routers are numbered from its first. */
struct inner {
	struct generator *g;
	const struct gen_as *as;
	uint32_t *distance; /* to the egress */
	bool *settled;
	uint32_t made[TUNNELS_PER_AS][2]; /* ingress, egress */
	unsigned made_count;
};

static const struct gen_link *inner_link(const struct inner *in, unsigned index)
{
	return LIST_AT(struct gen_link, in->g->links, in->as->inner_link + index);
}

static void relax(struct inner *in, uint32_t node)
{
	for (unsigned i = 0; i < in->as->inner_links; i++) {
		const struct gen_link *link = inner_link(in, i);
		uint32_t from = link->from - in->as->router, to = link->to - in->as->router;
		if (to == node && !in->settled[from])
			in->distance[from] = MIN(in->distance[from], in->distance[node] + link->cost);
		else if (from == node && !in->settled[to])
			in->distance[to] = MIN(in->distance[to], in->distance[node] + link->cost_back);
	}
}

/* Dijkstra, backwards from the egress. */
static void measure(struct inner *in, uint32_t egress)
{
	unsigned count = in->as->inner_routers;
	for (uint32_t i = 0; i < count; i++) {
		in->distance[i] = i == egress ? 0 : FAR;
		in->settled[i] = false;
	}
	for (;;) {
		uint32_t nearest = NONE;
		for (uint32_t i = 0; i < count; i++)
			if (!in->settled[i] && in->distance[i] != FAR &&
				(nearest == NONE || in->distance[i] < in->distance[nearest]))
				nearest = i;
		if (nearest == NONE)
			return;
		in->settled[nearest] = true;
		relax(in, nearest);
	}
}

/* The first link of the file that is on a shortest way, as plain routing chooses. */
static uint32_t next_of(const struct inner *in, uint32_t node)
{
	for (unsigned i = 0; i < in->as->inner_links; i++) {
		const struct gen_link *link = inner_link(in, i);
		uint32_t from = link->from - in->as->router, to = link->to - in->as->router;
		if (from == node && in->distance[to] != FAR &&
			in->distance[to] + link->cost == in->distance[from])
			return to;
		if (to == node && in->distance[from] != FAR &&
			in->distance[from] + link->cost_back == in->distance[to])
			return from;
	}
	return NONE;
}

static void write_options(struct generator *g, FILE *out)
{
	const struct profile *p = g->profile;
	bool hidden = chance(g, p->mpls_hidden);
	if (hidden)
		fputs(", hidden: true", out);
	else if (chance(g, p->mpls_unlabelled))
		fputs(", unlabelled: true", out);
	if (chance(g, p->mpls_opaque))
		fputs(", pop: opaque", out);
	else if (chance(g, p->mpls_ultimate))
		fputs(", pop: ultimate", out);
}

static void write_tunnel(struct inner *in, uint32_t ingress, bool *any, FILE *out)
{
	uint32_t path[PATH_MAX_LSRS], count = 0;
	char name[40];
	for (uint32_t at = ingress; at != NONE && count < PATH_MAX_LSRS; at = next_of(in, at))
		path[count++] = at;
	if (count < 3 || in->distance[path[count - 1]] != 0)
		return;
	fputs(*any ? "" : "\ntunnels:\n", out);
	*any = true;
	fputs("  - {routers: [", out);
	for (uint32_t i = 0; i < count; i++)
		fprintf(out, "%s%s", i ? ", " : "",
			generate_router_name(in->g, in->as->router + path[i], name));
	fputc(']', out);
	write_options(in->g, out);
	fputs("}\n", out);
}

/* False: there is one already. */
static bool remember(struct inner *in, uint32_t ingress, uint32_t egress)
{
	for (unsigned i = 0; i < in->made_count; i++)
		if (in->made[i][0] == ingress && in->made[i][1] == egress)
			return false;
	in->made[in->made_count][0] = ingress;
	in->made[in->made_count++][1] = egress;
	return true;
}

static void write_tunnels_of(struct generator *g, const struct gen_as *as, bool *any, FILE *out)
{
	struct inner in = {.g = g, .as = as};
	in.distance = calloc(as->inner_routers + 1, sizeof(*in.distance));
	in.settled = calloc(as->inner_routers + 1, sizeof(*in.settled));
	g->failed |= !in.distance || !in.settled;
	for (unsigned i = 0; i < TUNNELS_PER_AS / 3 && !g->failed; i++) {
		uint32_t egress = generate_edge(g, &as->pops[draw(g, as->pop_count)]) - as->router;
		measure(&in, egress);
		for (unsigned k = 0; k < 3; k++) {
			uint32_t ingress = generate_edge(g, &as->pops[draw(g, as->pop_count)]) - as->router;
			if (ingress != egress && remember(&in, ingress, egress))
				write_tunnel(&in, ingress, any, out);
		}
	}
	free(in.distance);
	free(in.settled);
}

void generate_write_tunnels(struct generator *g, FILE *out)
{
	bool any = false;
	for (unsigned i = 0; i < g->as_count; i++) {
		const struct gen_as *as = &g->ases[i];
		if (!is_transit(as) || as->pop_count < 2 || !chance(g, g->profile->mpls))
			continue;
		write_tunnels_of(g, as, &any, out);
	}
}

static uint32_t draw_router(struct generator *g, uint32_t as)
{
	return g->ases[as].router + draw(g, g->ases[as].inner_routers);
}

/* From inside a network that carries nobody's packets to one of its providers: no way leads back from there,
 * so there is no loop. */
void generate_write_detours(struct generator *g, FILE *out)
{
	char at[40], to[40], prefix[PREFIX_TEXT_SIZE];
	bool any = false;
	for (unsigned i = 0; i < g->relations.count; i++) {
		const struct gen_relation *relation = LIST_AT(struct gen_relation, g->relations, i);
		const struct gen_as *target = &g->ases[draw(g, g->as_count)];
		if (relation->peers || g->ases[relation->b].customers || !chance(g, g->profile->detours) ||
			target == &g->ases[relation->b])
			continue;
		uint32_t begin = draw_router(g, relation->b), end = draw_router(g, relation->a);
		fprintf(out, "%s  - {at: %s, to: %s, prefix: %s}\n", any ? "" : "\ndetours:\n",
			generate_router_name(g, begin, at), generate_router_name(g, end, to),
			prefix_format(target->prefixes[0], prefix));
		any = true;
	}
}
