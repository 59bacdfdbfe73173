/* Address and port translation (RFC 3022), as home routers and carriers do it: every flow from inside gets
 * the address of the interface it leaves by, and its own port if nobody has it; from outside come only
 * packets of such flows, and errors about them, in which the quoted packet is put right again (RFC 5508 4.2).
 */
#include "sim/core.h"

#include "packet/translate.h"
#include "sim/flows.h"

#define PORT_FIRST 1024
#define PORT_COUNT (65536 - PORT_FIRST)
#define PORT_TRIES 4096

static bool is_inside(const struct sim *sim, uint32_t node, struct addr addr)
{
	return prefix_contains(sim->world->nodes[node].behaviour.nat->inside_prefix, addr);
}

/* The flow that a packet from outside belongs to, or whose packet an error from outside quotes. */
static const struct flow *flow_of_incoming(struct sim *sim, uint32_t node, const struct packet *packet)
{
	struct flow_key key;
	struct flows *flows = node_flows(sim, node);
	if (packet->has_quote)
		return flow_key_of(&packet->quoted_ip, &packet->quoted, &key)
			? flows_by_outside(flows, &key, sim->now_ns)
			: NULL;
	if (!flow_key_of(&packet->ip, &packet->transport, &key))
		return NULL;
	key = flow_key_reverse(&key);
	return flows_by_outside(flows, &key, sim->now_ns);
}

static bool comes_from_outside(const struct sim *sim, const struct transit *transit)
{
	return transit->peek.destination.family == 4 &&
		!is_inside(sim, transit->node, transit->peek.source) &&
		!is_inside(sim, transit->node, sim->world->interfaces[transit->in].address[0]);
}

bool nat_expects(struct sim *sim, const struct transit *transit)
{
	struct packet packet;
	return comes_from_outside(sim, transit) &&
		packet_read(transit->parcel->bytes, transit->parcel->length, &packet) == 0 &&
		flow_of_incoming(sim, transit->node, &packet) != NULL;
}

bool nat_enter(struct sim *sim, struct transit *transit)
{
	struct parcel *parcel = transit->parcel;
	struct packet packet;
	if (!comes_from_outside(sim, transit))
		return true;
	if (is_inside(sim, transit->node, transit->peek.destination)) {
		sim->counts.filtered++; /* such addresses mean nothing outside */
		return false;
	}
	const struct flow *flow = packet_read(parcel->bytes, parcel->length, &packet) == 0
		? flow_of_incoming(sim, transit->node, &packet)
		: NULL;
	if (!flow)
		return true; /* for the box itself */
	const struct flow_key *inside = &flow->inside;
	const struct file_nat *nat = sim->world->nodes[transit->node].behaviour.nat;
	if (packet.has_quote) {
		(void)translate_address(parcel->bytes, parcel->length, TRANSLATE_DESTINATION, inside->local);
		if (!nat->quotes || *nat->quotes)
			(void)translate_quote(parcel->bytes, parcel->length, TRANSLATE_SOURCE, inside->local,
				inside->local_port);
	} else {
		(void)translate_packet(parcel->bytes, parcel->length, TRANSLATE_DESTINATION, inside->local,
			inside->local_port);
	}
	return peek_read(parcel->bytes, parcel->length, false, &transit->peek);
}

/* Its own port, or another one that is free towards this target. */
static const struct flow *new_flow(
	struct sim *sim, struct flows *flows, const struct flow_key *inside, struct addr address)
{
	struct flow_key outside = *inside;
	outside.local = address;
	for (unsigned i = 0; flows && i < PORT_TRIES; i++) {
		if (!flows_by_outside(flows, &outside, sim->now_ns))
			return flows_add(flows, inside, &outside, sim->now_ns);
		outside.local_port = (uint16_t)(PORT_FIRST + rng_below(&sim->rng, PORT_COUNT));
	}
	return NULL;
}

static void leave_with_flow(struct sim *sim, uint32_t node, struct parcel *parcel, const struct flow_key *key,
	struct addr address)
{
	struct flows *flows = node_flows(sim, node);
	const struct flow *flow = flows_by_inside(flows, key, sim->now_ns);
	if (!flow)
		flow = new_flow(sim, flows, key, address);
	if (flow)
		(void)translate_packet(parcel->bytes, parcel->length, TRANSLATE_SOURCE, flow->outside.local,
			flow->outside.local_port);
}

/* An error from inside about a packet that came from outside, or about nothing known. */
static void leave_with_quote(struct sim *sim, uint32_t node, struct parcel *parcel,
	const struct packet *packet, struct addr address)
{
	struct flow_key key;
	const struct flow *flow = NULL;
	if (flow_key_of(&packet->quoted_ip, &packet->quoted, &key)) {
		key = flow_key_reverse(&key);
		flow = flows_by_inside(node_flows(sim, node), &key, sim->now_ns);
	}
	if (flow)
		(void)translate_quote(parcel->bytes, parcel->length, TRANSLATE_DESTINATION,
			flow->outside.local, flow->outside.local_port);
	(void)translate_address(parcel->bytes, parcel->length, TRANSLATE_SOURCE, address);
}

void nat_leave(struct sim *sim, struct transit *transit, uint32_t out)
{
	struct parcel *parcel = transit->parcel;
	struct packet packet;
	struct flow_key key;
	struct addr address = sim->world->interfaces[out].address[0];
	if (transit->peek.source.family != 4 || !is_inside(sim, transit->node, transit->peek.source) ||
		is_inside(sim, transit->node, transit->peek.destination) ||
		packet_read(parcel->bytes, parcel->length, &packet) < 0)
		return;
	if (packet.has_quote)
		leave_with_quote(sim, transit->node, parcel, &packet, address);
	else if (flow_key_of(&packet.ip, &packet.transport, &key))
		leave_with_flow(sim, transit->node, parcel, &key, address);
	else
		(void)translate_address(parcel->bytes, parcel->length, TRANSLATE_SOURCE, address);
}
