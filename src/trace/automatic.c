#include "trace/automatic.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"

/* Tokens of the traces are 16 bits wide; above them stands which trace it is. */
#define TRACE_SHIFT 16

void automatic_init(struct automatic *automatic, const struct trace_config *first,
	const struct automatic_other *others, unsigned other_count)
{
	*automatic = (struct automatic){.other_count = MIN(other_count, (unsigned)AUTOMATIC_OTHERS_MAX)};
	trace_init(&automatic->first, first);
	for (unsigned i = 0; i < automatic->other_count; i++)
		automatic->others[i] = others[i];
}

void automatic_deinit(struct automatic *automatic)
{
	trace_deinit(&automatic->first);
	for (unsigned i = 0; i < AUTOMATIC_OTHERS_MAX; i++) {
		if (automatic->knocking[i])
			trace_deinit(automatic->knocking[i]);
		free(automatic->knocking[i]);
		automatic->knocking[i] = NULL;
	}
	automatic->follower = NULL;
}

/* One that finds no memory does not knock. */
static void start_knocking(struct automatic *automatic)
{
	automatic->knocked = true;
	for (unsigned i = 0; i < automatic->other_count; i++) {
		struct trace_config config = automatic->first.config;
		config.protocol = automatic->others[i].protocol;
		config.flow = automatic->others[i].flow;
		config.dns = config.classic_port = false;
		config.size = config.protocol == PROBE_TCP ? 0 : config.size;
		config.rtt_hint_ns = MAX(automatic->first.rtt_max_ns, 0);
		config.knock = true;
		config.key.k1 += i + 1;
		automatic->knocking[i] = malloc(sizeof(struct trace));
		if (automatic->knocking[i])
			trace_init(automatic->knocking[i], &config);
	}
}

static enum machine_want next_of(
	struct trace *trace, unsigned number, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct machine machine = trace_machine(trace);
	enum machine_want want = machine.ops->next(machine.self, now_ns, outgoing, wake_ns);
	if (want == MACHINE_SEND)
		outgoing->token |= number << TRACE_SHIFT;
	return want;
}

/* Is the first trace done, without an end that other packets would meet as well? */
static bool wants_follower(const struct automatic *automatic)
{
	const struct trace *first = &automatic->first;
	return first->finished_ns != TIME_NEVER && !first->end && !first->looping &&
		first->highest < first->config.max_ttl && first->send_errors == 0;
}

/* Let the first in order that got through go on; `pending`: answers may still come, from the others too. */
static void choose_follower(struct automatic *automatic, bool pending)
{
	unsigned missing = automatic->first.highest + 1;
	for (unsigned i = 0; i < automatic->other_count; i++) {
		struct trace *trace = automatic->knocking[i];
		if (!trace || !trace->distance_answered || !trace->distance_through)
			continue;
		trace_yield(&automatic->first);
		if (!wants_follower(automatic) || (pending && i > 0))
			return;
		automatic->follower = trace;
		trace_release(trace, MAX(missing, automatic->first.config.first_ttl));
		return;
	}
}

/* The knocks; DONE when nobody waits for an answer any more. */
static enum machine_want next_knock(
	struct automatic *automatic, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	bool pending = false;
	*wake_ns = TIME_NEVER;
	for (unsigned i = 0; i < automatic->other_count; i++) {
		int64_t wake = TIME_NEVER;
		if (!automatic->knocking[i])
			continue;
		enum machine_want want = next_of(automatic->knocking[i], i + 1, now_ns, outgoing, &wake);
		if (want == MACHINE_SEND)
			return want;
		pending |= want == MACHINE_WAIT && wake != TIME_NEVER;
		*wake_ns = MIN(*wake_ns, wake);
	}
	return pending ? MACHINE_WAIT : MACHINE_DONE;
}

static unsigned number_of(const struct automatic *automatic, const struct trace *trace)
{
	unsigned number = 0;
	while (automatic->knocking[number] != trace)
		number++;
	return number + 1;
}

static enum machine_want automatic_next(
	void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct automatic *automatic = self;
	struct trace *first = &automatic->first;
	int64_t knock_wake_ns = TIME_NEVER;
	enum machine_want knocks = MACHINE_DONE, want = MACHINE_DONE;
	if (!automatic->follower) {
		want = next_of(first, 0, now_ns, outgoing, wake_ns);
		if (want == MACHINE_SEND || automatic->other_count == 0)
			return want;
		if (!automatic->knocked && (wants_follower(automatic) || trace_is_in_silence(first)))
			start_knocking(automatic);
		if (automatic->knocked)
			knocks = next_knock(automatic, now_ns, outgoing, &knock_wake_ns);
		if (knocks == MACHINE_SEND)
			return knocks;
		if (automatic->knocked)
			choose_follower(automatic, knocks == MACHINE_WAIT);
	}
	if (automatic->follower)
		return next_of(automatic->follower, number_of(automatic, automatic->follower), now_ns,
			outgoing, wake_ns);
	if (want == MACHINE_DONE && (knocks == MACHINE_DONE || !wants_follower(automatic)))
		return MACHINE_DONE;
	*wake_ns = want == MACHINE_DONE ? knock_wake_ns : MIN(*wake_ns, knock_wake_ns);
	return MACHINE_WAIT;
}

static void automatic_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct automatic *automatic = self;
	unsigned number = token >> TRACE_SHIFT;
	struct trace *trace = number == 0	 ? &automatic->first
		: number <= AUTOMATIC_OTHERS_MAX ? automatic->knocking[number - 1]
						 : NULL;
	if (!trace)
		return;
	struct machine machine = trace_machine(trace);
	machine.ops->sent(machine.self, token & UINT16_MAX, sent_ns, error);
}

static void automatic_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct automatic *automatic = self;
	struct machine machine = trace_machine(&automatic->first);
	machine.ops->packet(machine.self, received_ns, packet);
	for (unsigned i = 0; i < automatic->other_count; i++) {
		if (!automatic->knocking[i])
			continue;
		machine = trace_machine(automatic->knocking[i]);
		machine.ops->packet(machine.self, received_ns, packet);
	}
}

struct machine automatic_machine(struct automatic *automatic)
{
	static const struct machine_ops ops = {automatic_next, automatic_sent, automatic_packet};
	return (struct machine){.ops = &ops, .self = automatic};
}

/* ---- the result ---- */

static int note_try(struct path *path, const struct trace *trace, unsigned last_ttl)
{
	struct path_try *attempt = path_add_try(path);
	if (!attempt)
		return -1;
	*attempt = (struct path_try){
		.protocol = trace->config.protocol,
		.destination_port = trace->config.flow.destination_port,
		.first_ttl = trace->config.knock ? 0 : (int)trace->config.first_ttl,
		.last_ttl = trace->config.knock ? 0 : (int)last_ttl,
		.sent = trace->probes_sent,
		.received = trace->replies_received,
		.reached = trace->distance_through || (trace->end && trace->hops[trace->end].reached),
	};
	return 0;
}

/* The follower's hops take the place of the silence. */
static int join(struct path *path, const struct automatic *automatic, int64_t now_ns)
{
	const struct trace *follower = automatic->follower;
	struct path *rest = trace_path(follower, path->started_wall_ns, now_ns);
	if (!rest)
		return -1;
	size_t kept = follower->config.first_ttl - automatic->first.config.first_ttl;
	for (size_t i = 0; i < rest->hop_count; i++)
		for (size_t j = 0; j < rest->hops[i].probe_count; j++)
			rest->hops[i].probes[j].sent_ns += follower->started_ns - automatic->first.started_ns;
	int result = path_join(path, kept, rest);
	for (size_t i = kept; result == 0 && i < path->hop_count; i++)
		path->hops[i].protocol = (int)follower->config.protocol;
	path->stop_reason = rest->stop_reason;
	path->reached = rest->reached;
	path->duration_ns = follower->started_ns - automatic->first.started_ns + rest->duration_ns;
	path_free(rest);
	return result;
}

struct path *automatic_path(const struct automatic *automatic, int64_t wall_ns, int64_t now_ns)
{
	struct path *path = trace_path(&automatic->first, wall_ns, now_ns);
	if (!path || !automatic->knocked)
		return path;
	if (note_try(path, &automatic->first, automatic->first.explored) < 0)
		goto fail;
	for (unsigned i = 0; i < automatic->other_count; i++) {
		const struct trace *trace = automatic->knocking[i];
		if (!trace || trace->probes_sent == 0)
			continue;
		if (note_try(path, trace, trace->end ? trace->end : trace->explored) < 0)
			goto fail;
		path->probes_sent += trace->probes_sent;
		path->replies_received += trace->replies_received;
	}
	if (automatic->follower && join(path, automatic, now_ns) < 0)
		goto fail;
	return path;
fail:
	path_free(path);
	return NULL;
}
