/* Label switching: which packets get a label, and what becomes of it on the way (RFC 3031, 3032, 3443). */
#include "sim/core.h"

#include "packet/forward.h"

#define NO_LABEL_TTL 255

/* A packet is labelled only if plain routing, too, would take it through the tunnel to its end: packets for
 * the routers inside are not, nor for the last one's interfaces, for most hand out labels for loopbacks only.
 */
static bool follows(struct sim *sim, const struct world_tunnel *tunnel, struct addr destination)
{
	const struct world_address *owner = world_find_address(sim->world, destination);
	if (owner && owner->node == tunnel->routers[tunnel->count - 1] && owner->interface != WORLD_NONE)
		return false;
	for (unsigned i = 1; i + 1 < tunnel->count; i++) {
		struct route route = route_lookup(sim, tunnel->routers[i], destination);
		if (route.kind != ROUTE_VIA ||
			sim->world->interfaces[route.via[0] ^ 1].node != tunnel->routers[i + 1])
			return false;
	}
	return true;
}

uint32_t mpls_tunnel(struct sim *sim, uint32_t node, uint32_t interface, struct addr destination)
{
	uint32_t next = sim->world->interfaces[interface ^ 1].node;
	for (uint32_t i = sim->first_tunnel[node]; i != WORLD_NONE; i = sim->next_tunnel[i]) {
		const struct world_tunnel *tunnel = &sim->world->tunnels[i];
		if (tunnel->routers[1] == next && follows(sim, tunnel, destination))
			return i;
	}
	return WORLD_NONE;
}

void mpls_push(const struct sim *sim, struct parcel *parcel, uint32_t tunnel, uint8_t ttl)
{
	parcel->tunnel = tunnel;
	parcel->tunnel_at = 1;
	parcel->label_ttl = sim->world->tunnels[tunnel].hidden ? NO_LABEL_TTL : ttl;
}

/* The label comes off. What the label's TTL says counts, too, where it says less (RFC 3443 5.4), but not at
 * the last router of a tunnel that hides its inside. */
static void pop(struct parcel *parcel, const struct world_tunnel *tunnel)
{
	struct peek peek;
	bool counts = !tunnel->hidden || tunnel->pop != POP_ULTIMATE;
	if (counts && peek_read(parcel->bytes, parcel->length, false, &peek))
		(void)forward_set_ttl(parcel->bytes, parcel->length, MIN(peek.ttl, parcel->label_ttl));
	parcel->tunnel = WORLD_NONE;
}

/* The last router but one takes the label off, as most do (RFC 3031 3.16). */
void mpls_forward(struct sim *sim, uint32_t node, struct parcel *parcel)
{
	const struct world_tunnel *tunnel = &sim->world->tunnels[parcel->tunnel];
	uint32_t next = tunnel->routers[++parcel->tunnel_at];
	if (parcel->tunnel_at + 1 == tunnel->count && tunnel->pop == POP_PENULTIMATE)
		pop(parcel, tunnel);
	sim_transmit(sim, world_interface_to(sim->world, node, next), parcel);
}

/* Longer than the next link inside takes, and not to be cut? That is said. */
static bool is_too_big(struct sim *sim, struct transit *transit, const struct world_tunnel *tunnel)
{
	struct parcel *parcel = transit->parcel;
	unsigned next = parcel->tunnel_at + 1;
	uint32_t out = world_interface_to(sim->world, transit->node, tunnel->routers[next]);
	bool pops = next + 1 == tunnel->count && tunnel->pop == POP_PENULTIMATE;
	unsigned mtu = sim->world->interfaces[out].mtu, room = pops ? mtu : mtu - LABEL_BYTES;
	if (mtu == 0 || parcel->length <= room ||
		!peek_read(parcel->bytes, parcel->length, false, &transit->peek) ||
		!transit->peek.dont_fragment)
		return false;
	complain_too_big(sim, transit, tunnel, room);
	parcel_drop(sim, parcel);
	return true;
}

bool mpls_receive(struct sim *sim, struct transit *transit)
{
	struct parcel *parcel = transit->parcel;
	const struct world_tunnel *tunnel = &sim->world->tunnels[parcel->tunnel];
	if (parcel->tunnel_at + 1 == tunnel->count) {
		transit->popped = tunnel;
		pop(parcel, tunnel);
		return true;
	}
	if (parcel->label_ttl > 1) {
		if (is_too_big(sim, transit, tunnel))
			return false;
		parcel->label_ttl--;
		mpls_forward(sim, transit->node, parcel);
		return false;
	}
	answer_error(sim, transit->node, transit->in, parcel,
		&(struct complaint){
			.type4 = ICMP4_TIME_EXCEEDED,
			.type6 = ICMP6_TIME_EXCEEDED,
			.tunnel = tunnel,
			.tunnel_at = parcel->tunnel_at,
			.label_ttl = parcel->label_ttl,
		});
	parcel_drop(sim, parcel);
	return false;
}
