#include "reverse/record_route_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"

#define ECHO_TRIES 2
#define UDP_TRIES  2

#define PATIENCE_FIRST_NS NS_PER_S /* while no round-trip time is known */
#define PATIENCE_MIN_NS	  (200 * NS_PER_MS)
#define PATIENCE_MAX_NS	  (3 * NS_PER_S)

#define PROBE_TTL 64
#define UDP_PORT  33434 /* and some more: nobody listens there */

/* 8 bytes tell our probes from what strangers make up; 2 keep the checksum, and with it the flow, the same.
 */
#define PAYLOAD_SIZE 10

/* ---- what is known so far */

const struct rr_probe *record_route_answer(const struct record_route *run, enum rr_question question)
{
	for (unsigned i = 0; i < run->count; i++) {
		const struct rr_probe *probe = &run->probes[i];
		if (probe->question == question && probe->answered)
			return probe;
	}
	return NULL;
}

static unsigned tries(const struct record_route *run, enum rr_question question)
{
	unsigned count = 0;
	for (unsigned i = 0; i < run->count; i++)
		count += run->probes[i].question == question;
	return count;
}

/* The list in a quote that tells where the target is: as it arrived there, or right before. */
static const struct route_option *quoted_list(const struct record_route *run, enum rr_question question)
{
	const struct rr_probe *probe = record_route_answer(run, question);
	return probe && probe->list.present ? &probe->list : NULL;
}

bool record_route_verdict(const struct record_route *run, struct rr_verdict *verdict)
{
	const struct rr_probe *echo = record_route_answer(run, RR_ECHO);
	const struct rr_probe *udp = record_route_answer(run, RR_UDP);
	if (!echo || echo->kind != ICMP_ECHO_REPLY || !echo->list.present)
		return false;
	struct rr_known known = {
		.target = run->task.target,
		.source = run->task.source,
		.reply = &echo->list,
		.reply_ttl = echo->reply_ttl,
		.quote = quoted_list(run, RR_UDP),
		.expired = quoted_list(run, RR_EXPIRING),
		.forward = run->forward,
		/* Who calls its own port unreachable is the target. */
		.aliases = udp ? &udp->from : NULL,
		.alias_count = udp != NULL,
	};
	rr_judge(&known, verdict);
	return true;
}

/* ---- what to ask next */

static bool ask(struct record_route *run, enum rr_question question, int ttl)
{
	if (run->count == OPTION_PACKETS_MAX)
		return false;
	run->probes[run->count++] = (struct rr_probe){
		.question = question, .ttl = (uint8_t)ttl, .id = (uint16_t)(run->tag >> 8 * run->count)};
	return true;
}

/* A full list that the way there alone would have filled: to ask where the target is in it is a waste. */
static bool out_of_reach(const struct record_route *run, const struct rr_verdict *verdict)
{
	return verdict->full && run->forward_length > RECORD_ROUTE_SLOTS_MAX;
}

static bool ask_next(struct record_route *run)
{
	struct rr_verdict verdict;
	const struct rr_probe *echo = record_route_answer(run, RR_ECHO);
	if (!echo)
		return tries(run, RR_ECHO) < ECHO_TRIES && ask(run, RR_ECHO, PROBE_TTL);
	if (!record_route_verdict(run, &verdict) || verdict.rule <= RR_RULE_ALIAS ||
		out_of_reach(run, &verdict))
		return false;
	if (!record_route_answer(run, RR_UDP)) {
		if (tries(run, RR_UDP) < UDP_TRIES)
			return ask(run, RR_UDP, PROBE_TTL);
	}
	bool quoted = quoted_list(run, RR_UDP) != NULL;
	return !quoted && run->forward_length > 2 && tries(run, RR_EXPIRING) == 0 &&
		ask(run, RR_EXPIRING, run->forward_length - 1);
}

static int64_t patience(const struct record_route *run)
{
	int64_t rtt_ns = run->rtt_ns ? run->rtt_ns : run->task.rtt_hint_ns;
	return rtt_ns ? MIN(MAX(3 * rtt_ns, PATIENCE_MIN_NS), PATIENCE_MAX_NS) : PATIENCE_FIRST_NS;
}

/* ---- sending */

static int write_probe(struct record_route *run, unsigned index, struct outgoing *outgoing)
{
	struct rr_probe *probe = &run->probes[index];
	uint8_t payload[PAYLOAD_SIZE] = {0};
	struct writer body = writer_init(payload, sizeof(payload));
	writer_u64(&body, run->tag);
	struct packet_spec spec = {
		.ip = {.source = run->task.source,
			.destination = run->task.target,
			.ttl = probe->ttl,
			.id = probe->id,
			.protocol = probe->question == RR_UDP ? PROTOCOL_UDP : PROTOCOL_ICMP},
		.transport = {.payload = payload, .payload_length = sizeof(payload)},
		/* One flow for all requests, so that balancers send them the same way. */
		.force_checksum = run->source_port,
	};
	spec.ip.route = (struct route_option){.present = true, .type = 7, .slots = RECORD_ROUTE_SLOTS_MAX};
	for (unsigned i = 0; i < RECORD_ROUTE_SLOTS_MAX; i++)
		spec.ip.route.addrs[i] = addr_v4(0);
	if (probe->question == RR_UDP) {
		spec.transport.source_port = run->source_port;
		spec.transport.destination_port = (uint16_t)(UDP_PORT + index);
	} else {
		spec.transport.icmp_type = ICMP4_ECHO_REQUEST;
		spec.transport.icmp_id = run->icmp_id;
		spec.transport.icmp_seq = (uint16_t)(index + 1);
	}
	struct writer writer = writer_init(outgoing->bytes, sizeof(outgoing->bytes));
	int result = packet_write(&writer, &spec);
	outgoing->length = writer.length;
	outgoing->token = index;
	return result;
}

static enum machine_want end(struct record_route *run, int64_t now_ns)
{
	if (!run->done)
		run->ended_ns = now_ns;
	run->done = true;
	return MACHINE_DONE;
}

static enum machine_want on_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct record_route *run = self;
	const struct rr_probe *last = run->count ? &run->probes[run->count - 1] : NULL;
	if (run->done)
		return MACHINE_DONE;
	if (last && !last->answered && last->error == 0 && now_ns < last->sent_ns + patience(run)) {
		*wake_ns = last->sent_ns + patience(run);
		return MACHINE_WAIT;
	}
	if (run->count == 0)
		run->started_ns = now_ns;
	if (!ask_next(run) || write_probe(run, run->count - 1, outgoing) < 0)
		return end(run, now_ns);
	run->probes[run->count - 1].sent_ns = now_ns;
	return MACHINE_SEND;
}

static void on_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct record_route *run = self;
	if (token >= run->count)
		return;
	run->probes[token].sent_ns = sent_ns;
	run->probes[token].error = error;
}

/* ---- receiving */

static bool has_tag(const struct record_route *run, const struct transport *transport)
{
	struct cursor body = cursor_init(transport->payload, transport->payload_length);
	return cursor_u64(&body) == run->tag && cursor_ok(&body);
}

/* The probe that this packet answers, or NULL. */
static struct rr_probe *find_probe(struct record_route *run, const struct packet *packet)
{
	const struct transport *t = packet->has_quote ? &packet->quoted : &packet->transport;
	if (packet->transport.icmp_kind == ICMP_ECHO_REPLY) {
		unsigned index = t->icmp_seq - 1u;
		bool ours = t->icmp_code == 0 && t->icmp_id == run->icmp_id && index < run->count &&
			run->probes[index].question != RR_UDP && has_tag(run, t);
		return ours ? &run->probes[index] : NULL;
	}
	if (!packet->has_quote || !addr_equal(packet->quoted_ip.destination, run->task.target))
		return NULL;
	for (unsigned i = 0; i < run->count; i++) {
		struct rr_probe *probe = &run->probes[i];
		bool udp = packet->quoted_ip.protocol == PROTOCOL_UDP;
		bool same = udp ? t->source_port == run->source_port && t->destination_port == UDP_PORT + i
				: t->icmp_id == run->icmp_id && t->icmp_seq == i + 1;
		if (udp == (probe->question == RR_UDP) && same && packet->quoted_ip.id == probe->id)
			return probe;
	}
	return NULL;
}

/* Is it an answer that the question can use? */
static bool serves(const struct rr_probe *probe, const struct packet *packet)
{
	enum icmp_kind kind = packet->transport.icmp_kind;
	switch (probe->question) {
	case RR_ECHO: return kind != ICMP_TIME_EXCEEDED;
	case RR_UDP: return kind == ICMP_UNREACHABLE && packet->transport.icmp_code == 3;
	case RR_EXPIRING: break;
	}
	return kind == ICMP_TIME_EXCEEDED;
}

static void on_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct record_route *run = self;
	struct rr_probe *probe = find_probe(run, packet);
	if (!probe || probe->answered || !serves(probe, packet))
		return;
	probe->answered = true;
	probe->kind = packet->transport.icmp_kind;
	probe->icmp_code = packet->transport.icmp_code;
	probe->from = packet->ip.source;
	probe->reply_ttl = packet->ip.ttl;
	probe->list = packet->has_quote ? packet->quoted_ip.route : packet->ip.route;
	if (run->rtt_ns == 0)
		run->rtt_ns = MAX(received_ns - probe->sent_ns, 1);
}

/* ---- life */

static void *start(const struct reverse_task *task)
{
	if (task->target.family != 4 || task->source.family != 4)
		return NULL;
	struct record_route *run = calloc(1, sizeof(*run));
	if (!run)
		return NULL;
	run->task = *task;
	/* The seed numbers the responder's requests, too: what comes of it here must be something else. */
	static const char purpose[] = "record route";
	run->tag = hash_bytes((struct hash_key){task->seed, task->seed}, purpose, sizeof(purpose));
	run->icmp_id = (uint16_t)(run->tag >> 48);
	run->source_port = (uint16_t)(run->tag >> 32) | 0x8000;
	return run;
}

static void on_hint(void *self, int64_t rtt_ns)
{
	struct record_route *run = self;
	run->task.rtt_hint_ns = rtt_ns;
}

static void on_known(void *self, const struct path *forward)
{
	struct record_route *run = self;
	run->forward = forward;
	if (forward && forward->reached && forward->hop_count > 0)
		run->forward_length = MAX(forward->hops[forward->hop_count - 1].ttl, 0);
}

unsigned record_route_sent(const struct record_route *run)
{
	return run->count;
}

static struct machine machine_of(void *run)
{
	static const struct machine_ops ops = {.next = on_next, .sent = on_sent, .packet = on_packet};
	return (struct machine){.ops = &ops, .self = run};
}

const struct reverse_method record_route_method = {
	.name = "record-route",
	.ipv4 = true,
	.early = true,
	.start = start,
	.machine = machine_of,
	.hint = on_hint,
	.known = on_known,
	.path = record_route_path,
	.status = record_route_status,
	.duration_ns = record_route_duration_ns,
	.free = free,
};
