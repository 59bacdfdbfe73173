#include "reverse/inferred.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "reverse/rr_evidence.h"

#define CHANGE_MIN 3 /* fewer may be a router that takes two off, or none */

/* The first answer from the hop's address, or NULL. */
static const struct probe_result *answer_of(const struct hop *hop)
{
	for (size_t i = 0; i < hop->probe_count; i++) {
		const struct probe_result *probe = &hop->probes[i];
		if (probe_answered(probe) && probe->reply.ttl > 0 && addr_equal(probe->address, hop->address))
			return probe;
	}
	return NULL;
}

static bool is_target(const struct path *forward, size_t index)
{
	return forward->reached && index + 1 == forward->hop_count;
}

/* Its answers may have taken a turn through a tunnel before they came back. */
static bool in_tunnel(const struct probe_result *probe)
{
	return probe->mpls_count > 0 || probe->quoted.ttl > 1;
}

/* Routers passed on the way back beyond those of the way there; false: the hop does not tell. */
static bool excess_of(const struct path *forward, size_t index, int *excess)
{
	const struct hop *hop = &forward->hops[index];
	const struct probe_result *probe = answer_of(hop);
	if (!probe || hop->ttl <= 0 || (!is_target(forward, index) && in_tunnel(probe)))
		return false;
	*excess = rr_hops_passed(probe->reply.ttl) - (hop->ttl - 1);
	return true;
}

/* Do all hops from this one on differ from `before` to one side, by that much? At least two must say so. */
static bool holds(const struct path *forward, size_t from, int before, int sign)
{
	unsigned count = 0;
	int excess;
	for (size_t i = from; i < forward->hop_count; i++) {
		if (!excess_of(forward, i, &excess))
			continue;
		/* The target may have begun with any TTL: it is looked at on its own. */
		if (!is_target(forward, i) && (excess - before) * sign < CHANGE_MIN)
			return false;
		count++;
	}
	return count >= 2;
}

static void find_change(const struct path *forward, struct inferred *inferred)
{
	int before = 0, excess;
	for (size_t i = 0; i < forward->hop_count && !inferred->changes_at; i++) {
		if (is_target(forward, i) || !excess_of(forward, i, &excess))
			continue;
		int change = excess - before, sign = change > 0 ? 1 : -1;
		if (abs(change) >= CHANGE_MIN && holds(forward, i, before, sign)) {
			inferred->changes_at = forward->hops[i].ttl;
			inferred->change = change;
		}
		before = excess;
	}
}

/* Answers that began with 255 lose more in a hidden tunnel than those that began with 64 or 128. */
static void check_for_tunnel(struct inferred *inferred)
{
	if (!inferred->changes_at || !inferred->heard || inferred->initial_ttl == 255)
		return;
	int excess = inferred->back_hops - inferred->there_hops;
	int sign = inferred->change > 0 ? 1 : -1;
	if (excess * sign >= CHANGE_MIN)
		return;
	inferred->tunnel = true;
	inferred->changes_at = 0;
}

static int64_t least_from(const struct path *forward, size_t from)
{
	int64_t least_ns = RTT_NONE;
	for (size_t i = from; i < forward->hop_count; i++) {
		int64_t rtt_ns = forward->hops[i].rtt_min_ns;
		if (rtt_ns != RTT_NONE && (least_ns == RTT_NONE || rtt_ns < least_ns))
			least_ns = rtt_ns;
	}
	return least_ns;
}

static void find_step(const struct path *forward, struct inferred *inferred)
{
	int64_t before_ns = RTT_NONE;
	for (size_t i = 0; i < forward->hop_count && inferred->changes_at; i++) {
		const struct hop *hop = &forward->hops[i];
		if (hop->ttl < inferred->changes_at) {
			before_ns = hop->rtt_min_ns != RTT_NONE ? hop->rtt_min_ns : before_ns;
			continue;
		}
		int64_t after_ns = least_from(forward, i);
		if (before_ns != RTT_NONE && after_ns > before_ns)
			inferred->step_ns = after_ns - before_ns;
		return;
	}
}

void infer(const struct path *forward, struct inferred *inferred)
{
	*inferred = (struct inferred){.there_hops = -1, .back_hops = -1};
	if (!forward || forward->hop_count == 0)
		return;
	const struct hop *last = &forward->hops[forward->hop_count - 1];
	const struct probe_result *probe = forward->reached && last->ttl > 0 ? answer_of(last) : NULL;
	if (probe) {
		inferred->heard = true;
		inferred->there_hops = last->ttl - 1;
		inferred->back_hops = rr_hops_passed(probe->reply.ttl);
		inferred->initial_ttl = probe->reply.ttl + inferred->back_hops;
	}
	find_change(forward, inferred);
	check_for_tunnel(inferred);
	find_step(forward, inferred);
}

/* ---- what it tells */

static struct path *path_of(const struct path *forward)
{
	struct inferred inferred;
	infer(forward, &inferred);
	struct path *path = inferred.heard ? path_new(DIRECTION_REVERSE, "inferred") : NULL;
	if (!path)
		return NULL;
	path->protocol = forward->protocol;
	path->source = forward->destination;
	path->destination = forward->source;
	path->started_wall_ns = forward->started_wall_ns;
	for (int ttl = 1; ttl <= inferred.back_hops; ttl++) {
		struct hop *hop = path_add_hop(path, ttl, TECHNIQUE_INFERRED);
		if (!hop) {
			path_free(path);
			return NULL;
		}
		hop->certainty = CERTAINTY_INFERRED;
	}
	return path;
}

static void describe_change(const struct inferred *inferred, char *text, size_t size)
{
	if (inferred->tunnel)
		snprintf(text, size, "; a tunnel of labels on the way back makes routers seem farther away");
	else if (inferred->changes_at && inferred->step_ns >= NS_PER_MS)
		snprintf(text, size,
			"; from hop %d on answers come another way, %d %s, and take %.0f ms longer",
			inferred->changes_at, abs(inferred->change),
			inferred->change > 0 ? "longer" : "shorter", (double)inferred->step_ns / 1e6);
	else if (inferred->changes_at)
		snprintf(text, size, "; from hop %d on answers come another way, %d %s", inferred->changes_at,
			abs(inferred->change), inferred->change > 0 ? "longer" : "shorter");
	else
		text[0] = '\0';
}

static enum attempt_status status_of(const struct path *forward, char *detail, size_t size)
{
	struct inferred inferred;
	char change[120];
	if (!forward) {
		snprintf(detail, size, "needs the way there as well: retour HOST");
		return ATTEMPT_UNAVAILABLE;
	}
	infer(forward, &inferred);
	describe_change(&inferred, change, sizeof(change));
	if (!inferred.heard) {
		snprintf(detail, size, "%s does not tell how far it is%s",
			forward->reached ? "the target's answer" : "the target did not answer and", change);
		return ATTEMPT_UNAVAILABLE;
	}
	snprintf(detail, size,
		"about %d routers back, %d there: the answer's TTL, if it began with %d%s; a responder on "
		"the target would decide",
		inferred.back_hops, inferred.there_hops, inferred.initial_ttl, change);
	return ATTEMPT_PARTIAL;
}

/* ---- a method that sends nothing and reads the way there */

struct inference {
	const struct path *forward; /* NULL = not known */
};

static void *start(const struct reverse_task *task UNUSED)
{
	return calloc(1, sizeof(struct inference));
}

static enum machine_want on_next(
	void *self UNUSED, int64_t now_ns UNUSED, struct outgoing *outgoing UNUSED, int64_t *wake_ns UNUSED)
{
	return MACHINE_DONE;
}

static void on_sent(void *self UNUSED, uint32_t token UNUSED, int64_t sent_ns UNUSED, int error UNUSED)
{
}

static void on_packet(void *self UNUSED, int64_t received_ns UNUSED, const struct packet *packet UNUSED)
{
}

static struct machine machine_of(void *run)
{
	static const struct machine_ops ops = {on_next, on_sent, on_packet};
	return (struct machine){.ops = &ops, .self = run};
}

static void on_hint(void *run UNUSED, int64_t rtt_ns UNUSED)
{
}

static void on_known(void *run, const struct path *forward)
{
	struct inference *inference = run;
	inference->forward = forward;
}

static struct path *tell_path(const void *run, int64_t started_wall_ns UNUSED)
{
	const struct inference *inference = run;
	return inference->forward ? path_of(inference->forward) : NULL;
}

static enum attempt_status tell_status(const void *run, char *detail, size_t size)
{
	const struct inference *inference = run;
	return status_of(inference->forward, detail, size);
}

static int64_t duration_ns(const void *run UNUSED)
{
	return 0;
}

const struct reverse_method inferred_method = {
	.name = "inferred",
	.ipv4 = true,
	.ipv6 = true,
	.start = start,
	.machine = machine_of,
	.hint = on_hint,
	.known = on_known,
	.path = tell_path,
	.status = tell_status,
	.duration_ns = duration_ns,
	.free = free,
};
