/* Addresses that a file leaves out, numbered as operators do.
 *
 * A link takes the next /31 (or the usable half of the next /30) of its AS's IPv4 space, from the second on,
 * and of the next IPv6 /64 the addresses ::a and ::b, a /127 (RFC 6164). Between provider and customer that
 * is the provider's space; between others that of the `from` end. Loopbacks come from the top of the IPv4
 * space, downwards, and from the first /64 of the IPv6 space. What another AS announces as its own part of a
 * prefix is left alone. */
#include <errno.h>
#include <stdlib.h>

#include "sim/loader.h"

#define PRIVATE_LINKS4 0x0a000000	     /* 10.0.0.0/8 */
#define PRIVATE_LINKS6 0xfd00000000000000ULL /* fd00::/8 */
#define PRIVATE_MAX    (1ULL << 23)	     /* /31s in 10.0.0.0/8 */
#define LINK_HOST6     10		     /* ::a, and ::b */

static int compare_addrs(const void *a, const void *b)
{
	return addr_compare(*(const struct addr *)a, *(const struct addr *)b);
}

static void note_given(struct loader *l, const char *text)
{
	l->given_count += text && addr_parse(text, &l->given[l->given_count]);
}

int number_prepare(struct loader *l)
{
	const struct world_file *f = l->file;
	l->given = calloc(2 * ((size_t)f->hosts_count + f->routers_count) + 4 * (size_t)f->links_count + 1,
		sizeof(*l->given));
	if (!l->given)
		return loader_no_memory(l);
	for (unsigned i = 0; i < f->hosts_count; i++) {
		note_given(l, f->hosts[i].address);
		note_given(l, f->hosts[i].address6);
	}
	for (unsigned i = 0; i < f->routers_count; i++) {
		note_given(l, f->routers[i].loopback);
		note_given(l, f->routers[i].loopback6);
	}
	for (unsigned i = 0; i < f->links_count; i++) {
		note_given(l, f->links[i].from_address);
		note_given(l, f->links[i].to_address);
		note_given(l, f->links[i].from_address6);
		note_given(l, f->links[i].to_address6);
	}
	qsort(l->given, l->given_count, sizeof(*l->given), compare_addrs);
	return 0;
}

/* Does the file give one of the `size` addresses from `first` on? */
static bool is_given(const struct loader *l, struct addr first, uint64_t size)
{
	size_t low = 0, high = l->given_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (addr_compare(l->given[middle], first) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < l->given_count && addr_compare(l->given[low], addr_add(first, size)) < 0;
}

static struct pool *pool_of(struct loader *l, uint32_t as, bool for_host)
{
	bool separate = l->file->ases_count > 0 && l->file->ases[as].infrastructure_count > 0;
	return for_host && separate ? &l->hosts[as] : &l->links[as];
}

/* The address or /64 number `at` of a pool, and in *left how many follow it in the same prefix. */
static struct addr pool_at(
	const struct pool *pool, unsigned f, uint64_t at, uint64_t *left, struct prefix *prefix)
{
	for (unsigned i = 0; i < pool->counts[f]; i++) {
		unsigned bits = (f ? 64 : 32) - pool->prefixes[f][i].length;
		uint64_t size = 1ULL << MIN(bits, 48);
		struct addr first = pool->prefixes[f][i].addr;
		*prefix = pool->prefixes[f][i];
		*left = size - at;
		if (at < size)
			return f ? addr_v6(first.high + at, 0) : addr_add(first, at);
		at -= size;
	}
	*left = 0;
	return ADDR_NONE;
}

/* How many addresses or /64s from `addr` on are another AS's; 0: free to take. */
static uint64_t foreign(const struct loader *l, uint32_t as, struct addr addr, struct prefix from)
{
	const struct world *w = l->world;
	uint32_t found = world_find_prefix(w, addr);
	if (found == WORLD_NONE || w->prefixes[found].as == as ||
		w->prefixes[found].prefix.length <= from.length)
		return 0;
	struct prefix other = w->prefixes[found].prefix;
	if (addr.family == 4)
		return (1ULL << (32 - other.length)) - (addr.low - other.addr.low);
	return (1ULL << (64 - MIN(other.length, 64))) - (addr.high - other.addr.high);
}

/* The next `size` addresses (or one /64) from the bottom. */
static struct addr take(struct loader *l, uint32_t as, struct pool *pool, unsigned f, uint64_t size)
{
	for (;;) {
		uint64_t at = (pool->bottom[f] + size - 1) / size * size, left, skip;
		struct prefix prefix;
		struct addr addr = pool_at(pool, f, at, &left, &prefix);
		if (left == 0 || (f == 0 && at + size > pool->top[f] + 1))
			return ADDR_NONE;
		skip = foreign(l, as, addr, prefix);
		pool->bottom[f] = at + (skip ? skip : size);
		if (!skip && !is_given(l, f ? addr_add(addr, LINK_HOST6) : addr, f ? 2 : size))
			return addr;
	}
}

static int none_left(struct loader *l, const char *section, unsigned entry, uint32_t as, unsigned f)
{
	if (l->mistake_count > 0 && l->links[as].counts[f] == 0)
		return -EINVAL; /* its prefixes are wrong, and that was told */
	return loader_mistake(l, section, entry, NULL,
		"no IPv%d addresses left in AS%u; give it a shorter prefix", f ? 6 : 4,
		l->world->ases[as].asn);
}

void number_loopbacks(struct loader *l, unsigned entry, uint32_t node)
{
	struct world_node *n = &l->world->nodes[node];
	struct pool *pool = pool_of(l, n->as, false);
	uint64_t left;
	struct prefix prefix;
	while (pool->top[0] > pool->bottom[0]) {
		n->loopback[0] = pool_at(pool, 0, pool->top[0]--, &left, &prefix);
		if (!foreign(l, n->as, n->loopback[0], prefix) && !is_given(l, n->loopback[0], 1))
			break;
		n->loopback[0] = ADDR_NONE;
	}
	if (!addr_is_set(n->loopback[0]))
		(void)none_left(l, "routers", entry, n->as, 0);
	if (pool->counts[1] == 0)
		return; /* told already */
	do
		n->loopback[1] = addr_v6(pool->prefixes[1][0].addr.high, pool->top[1]++);
	while (is_given(l, n->loopback[1], 1));
}

/* Whose space a link is numbered from. */
static uint32_t numbering_as(const struct world *w, const struct world_interface *ends)
{
	uint32_t from = w->nodes[ends[0].node].as, to = w->nodes[ends[1].node].as;
	uint32_t edge = from == to || !w->policy ? WORLD_NONE : world_find_edge(w, from, to);
	return edge != WORLD_NONE && w->edges[edge].relation == RELATION_PROVIDER ? to : from;
}

static bool is_private(const struct loader *l, const struct world_interface *ends)
{
	const struct world_node *a = &l->world->nodes[ends[0].node], *b = &l->world->nodes[ends[1].node];
	return a->as == b->as && !a->is_host && !b->is_host && l->file->ases_count > 0 &&
		l->file->ases[a->as].private_links && l->private_links < PRIVATE_MAX;
}

int number_link(struct loader *l, const char *section, unsigned entry, uint32_t link)
{
	struct world *w = l->world;
	struct world_interface *ends = &w->interfaces[2 * link];
	bool to_host = w->nodes[ends[0].node].is_host || w->nodes[ends[1].node].is_host;
	uint32_t as = numbering_as(w, ends);
	struct pool *pool = pool_of(l, as, to_host);
	unsigned short_link = l->file->ases_count > 0 && l->file->ases[as].link_length &&
		*l->file->ases[as].link_length == 30;
	struct addr first[2];
	if (is_private(l, ends)) {
		first[0] = addr_v4(PRIVATE_LINKS4 + 2 * (uint32_t)l->private_links);
		first[1] = addr_v6(PRIVATE_LINKS6 + l->private_links++, LINK_HOST6);
	} else {
		first[0] = take(l, as, pool, 0, short_link ? 4 : 2);
		first[1] = take(l, as, pool, 1, 1);
		for (unsigned f = 0; f < 2; f++)
			if (!addr_is_set(first[f]))
				return none_left(l, section, entry, as, f);
		first[0] = addr_add(first[0], short_link); /* not the network's own */
		first[1] = addr_add(first[1], LINK_HOST6);
	}
	for (unsigned side = 0; side < 2; side++)
		for (unsigned f = 0; f < 2; f++)
			ends[side].address[f] = addr_add(first[f], side);
	return 0;
}

int number_given(struct loader *l, const char *section, unsigned entry, const char *text, uint8_t family,
	struct addr *address)
{
	struct addr given;
	if (!text)
		return 0;
	if (!addr_parse(text, &given) || given.family != family || !addr_is_unicast(given))
		return loader_mistake(l, section, entry, text, "'%s' is not an IPv%d address", text, family);
	*address = given;
	return 0;
}
