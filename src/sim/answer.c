/* What nodes say themselves: ICMP errors, echo replies, resets. */
#include "sim/core.h"

#include <string.h>

#include "base/clock.h"
#include "packet/forward.h"

#define ROUTER_TTL 255 /* what most routers put into packets of their own */
#define HOST_TTL   64

/* RFC 1812 4.3.2.3: errors of at most 576 bytes. RFC 4443 2.4 (c): of at most 1280. */
static size_t quote_length(
	const struct behaviour *behaviour, const struct packet *packet, size_t length, bool extended)
{
	size_t room = packet->ip.source.family == 4 ? 576 - 28 : 1280 - 48;
	if (extended)
		room = 128; /* what is quoted in front of extensions by most who send them */
	return MIN(length, MIN(room, behaviour->quote_bytes));
}

/* A token bucket per destination of the errors, as in Linux (icmp_ratelimit); destinations that share a place
 * in the table push each other out. */
static bool may_complain(struct sim *sim, uint32_t node, struct addr to)
{
	const struct behaviour *behaviour = &sim->world->nodes[node].behaviour;
	uint64_t hash = hash_addr((struct hash_key){sim->seed, node}, to);
	struct bucket *bucket = &sim->buckets[(size_t)node * BUCKETS + hash % BUCKETS];
	if (!addr_equal(bucket->to, to))
		*bucket =
			(struct bucket){.to = to, .tokens = behaviour->error_burst, .filled_ns = sim->now_ns};
	double earned = behaviour->errors_per_second * (double)(sim->now_ns - bucket->filled_ns) / NS_PER_S;
	bucket->tokens = MIN(bucket->tokens + earned, (double)behaviour->error_burst);
	bucket->filled_ns = sim->now_ns;
	if (bucket->tokens < 1) {
		sim->counts.rate_limited++;
		return false;
	}
	bucket->tokens -= 1;
	return true;
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
	if (!n->is_host && n->behaviour.error_source == STAMP_OUTBOUND) {
		struct route route = route_lookup(sim, node, towards);
		if (route.kind == ROUTE_VIA)
			interface = route.via[0];
	}
	return sim->world->interfaces[interface].address[family];
}

/* A packet of the node's own: header fields that are alike for all of them. */
static struct ip_header own_header(
	struct sim *sim, uint32_t node, struct addr from, struct addr to, uint8_t protocol)
{
	return (struct ip_header){
		.source = from,
		.destination = to,
		.ttl = sim->world->nodes[node].is_host ? HOST_TTL : ROUTER_TTL,
		.protocol = protocol,
		.id = from.family == 4 ? sim->ip_id++ : 0,
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
	int64_t delay_ns = sim->world->nodes[node].behaviour.reply_delay_ns;
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

void answer_error(struct sim *sim, uint32_t node, uint32_t interface, const struct parcel *about,
	const struct complaint *complaint)
{
	const struct behaviour *behaviour = &sim->world->nodes[node].behaviour;
	struct packet packet;
	if (behaviour->silent || packet_read(about->bytes, about->length, &packet) < 0 ||
		!deserves_error(&packet) || !may_complain(sim, node, packet.ip.source))
		return;
	bool v4 = packet.ip.source.family == 4;
	struct addr source = answer_source(sim, node, interface, packet.ip.source);
	bool extended = complaint->tunnel && !complaint->tunnel->unlabelled;
	struct icmp_extensions extensions = extended ? label_stack(complaint) : (struct icmp_extensions){0};
	struct packet_spec spec = {
		.ip = own_header(sim, node, source, packet.ip.source, v4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6),
		.transport =
			{
				.icmp_type = v4 ? complaint->type4 : complaint->type6,
				.icmp_code = v4 ? complaint->code4 : complaint->code6,
				.payload = about->bytes,
				.payload_length = quote_length(behaviour, &packet, about->length, extended),
			},
		.extensions = extended ? &extensions : NULL,
	};
	struct parcel *parcel = compose(sim, &spec);
	if (parcel && complaint->tunnel) {
		/* A router inside knows only labels: its error goes on to the egress, which routes it back.
		 */
		parcel->tunnel = about->tunnel;
		parcel->tunnel_at = complaint->tunnel_at;
		parcel->label_ttl = 255;
	}
	sim->counts.errors += parcel != NULL;
	depart(sim, node, parcel);
}

/* RFC 1122 3.2.2.6: the reply takes the record route and timestamp options along; like Linux, the node stamps
 * the request as it comes in and the reply as it goes out. */
static void answer_echo(struct sim *sim, uint32_t node, struct parcel *parcel, struct packet *packet)
{
	bool v4 = packet->ip.source.family == 4;
	const struct world_node *n = &sim->world->nodes[node];
	if (packet->ip.route.present && (n->is_host || n->behaviour.record_route != STAMP_NONE) &&
		forward_stamp_route(parcel->bytes, parcel->length, packet->ip.destination) &&
		packet_read(parcel->bytes, parcel->length, packet) < 0)
		return;
	struct packet_spec spec = {
		.ip = own_header(sim, node, packet->ip.destination, packet->ip.source,
			v4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6),
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

/* RFC 9293 3.5.2: a reset for a segment that no connection knows. */
static void answer_reset(struct sim *sim, uint32_t node, const struct packet *packet)
{
	const struct transport *in = &packet->transport;
	if (in->tcp_flags & TCP_RST || in->seen < 20)
		return;
	bool acked = in->tcp_flags & TCP_ACK;
	uint32_t length = (uint32_t)in->payload_length + ((in->tcp_flags & TCP_SYN) != 0) +
		((in->tcp_flags & TCP_FIN) != 0);
	struct packet_spec spec = {
		.ip = own_header(sim, node, packet->ip.destination, packet->ip.source, PROTOCOL_TCP),
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
	static const struct complaint port = {ICMP4_UNREACHABLE, 3, ICMP6_UNREACHABLE, 4, NULL, 0, 0};
	struct packet packet;
	if (packet_read(parcel->bytes, parcel->length, &packet) < 0 || !packet.checksum_ok ||
		!addr_is_unicast(packet.ip.source))
		return;
	switch (packet.ip.protocol) {
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		if (packet.transport.icmp_kind == ICMP_ECHO_REQUEST)
			answer_echo(sim, node, parcel, &packet);
		break;
	case PROTOCOL_UDP: answer_error(sim, node, interface, parcel, &port); break;
	case PROTOCOL_TCP: answer_reset(sim, node, &packet); break;
	default: break;
	}
}
