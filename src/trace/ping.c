#include "trace/ping.h"

#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"

#define KNOCK_AFTER	2		  /* probes without any answer */
#define PATIENCE_MIN_NS (200 * NS_PER_MS) /* at the end, beyond the longest round trip seen */
#define KNOCK_GAP_NS	(200 * NS_PER_MS) /* so that the better one may answer first */
#define TOKEN_BITS	16		  /* of an engine; the rest of ours says which */

void ping_init(struct pinger *ping, const struct ping_config *config, ping_observer *observer, void *context)
{
	memset(ping, 0, sizeof(*ping));
	ping->config = *config;
	ping->observer = observer;
	ping->context = context;
	ping->settle_next = 1;
	ping->next_send_ns = INT64_MIN;
	ping->started_ns = TIME_NEVER;
	ping->rtt_max_ns = RTT_NONE;
	series_init(&ping->series);
	for (unsigned i = 0; i < config->way_count; i++)
		engine_init(&ping->engines[i], &config->ways[i]);
}

void ping_deinit(struct pinger *ping)
{
	for (unsigned i = 0; i < ping->config.way_count; i++)
		engine_deinit(&ping->engines[i]);
}

void ping_stop(struct pinger *ping)
{
	ping->stopping = true;
}

const struct engine_config *ping_way(const struct pinger *ping)
{
	return &ping->config.ways[ping->way];
}

static void tell(struct pinger *ping, const struct ping_event *event)
{
	if (ping->observer)
		ping->observer(ping->context, event);
}

static struct ping_probe *probe_of(struct pinger *ping, uint32_t number)
{
	struct ping_probe *probe = &ping->probes[number % PING_PROBES];
	return number > 0 && probe->number == number ? probe : NULL;
}

/* ---- settling ---- */

static bool all_sent(const struct pinger *ping)
{
	return ping->stopping || (ping->config.count > 0 && ping->last_number >= ping->config.count);
}

static int64_t patience_ns(const struct pinger *ping)
{
	if (!all_sent(ping) || ping->rtt_max_ns == RTT_NONE)
		return ping->config.wait_ns;
	return MIN(ping->config.wait_ns, MAX(2 * ping->rtt_max_ns, ping->rtt_max_ns + PATIENCE_MIN_NS));
}

static void give_up(struct pinger *ping, struct ping_probe *probe, int64_t now_ns)
{
	probe->pending = false;
	series_loss(&ping->series);
	samples_add(&ping->samples,
		(struct sample){.at_ns = probe->sent_ns - ping->started_ns, .rtt_ns = RTT_NONE});
	tell(ping,
		&(struct ping_event){.kind = PING_LOST,
			.number = probe->number,
			.at_ns = now_ns,
			.sent_ns = probe->sent_ns});
}

static void settle(struct pinger *ping, int64_t now_ns)
{
	for (; ping->settle_next <= ping->last_number; ping->settle_next++) {
		struct ping_probe *probe = probe_of(ping, ping->settle_next);
		if (!probe || !probe->pending)
			continue;
		if (now_ns - probe->sent_ns < patience_ns(ping))
			return;
		give_up(ping, probe, now_ns);
	}
}

static bool all_settled(const struct pinger *ping)
{
	return ping->settle_next > ping->last_number;
}

/* ---- sending ---- */

static bool send(
	struct pinger *ping, unsigned way, uint32_t number, int64_t now_ns, struct outgoing *outgoing)
{
	struct probe_request request = {.ttl = ping->config.ttl, .user = number};
	if (engine_probe(&ping->engines[way], &request, now_ns, outgoing) < 0)
		return false;
	outgoing->token |= way << TOKEN_BITS;
	ping->last_sent_ns = now_ns;
	return true;
}

static bool send_probe(struct pinger *ping, int64_t now_ns, struct outgoing *outgoing)
{
	uint32_t number = ping->last_number + 1;
	if (!send(ping, ping->way, number, now_ns, outgoing))
		return false;
	ping->last_number = number;
	ping->probes[number % PING_PROBES] =
		(struct ping_probe){.number = number, .pending = true, .sent_ns = now_ns};
	ping->sent++;
	/* On time with the schedule, but what was missed is not made up for. */
	bool late = ping->next_send_ns < now_ns - ping->config.interval_ns;
	ping->next_send_ns = (late ? now_ns : ping->next_send_ns) + ping->config.interval_ns;
	return true;
}

/* Nobody has answered: what about the other protocols? */
static bool wants_knocks(const struct pinger *ping)
{
	unsigned silent = ping->series.lost;
	return !ping->knocked && ping->series.received == 0 && ping->refusals == 0 && !ping->stopping &&
		ping->config.way_count > 1 &&
		(silent >= KNOCK_AFTER || (silent > 0 && all_sent(ping) && all_settled(ping)));
}

static bool is_knocking(const struct pinger *ping)
{
	return ping->knocked && ping->way == 0 && ping->series.received == 0 && !ping->stopping &&
		ping->knocks + 1 < ping->config.way_count;
}

static enum machine_want done(struct pinger *ping)
{
	ping->done = true;
	return MACHINE_DONE;
}

static enum machine_want next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct pinger *ping = self;
	if (ping->done)
		return MACHINE_DONE;
	ping->started_ns = MIN(ping->started_ns, now_ns);
	settle(ping, now_ns);
	if (wants_knocks(ping)) {
		ping->knock_number = ping->last_number;
		ping->knocked = true;
		ping->next_knock_ns = now_ns;
	}
	bool knocking = is_knocking(ping);
	if (knocking && now_ns >= ping->next_knock_ns) {
		ping->next_knock_ns = now_ns + KNOCK_GAP_NS;
		if (send(ping, ++ping->knocks, ping->knock_number, now_ns, outgoing))
			return MACHINE_SEND;
		knocking = is_knocking(ping);
	}
	if (!all_sent(ping) && now_ns >= ping->next_send_ns)
		return send_probe(ping, now_ns, outgoing) ? MACHINE_SEND : done(ping);
	const struct ping_probe *oldest = probe_of(ping, ping->settle_next);
	bool listening = ping->knocked && ping->way == 0 && ping->series.received == 0 &&
		now_ns - ping->last_sent_ns < ping->config.wait_ns;
	if (all_sent(ping) && all_settled(ping) && !listening && !knocking)
		return done(ping);
	*wake_ns = MIN(all_sent(ping) ? TIME_NEVER : ping->next_send_ns,
		knocking ? ping->next_knock_ns : TIME_NEVER);
	if (oldest && oldest->pending)
		*wake_ns = MIN(*wake_ns, oldest->sent_ns + patience_ns(ping));
	if (listening)
		*wake_ns = MIN(*wake_ns, ping->last_sent_ns + ping->config.wait_ns);
	return MACHINE_WAIT;
}

static void sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct pinger *ping = self;
	unsigned way = token >> TOKEN_BITS;
	if (way >= ping->config.way_count)
		return;
	engine_sent(&ping->engines[way], token & ((1u << TOKEN_BITS) - 1), sent_ns);
	if (!error || way != ping->way)
		return;
	/* Sends and what they are told are one after the other. */
	struct ping_probe *probe = probe_of(ping, ping->last_number);
	ping->send_errors++;
	ping->send_error = error;
	if (!probe || !probe->pending)
		return;
	probe->pending = false;
	ping->sent--;
	tell(ping,
		&(struct ping_event){.kind = PING_VOID,
			.number = probe->number,
			.at_ns = sent_ns,
			.sent_ns = sent_ns,
			.error = error});
}

/* ---- answers ---- */

static void take_over(struct pinger *ping, unsigned way)
{
	ping->earlier_sent = ping->sent;
	ping->way = way;
	ping->sent = 1;
	ping->samples.count = 0;
	series_init(&ping->series);
	/* What was asked before is of no interest any more. */
	for (uint32_t number = ping->settle_next; number <= ping->last_number; number++) {
		struct ping_probe *probe = probe_of(ping, number);
		if (probe)
			probe->pending = false;
	}
}

static void take_answer(struct pinger *ping, struct ping_probe *probe, struct ping_event *event)
{
	const struct reply *reply = event->reply;
	struct sample sample = {.at_ns = event->sent_ns - ping->started_ns, .rtt_ns = reply->rtt_ns};
	event->late = probe && !probe->pending;
	ping->rtt_max_ns = MAX(ping->rtt_max_ns, reply->rtt_ns);
	if (event->late) {
		ping->late++;
		series_late(&ping->series, reply->rtt_ns);
		samples_late(&ping->samples, sample);
	} else {
		series_answer(&ping->series, reply->rtt_ns);
		samples_add(&ping->samples, sample);
	}
	if (probe)
		probe->pending = false;
	tell(ping, event);
}

static void take_reply(struct pinger *ping, unsigned way, int64_t received_ns, const struct reply *reply)
{
	struct ping_probe *probe = way == 0 || way == ping->way ? probe_of(ping, reply->user) : NULL;
	struct ping_event event = {
		.kind = PING_ANSWER,
		.number = reply->user,
		.at_ns = received_ns,
		.sent_ns = received_ns - reply->rtt_ns,
		.reply = reply,
	};
	if (way != ping->way) {
		/* A knock; the first that is answered by the host itself decides. */
		if (way == 0 || ping->way != 0 || ping->series.received > 0 || !reply->reached)
			return;
		take_over(ping, way);
		probe = NULL;
		event.kind = PING_OTHER;
		tell(ping, &event);
		event.kind = PING_ANSWER;
	}
	if (reply->reached) {
		take_answer(ping, probe, &event);
		return;
	}
	ping->refusals++;
	event.kind = PING_REFUSAL;
	tell(ping, &event);
}

static void packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct pinger *ping = self;
	struct reply reply;
	for (unsigned way = 0; way < ping->config.way_count; way++)
		if (engine_match(&ping->engines[way], received_ns, packet, &reply)) {
			take_reply(ping, way, received_ns, &reply);
			return;
		}
}

struct machine ping_machine(struct pinger *ping)
{
	static const struct machine_ops ops = {next, sent, packet};
	return (struct machine){&ops, ping};
}
