/* Policies that differ from the usual ones, and which prefixes they set apart. */
#include <errno.h>
#include <stdlib.h>

#include "sim/loader.h"
#include "sim/policy.h"

#define PREFERENCE_MAX 100000
#define PREPEND_MAX    50

static int check_policy(struct loader *l, unsigned entry, uint32_t *edge)
{
	const struct file_policy *from = &l->file->policies[entry];
	uint32_t as = world_find_asn(l->world, from->as),
		 neighbour = world_find_asn(l->world, from->neighbour);
	if (as == WORLD_NONE || neighbour == WORLD_NONE)
		return loader_mistake(l, "policies", entry, NULL, "AS%u is not in 'ases'",
			as == WORLD_NONE ? from->as : from->neighbour);
	*edge = world_find_edge(l->world, as, neighbour);
	if (*edge == WORLD_NONE)
		return loader_mistake(l, "policies", entry, NULL,
			"AS%u and AS%u are no neighbours; expected a relation between them", from->as,
			from->neighbour);
	if (!from->local_preference && !from->prepend && !from->exported)
		return loader_mistake(
			l, "policies", entry, NULL, "expected local_preference, prepend or export");
	if ((from->local_preference && *from->local_preference > PREFERENCE_MAX) ||
		(from->prepend && *from->prepend > PREPEND_MAX))
		return loader_mistake(l, "policies", entry, NULL,
			"expected a local_preference of at most %d and a prepend of at most %d",
			PREFERENCE_MAX, PREPEND_MAX);
	if (from->family != 0 && from->family != 4 && from->family != 6)
		return loader_mistake(l, "policies", entry, "family", "family: expected 4 or 6");
	return 0;
}

static int add_filter(struct loader *l, unsigned entry, uint32_t edge)
{
	const struct file_policy *from = &l->file->policies[entry];
	struct world_filter *filter = &l->world->filters[l->world->filter_count];
	*filter = (struct world_filter){
		.edge = edge,
		.preference = from->local_preference ? (int64_t)*from->local_preference : -1,
		.prepend = from->prepend ? (int64_t)*from->prepend : -1,
		.silent = from->exported && !*from->exported,
	};
	if (!prefix_parse(from->prefix, &filter->prefix))
		return loader_mistake(l, "policies", entry, from->prefix,
			"'%s' is not a prefix, like 198.51.100.0/24", from->prefix);
	if (from->family != 0 && from->family != filter->prefix.addr.family)
		return loader_mistake(l, "policies", entry, "family",
			"family %u and the prefix '%s' contradict each other; expected one of them",
			from->family, from->prefix);
	for (uint32_t i = 0; i < l->world->prefix_count; i++)
		if (l->world->prefixes[i].prefix.length >= filter->prefix.length &&
			prefix_contains(filter->prefix, l->world->prefixes[i].prefix.addr)) {
			l->world->filter_count++;
			return 0;
		}
	return loader_mistake(
		l, "policies", entry, from->prefix, "'%s': no AS announces it or a part of it", from->prefix);
}

static int load_policy(struct loader *l, unsigned entry)
{
	const struct file_policy *from = &l->file->policies[entry];
	struct world *w = l->world;
	uint32_t index = 0;
	int result = check_policy(l, entry, &index);
	if (result < 0)
		return result;
	w->preferences |= from->local_preference != NULL;
	if (from->prefix)
		return add_filter(l, entry, index);
	w->by_family |= from->family != 0;
	struct world_edge *edge = &w->edges[index];
	for (unsigned f = 0; f < 2; f++) {
		if (from->family && f != family_index((uint8_t)from->family))
			continue;
		if (from->local_preference)
			edge->preference[f] = *from->local_preference;
		if (from->prepend)
			edge->prepend[f] = *from->prepend;
		if (from->exported && !*from->exported)
			edge->silent |= FAMILY_BIT(f ? 6 : 4);
	}
	return 0;
}

static bool set_apart(const struct world *w, const struct world_prefix *prefix)
{
	if (prefix->origin_count > 1)
		return true;
	for (uint32_t i = 0; i < w->filter_count; i++)
		if (w->filters[i].prefix.length <= prefix->prefix.length &&
			prefix_contains(w->filters[i].prefix, prefix->prefix.addr))
			return true;
	return false;
}

static int classify(struct loader *l)
{
	struct world *w = l->world;
	uint32_t ordinary = 2 * w->as_count;
	w->class_prefixes = calloc(w->prefix_count + 1, sizeof(*w->class_prefixes));
	if (!w->class_prefixes)
		return loader_no_memory(l);
	w->class_count = ordinary;
	for (uint32_t i = 0; i < w->prefix_count; i++) {
		struct world_prefix *prefix = &w->prefixes[i];
		bool second = w->by_family && prefix->prefix.addr.family == 6;
		prefix->class = prefix->as + (second ? w->as_count : 0);
		if (!set_apart(w, prefix))
			continue;
		w->class_prefixes[w->class_count - ordinary] = i;
		prefix->class = w->class_count++;
	}
	return 0;
}

/* The first that gives this AS preferences. */
static unsigned guilty_policy(const struct loader *l, uint32_t asn)
{
	for (unsigned i = 0; i < l->file->policies_count; i++)
		if (l->file->policies[i].as == asn && l->file->policies[i].local_preference)
			return i;
	return 0;
}

/* Preferences may contradict each other so that no choice lasts (a "bad gadget"). */
static int try_out(struct loader *l)
{
	const struct world *w = l->world;
	bool whole = !l->holes && !l->relations_missing && !l->circle;
	int result = 0;
	struct policy_work *work = w->preferences && whole ? policy_work_new(w) : NULL;
	for (uint32_t class = 0; work && class < w->class_count && result == 0; class ++) {
		bool ordinary = class < 2 * w->as_count;
		if ((class >= w->as_count && ordinary && !w->by_family) ||
			!policy_may_contradict(work, class) || policy_routes(work, class, NULL))
			continue;
		uint32_t as = ordinary ? class % w->as_count
				       : w->prefixes[w->class_prefixes[class - 2 * w->as_count]].as;
		uint32_t asn = w->ases[policy_restless(work)].asn;
		result = loader_mistake(l, "policies", guilty_policy(l, asn), NULL,
			"the preferences for what AS%u announces contradict each other: no choice of routes "
			"lasts for AS%u; expected that each AS can have its best route at the same time",
			w->ases[as].asn, asn);
	}
	policy_work_free(work);
	return fatal(result) ? result : 0;
}

int loader_overrides(struct loader *l)
{
	int result = 0;
	l->world->filters = calloc(l->file->policies_count + 1, sizeof(*l->world->filters));
	if (!l->world->filters)
		return loader_no_memory(l);
	if (!l->world->policy && l->file->policies_count > 0)
		return loader_mistake(
			l, "policies", 0, NULL, "policies need relations between ASes, and there are none");
	for (unsigned i = 0; i < l->file->policies_count && !fatal(result); i++)
		result = load_policy(l, i);
	if (!fatal(result))
		result = classify(l);
	return fatal(result) ? result : try_out(l);
}
