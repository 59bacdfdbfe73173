#include "trace/rounds.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "trace/result.h"
#include "trace/rounds_inside.h"

#define PATIENCE_NS	(2 * NS_PER_S) /* the least wait for an answer while rounds follow */
#define PATIENCE_RTTS	4
#define PATIENCE_ROUNDS 100	       /* and the most, in intervals: rounds that may be open at once */
#define AWAY_NS		(1 * NS_PER_S) /* a driver that is late by more was away */
#define SEND_ERRORS_MAX 30

struct rounds_config rounds_defaults(void)
{
	return (struct rounds_config){
		.engine = {.protocol = PROBE_UDP},
		.first_ttl = 1,
		.max_ttl = 30,
		.gap_limit = 8,
		.interval_ns = NS_PER_S,
	};
}

void rounds_init(struct rounds *rounds, const struct rounds_config *config)
{
	memset(rounds, 0, sizeof(*rounds));
	rounds->config = *config;
	rounds->config.first_ttl = MIN(MAX(1u, config->first_ttl), (unsigned)TIMELINE_TTL_MAX);
	rounds->config.max_ttl =
		MIN((unsigned)TIMELINE_TTL_MAX, MAX(config->max_ttl, rounds->config.first_ttl));
	rounds->config.gap_limit = MAX(1u, config->gap_limit);
	rounds->config.interval_ns = MAX(ROUNDS_INTERVAL_MIN_NS, config->interval_ns);
	rounds->started_ns = rounds->finished_ns = rounds->expected_ns = TIME_NEVER;
	rounds->rtt_max_ns = RTT_NONE;
	rounds->settle_next = 1;
	rounds->rng = rng_seed(config->engine.key.k0 ^ config->engine.key.k1);
	engine_init(&rounds->engine, &config->engine);
	timeline_init(&rounds->timeline, rounds->config.interval_ns);
}

int rounds_take_flows(struct rounds *rounds, const struct flow *flows, unsigned count)
{
	return timeline_take_flows(&rounds->timeline, flows, count);
}

uint8_t rounds_flow(const struct rounds *rounds, uint32_t round)
{
	return (uint8_t)(round % MAX(1u, rounds->timeline.flow_count));
}

const struct timeline *rounds_way(const struct rounds *rounds, unsigned flow)
{
	return flow < rounds->timeline.flow_count ? rounds->timeline.flows[flow] : &rounds->timeline;
}

void rounds_deinit(struct rounds *rounds)
{
	engine_deinit(&rounds->engine);
	timeline_deinit(&rounds->timeline);
}

void rounds_observe(struct rounds *rounds, rounds_observer *observer, void *context)
{
	rounds->observer = observer;
	rounds->observer_context = context;
}

void rounds_stop(struct rounds *rounds)
{
	rounds->stopping = true;
}

void rounds_pause(struct rounds *rounds, bool paused)
{
	rounds->paused = paused;
}

/* ---- events ---- */

void rounds_emit(struct rounds *rounds, struct watch_event *event, int64_t now_ns)
{
	event->at_ns = MAX(0, now_ns - rounds->started_ns);
	bool changed = timeline_apply(&rounds->timeline, event);
	if (rounds->observer)
		rounds->observer(rounds->observer_context, event, changed);
}

static struct watch_event event_of(
	const struct rounds *rounds, const struct rounds_probe *probe, enum watch_event_kind kind)
{
	return (struct watch_event){
		.kind = kind,
		.probe = probe->number,
		.round = probe->round,
		.ttl = probe->ttl,
		.flow = probe->flow,
		.test = probe->test,
		.sent_ns = MAX(0, probe->sent_ns - rounds->started_ns),
	};
}

static struct rounds_probe *probe_of(struct rounds *rounds, uint32_t number)
{
	struct rounds_probe *probe = &rounds->probes[number % ROUNDS_PROBES];
	return probe->number == number ? probe : NULL;
}

/* ---- settling ---- */

/* Nothing is sent any more. */
static bool is_final(const struct rounds *rounds)
{
	return rounds->stopping || plan_finished(rounds);
}

static int64_t deadline_ns(const struct rounds *rounds, const struct rounds_probe *probe)
{
	int64_t rtt = MAX(rounds->rtt_max_ns, 0);
	int64_t patience = MAX(PATIENCE_NS, PATIENCE_RTTS * rtt);
	if (is_final(rounds)) {
		/* A hop that never answered will not begin now. */
		const struct timeline_hop *hop = timeline_hop(&rounds->timeline, probe->ttl);
		bool answers = hop && hop->total.received > 0;
		int64_t usual = answers ? MIN(hop->total.worst_ns, rtt) : rtt;
		patience =
			MIN(patience, MIN(MAX(2 * usual, usual + 40 * NS_PER_MS), usual + 400 * NS_PER_MS));
		if (rounds->rtt_max_ns == RTT_NONE)
			patience = plan_patience_ns(rounds);
	}
	return probe->sent_ns + MIN(patience, PATIENCE_ROUNDS * rounds->config.interval_ns);
}

static void settle(struct rounds *rounds, struct rounds_probe *probe, enum watch_event_kind kind, int error,
	int64_t now_ns)
{
	struct watch_event event = event_of(rounds, probe, kind);
	probe->pending = false;
	probe->lost = kind == WATCH_LOST;
	event.error = error;
	rounds_emit(rounds, &event, now_ns);
	if (probe->test)
		limit_settled(rounds, probe->ttl, kind, now_ns);
}

/* The rounds below that of the oldest open probe are complete. */
static void settle_rounds(struct rounds *rounds, uint32_t before, int64_t now_ns)
{
	while (rounds->rounds_settled < before) {
		uint32_t round = rounds->rounds_settled++;
		struct watch_event event = {
			.kind = WATCH_ROUND, .round = round, .flow = rounds_flow(rounds, round)};
		rounds_emit(rounds, &event, now_ns);
		if (!rounds->config.no_retest && !is_final(rounds))
			limit_consider(rounds, event.flow, now_ns);
	}
}

/* Give up what is overdue. The time at which the next probe will be; TIME_NEVER: nothing is open. */
static int64_t settle_overdue(struct rounds *rounds, int64_t now_ns)
{
	int64_t next_ns = TIME_NEVER;
	uint32_t open_round = rounds->round + (rounds->round_open ? 0 : 1);
	if (rounds->last_number == 0)
		return TIME_NEVER;
	for (; rounds->settle_next <= rounds->last_number; rounds->settle_next++) {
		struct rounds_probe *probe = probe_of(rounds, rounds->settle_next);
		if (!probe || !probe->pending)
			continue;
		next_ns = deadline_ns(rounds, probe);
		if (next_ns > now_ns) {
			open_round = MIN(open_round, probe->round);
			break;
		}
		settle(rounds, probe, probe->shaky ? WATCH_VOID : WATCH_LOST, 0, now_ns);
		next_ns = TIME_NEVER;
	}
	settle_rounds(rounds, open_round, now_ns);
	return next_ns;
}

/* The driver was away: suspended, or kept from running. What was in flight may have been answered unheard. */
static void note_absence(struct rounds *rounds, int64_t now_ns)
{
	if (rounds->expected_ns == TIME_NEVER || now_ns <= rounds->expected_ns + AWAY_NS)
		return;
	int64_t away_ns = now_ns - rounds->expected_ns;
	for (uint32_t number = rounds->settle_next; number <= rounds->last_number; number++) {
		struct rounds_probe *probe = probe_of(rounds, number);
		if (!probe || !probe->pending)
			continue;
		probe->shaky = true;
		probe->sent_ns += away_ns; /* its time to answer, not its round trip: that is the engine's */
	}
	plan_restart(rounds, now_ns);
}

/* ---- sending ---- */

static enum machine_want send_probe(
	struct rounds *rounds, const struct next_probe *next, int64_t now_ns, struct outgoing *outgoing)
{
	struct rounds_probe *probe = &rounds->probes[(rounds->last_number + 1) % ROUNDS_PROBES];
	uint8_t flow = next->test ? next->test->flow : rounds_flow(rounds, rounds->round);
	struct probe_request request = {
		.ttl = (uint8_t)next->ttl,
		.user = rounds->last_number + 1,
		.flow = rounds->timeline.flow_count > 0 ? &rounds->timeline.flow_of[flow] : NULL,
	};
	/* More in flight than can be remembered: the oldest gives way. */
	if (probe->number && probe->pending)
		settle(rounds, probe, WATCH_VOID, 0, now_ns);
	int result = engine_probe(&rounds->engine, &request, now_ns, outgoing);
	if (result < 0) {
		rounds->send_error = result;
		rounds->finished_ns = now_ns;
		return MACHINE_DONE;
	}
	*probe = (struct rounds_probe){
		.number = ++rounds->last_number,
		.round = rounds->round,
		.token = outgoing->token,
		.ttl = (uint8_t)next->ttl,
		.flow = flow,
		.test = next->test != NULL,
		.pending = true,
		.sent_ns = now_ns,
	};
	rounds->probes_sent++;
	plan_sent(rounds, next, now_ns);
	struct watch_event event = event_of(rounds, probe, WATCH_SENT);
	rounds_emit(rounds, &event, now_ns);
	return MACHINE_SEND;
}

static enum machine_want finish(struct rounds *rounds, int64_t now_ns)
{
	settle_rounds(rounds, rounds->round + (rounds->last_number > 0), now_ns);
	rounds->finished_ns = now_ns;
	return MACHINE_DONE;
}

static enum machine_want rounds_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct rounds *rounds = self;
	if (rounds->finished_ns != TIME_NEVER)
		return MACHINE_DONE;
	if (rounds->started_ns == TIME_NEVER) {
		rounds->started_ns = now_ns;
		plan_restart(rounds, now_ns);
	}
	note_absence(rounds, now_ns);
	int64_t settled_ns = settle_overdue(rounds, now_ns);
	rounds->expected_ns = now_ns;
	/* Nothing has ever left: there is nothing to measure with. */
	if (rounds->send_errors >= SEND_ERRORS_MAX && rounds->send_errors == rounds->probes_sent)
		return finish(rounds, now_ns);
	struct next_probe next = {.at_ns = TIME_NEVER};
	if (!rounds->stopping) {
		next = plan_next(rounds, now_ns);
		if (next.ttl)
			return send_probe(rounds, &next, now_ns, outgoing);
	}
	/* The last round may just have ended, which shortens the wait. */
	settled_ns = settle_overdue(rounds, now_ns);
	if (is_final(rounds) && settled_ns == TIME_NEVER)
		return finish(rounds, now_ns);
	*wake_ns = MIN(settled_ns, next.at_ns);
	rounds->expected_ns = *wake_ns;
	return MACHINE_WAIT;
}

static void rounds_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct rounds *rounds = self;
	if (error == 0) {
		rounds->send_errors = 0;
		engine_sent(&rounds->engine, token, sent_ns);
		return;
	}
	rounds->send_error = error;
	rounds->send_errors++;
	struct rounds_probe *probe = probe_of(rounds, rounds->last_number);
	if (probe && probe->token == token && probe->pending)
		settle(rounds, probe, WATCH_VOID, error, sent_ns);
}

/* ---- reading ---- */

static void note_in_round(struct rounds *rounds, const struct rounds_probe *probe, const struct reply *reply)
{
	rounds->rtt_max_ns = MAX(rounds->rtt_max_ns, reply->rtt_ns);
	if (probe->round != rounds->round || probe->test)
		return;
	bool ends = reply->reached || reply->kind == ICMP_UNREACHABLE;
	if (!ends)
		rounds->answered_to = MAX(rounds->answered_to, probe->ttl);
	else if (rounds->ended_at == 0 || probe->ttl < rounds->ended_at)
		rounds->ended_at = probe->ttl;
}

static void rounds_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct rounds *rounds = self;
	struct reply reply;
	if (rounds->finished_ns != TIME_NEVER || !engine_match(&rounds->engine, received_ns, packet, &reply))
		return;
	struct rounds_probe *probe = probe_of(rounds, reply.user);
	if (!probe || (!probe->pending && !probe->lost))
		return;
	struct probe_result answer = probe_result_none();
	result_fill(&answer, rounds->config.engine.destination.family, &reply);
	struct watch_event event = event_of(rounds, probe, WATCH_ANSWER);
	event.sent_ns = MAX(0, received_ns - reply.rtt_ns - rounds->started_ns);
	event.late = probe->lost;
	if (event.late)
		event.sent_ns = MAX(0, probe->sent_ns - rounds->started_ns);
	event.reached = reply.reached;
	event.refused = !reply.reached && reply.kind == ICMP_UNREACHABLE;
	event.answer = &answer;
	answer.sent_ns = event.sent_ns;
	note_in_round(rounds, probe, &reply);
	probe->pending = probe->lost = false;
	rounds_emit(rounds, &event, received_ns);
	if (probe->test && !event.late)
		limit_settled(rounds, probe->ttl, WATCH_ANSWER, received_ns);
}

struct machine rounds_machine(struct rounds *rounds)
{
	static const struct machine_ops ops = {
		.next = rounds_next, .sent = rounds_sent, .packet = rounds_packet};
	return (struct machine){.ops = &ops, .self = rounds};
}
