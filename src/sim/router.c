/* What a router does to a packet: the label, the options, the way, the TTL, and the next link. */
#include "sim/core.h"

#include <string.h>

#include "base/clock.h"
#include "packet/forward.h"

#define NO_LABEL_TTL 255

static const struct complaint time_exceeded = {ICMP4_TIME_EXCEEDED, 0, ICMP6_TIME_EXCEEDED, 0, NULL, 0, 0};

/* RFC 792, RFC 1812 5.2.7.1; RFC 4443 3.1 */
static const struct complaint refusals[] = {
	[REFUSE_NET] = {ICMP4_UNREACHABLE, 0, ICMP6_UNREACHABLE, 0, NULL, 0, 0},
	[REFUSE_HOST] = {ICMP4_UNREACHABLE, 1, ICMP6_UNREACHABLE, 3, NULL, 0, 0},
	[REFUSE_ADMIN] = {ICMP4_UNREACHABLE, 13, ICMP6_UNREACHABLE, 1, NULL, 0, 0},
};

static struct addr stamp_address(const struct sim *sim, uint32_t node, uint32_t in, uint32_t out)
{
	const struct world_node *n = &sim->world->nodes[node];
	enum stamp stamp = n->behaviour.record_route;
	if (n->is_host || (stamp == STAMP_INBOUND && in == WORLD_NONE))
		stamp = STAMP_OUTBOUND;
	if (stamp == STAMP_LOOPBACK)
		return n->loopback[0];
	return sim->world->interfaces[stamp == STAMP_INBOUND ? in : out].address[0];
}

/* Record route and timestamp on the way out. */
static void stamp(struct sim *sim, uint32_t node, uint32_t in, uint32_t out, struct parcel *parcel)
{
	const struct world_node *n = &sim->world->nodes[node];
	if (parcel->bytes[0] <= 0x45 || parcel->bytes[0] >= 0x50) /* not IPv4, or no options */
		return;
	if (!n->is_host && n->behaviour.record_route == STAMP_NONE)
		return;
	struct addr address = stamp_address(sim, node, in, out), own[NEXT_HOPS_MAX];
	size_t count = 0;
	for (unsigned i = 0; i < n->interface_count && count < ARRAY_LEN(own); i++)
		own[count++] = sim->world->interfaces[n->interfaces[i]].address[0];
	uint32_t ms = (uint32_t)(sim->now_ns / NS_PER_MS % 86400000);
	(void)forward_stamp_route(parcel->bytes, parcel->length, address);
	(void)forward_stamp_time(parcel->bytes, parcel->length, own, count, address, ms);
}

/* To the next router of the tunnel the parcel is in; the last but one takes the label off (RFC 3031 3.16). */
static void tunnel_forward(struct sim *sim, uint32_t node, struct parcel *parcel)
{
	const struct world_tunnel *tunnel = &sim->world->tunnels[parcel->tunnel];
	uint32_t next = tunnel->routers[++parcel->tunnel_at];
	if (parcel->tunnel_at + 1 == tunnel->count) {
		struct packet packet;
		if (!tunnel->hidden && packet_read(parcel->bytes, parcel->length, &packet) == 0)
			(void)forward_set_ttl(
				parcel->bytes, parcel->length, MIN(packet.ip.ttl, parcel->label_ttl));
		parcel->tunnel = WORLD_NONE;
	}
	sim_transmit(sim, world_interface_to(sim->world, node, next), parcel);
}

static void tunnel_receive(struct sim *sim, uint32_t in, struct parcel *parcel)
{
	uint32_t node = sim->world->interfaces[in].node;
	if (parcel->label_ttl > 1) {
		parcel->label_ttl--;
		tunnel_forward(sim, node, parcel);
		return;
	}
	struct complaint complaint = time_exceeded;
	struct packet packet;
	complaint.tunnel = &sim->world->tunnels[parcel->tunnel];
	complaint.tunnel_at = parcel->tunnel_at;
	complaint.label_ttl = parcel->label_ttl;
	if (packet_read(parcel->bytes, parcel->length, &packet) == 0)
		answer_error(sim, node, in, parcel, &packet, &complaint);
	parcel_drop(sim, parcel);
}

/* Out by one of the ways, with a label if a tunnel begins here. */
static void send_by(struct sim *sim, uint32_t node, uint32_t in, const struct route *route,
	const struct packet *packet, struct parcel *parcel)
{
	uint32_t out = route_choose(sim, node, route, packet);
	uint32_t tunnel = route_tunnel(sim, node, out, packet->ip.destination);
	stamp(sim, node, in, out, parcel);
	if (tunnel != WORLD_NONE) {
		parcel->tunnel = tunnel;
		parcel->tunnel_at = 1;
		parcel->label_ttl = sim->world->tunnels[tunnel].hidden
			? NO_LABEL_TTL
			: (uint8_t)(packet->ip.ttl - (in == WORLD_NONE ? 0 : 1));
	}
	sim_transmit(sim, out, parcel);
}

static bool has_options(const struct packet *packet)
{
	return packet->ip.source.family == 4 && packet->ip.header_length > 20;
}

/* RFC 1812 5.2.1. Like Linux, a router that has no way says so before it looks at the TTL; a null route, on
 * the other hand, is at the end of the line, so the router before the hole still shows. */
static void forward(struct sim *sim, uint32_t in, struct parcel *parcel, const struct packet *packet)
{
	uint32_t node = sim->world->interfaces[in].node;
	struct route route = route_lookup(sim, node, packet->ip.destination);
	if (route.kind == ROUTE_LOCAL) {
		answer_local(sim, node, in, parcel, packet);
	} else if (route.kind == ROUTE_REFUSE) {
		answer_error(sim, node, in, parcel, packet, &refusals[route.refusal]);
	} else if (packet->ip.ttl <= 1) {
		answer_error(sim, node, in, parcel, packet, &time_exceeded);
	} else if (route.kind == ROUTE_VIA) {
		(void)forward_set_ttl(parcel->bytes, parcel->length, (uint8_t)(packet->ip.ttl - 1));
		send_by(sim, node, in, &route, packet, parcel);
		return;
	} else {
		sim->counts.blackholed++;
	}
	parcel_drop(sim, parcel);
}

void router_receive(struct sim *sim, uint32_t interface, struct parcel *parcel)
{
	const struct world_node *node = &sim->world->nodes[sim->world->interfaces[interface].node];
	struct packet packet;
	if (parcel->tunnel != WORLD_NONE) {
		tunnel_receive(sim, interface, parcel);
	} else if (packet_read(parcel->bytes, parcel->length, &packet) < 0) {
		parcel_drop(sim, parcel);
	} else if (has_options(&packet) && node->behaviour.record_route == STAMP_DROP) {
		sim->counts.blackholed++;
		parcel_drop(sim, parcel);
	} else {
		forward(sim, interface, parcel, &packet);
	}
}

void node_send(struct sim *sim, uint32_t node, struct parcel *parcel)
{
	struct packet packet;
	if (parcel->tunnel != WORLD_NONE) {
		tunnel_forward(sim, node, parcel);
		return;
	}
	if (packet_read(parcel->bytes, parcel->length, &packet) == 0) {
		struct route route = route_lookup(sim, node, packet.ip.destination);
		if (route.kind == ROUTE_VIA) {
			send_by(sim, node, WORLD_NONE, &route, &packet, parcel);
			return;
		}
	}
	sim->counts.blackholed++;
	parcel_drop(sim, parcel);
}
