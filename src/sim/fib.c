#include "sim/fib.h"

#include <stdlib.h>
#include <string.h>

#include "sim/heap.h"
#include "sim/policy.h"

#define DEFAULT_LIMIT (512ULL << 20)
#define ADDRESS_SLOTS 8192 /* a power of two */

/* In `ways`: an interface, NO_WAY, or with SEVERAL set where in `lists` there are a count and interfaces. */
#define NO_WAY	UINT32_MAX
#define SEVERAL 0x80000000U

struct table {
	struct table **slot; /* that points here */
	size_t bytes;
	bool used; /* since the last search for what may go */
	uint32_t *distances, *ways;
	uint32_t *lists;
	uint16_t *choices;
};

struct fib {
	const struct world *world;
	const bool *gone;
	bool *edge_gone;
	struct table **to_node, **to_edge, **classes;
	struct table **all; /* in a ring, for the search */
	size_t count, capacity, hand;
	size_t bytes, limit;
	struct policy_work *work;
	struct heap heap;
	uint32_t *lists; /* while a table is made */
	size_t list_count, list_capacity;
	struct fib_address addresses[ADDRESS_SLOTS];
};

static void edges_gone(struct fib *fib)
{
	const struct world *w = fib->world;
	for (uint32_t i = 0; i < w->edge_count; i++) {
		const struct world_edge *edge = &w->edges[i];
		bool gone = true;
		for (uint32_t k = 0; k < edge->border_count && gone; k++)
			gone = fib->gone[w->borders[edge->first_border + k] / 2];
		fib->edge_gone[i] = gone;
	}
}

struct fib *fib_new(const struct world *world, const bool *gone)
{
	struct fib *fib = calloc(1, sizeof(*fib));
	if (!fib)
		return NULL;
	fib->world = world;
	fib->gone = gone;
	fib->limit = DEFAULT_LIMIT;
	fib->to_node = calloc((size_t)world->node_count + 1, sizeof(*fib->to_node));
	fib->to_edge = calloc((size_t)world->edge_count + 1, sizeof(*fib->to_edge));
	fib->classes = calloc((size_t)world->class_count + 1, sizeof(*fib->classes));
	fib->edge_gone = calloc((size_t)world->edge_count + 1, sizeof(*fib->edge_gone));
	fib->work = policy_work_new(world);
	if (!fib->to_node || !fib->to_edge || !fib->classes || !fib->edge_gone || !fib->work) {
		fib_free(fib);
		return NULL;
	}
	edges_gone(fib);
	return fib;
}

static void drop(struct fib *fib, size_t index)
{
	struct table *table = fib->all[index];
	fib->bytes -= table->bytes;
	*table->slot = NULL;
	free(table->lists);
	free(table);
	fib->all[index] = fib->all[--fib->count];
}

void fib_forget(struct fib *fib)
{
	while (fib->count > 0)
		drop(fib, fib->count - 1);
	edges_gone(fib);
}

void fib_free(struct fib *fib)
{
	if (!fib)
		return;
	while (fib->count > 0)
		drop(fib, fib->count - 1);
	free(fib->all);
	free(fib->to_node);
	free(fib->to_edge);
	free(fib->classes);
	free(fib->edge_gone);
	free(fib->lists);
	heap_free(&fib->heap);
	policy_work_free(fib->work);
	free(fib);
}

/* Second chance: the hand goes round, and takes what was not used since it last came by. */
static void make_room(struct fib *fib)
{
	while (fib->count > 0 && fib->bytes > fib->limit) {
		if (fib->hand >= fib->count)
			fib->hand = 0;
		if (fib->all[fib->hand]->used)
			fib->all[fib->hand++]->used = false;
		else
			drop(fib, fib->hand);
	}
}

void fib_limit(struct fib *fib, size_t bytes)
{
	fib->limit = bytes;
	make_room(fib);
}

/* Room for a table that `slot` will point to. */
static struct table *table_new(struct fib *fib, struct table **slot, size_t extra)
{
	make_room(fib);
	if (fib->count == fib->capacity) {
		size_t capacity = fib->capacity ? 2 * fib->capacity : 64;
		struct table **all = realloc(fib->all, capacity * sizeof(struct table *));
		if (!all)
			return NULL;
		fib->all = all;
		fib->capacity = capacity;
	}
	struct table *table = calloc(1, sizeof(*table) + extra);
	if (!table)
		return NULL;
	table->slot = slot;
	table->bytes = sizeof(*table) + extra;
	table->used = true;
	fib->bytes += table->bytes;
	fib->all[fib->count++] = table;
	*slot = table;
	return table;
}

/* Hosts carry no transit. */
static bool passes(const struct world *w, uint32_t node, uint32_t target)
{
	return node == target || !w->nodes[node].is_host;
}

/* Lower the distance of every neighbour inside the domain that could send by way of `node`. */
static void relax(struct fib *fib, struct table *table, uint32_t node)
{
	const struct world *w = fib->world;
	const struct world_node *n = &w->nodes[node];
	for (unsigned i = 0; i < n->interface_count; i++) {
		uint32_t out = n->interfaces[i] ^ 1;
		const struct world_node *from = &w->nodes[w->interfaces[out].node];
		if (from->domain != n->domain || fib->gone[out / 2])
			continue;
		uint32_t through = table->distances[n->seat] + w->interfaces[out].cost;
		if (through >= table->distances[from->seat])
			continue;
		table->distances[from->seat] = through;
		heap_push(&fib->heap, through, w->interfaces[out].node);
	}
}

static void settle_distances(struct fib *fib, struct table *table, uint32_t target)
{
	const struct world *w = fib->world;
	uint32_t distance, node;
	while (heap_pop(&fib->heap, &distance, &node))
		if (distance == table->distances[w->nodes[node].seat] && passes(w, node, target))
			relax(fib, table, node);
}

static bool list_add(struct fib *fib, uint32_t value)
{
	if (fib->list_count == fib->list_capacity) {
		size_t capacity = fib->list_capacity ? 2 * fib->list_capacity : 256;
		uint32_t *lists = realloc(fib->lists, capacity * sizeof(*lists));
		if (!lists)
			return false;
		fib->lists = lists;
		fib->list_capacity = capacity;
	}
	fib->lists[fib->list_count++] = value;
	return true;
}

/* Is interface `out` of the node a shortest way to the target, or across the edge? */
static bool is_way(const struct fib *fib, const struct table *table, uint32_t node, uint32_t out,
	uint32_t target, uint32_t edge)
{
	const struct world *w = fib->world;
	const struct world_node *n = &w->nodes[node], *peer = &w->nodes[w->interfaces[out ^ 1].node];
	if (fib->gone[out / 2])
		return false;
	if (peer->domain != n->domain)
		return edge != WORLD_NONE && peer->as == w->edges[edge].neighbour &&
			w->interfaces[out].cost == table->distances[n->seat];
	uint32_t rest = table->distances[peer->seat];
	return rest != FIB_FAR && passes(w, w->interfaces[out ^ 1].node, target) &&
		rest + w->interfaces[out].cost == table->distances[n->seat];
}

static bool list_ways(struct fib *fib, struct table *table, uint32_t node, uint32_t target, uint32_t edge)
{
	const struct world_node *n = &fib->world->nodes[node];
	uint32_t *way = &table->ways[n->seat];
	size_t start = 0;
	*way = NO_WAY;
	if (table->distances[n->seat] == FIB_FAR || node == target)
		return true;
	for (unsigned i = 0; i < n->interface_count; i++) {
		uint32_t out = n->interfaces[i];
		if (!is_way(fib, table, node, out, target, edge))
			continue;
		if (*way == NO_WAY) {
			*way = out;
			continue;
		}
		if (!(*way & SEVERAL)) {
			start = fib->list_count;
			if (!list_add(fib, 1) || !list_add(fib, *way))
				return false;
			*way = SEVERAL | (uint32_t)start;
		}
		if (fib->lists[start] < NEXT_HOPS_MAX) {
			fib->lists[start]++;
			if (!list_add(fib, out))
				return false;
		}
	}
	return true;
}

static bool keep_lists(struct fib *fib, struct table *table)
{
	size_t bytes = fib->list_count * sizeof(*fib->lists);
	if (bytes == 0)
		return true;
	table->lists = malloc(bytes);
	if (!table->lists)
		return false;
	memcpy(table->lists, fib->lists, bytes);
	table->bytes += bytes;
	fib->bytes += bytes;
	return true;
}

/* To `target`, or where that is WORLD_NONE across `edge`. */
static struct table *make_table(
	struct fib *fib, struct table **slot, uint32_t domain, uint32_t target, uint32_t edge)
{
	const struct world *w = fib->world;
	const struct world_domain *d = &w->domains[domain];
	struct table *table = table_new(fib, slot, 2 * (size_t)d->count * sizeof(uint32_t));
	if (!table)
		return NULL;
	table->distances = (uint32_t *)(table + 1);
	table->ways = table->distances + d->count;
	memset(table->distances, 0xff, d->count * sizeof(uint32_t));
	fib->list_count = 0;
	if (target != WORLD_NONE) {
		table->distances[w->nodes[target].seat] = 0;
		heap_push(&fib->heap, 0, target);
	}
	for (uint32_t i = 0; target == WORLD_NONE && i < w->edges[edge].border_count; i++) {
		uint32_t out = w->borders[w->edges[edge].first_border + i];
		uint32_t *distance = &table->distances[w->nodes[w->interfaces[out].node].seat];
		if (fib->gone[out / 2] || w->interfaces[out].cost >= *distance)
			continue;
		*distance = w->interfaces[out].cost;
		heap_push(&fib->heap, *distance, w->interfaces[out].node);
	}
	settle_distances(fib, table, target);
	bool good = !fib->heap.failed;
	for (uint32_t i = 0; i < d->count && good; i++)
		good = list_ways(fib, table, w->members[d->first + i], target, edge);
	fib->heap.failed = false;
	if (good && keep_lists(fib, table))
		return table;
	drop(fib, fib->count - 1);
	return NULL;
}

static struct fib_ways ways_of(struct table *table, uint32_t seat)
{
	if (!table)
		return (struct fib_ways){.distance = FIB_FAR};
	table->used = true;
	uint32_t way = table->ways[seat], distance = table->distances[seat];
	if (way == NO_WAY)
		return (struct fib_ways){.distance = distance};
	if (!(way & SEVERAL))
		return (struct fib_ways){&table->ways[seat], 1, distance};
	const uint32_t *list = &table->lists[way & ~SEVERAL];
	return (struct fib_ways){list + 1, *list, distance};
}

struct fib_ways fib_to_node(struct fib *fib, uint32_t node, uint32_t target)
{
	struct table *table = fib->to_node[target];
	if (!table)
		table = make_table(
			fib, &fib->to_node[target], fib->world->nodes[target].domain, target, WORLD_NONE);
	return ways_of(table, fib->world->nodes[node].seat);
}

struct fib_ways fib_to_edge(struct fib *fib, uint32_t node, uint32_t edge)
{
	struct table *table = fib->to_edge[edge];
	if (!table)
		table = make_table(fib, &fib->to_edge[edge], fib->world->edges[edge].as, WORLD_NONE, edge);
	return ways_of(table, fib->world->nodes[node].seat);
}

static struct table *make_choices(struct fib *fib, uint32_t class)
{
	size_t bytes = fib->world->as_count * sizeof(uint16_t);
	struct table *table = table_new(fib, &fib->classes[class], bytes);
	if (!table)
		return NULL;
	(void)policy_routes(fib->work, class, fib->edge_gone);
	table->choices = (uint16_t *)(table + 1);
	memcpy(table->choices, policy_choices(fib->work), bytes);
	return table;
}

uint32_t fib_choice(struct fib *fib, uint32_t as, uint32_t prefix, bool *own)
{
	uint32_t class = fib->world->prefixes[prefix].class;
	struct table *table = fib->classes[class];
	*own = false;
	if (!table)
		table = make_choices(fib, class);
	if (!table)
		return WORLD_NONE;
	table->used = true;
	uint16_t choice = table->choices[as];
	*own = choice == POLICY_OWN;
	return *own || choice == POLICY_NONE ? WORLD_NONE : fib->world->ases[as].first_edge + choice;
}

const struct fib_address *fib_address(struct fib *fib, struct addr addr)
{
	uint64_t mixed = (addr.low ^ addr.high * 0x9e3779b97f4a7c15ULL) * 0xff51afd7ed558ccdULL;
	struct fib_address *at = &fib->addresses[mixed >> 51 & (ADDRESS_SLOTS - 1)];
	if (at->known && addr_equal(at->addr, addr))
		return at;
	const struct world *w = fib->world;
	*at = (struct fib_address){.addr = addr,
		.known = true,
		.owner = world_find_address(w, addr),
		.prefix = world_find_prefix(w, addr)};
	const struct world_address *end = w->addresses + w->address_count;
	for (const struct world_address *o = at->owner; o && o < end && addr_equal(o->addr, addr); o++)
		at->owners++;
	return at;
}
