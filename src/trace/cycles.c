#include "trace/cycles.h"

#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"

#define HOSTS_AT_FIRST 10
#define PATIENCE_NS    (1000 * NS_PER_MS) /* at least, after the last cycle */

void cycles_init(
	struct cycles *cycles, const struct cycles_config *config, cycles_observer *observer, void *context)
{
	memset(cycles, 0, sizeof(*cycles));
	cycles->config = *config;
	cycles->config.max_ttl = MIN((unsigned)CYCLES_TTL_MAX, MAX(1u, config->max_ttl));
	cycles->config.first_ttl = MIN(MAX(1u, config->first_ttl), cycles->config.max_ttl);
	cycles->observer = observer;
	cycles->context = context;
	cycles->next_ttl = cycles->config.first_ttl;
	cycles->hosts = HOSTS_AT_FIRST;
	cycles->next_send_ns = INT64_MIN;
	engine_init(&cycles->engine, &config->engine);
	for (unsigned ttl = 0; ttl <= CYCLES_TTL_MAX; ttl++)
		series_init(&cycles->hops[ttl].series);
}

void cycles_deinit(struct cycles *cycles)
{
	engine_deinit(&cycles->engine);
}

static void tell(struct cycles *cycles, const struct cycles_event *event)
{
	if (cycles->observer)
		cycles->observer(cycles->context, event);
}

static bool is_destination(const struct cycles *cycles, const struct cycles_hop *hop)
{
	return hop->reached || addr_equal(hop->address, cycles->config.engine.destination);
}

unsigned cycles_last(const struct cycles *cycles)
{
	unsigned last = 0;
	for (unsigned ttl = 1; ttl <= cycles->config.max_ttl; ttl++) {
		const struct cycles_hop *hop = &cycles->hops[ttl];
		if (is_destination(cycles, hop) || hop->refused)
			return ttl;
		if (addr_is_set(hop->address))
			last = MIN(ttl + 1, cycles->config.max_ttl);
	}
	return last;
}

/* ---- sending ---- */

static bool cycle_ends(const struct cycles *cycles, unsigned ttl)
{
	unsigned unknown = 0;
	if (ttl >= cycles->config.max_ttl)
		return true;
	if (cycles->config.fixed)
		return false;
	for (unsigned before = cycles->config.first_ttl; before <= ttl; before++) {
		if (is_destination(cycles, &cycles->hops[before]))
			return true;
		unknown += before < ttl && !addr_is_set(cycles->hops[before].address);
	}
	return unknown > cycles->config.max_unknown;
}

static void go_on(struct cycles *cycles, unsigned ttl, int64_t now_ns)
{
	cycles->next_ttl = ttl + 1;
	if (cycle_ends(cycles, ttl)) {
		cycles->hosts = ttl;
		cycles->next_ttl = cycles->config.first_ttl;
		cycles->cycles_done++;
	}
	int64_t pause_ns = cycles->config.pause_ns;
	cycles->next_send_ns = now_ns + (pause_ns ? pause_ns : cycles->config.interval_ns / cycles->hosts);
}

static enum machine_want send_probe(struct cycles *cycles, int64_t now_ns, struct outgoing *outgoing)
{
	unsigned ttl = cycles->next_ttl;
	struct flow flow = cycles->config.engine.flow;
	if (cycles->config.port_grows)
		flow.destination_port = (uint16_t)(flow.destination_port + cycles->sent);
	/* What comes back says which probe it was: hop limit and number. */
	struct probe_request request = {.ttl = (uint8_t)ttl, .user = cycles->sent << 8 | ttl, .flow = &flow};
	cycles->send_error = engine_probe(&cycles->engine, &request, now_ns, outgoing);
	if (cycles->send_error < 0)
		return MACHINE_DONE;
	cycles->hops[ttl].sent++;
	cycles->last_sent_ns = now_ns;
	go_on(cycles, ttl, now_ns);
	tell(cycles, &(struct cycles_event){.kind = CYCLES_SENT, .ttl = ttl, .number = cycles->sent++});
	return MACHINE_SEND;
}

static int64_t patience_ns(const struct cycles *cycles)
{
	return MIN(cycles->config.grace_ns, MAX(PATIENCE_NS, 4 * cycles->rtt_max_ns));
}

static enum machine_want cycles_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct cycles *cycles = self;
	bool all_sent = cycles->cycles_done >= cycles->config.cycles;
	*wake_ns = all_sent ? cycles->last_sent_ns + patience_ns(cycles) : cycles->next_send_ns;
	if (cycles->send_error < 0 || (all_sent && (cycles->answered == cycles->sent || now_ns >= *wake_ns)))
		return MACHINE_DONE;
	return all_sent || now_ns < *wake_ns ? MACHINE_WAIT : send_probe(cycles, now_ns, outgoing);
}

static void cycles_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct cycles *cycles = self;
	if (error == 0)
		engine_sent(&cycles->engine, token, sent_ns);
	else
		cycles->send_error = error;
}

/* ---- reading ---- */

static void note_responder(struct cycles *cycles, unsigned ttl, const struct reply *reply)
{
	struct cycles_hop *hop = &cycles->hops[ttl];
	for (unsigned i = 0; i < hop->responder_count; i++)
		if (addr_equal(hop->responders[i].address, reply->from))
			return;
	if (hop->responder_count == CYCLES_RESPONDERS)
		return;
	struct cycles_responder *responder = &hop->responders[hop->responder_count++];
	responder->address = reply->from;
	responder->mpls_count = reply->extensions.mpls_count;
	memcpy(responder->mpls, reply->extensions.mpls, sizeof(responder->mpls));
	tell(cycles,
		&(struct cycles_event){.kind = CYCLES_NEW_RESPONDER, .ttl = ttl, .responder = responder});
}

static void cycles_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct cycles *cycles = self;
	struct reply reply;
	if (!engine_match(&cycles->engine, received_ns, packet, &reply) ||
		(cycles->config.timeout_ns > 0 && reply.rtt_ns > cycles->config.timeout_ns))
		return;
	unsigned ttl = reply.user & 0xff;
	struct cycles_hop *hop = &cycles->hops[ttl];
	note_responder(cycles, ttl, &reply);
	hop->address = reply.from;
	hop->reached |= reply.reached;
	hop->refused |= !reply.reached && reply.kind != ICMP_TIME_EXCEEDED;
	series_answer(&hop->series, reply.rtt_ns);
	cycles->rtt_max_ns = MAX(cycles->rtt_max_ns, reply.rtt_ns);
	cycles->answered++;
	tell(cycles,
		&(struct cycles_event){.kind = CYCLES_ANSWER,
			.ttl = ttl,
			.number = reply.user >> 8,
			.rtt_ns = reply.rtt_ns});
}

struct machine cycles_machine(struct cycles *cycles)
{
	static const struct machine_ops ops = {
		.next = cycles_next, .sent = cycles_sent, .packet = cycles_packet};
	return (struct machine){.ops = &ops, .self = cycles};
}
