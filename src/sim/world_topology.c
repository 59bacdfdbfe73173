/* ASes, hosts, routers and links, and the addresses and names of everything.
 *
 * A link is numbered from its AS, that of the node at its `from` end: for IPv4 the next /31 of the
 * AS's prefix, from its second on; for IPv6 the next /64 of which ::a and ::b are used, a /127 (RFC 6164).
 * Loopbacks come from the top of the IPv4 prefix, downwards, and from the first /64 of the IPv6 prefix. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sim/loader.h"

#define DEFAULT_LINK_COST   10
#define DEFAULT_DELAY_MS    1.0
#define COST_MAX	    1000000 /* so that no path's cost overflows */

int loader_ases(struct loader *l)
{
	struct world *w = l->world;
	for (unsigned i = 0; i < l->file->ases_count; i++) {
		const struct file_as *from = &l->file->ases[i];
		struct world_as *as = &w->ases[w->as_count++];
		*as = (struct world_as){.asn = from->asn,
			.name = from->name,
			.country = from->country,
			.gateway = WORLD_NONE};
		if (!from->prefix || !from->prefix6)
			return loader_mistake(l, "ases", i, NULL, "AS%u: expected prefix and prefix6", from->asn);
		if (!prefix_parse(from->prefix, &as->prefixes[0]) || as->prefixes[0].addr.family != 4 ||
			as->prefixes[0].length > 28)
			return loader_mistake(l, "ases", i, from->prefix,
				"'%s' is not an IPv4 prefix of at most 28 bits, like 198.51.100.0/24",
				from->prefix);
		if (!prefix_parse(from->prefix6, &as->prefixes[1]) || as->prefixes[1].addr.family != 6 ||
			as->prefixes[1].length > 48)
			return loader_mistake(l, "ases", i, from->prefix6,
				"'%s' is not an IPv6 prefix of at most 48 bits, like 2001:db8:100::/48",
				from->prefix6);
		if (strlen(from->country) != 2)
			return loader_mistake(l, "ases", i, from->country,
				"country '%s': expected two letters", from->country);
		for (unsigned k = 0; k < i; k++)
			for (unsigned f = 0; f < 2; f++)
				if (prefix_contains(w->ases[k].prefixes[f], as->prefixes[f].addr) ||
					prefix_contains(as->prefixes[f], w->ases[k].prefixes[f].addr))
					return loader_mistake(l, "ases", i, NULL,
						"AS%u and AS%u have overlapping prefixes", as->asn,
						w->ases[k].asn);
	}
	return 0;
}

/* The address `index` loopbacks below the top of the IPv4 prefix, or above the bottom of the IPv6 one. */
static struct addr loopback_address(const struct world_as *as, unsigned family, unsigned index)
{
	struct prefix p = as->prefixes[family];
	if (family == 1)
		return addr_v6(p.addr.high, index + 1);
	return addr_add(p.addr, (1ULL << (32 - p.length)) - 2 - index);
}

static int load_node(struct loader *l, const char *section, unsigned entry, const struct file_node *from)
{
	struct world *w = l->world;
	if (world_find_node(w, from->name) != WORLD_NONE)
		return loader_mistake(l, section, entry, from->name, "a second node called '%s'", from->name);
	if (from->name[strspn(from->name, "abcdefghijklmnopqrstuvwxyz0123456789-")])
		return loader_mistake(l, section, entry, from->name,
			"'%s' cannot be a name in DNS; expected a-z, 0-9 and '-'", from->name);
	struct world_node *node = &w->nodes[w->node_count];
	*node = (struct world_node){
		.name = from->name, .dns = from->dns, .is_host = section[0] == 'h', .as = WORLD_NONE};
	for (uint32_t i = 0; i < w->as_count; i++)
		if (w->ases[i].asn == from->as)
			node->as = i;
	if (node->as == WORLD_NONE)
		return loader_mistake(l, section, entry, NULL, "'%s' is in AS %u, which is not in 'ases'",
			from->name, from->as);
	const char *wrong = behaviour_load(NULL, from->behaviour, &node->behaviour);
	if (wrong)
		return loader_mistake(l, section, entry, "behaviour", "'%s': %s", from->name, wrong);
	if (!node->is_host) {
		unsigned index = l->loopbacks_in_as[node->as]++;
		node->loopback[0] = loopback_address(&w->ases[node->as], 0, index);
		node->loopback[1] = loopback_address(&w->ases[node->as], 1, index);
		if (w->ases[node->as].gateway == WORLD_NONE)
			w->ases[node->as].gateway = w->node_count;
	}
	w->node_count++;
	return 0;
}

int loader_nodes(struct loader *l)
{
	int result = 0;
	for (unsigned i = 0; i < l->file->hosts_count && result == 0; i++)
		result = load_node(l, "hosts", i, &l->file->hosts[i]);
	l->world->host_count = l->world->node_count;
	for (unsigned i = 0; i < l->file->routers_count && result == 0; i++)
		result = load_node(l, "routers", i, &l->file->routers[i]);
	return result;
}

/* The addresses of both ends of the next link of an AS. */
static int number_link(struct loader *l, unsigned entry, uint32_t as_index)
{
	struct world_interface *ends = &l->world->interfaces[2 * entry];
	const struct world_as *as = &l->world->ases[as_index];
	uint64_t index = ++l->links_in_as[as_index];
	uint64_t size4 = 1ULL << (32 - as->prefixes[0].length), taken = l->loopbacks_in_as[as_index] + 1;
	if (2 * index + 1 + taken >= size4)
		return loader_mistake(l, "links", entry, NULL,
			"no IPv4 addresses left in AS%u; give it a shorter prefix", as->asn);
	for (unsigned side = 0; side < 2; side++) {
		ends[side].address[0] = addr_add(as->prefixes[0].addr, 2 * index + side);
		ends[side].address[1] = addr_v6(as->prefixes[1].addr.high + index, 10 + side);
	}
	return 0;
}

static int own_address(struct loader *l, const char *section, unsigned entry, const char *text,
	uint8_t family, struct addr *address)
{
	if (!text)
		return 0;
	if (!addr_parse(text, address) || address->family != family || !addr_is_unicast(*address))
		return loader_mistake(l, section, entry, text, "'%s' is not an IPv%u address", text, family);
	return 0;
}

static int link_addresses(struct loader *l, unsigned entry)
{
	const struct file_link *from = &l->file->links[entry];
	struct world_interface *ends = &l->world->interfaces[2 * entry];
	const struct {
		const char *text;
		struct addr *address;
		uint8_t family;
	} given[] = {{from->from_address, &ends[0].address[0], 4}, {from->to_address, &ends[1].address[0], 4},
		{from->from_address6, &ends[0].address[1], 6}, {from->to_address6, &ends[1].address[1], 6}};
	int result = number_link(l, entry, l->world->nodes[ends[0].node].as);
	for (size_t i = 0; i < ARRAY_LEN(given) && result == 0; i++)
		result = own_address(l, "links", entry, given[i].text, given[i].family, given[i].address);
	return result;
}

static int attach_interface(struct loader *l, uint32_t index, uint32_t node_index)
{
	struct world_node *node = &l->world->nodes[node_index];
	uint32_t *list = realloc(node->interfaces, (node->interface_count + 1) * sizeof(*list));
	if (!list)
		return loader_no_memory(l);
	node->interfaces = list;
	list[node->interface_count++] = index;
	l->world->interfaces[index].node = node_index;
	return 0;
}

static int name_interface(struct loader *l, struct world_interface *interface)
{
	const struct world_node *node = &l->world->nodes[interface->node];
	int written;
	if (node->is_host)
		written = asprintf(&interface->name, "%s.lab", node->name);
	else if (node->dns)
		written = asprintf(&interface->name, "ae%u.%s", node->interface_count - 1, node->dns);
	else
		written = asprintf(&interface->name, "ae%u.%s.lab", node->interface_count - 1, node->name);
	if (written < 0) {
		interface->name = NULL;
		return loader_no_memory(l);
	}
	return 0;
}

static void set_costs(const struct file_link *from, struct world_interface *ends)
{
	double delay_ms = from->delay_ms ? *from->delay_ms : DEFAULT_DELAY_MS;
	ends[0].delay_ns = (int64_t)(delay_ms * NS_PER_MS);
	ends[1].delay_ns = (int64_t)((from->delay_back_ms ? *from->delay_back_ms : delay_ms) * NS_PER_MS);
	ends[0].cost = from->cost ? from->cost : DEFAULT_LINK_COST;
	ends[1].cost = from->cost_back ? from->cost_back : ends[0].cost;
	ends[0].loss = from->loss;
	ends[1].loss = from->loss_back ? *from->loss_back : 0;
}

static int load_link(struct loader *l, unsigned entry)
{
	const struct file_link *from = &l->file->links[entry];
	const char *names[] = {from->from, from->to};
	struct world_interface *ends = &l->world->interfaces[2 * entry];
	l->world->interface_count += 2;
	if (from->cost > COST_MAX || from->cost_back > COST_MAX)
		return loader_mistake(l, "links", entry, "cost",
			"link from '%s' to '%s': expected costs of at most %d", from->from, from->to,
			COST_MAX);
	if (!within(from->loss, 1) || (from->loss_back && !within(*from->loss_back, 1)) ||
		(from->delay_ms && !within(*from->delay_ms, SPAN_MAX_S * 1e3)) ||
		(from->delay_back_ms && !within(*from->delay_back_ms, SPAN_MAX_S * 1e3)))
		return loader_mistake(l, "links", entry, NULL,
			"link from '%s' to '%s': expected a loss from 0 to 1 and a delay of 0 or more",
			from->from, from->to);
	set_costs(from, ends);
	for (unsigned side = 0; side < 2; side++) {
		uint32_t node = world_find_node(l->world, names[side]);
		if (node == WORLD_NONE)
			return loader_mistake(l, "links", entry, names[side],
				"link from '%s' to '%s': no host or router is called '%s'", from->from,
				from->to, names[side]);
		int result = attach_interface(l, 2 * entry + side, node);
		if (result == 0)
			result = name_interface(l, &ends[side]);
		if (result < 0)
			return result;
	}
	if (ends[0].node == ends[1].node)
		return loader_mistake(l, "links", entry, from->to, "link from '%s' to itself", from->from);
	return link_addresses(l, entry);
}

int loader_links(struct loader *l)
{
	int result = 0;
	for (unsigned i = 0; i < l->file->links_count && result == 0; i++)
		result = load_link(l, i);
	for (uint32_t i = 0; i < l->world->node_count && result == 0; i++) {
		struct world_node *node = &l->world->nodes[i];
		unsigned entry = node->is_host ? i : i - l->world->host_count;
		const char *section = node->is_host ? "hosts" : "routers";
		if (node->interface_count == 0)
			return loader_mistake(
				l, section, entry, node->name, "no link leads to '%s'", node->name);
		if (!node->is_host)
			continue;
		struct addr *address = l->world->interfaces[node->interfaces[0]].address;
		const struct file_node *from = &l->file->hosts[entry];
		result = own_address(l, section, entry, from->address, 4, &address[0]);
		if (result == 0)
			result = own_address(l, section, entry, from->address6, 6, &address[1]);
	}
	return result;
}
