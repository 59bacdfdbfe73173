#include "probe/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

#define PAYLOAD_SIZE	16 /* token, hop limit, version, tag, two bytes that adjust the checksum */
#define PAYLOAD_PROOF	12 /* how many of them prove the probe */
#define PAYLOAD_LAYOUT	1
#define PAYLOAD_SIZE_IP 8 /* all that a router must quote */
#define TCP_WINDOW	5840
#define WINDOW_SCALE	2
#define SLOTS_AT_FIRST	32

/* A question to a name server: header, question, and an EDNS option that carries what a payload must. */
#define DNS_TYPE_NS	2
#define DNS_TYPE_OPT	41 /* RFC 6891 6.1 */
#define DNS_CLASS_IN	1
#define DNS_RECURSE	0x0100
#define DNS_ANSWER_MAX	512
#define DNS_LOCAL_USE	65001 /* RFC 6891 9: for local and experimental use */
#define DNS_OPTION_SIZE 12    /* hop limit, version, tag, two bytes that adjust the checksum */
#define DNS_SIZE	(12 + 5 + 11 + 4 + DNS_OPTION_SIZE)
#define DNS_PROOF	(DNS_SIZE - 2)

void engine_init(struct engine *engine, const struct engine_config *config)
{
	memset(engine, 0, sizeof(*engine));
	engine->config = *config;
}

void engine_deinit(struct engine *engine)
{
	free(engine->slots);
	engine->slots = NULL;
	engine->slot_count = 0;
}

/* Where the token is, if it is anywhere. */
static struct engine_slot *slot_of(const struct engine *engine, uint32_t token)
{
	static struct engine_slot never; /* of an engine that has sent nothing; stays unused */
	return engine->slot_count ? &engine->slots[token % engine->slot_count] : &never;
}

/* Twice the room, and everyone in his new place. Without memory the oldest probes are forgotten instead. */
static int grow(struct engine *engine)
{
	unsigned count = engine->slot_count ? 2 * engine->slot_count : SLOTS_AT_FIRST;
	struct engine_slot *slots = calloc(count, sizeof(*slots));
	if (!slots)
		return engine->slot_count ? 0 : -ENOMEM;
	for (unsigned i = 0; i < engine->slot_count; i++)
		if (engine->slots[i].token)
			slots[engine->slots[i].token % count] = engine->slots[i];
	free(engine->slots);
	engine->slots = slots;
	engine->slot_count = count;
	return 0;
}

/* Keyed over everything that makes this probe this probe. */
static uint64_t tag_of(const struct engine *engine, uint16_t token, uint8_t ttl)
{
	struct addr destination = engine->config.destination;
	uint64_t words[3] = {destination.high, destination.low, (uint64_t)token << 8 | ttl};
	return hash_bytes(engine->config.key, words, sizeof(words));
}

/* An IPv4 ID of 0 would be replaced by the kernel on a raw socket (raw(7)). */
static uint16_t ip_id_of(uint64_t tag)
{
	uint16_t id = (uint16_t)tag;
	return id ? id : 1;
}

static uint32_t tcp_sequence_of(uint16_t token, uint64_t tag)
{
	return (uint32_t)(tag >> 16 & 0xffff) << 16 | token;
}

static uint8_t protocol_number(const struct engine_config *config)
{
	switch (config->protocol) {
	case PROBE_UDP: return PROTOCOL_UDP;
	case PROBE_TCP: return PROTOCOL_TCP;
	case PROBE_UDPLITE: return PROTOCOL_UDPLITE;
	case PROBE_IP: return config->ip_protocol;
	case PROBE_ICMP: break;
	}
	return config->destination.family == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
}

static bool has_ports(const struct engine_config *config)
{
	return config->protocol != PROBE_ICMP && config->protocol != PROBE_IP;
}

/* ---- building ---- */

static uint16_t payload_size_min(const struct engine_config *config)
{
	return config->protocol == PROBE_TCP   ? 0
		: config->protocol == PROBE_IP ? PAYLOAD_SIZE_IP
		: config->dns		       ? DNS_SIZE
					       : PAYLOAD_SIZE;
}

static void describe_options(const struct tcp_options *options, uint64_t tag, struct transport *transport)
{
	transport->tcp_mss = transport->tcp_flags & TCP_SYN ? options->mss : 0;
	transport->tcp_sack_permitted = options->sack;
	transport->tcp_has_timestamps = options->timestamps;
	transport->tcp_timestamp_value = (uint32_t)(tag >> 32);
	transport->tcp_has_window_scale = options->window_scale;
	transport->tcp_window_scale = WINDOW_SCALE;
}

static unsigned tcp_size(const struct engine_config *config)
{
	struct transport transport = {.tcp_flags = config->tcp_flags ? config->tcp_flags : TCP_SYN};
	describe_options(&config->tcp_options, 0, &transport);
	return 20 + tcp_options_length(&transport);
}

uint16_t engine_size_min(const struct engine_config *config)
{
	unsigned ip = config->destination.family == 4 ? 20 : 40;
	unsigned transport = config->protocol == PROBE_TCP ? tcp_size(config)
		: config->protocol == PROBE_IP		   ? 0
							   : 8;
	return (uint16_t)(ip + transport + payload_size_min(config));
}

/* "Who are the name servers of the root?" (RFC 1035 4.1): every resolver knows, and the answer is small. */
static void write_question(struct writer *writer, uint16_t token, uint8_t ttl, uint64_t tag)
{
	const uint16_t header[] = {token, DNS_RECURSE, 1, 0, 0, 1};
	for (size_t i = 0; i < ARRAY_LEN(header); i++)
		writer_u16(writer, header[i]);
	writer_u8(writer, 0);
	writer_u16(writer, DNS_TYPE_NS);
	writer_u16(writer, DNS_CLASS_IN);
	writer_u8(writer, 0);
	writer_u16(writer, DNS_TYPE_OPT);
	writer_u16(writer, DNS_ANSWER_MAX);
	writer_u32(writer, 0);
	writer_u16(writer, 4 + DNS_OPTION_SIZE);
	writer_u16(writer, DNS_LOCAL_USE);
	writer_u16(writer, DNS_OPTION_SIZE);
	writer_u8(writer, ttl);
	writer_u8(writer, PAYLOAD_LAYOUT);
	writer_u64(writer, tag);
}

static void write_payload(
	const struct engine *engine, struct writer *writer, uint16_t token, uint8_t ttl, size_t length)
{
	uint64_t tag = tag_of(engine, token, ttl);
	if (engine->config.dns) {
		write_question(writer, token, ttl, tag);
	} else if (engine->config.protocol != PROBE_TCP) {
		writer_u16(writer, token);
		writer_u8(writer, ttl);
		writer_u8(writer, PAYLOAD_LAYOUT);
		if (engine->config.protocol == PROBE_IP)
			writer_u32(writer, (uint32_t)tag);
		else
			writer_u64(writer, tag);
	}
	writer_zeros(writer, length - writer->length);
}

static void describe_transport(const struct engine *engine, const struct flow *flow, uint16_t token,
	uint64_t tag, struct packet_spec *spec)
{
	const struct engine_config *config = &engine->config;
	struct transport *transport = &spec->transport;
	transport->source_port = flow->source_port;
	transport->destination_port = flow->destination_port;
	switch (config->protocol) {
	case PROBE_UDP:
	case PROBE_UDPLITE: spec->force_checksum = token; break;
	case PROBE_ICMP:
		transport->icmp_type =
			config->destination.family == 4 ? ICMP4_ECHO_REQUEST : ICMP6_ECHO_REQUEST;
		transport->icmp_id = config->flow.icmp_id;
		transport->icmp_seq = token;
		spec->force_checksum = flow->icmp_checksum;
		break;
	case PROBE_TCP:
		transport->tcp_flags = config->tcp_flags ? config->tcp_flags : TCP_SYN;
		transport->tcp_sequence = tcp_sequence_of(token, tag);
		if (transport->tcp_flags & TCP_ACK)
			transport->tcp_acknowledgement =
				transport->tcp_sequence; /* a reset answers with it */
		transport->tcp_window = TCP_WINDOW;
		describe_options(&config->tcp_options, tag, transport);
		break;
	case PROBE_IP: break;
	}
}

static int write_probe(const struct engine *engine, uint16_t token, const struct probe_request *request,
	struct outgoing *outgoing)
{
	const struct engine_config *config = &engine->config;
	const struct flow *flow = request->flow ? request->flow : &config->flow;
	uint64_t tag = tag_of(engine, token, request->ttl);
	uint16_t least = engine_size_min(config);
	uint16_t size = request->size ? request->size : config->size ? config->size : least;
	uint8_t payload[OUTGOING_SIZE_MAX];
	if (size < least || size > OUTGOING_SIZE_MAX)
		return -EINVAL;
	size_t payload_length = (size_t)(size - least) + payload_size_min(config);
	struct writer payload_writer = writer_init(payload, payload_length);
	write_payload(engine, &payload_writer, token, request->ttl, payload_length);
	struct packet_spec spec = {
		.ip =
			{
				.source = config->source,
				.destination = config->destination,
				.tos = config->tos,
				.ttl = request->ttl,
				.protocol = protocol_number(config),
				.id = ip_id_of(tag),
				.dont_fragment = config->dont_fragment || request->dont_fragment,
				.flow_label = flow->flow_label,
			},
		.transport = {.payload = payload, .payload_length = payload_length},
	};
	if (config->destination.family == 6)
		spec.ip.dont_fragment = false;
	describe_transport(engine, flow, token, tag, &spec);
	struct writer writer = writer_init(outgoing->bytes, sizeof(outgoing->bytes));
	int result = packet_write(&writer, &spec);
	outgoing->length = writer.length;
	return result;
}

int engine_probe(
	struct engine *engine, const struct probe_request *request, int64_t now_ns, struct outgoing *outgoing)
{
	/* 0 would be "no checksum" in UDP, 0xffff is its other spelling (RFC 768). */
	uint16_t token = (uint16_t)(engine->last_token % 0xfffe + 1);
	const struct flow *flow = request->flow ? request->flow : &engine->config.flow;
	int result = write_probe(engine, token, request, outgoing);
	if (result < 0)
		return result;
	bool taken = slot_of(engine, token)->token != 0 && engine->slot_count < ENGINE_SLOTS;
	if ((engine->slot_count == 0 || taken) && grow(engine) < 0)
		return -ENOMEM;
	outgoing->token = token;
	*slot_of(engine, token) = (struct engine_slot){
		.token = token,
		.ttl = request->ttl,
		.source_port = has_ports(&engine->config) ? flow->source_port : 0,
		.destination_port = has_ports(&engine->config) ? flow->destination_port : 0,
		.user = request->user,
		.sent_ns = now_ns,
	};
	engine->last_token = token;
	engine->sent++;
	return 0;
}

void engine_sent(struct engine *engine, uint32_t token, int64_t sent_ns)
{
	struct engine_slot *slot = slot_of(engine, token);
	if (slot->token == token && !slot->answered)
		slot->sent_ns = sent_ns;
}

/* ---- matching ---- */

/* The token that a returned payload proves, or 0. */
static uint16_t proven_token(const struct engine *engine, const struct transport *transport)
{
	if (!transport->payload || engine->config.protocol == PROBE_TCP)
		return 0;
	struct cursor cursor = cursor_init(transport->payload, transport->payload_length);
	uint16_t token = cursor_u16(&cursor);
	if (engine->config.dns)
		cursor_skip(&cursor, DNS_SIZE - DNS_OPTION_SIZE - 2);
	uint8_t ttl = cursor_u8(&cursor);
	cursor_skip(&cursor, 1);
	uint64_t tag = tag_of(engine, token, ttl);
	bool good = engine->config.protocol == PROBE_IP ? cursor_u32(&cursor) == (uint32_t)tag
							: cursor_u64(&cursor) == tag;
	return cursor_ok(&cursor) && token && good ? token : 0;
}

/* Bytes of payload that cannot but prove the probe, when they come back. */
static size_t proof_size(const struct engine *engine)
{
	return engine->config.protocol == PROBE_TCP   ? SIZE_MAX
		: engine->config.protocol == PROBE_IP ? PAYLOAD_SIZE_IP
		: engine->config.dns		      ? DNS_PROOF
						      : PAYLOAD_PROOF;
}

/* A TCP sequence number proves its token with 16 bits. */
static uint16_t tcp_token(const struct engine *engine, uint32_t sequence)
{
	uint16_t token = (uint16_t)sequence;
	uint8_t ttl = slot_of(engine, token)->ttl;
	return sequence == tcp_sequence_of(token, tag_of(engine, token, ttl)) ? token : 0;
}

/* The token of a short quote: 8 bytes, checked against the flow and, for IPv4, the ID that only we could
 * know. */
static uint16_t quoted_token(const struct engine *engine, const struct packet *packet)
{
	const struct engine_config *config = &engine->config;
	const struct transport *quoted = &packet->quoted;
	uint16_t token = 0;
	if (quoted->seen < 8 || !addr_equal(packet->quoted_ip.destination, config->destination))
		return 0;
	switch (config->protocol) {
	case PROBE_UDP:
	case PROBE_UDPLITE: token = quoted->checksum; break;
	case PROBE_TCP: token = tcp_token(engine, quoted->tcp_sequence); break;
	case PROBE_ICMP:
		if (quoted->icmp_kind == ICMP_ECHO_REQUEST && quoted->icmp_id == config->flow.icmp_id)
			token = quoted->icmp_seq;
		break;
	case PROBE_IP: break; /* its 8 bytes are the proof */
	}
	const struct engine_slot *slot = slot_of(engine, token);
	if (has_ports(config) &&
		(quoted->source_port != slot->source_port ||
			quoted->destination_port != slot->destination_port))
		return 0;
	/* A driver that has not seen the quoted header knows the probe by the socket it came to. */
	bool whole = packet->quoted_ip.header_length != 0;
	if (config->destination.family == 4 && whole &&
		packet->quoted_ip.id != ip_id_of(tag_of(engine, token, slot->ttl)))
		return 0;
	return token;
}

/* Do the ports say that this answers that probe? */
static bool is_between(const struct engine_slot *slot, const struct transport *answer)
{
	return slot->token && answer->source_port == slot->destination_port &&
		answer->destination_port == slot->source_port;
}

/* A service answered: it gives our bytes back, or begins with our number as name servers do; or there is only
 * one probe that it can mean. */
static uint16_t served_token(const struct engine *engine, const struct transport *answer)
{
	uint16_t token = proven_token(engine, answer), only = 0;
	if (token)
		return token;
	struct cursor cursor = cursor_init(answer->payload, answer->payload ? answer->payload_length : 0);
	token = cursor_u16(&cursor);
	if (cursor_ok(&cursor) && slot_of(engine, token)->token == token &&
		is_between(slot_of(engine, token), answer))
		return token;
	for (unsigned i = 0; i < engine->slot_count && !engine->config.dns; i++) {
		const struct engine_slot *slot = &engine->slots[i];
		if (slot->answered || !is_between(slot, answer))
			continue;
		if (only)
			return 0;
		only = slot->token;
	}
	return only;
}

/* A SYN counts for one (RFC 9293 3.4), other probes for none. What acknowledges is reset with the number that
 * it acknowledged (3.10.7.1). */
static uint16_t tcp_answered_token(const struct engine *engine, const struct transport *transport)
{
	uint8_t sent = engine->config.tcp_flags ? engine->config.tcp_flags : TCP_SYN;
	if (!(transport->tcp_flags & TCP_ACK))
		return transport->tcp_flags & TCP_RST && sent & TCP_ACK
			? tcp_token(engine, transport->tcp_sequence)
			: 0;
	return tcp_token(engine, transport->tcp_acknowledgement - (sent & (TCP_SYN | TCP_FIN) ? 1 : 0));
}

static uint16_t answered_token(const struct engine *engine, const struct packet *packet)
{
	const struct engine_config *config = &engine->config;
	const struct transport *transport = &packet->transport;
	if (packet->ip.protocol != protocol_number(config))
		return 0;
	if (config->protocol == PROBE_ICMP && transport->icmp_kind == ICMP_ECHO_REPLY &&
		transport->icmp_id == config->flow.icmp_id)
		return proven_token(engine, transport);
	if ((config->protocol == PROBE_UDP || config->protocol == PROBE_UDPLITE) &&
		addr_equal(packet->ip.source, config->destination))
		return served_token(engine, transport);
	if (config->protocol != PROBE_TCP || !addr_equal(packet->ip.source, config->destination))
		return 0;
	uint16_t token = tcp_answered_token(engine, transport);
	return is_between(slot_of(engine, token), transport) ? token : 0;
}

static uint16_t token_of(const struct engine *engine, const struct packet *packet)
{
	if (!packet->has_quote)
		return answered_token(engine, packet);
	if (packet->quoted_ip.protocol != protocol_number(&engine->config))
		return 0;
	uint16_t token = proven_token(engine, &packet->quoted);
	/* A payload that is there and proves nothing is a forgery or another program's probe. */
	return token || packet->quoted.payload_length >= proof_size(engine) ? token
									    : quoted_token(engine, packet);
}

/* Did the destination answer? UDP: nobody listens there, the port or the protocol is unreachable (RFC 792,
 * RFC 4443 3.1). TCP: it said yes or no. */
static bool is_arrival(const struct engine *engine, const struct packet *packet)
{
	const struct transport *transport = &packet->transport;
	bool from_destination = addr_equal(packet->ip.source, engine->config.destination);
	if (!packet->has_quote)
		return true;
	if (engine->config.destination.family == 6) {
		/* RFC 4443 3.4: an unknown next header is a parameter problem. */
		if (transport->icmp_kind == ICMP_PARAMETER_PROBLEM)
			return transport->icmp_code == 1 && from_destination;
		return transport->icmp_kind == ICMP_UNREACHABLE && transport->icmp_code == 4;
	}
	if (transport->icmp_kind != ICMP_UNREACHABLE)
		return false;
	return transport->icmp_code == 3 || (transport->icmp_code == 2 && from_destination);
}

static struct reply_header header_of(const struct packet *packet)
{
	bool whole = packet->ip.header_length != 0;
	return (struct reply_header){
		.ttl = packet->ip.ttl ? packet->ip.ttl : -1,
		.tos = whole ? packet->ip.tos : -1,
		.id = whole && packet->ip.source.family == 4 ? packet->ip.id : -1,
		.size = whole ? (int)packet->ip.total_length : -1,
	};
}

/* What the quote says; `slot` is the probe as it was sent. */
static struct quoted_header quoted_of(
	const struct engine *engine, const struct packet *packet, const struct engine_slot *slot)
{
	const struct transport *transport = &packet->quoted;
	bool whole = packet->has_quote && packet->quoted_ip.header_length != 0;
	bool ports = whole && has_ports(&engine->config) && transport->seen >= 4;
	bool checksum = whole && transport->seen >= 8 && engine->config.protocol != PROBE_TCP &&
		engine->config.protocol != PROBE_IP;
	bool numbered = engine->config.protocol == PROBE_UDP || engine->config.protocol == PROBE_UDPLITE;
	bool translated = whole &&
		(!addr_equal(packet->quoted_ip.source, engine->config.source) ||
			!addr_equal(packet->quoted_ip.destination, engine->config.destination) ||
			(ports && transport->source_port != slot->source_port));
	return (struct quoted_header){
		.ttl = whole ? packet->quoted_ip.ttl : -1,
		.tos = whole ? packet->quoted_ip.tos : -1,
		.id = whole && packet->quoted_ip.source.family == 4 ? packet->quoted_ip.id : -1,
		.size = whole ? (int)packet->quoted_ip.total_length : -1,
		.source = whole ? packet->quoted_ip.source : ADDR_NONE,
		.destination = whole ? packet->quoted_ip.destination : ADDR_NONE,
		.source_port = ports ? transport->source_port : -1,
		.destination_port = ports ? transport->destination_port : -1,
		.checksum = checksum ? transport->checksum : -1,
		.checksum_changed = checksum && numbered && !translated && transport->checksum != slot->token,
	};
}

bool engine_match(
	struct engine *engine, int64_t received_ns, const struct packet *packet, struct reply *reply)
{
	uint16_t token = token_of(engine, packet);
	struct engine_slot *slot = slot_of(engine, token);
	if (token == 0 || slot->token != token) {
		engine->foreign++;
		return false;
	}
	if (slot->answered) {
		engine->late_or_duplicate++;
		return false;
	}
	slot->answered = true;
	engine->received++;
	bool icmp = packet->has_quote || engine->config.protocol == PROBE_ICMP;
	*reply = (struct reply){
		.user = slot->user,
		.ttl = slot->ttl,
		.from = packet->ip.source,
		.kind = packet->transport.icmp_kind,
		.icmp_type = icmp ? packet->transport.icmp_type : -1,
		.icmp_code = icmp ? packet->transport.icmp_code : -1,
		.tcp_flags = icmp ? 0 : packet->transport.tcp_flags,
		.rtt_ns = MAX(0, received_ns - slot->sent_ns),
		.mtu = packet->transport.icmp_mtu,
		.reached = is_arrival(engine, packet),
		.header = header_of(packet),
		.quoted = quoted_of(engine, packet, slot),
		.extensions = packet->extensions,
	};
	return true;
}
