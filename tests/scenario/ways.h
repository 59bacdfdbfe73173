/* Worlds in which ways part, and what was found of their links beside what is true. */
#ifndef RETOUR_TESTS_SCENARIO_WAYS_H
#define RETOUR_TESTS_SCENARIO_WAYS_H

#include "scene.h"

#include "path/model.h"
#include "sim/truth.h"

struct links {
	unsigned there, found, invented;
};

/* Does the router that this hop of the truth is answer from that address? Not always from the one that the truth names:
 * it may choose by the way that the answer takes. */
static inline bool is_at(const struct world *world, const struct truth_hop *hop, struct addr addr)
{
	const struct world_address *entry = world_find_address(world, addr);
	return addr_equal(hop->address, addr) || (entry && entry->node == hop->node);
}

/* Is this a link of one of the ways? What a tunnel hides in between has no hop limit: its ends are neighbours. */
static inline bool is_true(const struct world *world, const struct truth *truths, unsigned count, const struct edge *edge)
{
	for (unsigned i = 0; i < count; i++) {
		bool from = false, to = false;
		for (unsigned j = 0; j < truths[i].hop_count; j++) {
			const struct truth_hop *hop = &truths[i].hops[j];
			from |= hop->ttl == edge->ttl - 1 && is_at(world, hop, edge->from);
			to |= hop->ttl == edge->ttl && is_at(world, hop, edge->to);
		}
		if (from && to)
			return true;
	}
	return false;
}

static inline bool is_found(const struct path *path, const struct truth_hop *from, const struct truth_hop *to)
{
	for (size_t i = 0; i < path->edge_count; i++)
		if (path->edges[i].ttl == to->ttl && addr_equal(path->edges[i].from, from->address) &&
			addr_equal(path->edges[i].to, to->address))
			return true;
	return false;
}

static inline bool shows(const struct truth_hop *hop)
{
	return hop->ttl > 0 && hop->hidden == HIDDEN_NOT && addr_is_set(hop->address);
}

/* Links of the truth, each once, that both ends show. */
static inline struct links compare_links(
	const struct world *world, const struct path *path, const struct truth *truths, unsigned count)
{
	struct links links = {0};
	for (size_t i = 0; i < path->edge_count; i++)
		links.invented += !is_true(world, truths, count, &path->edges[i]);
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j + 1 < truths[i].hop_count; j++) {
			const struct truth_hop *from = &truths[i].hops[j], *to = &truths[i].hops[j + 1];
			struct edge edge = {.ttl = to->ttl, .from = from->address, .to = to->address};
			if (!shows(from) || !shows(to) || to->ttl != from->ttl + 1 ||
				is_true(world, truths, i, &edge))
				continue;
			links.there++;
			links.found += is_found(path, from, to);
		}
	return links;
}

/* ---- worlds of one shape */

struct text {
	char bytes[40000];
	size_t used;
};

static inline void PRINTF_LIKE(2, 3) add(struct text *text, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	text->used += (size_t)vsnprintf(text->bytes + text->used, sizeof(text->bytes) - text->used, format, arguments);
	va_end(arguments);
	assert_true(text->used < sizeof(text->bytes));
}

/* a - in - split =width=( chain of `length` )= join - out - b; `split_habits` and `inner` are behaviour. One branch is
 * `longer` hops longer. */
static inline struct world *diamond(unsigned width, unsigned length, unsigned longer, const char *split_habits,
	const char *inner)
{
	static struct text routers, links;
	char name[40], before[40];
	routers.used = links.used = 0;
	add(&routers, "  - {name: in, as: 64496}\n  - {name: out, as: 64496}\n  - {name: join, as: 64496}\n"
		      "  - {name: split, as: 64496, behaviour: {%s}}\n", split_habits);
	add(&links, "  - {from: a, to: in}\n  - {from: in, to: split}\n  - {from: join, to: out}\n"
		    "  - {from: out, to: b}\n");
	for (unsigned branch = 0; branch < width; branch++) {
		unsigned hops = length + (branch == width - 1 ? longer : 0);
		/* All ways cost the same. */
		unsigned cost = 1200 / (hops + 1);
		snprintf(before, sizeof(before), "split");
		for (unsigned hop = 0; hop < hops; hop++) {
			snprintf(name, sizeof(name), "r%u-%u", branch, hop);
			add(&routers, "  - {name: %s, as: 64496, behaviour: {%s}}\n", name, inner);
			add(&links, "  - {from: %s, to: %s, cost: %u}\n", before, name, cost);
			snprintf(before, sizeof(before), "%s", name);
		}
		add(&links, "  - {from: %s, to: join, cost: %u}\n", before, 1200 - cost * hops);
	}
	static struct text all;
	all.used = 0;
	add(&all, WORLD_HEAD "routers:\n%slinks:\n%s", routers.bytes, links.bytes);
	return scene_world(all.bytes);
}

#endif
