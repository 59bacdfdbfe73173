#include "serve/probe_code.h"

#include "base/clock.h"
#include "base/cursor.h"

#define TICK_BITS	18
#define TICK_NS		(INT64_C(1) << TICK_BITS)
#define TICK_MASK	(TICK_NS - 1)
#define STAMP_LIFE	(1 << 14) /* ticks: 2^32 ns */
#define LIFE_NS		(INT64_C(1) << 32)
#define COOKIE_TIME	((UINT64_C(1) << 48) - 1)
#define FINE_TIME	((UINT64_C(1) << 34) - 1) /* stamp and the time below a tick */
#define CLOCK_JITTER_NS NS_PER_MS /* a receive stamp may seem earlier than the send by this much */
#define PROBE_WINDOW	1024
#define PROBE_MSS	1460

enum tag_use { TAG_STAMP, TAG_COOKIE, TAG_TCP_ID, TAG_TCP_ACK };

/* The constant of a flow: what comes back whatever part of the probe does. `flow` is the destination port or
 * the ICMP id. */
struct trail {
	struct addr server, requester;
	uint16_t id;
	uint8_t protocol;
	uint16_t flow;
	bool errand;
};

static uint64_t make_tag(
	const struct probe_code *code, const struct trail *trail, enum tag_use use, uint64_t time)
{
	uint64_t words[6] = {
		trail->requester.high,
		trail->requester.low,
		trail->server.high,
		trail->server.low,
		(uint64_t)trail->errand << 48 | (uint64_t)use << 40 | (uint64_t)trail->protocol << 32 |
			(uint64_t)trail->flow << 16 | trail->id,
		time,
	};
	return hash_bytes(code->key, words, sizeof(words));
}

static uint16_t stamp_mask(const struct probe_code *code, const struct trail *trail)
{
	return (uint16_t)make_tag(code, trail, TAG_STAMP, 0);
}

static uint16_t make_stamp(const struct probe_code *code, const struct trail *trail, int64_t now_ns)
{
	return (uint16_t)(now_ns >> TICK_BITS) ^ stamp_mask(code, trail);
}

/* An IPv4 id of zero would be replaced by the kernel (raw(7)); rather be one tick early. */
static uint16_t make_nonzero_stamp(const struct probe_code *code, const struct trail *trail, int64_t now_ns)
{
	uint16_t stamp = make_stamp(code, trail, now_ns);
	return stamp ? stamp : make_stamp(code, trail, now_ns - TICK_NS);
}

static uint16_t tcp_ip_id(const struct probe_code *code, const struct trail *trail, uint16_t stamp)
{
	uint16_t tag = (uint16_t)make_tag(code, trail, TAG_TCP_ID, stamp);
	return tag ? tag : 1;
}

static uint32_t tcp_acknowledgement(
	const struct probe_code *code, const struct trail *trail, uint16_t stamp, uint32_t fine)
{
	uint64_t tag = make_tag(code, trail, TAG_TCP_ACK, (uint64_t)stamp << TICK_BITS | fine);
	return (uint32_t)(tag << TICK_BITS) | fine;
}

/* Constant for a flow and different between flows, for routers that hash the ICMP id. */
static uint16_t icmp_id(const struct probe_code *code, uint16_t flow)
{
	uint64_t words[1] = {flow};
	return (uint16_t)(code->icmp_prefix << 8 | (hash_bytes(code->key, words, sizeof(words)) & 0xff));
}

static void write_cookie(
	const struct probe_code *code, const struct trail *trail, int64_t now_ns, struct writer *writer)
{
	uint64_t time = (uint64_t)now_ns & COOKIE_TIME;
	uint64_t tag = make_tag(code, trail, TAG_COOKIE, time);
	writer_u64(writer, (uint64_t)trail->id << 48 | time);
	writer_u64(writer, tag << 16);
}

static void fill_tcp(
	const struct probe_code *code, const struct trail *trail, int64_t now_ns, struct packet_spec *spec)
{
	uint16_t stamp = make_stamp(code, trail, now_ns);
	uint32_t fine = (uint32_t)(now_ns & TICK_MASK);
	spec->ip.id = tcp_ip_id(code, trail, stamp);
	spec->transport.tcp_sequence = (uint32_t)trail->id << 16 | stamp;
	spec->transport.tcp_acknowledgement = tcp_acknowledgement(code, trail, stamp, fine);
	spec->transport.tcp_flags = TCP_SYN;
	spec->transport.tcp_window = PROBE_WINDOW;
	spec->transport.tcp_mss = PROBE_MSS;
}

static void fill_icmp(const struct trail *trail, uint16_t checksum, struct packet_spec *spec)
{
	spec->transport.icmp_kind = ICMP_ECHO_REQUEST;
	spec->transport.icmp_type =
		trail->requester.family == 4 ? (uint8_t)ICMP4_ECHO_REQUEST : (uint8_t)ICMP6_ECHO_REQUEST;
	spec->transport.icmp_id = trail->flow;
	spec->transport.icmp_seq = trail->id;
	spec->force_checksum = checksum;
}

static void fill_ip(const struct probe_order *order, struct ip_header *ip)
{
	ip->source = order->server;
	ip->destination = order->requester;
	ip->ttl = order->ttl;
	ip->tos = order->tos;
	ip->flow_label = order->flow_label;
	ip->protocol = order->protocol;
	ip->dont_fragment = true;
}

int probe_encode(
	const struct probe_code *code, const struct probe_order *order, int64_t now_ns, struct writer *writer)
{
	bool icmp = order->protocol == PROTOCOL_ICMP || order->protocol == PROTOCOL_ICMPV6;
	struct trail trail = {
		.server = order->server,
		.requester = order->requester,
		.id = order->id,
		.protocol = order->protocol,
		.flow = icmp ? icmp_id(code, order->flow) : order->flow,
		.errand = order->errand,
	};
	struct packet_spec spec = {0};
	fill_ip(order, &spec.ip);
	spec.transport.source_port = icmp ? 0 : code->port;
	spec.transport.destination_port = icmp ? 0 : order->flow;
	uint8_t cookie[PROBE_COOKIE_SIZE];
	if (order->protocol == PROTOCOL_TCP) {
		fill_tcp(code, &trail, now_ns, &spec);
	} else {
		struct writer payload = writer_init(cookie, sizeof(cookie));
		write_cookie(code, &trail, now_ns, &payload);
		spec.transport.payload = cookie;
		spec.transport.payload_length = sizeof(cookie);
		spec.ip.id = make_nonzero_stamp(code, &trail, now_ns);
		if (icmp)
			fill_icmp(&trail, order->flow, &spec);
		else /* RFC 768: 0 says "no checksum" */
			spec.force_checksum = order->id ? order->id : 0xffff;
	}
	return packet_write(writer, &spec);
}

/* Time since `sent`, both known modulo a power of two, `mask` + 1. Negative: not believable. */
static int64_t time_since(uint64_t sent, int64_t received_ns, uint64_t mask)
{
	uint64_t elapsed = ((uint64_t)received_ns - sent) & mask;
	if (mask - elapsed < CLOCK_JITTER_NS)
		return 0;
	return elapsed < LIFE_NS ? (int64_t)elapsed : -1;
}

static int64_t rtt_from_stamp(
	const struct probe_code *code, const struct trail *trail, uint16_t stamp, int64_t received_ns)
{
	uint16_t ticks = stamp ^ stamp_mask(code, trail);
	uint16_t elapsed = (uint16_t)((uint16_t)(received_ns >> TICK_BITS) - ticks);
	if (elapsed >= STAMP_LIFE)
		return -1;
	/* Sent somewhere within its tick: the middle is off by half of one at most. */
	int64_t rtt = elapsed * TICK_NS + (received_ns & TICK_MASK) - TICK_NS / 2;
	return MAX(rtt, 0);
}

static bool all_zero(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i])
			return false;
	return true;
}

/* Is there a cookie where one belongs? Routers that pad a short quote (RFC 4884 4.1) leave zeros there. */
static bool has_cookie(const struct transport *transport)
{
	return transport->payload_length >= PROBE_COOKIE_SIZE &&
		!all_zero(transport->payload, PROBE_COOKIE_SIZE);
}

static bool decode_cookie(const struct probe_code *code, const struct transport *transport,
	struct trail *trail, int64_t received_ns, struct probe_answer *answer)
{
	struct cursor cursor = cursor_init(transport->payload, transport->payload_length);
	uint64_t first = cursor_u64(&cursor);
	uint64_t second = cursor_u64(&cursor);
	trail->id = (uint16_t)(first >> 48);
	uint64_t time = first & COOKIE_TIME;
	if (!cursor_ok(&cursor) || (second ^ make_tag(code, trail, TAG_COOKIE, time) << 16) >> 16)
		return false;
	answer->rtt_ns = time_since(time, received_ns, COOKIE_TIME);
	answer->strong = true;
	return answer->rtt_ns >= 0;
}

/* A stamp in the IPv4 id, and the request id beside it. */
static bool decode_short(const struct probe_code *code, const struct packet *packet, struct trail *trail,
	uint16_t id, int64_t received_ns, struct probe_answer *answer)
{
	if (packet->quoted_ip.source.family != 4)
		return false; /* RFC 4443 2.4 (c) promises the whole probe */
	trail->id = id;
	answer->rtt_ns = rtt_from_stamp(code, trail, packet->quoted_ip.id, received_ns);
	return answer->rtt_ns >= 0;
}

static bool decode_udp_quote(const struct probe_code *code, const struct packet *packet, struct trail *trail,
	int64_t received_ns, struct probe_answer *answer)
{
	const struct transport *quoted = &packet->quoted;
	if (quoted->source_port != code->port)
		return false;
	trail->flow = quoted->destination_port;
	if (has_cookie(quoted))
		return decode_cookie(code, quoted, trail, received_ns, answer);
	/* 0xffff stands for the ids 0xffff and 0. */
	return decode_short(code, packet, trail, quoted->checksum, received_ns, answer) ||
		(quoted->checksum == 0xffff && decode_short(code, packet, trail, 0, received_ns, answer));
}

static bool decode_icmp_quote(const struct probe_code *code, const struct packet *packet, struct trail *trail,
	int64_t received_ns, struct probe_answer *answer)
{
	const struct transport *quoted = &packet->quoted;
	if (quoted->icmp_kind != ICMP_ECHO_REQUEST || quoted->icmp_code != 0 ||
		quoted->icmp_id != icmp_id(code, quoted->checksum))
		return false;
	trail->flow = quoted->icmp_id;
	if (has_cookie(quoted))
		return decode_cookie(code, quoted, trail, received_ns, answer);
	return decode_short(code, packet, trail, quoted->icmp_seq, received_ns, answer);
}

static bool decode_tcp_quote(const struct probe_code *code, const struct packet *packet, struct trail *trail,
	int64_t received_ns, struct probe_answer *answer)
{
	const struct transport *quoted = &packet->quoted;
	if (quoted->source_port != code->port)
		return false;
	uint16_t stamp = (uint16_t)quoted->tcp_sequence;
	trail->flow = quoted->destination_port;
	trail->id = (uint16_t)(quoted->tcp_sequence >> 16);
	if (packet->quoted_ip.source.family == 4 && packet->quoted_ip.id != tcp_ip_id(code, trail, stamp))
		return false;
	/* Cut off, padded with zeros, or zeroed by a firewall that tidies up. */
	if (quoted->seen < 12 || quoted->tcp_acknowledgement == 0) {
		answer->rtt_ns = rtt_from_stamp(code, trail, stamp, received_ns);
		return answer->rtt_ns >= 0;
	}
	uint32_t fine = quoted->tcp_acknowledgement & (uint32_t)TICK_MASK;
	if (quoted->tcp_acknowledgement != tcp_acknowledgement(code, trail, stamp, fine))
		return false;
	uint64_t ticks = stamp ^ stamp_mask(code, trail);
	answer->rtt_ns = time_since(ticks << TICK_BITS | fine, received_ns, FINE_TIME);
	answer->strong = true;
	return answer->rtt_ns >= 0;
}

/* Time exceeded in transit, or unreachable for whatever reason ("fragmentation needed" is one in IPv4). */
static bool is_hop_error(const struct packet *packet)
{
	const struct transport *icmp = &packet->transport;
	return (icmp->icmp_kind == ICMP_TIME_EXCEEDED && icmp->icmp_code == 0) ||
		icmp->icmp_kind == ICMP_UNREACHABLE ||
		(icmp->icmp_kind == ICMP_PACKET_TOO_BIG && packet->ip.source.family == 4);
}

static bool decode_quote(const struct probe_code *code, const struct packet *packet, int64_t received_ns,
	struct probe_answer *answer)
{
	const struct ip_header *ip = &packet->quoted_ip;
	if (!packet->has_quote || !packet->checksum_ok || packet->quoted.seen < 8 || ip->fragment_offset ||
		!addr_equal(ip->source, packet->ip.destination))
		return false;
	struct trail trail = {.server = ip->source,
		.requester = ip->destination,
		.protocol = ip->protocol,
		.errand = answer->errand};
	bool ours = false;
	if (ip->protocol == PROTOCOL_UDP)
		ours = decode_udp_quote(code, packet, &trail, received_ns, answer);
	else if (ip->protocol == PROTOCOL_TCP)
		ours = decode_tcp_quote(code, packet, &trail, received_ns, answer);
	else if (ip->protocol == (ip->source.family == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6))
		ours = decode_icmp_quote(code, packet, &trail, received_ns, answer);
	answer->requester = trail.requester;
	answer->id = trail.id;
	return ours;
}

/* The probe arrived where it was sent. */
static bool decode_direct(const struct probe_code *code, const struct packet *packet, int64_t received_ns,
	struct probe_answer *answer)
{
	const struct transport *reply = &packet->transport;
	struct trail trail = {
		.server = packet->ip.destination,
		.requester = packet->ip.source,
		.protocol = packet->ip.protocol,
		.errand = answer->errand,
	};
	bool ours = false;
	if (packet->ip.protocol != PROTOCOL_TCP) {
		trail.flow = reply->icmp_id;
		ours = reply->icmp_code == 0 && packet->checksum_ok && has_cookie(reply) &&
			decode_cookie(code, reply, &trail, received_ns, answer);
	} else if (reply->destination_port == code->port && reply->tcp_flags & TCP_ACK &&
		reply->tcp_flags & (TCP_RST | TCP_SYN)) {
		uint32_t sequence = reply->tcp_acknowledgement - 1;
		trail.flow = reply->source_port;
		trail.id = (uint16_t)(sequence >> 16);
		answer->rtt_ns = rtt_from_stamp(code, &trail, (uint16_t)sequence, received_ns);
		ours = answer->rtt_ns >= 0;
	}
	answer->requester = trail.requester;
	answer->id = trail.id;
	return ours;
}

static bool decode(const struct probe_code *code, const struct packet *packet, int64_t received_ns,
	bool errand, struct probe_answer *answer)
{
	*answer = (struct probe_answer){
		.server = packet->ip.destination, .hop = packet->ip.source, .errand = errand};
	if (packet->ip.protocol == PROTOCOL_TCP || packet->transport.icmp_kind == ICMP_ECHO_REPLY)
		return decode_direct(code, packet, received_ns, answer);
	return is_hop_error(packet) && decode_quote(code, packet, received_ns, answer);
}

bool probe_decode(const struct probe_code *code, const struct packet *packet, int64_t received_ns,
	struct probe_answer *answer)
{
	return decode(code, packet, received_ns, false, answer);
}

bool probe_decode_errand(const struct probe_code *code, const struct packet *packet, int64_t received_ns,
	struct probe_answer *answer)
{
	return decode(code, packet, received_ns, true, answer);
}
