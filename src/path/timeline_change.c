#include "path/timeline_change.h"

#include <math.h>
#include <string.h>

/* Changes that hops confirm within so many rounds are one change. */
#define ONE_CHANGE_ROUNDS 8
#define END_SILENT_ROUNDS 6
#define END_SILENT_CHANCE 1e-6 /* of so long a silence where answers get lost as often as they do */

/* The least round trip to the end of probes that left in [from, to). */
static int64_t least_rtt_to_end(const struct timeline *timeline, int64_t from_ns, int64_t to_ns)
{
	const struct timeline_hop *hop = timeline_hop(timeline, timeline_last(timeline));
	int64_t least = RTT_NONE;
	for (size_t i = 0; hop && i < samples_kept(&hop->samples); i++) {
		struct sample sample = samples_get(&hop->samples, i);
		if (sample.rtt_ns != RTT_NONE && sample.at_ns >= from_ns && sample.at_ns < to_ns)
			least = least == RTT_NONE ? sample.rtt_ns : MIN(least, sample.rtt_ns);
	}
	return least;
}

struct timeline_change *change_add(struct timeline *timeline, const struct timeline_change *change)
{
	if (timeline->change_count == TIMELINE_CHANGES) {
		memmove(timeline->changes, timeline->changes + 1,
			(TIMELINE_CHANGES - 1) * sizeof(*timeline->changes));
		timeline->change_count--;
	}
	timeline->changes_ever++;
	timeline->changes[timeline->change_count] = *change;
	return &timeline->changes[timeline->change_count++];
}

/* What was lost on the way as it was is settled; counting starts anew for all hops. */
static void close_accounts(struct timeline *timeline)
{
	unsigned carried[TIMELINE_TTL_MAX + 1] = {0};
	unsigned last = timeline_last(timeline);
	for (unsigned ttl = 1; ttl <= last; ttl++)
		if (timeline->hops[ttl])
			carried[ttl] = timeline_carried(timeline, timeline->hops[ttl]);
	for (unsigned ttl = 1; ttl <= TIMELINE_TTL_MAX; ttl++) {
		struct timeline_hop *hop = timeline->hops[ttl];
		if (!hop)
			continue;
		/* Lost since the last answer of the old way, or answered by the new one: of the new one. */
		bool moving = hop->candidate_run > 0;
		unsigned lost = MIN(moving ? hop->candidate_lost : hop->silent, hop->round_lost);
		unsigned answered = moving ? MIN(hop->candidate_answered, hop->round_answered) : 0;
		hop->judged_sent += hop->round_answered + hop->round_lost - lost - answered;
		hop->judged_lost += carried[ttl] - MIN(lost, carried[ttl]);
		hop->round_answered = answered;
		hop->round_lost = ttl <= last ? lost : 0;
	}
}

/* The change that is going on, or a new one. `before` are the things as they were. */
static struct timeline_change *note_change(
	struct timeline *timeline, const struct timeline_change *before, bool *fresh)
{
	struct timeline_change *last =
		timeline->change_count > 0 ? &timeline->changes[timeline->change_count - 1] : NULL;
	*fresh = !last || before->at_ns > last->noticed_ns + ONE_CHANGE_ROUNDS * timeline->interval_ns;
	if (*fresh) {
		close_accounts(timeline);
		return change_add(timeline, before);
	}
	if (before->first_ttl < last->first_ttl) {
		last->first_ttl = before->first_ttl;
		last->before = before->before;
		last->after = before->after;
	}
	last->at_ns = MIN(last->at_ns, before->at_ns);
	last->last_ttl = MAX(last->last_ttl, before->last_ttl);
	return last;
}

/* Who stands right before the destination. */
static struct addr gate_of(const struct timeline *timeline)
{
	const struct responder *shown =
		timeline->end > 1 ? timeline_shown(timeline_hop(timeline, timeline->end - 1)) : NULL;
	return shown && !shown->reached ? shown->address : ADDR_NONE;
}

static struct timeline_change things_before(const struct timeline *timeline, uint8_t ttl, int64_t at_ns)
{
	const struct responder *shown = timeline_shown(timeline_hop(timeline, ttl));
	return (struct timeline_change){
		.at_ns = at_ns,
		.noticed_ns = timeline->now_ns,
		.first_ttl = ttl,
		.last_ttl = ttl,
		.before = shown ? shown->address : ADDR_NONE,
		.end_before = timeline->end,
		.path_before = timeline_path_id(timeline),
		.rtt_before_ns = least_rtt_to_end(timeline, 0, at_ns),
		.rtt_after_ns = RTT_NONE,
		.gate_before = gate_of(timeline),
		.reply_ttl_before = -1,
		.reply_ttl_after = -1,
	};
}

/* Answers came back over so many hops less or more since the way there changed. */
static void compare_reply_ttls(const struct timeline *timeline, struct timeline_change *change)
{
	const struct reply_ttls *ttls = &timeline->reply_ttls;
	bool steady = ttls->run >= TIMELINE_CONFIRM,
	     with_it = ttls->since_ns >= change->at_ns - timeline->interval_ns;
	change->reply_ttl_after = steady ? ttls->now : -1;
	change->reply_ttl_before = !steady	       ? -1
		: !with_it			       ? ttls->now
		: ttls->run_before >= TIMELINE_CONFIRM ? ttls->before
						       : -1;
}

static void things_after(struct timeline *timeline)
{
	struct timeline_change *change = &timeline->changes[timeline->change_count - 1];
	const struct responder *shown = timeline_shown(timeline_hop(timeline, change->first_ttl));
	change->after = shown ? shown->address : ADDR_NONE;
	change->end_after = timeline->end;
	change->path_after = timeline_path_id(timeline);
	change->rtt_after_ns = least_rtt_to_end(timeline, change->at_ns, INT64_MAX);
	change->gate_after = gate_of(timeline);
	compare_reply_ttls(timeline, change);
}

/* Hops of the way before become old; a new account begins with what was lost since they last answered. */
static void retire(struct timeline_hop *hop, int64_t since_ns)
{
	hop->since_ns = since_ns;
	for (size_t i = 0; i < hop->responder_count; i++)
		hop->responders[i].state = RESPONDER_OLD;
	series_init(&hop->now);
	hop->now.lost = hop->silent;
	hop->candidate_run = 0;
	hop->limit = LIMIT_UNKNOWN;
}

static void adopt_candidates(struct timeline_hop *hop)
{
	for (size_t i = 0; i < hop->responder_count; i++) {
		struct responder *responder = &hop->responders[i];
		responder->state = responder->state == RESPONDER_CANDIDATE ? RESPONDER_NOW : RESPONDER_OLD;
	}
	hop->now = hop->candidate;
	hop->since_ns = hop->candidate_since_ns;
	hop->round_answered = hop->candidate_answered;
	hop->round_lost = hop->candidate_lost;
	hop->candidate_run = 0;
	hop->limit = LIMIT_UNKNOWN;
}

/* Hops behind the change that fell silent with it: whoever they were, they are of the old way. */
static void retire_silent(struct timeline *timeline, uint8_t first, int64_t since_ns)
{
	for (unsigned ttl = first + 1u; ttl <= timeline_last(timeline); ttl++) {
		struct timeline_hop *hop = timeline->hops[ttl];
		const struct responder *shown = timeline_shown(hop);
		if (hop && shown && hop->silent >= TIMELINE_CONFIRM && shown->last_ns < since_ns)
			retire(hop, since_ns);
	}
}

static void begin_candidate(struct timeline_hop *hop, const struct watch_event *event)
{
	series_init(&hop->candidate);
	hop->candidate.lost = hop->silent;
	hop->candidate_lost = MIN(hop->silent, hop->round_lost);
	hop->candidate_answered = 0;
	hop->candidate_since_ns = event->sent_ns;
}

static bool confirm_hop(struct timeline *timeline, struct timeline_hop *hop)
{
	bool fresh;
	struct timeline_change before = things_before(timeline, hop->ttl, hop->candidate_since_ns);
	note_change(timeline, &before, &fresh);
	adopt_candidates(hop);
	retire_silent(timeline, hop->ttl, hop->candidate_since_ns);
	things_after(timeline);
	return fresh;
}

bool change_by_answer(struct timeline *timeline, struct timeline_hop *hop, struct responder *responder,
	const struct watch_event *event)
{
	bool known = timeline_shown(hop) != NULL;
	/* An answer from before the change says nothing new. */
	bool stale = event->late && responder->state != RESPONDER_NOW;
	unsigned silent = hop->silent;
	hop->silent = event->late ? silent : 0;
	if (!event->reached && !event->refused)
		timeline->highest = MAX(timeline->highest, hop->ttl);
	if (!known && !stale) {
		responder->state = RESPONDER_NOW;
		hop->candidate_run = 0;
		return false;
	}
	if (responder->state == RESPONDER_NOW) {
		for (size_t i = 0; hop->candidate_run > 0 && i < hop->responder_count; i++)
			if (hop->responders[i].state == RESPONDER_CANDIDATE)
				hop->responders[i].state = RESPONDER_NOW;
		hop->candidate_run = 0;
		return false;
	}
	if (stale)
		return false;
	if (hop->candidate_run++ == 0) {
		hop->silent = silent;
		begin_candidate(hop, event);
		hop->silent = 0;
	}
	responder->state = RESPONDER_CANDIDATE;
	series_answer(&hop->candidate, event->answer->rtt_ns);
	hop->candidate_answered += !event->test;
	return hop->candidate_run >= TIMELINE_CONFIRM && confirm_hop(timeline, hop);
}

/* ---- the end of the way ---- */

/* Probes that found the destination further on than it was, because too many were sent at first, tell nothing
 * of the hop that stands there now: it is counted from `since_ns` on. */
static void restart(struct timeline_hop *hop, int64_t since_ns)
{
	hop->since_ns = since_ns;
	hop->round_answered = hop->round_lost = 0;
	series_init(&hop->now);
	for (size_t back = samples_kept(&hop->samples); back > 0; back--) {
		struct sample sample = samples_get(&hop->samples, back - 1);
		if (sample.at_ns < since_ns)
			continue;
		if (sample.rtt_ns == RTT_NONE)
			series_loss(&hop->now);
		else
			series_answer(&hop->now, sample.rtt_ns);
	}
	hop->round_answered = hop->now.received;
	hop->round_lost = hop->now.lost;
}

static bool move_end(struct timeline *timeline, unsigned end)
{
	unsigned old = timeline->end;
	bool fresh;
	struct timeline_change before =
		things_before(timeline, (uint8_t)MIN(old, end), timeline->end_candidate_since_ns);
	before.last_ttl = (uint8_t)MAX(old, end);
	note_change(timeline, &before, &fresh);
	for (unsigned ttl = end + 1; ttl <= old; ttl++)
		if (timeline->hops[ttl])
			retire(timeline->hops[ttl], timeline->end_candidate_since_ns);
	for (unsigned ttl = old; old && ttl < end; ttl++) {
		struct timeline_hop *hop = timeline->hops[ttl];
		const struct responder *shown = timeline_shown(hop);
		/* Where the destination answered, something else stands now. */
		if (hop && shown && shown->reached)
			retire(hop, timeline->end_candidate_since_ns);
	}
	/* Until now this hop limit was beyond the way, or somebody else's. */
	struct timeline_hop *hop = timeline->hops[end];
	struct responder *to = NULL;
	for (size_t i = 0; hop && i < hop->responder_count; i++)
		if (hop->responders[i].reached)
			to = &hop->responders[i];
	timeline->end = end;
	timeline->end_rounds = TIMELINE_CONFIRM;
	if (to && to->state != RESPONDER_NOW) {
		retire(hop, timeline->end_candidate_since_ns);
		to->state = RESPONDER_NOW;
	} else if (to) {
		restart(hop, timeline->end_candidate_since_ns);
	}
	timeline->highest = MIN(timeline->highest, end);
	things_after(timeline);
	return fresh;
}

/* Longer than losses explain. */
static bool silent_for_good(const struct timeline_hop *hop)
{
	unsigned lost = hop->round_lost - MIN(hop->silent, hop->round_lost);
	double share = (lost + 1.0) / (lost + hop->round_answered + 2.0);
	return hop->silent >= END_SILENT_ROUNDS && pow(share, hop->silent) < END_SILENT_CHANCE;
}

/* A destination that limits its replies may answer behind its place and not at it. So for a longer way, a
 * router must stand where the end was, or nobody for a good while. */
static bool may_have_grown(const struct timeline *timeline, unsigned end)
{
	const struct timeline_hop *hop = timeline_hop(timeline, timeline->end);
	const struct responder *shown = timeline_shown(hop);
	return end < timeline->end || !shown || !shown->reached || hop->candidate_run > 0 ||
		silent_for_good(hop);
}

/* At the beginning, when more is sent than is needed, the destination may miss the probe with just enough
 * hops and answer the next one. */
static bool is_first_mistake(const struct timeline *timeline, unsigned end)
{
	return end < timeline->end && timeline->end_rounds < TIMELINE_CONFIRM && timeline->changes_ever == 0;
}

/* The destination has stood here all the time, and its answers were missed. */
static bool was_there_before(const struct timeline *timeline, unsigned end)
{
	const struct responder *shown = timeline_shown(timeline_hop(timeline, end));
	return end < timeline->end && shown && shown->reached;
}

/* The way is as it was; only its end was not known, or taken for another one. */
static void correct_end(struct timeline *timeline, const struct timeline_round *round)
{
	unsigned end = round->reached;
	for (unsigned ttl = end + 1; ttl <= timeline->end; ttl++)
		if (timeline->hops[ttl])
			retire(timeline->hops[ttl], round->reached_ns);
	timeline->end_rounds = end == timeline->end ? timeline->end_rounds + 1 : 1;
	timeline->end = end;
	timeline->end_candidate_run = 0;
	timeline->highest = MIN(timeline->highest, end);
}

bool change_by_round(struct timeline *timeline, const struct timeline_round *round, int64_t at_ns)
{
	unsigned end = round->reached;
	struct timeline_change *last =
		timeline->change_count > 0 ? &timeline->changes[timeline->change_count - 1] : NULL;
	if (last && at_ns <= last->noticed_ns + ONE_CHANGE_ROUNDS * timeline->interval_ns)
		things_after(timeline);
	timeline->refusal = end ? 0 : round->refused ? round->refused : timeline->refusal;
	if (end == 0) {
		timeline->end_missed++;
		return false;
	}
	timeline->end_missed = 0;
	if (end == timeline->end || timeline->end == 0 || is_first_mistake(timeline, end)) {
		correct_end(timeline, round);
		return false;
	}
	if (timeline->end_candidate != end || timeline->end_candidate_run == 0) {
		timeline->end_candidate = end;
		timeline->end_candidate_run = 0;
		timeline->end_candidate_since_ns = round->reached_ns;
	}
	if (++timeline->end_candidate_run < TIMELINE_CONFIRM || !may_have_grown(timeline, end))
		return false;
	if (!was_there_before(timeline, end))
		return move_end(timeline, end);
	correct_end(timeline, round);
	return false;
}
