/* What a router does to a packet: the label, the options, the way, the TTL, and the next link. */
#include "sim/core.h"

#include <string.h>

#include "base/clock.h"
#include "packet/forward.h"

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

/* Out by one of the ways, with a label if a tunnel begins here. */
static void send_by(struct sim *sim, uint32_t node, uint32_t in, const struct way *way,
	const struct peek *peek, struct parcel *parcel)
{
	uint32_t out = way_choose(sim, node, &way->route, peek);
	uint32_t tunnel = way->route.via_count == 1 ? way->tunnel
						     : mpls_tunnel(sim, node, out, peek->destination);
	if (peek->options)
		stamp(sim, node, in, out, parcel);
	if (tunnel != WORLD_NONE)
		mpls_push(sim, parcel, tunnel, (uint8_t)(peek->ttl - (in == WORLD_NONE ? 0 : 1)));
	sim_transmit(sim, out, parcel);
}

/* RFC 1812 5.2.1. Like Linux, a router that has no way says so before it looks at the TTL; a null route, on
 * the other hand, is at the end of the line, so the router before the hole still shows. */
static void forward(struct sim *sim, uint32_t in, struct parcel *parcel, const struct peek *peek)
{
	uint32_t node = sim->world->interfaces[in].node;
	const struct way *way = way_find(sim, node, peek->destination);
	if (way->route.kind == ROUTE_LOCAL) {
		answer_local(sim, node, in, parcel);
	} else if (way->route.kind == ROUTE_REFUSE) {
		answer_error(sim, node, in, parcel, &refusals[way->route.refusal]);
	} else if (peek->ttl <= 1) {
		answer_error(sim, node, in, parcel, &time_exceeded);
	} else if (way->route.kind == ROUTE_VIA) {
		(void)forward_set_ttl(parcel->bytes, parcel->length, (uint8_t)(peek->ttl - 1));
		send_by(sim, node, in, way, peek, parcel);
		return;
	} else {
		sim->counts.blackholed++;
	}
	parcel_drop(sim, parcel);
}

void router_receive(struct sim *sim, uint32_t interface, struct parcel *parcel)
{
	const struct world_node *node = &sim->world->nodes[sim->world->interfaces[interface].node];
	struct peek peek;
	if (parcel->tunnel != WORLD_NONE) {
		mpls_receive(sim, interface, parcel);
	} else if (!peek_read(parcel->bytes, parcel->length, false, &peek)) {
		sim->counts.malformed++;
		parcel_drop(sim, parcel);
	} else if (peek.options && node->behaviour.record_route == STAMP_DROP) {
		sim->counts.blackholed++;
		parcel_drop(sim, parcel);
	} else {
		forward(sim, interface, parcel, &peek);
	}
}

void node_send(struct sim *sim, uint32_t node, struct parcel *parcel)
{
	struct peek peek;
	if (parcel->tunnel != WORLD_NONE) {
		mpls_forward(sim, node, parcel);
		return;
	}
	if (peek_read(parcel->bytes, parcel->length, false, &peek)) {
		const struct way *way = way_find(sim, node, peek.destination);
		if (way->route.kind == ROUTE_VIA) {
			send_by(sim, node, WORLD_NONE, way, &peek, parcel);
			return;
		}
	}
	sim->counts.blackholed++;
	parcel_drop(sim, parcel);
}
