/* What nodes say themselves: ICMP errors, echo replies, resets. */
#include "sim/core.h"

#include <string.h>

#include "base/clock.h"
#include "packet/forward.h"

/* Errors of Linux have the options of what they are about (icmp_send, ip_options_echo), those of others have
 * none. */
static bool takes_options(const struct behaviour *behaviour, const struct packet *packet)
{
	return behaviour->error_source == STAMP_LINUX && packet->ip.source.family == 4 &&
		packet->ip.header_length > 20;
}

/* RFC 1812 4.3.2.3: errors of at most 576 bytes. RFC 4443 2.4 (c): of at most 1280. */
static size_t quote_length(
	const struct behaviour *behaviour, const struct packet *packet, size_t length, bool extended)
{
	size_t room = packet->ip.source.family == 4 ? 576 - 28 : 1280 - 48;
	if (takes_options(behaviour, packet))
		room -= packet->ip.header_length - 20u;
	if (extended)
		room = 128; /* what is quoted in front of extensions by most who send them */
	return MIN(length, MIN(room, behaviour->quote_bytes));
}

/* RFC 1122 3.2.2, RFC 4443 2.4 (e): never about errors, later fragments, or packets from or to nobody in
 * particular. */
static bool deserves_error(const struct packet *packet)
{
	switch (packet->transport.icmp_kind) {
	case ICMP_TIME_EXCEEDED:
	case ICMP_UNREACHABLE:
	case ICMP_PACKET_TOO_BIG:
	case ICMP_PARAMETER_PROBLEM: return false;
	default:
		return packet->ip.fragment_offset == 0 && addr_is_unicast(packet->ip.source) &&
			addr_is_unicast(packet->ip.destination);
	}
}

struct addr answer_source(struct sim *sim, uint32_t node, uint32_t interface, struct addr towards)
{
	const struct world_node *n = &sim->world->nodes[node];
	unsigned family = family_index(towards.family);
	if (!n->is_host && n->behaviour.error_source == STAMP_LOOPBACK)
		return n->loopback[family];
	if (!n->is_host && n->behaviour.error_source == STAMP_PRIVATE)
		return node_private_address(node, towards.family);
	bool outbound = n->behaviour.error_source == STAMP_OUTBOUND ||
		(n->behaviour.error_source == STAMP_LINUX && towards.family == 4);
	if (!n->is_host && outbound) {
		struct route route = route_lookup(sim, node, towards);
		if (route.kind == ROUTE_VIA)
			interface = route.via[0];
	}
	return sim->world->interfaces[interface].address[family];
}

static bool is_address_of(const struct world *world, uint32_t node, struct addr addr)
{
	const struct world_address *owner = world_find_address(world, addr);
	return owner && owner->node == node;
}

/* A packet of the node's own: header fields that are alike for all of them. */
static struct ip_header own_header(
	struct sim *sim, uint32_t node, struct addr from, struct addr to, uint8_t protocol, uint8_t ttl)
{
	struct node_state *state = node_state(sim, node);
	return (struct ip_header){
		.source = from,
		.destination = to,
		.ttl = ttl,
		.protocol = protocol,
		.id = from.family == 4 && state ? state->ip_id++ : 0,
	};
}

/* Write `spec` into a parcel; NULL when that is impossible. */
static struct parcel *compose(struct sim *sim, const struct packet_spec *spec)
{
	struct parcel *parcel = parcel_new(sim);
	if (!parcel)
		return NULL;
	struct writer writer = writer_init(parcel->bytes, sizeof(parcel->bytes));
	if (packet_write(&writer, spec) < 0) {
		parcel_drop(sim, parcel);
		return NULL;
	}
	parcel->length = writer.length;
	return parcel;
}

static void depart(struct sim *sim, uint32_t node, struct parcel *parcel)
{
	const struct behaviour *behaviour = &sim->world->nodes[node].behaviour;
	int64_t delay_ns = behaviour->reply_delay_ns;
	if (behaviour->reply_jitter_ns > 0)
		delay_ns += (int64_t)(rng_unit(&sim->rng) * (double)behaviour->reply_jitter_ns);
	if (parcel)
		sim_schedule(sim, sim->now_ns + delay_ns, EVENT_DEPART, node, parcel);
}

static struct icmp_extensions label_stack(const struct complaint *complaint)
{
	return (struct icmp_extensions){
		.present = true,
		.mpls_count = 1,
		.mpls = {{.label = complaint->tunnel->labels[complaint->tunnel_at],
			.bottom = true,
			.ttl = complaint->label_ttl}},
	};
}

/* It quotes the packet as stamped on arrival, and is stamped once more as it leaves. */
static void take_options(struct sim *sim, uint32_t node, struct parcel *copy, struct packet_spec *spec)
{
	struct packet packet;
	options_stamp_arrival(sim, node, spec->ip.source, copy);
	if (packet_read(copy->bytes, copy->length, &packet) < 0)
		return;
	spec->ip.route = packet.ip.route;
	spec->ip.timestamp = packet.ip.timestamp;
	spec->transport.payload = copy->bytes;
}

static struct parcel *compose_error(
	struct sim *sim, uint32_t node, const struct parcel *about, bool options, struct packet_spec *spec)
{
	struct parcel *copy = options ? parcel_new(sim) : NULL;
	if (copy) {
		copy->length = about->length;
		memcpy(copy->bytes, about->bytes, about->length);
		take_options(sim, node, copy, spec);
	}
	struct parcel *parcel = compose(sim, spec);
	if (copy)
		parcel_drop(sim, copy);
	return parcel;
}

void answer_error(struct sim *sim, uint32_t node, uint32_t interface, const struct parcel *about,
	const struct complaint *complaint)
{
	const struct behaviour *behaviour = &sim->world->nodes[node].behaviour;
	struct packet packet;
	if (behaviour->silent || packet_read(about->bytes, about->length, &packet) < 0 ||
		!deserves_error(&packet) || !limit_error(sim, node, packet.ip.source, complaint))
		return;
	bool v4 = packet.ip.source.family == 4;
	struct addr source = answer_source(sim, node, interface, packet.ip.source);
	if (behaviour->error_source == STAMP_LINUX && is_address_of(sim->world, node, packet.ip.destination))
		source = packet.ip.destination; /* icmp_send, icmp6_send */
	bool extended = complaint->tunnel && !complaint->tunnel->unlabelled;
	struct icmp_extensions extensions = extended ? label_stack(complaint) : (struct icmp_extensions){0};
	struct packet_spec spec = {
		.ip = own_header(sim, node, source, packet.ip.source, v4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6,
			behaviour->ttl_error),
		.transport =
			{
				.icmp_type = v4 ? complaint->type4 : complaint->type6,
				.icmp_code = v4 ? complaint->code4 : complaint->code6,
				.icmp_mtu = complaint->mtu,
				.icmp_pointer = complaint->pointer,
				.payload = about->bytes,
				.payload_length = quote_length(behaviour, &packet, about->length, extended),
			},
		.extensions = extended ? &extensions : NULL,
	};
	struct parcel *parcel = compose_error(sim, node, about, takes_options(behaviour, &packet), &spec);
	if (parcel && about->tunnel != WORLD_NONE) {
		/* A router inside knows only labels: its error goes on to the egress, which routes it back.
		 */
		parcel->tunnel = about->tunnel;
		parcel->tunnel_at = complaint->tunnel_at;
		parcel->label_ttl = 255;
	}
	sim->counts.errors += parcel != NULL;
	depart(sim, node, parcel);
}

/* RFC 1122 3.2.2.6: the reply takes the record route and timestamp options along. */
static void answer_echo(struct sim *sim, uint32_t node, struct parcel *parcel, struct packet *packet)
{
	bool v4 = packet->ip.source.family == 4, options = v4 && packet->ip.header_length > 20;
	const struct behaviour *behaviour = &sim->world->nodes[node].behaviour;
	if (behaviour->ping == PING_NONE || (behaviour->ping == PING_PLAIN && options))
		return;
	if (options) {
		options_stamp_arrival(sim, node, packet->ip.destination, parcel);
		if (packet_read(parcel->bytes, parcel->length, packet) < 0)
			return;
	}
	struct packet_spec spec = {
		.ip = own_header(sim, node, packet->ip.destination, packet->ip.source,
			v4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6, behaviour->ttl_echo),
		.transport = packet->transport,
	};
	spec.ip.tos = packet->ip.tos;
	spec.ip.flow_label = packet->ip.flow_label;
	spec.ip.route = packet->ip.route;
	spec.ip.timestamp = packet->ip.timestamp;
	spec.transport.icmp_type = v4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY;
	sim->counts.answered++;
	depart(sim, node, compose(sim, &spec));
}

void answer_reset(struct sim *sim, uint32_t node, const struct packet *packet)
{
	const struct transport *in = &packet->transport;
	if (in->tcp_flags & TCP_RST || in->seen < 20)
		return;
	bool acked = in->tcp_flags & TCP_ACK;
	uint32_t length = (uint32_t)in->payload_length + ((in->tcp_flags & TCP_SYN) != 0) +
		((in->tcp_flags & TCP_FIN) != 0);
	struct packet_spec spec = {
		.ip = own_header(sim, node, packet->ip.destination, packet->ip.source, PROTOCOL_TCP,
			sim->world->nodes[node].behaviour.ttl_reset),
		.transport =
			{
				.source_port = in->destination_port,
				.destination_port = in->source_port,
				.tcp_flags = acked ? TCP_RST : TCP_RST | TCP_ACK,
				.tcp_sequence = acked ? in->tcp_acknowledgement : 0,
				.tcp_acknowledgement = acked ? 0 : in->tcp_sequence + length,
			},
	};
	spec.ip.dont_fragment = true;
	sim->counts.answered++;
	depart(sim, node, compose(sim, &spec));
}

void answer_local(struct sim *sim, uint32_t node, uint32_t interface, struct parcel *parcel)
{
	static const struct complaint port = {
		.type4 = ICMP4_UNREACHABLE, .code4 = 3, .type6 = ICMP6_UNREACHABLE, .code6 = 4};
	/* RFC 1122 3.2.2.1, RFC 8200 4: nobody here speaks it. */
	static const struct complaint protocol = {
		.type4 = ICMP4_UNREACHABLE, .code4 = 2, .type6 = ICMP6_PARAMETER_PROBLEM, .code6 = 1};
	struct packet packet;
	if (!fragments_gather(sim, node, parcel) || packet_read(parcel->bytes, parcel->length, &packet) < 0 ||
		!packet.checksum_ok || !addr_is_unicast(packet.ip.source) ||
		!segments_welcome(sim, node, &packet))
		return;
	switch (packet.ip.protocol) {
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		if (packet.transport.icmp_kind == ICMP_ECHO_REQUEST)
			answer_echo(sim, node, parcel, &packet);
		break;
	case PROTOCOL_UDP:
	case PROTOCOL_UDPLITE: answer_error(sim, node, interface, parcel, &port); break;
	case PROTOCOL_TCP: answer_reset(sim, node, &packet); break;
	case PROTOCOL_NO_NEXT: break;
	default: answer_error(sim, node, interface, parcel, &protocol); break;
	}
}
