#include "serve/responder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "packet/responder.h"
#include "serve/admission.h"
#include "serve/errands.h"
#include "serve/probe_code.h"

#define QUEUE_SIZE   256 /* power of two; a driver that sends after every packet needs one */
#define RESPONSE_TTL 64	 /* as deployed */

/* Something that will leave when the driver asks next. */
struct job {
	bool is_probe;
	struct probe_order probe;
	struct {
		struct addr server, requester;
		uint16_t id;
		struct responder_response body;
	} response;
};

struct responder {
	struct probe_code code;
	struct admission admission;
	const struct prefix *allow;
	size_t allow_count;
	const struct prefix *targets;
	size_t target_count;
	struct errands *errands; /* NULL: nobody may be probed for others */
	struct addr *addresses;
	size_t address_count;
	struct job queue[QUEUE_SIZE];
	size_t head, tail; /* free-running */
	struct responder_counters counters;
};

static struct job *queue_add(struct responder *responder)
{
	if (responder->tail - responder->head == QUEUE_SIZE) {
		responder->counters.queue_full++;
		return NULL;
	}
	struct job *job = &responder->queue[responder->tail++ % QUEUE_SIZE];
	*job = (struct job){0};
	return job;
}

static bool is_own(const struct responder *responder, struct addr addr)
{
	for (size_t i = 0; i < responder->address_count; i++)
		if (addr_equal(responder->addresses[i], addr))
			return true;
	return false;
}

/* An address a request or an answer may come from. Link-local ones would need an interface to go with them.
 */
static bool is_foreign(const struct responder *responder, struct addr addr)
{
	return addr_is_unicast(addr) && !addr_is_loopback(addr) && !addr_is_link_local(addr) &&
		!is_own(responder, addr);
}

static bool is_allowed(const struct responder *responder, struct addr addr)
{
	for (size_t i = 0; i < responder->allow_count; i++)
		if (prefix_contains(responder->allow[i], addr))
			return true;
	return responder->allow_count == 0;
}

static void send_notice(struct responder *responder, int64_t now_ns, const struct packet *packet,
	uint8_t status, uint16_t refused)
{
	struct addr requester = packet->ip.source;
	if (!admission_notice(&responder->admission, now_ns, requester))
		return;
	struct job *job = queue_add(responder);
	if (!job)
		return;
	job->response.server = packet->ip.destination;
	job->response.requester = requester;
	job->response.id = packet->transport.icmp_id;
	job->response.body.status = status;
	job->response.body.refused = refused;
	/* The cookie makes the notice longer: only for requests that are longer still. */
	if (packet->ip.total_length >= admission_notice_size(requester.family, true))
		job->response.body.cookie = admission_cookie(&responder->admission, requester, now_ns);
	if (packet->ip.total_length >= admission_notice_size(requester.family, true) + RESPONDER_SEEN_BLOCK)
		job->response.body.seen = requester;
}

/* The protocol number that a request means, or -1. */
static int wanted_protocol(uint8_t family, uint8_t protocol)
{
	int icmp = family == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
	if (protocol == 0)
		return icmp;
	return protocol == icmp || protocol == PROTOCOL_UDP || protocol == PROTOCOL_TCP ? protocol : -1;
}

static uint16_t default_flow(uint8_t protocol)
{
	return protocol == PROTOCOL_UDP	   ? FLOW_DEFAULT_UDP
		: protocol == PROTOCOL_TCP ? FLOW_DEFAULT_TCP
					   : FLOW_DEFAULT_ICMP;
}

/* `errand`: NULL where the requester is the destination. */
static void send_probe(struct responder *responder, const struct packet *packet,
	const struct responder_request *request, uint8_t protocol, const struct errand *errand)
{
	struct job *job = queue_add(responder);
	if (!job)
		return;
	job->is_probe = true;
	job->probe = (struct probe_order){
		.server = packet->ip.destination,
		.requester = errand ? errand->target : packet->ip.source,
		.errand = errand != NULL,
		.id = errand ? errand->number : packet->transport.icmp_id,
		.ttl = request->ttl,
		.protocol = protocol,
		.flow = request->flow ? request->flow : default_flow(protocol),
		.tos = packet->ip.tos,
		.flow_label = packet->ip.flow_label,
	};
}

/* The third party, where the request names one that may be probed. */
static struct addr allowed_target(
	const struct responder *responder, uint8_t family, const struct responder_request *request)
{
	struct addr target = request->target;
	if (addr_is_set(target) && family == 4)
		target = addr_v4((uint32_t)target.low);
	if (!addr_is_set(target) || !is_foreign(responder, target))
		return ADDR_NONE;
	for (size_t i = 0; i < responder->target_count; i++)
		if (prefix_contains(responder->targets[i], target))
			return target;
	return ADDR_NONE;
}

static void handle_extension(struct responder *responder, int64_t now_ns, const struct packet *packet,
	const struct responder_request *request, uint8_t protocol)
{
	struct addr target = allowed_target(responder, packet->ip.source.family, request);
	if (request->extension_cut)
		return;
	if (!addr_is_set(target)) {
		responder->counters.refused_target++;
		send_notice(responder, now_ns, packet, RESPONDER_BAD_EXTENSION, request->extension);
		return;
	}
	if (!admission_probe(&responder->admission, now_ns, packet, request) ||
		!admission_target(&responder->admission, now_ns, target))
		return;
	struct errand *errand = errands_add(responder->errands, now_ns);
	if (!errand) {
		responder->counters.queue_full++;
		return;
	}
	errand->server = packet->ip.destination;
	errand->requester = packet->ip.source;
	errand->target = target;
	errand->id = packet->transport.icmp_id;
	send_probe(responder, packet, request, protocol, errand);
}

static void handle_request(struct responder *responder, int64_t now_ns, const struct packet *packet)
{
	struct responder_request request;
	struct cursor body = cursor_init(packet->transport.payload, packet->transport.payload_length);
	if (!packet->checksum_ok || responder_request_read(&body, &request))
		return;
	if (!is_foreign(responder, packet->ip.source)) {
		responder->counters.refused_source++;
		return;
	}
	responder->counters.requests++;
	if (!is_allowed(responder, packet->ip.source)) {
		responder->counters.refused_allow++;
		return;
	}
	int protocol = wanted_protocol(packet->ip.source.family, request.protocol);
	if (request.ttl == 0) {
		responder->counters.hellos++;
		send_notice(responder, now_ns, packet, RESPONDER_BAD_TTL, 0);
	} else if (protocol < 0) {
		send_notice(responder, now_ns, packet, RESPONDER_BAD_PROTOCOL, 0);
	} else if (request.has_extension) {
		handle_extension(responder, now_ns, packet, &request, (uint8_t)protocol);
	} else if (admission_probe(&responder->admission, now_ns, packet, &request)) {
		send_probe(responder, packet, &request, (uint8_t)protocol, NULL);
	}
}

/* The answer to a probe on somebody's behalf: he is the requester from here on. */
static bool read_errand(struct responder *responder, int64_t received_ns, const struct packet *packet,
	struct probe_answer *answer)
{
	if (!responder->errands || !probe_decode_errand(&responder->code, packet, received_ns, answer))
		return false;
	const struct errand *errand =
		errands_take(responder->errands, answer->id, answer->requester, received_ns);
	if (!errand || !addr_equal(errand->server, answer->server))
		return false;
	answer->requester = errand->requester;
	answer->id = errand->id;
	return true;
}

static void handle_answer(struct responder *responder, int64_t received_ns, const struct packet *packet)
{
	struct probe_answer answer;
	if (!addr_is_unicast(packet->ip.source) || is_own(responder, packet->ip.source))
		return;
	/* An errand first: that there is one proves more than the stamp of a direct TCP answer, which fits by
	 * chance once in four times. */
	if (!read_errand(responder, received_ns, packet, &answer) &&
		!probe_decode(&responder->code, packet, received_ns, &answer))
		return;
	if (!is_foreign(responder, answer.requester) || !is_allowed(responder, answer.requester))
		return;
	if (!admission_answer(&responder->admission, received_ns, answer.requester, answer.strong))
		return;
	struct job *job = queue_add(responder);
	if (!job)
		return;
	job->response.server = answer.server;
	job->response.requester = answer.requester;
	job->response.id = answer.id;
	job->response.body.status = RESPONDER_OK;
	job->response.body.hop = answer.hop;
	/* 32 bits on the wire */
	job->response.body.rtt_ns = (uint64_t)MIN(answer.rtt_ns, (int64_t)UINT32_MAX);
}

static void on_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct responder *responder = self;
	if (packet->ip.more_fragments || packet->ip.has_fragment || packet->ip.fragment_offset ||
		!is_own(responder, packet->ip.destination))
		return;
	if (packet->transport.icmp_kind == ICMP_ECHO_REQUEST) {
		if (packet->transport.icmp_code == RESPONDER_CODE)
			handle_request(responder, received_ns, packet);
	} else {
		handle_answer(responder, received_ns, packet);
	}
}

static int write_response(const struct job *job, struct writer *writer)
{
	uint8_t bytes[RESPONDER_SUCCESS_BODY + RESPONDER_COOKIE_BLOCK + RESPONDER_SEEN_BLOCK];
	struct writer body = writer_init(bytes, sizeof(bytes));
	responder_response_write(&body, &job->response.body);
	bool v4 = job->response.requester.family == 4;
	struct packet_spec spec = {
		.ip =
			{
				.source = job->response.server,
				.destination = job->response.requester,
				.ttl = RESPONSE_TTL,
				.protocol = v4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6,
				.dont_fragment = true,
			},
		.transport =
			{
				.icmp_kind = ICMP_ECHO_REPLY,
				.icmp_type = v4 ? (uint8_t)ICMP4_ECHO_REPLY : (uint8_t)ICMP6_ECHO_REPLY,
				.icmp_code = RESPONDER_CODE,
				.icmp_id = job->response.id,
				.payload = bytes,
				.payload_length = body.length,
			},
	};
	return writer_ok(&body) ? packet_write(writer, &spec) : -ENOBUFS;
}

static void count_sent(struct responder_counters *counters, const struct job *job)
{
	if (job->is_probe)
		counters->probes++;
	else if (job->response.body.status == RESPONDER_OK)
		counters->responses++;
	else
		counters->notices++;
}

static enum machine_want on_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct responder *responder = self;
	while (responder->head != responder->tail) {
		const struct job *job = &responder->queue[responder->head++ % QUEUE_SIZE];
		struct writer writer = writer_init(outgoing->bytes, sizeof(outgoing->bytes));
		int error = job->is_probe ? probe_encode(&responder->code, &job->probe, now_ns, &writer)
					  : write_response(job, &writer);
		if (error)
			continue;
		count_sent(&responder->counters, job);
		outgoing->token = 0;
		outgoing->length = writer.length;
		return MACHINE_SEND;
	}
	*wake_ns = TIME_NEVER;
	return MACHINE_WAIT;
}

/* The time of sending is in the probe already; a failed send is as good as a lost packet. */
static void on_sent(void *self, uint32_t token UNUSED, int64_t sent_ns UNUSED, int error)
{
	struct responder *responder = self;
	if (error)
		responder->counters.send_failed++;
}

struct machine responder_machine(struct responder *responder)
{
	static const struct machine_ops ops = {.next = on_next, .sent = on_sent, .packet = on_packet};
	return (struct machine){.ops = &ops, .self = responder};
}

struct responder *responder_new(const struct responder_config *config)
{
	struct responder *responder = calloc(1, sizeof(*responder));
	if (!responder)
		return NULL;
	/* Different purposes, different keys, so that no tag can serve as another. */
	struct hash_key admission_key = {config->key.k0 ^ 0x61646d6974, config->key.k1};
	unsigned rate = config->rate ? config->rate : RESPONDER_RATE_DEFAULT;
	unsigned prefix_rate = config->prefix_rate ? config->prefix_rate : RESPONDER_PREFIX_RATE_DEFAULT;
	if (admission_init(&responder->admission, admission_key, rate, prefix_rate)) {
		free(responder);
		return NULL;
	}
	responder->code = (struct probe_code){
		.key = config->key,
		.port = config->port,
		.icmp_prefix = config->icmp_prefix,
	};
	responder->allow = config->allow;
	responder->allow_count = config->allow_count;
	responder->targets = config->targets;
	responder->target_count = config->target_count;
	if (config->target_count > 0 && !(responder->errands = calloc(1, sizeof(*responder->errands)))) {
		responder_free(responder);
		return NULL;
	}
	return responder;
}

void responder_free(struct responder *responder)
{
	if (!responder)
		return;
	admission_deinit(&responder->admission);
	free(responder->errands);
	free(responder->addresses);
	free(responder);
}

int responder_set_addresses(struct responder *responder, const struct addr *addresses, size_t count)
{
	struct addr *copy = calloc(count ? count : 1, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	if (count)
		memcpy(copy, addresses, count * sizeof(*copy));
	free(responder->addresses);
	responder->addresses = copy;
	responder->address_count = count;
	return 0;
}

struct responder_counters responder_counters(const struct responder *responder)
{
	struct responder_counters counters = responder->counters;
	const struct gate *gates = responder->admission.gates;
	counters.over_prefix = gates[GATE_PROVEN].over_prefix + gates[GATE_PAID].over_prefix +
		gates[GATE_TARGET].over_prefix;
	counters.over_total =
		gates[GATE_PROVEN].over_total + gates[GATE_PAID].over_total + gates[GATE_TARGET].over_total;
	counters.over_first_contact =
		gates[GATE_FIRST_CONTACT].over_prefix + gates[GATE_FIRST_CONTACT].over_total;
	counters.over_notice = gates[GATE_NOTICE].over_prefix + gates[GATE_NOTICE].over_total;
	counters.over_answer = gates[GATE_ANSWER].over_prefix + gates[GATE_ANSWER].over_total +
		gates[GATE_WEAK_ANSWER].over_prefix + gates[GATE_WEAK_ANSWER].over_total;
	return counters;
}
