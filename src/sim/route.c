/* Which way: explicit routes by longest prefix, else the shortest path by the cost of each direction, worked
 * out backwards from the target the first time somebody asks for it (Dijkstra, 1959). Hosts carry no transit.
 */
#include "sim/core.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define FAR UINT32_MAX

static bool expandable(const struct world *world, uint32_t node, uint32_t target)
{
	return node == target || !world->nodes[node].is_host;
}

/* Lower the distance of every neighbour that could send by way of `node`. */
static void relax(const struct sim *sim, uint32_t node, uint32_t *distance, const bool *settled)
{
	const struct world_node *n = &sim->world->nodes[node];
	for (unsigned i = 0; i < n->interface_count; i++) {
		uint32_t from = n->interfaces[i] ^ 1;
		const struct world_interface *interface = &sim->world->interfaces[from];
		if (sim->link_gone[from / 2] || settled[interface->node])
			continue;
		uint32_t through = distance[node] + interface->cost;
		if (through < distance[interface->node])
			distance[interface->node] = through;
	}
}

static uint32_t *distances_to(struct sim *sim, uint32_t target)
{
	uint32_t count = sim->world->node_count;
	if (sim->distances[target])
		return sim->distances[target];
	uint32_t *distance = malloc(count * sizeof(*distance));
	bool *settled = calloc(count, sizeof(*settled));
	if (!distance || !settled) {
		free(distance);
		free(settled);
		return NULL;
	}
	for (uint32_t i = 0; i < count; i++)
		distance[i] = i == target ? 0 : FAR;
	for (;;) {
		uint32_t nearest = WORLD_NONE;
		for (uint32_t i = 0; i < count; i++)
			if (!settled[i] && distance[i] != FAR &&
				(nearest == WORLD_NONE || distance[i] < distance[nearest]))
				nearest = i;
		if (nearest == WORLD_NONE)
			break;
		settled[nearest] = true;
		if (expandable(sim->world, nearest, target))
			relax(sim, nearest, distance, settled);
	}
	free(settled);
	sim->distances[target] = distance;
	return distance;
}

static struct route shortest(struct sim *sim, uint32_t node, uint32_t target)
{
	struct route route = {.kind = ROUTE_REFUSE, .refusal = REFUSE_NET};
	const uint32_t *distance = distances_to(sim, target);
	const struct world_node *n = &sim->world->nodes[node];
	for (unsigned i = 0; distance && i < n->interface_count && route.via_count < NEXT_HOPS_MAX; i++) {
		uint32_t out = n->interfaces[i], peer = sim->world->interfaces[out ^ 1].node;
		if (sim->link_gone[out / 2] || !expandable(sim->world, peer, target) || distance[peer] == FAR)
			continue;
		if (distance[peer] + sim->world->interfaces[out].cost == distance[node])
			route.via[route.via_count++] = out;
	}
	if (route.via_count > 0)
		route.kind = ROUTE_VIA;
	return route;
}

static const struct world_route *explicit_route(const struct sim *sim, uint32_t node, struct addr destination)
{
	const struct world_route *best = NULL;
	for (unsigned i = 0; i < sim->world->route_count; i++) {
		const struct world_route *route = &sim->world->routes[i];
		if (route->node == node && prefix_contains(route->prefix, destination) &&
			(!best || route->prefix.length > best->prefix.length))
			best = route;
	}
	return best;
}

struct route route_lookup(struct sim *sim, uint32_t node, struct addr destination)
{
	const struct world *world = sim->world;
	const struct world_address *owner = world_find_address(world, destination);
	if (owner && owner->node == node)
		return (struct route){.kind = ROUTE_LOCAL};
	const struct world_route *fixed = explicit_route(sim, node, destination);
	if (fixed) {
		struct route route = {
			.kind = fixed->kind, .refusal = fixed->refusal, .via_count = fixed->via_count};
		memcpy(route.via, fixed->via, sizeof(route.via));
		return route;
	}
	if (owner)
		return shortest(sim, node, owner->node);
	uint32_t as = world_find_as(world, destination);
	uint32_t gateway = as == WORLD_NONE ? WORLD_NONE : world->ases[as].gateway;
	if (gateway == WORLD_NONE)
		return (struct route){.kind = ROUTE_REFUSE, .refusal = REFUSE_NET};
	if (gateway == node)
		return (struct route){.kind = ROUTE_REFUSE, .refusal = REFUSE_HOST};
	return shortest(sim, node, gateway);
}

void route_refresh(struct sim *sim)
{
	const struct world *world = sim->world;
	bool changed = false;
	sim->next_reroute_ns = TIME_NEVER;
	for (uint32_t link = 0; link < world->interface_count / 2; link++) {
		bool gone = sim->link_by_hand[link] == LINK_AVOIDED;
		for (unsigned i = 0; i < world->fault_count; i++) {
			const struct world_fault *fault = &world->faults[i];
			if (fault->link != link || !fault->reroute || !fault->down)
				continue;
			gone |= sim->now_ns >= fault->from_ns && sim->now_ns < fault->until_ns;
			if (fault->from_ns > sim->now_ns)
				sim->next_reroute_ns = MIN(sim->next_reroute_ns, fault->from_ns);
			else if (fault->until_ns > sim->now_ns)
				sim->next_reroute_ns = MIN(sim->next_reroute_ns, fault->until_ns);
		}
		changed |= gone != sim->link_gone[link];
		sim->link_gone[link] = gone;
	}
	for (uint32_t i = 0; changed && i < world->node_count; i++) {
		free(sim->distances[i]);
		sim->distances[i] = NULL;
	}
}
