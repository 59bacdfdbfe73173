/* ASes and what they announce.
 *
 * Announced are the prefixes of the ASes; the part of one that a policy names, when nothing shorter would be
 * touched; and for addresses that several hosts share (anycast) the /24 or /48 around them, from each of
 * their ASes, or the announced prefix when that is longer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/loader.h"

#define LONGEST_PREFIX4 28
#define LONGEST_PREFIX6 64
#define LONGEST_FIRST6	48
#define ANYCAST_LENGTH4 24
#define ANYCAST_LENGTH6 48

static int read_prefix(struct loader *l, unsigned entry, const char *text, uint8_t family, unsigned longest6,
	struct prefix *prefix)
{
	bool good = prefix_parse(text, prefix) && (family == 0 || prefix->addr.family == family) &&
		prefix->length <= (prefix->addr.family == 4 ? LONGEST_PREFIX4 : longest6);
	if (good)
		return 0;
	if (family == 4)
		return loader_mistake(l, "ases", entry, text,
			"'%s' is not an IPv4 prefix of at most %d bits, like 198.51.100.0/24", text,
			LONGEST_PREFIX4);
	if (family == 6)
		return loader_mistake(l, "ases", entry, text,
			"'%s' is not an IPv6 prefix of at most %u bits, like 2001:db8:100::/48", text,
			longest6);
	return loader_mistake(l, "ases", entry, text,
		"'%s' is not a prefix of at most %d bits (IPv4) or %u bits (IPv6)", text, LONGEST_PREFIX4,
		longest6);
}

/* Unless it lies in one that is there. */
static int pool_add(struct loader *l, struct pool *pool, struct prefix prefix)
{
	unsigned f = family_index(prefix.addr.family);
	for (unsigned i = 0; i < pool->counts[f]; i++)
		if (prefix_contains(pool->prefixes[f][i], prefix.addr) &&
			pool->prefixes[f][i].length <= prefix.length)
			return 0;
	struct prefix *list = realloc(pool->prefixes[f], (pool->counts[f] + 1) * sizeof(*list));
	if (!list)
		return loader_no_memory(l);
	pool->prefixes[f] = list;
	list[pool->counts[f]++] = prefix;
	unsigned bits = (f ? 64 : 32) - prefix.length;
	pool->sizes[f] += 1ULL << MIN(bits, 48);
	pool->bottom[f] = f ? 1 : 2; /* as if there were a network's own address */
	pool->top[f] = f ? 1 : pool->sizes[f] - 2;
	return 0;
}

static int announce(struct loader *l, uint32_t as, struct prefix prefix, bool shared)
{
	struct world *w = l->world;
	if ((w->prefix_count & (w->prefix_count - 1)) == 0) {
		size_t capacity = w->prefix_count ? 2 * (size_t)w->prefix_count : 1;
		struct world_prefix *list = realloc(w->prefixes, capacity * sizeof(*list));
		if (!list)
			return loader_no_memory(l);
		w->prefixes = list;
	}
	w->prefixes[w->prefix_count++] =
		(struct world_prefix){.prefix = prefix, .as = as, .origin_count = shared};
	return 0;
}

static int add_prefix(struct loader *l, unsigned entry, const char *text, uint8_t family, unsigned longest6)
{
	struct world_as *as = &l->world->ases[entry];
	bool infrastructure = l->file->ases[entry].infrastructure_count > 0;
	struct prefix prefix;
	int result = read_prefix(l, entry, text, family, longest6, &prefix);
	if (result < 0)
		return result;
	unsigned f = family_index(prefix.addr.family);
	if (!addr_is_set(as->prefixes[f].addr))
		as->prefixes[f] = prefix;
	result = pool_add(l, infrastructure ? &l->hosts[entry] : &l->links[entry], prefix);
	return result < 0 ? result : announce(l, entry, prefix, false);
}

static int as_prefixes(struct loader *l, unsigned entry)
{
	const struct file_as *from = &l->file->ases[entry];
	const struct world_as *as = &l->world->ases[entry];
	int result = 0;
	unsigned before = l->mistake_count + l->more_mistakes;
	if (from->prefix)
		result = add_prefix(l, entry, from->prefix, 4, LONGEST_FIRST6);
	if (!fatal(result) && from->prefix6)
		result = add_prefix(l, entry, from->prefix6, 6, LONGEST_FIRST6);
	for (unsigned i = 0; i < from->prefixes_count && !fatal(result); i++)
		result = add_prefix(l, entry, from->prefixes[i], 0, LONGEST_PREFIX6);
	for (unsigned i = 0; i < from->infrastructure_count && !fatal(result); i++) {
		struct prefix prefix;
		result = read_prefix(l, entry, from->infrastructure[i], 0, LONGEST_PREFIX6, &prefix);
		if (result == 0)
			result = pool_add(l, &l->links[entry], prefix);
	}
	if (fatal(result) || before != l->mistake_count + l->more_mistakes)
		return result;
	for (unsigned f = 0; f < 2; f++)
		if (!addr_is_set(as->prefixes[f].addr) || l->links[entry].counts[f] == 0)
			return loader_mistake(l, "ases", entry, NULL,
				"AS%u has no IPv%d %s; expected prefixes%s of both families", as->asn,
				f ? 6 : 4, addr_is_set(as->prefixes[f].addr) ? "infrastructure" : "prefix",
				from->infrastructure_count ? " and infrastructure" : "");
	return 0;
}

int loader_ases(struct loader *l)
{
	struct world *w = l->world;
	int result = 0;
	for (unsigned i = 0; i < l->file->ases_count && !fatal(result); i++) {
		const struct file_as *from = &l->file->ases[i];
		w->ases[w->as_count++] = (struct world_as){.asn = from->asn,
			.name = from->name,
			.country = from->country,
			.gateway = WORLD_NONE};
		if (strlen(from->country) != 2)
			result = loader_mistake(l, "ases", i, from->country,
				"country '%s': expected two letters", from->country);
		if (from->link_length && *from->link_length != 30 && *from->link_length != 31)
			result =
				loader_mistake(l, "ases", i, "link_length", "link_length: expected 30 or 31");
		if (!fatal(result))
			result = as_prefixes(l, i);
	}
	return fatal(result) ? result : index_asns(l);
}

static int compare_prefixes(const void *a, const void *b)
{
	const struct world_prefix *left = a, *right = b;
	int order = addr_compare(left->prefix.addr, right->prefix.addr);
	if (order != 0)
		return order;
	if (left->prefix.length != right->prefix.length)
		return left->prefix.length < right->prefix.length ? -1 : 1;
	return left->as < right->as ? -1 : left->as > right->as;
}

static bool same_prefix(struct prefix a, struct prefix b)
{
	return a.length == b.length && addr_equal(a.addr, b.addr);
}

/* Sort, and let each know the one around it. */
static void arrange(struct world *w)
{
	if (w->prefix_count == 0)
		return;
	qsort(w->prefixes, w->prefix_count, sizeof(*w->prefixes), compare_prefixes);
	for (uint32_t i = 0; i < w->prefix_count; i++) {
		uint32_t around = i == 0 ? WORLD_NONE : i - 1;
		while (around != WORLD_NONE &&
			!prefix_contains(w->prefixes[around].prefix, w->prefixes[i].prefix.addr))
			around = w->prefixes[around].parent;
		w->prefixes[i].parent = around;
	}
}

/* A part of a prefix that a policy names is announced on its own. */
static int announce_parts(struct loader *l)
{
	struct world *w = l->world;
	uint32_t count = w->prefix_count;
	for (unsigned i = 0; i < l->file->policies_count; i++) {
		struct prefix prefix;
		if (!l->file->policies[i].prefix || !prefix_parse(l->file->policies[i].prefix, &prefix))
			continue; /* told where policies are read */
		uint32_t around = WORLD_NONE;
		bool inside = false;
		for (uint32_t k = 0; k < count && !inside; k++) {
			struct prefix announced = w->prefixes[k].prefix;
			inside = announced.length >= prefix.length && prefix_contains(prefix, announced.addr);
			if (prefix_contains(announced, prefix.addr) &&
				(around == WORLD_NONE ||
					announced.length > w->prefixes[around].prefix.length))
				around = k;
		}
		int result = inside || around == WORLD_NONE
			? 0
			: announce(l, w->prefixes[around].as, prefix, true);
		if (result < 0)
			return result;
	}
	return 0;
}

struct given {
	struct addr addr;
	uint32_t as;
};

static int compare_given(const void *a, const void *b)
{
	const struct given *left = a, *right = b;
	int order = addr_compare(left->addr, right->addr);
	return order ? order : left->as < right->as ? -1 : left->as > right->as;
}

static struct prefix anycast_prefix(const struct world *w, struct addr addr)
{
	struct prefix prefix = prefix_of(addr, addr.family == 4 ? ANYCAST_LENGTH4 : ANYCAST_LENGTH6);
	uint32_t around = world_find_prefix(w, addr);
	if (around != WORLD_NONE && w->prefixes[around].prefix.length > prefix.length)
		prefix = w->prefixes[around].prefix;
	return prefix;
}

static int announce_anycast(struct loader *l)
{
	struct world *w = l->world;
	size_t count = 0;
	int result = 0;
	struct given *all = calloc(2 * (size_t)w->host_count + 1, sizeof(*all));
	if (!all)
		return loader_no_memory(l);
	for (uint32_t i = 0; i < w->host_count; i++) {
		const struct file_node *from = &l->file->hosts[i];
		all[count].as = all[count + 1].as = w->nodes[i].as;
		count += from->address && addr_parse(from->address, &all[count].addr);
		all[count].as = w->nodes[i].as;
		count += from->address6 && addr_parse(from->address6, &all[count].addr);
	}
	qsort(all, count, sizeof(*all), compare_given);
	uint32_t own = w->prefix_count; /* what comes after it is not sorted */
	for (size_t i = 0; i < count && result == 0; i++) {
		bool first = i > 0 && addr_equal(all[i].addr, all[i - 1].addr);
		bool next = i + 1 < count && addr_equal(all[i].addr, all[i + 1].addr);
		if (!first && !next)
			continue;
		uint32_t now = w->prefix_count;
		w->prefix_count = own;
		struct prefix prefix = anycast_prefix(w, all[i].addr);
		w->prefix_count = now;
		result = announce(l, all[i].as, prefix, true);
	}
	free(all);
	return result;
}

/* Entries of the same prefix become one with several origins. */
static int merge(struct loader *l)
{
	struct world *w = l->world;
	uint32_t kept = 0;
	w->origins = calloc(w->prefix_count + 1, sizeof(*w->origins));
	if (!w->origins)
		return loader_no_memory(l);
	for (uint32_t i = 0; i < w->prefix_count; i++) {
		struct world_prefix *last = kept ? &w->prefixes[kept - 1] : NULL, *now = &w->prefixes[i];
		char text[PREFIX_TEXT_SIZE];
		bool shared = now->origin_count;
		if (!last || !same_prefix(last->prefix, now->prefix)) {
			w->prefixes[kept] = *now;
			last = &w->prefixes[kept++];
			last->first_origin = w->origin_count;
			last->origin_count = 0;
		} else if (w->origins[w->origin_count - 1] == now->as) {
			continue;
		} else if (!shared && last->class != 1 &&
			fatal(loader_mistake(l, "ases", now->as, NULL,
				"AS%u and AS%u both have %s; for anycast, hosts of both share an address",
				w->ases[last->as].asn, w->ases[now->as].asn,
				prefix_format(now->prefix, text)))) {
			return -ENOMEM;
		}
		last->class |= shared; /* for now: may have several origins */
		w->origins[w->origin_count++] = now->as;
		last->origin_count++;
	}
	w->prefix_count = kept;
	arrange(w);
	return 0;
}

/* Without policy there is one owner for each address. */
static int refuse_overlaps(struct loader *l)
{
	const struct world *w = l->world;
	for (uint32_t i = 0; i < w->prefix_count && l->file->relations_count == 0; i++) {
		const struct world_prefix *prefix = &w->prefixes[i];
		const struct world_prefix *around =
			prefix->parent == WORLD_NONE ? NULL : &w->prefixes[prefix->parent];
		if (around && around->as != prefix->as && !prefix->class &&
			fatal(loader_mistake(l, "ases", MAX(prefix->as, around->as), NULL,
				"AS%u and AS%u have overlapping prefixes", w->ases[prefix->as].asn,
				w->ases[around->as].asn)))
			return -ENOMEM;
	}
	return 0;
}

int loader_prefixes(struct loader *l)
{
	int result = announce_parts(l);
	if (result == 0) {
		arrange(l->world);
		result = announce_anycast(l);
	}
	if (result == 0) {
		arrange(l->world);
		result = merge(l);
	}
	return result == 0 ? refuse_overlaps(l) : result;
}
