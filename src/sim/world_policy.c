/* Routes, tunnels, faults and services of a world file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sim/loader.h"

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
	uint32_t as = strncmp(to, "AS", 2) == 0 ? world_find_asn(w, (uint32_t)strtoul(to + 2, NULL, 10))
						: WORLD_NONE;
	for (uint32_t i = 0; i < w->prefix_count && as != WORLD_NONE && *count < capacity; i++)
		if (w->prefixes[i].as == as)
			targets[(*count)++] = w->prefixes[i].prefix;
	uint32_t node = world_find_node(w, to);
	for (unsigned i = 0; i < w->address_count && node != WORLD_NONE && *count < capacity; i++)
		if (w->addresses[i].node == node)
			targets[(*count)++] =
				prefix_of(w->addresses[i].addr, addr_bits(w->addresses[i].addr));
	if (*count == 0)
		return loader_mistake(l, "routes", entry, to,
			"'%s': expected a host, a router, an AS (AS64500), an address or a prefix", to);
	return 0;
}

static int route_action(struct loader *l, unsigned entry, struct world_route *route)
{
	const struct file_route *from = &l->file->routes[entry];
	route->node = world_find_node(l->world, from->at);
	if (route->node == WORLD_NONE || l->world->nodes[route->node].is_host)
		return loader_mistake(
			l, "routes", entry, from->at, "route at '%s': no router is called so", from->at);
	if ((from->via_count > 0) + (from->drop ? 1 : 0) + (from->refuse ? 1 : 0) != 1 ||
		from->via_count > NEXT_HOPS_MAX)
		return loader_mistake(l, "routes", entry, NULL,
			"route at '%s': expected one of via (a list of at most %d neighbours), drop or "
			"refuse",
			from->at, NEXT_HOPS_MAX);
	route->kind = from->drop ? ROUTE_DROP : from->refuse ? ROUTE_REFUSE : ROUTE_VIA;
	route->refusal = from->refuse ? (enum refusal)from->refuse[0] : REFUSE_HOST;
	for (unsigned i = 0; i < from->via_count; i++) {
		uint32_t neighbour = world_find_node(l->world, from->via[i]);
		uint32_t interface = neighbour == WORLD_NONE
			? WORLD_NONE
			: world_interface_to(l->world, route->node, neighbour);
		if (interface == WORLD_NONE)
			return loader_mistake(l, "routes", entry, from->via[i],
				"via '%s': no link leads there from '%s'", from->via[i], from->at);
		route->via[route->via_count++] = interface;
	}
	return 0;
}

static int load_route(struct loader *l, unsigned entry)
{
	struct prefix targets[128];
	struct world_route route = {.entry = entry};
	unsigned count;
	int result = route_action(l, entry, &route);
	if (result == 0)
		result = route_targets(
			l, entry, l->file->routes[entry].to, targets, ARRAY_LEN(targets), &count);
	if (result < 0)
		return result;
	struct world_route *list = realloc(l->world->routes, (l->world->route_count + count) * sizeof(*list));
	if (!list)
		return loader_no_memory(l);
	l->world->routes = list;
	for (unsigned k = 0; k < count; k++) {
		route.prefix = targets[k];
		list[l->world->route_count++] = route;
	}
	return 0;
}

/* By node; the longest prefix first, and of the same length the first in the file. */
static int compare_routes(const void *a, const void *b)
{
	const struct world_route *x = a, *y = b;
	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	if (x->prefix.length != y->prefix.length)
		return x->prefix.length > y->prefix.length ? -1 : 1;
	return x->entry < y->entry ? -1 : x->entry > y->entry;
}

int loader_routes(struct loader *l)
{
	struct world *w = l->world;
	int result = 0;
	for (unsigned i = 0; i < l->file->routes_count && !fatal(result); i++)
		result = load_route(l, i);
	if (fatal(result))
		return result;
	if (w->route_count > 0)
		qsort(w->routes, w->route_count, sizeof(*w->routes), compare_routes);
	for (uint32_t i = 0; i < w->route_count; i++) {
		struct world_node *node = &w->nodes[w->routes[i].node];
		if (node->route_count++ == 0)
			node->first_route = i;
	}
	return 0;
}

static int load_tunnel(struct loader *l, unsigned entry)
{
	const struct file_tunnel *from = &l->file->tunnels[entry];
	struct world_tunnel *tunnel = &l->world->tunnels[l->world->tunnel_count++];
	unsigned count = from->routers_count;
	if (count < 3)
		return loader_mistake(
			l, "tunnels", entry, NULL, "expected at least 3 routers, from ingress to egress");
	if (from->labels_count != 0 && from->labels_count != count - 2)
		return loader_mistake(l, "tunnels", entry, "labels",
			"expected %u labels, one for each router inside", count - 2);
	*tunnel = (struct world_tunnel){.count = count,
		.hidden = from->hidden,
		.unlabelled = from->unlabelled,
		.pop = (enum pop)from->pop};
	tunnel->routers = calloc(count, sizeof(*tunnel->routers));
	tunnel->labels = calloc(count, sizeof(*tunnel->labels));
	if (!tunnel->routers || !tunnel->labels)
		return loader_no_memory(l);
	for (unsigned i = 0; i < count; i++) {
		tunnel->routers[i] = world_find_node(l->world, from->routers[i]);
		if (tunnel->routers[i] == WORLD_NONE || l->world->nodes[tunnel->routers[i]].is_host)
			return loader_mistake(l, "tunnels", entry, from->routers[i],
				"no router is called '%s'", from->routers[i]);
		if (i > 0 &&
			world_interface_to(l->world, tunnel->routers[i - 1], tunnel->routers[i]) ==
				WORLD_NONE)
			return loader_mistake(l, "tunnels", entry, from->routers[i],
				"no link from '%s' to '%s'", from->routers[i - 1], from->routers[i]);
		if (i > 0 && i < count - 1)
			tunnel->labels[i] = from->labels_count ? from->labels[i - 1] : 24000 + 16 * entry + i;
	}
	/* RFC 3032 2.1: 0 says that there is no label but the hop; an opaque tunnel ends by surprise */
	tunnel->labels[count - 1] = from->pop == POP_OPAQUE ? tunnel->labels[count - 2] + 1 : 0;
	return 0;
}

static int load_fault(struct loader *l, unsigned entry)
{
	const struct file_fault *from = &l->file->faults[entry];
	uint32_t a = world_find_node(l->world, from->link[0]), b = world_find_node(l->world, from->link[1]);
	uint32_t interface =
		a == WORLD_NONE || b == WORLD_NONE ? WORLD_NONE : world_interface_to(l->world, a, b);
	if (interface == WORLD_NONE)
		return loader_mistake(l, "faults", entry, NULL, "no link between '%s' and '%s'",
			from->link[0], from->link[1]);
	if (!within(from->loss, 1) || !within(from->delay_ms, SPAN_MAX_S * 1e3) ||
		!within(from->after_s, SPAN_MAX_S) || (from->until_s && !within(*from->until_s, SPAN_MAX_S)))
		return loader_mistake(l, "faults", entry, NULL,
			"expected a loss from 0 to 1, and a delay and times of 0 or more, up to a day");
	l->world->faults[l->world->fault_count++] = (struct world_fault){
		.link = interface / 2,
		.from_ns = (int64_t)(from->after_s * NS_PER_S),
		.until_ns = from->until_s ? (int64_t)(*from->until_s * NS_PER_S) : TIME_NEVER,
		.loss = from->loss,
		.delay_ns = (int64_t)(from->delay_ms * NS_PER_MS),
		.down = from->down,
		.reroute = from->reroute,
		.interface = from->one_way ? interface : WORLD_NONE,
	};
	return 0;
}

static int load_service(struct loader *l, unsigned entry)
{
	const struct file_service *from = &l->file->services[entry];
	uint32_t host = world_find_node(l->world, from->host);
	if (host == WORLD_NONE || !l->world->nodes[host].is_host)
		return loader_mistake(l, "services", entry, from->host, "no host is called '%s'", from->host);
	l->world->services[l->world->service_count++] =
		(struct world_service){.host = host, .command = from->run, .ready = from->ready};
	return 0;
}

int loader_rest(struct loader *l)
{
	int result = 0;
	for (unsigned i = 0; i < l->file->tunnels_count && !fatal(result); i++)
		result = load_tunnel(l, i);
	for (unsigned i = 0; i < l->file->faults_count && !fatal(result); i++)
		result = load_fault(l, i);
	for (unsigned i = 0; i < l->file->services_count && !fatal(result); i++)
		result = load_service(l, i);
	return result;
}
