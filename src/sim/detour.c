/* Tunnels that plain routing does not know, as of GRE (RFC 2784): a packet is wrapped in another one, travels
 * as that to the end of the tunnel, and goes on from there. The routers in between never see its TTL. */
#include "sim/core.h"

#define OUTER_TTL 255

uint32_t detour_find(const struct sim *sim, uint32_t node, struct addr source, struct addr destination)
{
	const struct world *world = sim->world;
	for (uint32_t i = 0; world->nodes[node].behaviour.detours && i < world->detour_count; i++) {
		const struct world_detour *detour = &world->detours[i];
		if (detour->at == node && detour->to != node &&
			prefix_contains(detour->prefix, destination) &&
			(detour->from.addr.family == 0 || prefix_contains(detour->from, source)))
			return i;
	}
	return WORLD_NONE;
}

/* On to the end of the tunnel, as plain routing goes there. */
static void send_wrapped(struct sim *sim, uint32_t node, struct parcel *parcel)
{
	const struct world_detour *detour = &sim->world->detours[parcel->detour];
	unsigned family = family_index(detour->prefix.addr.family);
	const struct way *way = way_find(sim, node, sim->world->nodes[detour->to].loopback[family]);
	bool lives = way->route.kind == ROUTE_VIA && parcel->outer_ttl-- > 1;
	if (lives) {
		sim_transmit(sim, way->route.via[0], parcel);
		return;
	}
	sim->counts.blackholed++;
	parcel_drop(sim, parcel);
}

bool detour_wrap(struct sim *sim, const struct transit *transit)
{
	uint32_t index = detour_find(sim, transit->node, transit->peek.source, transit->peek.destination);
	if (index == WORLD_NONE)
		return false;
	transit->parcel->detour = index;
	transit->parcel->outer_ttl = OUTER_TTL;
	send_wrapped(sim, transit->node, transit->parcel);
	return true;
}

bool detour_receive(struct sim *sim, uint32_t node, struct parcel *parcel)
{
	if (sim->world->detours[parcel->detour].to == node) {
		parcel->detour = WORLD_NONE;
		return true;
	}
	send_wrapped(sim, node, parcel);
	return false;
}
