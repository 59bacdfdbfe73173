#include "probe/engine.h"

#include <errno.h>
#include <string.h>

#include "base/cursor.h"

#define PAYLOAD_SIZE   16 /* token, hop limit, version, tag, two bytes that adjust the checksum */
#define PAYLOAD_PROOF  12 /* how many of them prove the probe */
#define PAYLOAD_LAYOUT 1

void engine_init(struct engine *engine, const struct engine_config *config)
{
	memset(engine, 0, sizeof(*engine));
	engine->config = *config;
}

static struct engine_slot *slot_of(struct engine *engine, uint32_t token)
{
	return &engine->slots[token % ENGINE_SLOTS];
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

static uint8_t protocol_number(const struct engine *engine)
{
	if (engine->config.protocol == PROBE_UDP)
		return PROTOCOL_UDP;
	return engine->config.destination.family == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
}

static void write_payload(uint8_t payload[PAYLOAD_SIZE], uint16_t token, uint8_t ttl, uint64_t tag)
{
	struct writer writer = writer_init(payload, PAYLOAD_SIZE);
	writer_u16(&writer, token);
	writer_u8(&writer, ttl);
	writer_u8(&writer, PAYLOAD_LAYOUT);
	writer_u64(&writer, tag);
	writer_zeros(&writer, PAYLOAD_SIZE - PAYLOAD_PROOF);
}

static int write_probe(const struct engine *engine, uint16_t token, uint8_t ttl, struct outgoing *outgoing)
{
	const struct engine_config *config = &engine->config;
	uint64_t tag = tag_of(engine, token, ttl);
	uint8_t payload[PAYLOAD_SIZE];
	write_payload(payload, token, ttl, tag);
	struct packet_spec spec = {
		.ip = {
			.source = config->source,
			.destination = config->destination,
			.tos = config->tos,
			.ttl = ttl,
			.protocol = protocol_number(engine),
			.id = ip_id_of(tag),
			.flow_label = config->flow.flow_label,
		},
		.transport = {.payload = payload, .payload_length = PAYLOAD_SIZE},
	};
	if (config->protocol == PROBE_UDP) {
		spec.transport.source_port = config->flow.source_port;
		spec.transport.destination_port = config->flow.destination_port;
		spec.force_checksum = token;
	} else {
		spec.transport.icmp_type = config->destination.family == 4 ? ICMP4_ECHO_REQUEST : ICMP6_ECHO_REQUEST;
		spec.transport.icmp_id = config->flow.icmp_id;
		spec.transport.icmp_seq = token;
		spec.force_checksum = config->flow.icmp_checksum;
	}
	struct writer writer = writer_init(outgoing->bytes, sizeof(outgoing->bytes));
	int result = packet_write(&writer, &spec);
	outgoing->length = writer.length;
	return result;
}

int engine_probe(struct engine *engine, uint8_t ttl, uint32_t user, int64_t now_ns, struct outgoing *outgoing)
{
	/* 0 would be "no checksum" in UDP, 0xffff is its other spelling (RFC 768). */
	uint16_t token = (uint16_t)(engine->last_token % 0xfffe + 1);
	int result = write_probe(engine, token, ttl, outgoing);
	if (result < 0)
		return result;
	outgoing->token = token;
	*slot_of(engine, token) = (struct engine_slot){.token = token, .ttl = ttl, .user = user, .sent_ns = now_ns};
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

/* The token that a returned payload proves, or 0. */
static uint16_t proven_token(const struct engine *engine, const struct transport *transport)
{
	if (!transport->payload)
		return 0;
	struct cursor cursor = cursor_init(transport->payload, transport->payload_length);
	uint16_t token = cursor_u16(&cursor);
	uint8_t ttl = cursor_u8(&cursor);
	cursor_skip(&cursor, 1);
	uint64_t tag = cursor_u64(&cursor);
	return cursor_ok(&cursor) && token && tag == tag_of(engine, token, ttl) ? token : 0;
}

/* The token of a short quote: 8 bytes, checked against the flow and, for IPv4, the ID that only we could know. */
static uint16_t quoted_token(const struct engine *engine, const struct packet *packet)
{
	const struct engine_config *config = &engine->config;
	const struct transport *quoted = &packet->quoted;
	uint16_t token;
	if (quoted->seen < 8 || !addr_equal(packet->quoted_ip.destination, config->destination))
		return 0;
	if (config->protocol == PROBE_UDP) {
		if (quoted->source_port != config->flow.source_port ||
			quoted->destination_port != config->flow.destination_port)
			return 0;
		token = quoted->checksum;
	} else {
		if (quoted->icmp_kind != ICMP_ECHO_REQUEST || quoted->icmp_id != config->flow.icmp_id)
			return 0;
		token = quoted->icmp_seq;
	}
	if (config->destination.family == 4) {
		uint64_t tag = tag_of(engine, token, engine->slots[token % ENGINE_SLOTS].ttl);
		if (packet->quoted_ip.header_length == 0 || packet->quoted_ip.id != ip_id_of(tag))
			return 0;
	}
	return token;
}

static uint16_t token_of(const struct engine *engine, const struct packet *packet)
{
	if (packet->has_quote) {
		if (packet->quoted_ip.protocol != protocol_number(engine))
			return 0;
		uint16_t token = proven_token(engine, &packet->quoted);
		/* A payload that is there and proves nothing is a forgery or another program's probe. */
		return token || packet->quoted.payload_length >= PAYLOAD_PROOF ? token : quoted_token(engine, packet);
	}
	if (engine->config.protocol == PROBE_ICMP && packet->transport.icmp_kind == ICMP_ECHO_REPLY &&
		packet->ip.protocol == protocol_number(engine) && packet->transport.icmp_id == engine->config.flow.icmp_id)
		return proven_token(engine, &packet->transport);
	return 0;
}

/* Did the destination answer? UDP: nobody listens there, the port or the protocol is unreachable (RFC 792,
 * RFC 4443 3.1). */
static bool is_arrival(const struct engine *engine, const struct packet *packet)
{
	const struct transport *transport = &packet->transport;
	if (transport->icmp_kind == ICMP_ECHO_REPLY)
		return true;
	if (transport->icmp_kind != ICMP_UNREACHABLE || engine->config.protocol != PROBE_UDP)
		return false;
	if (engine->config.destination.family == 6)
		return transport->icmp_code == 4;
	return transport->icmp_code == 3 ||
		(transport->icmp_code == 2 && addr_equal(packet->ip.source, engine->config.destination));
}

bool engine_match(struct engine *engine, int64_t received_ns, const struct packet *packet, struct reply *reply)
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
	*reply = (struct reply){
		.user = slot->user,
		.ttl = slot->ttl,
		.from = packet->ip.source,
		.kind = packet->transport.icmp_kind,
		.icmp_type = packet->transport.icmp_type,
		.icmp_code = packet->transport.icmp_code,
		.rtt_ns = MAX(0, received_ns - slot->sent_ns),
		.reply_ttl = packet->ip.ttl ? packet->ip.ttl : -1,
		.quoted_ttl = packet->has_quote && packet->quoted_ip.header_length ? packet->quoted_ip.ttl : -1,
		.mtu = packet->transport.icmp_mtu,
		.reached = is_arrival(engine, packet),
		.extensions = packet->extensions,
	};
	return true;
}
