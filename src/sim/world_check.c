/* What cannot be, though every entry of the file is right: islands. */
#include <errno.h>
#include <stdlib.h>

#include "sim/loader.h"
#include "sim/policy.h"

/* Sets of nodes, each with one that stands for it (Galler and Fischer, 1964). */
static uint32_t stand_in(uint32_t *sets, uint32_t node)
{
	while (sets[node] != node) {
		sets[node] = sets[sets[node]];
		node = sets[node];
	}
	return node;
}

/* Join what links hold together; only inside domains, or everywhere. */
static void join(const struct world *w, uint32_t *sets, bool inside)
{
	for (uint32_t i = 0; i < w->node_count; i++)
		sets[i] = i;
	for (uint32_t i = 0; i < w->interface_count; i += 2) {
		uint32_t a = w->interfaces[i].node, b = w->interfaces[i + 1].node;
		if (inside && w->nodes[a].domain != w->nodes[b].domain)
			continue;
		if (w->nodes[a].is_host && w->nodes[b].is_host)
			continue;
		a = stand_in(sets, a);
		b = stand_in(sets, b);
		sets[MAX(a, b)] = MIN(a, b);
	}
}

static const char *section_of(const struct world *w, uint32_t node, unsigned *entry)
{
	*entry = w->nodes[node].is_host ? node : node - w->host_count;
	return w->nodes[node].is_host ? "hosts" : "routers";
}

/* With policy, packets that enter an AS must get everywhere inside it. */
static int refuse_islands(struct loader *l, uint32_t *sets)
{
	const struct world *w = l->world;
	int result = 0;
	join(w, sets, true);
	for (uint32_t d = 0; d < w->domain_count && !fatal(result); d++) {
		uint32_t first = WORLD_NONE;
		for (uint32_t i = 0; i < w->domains[d].count && !fatal(result); i++) {
			uint32_t node = w->members[w->domains[d].first + i];
			if (first == WORLD_NONE)
				first = node;
			if (stand_in(sets, node) == stand_in(sets, first))
				continue;
			unsigned entry;
			const char *section = section_of(w, node, &entry);
			result = loader_mistake(l, section, entry, w->nodes[node].name,
				"AS%u falls apart: no way inside it from '%s' to '%s'",
				w->ases[w->nodes[node].as].asn, w->nodes[first].name, w->nodes[node].name);
			break;
		}
	}
	return result;
}

/* Can any other host's AS reach the AS of this one? */
static bool has_route(struct policy_work *work, const struct world *w, uint32_t host)
{
	uint32_t as = w->nodes[host].as;
	(void)policy_routes(work, as, NULL);
	for (uint32_t i = 0; i < w->host_count; i++)
		if (i != host && policy_choices(work)[w->nodes[i].as] != POLICY_NONE)
			return true;
	return false;
}

static bool has_company(const struct world *w, uint32_t *sets, uint32_t host)
{
	for (uint32_t i = 0; i < w->host_count; i++)
		if (i != host && stand_in(sets, i) == stand_in(sets, host))
			return true;
	return false;
}

/* A service that no other host can ask is a mistake. */
static int refuse_hermits(struct loader *l, uint32_t *sets)
{
	const struct world *w = l->world;
	int result = 0;
	struct policy_work *work = w->policy ? policy_work_new(w) : NULL;
	if (w->policy && !work)
		return loader_no_memory(l);
	join(w, sets, false);
	for (unsigned i = 0; i < w->service_count && w->host_count > 1 && !fatal(result); i++) {
		uint32_t host = w->services[i].host;
		if (!has_company(w, sets, host))
			result = loader_mistake(l, "services", i, w->nodes[host].name,
				"no other host has a way to '%s'; expected links that lead there",
				w->nodes[host].name);
		else if (work && !has_route(work, w, host))
			result = loader_mistake(l, "services", i, w->nodes[host].name,
				"no other host's AS has a route to AS%u of '%s'; expected relations that "
				"lead there",
				w->ases[w->nodes[host].as].asn, w->nodes[host].name);
	}
	policy_work_free(work);
	return result;
}

int loader_check(struct loader *l)
{
	if (l->holes || l->circle)
		return 0;
	uint32_t *sets = calloc(l->world->node_count + 1, sizeof(*sets));
	if (!sets)
		return loader_no_memory(l);
	int result = l->world->policy ? refuse_islands(l, sets) : 0;
	if (!fatal(result))
		result = refuse_hermits(l, sets);
	free(sets);
	return result;
}
