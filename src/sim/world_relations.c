/* Who is whose provider, customer or peer: two edges for each pair of ASes, one for each side. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/loader.h"
#include "sim/policy.h"

static uint8_t families_of(unsigned family)
{
	return family == 0 ? FAMILY_BIT(4) | FAMILY_BIT(6) : FAMILY_BIT(family);
}

static int find_as(struct loader *l, unsigned entry, unsigned asn, uint32_t *as)
{
	*as = world_find_asn(l->world, asn);
	if (*as == WORLD_NONE)
		return loader_mistake(l, "relations", entry, NULL, "AS%u is not in 'ases'", asn);
	return 0;
}

static void add_edges(struct world *w, uint32_t a, uint32_t b, enum relation b_is, uint8_t families)
{
	const uint32_t ends[] = {a, b};
	const enum relation relations[] = {b_is, relation_back(b_is)};
	for (unsigned side = 0; side < 2; side++) {
		uint32_t usual = relation_preference(relations[side]);
		w->edges[w->edge_count++] = (struct world_edge){.as = ends[side],
			.neighbour = ends[!side],
			.relation = (uint8_t)relations[side],
			.families = families,
			.preference = {usual, usual}};
	}
}

static int load_relation(struct loader *l, unsigned entry)
{
	const struct file_relation *from = &l->file->relations[entry];
	bool transit = from->provider && from->customer;
	uint32_t a, b;
	if (transit == (from->peers_count == 2) || (!transit && (from->provider || from->customer)))
		return loader_mistake(l, "relations", entry, NULL,
			"expected either provider and customer, or peers: [AS, AS]");
	if (from->ixp && transit)
		return loader_mistake(l, "relations", entry, "ixp", "only peers meet at an exchange (ixp)");
	if (from->family != 0 && from->family != 4 && from->family != 6)
		return loader_mistake(l, "relations", entry, "family", "family: expected 4 or 6");
	int first = find_as(l, entry, transit ? from->provider : from->peers[0], &a);
	int second = find_as(l, entry, transit ? from->customer : from->peers[1], &b);
	if (first < 0 || second < 0)
		return fatal(first) ? first : fatal(second) ? second : -EINVAL;
	if (a == b)
		return loader_mistake(
			l, "relations", entry, NULL, "AS%u has a relation to itself", l->world->ases[a].asn);
	l->world->by_family |= from->family != 0;
	add_edges(l->world, a, b, transit ? RELATION_CUSTOMER : RELATION_PEER, families_of(from->family));
	return 0;
}

static int compare_edges(const void *a, const void *b, void *context)
{
	const struct world *w = context;
	const struct world_edge *x = a, *y = b;
	if (x->as != y->as)
		return x->as < y->as ? -1 : 1;
	uint32_t left = w->ases[x->neighbour].asn, right = w->ases[y->neighbour].asn;
	return left != right ? (left < right ? -1 : 1) : (int)x->relation - (int)y->relation;
}

/* An AS may have thousands of peers, but few of the searches are about them. */
static int sort_kin(struct loader *l)
{
	struct world *w = l->world;
	uint32_t at = 0;
	w->kin = calloc((size_t)w->edge_count + 1, sizeof(*w->kin));
	if (!w->kin)
		return loader_no_memory(l);
	for (uint32_t as = 0; as < w->as_count; as++) {
		const struct world_edge *edges = &w->edges[w->ases[as].first_edge];
		for (unsigned relation = RELATION_CUSTOMER; relation <= RELATION_PROVIDER; relation++) {
			w->ases[as].kin[relation] = at;
			for (uint32_t i = 0; i < w->ases[as].edge_count; i++)
				if (edges[i].relation == relation)
					w->kin[at++] = w->ases[as].first_edge + i;
		}
		w->ases[as].kin[RELATION_PROVIDER + 1] = at;
	}
	return 0;
}

static bool is_about(const struct file_relation *relation, uint32_t a, uint32_t b)
{
	bool peers = relation->peers_count == 2;
	uint32_t one = peers ? relation->peers[0] : relation->provider;
	uint32_t other = peers ? relation->peers[1] : relation->customer;
	return (one == a && other == b) || (one == b && other == a);
}

/* The first entry that says something else about these two (by number) than one before it. */
static unsigned contradicting_entry(const struct loader *l, uint32_t a, uint32_t b)
{
	const struct file_relation *relations = l->file->relations, *first = NULL;
	for (unsigned i = 0; i < l->file->relations_count; i++) {
		if (!is_about(&relations[i], a, b))
			continue;
		if (first && first->provider != relations[i].provider)
			return i;
		first = first ? first : &relations[i];
	}
	return 0;
}

static unsigned transit_entry(const struct loader *l, uint32_t provider, uint32_t customer)
{
	for (unsigned i = 0; i < l->file->relations_count; i++)
		if (l->file->relations[i].provider == provider && l->file->relations[i].customer == customer)
			return i;
	return 0;
}

/* Peers that meet at several places are one pair; anything else said twice must be the same. */
static int merge_edges(struct loader *l)
{
	struct world *w = l->world;
	uint32_t kept = 0;
	qsort_r(w->edges, w->edge_count, sizeof(*w->edges), compare_edges, w);
	for (uint32_t i = 0; i < w->edge_count; i++) {
		struct world_edge *last = kept ? &w->edges[kept - 1] : NULL, *now = &w->edges[i];
		if (!last || last->as != now->as || last->neighbour != now->neighbour) {
			w->edges[kept++] = *now;
			continue;
		}
		last->families |= now->families;
		uint32_t a = w->ases[now->as].asn, b = w->ases[now->neighbour].asn;
		if (last->relation != now->relation && now->as < now->neighbour &&
			fatal(loader_mistake(l, "relations", contradicting_entry(l, a, b), NULL,
				"AS%u and AS%u have two relations that contradict each other; expected one",
				a, b)))
			return -ENOMEM;
	}
	w->edge_count = kept;
	for (uint32_t i = 0; i < w->edge_count; i++) {
		struct world_as *as = &w->ases[w->edges[i].as];
		if (as->edge_count++ == 0)
			as->first_edge = i;
	}
	for (uint32_t i = 0; i < w->edge_count; i++)
		w->edges[i].back = world_find_edge(w, w->edges[i].neighbour, w->edges[i].as);
	return sort_kin(l);
}

struct climb {
	struct loader *l;
	uint8_t *state; /* by AS: 0 new, 1 below, 2 done */
	uint32_t *stack, *next;
};

/* Nobody may be his own provider's provider: routes would go round for ever. */
static int climb_from(struct climb *climb, uint32_t as)
{
	const struct world *w = climb->l->world;
	unsigned depth = 0;
	climb->stack[0] = as;
	climb->state[as] = 1;
	for (;;) {
		uint32_t at = climb->stack[depth];
		if (climb->next[at] == w->ases[at].edge_count) {
			climb->state[at] = 2;
			if (depth-- == 0)
				return 0;
			continue;
		}
		const struct world_edge *edge = &w->edges[w->ases[at].first_edge + climb->next[at]++];
		if (edge->relation != RELATION_PROVIDER || climb->state[edge->neighbour] == 2)
			continue;
		if (climb->state[edge->neighbour] == 1) {
			uint32_t provider = w->ases[edge->neighbour].asn, customer = w->ases[at].asn;
			climb->l->circle = true;
			return loader_mistake(climb->l, "relations",
				transit_entry(climb->l, provider, customer), NULL,
				"AS%u is its own provider, by way of AS%u; expected providers without a "
				"circle",
				provider, customer);
		}
		climb->state[edge->neighbour] = 1;
		climb->stack[++depth] = edge->neighbour;
	}
}

static int refuse_circles(struct loader *l)
{
	uint32_t count = l->world->as_count + 1;
	struct climb climb = {
		l, calloc(count, 1), calloc(count, sizeof(uint32_t)), calloc(count, sizeof(uint32_t))};
	int result = climb.state && climb.stack && climb.next ? 0 : loader_no_memory(l);
	for (uint32_t i = 0; i < l->world->as_count && result == 0; i++)
		if (climb.state[i] == 0)
			result = climb_from(&climb, i); /* one circle is told; the others may be part of it */
	free(climb.state);
	free(climb.stack);
	free(climb.next);
	return fatal(result) ? result : 0;
}

int loader_relations(struct loader *l)
{
	struct world *w = l->world;
	int result = 0;
	w->edges = calloc(2 * (size_t)l->file->relations_count + 1, sizeof(*w->edges));
	if (!w->edges)
		return loader_no_memory(l);
	for (unsigned i = 0; i < l->file->relations_count && !fatal(result); i++) {
		result = load_relation(l, i);
		l->relations_missing |= result < 0;
	}
	if (!fatal(result))
		result = merge_edges(l);
	return fatal(result) ? result : refuse_circles(l);
}

static const char *entry_of_link(const struct loader *l, uint32_t link, unsigned *entry)
{
	*entry = link;
	if (link < l->file->links_count)
		return "links";
	link -= l->file->links_count;
	for (unsigned i = 0; i < l->file->hosts_count; i++)
		if (l->file->hosts[i].router && link-- == 0)
			*entry = i;
	return "hosts";
}

/* The edge that interface i leads along, WORLD_NONE inside an AS; -EINVAL when the link cannot be. */
static int border_of(struct loader *l, uint32_t i, uint32_t *edge)
{
	struct world *w = l->world;
	const struct world_node *here = &w->nodes[w->interfaces[i].node],
				*there = &w->nodes[w->interfaces[i ^ 1].node];
	unsigned entry;
	*edge = WORLD_NONE;
	if (here->as == there->as)
		return 0;
	*edge = world_find_edge(w, here->as, there->as);
	if (*edge != WORLD_NONE && !here->is_host && !there->is_host)
		return 0;
	if (i % 2 == 1)
		return -EINVAL; /* told for the other end */
	const char *section = entry_of_link(l, i / 2, &entry);
	if (here->is_host || there->is_host)
		return loader_mistake(l, section, entry, NULL,
			"'%s' is in AS%u, but '%s' in AS%u; expected hosts to be in their routers' ASes",
			here->name, w->ases[here->as].asn, there->name, w->ases[there->as].asn);
	if (l->relations_missing)
		return -EINVAL;
	return loader_mistake(l, section, entry, NULL,
		"link between '%s' (AS%u) and '%s' (AS%u): no relation says what they are to each "
		"other",
		here->name, w->ases[here->as].asn, there->name, w->ases[there->as].asn);
}

static int refuse_unlinked(struct loader *l)
{
	const struct world *w = l->world;
	int result = 0;
	for (unsigned i = 0; i < l->file->relations_count && !fatal(result) && !l->holes; i++) {
		const struct file_relation *from = &l->file->relations[i];
		bool peers = from->peers_count == 2;
		uint32_t a = world_find_asn(w, peers ? from->peers[0] : from->provider);
		uint32_t b = world_find_asn(w, peers ? from->peers[1] : from->customer);
		uint32_t edge = a == WORLD_NONE || b == WORLD_NONE ? WORLD_NONE : world_find_edge(w, a, b);
		if (edge != WORLD_NONE && w->edges[edge].border_count == 0 && !from->ixp)
			result = loader_mistake(l, "relations", i, NULL,
				"AS%u and AS%u have a relation, but no link; expected one between their "
				"routers",
				w->ases[a].asn, w->ases[b].asn);
	}
	return fatal(result) ? result : 0;
}

int loader_borders(struct loader *l)
{
	struct world *w = l->world;
	uint32_t edge, at = 0;
	int result = 0;
	w->borders = calloc(w->interface_count + 1, sizeof(*w->borders));
	if (!w->borders)
		return loader_no_memory(l);
	for (uint32_t i = 0; i < w->interface_count && w->policy && !fatal(result); i++) {
		if (w->interfaces[i].node == WORLD_NONE)
			continue;
		result = border_of(l, i, &edge);
		if (result == 0 && edge != WORLD_NONE)
			w->edges[edge].border_count++;
	}
	if (fatal(result))
		return result;
	for (uint32_t i = 0; i < w->edge_count; i++) {
		w->edges[i].first_border = at;
		at += w->edges[i].border_count;
		w->edges[i].border_count = 0;
	}
	for (uint32_t i = 0; i < w->interface_count && w->policy; i++) {
		if (w->interfaces[i].node == WORLD_NONE)
			continue;
		uint32_t here = w->nodes[w->interfaces[i].node].as,
			 there = w->nodes[w->interfaces[i ^ 1].node].as;
		edge = here == there ? WORLD_NONE : world_find_edge(w, here, there);
		if (edge != WORLD_NONE)
			w->borders[w->edges[edge].first_border + w->edges[edge].border_count++] = i;
	}
	return refuse_unlinked(l);
}
