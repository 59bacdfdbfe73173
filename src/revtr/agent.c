#include "revtr/agent.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "probe/pacer.h"
#include "revtr/agent_packet.h"
#include "revtr/ledger.h"
#include "revtr/trial.h"
#include "trace/forward.h"

#define PENDING_MAX  1024
#define ANSWERS_MAX  4096
#define TRACES_MAX   16
#define PER_SECOND   20
#define BURST	     10
#define HEARD_PER_S  10 /* challenges; strangers can make them up */
#define DAY_NS	     (24 * 3600 * NS_PER_S)
#define TRACE_TOKEN  0x80000000u /* upper bits of a traceroute's tokens: this and its place */
#define PLACE_SHIFT  24
#define TRIAL_TOKEN  0x40000000u
#define TRIALS_PER_S 200 /* that are told of; they can be played again by whoever saw them */

struct running_trace {
	struct trace trace;
	struct addr source, target; /* for whom, where to */
	uint32_t task;
	unsigned sent;
	bool active;
};

/* A source that stands here. */
struct here {
	struct addr address;
	struct hash_key key;
	bool has_key;
};

struct agent {
	struct agent_rules rules;
	struct prefix *veto;
	struct addr own;
	struct here *sources;
	size_t source_count;
	struct pacer pacer, hearing, trial_hearing;
	struct trial_memory trials;
	struct agent_order pending[PENDING_MAX]; /* a ring */
	unsigned pending_first, pending_count;
	struct revtr_answer answers[ANSWERS_MAX]; /* a ring */
	unsigned answer_first, answer_count;
	struct running_trace *traces[TRACES_MAX];
	int64_t day_started_ns;
	unsigned spent; /* of the day */
	struct agent_counters counters;
	struct ledger ledger;
};

uint64_t agent_tag(struct hash_key key, struct addr source, struct addr target, uint32_t task)
{
	uint8_t bytes[12];
	struct writer writer = writer_init(bytes, sizeof(bytes));
	writer_addr(&writer, source);
	writer_addr(&writer, target);
	writer_u32(&writer, task);
	return hash_bytes(key, bytes, writer.length);
}

const char *agent_verdict_text(enum agent_verdict verdict)
{
	switch (verdict) {
	case AGENT_TAKEN: return "taken";
	case AGENT_FULL: return "too much to do already";
	case AGENT_VETO: return "the owner's veto list has the target";
	case AGENT_NO_SPOOFING: return "the owner has not switched on sending in others' names";
	case AGENT_BUDGET: return "the budget of the day is spent";
	case AGENT_BAD: return "not a task that can be done: addresses of IPv4 hosts are needed";
	}
	return "";
}

static bool copy_lists(struct agent *agent, const struct agent_rules *rules, const struct hash_key *keys,
	const struct addr *sources, size_t count)
{
	agent->veto = malloc((rules->veto_count + 1) * sizeof(*agent->veto));
	agent->sources = calloc(count + 1, sizeof(*agent->sources));
	if (!agent->veto || !agent->sources)
		return false;
	if (rules->veto_count > 0)
		memcpy(agent->veto, rules->veto, rules->veto_count * sizeof(*agent->veto));
	for (size_t i = 0; i < count; i++)
		agent->sources[i].address = sources[i];
	agent->source_count = count;
	if (keys)
		agent_set_keys(agent, keys, sources, count);
	return true;
}

size_t agent_set_keys(
	struct agent *agent, const struct hash_key *keys, const struct addr *sources, size_t count)
{
	size_t taken = 0;
	for (size_t i = 0; i < agent->source_count; i++) {
		struct here *here = &agent->sources[i];
		here->has_key = false;
		for (size_t j = 0; j < count && !here->has_key; j++)
			if (addr_equal(here->address, sources[j])) {
				here->key = keys[j];
				here->has_key = true;
				taken++;
			}
	}
	return taken;
}

struct agent *agent_new(const struct agent_rules *rules, struct addr own, const struct hash_key *keys,
	const struct addr *sources, size_t count)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	if (!agent)
		return NULL;
	agent->rules = *rules;
	agent->own = own;
	agent->day_started_ns = TIME_NEVER;
	pacer_init(&agent->hearing, HEARD_PER_S, HEARD_PER_S, own.low);
	pacer_init(&agent->trial_hearing, TRIALS_PER_S, TRIALS_PER_S, own.low);
	pacer_init(&agent->pacer, rules->per_second > 0 ? rules->per_second : PER_SECOND, BURST, own.low);
	if (copy_lists(agent, rules, keys, sources, count))
		return agent;
	agent_free(agent);
	return NULL;
}

void agent_free(struct agent *agent)
{
	if (!agent)
		return;
	for (unsigned i = 0; i < TRACES_MAX; i++) {
		if (agent->traces[i] && agent->traces[i]->active)
			trace_deinit(&agent->traces[i]->trace);
		free(agent->traces[i]);
	}
	free(agent->veto);
	free(agent->sources);
	free(agent);
}

struct agent_counters agent_counters(const struct agent *agent)
{
	struct agent_counters counters = agent->counters;
	counters.spent = agent->spent;
	return counters;
}

const struct ledger *agent_ledger(const struct agent *agent)
{
	return &agent->ledger;
}

/* ---- orders */

static bool is_host(struct addr address)
{
	return address.family == 4 && addr_is_unicast(address) && !addr_is_loopback(address) &&
		!addr_is_private(address);
}

static bool vetoed(const struct agent *agent, struct addr target)
{
	for (size_t i = 0; i < agent->rules.veto_count; i++)
		if (prefix_contains(agent->veto[i], target))
			return true;
	return false;
}

static bool spend(struct agent *agent, unsigned packets, int64_t now_ns)
{
	if (agent->day_started_ns == TIME_NEVER || now_ns - agent->day_started_ns >= DAY_NS) {
		agent->day_started_ns = now_ns;
		agent->spent = 0;
	}
	if (agent->rules.per_day > 0 && agent->spent + packets > agent->rules.per_day)
		return false;
	agent->spent += packets;
	return true;
}

static enum agent_verdict start_trace(struct agent *agent, const struct agent_order *order, int64_t now_ns)
{
	unsigned place = 0;
	while (place < TRACES_MAX && agent->traces[place] && agent->traces[place]->active)
		place++;
	if (place == TRACES_MAX)
		return AGENT_FULL;
	if (!agent->traces[place])
		agent->traces[place] = calloc(1, sizeof(*agent->traces[place]));
	if (!agent->traces[place])
		return AGENT_FULL;
	struct trace_config config = trace_defaults();
	config.protocol = PROBE_ICMP;
	config.probes_per_hop = 1;
	config.max_ttl = REVTR_TRACE_MAX;
	config.source = agent->own;
	config.destination = order->task.target;
	config.flow = (struct flow){.icmp_id = (uint16_t)(0x8000 | order->task.id), .icmp_checksum = 0x7276};
	config.key = (struct hash_key){order->tag, (uint64_t)now_ns};
	trace_init(&agent->traces[place]->trace, &config);
	agent->traces[place]->task = order->task.id;
	agent->traces[place]->source = order->source;
	agent->traces[place]->target = order->task.target;
	agent->traces[place]->sent = 0;
	agent->traces[place]->active = true;
	agent->counters.traces++;
	return AGENT_TAKEN;
}

enum agent_verdict agent_do(struct agent *agent, const struct agent_order *order, int64_t now_ns)
{
	const struct revtr_task *task = &order->task;
	enum agent_verdict verdict = AGENT_TAKEN;
	agent->counters.orders++;
	if (!is_host(task->target) || (task->spoofed && !is_host(order->source)) || task->id == 0 ||
		(task->probe == REVTR_CHALLENGE && task->spoofed) ||
		(task->probe == REVTR_TRIAL && task->ttl == 0) ||
		(task->probe == REVTR_RR_UDP && task->id > AGENT_UDP_TASK_MAX) ||
		(task->probe == REVTR_TS_PING &&
			(task->listed_count == 0 || task->listed_count > REVTR_LISTED_MAX)))
		verdict = AGENT_BAD;
	else if (vetoed(agent, task->target) || (task->spoofed && vetoed(agent, order->source)))
		verdict = AGENT_VETO;
	else if (task->spoofed && !agent->rules.spoof)
		verdict = AGENT_NO_SPOOFING;
	else if (agent->pending_count == PENDING_MAX)
		verdict = AGENT_FULL;
	else if (!spend(agent, task->probe == REVTR_TRACEROUTE ? REVTR_TRACE_MAX : 1, now_ns))
		verdict = AGENT_BUDGET;
	else if (task->probe == REVTR_TRACEROUTE)
		verdict = start_trace(agent, order, now_ns);
	else
		agent->pending[(agent->pending_first + agent->pending_count++) % PENDING_MAX] = *order;
	agent->counters.refused += verdict != AGENT_TAKEN;
	agent->counters.over_budget += verdict == AGENT_BUDGET;
	return verdict;
}

/* ---- answers */

static struct revtr_answer *add_answer(struct agent *agent)
{
	if (agent->answer_count == ANSWERS_MAX)
		return NULL; /* nobody fetches them: the newest are as good as lost on the way */
	struct revtr_answer *answer =
		&agent->answers[(agent->answer_first + agent->answer_count++) % ANSWERS_MAX];
	*answer = (struct revtr_answer){.answered = true};
	agent->counters.answers++;
	return answer;
}

bool agent_answer(struct agent *agent, struct revtr_answer *answer)
{
	if (agent->answer_count == 0)
		return false;
	*answer = agent->answers[agent->answer_first];
	agent->answer_first = (agent->answer_first + 1) % ANSWERS_MAX;
	agent->answer_count--;
	return true;
}

static uint8_t ttl_of(const struct hop *hop)
{
	for (size_t i = 0; i < hop->probe_count; i++)
		if (addr_is_set(hop->probes[i].address) && addr_equal(hop->probes[i].address, hop->address))
			return (uint8_t)MAX(hop->probes[i].reply.ttl, 0);
	return 0;
}

static void finish_trace(struct agent *agent, struct running_trace *running, int64_t now_ns)
{
	struct path *path = trace_path(&running->trace, 0, now_ns);
	struct revtr_answer *answer = path ? add_answer(agent) : NULL;
	if (answer) {
		answer->task = running->task;
		answer->reached = path->reached;
		answer->trace_count = (unsigned)MIN(path->hop_count, (size_t)REVTR_TRACE_MAX);
		for (unsigned i = 0; i < answer->trace_count; i++) {
			answer->trace[i] = path->hops[i].address;
			answer->trace_ttl[i] = ttl_of(&path->hops[i]);
		}
	}
	path_free(path);
	/* What it did not need of the day is given back. */
	agent->spent -= MIN(agent->spent, REVTR_TRACE_MAX - MIN(running->sent, (unsigned)REVTR_TRACE_MAX));
	trace_deinit(&running->trace);
	running->active = false;
}

/* The source that this came to; NULL: none that stands here. */
static const struct here *source_at(const struct agent *agent, struct addr address)
{
	for (size_t i = 0; i < agent->source_count; i++)
		if (addr_equal(agent->sources[i].address, address))
			return &agent->sources[i];
	return NULL;
}

static void take_reply(struct agent *agent, const struct packet *packet)
{
	const struct here *here = source_at(agent, packet->ip.destination);
	struct agent_mark mark;
	if (!agent_packet_mark(packet, &mark))
		return; /* somebody's ping */
	if (!here || !here->has_key ||
		!agent_mark_true(
			&mark, agent_tag(here->key, packet->ip.destination, mark.target, mark.task))) {
		agent->counters.foreign++;
		return;
	}
	struct revtr_answer *answer = add_answer(agent);
	if (!answer)
		return;
	answer->task = mark.task;
	answer->from = packet->ip.source;
	answer->reply = *mark.list;
	answer->times = packet->ip.timestamp;
	answer->reply_ttl = packet->ip.ttl;
}

static void take_challenge(struct agent *agent, const struct packet *packet, int64_t now_ns)
{
	uint32_t task;
	uint64_t nonce;
	if (!agent_packet_challenge(packet, &task, &nonce) || !source_at(agent, packet->ip.destination) ||
		pacer_ready_ns(&agent->hearing, now_ns) > now_ns)
		return;
	pacer_take(&agent->hearing, now_ns);
	struct revtr_answer *answer = add_answer(agent);
	if (!answer)
		return;
	agent->counters.challenges++;
	answer->task = task;
	answer->nonce = nonce;
}

static void take_trial(struct agent *agent, const struct packet *packet, int64_t now_ns)
{
	const struct here *here = source_at(agent, packet->ip.destination);
	struct revtr_answer heard;
	if (!trial_hear(
		    &agent->trials, agent->own, here && here->has_key ? &here->key : NULL, packet, &heard) ||
		pacer_ready_ns(&agent->trial_hearing, now_ns) > now_ns)
		return;
	pacer_take(&agent->trial_hearing, now_ns);
	struct revtr_answer *answer = add_answer(agent);
	if (answer)
		*answer = heard;
}

/* ---- the machine */

static bool next_of_traces(struct agent *agent, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	for (uint32_t place = 0; place < TRACES_MAX; place++) {
		struct running_trace *running = agent->traces[place];
		if (!running || !running->active)
			continue;
		struct machine machine = trace_machine(&running->trace);
		int64_t own_wake_ns = TIME_NEVER;
		enum machine_want want = machine.ops->next(machine.self, now_ns, outgoing, &own_wake_ns);
		if (want == MACHINE_SEND) {
			outgoing->token |= TRACE_TOKEN | place << PLACE_SHIFT;
			running->sent++;
			ledger_note(
				&agent->ledger, REVTR_TRACEROUTE, false, running->source, running->target);
			return true;
		}
		if (want == MACHINE_DONE)
			finish_trace(agent, running, now_ns);
		else
			*wake_ns = MIN(*wake_ns, own_wake_ns);
	}
	return false;
}

static void write_pending(struct agent *agent, const struct agent_order *order, struct outgoing *outgoing)
{
	outgoing->token = 0;
	if (order->task.probe != REVTR_TRIAL) {
		outgoing->length =
			agent_packet_write(order, agent->own, outgoing->bytes, sizeof(outgoing->bytes));
		return;
	}
	outgoing->length = trial_write(&agent->trials, order, agent->own, outgoing->bytes,
		sizeof(outgoing->bytes), &outgoing->token);
	outgoing->token |= TRIAL_TOKEN;
}

static enum machine_want agent_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct agent *agent = self;
	*wake_ns = TIME_NEVER;
	int64_t ready_ns = pacer_ready_ns(&agent->pacer, now_ns);
	bool pending = agent->pending_count > 0;
	if (ready_ns > now_ns && (pending || agent->counters.traces > 0)) {
		*wake_ns = ready_ns;
		return MACHINE_WAIT;
	}
	if (pending) {
		const struct agent_order *order = &agent->pending[agent->pending_first];
		write_pending(agent, order, outgoing);
		if (outgoing->length > 0)
			ledger_note(&agent->ledger, order->task.probe, order->task.spoofed, order->source,
				order->task.target);
		agent->counters.spoofed += order->task.spoofed;
		agent->pending_first = (agent->pending_first + 1) % PENDING_MAX;
		agent->pending_count--;
	} else if (!next_of_traces(agent, now_ns, outgoing, wake_ns)) {
		return MACHINE_WAIT;
	}
	if (outgoing->length == 0)
		return MACHINE_WAIT;
	pacer_take(&agent->pacer, now_ns);
	agent->counters.sent++;
	return MACHINE_SEND;
}

static void trial_left(struct agent *agent, uint32_t token, int error)
{
	struct revtr_answer told, *answer;
	if (trial_sent(&agent->trials, token & ~TRIAL_TOKEN, error, &told) && (answer = add_answer(agent)))
		*answer = told;
}

static void agent_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct agent *agent = self;
	uint32_t place = (token & ~TRACE_TOKEN) >> PLACE_SHIFT;
	if (error < 0) {
		agent->counters.send_failed++;
		agent->counters.send_error = error;
	}
	if (!(token & TRACE_TOKEN) && token & TRIAL_TOKEN)
		trial_left(agent, token, error);
	if (!(token & TRACE_TOKEN) || place >= TRACES_MAX || !agent->traces[place] ||
		!agent->traces[place]->active)
		return;
	struct machine machine = trace_machine(&agent->traces[place]->trace);
	machine.ops->sent(machine.self, token & ((1u << PLACE_SHIFT) - 1), sent_ns, error);
}

static void agent_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct agent *agent = self;
	take_reply(agent, packet);
	take_challenge(agent, packet, received_ns);
	take_trial(agent, packet, received_ns);
	for (unsigned i = 0; i < TRACES_MAX; i++) {
		if (!agent->traces[i] || !agent->traces[i]->active)
			continue;
		struct machine machine = trace_machine(&agent->traces[i]->trace);
		machine.ops->packet(machine.self, received_ns, packet);
	}
}

struct machine agent_machine(struct agent *agent)
{
	static const struct machine_ops ops = {agent_next, agent_sent, agent_packet};
	return (struct machine){.ops = &ops, .self = agent};
}
