#include "path/timeline_flows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "path/timeline_change.h"

/* Flows meet the same change within so many of their turns. */
#define ONE_CHANGE_TURNS 8

int timeline_take_flows(struct timeline *timeline, const struct flow *flows, unsigned count)
{
	count = MIN(count, (unsigned)TIMELINE_FLOWS);
	for (unsigned i = 0; count > 1 && i < count; i++) {
		timeline->flows[i] = malloc(sizeof(struct timeline));
		if (!timeline->flows[i])
			return -ENOMEM;
		timeline_init(timeline->flows[i], timeline->interval_ns * count);
		timeline->flow_of[i] = flows[i];
		timeline->flow_count = i + 1;
	}
	return 0;
}

void flows_deinit(struct timeline *timeline)
{
	for (unsigned i = 0; i < timeline->flow_count; i++) {
		if (timeline->flows[i])
			timeline_deinit(timeline->flows[i]);
		free(timeline->flows[i]);
	}
}

int flows_copy(struct timeline *copy, const struct timeline *timeline)
{
	for (unsigned i = 0; i < timeline->flow_count; i++) {
		copy->flows[i] = malloc(sizeof(struct timeline));
		if (!copy->flows[i])
			return -ENOMEM;
		int result = timeline_copy(copy->flows[i], timeline->flows[i]);
		if (result < 0)
			return result;
	}
	return 0;
}

unsigned flows_last(const struct timeline *timeline)
{
	unsigned last = 0;
	for (unsigned i = 0; i < timeline->flow_count; i++)
		last = MAX(last, timeline_last(timeline->flows[i]));
	return last;
}

/* ---- loss ---- */

static void add_loss(struct loss *loss, const struct loss *other)
{
	loss->sent += other->sent;
	loss->lost += other->lost;
	loss->skipped += other->skipped;
	loss->skips |= other->skips;
	loss->share = share_of(loss->lost, loss->sent);
}

struct loss flows_loss(const struct timeline *timeline, unsigned ttl)
{
	struct loss sum = {.share = {0, 1}};
	for (unsigned i = 0; i < timeline->flow_count; i++) {
		struct loss loss = timeline_loss(timeline->flows[i], ttl);
		add_loss(&sum, &loss);
	}
	return sum;
}

/* ---- the sum ---- */

/* Verdicts by what they say of the hop where flows meet different routers. */
static unsigned weight_of(enum limit_verdict verdict)
{
	static const unsigned weights[] = {[LIMIT_UNKNOWN] = 0,
		[LIMIT_UNDECIDED] = 1,
		[LIMIT_LOSES] = 2,
		[LIMIT_TESTING] = 3,
		[LIMIT_LIMITS] = 4};
	return weights[verdict];
}

static void add_hop(struct timeline_hop *sum, const struct timeline_hop *hop)
{
	series_add(&sum->now, &hop->now);
	sum->since_ns = MAX(sum->since_ns, hop->since_ns);
	sum->round_answered += hop->round_answered;
	sum->round_lost += hop->round_lost;
	sum->judged_sent += hop->judged_sent;
	sum->judged_lost += hop->judged_lost;
	if (weight_of(hop->limit) > weight_of(sum->limit)) {
		sum->limit = hop->limit;
		sum->limit_asked = hop->limit_asked;
		sum->limit_answered = hop->limit_answered;
	}
}

static enum responder_state state_of(const struct timeline *timeline, unsigned ttl, struct addr address)
{
	enum responder_state state = RESPONDER_OLD;
	for (unsigned i = 0; i < timeline->flow_count; i++) {
		const struct timeline_hop *hop = timeline->flows[i]->hops[ttl];
		for (size_t j = 0; hop && j < hop->responder_count; j++)
			if (addr_equal(hop->responders[j].address, address))
				state = MIN(state, hop->responders[j].state);
	}
	return state;
}

static void sum_hop(struct timeline *timeline, unsigned ttl)
{
	struct timeline_hop *sum = timeline->hops[ttl];
	if (!sum)
		return;
	series_init(&sum->now);
	sum->since_ns = 0;
	sum->round_answered = sum->round_lost = sum->judged_sent = sum->judged_lost = 0;
	sum->limit = LIMIT_UNKNOWN;
	for (unsigned i = 0; i < timeline->flow_count; i++)
		if (timeline->flows[i]->hops[ttl])
			add_hop(sum, timeline->flows[i]->hops[ttl]);
	if (sum->now.received > 0)
		sum->now.last_ns = sum->total.last_ns;
	for (size_t i = 0; i < sum->responder_count; i++)
		sum->responders[i].state = state_of(timeline, ttl, sum->responders[i].address);
}

static void sum_ends(struct timeline *timeline)
{
	timeline->end = timeline->refusal = timeline->highest = 0;
	for (unsigned i = 0; i < timeline->flow_count; i++) {
		timeline->end = MAX(timeline->end, timeline->flows[i]->end);
		timeline->refusal = MAX(timeline->refusal, timeline->flows[i]->refusal);
		timeline->highest = MAX(timeline->highest, timeline->flows[i]->highest);
	}
}

/* A router that was asked more slowly by one flow is the same for all that meet it there. */
static void share_verdict(struct timeline *timeline, const struct watch_event *event)
{
	const struct timeline_hop *asked = timeline->flows[event->flow]->hops[event->ttl];
	const struct responder *shown = timeline_shown(asked);
	for (unsigned i = 0; shown && i < timeline->flow_count; i++) {
		struct timeline_hop *hop = timeline->flows[i]->hops[event->ttl];
		const struct responder *other = timeline_shown(hop);
		if (!other || !addr_equal(other->address, shown->address))
			continue;
		hop->limit = asked->limit;
		hop->limit_asked = asked->limit_asked;
		hop->limit_answered = asked->limit_answered;
	}
}

/* ---- changes ---- */

/* The same thing happened to the way of another flow a moment ago. */
static struct timeline_change *seen_by_others(
	struct timeline *timeline, const struct timeline_change *change, unsigned bit)
{
	int64_t span_ns = ONE_CHANGE_TURNS * timeline->flow_count * timeline->interval_ns;
	for (size_t i = timeline->change_count; i-- > 0;) {
		struct timeline_change *other = &timeline->changes[i];
		if (other->first_ttl == change->first_ttl && addr_equal(other->before, change->before) &&
			addr_equal(other->after, change->after) && !(other->flows & bit) &&
			change->noticed_ns <= other->noticed_ns + span_ns)
			return other;
	}
	return NULL;
}

/* What is known of the last change of a flow grows for a while. */
static void keep_up(struct timeline *timeline, unsigned flow, const struct timeline_change *last)
{
	for (size_t i = timeline->change_count; i-- > 0;) {
		struct timeline_change *change = &timeline->changes[i];
		if (!(change->flows & 1u << flow))
			continue;
		unsigned flows = change->flows;
		if (change->flow == flow) {
			*change = *last;
			change->flows = flows;
			change->flow = (uint8_t)flow;
		}
		return;
	}
}

static bool tell_change(struct timeline *timeline, unsigned flow, bool changed)
{
	const struct timeline *of = timeline->flows[flow];
	const struct timeline_change *last = of->change_count > 0 ? &of->changes[of->change_count - 1] : NULL;
	if (!last)
		return false;
	if (!changed) {
		keep_up(timeline, flow, last);
		return false;
	}
	struct timeline_change *change = seen_by_others(timeline, last, 1u << flow);
	if (change) {
		change->flows |= 1u << flow;
		return false;
	}
	change = change_add(timeline, last);
	change->flows = 1u << flow;
	change->flow = (uint8_t)flow;
	return true;
}

bool flows_applied(struct timeline *timeline, const struct watch_event *event, bool changed)
{
	bool all = changed || event->kind == WATCH_ROUND;
	if (event->kind == WATCH_LIMIT)
		share_verdict(timeline, event);
	if (event->kind == WATCH_ROUND)
		timeline->end_missed = timeline->flows[event->flow]->end_missed;
	sum_ends(timeline);
	for (unsigned ttl = all ? 1 : event->ttl; ttl <= (all ? TIMELINE_TTL_MAX : event->ttl); ttl++)
		sum_hop(timeline, ttl);
	return tell_change(timeline, event->flow, changed);
}

/* ---- branches ---- */

static int compare_times(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static int64_t median_of(const struct timeline *timeline, unsigned ttl, unsigned flows)
{
	int64_t times[TIMELINE_FLOWS * SAMPLES_KEPT];
	size_t count = 0;
	for (unsigned i = 0; i < timeline->flow_count; i++) {
		const struct timeline_hop *hop = flows & 1u << i ? timeline->flows[i]->hops[ttl] : NULL;
		for (size_t j = 0; hop && j < samples_kept(&hop->samples); j++) {
			struct sample sample = samples_get(&hop->samples, j);
			if (sample.rtt_ns != RTT_NONE && sample.at_ns >= hop->since_ns)
				times[count++] = sample.rtt_ns;
		}
	}
	if (count == 0)
		return RTT_NONE;
	qsort(times, count, sizeof(*times), compare_times);
	return times[(count - 1) / 2];
}

static struct timeline_branch *branch_of(
	struct timeline_branch *branches, unsigned *count, const struct responder *shown, unsigned flow)
{
	struct addr address = shown ? shown->address : ADDR_NONE;
	bool reached = shown && shown->reached;
	for (unsigned i = 0; i < *count && !reached; i++)
		if (addr_equal(branches[i].address, address) && !branches[i].reached)
			return &branches[i];
	struct timeline_branch *branch = &branches[(*count)++];
	*branch = (struct timeline_branch){
		.address = address, .reached = reached, .first_flow = flow, .loss = {.share = {0, 1}}};
	series_init(&branch->series);
	return branch;
}

unsigned timeline_branches(const struct timeline *timeline, unsigned ttl, struct timeline_branch *branches)
{
	unsigned count = 0;
	int64_t last_ns[TIMELINE_FLOWS] = {0};
	for (unsigned i = 0; i < timeline->flow_count; i++) {
		const struct timeline *of = timeline->flows[i];
		const struct timeline_hop *hop = timeline_hop(of, ttl);
		if (!hop || ttl > timeline_last(of))
			continue;
		const struct responder *shown = timeline_shown(hop);
		struct timeline_branch *branch = branch_of(branches, &count, shown, i);
		struct loss loss = timeline_loss(of, ttl);
		branch->flows |= 1u << i;
		series_add(&branch->series, &hop->now);
		add_loss(&branch->loss, &loss);
		if (weight_of(hop->limit) > weight_of(branch->limit))
			branch->limit = hop->limit;
		if (shown && shown->last_ns >= last_ns[branch - branches] && hop->now.received > 0) {
			last_ns[branch - branches] = shown->last_ns;
			branch->series.last_ns = hop->now.last_ns;
		}
	}
	for (unsigned i = 0; i < count; i++)
		branches[i].median_ns = median_of(timeline, ttl, branches[i].flows);
	return count;
}
