/* Hosts, routers and links. The interfaces of the file's links come first, then those of the hosts' short
 * forms, then the sessions over exchanges. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sim/loader.h"

#define DEFAULT_LINK_COST 10
#define DEFAULT_DELAY_MS  1.0
#define COST_MAX	  1000000 /* so that no path's cost overflows */

static int load_node(struct loader *l, const char *section, unsigned entry, const struct file_node *from)
{
	struct world *w = l->world;
	uint32_t index = w->node_count++, as = world_find_asn(w, from->as);
	struct world_node *node = &w->nodes[index];
	*node = (struct world_node){.name = from->name,
		.dns = from->dns,
		.place = from->place,
		.is_host = section[0] == 'h',
		.as = as == WORLD_NONE ? 0 : as};
	if (from->name[strspn(from->name, "abcdefghijklmnopqrstuvwxyz0123456789-")] || !from->name[0])
		return loader_mistake(l, section, entry, from->name,
			"'%s' cannot be a name in DNS; expected a-z, 0-9 and '-'", from->name);
	if (!index_add_name(w, index))
		return loader_mistake(l, section, entry, from->name, "a second node called '%s'", from->name);
	if (as == WORLD_NONE)
		return loader_mistake(l, section, entry, NULL, "'%s' is in AS %u, which is not in 'ases'",
			from->name, from->as);
	const char *wrong = behaviour_load(node->is_host ? NULL : l->file->ases[as].behaviour,
		from->behaviour, node->is_host, &node->behaviour);
	if (wrong)
		return loader_mistake(l, section, entry, "behaviour", "'%s': %s", from->name, wrong);
	if (!node->is_host && w->ases[as].gateway == WORLD_NONE)
		w->ases[as].gateway = index;
	return 0;
}

int loader_nodes(struct loader *l)
{
	int result = index_names(l);
	for (unsigned i = 0; i < l->file->hosts_count && !fatal(result); i++)
		result = load_node(l, "hosts", i, &l->file->hosts[i]);
	l->world->host_count = l->world->node_count;
	for (unsigned i = 0; i < l->file->routers_count && !fatal(result); i++)
		result = load_node(l, "routers", i, &l->file->routers[i]);
	l->holes = l->mistake_count > 0;
	return fatal(result) ? result : 0;
}

static int load_loopbacks(struct loader *l)
{
	int result = 0;
	for (unsigned i = 0; i < l->file->routers_count && !fatal(result); i++) {
		struct world_node *node = &l->world->nodes[l->world->host_count + i];
		const struct file_node *from = &l->file->routers[i];
		if (!from->loopback || !from->loopback6)
			number_loopbacks(l, i, l->world->host_count + i);
		result = number_given(l, "routers", i, from->loopback, 4, &node->loopback[0]);
		if (!fatal(result))
			result = number_given(l, "routers", i, from->loopback6, 6, &node->loopback[1]);
	}
	return fatal(result) ? result : 0;
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
	int result = 0;
	if (!from->from_address || !from->to_address || !from->from_address6 || !from->to_address6)
		result = number_link(l, "links", entry, entry);
	for (size_t i = 0; i < ARRAY_LEN(given) && result == 0; i++)
		result = number_given(l, "links", entry, given[i].text, given[i].family, given[i].address);
	return result;
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

static int check_link(struct loader *l, unsigned entry)
{
	const struct file_link *from = &l->file->links[entry];
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
	return 0;
}

/* Both ends of a link that is right, or none. */
static int load_link(struct loader *l, unsigned entry)
{
	const struct file_link *from = &l->file->links[entry];
	const char *names[] = {from->from, from->to};
	uint32_t nodes[2];
	struct world_interface *ends = &l->world->interfaces[2 * entry];
	int result = check_link(l, entry);
	if (result == 0)
		set_costs(from, ends);
	if (fatal(result))
		return result;
	for (unsigned side = 0; side < 2; side++) {
		nodes[side] = world_find_node(l->world, names[side]);
		if (nodes[side] == WORLD_NONE)
			result = loader_mistake(l, "links", entry, names[side],
				"link from '%s' to '%s': no host or router is called '%s'", from->from,
				from->to, names[side]);
		if (fatal(result))
			return result;
	}
	if (nodes[0] == WORLD_NONE || nodes[1] == WORLD_NONE)
		return result;
	if (nodes[0] == nodes[1])
		return loader_mistake(l, "links", entry, from->to, "link from '%s' to itself", from->from);
	ends[0].node = nodes[0];
	ends[1].node = nodes[1];
	int habits = loader_link_habits(l, entry);
	if (fatal(habits) || result < 0)
		return fatal(habits) ? habits : result;
	return habits < 0 ? habits : link_addresses(l, entry);
}

/* The short form: a host with its router. */
static int load_host_link(struct loader *l, unsigned entry, uint32_t link)
{
	const struct file_node *from = &l->file->hosts[entry];
	struct world_interface *ends = &l->world->interfaces[2 * link];
	uint32_t router = world_find_node(l->world, from->router);
	double delay_ms = from->delay_ms ? *from->delay_ms : DEFAULT_DELAY_MS;
	if (router == WORLD_NONE || l->world->nodes[router].is_host)
		return loader_mistake(l, "hosts", entry, from->router, "'%s': no router is called '%s'",
			from->name, from->router);
	if (!within(delay_ms, SPAN_MAX_S * 1e3))
		return loader_mistake(
			l, "hosts", entry, "delay_ms", "'%s': expected a delay of 0 or more", from->name);
	ends[0].node = router;
	ends[1].node = entry;
	ends[0].delay_ns = ends[1].delay_ns = (int64_t)(delay_ms * NS_PER_MS);
	return number_link(l, "hosts", entry, link);
}

static int name_interface(struct loader *l, struct world_interface *interface, unsigned number)
{
	const struct world_node *node = &l->world->nodes[interface->node];
	const char *suffix = node->dns ? node->dns : node->name, *lab = node->dns ? "" : ".lab";
	int written;
	if (node->is_host) {
		written = asprintf(&interface->name, "%s.lab", node->name);
	} else if (node->dns && strcmp(node->dns, "none") == 0) {
		written = asprintf(&interface->name, "%s", "");
	} else if (interface->ixp != WORLD_NONE) {
		written = asprintf(
			&interface->name, "%s.%s%s", l->world->ixps[interface->ixp].name, suffix, lab);
		for (char *c = interface->name; written > 0 && *c != '.' && *c; c++)
			*c = isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '-';
	} else {
		written = asprintf(&interface->name, "ae%u.%s%s", number, suffix, lab);
	}
	if (written < 0) {
		interface->name = NULL;
		return loader_no_memory(l);
	}
	return 0;
}

/* Each node's list of its interfaces. */
static int attach_interfaces(struct loader *l)
{
	struct world *w = l->world;
	uint32_t at = 0;
	int result = 0;
	w->ports = calloc(w->interface_count + 1, sizeof(*w->ports));
	if (!w->ports)
		return loader_no_memory(l);
	for (uint32_t i = 0; i < w->interface_count; i++)
		if (w->interfaces[i].node != WORLD_NONE)
			w->nodes[w->interfaces[i].node].interface_count++;
		else
			l->holes = true;
	for (uint32_t i = 0; i < w->node_count; i++) {
		w->nodes[i].interfaces = w->ports + at;
		at += w->nodes[i].interface_count;
		w->nodes[i].interface_count = 0;
	}
	for (uint32_t i = 0; i < w->interface_count && result == 0; i++) {
		if (w->interfaces[i].node == WORLD_NONE)
			continue;
		struct world_node *node = &w->nodes[w->interfaces[i].node];
		result = name_interface(l, &w->interfaces[i], node->interface_count);
		node->interfaces[node->interface_count++] = i;
	}
	return result;
}

/* Every node has a link; hosts may have their own addresses. */
static int finish_nodes(struct loader *l)
{
	int result = 0;
	for (uint32_t i = 0; i < l->world->node_count && !fatal(result); i++) {
		struct world_node *node = &l->world->nodes[i];
		unsigned entry = node->is_host ? i : i - l->world->host_count;
		const char *section = node->is_host ? "hosts" : "routers";
		if (node->interface_count == 0) {
			if (!l->holes) /* else its link may be the wrong one */
				result = loader_mistake(
					l, section, entry, node->name, "no link leads to '%s'", node->name);
			continue;
		}
		if (!node->is_host)
			continue;
		struct addr *address = l->world->interfaces[node->interfaces[0]].address;
		const struct file_node *from = &l->file->hosts[entry];
		result = number_given(l, section, entry, from->address, 4, &address[0]);
		if (!fatal(result))
			result = number_given(l, section, entry, from->address6, 6, &address[1]);
	}
	return fatal(result) ? result : 0;
}

static int allocate_interfaces(struct loader *l)
{
	struct world *w = l->world;
	uint64_t links = l->file->links_count + (uint64_t)exchange_sessions(l, NULL);
	for (unsigned i = 0; i < l->file->hosts_count; i++)
		links += l->file->hosts[i].router != NULL;
	if (links >= WORLD_NONE / 2)
		return loader_no_memory(l);
	w->interfaces = calloc(2 * links + 1, sizeof(*w->interfaces));
	if (!w->interfaces)
		return loader_no_memory(l);
	w->interface_count = (unsigned)(2 * links);
	for (uint32_t i = 0; i < w->interface_count; i++)
		w->interfaces[i] = (struct world_interface){
			.node = WORLD_NONE, .ixp = WORLD_NONE, .cost = DEFAULT_LINK_COST};
	return 0;
}

int loader_links(struct loader *l)
{
	uint32_t link = l->file->links_count;
	int result = allocate_interfaces(l);
	if (result == 0)
		result = number_prepare(l);
	if (result == 0)
		result = load_loopbacks(l);
	for (unsigned i = 0; i < l->file->links_count && !fatal(result); i++)
		result = load_link(l, i);
	for (unsigned i = 0; i < l->file->hosts_count && !fatal(result); i++)
		if (l->file->hosts[i].router)
			result = load_host_link(l, i, link++);
	if (fatal(result))
		return result;
	(void)exchange_sessions(l, &l->world->interfaces[2 * link]);
	result = attach_interfaces(l);
	return result == 0 ? finish_nodes(l) : result;
}
