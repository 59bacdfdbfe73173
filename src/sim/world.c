/* From a world file to a world: names become indexes, and whatever the file leaves open gets a value.
 *
 * Addresses. A link is numbered from its AS, that of the node at its `from` end: for IPv4 the next /31 of the
 * AS's prefix, from its second on; for IPv6 the next /64 of which ::a and ::b are used, a /127 (RFC 6164).
 * Loopbacks come from the top of the IPv4 prefix, downwards, and from the first /64 of the IPv6 prefix. */
#include "sim/world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* What an ordinary carrier's router allows; tight limits are said in the file. */
#define DEFAULT_ERROR_BURST 100
#define DEFAULT_ERROR_RATE  100.0
/* "As much as fits": RFC 1812 4.3.2.3 and RFC 4443 3.3, less the headers that go before it. */
#define DEFAULT_QUOTE_BYTES 1232
#define DEFAULT_LINK_COST   10
#define DEFAULT_DELAY_MS    1.0

struct loader {
	const char *name, *text;
	struct world_file *file;
	struct world *world;
	unsigned *links_in_as, *loopbacks_in_as;
	struct error *error;
};

/* A mistake in entry `entry` of `section`, near `word` (may be NULL). */
static int PRINTF_LIKE(5, 6)
	mistake(struct loader *l, const char *section, unsigned entry, const char *word, const char *format, ...)
{
	char text[300];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return error_set(l->error, -EINVAL, "%s:%u: %s", l->name,
		world_file_line(l->text, strlen(l->text), section, entry, word), text);
}

static int no_memory(struct loader *l)
{
	return error_set(l->error, -ENOMEM, "%s: out of memory", l->name);
}

uint32_t world_find_node(const struct world *world, const char *name)
{
	for (uint32_t i = 0; i < world->node_count; i++)
		if (strcmp(world->nodes[i].name, name) == 0)
			return i;
	return WORLD_NONE;
}

uint32_t world_interface_to(const struct world *world, uint32_t node, uint32_t neighbour)
{
	const struct world_node *n = &world->nodes[node];
	for (unsigned i = 0; i < n->interface_count; i++)
		if (world->interfaces[n->interfaces[i] ^ 1].node == neighbour)
			return n->interfaces[i];
	return WORLD_NONE;
}

uint32_t world_find_as(const struct world *world, struct addr addr)
{
	for (uint32_t i = 0; i < world->as_count; i++)
		if (prefix_contains(world->ases[i].prefixes[family_index(addr.family)], addr))
			return i;
	return WORLD_NONE;
}

struct addr world_node_address(const struct world *world, uint32_t node, uint8_t family)
{
	const struct world_node *n = &world->nodes[node];
	return n->is_host ? world->interfaces[n->interfaces[0]].address[family_index(family)]
			  : n->loopback[family_index(family)];
}

static int compare_addresses(const void *a, const void *b)
{
	const struct world_address *left = a, *right = b;
	return addr_compare(left->addr, right->addr);
}

const struct world_address *world_find_address(const struct world *world, struct addr addr)
{
	struct world_address key = {.addr = addr};
	return bsearch(&key, world->addresses, world->address_count, sizeof(key), compare_addresses);
}

static int load_ases(struct loader *l)
{
	struct world *w = l->world;
	for (unsigned i = 0; i < l->file->ases_count; i++) {
		const struct file_as *from = &l->file->ases[i];
		struct world_as *as = &w->ases[w->as_count++];
		*as = (struct world_as){
			.asn = from->asn, .name = from->name, .country = from->country, .gateway = WORLD_NONE};
		if (!prefix_parse(from->prefix, &as->prefixes[0]) || as->prefixes[0].addr.family != 4 ||
			as->prefixes[0].length > 28)
			return mistake(l, "ases", i, from->prefix,
				"'%s' is not an IPv4 prefix of at most 28 bits, like 198.51.100.0/24", from->prefix);
		if (!prefix_parse(from->prefix6, &as->prefixes[1]) || as->prefixes[1].addr.family != 6 ||
			as->prefixes[1].length > 48)
			return mistake(l, "ases", i, from->prefix6,
				"'%s' is not an IPv6 prefix of at most 48 bits, like 2001:db8:100::/48", from->prefix6);
		if (strlen(from->country) != 2)
			return mistake(l, "ases", i, from->country, "country '%s': expected two letters", from->country);
		for (unsigned k = 0; k < i; k++)
			for (unsigned f = 0; f < 2; f++)
				if (prefix_contains(w->ases[k].prefixes[f], as->prefixes[f].addr) ||
					prefix_contains(as->prefixes[f], w->ases[k].prefixes[f].addr))
					return mistake(l, "ases", i, NULL, "AS%u and AS%u have overlapping prefixes", as->asn,
						w->ases[k].asn);
	}
	return 0;
}

static void load_behaviour(const struct file_behaviour *from, struct behaviour *to)
{
	static const struct file_behaviour plain = {.error_source = STAMP_INBOUND};
	if (!from)
		from = &plain;
	*to = (struct behaviour){
		.error_source = (enum stamp)from->error_source,
		.record_route = from->record_route ? (enum stamp)*from->record_route : STAMP_OUTBOUND,
		.balance = (enum balance)from->balance,
		.silent = from->silent,
		.limit_given = from->error_limit,
		.quote_bytes = from->quote_bytes ? from->quote_bytes : DEFAULT_QUOTE_BYTES,
		.error_burst = from->error_limit ? from->error_limit->burst : DEFAULT_ERROR_BURST,
		.errors_per_second = from->error_limit ? from->error_limit->per_second : DEFAULT_ERROR_RATE,
		.reply_delay_ns = (int64_t)(from->reply_delay_ms * NS_PER_MS),
	};
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
		return mistake(l, section, entry, from->name, "a second node called '%s'", from->name);
	if (from->name[strspn(from->name, "abcdefghijklmnopqrstuvwxyz0123456789-")])
		return mistake(l, section, entry, from->name,
			"'%s' cannot be a name in DNS; expected a-z, 0-9 and '-'", from->name);
	struct world_node *node = &w->nodes[w->node_count];
	*node = (struct world_node){
		.name = from->name, .dns = from->dns, .is_host = section[0] == 'h', .as = WORLD_NONE};
	for (uint32_t i = 0; i < w->as_count; i++)
		if (w->ases[i].asn == from->as)
			node->as = i;
	if (node->as == WORLD_NONE)
		return mistake(l, section, entry, NULL, "'%s' is in AS %u, which is not in 'ases'", from->name, from->as);
	load_behaviour(from->behaviour, &node->behaviour);
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

static int load_nodes(struct loader *l)
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
		return mistake(l, "links", entry, NULL, "no IPv4 addresses left in AS%u; give it a shorter prefix", as->asn);
	for (unsigned side = 0; side < 2; side++) {
		ends[side].address[0] = addr_add(as->prefixes[0].addr, 2 * index + side);
		ends[side].address[1] = addr_v6(as->prefixes[1].addr.high + index, 10 + side);
	}
	return 0;
}

static int own_address(struct loader *l, const char *section, unsigned entry, const char *text, uint8_t family,
	struct addr *address)
{
	if (!text)
		return 0;
	if (!addr_parse(text, address) || address->family != family || !addr_is_unicast(*address))
		return mistake(l, section, entry, text, "'%s' is not an IPv%u address", text, family);
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
		return no_memory(l);
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
		return no_memory(l);
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
	set_costs(from, ends);
	for (unsigned side = 0; side < 2; side++) {
		uint32_t node = world_find_node(l->world, names[side]);
		if (node == WORLD_NONE)
			return mistake(l, "links", entry, names[side],
				"link from '%s' to '%s': no host or router is called '%s'", from->from, from->to, names[side]);
		if (ends[side].loss < 0 || ends[side].loss > 1 || ends[side].delay_ns < 0)
			return mistake(l, "links", entry, "loss",
				"link from '%s' to '%s': expected a loss from 0 to 1 and a delay of 0 or more", from->from,
				from->to);
		int result = attach_interface(l, 2 * entry + side, node);
		if (result == 0)
			result = name_interface(l, &ends[side]);
		if (result < 0)
			return result;
	}
	if (ends[0].node == ends[1].node)
		return mistake(l, "links", entry, from->to, "link from '%s' to itself", from->from);
	return link_addresses(l, entry);
}

static int load_links(struct loader *l)
{
	int result = 0;
	for (unsigned i = 0; i < l->file->links_count && result == 0; i++)
		result = load_link(l, i);
	for (uint32_t i = 0; i < l->world->node_count && result == 0; i++) {
		struct world_node *node = &l->world->nodes[i];
		unsigned entry = node->is_host ? i : i - l->world->host_count;
		const char *section = node->is_host ? "hosts" : "routers";
		if (node->interface_count == 0)
			return mistake(l, section, entry, node->name, "no link leads to '%s'", node->name);
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

static int index_addresses(struct loader *l)
{
	struct world *w = l->world;
	w->addresses = calloc(2 * (w->interface_count + w->node_count) + 1, sizeof(*w->addresses));
	if (!w->addresses)
		return no_memory(l);
	for (unsigned family = 0; family < 2; family++) {
		for (uint32_t i = 0; i < w->interface_count; i++)
			w->addresses[w->address_count++] = (struct world_address){
				.addr = w->interfaces[i].address[family], .node = w->interfaces[i].node, .interface = i};
		for (uint32_t i = w->host_count; i < w->node_count; i++)
			w->addresses[w->address_count++] = (struct world_address){
				.addr = w->nodes[i].loopback[family], .node = i, .interface = WORLD_NONE};
	}
	qsort(w->addresses, w->address_count, sizeof(*w->addresses), compare_addresses);
	for (unsigned i = 1; i < w->address_count; i++) {
		const struct world_address *a = &w->addresses[i - 1], *b = &w->addresses[i];
		char text[ADDR_TEXT_SIZE];
		if (addr_equal(a->addr, b->addr))
			return error_set(l->error, -EINVAL, "%s: '%s' and '%s' both have the address %s", l->name,
				w->nodes[a->node].name, w->nodes[b->node].name, addr_format(a->addr, text));
	}
	return 0;
}

/* The prefixes that `to` means: a prefix, an address, all addresses of a node, or "AS64500". */
static int route_targets(struct loader *l, unsigned entry, const char *to, struct prefix *targets,
	unsigned capacity, unsigned *count)
{
	const struct world *w = l->world;
	struct addr addr;
	*count = 1;
	if (prefix_parse(to, &targets[0]))
		return 0;
	if (addr_parse(to, &addr)) {
		targets[0] = prefix_of(addr, addr_bits(addr));
		return 0;
	}
	*count = 0;
	for (uint32_t i = 0; i < w->as_count && strncmp(to, "AS", 2) == 0; i++)
		if (strtoul(to + 2, NULL, 10) == w->ases[i].asn)
			for (unsigned family = 0; family < 2; family++)
				targets[(*count)++] = w->ases[i].prefixes[family];
	uint32_t node = world_find_node(w, to);
	for (unsigned i = 0; i < w->address_count && node != WORLD_NONE && *count < capacity; i++)
		if (w->addresses[i].node == node)
			targets[(*count)++] = prefix_of(w->addresses[i].addr, addr_bits(w->addresses[i].addr));
	if (*count == 0)
		return mistake(l, "routes", entry, to,
			"'%s': expected a host, a router, an AS (AS64500), an address or a prefix", to);
	return 0;
}

static int route_action(struct loader *l, unsigned entry, struct world_route *route)
{
	const struct file_route *from = &l->file->routes[entry];
	route->node = world_find_node(l->world, from->at);
	if (route->node == WORLD_NONE || l->world->nodes[route->node].is_host)
		return mistake(l, "routes", entry, from->at, "route at '%s': no router is called so", from->at);
	if ((from->via_count > 0) + (from->drop ? 1 : 0) + (from->refuse ? 1 : 0) != 1 ||
		from->via_count > NEXT_HOPS_MAX)
		return mistake(l, "routes", entry, NULL,
			"route at '%s': expected one of via (a list of at most %d neighbours), drop or refuse", from->at,
			NEXT_HOPS_MAX);
	route->kind = from->drop ? ROUTE_DROP : from->refuse ? ROUTE_REFUSE : ROUTE_VIA;
	route->refusal = from->refuse ? (enum refusal)*from->refuse : REFUSE_HOST;
	for (unsigned i = 0; i < from->via_count; i++) {
		uint32_t neighbour = world_find_node(l->world, from->via[i]);
		uint32_t interface = neighbour == WORLD_NONE
			? WORLD_NONE
			: world_interface_to(l->world, route->node, neighbour);
		if (interface == WORLD_NONE)
			return mistake(l, "routes", entry, from->via[i], "via '%s': no link leads there from '%s'",
				from->via[i], from->at);
		route->via[route->via_count++] = interface;
	}
	return 0;
}

static int load_routes(struct loader *l)
{
	struct prefix targets[128];
	for (unsigned i = 0; i < l->file->routes_count; i++) {
		struct world_route route = {0};
		unsigned count;
		int result = route_action(l, i, &route);
		if (result == 0)
			result = route_targets(l, i, l->file->routes[i].to, targets, ARRAY_LEN(targets), &count);
		if (result < 0)
			return result;
		struct world_route *list =
			realloc(l->world->routes, (l->world->route_count + count) * sizeof(*list));
		if (!list)
			return no_memory(l);
		l->world->routes = list;
		for (unsigned k = 0; k < count; k++) {
			route.prefix = targets[k];
			list[l->world->route_count++] = route;
		}
	}
	return 0;
}

static int load_tunnel(struct loader *l, unsigned entry)
{
	const struct file_tunnel *from = &l->file->tunnels[entry];
	struct world_tunnel *tunnel = &l->world->tunnels[l->world->tunnel_count++];
	unsigned count = from->routers_count;
	if (count < 3)
		return mistake(l, "tunnels", entry, NULL, "expected at least 3 routers, from ingress to egress");
	if (from->labels_count != 0 && from->labels_count != count - 2)
		return mistake(l, "tunnels", entry, "labels", "expected %u labels, one for each router inside", count - 2);
	*tunnel = (struct world_tunnel){.count = count, .hidden = from->hidden, .unlabelled = from->unlabelled};
	tunnel->routers = calloc(count, sizeof(*tunnel->routers));
	tunnel->labels = calloc(count, sizeof(*tunnel->labels));
	if (!tunnel->routers || !tunnel->labels)
		return no_memory(l);
	for (unsigned i = 0; i < count; i++) {
		tunnel->routers[i] = world_find_node(l->world, from->routers[i]);
		if (tunnel->routers[i] == WORLD_NONE || l->world->nodes[tunnel->routers[i]].is_host)
			return mistake(l, "tunnels", entry, from->routers[i], "no router is called '%s'", from->routers[i]);
		if (i > 0 && world_interface_to(l->world, tunnel->routers[i - 1], tunnel->routers[i]) == WORLD_NONE)
			return mistake(l, "tunnels", entry, from->routers[i], "no link from '%s' to '%s'",
				from->routers[i - 1], from->routers[i]);
		if (i > 0 && i < count - 1)
			tunnel->labels[i] = from->labels_count ? from->labels[i - 1] : 24000 + 16 * entry + i;
	}
	return 0;
}

static int load_fault(struct loader *l, unsigned entry)
{
	const struct file_fault *from = &l->file->faults[entry];
	uint32_t a = world_find_node(l->world, from->link[0]), b = world_find_node(l->world, from->link[1]);
	uint32_t interface = a == WORLD_NONE || b == WORLD_NONE ? WORLD_NONE : world_interface_to(l->world, a, b);
	if (interface == WORLD_NONE)
		return mistake(l, "faults", entry, NULL, "no link between '%s' and '%s'", from->link[0], from->link[1]);
	if (from->loss < 0 || from->loss > 1 || from->delay_ms < 0 || from->after_s < 0)
		return mistake(l, "faults", entry, NULL,
			"expected a loss from 0 to 1, and a delay and a time of 0 or more");
	l->world->faults[l->world->fault_count++] = (struct world_fault){
		.link = interface / 2,
		.from_ns = (int64_t)(from->after_s * NS_PER_S),
		.until_ns = from->until_s ? (int64_t)(*from->until_s * NS_PER_S) : TIME_NEVER,
		.loss = from->loss,
		.delay_ns = (int64_t)(from->delay_ms * NS_PER_MS),
		.down = from->down,
		.reroute = from->reroute,
	};
	return 0;
}

static int load_rest(struct loader *l)
{
	int result = 0;
	for (unsigned i = 0; i < l->file->tunnels_count && result == 0; i++)
		result = load_tunnel(l, i);
	for (unsigned i = 0; i < l->file->faults_count && result == 0; i++)
		result = load_fault(l, i);
	for (unsigned i = 0; i < l->file->services_count && result == 0; i++) {
		const struct file_service *from = &l->file->services[i];
		uint32_t host = world_find_node(l->world, from->host);
		if (host == WORLD_NONE || !l->world->nodes[host].is_host)
			return mistake(l, "services", i, from->host, "no host is called '%s'", from->host);
		l->world->services[l->world->service_count++] =
			(struct world_service){.host = host, .command = from->run};
	}
	return result;
}

static int allocate(struct loader *l)
{
	const struct world_file *f = l->file;
	struct world *w = l->world;
	w->ases = calloc(f->ases_count + 1, sizeof(*w->ases));
	w->nodes = calloc(f->hosts_count + f->routers_count + 1, sizeof(*w->nodes));
	w->interfaces = calloc(2 * f->links_count + 1, sizeof(*w->interfaces));
	w->tunnels = calloc(f->tunnels_count + 1, sizeof(*w->tunnels));
	w->faults = calloc(f->faults_count + 1, sizeof(*w->faults));
	w->services = calloc(f->services_count + 1, sizeof(*w->services));
	l->links_in_as = calloc(f->ases_count + 1, sizeof(*l->links_in_as));
	l->loopbacks_in_as = calloc(f->ases_count + 1, sizeof(*l->loopbacks_in_as));
	if (!w->ases || !w->nodes || !w->interfaces || !w->tunnels || !w->faults || !w->services ||
		!l->links_in_as || !l->loopbacks_in_as)
		return no_memory(l);
	return 0;
}

int world_parse(const char *name, const char *text, struct world **world, struct error *error)
{
	struct loader l = {.name = name, .text = text, .error = error};
	int (*const steps[])(struct loader *) = {
		allocate, load_ases, load_nodes, load_links, index_addresses, load_routes, load_rest};
	*world = NULL;
	int result = world_file_read(name, text, strlen(text), &l.file, error);
	if (result < 0)
		return result;
	l.world = calloc(1, sizeof(*l.world));
	if (!l.world) {
		world_file_free(l.file);
		return no_memory(&l);
	}
	l.world->file = l.file;
	l.world->summary = l.file->summary;
	for (size_t i = 0; i < ARRAY_LEN(steps) && result == 0; i++)
		result = steps[i](&l);
	free(l.links_in_as);
	free(l.loopbacks_in_as);
	if (result < 0)
		world_free(l.world);
	else
		*world = l.world;
	return result;
}

static int read_file(const char *path, char **text, struct error *error)
{
	size_t capacity = 1 << 20, length = 0;
	FILE *file = fopen(path, "re");
	if (!file)
		return error_set(error, -errno, "%s: %s", path, strerror(errno));
	char *buffer = malloc(capacity);
	if (buffer)
		length = fread(buffer, 1, capacity - 1, file);
	bool whole = buffer && feof(file) && !ferror(file);
	fclose(file);
	if (!whole || memchr(buffer, '\0', length)) {
		free(buffer);
		return error_set(error, -EINVAL, "%s: expected a text file of less than 1 MiB", path);
	}
	buffer[length] = '\0';
	*text = buffer;
	return 0;
}

int world_load(const char *name, struct world **world, struct error *error)
{
	*world = NULL;
	for (const struct shipped_world *shipped = shipped_worlds; shipped->name; shipped++)
		if (strcmp(shipped->name, name) == 0)
			return world_parse(name, shipped->text, world, error);
	if (!strpbrk(name, "./"))
		return error_set(error, -ENOENT,
			"no world is called '%s'; `retour lab list` shows them, a file needs a '/' or '.' in its name",
			name);
	char *text = NULL;
	int result = read_file(name, &text, error);
	if (result < 0)
		return result;
	result = world_parse(name, text, world, error);
	free(text);
	return result;
}

void world_free(struct world *world)
{
	if (!world)
		return;
	for (unsigned i = 0; i < world->node_count; i++)
		free(world->nodes[i].interfaces);
	for (unsigned i = 0; i < world->interface_count; i++)
		free(world->interfaces[i].name);
	for (unsigned i = 0; i < world->tunnel_count; i++) {
		free(world->tunnels[i].routers);
		free(world->tunnels[i].labels);
	}
	free(world->ases);
	free(world->nodes);
	free(world->interfaces);
	free(world->routes);
	free(world->tunnels);
	free(world->faults);
	free(world->services);
	free(world->addresses);
	world_file_free(world->file);
	free(world);
}
