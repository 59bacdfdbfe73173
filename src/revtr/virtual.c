#include "revtr/virtual.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define TRACE_PATIENCE_NS (1500 * NS_PER_MS)
#define TRACE_CHECKSUM	  0x4242 /* one flow */
#define RR_PAYLOAD	  8
#define TRACE_PAYLOAD	  2
#define UDP_PORT_MASK	  0x7fffu /* what a port has of a task's number; the top bit is always set */

/* A traceroute under way. */
struct tracing {
	struct revtr_answer answer;
	uint32_t host;
	struct addr target;
	int64_t deadline_ns;
	unsigned last; /* hop limit at which the target answered; 0 = not yet */
	bool active;
};

struct virtual
{
	struct sim *sim;
	uint32_t *hosts;
	unsigned host_count;
	struct revtr_answer *answers; /* a list that is taken from the front */
	size_t answer_first, answer_count, answer_room;
	struct tracing *traces;
	unsigned trace_count, active_count;
};

static void push(struct virtual *v, const struct revtr_answer *answer)
{
	if (v->answer_count == v->answer_room) {
		size_t room = v->answer_room ? 2 * v->answer_room : 64;
		struct revtr_answer *longer = realloc(v->answers, room * sizeof(*longer));
		if (!longer)
			return; /* as good as lost on the way */
		v->answers = longer;
		v->answer_room = room;
	}
	v->answers[v->answer_count++] = *answer;
}

/* ---- what arrives at hosts */

static void take_echo_reply(struct virtual *v, const struct packet *packet)
{
	struct revtr_answer answer = {
		.task = (uint32_t)packet->transport.icmp_id << 16 | packet->transport.icmp_seq,
		.answered = true,
		.from = packet->ip.source,
		.reply = packet->ip.route,
		.reply_ttl = packet->ip.ttl,
		.times = packet->ip.timestamp,
	};
	push(v, &answer);
}

/* Of a UDP packet, whose ports and identification number its task. */
static void take_quote(struct virtual *v, const struct packet *packet)
{
	struct revtr_answer answer = {
		.task = (uint32_t)(packet->quoted_ip.id & 1) << 30 |
			(packet->quoted.source_port & UDP_PORT_MASK) << 15 |
			(packet->quoted.destination_port & UDP_PORT_MASK),
		.answered = true,
		.from = packet->ip.source,
		.reply = packet->quoted_ip.route,
		.reply_ttl = packet->ip.ttl,
	};
	push(v, &answer);
}

static void take_trace_reply(struct virtual *v, uint32_t host, const struct packet *packet)
{
	const struct transport *probe = packet->has_quote ? &packet->quoted : &packet->transport;
	unsigned ttl = probe->icmp_seq;
	if (probe->icmp_id >= v->trace_count || ttl == 0 || ttl > REVTR_TRACE_MAX)
		return;
	struct tracing *trace = &v->traces[probe->icmp_id];
	if (!trace->active || trace->host != host)
		return;
	if (packet->has_quote && !addr_equal(packet->quoted_ip.destination, trace->target))
		return;
	trace->answer.trace[ttl - 1] = packet->ip.source;
	trace->answer.trace_ttl[ttl - 1] = packet->ip.ttl;
	if (!packet->has_quote && (trace->last == 0 || ttl < trace->last))
		trace->last = ttl;
}

static bool deliver(void *context, uint32_t host, const uint8_t *bytes, size_t length)
{
	struct virtual *v = context;
	struct packet packet;
	if (packet_read(bytes, length, &packet) < 0)
		return false;
	enum icmp_kind kind = packet.transport.icmp_kind;
	bool icmp = packet.ip.protocol == PROTOCOL_ICMP;
	if (icmp && kind == ICMP_ECHO_REPLY && packet.transport.payload_length == RR_PAYLOAD)
		take_echo_reply(v, &packet);
	else if (icmp && kind == ICMP_UNREACHABLE && packet.has_quote &&
		packet.quoted_ip.protocol == PROTOCOL_UDP)
		take_quote(v, &packet);
	else if (icmp && (kind == ICMP_ECHO_REPLY || (kind == ICMP_TIME_EXCEEDED && packet.has_quote)))
		take_trace_reply(v, host, &packet);
	else
		return false;
	return true;
}

/* ---- life */

struct virtual *virtual_new(struct sim *sim, const uint32_t *hosts, unsigned host_count)
{
	struct virtual *v = calloc(1, sizeof(*v));
	if (!v)
		return NULL;
	v->sim = sim;
	v->hosts = malloc((host_count + 1) * sizeof(*v->hosts));
	if (!v->hosts) {
		free(v);
		return NULL;
	}
	memcpy(v->hosts, hosts, host_count * sizeof(*hosts));
	v->host_count = host_count;
	sim_set_deliver(sim, deliver, v);
	return v;
}

void virtual_free(struct virtual *v)
{
	if (!v)
		return;
	sim_set_deliver(v->sim, NULL, NULL);
	free(v->hosts);
	free(v->answers);
	free(v->traces);
	free(v);
}

/* ---- what is sent */

static void send_packet(struct virtual *v, uint32_t host, struct packet_spec *spec)
{
	static const uint8_t zeros[RR_PAYLOAD];
	uint8_t bytes[128];
	struct writer writer = writer_init(bytes, sizeof(bytes));
	spec->transport.payload = zeros;
	if (packet_write(&writer, spec) == 0)
		(void)sim_send(v->sim, host, bytes, writer.length);
}

static void send_echo(struct virtual *v, uint32_t host, struct packet_spec *spec)
{
	spec->ip.protocol = PROTOCOL_ICMP;
	spec->transport.icmp_type = ICMP4_ECHO_REQUEST;
	send_packet(v, host, spec);
}

static void send_udp(struct virtual *v, uint32_t host, struct packet_spec *spec)
{
	spec->ip.protocol = PROTOCOL_UDP;
	send_packet(v, host, spec);
}

static struct tracing *free_trace(struct virtual *v)
{
	for (unsigned i = 0; i < v->trace_count; i++)
		if (!v->traces[i].active)
			return &v->traces[i];
	struct tracing *longer = realloc(v->traces, (v->trace_count + 16) * sizeof(*longer));
	if (!longer || v->trace_count + 16 > UINT16_MAX)
		return NULL;
	v->traces = longer;
	memset(longer + v->trace_count, 0, 16 * sizeof(*longer));
	v->trace_count += 16;
	return &longer[v->trace_count - 16];
}

static void start_trace(struct virtual *v, const struct revtr_task *task, uint32_t host)
{
	struct tracing *trace = free_trace(v);
	if (!trace)
		return;
	v->active_count++;
	*trace = (struct tracing){.answer = {.task = task->id, .answered = true},
		.host = host,
		.target = task->target,
		.deadline_ns = sim_now(v->sim) + TRACE_PATIENCE_NS,
		.active = true};
	for (unsigned ttl = 1; ttl <= REVTR_TRACE_MAX; ttl++) {
		struct packet_spec spec = {
			.ip = {.source = world_node_address(sim_world(v->sim), host, 4),
				.destination = task->target,
				.ttl = (uint8_t)ttl},
			.transport = {.icmp_id = (uint16_t)(trace - v->traces),
				.icmp_seq = (uint16_t)ttl,
				.payload_length = TRACE_PAYLOAD},
			.force_checksum = TRACE_CHECKSUM,
		};
		send_echo(v, host, &spec);
	}
}

void virtual_do(struct virtual *v, const struct revtr_task *task, struct addr source)
{
	if (task->agent >= v->host_count)
		return;
	uint32_t host = v->hosts[task->agent];
	if (task->probe == REVTR_TRACEROUTE) {
		start_trace(v, task, host);
		return;
	}
	struct packet_spec spec = {
		.ip = {.source = task->spoofed ? source : world_node_address(sim_world(v->sim), host, 4),
			.destination = task->target,
			.ttl = 64,
			.route = {.present = task->probe != REVTR_TS_PING && task->probe != REVTR_PING,
				.type = 7,
				.slots = RECORD_ROUTE_SLOTS_MAX},
			.timestamp = {.present = task->probe == REVTR_TS_PING,
				.flag = 3,
				.slots = (uint8_t)MIN(task->listed_count, REVTR_LISTED_MAX)}},
		.transport = {.icmp_id = (uint16_t)(task->id >> 16),
			.icmp_seq = (uint16_t)task->id,
			.payload_length = RR_PAYLOAD},
	};
	for (unsigned i = 0; i < RECORD_ROUTE_SLOTS_MAX; i++)
		spec.ip.route.addrs[i] = addr_v4(0);
	for (unsigned i = 0; i < spec.ip.timestamp.slots; i++)
		spec.ip.timestamp.addrs[i] = task->listed[i];
	if (task->probe == REVTR_RR_UDP) {
		spec.ip.id = (uint16_t)(task->id >> 30);
		spec.transport.source_port = (uint16_t)(~UDP_PORT_MASK | task->id >> 15);
		spec.transport.destination_port = (uint16_t)(~UDP_PORT_MASK | task->id);
		send_udp(v, host, &spec);
	} else {
		send_echo(v, host, &spec);
	}
}

/* ---- time */

/* All answers to a traceroute that may still come have had their time. */
static void finish_trace(struct virtual *v, struct tracing *trace)
{
	unsigned count = trace->last;
	trace->answer.reached = trace->last > 0;
	for (unsigned i = 0; trace->last == 0 && i < REVTR_TRACE_MAX; i++)
		if (addr_is_set(trace->answer.trace[i]))
			count = i + 1;
	trace->answer.trace_count = count;
	trace->active = false;
	v->active_count--;
	push(v, &trace->answer);
}

static int64_t next_deadline(const struct virtual *v)
{
	int64_t next_ns = TIME_NEVER;
	for (unsigned i = 0; i < v->trace_count && v->active_count > 0; i++)
		if (v->traces[i].active)
			next_ns = MIN(next_ns, v->traces[i].deadline_ns);
	return next_ns;
}

bool virtual_answer(struct virtual *v, int64_t until_ns, struct revtr_answer *answer)
{
	while (v->answer_first == v->answer_count) {
		v->answer_first = v->answer_count = 0;
		int64_t deadline_ns = next_deadline(v), next_ns = MIN(sim_next(v->sim), deadline_ns);
		if (next_ns > until_ns) {
			if (until_ns != TIME_NEVER)
				sim_advance(v->sim, MAX(until_ns, sim_now(v->sim)));
			return false;
		}
		if (next_ns == TIME_NEVER)
			return false;
		sim_advance(v->sim, MAX(next_ns, sim_now(v->sim)));
		for (unsigned i = 0; i < v->trace_count && v->active_count > 0; i++)
			if (v->traces[i].active && v->traces[i].deadline_ns <= sim_now(v->sim))
				finish_trace(v, &v->traces[i]);
	}
	*answer = v->answers[v->answer_first++];
	return true;
}

void virtual_run(struct virtual *v, struct revtr_engine *engine, const struct addr *sources,
	void (*done)(void *context, const struct revtr_result *result), void *context)
{
	struct revtr_task task;
	struct revtr_answer answer;
	struct revtr_result result;
	for (;;) {
		int64_t wake_ns;
		while (revtr_engine_next(engine, sim_now(v->sim), &task, &wake_ns))
			virtual_do(v, &task, sources[task.source]);
		while (revtr_engine_finished(engine, &result))
			done(context, &result);
		if (revtr_engine_busy(engine) == 0)
			return;
		if (virtual_answer(v, wake_ns, &answer))
			revtr_engine_answer(engine, &answer, sim_now(v->sim));
		else if (wake_ns == TIME_NEVER)
			return;
	}
}
