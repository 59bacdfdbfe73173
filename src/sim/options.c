/* Record Route and Timestamp (RFC 791 3.1), as routers and targets treat them. */
#include "sim/core.h"

#include "base/clock.h"
#include "packet/forward.h"

#define OWN_MAX 32 /* addresses of a node that a prespecified timestamp may name */

struct addr node_private_address(uint32_t node, uint8_t family)
{
	if (family == 6) /* RFC 4193 */
		return addr_v6(0xfd00000000000000, node + 1ULL);
	return addr_v4(0xac100000u | ((node + 1u) & 0xfffffu)); /* RFC 1918: 172.16.0.0/12 */
}

bool options_pass(struct sim *sim, struct transit *transit)
{
	const struct behaviour *behaviour = &sim->world->nodes[transit->node].behaviour;
	struct parcel *parcel = transit->parcel;
	if (behaviour->record_route == STAMP_DROP) {
		sim->counts.blackholed++;
		return false;
	}
	if (behaviour->options.per_second >= 0 && !limit_options(sim, transit->node))
		return false;
	if (behaviour->record_route != STAMP_STRIP)
		return true;
	parcel->length = forward_strip_options(parcel->bytes, parcel->length);
	return peek_read(parcel->bytes, parcel->length, false, &transit->peek);
}

/* RFC 791: "the outgoing address", where it does not do something else. The node's own packets carry the
 * address they come from, as with Linux. */
static struct addr stamp_address(
	const struct sim *sim, uint32_t node, uint32_t in, uint32_t out, struct addr source)
{
	const struct world_node *n = &sim->world->nodes[node];
	if (in == WORLD_NONE && n->behaviour.own_stamps != OWN_ALIAS)
		return source;
	if (in == WORLD_NONE && n->is_host)
		return node_private_address(node, 4);
	if (in == WORLD_NONE)
		return addr_equal(source, n->loopback[0]) ? sim->world->interfaces[out].address[0]
							  : n->loopback[0];
	switch (n->behaviour.record_route) {
	case STAMP_LOOPBACK: return n->loopback[0];
	case STAMP_PRIVATE: return node_private_address(node, 4);
	case STAMP_INBOUND: return sim->world->interfaces[in].address[0];
	default: return sim->world->interfaces[out].address[0];
	}
}

struct addr options_recorded(const struct sim *sim, uint32_t node, uint32_t in, uint32_t out)
{
	enum stamp habit = sim->world->nodes[node].behaviour.record_route;
	if (in == WORLD_NONE || sim->world->nodes[node].is_host || habit == STAMP_NONE ||
		habit == STAMP_DROP || habit == STAMP_STRIP)
		return ADDR_NONE;
	return stamp_address(sim, node, in, out, ADDR_NONE);
}

static size_t own_addresses(const struct sim *sim, uint32_t node, struct addr own[OWN_MAX])
{
	const struct world_node *n = &sim->world->nodes[node];
	size_t count = 0;
	if (!n->is_host)
		own[count++] = n->loopback[0];
	for (unsigned i = 0; i < n->interface_count && count < OWN_MAX; i++)
		own[count++] = sim->world->interfaces[n->interfaces[i]].address[0];
	return count;
}

/* The address that a prespecified timestamp waits for, whoever's it is. */
static size_t next_listed(const struct parcel *parcel, struct addr own[OWN_MAX])
{
	struct packet packet;
	if (packet_read(parcel->bytes, parcel->length, &packet) < 0)
		return 0;
	const struct timestamp_option *option = &packet.ip.timestamp;
	if (!option->present || option->used >= option->slots)
		return 0;
	own[0] = option->addrs[option->used];
	return 1;
}

static void stamp_time(
	struct sim *sim, uint32_t node, bool own_packet, struct addr address, struct parcel *parcel)
{
	struct addr own[OWN_MAX];
	enum time_habit habit = sim->world->nodes[node].behaviour.timestamp;
	if (habit == TIME_NONE)
		return;
	size_t count = habit == TIME_CARELESS && own_packet ? next_listed(parcel, own)
							    : own_addresses(sim, node, own);
	uint32_t ms = (uint32_t)(sim->now_ns / NS_PER_MS % 86400000);
	(void)forward_stamp_time(parcel->bytes, parcel->length, own, count, address, ms);
}

/* fib_compute_spec_dst: the address that Linux would answer from. */
static struct addr address_facing(struct sim *sim, uint32_t node, struct addr sender, struct addr other)
{
	struct route route = route_lookup(sim, node, sender);
	return route.kind == ROUTE_VIA ? sim->world->interfaces[route.via[0]].address[0] : other;
}

void options_stamp(struct sim *sim, uint32_t node, uint32_t in, uint32_t out, struct parcel *parcel)
{
	const struct behaviour *behaviour = &sim->world->nodes[node].behaviour;
	struct peek peek;
	if (in == WORLD_NONE && behaviour->own_stamps == OWN_NONE)
		return;
	if (!peek_read(parcel->bytes, parcel->length, false, &peek) || !peek.options)
		return;
	struct addr address = stamp_address(sim, node, in, out, peek.source);
	if (behaviour->record_route != STAMP_NONE)
		(void)forward_stamp_route(parcel->bytes, parcel->length, address);
	if (in != WORLD_NONE && behaviour->timestamp == TIME_LINUX)
		address = address_facing(sim, node, peek.source, address);
	stamp_time(sim, node, in == WORLD_NONE, address, parcel);
}

/* Linux fills the options as the request comes in, and again as the reply goes out (ip_options_compile,
 * ip_options_build). */
void options_stamp_arrival(struct sim *sim, uint32_t node, struct addr address, struct parcel *parcel)
{
	const struct behaviour *behaviour = &sim->world->nodes[node].behaviour;
	if (behaviour->own_stamps != OWN_TWICE)
		return;
	if (behaviour->record_route != STAMP_NONE)
		(void)forward_stamp_route(parcel->bytes, parcel->length, address);
	stamp_time(sim, node, false, address, parcel);
}
