/* Which way: explicit routes by longest prefix; inside a domain the shortest path by the cost of each
 * direction; else, by the policy of the ASes, to the nearest border towards the neighbour that the AS has
 * chosen for the longest announced prefix it has a route for. */
#include "sim/core.h"

#include <string.h>

#include "base/clock.h"
#include "sim/fib.h"

static const struct route nowhere = {.kind = ROUTE_REFUSE, .refusal = REFUSE_NET};

static const struct world_route *explicit_route(
	const struct world *world, uint32_t node, struct addr destination)
{
	const struct world_node *n = &world->nodes[node];
	for (unsigned i = 0; i < n->route_count; i++)
		if (prefix_contains(world->routes[n->first_route + i].prefix, destination))
			return &world->routes[n->first_route + i];
	return NULL;
}

static struct route along(struct fib_ways ways)
{
	struct route route = {.kind = ROUTE_VIA, .via_count = ways.count};
	if (ways.count == 0)
		return nowhere;
	memcpy(route.via, ways.via, ways.count * sizeof(*route.via));
	return route;
}

/* To the nearest of the owners that are in the node's domain. False: there is none. */
static bool to_owner(struct sim *sim, uint32_t node, const struct fib_address *to, struct route *route)
{
	const struct world_node *nodes = sim->world->nodes;
	uint32_t distance = FIB_FAR;
	bool found = false;
	for (uint32_t i = 0; i < to->owners; i++) {
		uint32_t owner = to->owner[i].node;
		if (nodes[owner].domain != nodes[node].domain || (i > 0 && owner == to->owner[i - 1].node))
			continue;
		struct fib_ways ways = fib_to_node(sim->fib, node, owner);
		if (!found || ways.distance < distance)
			*route = along(ways);
		distance = MIN(distance, ways.distance);
		found = true;
	}
	return found;
}

/* To the far end of a link that leaves the domain: its near end is in the domain. */
static bool to_border(struct sim *sim, uint32_t node, const struct fib_address *to, struct route *route)
{
	const struct world *w = sim->world;
	for (uint32_t i = 0; i < to->owners; i++) {
		uint32_t far = to->owner[i].interface, near;
		if (far == WORLD_NONE)
			continue;
		near = w->interfaces[far ^ 1].node;
		if (w->nodes[near].domain != w->nodes[node].domain || sim->link_gone[far / 2])
			continue;
		if (near == node)
			*route = (struct route){.kind = ROUTE_VIA, .via = {far ^ 1}, .via_count = 1};
		else
			*route = along(fib_to_node(sim->fib, node, near));
		return true;
	}
	return false;
}

/* Nobody has the address: the router that answers for the AS says so. */
static struct route to_gateway(struct sim *sim, uint32_t node, uint32_t as)
{
	uint32_t gateway = sim->world->ases[as].gateway;
	if (gateway == WORLD_NONE)
		return nowhere;
	if (gateway == node)
		return (struct route){.kind = ROUTE_REFUSE, .refusal = REFUSE_HOST};
	return along(fib_to_node(sim->fib, node, gateway));
}

static struct route by_policy(struct sim *sim, uint32_t node, const struct fib_address *to)
{
	const struct world *w = sim->world;
	uint32_t as = w->nodes[node].as;
	bool own;
	for (uint32_t i = to->prefix; i != WORLD_NONE; i = w->prefixes[i].parent) {
		uint32_t edge = fib_choice(sim->fib, as, i, &own);
		if (own)
			return to_gateway(sim, node, as);
		if (edge != WORLD_NONE)
			return along(fib_to_edge(sim->fib, node, edge));
	}
	return nowhere;
}

struct route route_lookup(struct sim *sim, uint32_t node, struct addr destination)
{
	const struct world *w = sim->world;
	const struct fib_address *to = fib_address(sim->fib, destination);
	struct route route;
	for (uint32_t i = 0; i < to->owners; i++)
		if (to->owner[i].node == node)
			return (struct route){.kind = ROUTE_LOCAL};
	const struct world_route *fixed = explicit_route(w, node, destination);
	if (fixed) {
		route = (struct route){
			.kind = fixed->kind, .refusal = fixed->refusal, .via_count = fixed->via_count};
		memcpy(route.via, fixed->via, sizeof(route.via));
		return route;
	}
	if (to_owner(sim, node, to, &route) || (w->policy && to_border(sim, node, to, &route)))
		return route;
	if (w->policy)
		return by_policy(sim, node, to);
	return to->prefix == WORLD_NONE ? nowhere : to_gateway(sim, node, w->prefixes[to->prefix].as);
}

/* What faults say about links now; the time when that changes is noted. */
static bool gone_by_fault(struct sim *sim, const struct world_fault *fault)
{
	if (!fault->reroute || !fault->down)
		return false;
	if (fault->from_ns > sim->now_ns)
		sim->next_reroute_ns = MIN(sim->next_reroute_ns, fault->from_ns);
	else if (fault->until_ns > sim->now_ns)
		sim->next_reroute_ns = MIN(sim->next_reroute_ns, fault->until_ns);
	return sim->now_ns >= fault->from_ns && sim->now_ns < fault->until_ns;
}

void route_refresh(struct sim *sim)
{
	const struct world *world = sim->world;
	sim->next_reroute_ns = TIME_NEVER;
	for (uint32_t link = 0; link < world->interface_count / 2; link++)
		sim->link_gone[link] = sim->link_by_hand[link] == LINK_AVOIDED;
	for (unsigned i = 0; i < world->fault_count; i++)
		if (gone_by_fault(sim, &world->faults[i]))
			sim->link_gone[world->faults[i].link] = true;
	fib_forget(sim->fib);
}
