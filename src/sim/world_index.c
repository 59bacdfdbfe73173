/* Finding things in a world: by name, number, address, prefix. */
#include "sim/loader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static uint32_t name_slot(const struct world *world, const char *name)
{
	/* a fixed key: names come from one file, and the same world must load the same everywhere */
	struct hash_key key = {0x6e616d6573, 1};
	return (uint32_t)hash_bytes(key, name, strlen(name)) & (world->name_slots - 1);
}

int index_names(struct loader *l)
{
	struct world *w = l->world;
	unsigned nodes = l->file->hosts_count + l->file->routers_count;
	w->name_slots = 16;
	while (w->name_slots < 2 * nodes)
		w->name_slots *= 2;
	w->names = malloc(w->name_slots * sizeof(*w->names));
	if (!w->names)
		return loader_no_memory(l);
	memset(w->names, 0xff, w->name_slots * sizeof(*w->names));
	return 0;
}

bool index_add_name(struct world *world, uint32_t node)
{
	uint32_t slot = name_slot(world, world->nodes[node].name);
	for (; world->names[slot] != WORLD_NONE; slot = (slot + 1) & (world->name_slots - 1))
		if (strcmp(world->nodes[world->names[slot]].name, world->nodes[node].name) == 0)
			return false;
	world->names[slot] = node;
	return true;
}

uint32_t world_find_node(const struct world *world, const char *name)
{
	uint32_t slot = name_slot(world, name);
	for (; world->names[slot] != WORLD_NONE; slot = (slot + 1) & (world->name_slots - 1))
		if (strcmp(world->nodes[world->names[slot]].name, name) == 0)
			return world->names[slot];
	return WORLD_NONE;
}

static int compare_asns(const void *a, const void *b, void *context)
{
	const struct world *world = context;
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	uint32_t x = world->ases[left].asn, y = world->ases[right].asn;
	return x != y ? (x < y ? -1 : 1) : left < right ? -1 : left > right;
}

int index_asns(struct loader *l)
{
	struct world *w = l->world;
	w->by_asn = malloc((w->as_count + 1) * sizeof(*w->by_asn));
	if (!w->by_asn)
		return loader_no_memory(l);
	for (uint32_t i = 0; i < w->as_count; i++)
		w->by_asn[i] = i;
	qsort_r(w->by_asn, w->as_count, sizeof(*w->by_asn), compare_asns, w);
	for (uint32_t i = 1; i < w->as_count; i++)
		if (w->ases[w->by_asn[i]].asn == w->ases[w->by_asn[i - 1]].asn &&
			fatal(loader_mistake(
				l, "ases", w->by_asn[i], NULL, "a second AS%u", w->ases[w->by_asn[i]].asn)))
			return -ENOMEM;
	return 0;
}

uint32_t world_find_asn(const struct world *world, uint32_t asn)
{
	uint32_t low = 0, high = world->as_count;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (world->ases[world->by_asn[middle]].asn < asn)
			low = middle + 1;
		else
			high = middle;
	}
	return low < world->as_count && world->ases[world->by_asn[low]].asn == asn ? world->by_asn[low]
										   : WORLD_NONE;
}

uint32_t world_find_edge(const struct world *world, uint32_t as, uint32_t neighbour)
{
	uint32_t low = world->ases[as].first_edge, end = low + world->ases[as].edge_count, high = end;
	uint32_t asn = world->ases[neighbour].asn;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (world->ases[world->edges[middle].neighbour].asn < asn)
			low = middle + 1;
		else
			high = middle;
	}
	return low < end && world->edges[low].neighbour == neighbour ? low : WORLD_NONE;
}

uint32_t world_interface_to(const struct world *world, uint32_t node, uint32_t neighbour)
{
	const struct world_node *n = &world->nodes[node];
	for (unsigned i = 0; i < n->interface_count; i++)
		if (world->interfaces[n->interfaces[i] ^ 1].node == neighbour)
			return n->interfaces[i];
	return WORLD_NONE;
}

uint32_t world_find_prefix(const struct world *world, struct addr addr)
{
	uint32_t low = 0, high = world->prefix_count;
	while (low < high) { /* the first that begins behind the address */
		uint32_t middle = low + (high - low) / 2;
		if (addr_compare(world->prefixes[middle].prefix.addr, addr) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	uint32_t found = low == 0 ? WORLD_NONE : low - 1;
	while (found != WORLD_NONE && !prefix_contains(world->prefixes[found].prefix, addr))
		found = world->prefixes[found].parent;
	return found;
}

uint32_t world_find_as(const struct world *world, struct addr addr)
{
	uint32_t prefix = world_find_prefix(world, addr);
	return prefix == WORLD_NONE ? WORLD_NONE : world->prefixes[prefix].as;
}

struct addr world_node_address(const struct world *world, uint32_t node, uint8_t family)
{
	const struct world_node *n = &world->nodes[node];
	return n->is_host ? world->interfaces[n->interfaces[0]].address[family_index(family)]
			  : n->loopback[family_index(family)];
}

const struct world_address *world_find_address(const struct world *world, struct addr addr)
{
	uint32_t low = 0, high = world->address_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (addr_compare(world->addresses[middle].addr, addr) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < world->address_count && addr_equal(world->addresses[low].addr, addr)
		? &world->addresses[low]
		: NULL;
}

bool world_has_address(const struct world *world, uint32_t node, struct addr addr)
{
	const struct world_address *at = world_find_address(world, addr), *end;
	for (end = world->addresses + world->address_count; at && at < end && addr_equal(at->addr, addr);
		at++)
		if (at->node == node)
			return true;
	return false;
}

static int compare_addresses(const void *a, const void *b)
{
	const struct world_address *left = a, *right = b;
	int order = addr_compare(left->addr, right->addr);
	if (order != 0)
		return order;
	if (left->node != right->node)
		return left->node < right->node ? -1 : 1;
	return left->interface < right->interface ? -1 : left->interface > right->interface;
}

/* Hosts may share an address (anycast), and a router's sessions over one LAN do. */
static bool may_share(const struct world *w, const struct world_address *a, const struct world_address *b)
{
	if (a->node == b->node)
		return a->interface != WORLD_NONE && b->interface != WORLD_NONE &&
			w->interfaces[a->interface].ixp != WORLD_NONE &&
			w->interfaces[a->interface].ixp == w->interfaces[b->interface].ixp;
	return w->nodes[a->node].is_host && w->nodes[b->node].is_host;
}

static int refuse_clashes(struct loader *l)
{
	struct world *w = l->world;
	for (unsigned i = 1; i < w->address_count; i++) {
		const struct world_address *a = &w->addresses[i - 1], *b = &w->addresses[i];
		char text[ADDR_TEXT_SIZE];
		if (!addr_equal(a->addr, b->addr) || may_share(w, a, b))
			continue;
		const struct world_node *nodes[] = {&w->nodes[a->node], &w->nodes[b->node]};
		const struct world_node *shown = nodes[1]->is_host ? nodes[1] : nodes[0];
		uint32_t index = (uint32_t)(shown - w->nodes);
		if (fatal(loader_mistake(l, shown->is_host ? "hosts" : "routers",
			    shown->is_host ? index : index - w->host_count, NULL,
			    "'%s' and '%s' both have the address %s", nodes[0]->name, nodes[1]->name,
			    addr_format(a->addr, text))))
			return -ENOMEM;
	}
	return 0;
}

int index_addresses(struct loader *l)
{
	struct world *w = l->world;
	w->addresses = calloc(2 * ((size_t)w->interface_count + w->node_count) + 1, sizeof(*w->addresses));
	if (!w->addresses)
		return loader_no_memory(l);
	for (unsigned family = 0; family < 2; family++) {
		for (uint32_t i = 0; i < w->interface_count; i++)
			if (w->interfaces[i].node != WORLD_NONE &&
				addr_is_set(w->interfaces[i].address[family]))
				w->addresses[w->address_count++] =
					(struct world_address){.addr = w->interfaces[i].address[family],
						.node = w->interfaces[i].node,
						.interface = i};
		for (uint32_t i = w->host_count; i < w->node_count; i++)
			if (addr_is_set(w->nodes[i].loopback[family]))
				w->addresses[w->address_count++] =
					(struct world_address){.addr = w->nodes[i].loopback[family],
						.node = i,
						.interface = WORLD_NONE};
	}
	qsort(w->addresses, w->address_count, sizeof(*w->addresses), compare_addresses);
	return refuse_clashes(l);
}

/* Members of a domain keep the order of the nodes. */
int index_domains(struct loader *l)
{
	struct world *w = l->world;
	w->policy = l->file->relations_count > 0;
	w->domain_count = w->policy ? w->as_count : 1;
	w->domains = calloc(w->domain_count + 1, sizeof(*w->domains));
	w->members = calloc(w->node_count + 1, sizeof(*w->members));
	if (!w->domains || !w->members)
		return loader_no_memory(l);
	for (uint32_t i = 0; i < w->node_count; i++) {
		w->nodes[i].domain = w->policy ? w->nodes[i].as : 0;
		w->nodes[i].seat = w->domains[w->nodes[i].domain].count++;
	}
	for (uint32_t i = 1; i < w->domain_count; i++)
		w->domains[i].first = w->domains[i - 1].first + w->domains[i - 1].count;
	for (uint32_t i = 0; i < w->node_count; i++)
		w->members[w->domains[w->nodes[i].domain].first + w->nodes[i].seat] = i;
	return 0;
}
