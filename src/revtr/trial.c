#include "revtr/trial.h"

#define MAGIC	       0x72747674u /* "rtvt" */
#define PAYLOAD_LENGTH 32

/* ---- writing */

/* Never 0: that would be for the kernel to choose (ip(7), IP_HDRINCL). */
static uint16_t id_of(uint64_t tag)
{
	return (uint16_t)(0x8000 | (tag & 0x7fff));
}

static void write_payload(const struct agent_order *order, struct writer *content)
{
	writer_u32(content, MAGIC);
	writer_u32(content, order->task.id);
	writer_addr(content, order->task.target);
	writer_zeros(content, 4);
	writer_u64(content, order->tag);
	writer_u64(content, order->target_tag);
}

size_t trial_write(struct trial_memory *memory, const struct agent_order *order, struct addr own,
	uint8_t *bytes, size_t size, uint32_t *token)
{
	uint8_t payload[PAYLOAD_LENGTH];
	struct writer content = writer_init(payload, sizeof(payload));
	write_payload(order, &content);
	struct packet_spec spec = {
		.ip = {.source = order->task.spoofed ? order->source : own,
			.destination = order->task.target,
			.ttl = order->task.ttl,
			.id = id_of(order->tag),
			.protocol = PROTOCOL_ICMP,
			.route = {.present = order->task.options,
				.type = 7,
				.slots = RECORD_ROUTE_SLOTS_MAX}},
		.transport = {.icmp_type = ICMP4_ECHO_REQUEST,
			.icmp_id = (uint16_t)(order->task.id >> 16),
			.icmp_seq = (uint16_t)order->task.id,
			.payload = payload,
			.payload_length = content.length},
	};
	for (unsigned i = 0; i < RECORD_ROUTE_SLOTS_MAX; i++)
		spec.ip.route.addrs[i] = addr_v4(0);
	*token = memory->count++ % TRIALS_REMEMBERED;
	memory->sent[*token].order = *order;
	memory->sent[*token].told = false;
	struct writer writer = writer_init(bytes, size);
	return packet_write(&writer, &spec) == 0 ? writer.length : 0;
}

bool trial_sent(struct trial_memory *memory, uint32_t token, int error, struct revtr_answer *answer)
{
	if (token >= MIN(memory->count, (uint32_t)TRIALS_REMEMBERED) || memory->sent[token].told)
		return false;
	memory->sent[token].told = true; /* the driver may know a better time later */
	*answer = (struct revtr_answer){.task = memory->sent[token].order.task.id,
		.answered = true,
		.seen = error < 0 ? REVTR_SEEN_FAILED : REVTR_SEEN_SENT,
		.error = error};
	return true;
}

/* ---- hearing */

struct heard {
	uint32_t task;
	struct addr target;
	uint64_t tag, target_tag;
};

static bool read_payload(const struct transport *transport, struct heard *heard)
{
	struct cursor cursor = cursor_init(transport->payload, transport->payload_length);
	bool ours = cursor_u32(&cursor) == MAGIC;
	heard->task = cursor_u32(&cursor);
	heard->target = cursor_addr(&cursor, 4);
	cursor_skip(&cursor, 4);
	heard->tag = cursor_u64(&cursor);
	heard->target_tag = cursor_u64(&cursor);
	return ours && cursor_ok(&cursor) && heard->task != 0;
}

/* What this agent sent in its own name; NULL: it did not. */
static const struct agent_order *own_order(
	const struct trial_memory *memory, uint32_t task, struct addr target)
{
	for (uint32_t i = 0; i < MIN(memory->count, (uint32_t)TRIALS_REMEMBERED); i++) {
		const struct agent_order *order = &memory->sent[i].order;
		if (order->task.id == task && !order->task.spoofed && addr_equal(order->task.target, target))
			return order;
	}
	return NULL;
}

static bool hear_request(const struct hash_key *key, const struct packet *packet, struct revtr_answer *answer)
{
	struct heard heard;
	if (!key || !read_payload(&packet->transport, &heard) ||
		heard.target_tag !=
			agent_tag(*key, packet->ip.destination, packet->ip.destination, heard.task))
		return false;
	*answer = (struct revtr_answer){.task = heard.task, .seen = REVTR_SEEN_REQUEST};
	return true;
}

static bool hear_reply(const struct trial_memory *memory, struct addr own, const struct hash_key *key,
	const struct packet *packet, struct revtr_answer *answer)
{
	struct heard heard;
	if (!read_payload(&packet->transport, &heard) || !addr_equal(heard.target, packet->ip.source))
		return false;
	const struct agent_order *order = own_order(memory, heard.task, heard.target);
	bool own_one = order && order->tag == heard.tag && addr_equal(packet->ip.destination, own);
	if (!own_one &&
		(!key || heard.tag != agent_tag(*key, packet->ip.destination, heard.target, heard.task)))
		return false;
	*answer = (struct revtr_answer){.task = heard.task, .seen = REVTR_SEEN_REPLY};
	return true;
}

static bool hear_exceeded(const struct trial_memory *memory, struct addr own, const struct hash_key *key,
	const struct packet *packet, struct revtr_answer *answer)
{
	const struct ip_header *quoted = &packet->quoted_ip;
	uint32_t task = (uint32_t)packet->quoted.icmp_id << 16 | packet->quoted.icmp_seq;
	if (!packet->has_quote || quoted->protocol != PROTOCOL_ICMP ||
		packet->quoted.icmp_type != ICMP4_ECHO_REQUEST ||
		!addr_equal(quoted->source, packet->ip.destination))
		return false;
	const struct agent_order *order = own_order(memory, task, quoted->destination);
	bool own_one = order && id_of(order->tag) == quoted->id && addr_equal(packet->ip.destination, own);
	if (!own_one &&
		(!key ||
			quoted->id !=
				id_of(agent_tag(*key, packet->ip.destination, quoted->destination, task))))
		return false;
	*answer = (struct revtr_answer){.task = task, .seen = REVTR_SEEN_EXCEEDED};
	return true;
}

bool trial_hear(const struct trial_memory *memory, struct addr own, const struct hash_key *key,
	const struct packet *packet, struct revtr_answer *answer)
{
	enum icmp_kind kind = packet->transport.icmp_kind;
	bool heard = false;
	if (packet->ip.protocol != PROTOCOL_ICMP)
		return false;
	if (kind == ICMP_ECHO_REQUEST)
		heard = hear_request(key, packet, answer);
	else if (kind == ICMP_ECHO_REPLY)
		heard = hear_reply(memory, own, key, packet, answer);
	else if (kind == ICMP_TIME_EXCEEDED)
		heard = hear_exceeded(memory, own, key, packet, answer);
	if (!heard)
		return false;
	answer->answered = true;
	answer->from = packet->ip.source;
	answer->reply_ttl = packet->ip.ttl;
	if (answer->seen != REVTR_SEEN_EXCEEDED)
		answer->reply = packet->ip.route;
	return true;
}
