#include "path/timeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "path/timeline_change.h"
#include "path/timeline_flows.h"

#define BUCKET_INTERVALS 4 /* the width of the first buckets */

void timeline_init(struct timeline *timeline, int64_t interval_ns)
{
	memset(timeline, 0, sizeof(*timeline));
	timeline->interval_ns = interval_ns;
}

void timeline_deinit(struct timeline *timeline)
{
	for (unsigned ttl = 0; ttl <= TIMELINE_TTL_MAX; ttl++)
		free(timeline->hops[ttl]);
	flows_deinit(timeline);
	memset(timeline, 0, sizeof(*timeline));
}

int timeline_copy(struct timeline *copy, const struct timeline *timeline)
{
	*copy = *timeline;
	memset(copy->hops, 0, sizeof(copy->hops));
	memset(copy->flows, 0, sizeof(copy->flows));
	for (unsigned ttl = 0; ttl <= TIMELINE_TTL_MAX; ttl++) {
		if (!timeline->hops[ttl])
			continue;
		copy->hops[ttl] = malloc(sizeof(struct timeline_hop));
		if (!copy->hops[ttl]) {
			timeline_deinit(copy);
			return -ENOMEM;
		}
		*copy->hops[ttl] = *timeline->hops[ttl];
	}
	int result = flows_copy(copy, timeline);
	if (result < 0)
		timeline_deinit(copy);
	return result;
}

const struct timeline_hop *timeline_hop(const struct timeline *timeline, unsigned ttl)
{
	return ttl <= TIMELINE_TTL_MAX ? timeline->hops[ttl] : NULL;
}

unsigned timeline_last(const struct timeline *timeline)
{
	if (timeline->flow_count > 0)
		return flows_last(timeline);
	if (timeline->end)
		return timeline->end;
	return timeline->refusal ? timeline->refusal : timeline->highest;
}

int64_t timeline_quantile_ns(const struct timeline_hop *hop, double share)
{
	return samples_quantile_ns(&hop->samples, share, hop->since_ns);
}

const struct responder *timeline_shown(const struct timeline_hop *hop)
{
	const struct responder *shown = NULL;
	for (size_t i = 0; hop && i < hop->responder_count; i++) {
		const struct responder *responder = &hop->responders[i];
		if (responder->state == RESPONDER_NOW && (!shown || responder->last_ns > shown->last_ns))
			shown = responder;
	}
	return shown;
}

static struct timeline_hop *hop_of(struct timeline *timeline, uint8_t ttl)
{
	struct timeline_hop *hop = timeline->hops[ttl];
	if (hop)
		return hop;
	hop = calloc(1, sizeof(*hop));
	if (!hop)
		return NULL;
	hop->ttl = ttl;
	series_init(&hop->total);
	series_init(&hop->now);
	series_init(&hop->candidate);
	buckets_init(&hop->buckets, BUCKET_INTERVALS * MAX(timeline->interval_ns, NS_PER_MS));
	timeline->hops[ttl] = hop;
	return hop;
}

static struct timeline_round *round_of(struct timeline *timeline, uint32_t round)
{
	struct timeline_round *entry = &timeline->recent[round % TIMELINE_ROUNDS];
	if (entry->round != round)
		*entry = (struct timeline_round){.round = round};
	return entry;
}

static uint8_t least(uint8_t known, uint8_t ttl)
{
	return known == 0 ? ttl : MIN(known, ttl);
}

static void note_in_round(struct timeline *timeline, const struct watch_event *event)
{
	struct timeline_round *round = round_of(timeline, event->round);
	if (event->reached && least(round->reached, event->ttl) == event->ttl) {
		round->reached = event->ttl;
		round->reached_ns = event->sent_ns;
	} else if (event->refused) {
		round->refused = least(round->refused, event->ttl);
	}
}

static struct responder *find_responder(struct timeline_hop *hop, struct addr address)
{
	for (size_t i = 0; i < hop->responder_count; i++)
		if (addr_equal(hop->responders[i].address, address))
			return &hop->responders[i];
	if (hop->responder_count == TIMELINE_RESPONDERS)
		return NULL;
	struct responder *responder = &hop->responders[hop->responder_count++];
	*responder = (struct responder){.address = address, .state = RESPONDER_OLD, .first_ns = RTT_NONE};
	series_init(&responder->series);
	return responder;
}

static void note_responder(struct responder *responder, const struct watch_event *event)
{
	const struct probe_result *answer = event->answer;
	if (responder->first_ns == RTT_NONE)
		responder->first_ns = event->sent_ns;
	responder->last_ns = MAX(responder->last_ns, event->sent_ns);
	responder->reached = event->reached;
	responder->reply_ttl = answer->reply.ttl;
	responder->icmp_type = answer->icmp_type;
	responder->icmp_code = answer->icmp_code;
	memcpy(responder->mark, answer->mark, sizeof(responder->mark));
	responder->mpls_count = MIN(answer->mpls_count, MPLS_STACK_MAX);
	memcpy(responder->mpls, answer->mpls, sizeof(responder->mpls));
	series_answer(&responder->series, answer->rtt_ns);
}

/* A refusal by a router further up answers every probe that would go beyond it: it tells nothing of this hop.
 */
static bool is_echo_of_refusal(struct timeline *timeline, const struct watch_event *event)
{
	uint8_t refused = round_of(timeline, event->round)->refused;
	return event->refused && refused != 0 && event->ttl > refused;
}

static void count_loss(struct timeline_hop *hop, const struct watch_event *event)
{
	struct sample sample = {.at_ns = event->sent_ns, .rtt_ns = RTT_NONE};
	series_loss(&hop->total);
	series_loss(&hop->now);
	hop->silent++;
	if (hop->candidate_run > 0)
		series_loss(&hop->candidate);
	if (!event->test) {
		hop->round_lost++;
		hop->candidate_lost += hop->candidate_run > 0;
	}
	samples_add(&hop->samples, sample);
	buckets_add(&hop->buckets, sample);
}

static void count_answer(struct timeline_hop *hop, const struct watch_event *event)
{
	void (*add)(struct series *, int64_t) = event->late ? series_late : series_answer;
	int64_t rtt_ns = event->answer->rtt_ns;
	struct sample sample = {.at_ns = event->sent_ns, .rtt_ns = rtt_ns};
	add(&hop->total, rtt_ns);
	add(&hop->now, rtt_ns);
	if (!event->test) {
		hop->round_answered++;
		if (event->late && hop->round_lost > 0)
			hop->round_lost--;
	}
	if (event->late) {
		samples_late(&hop->samples, sample);
		buckets_late(&hop->buckets, sample);
	} else {
		samples_add(&hop->samples, sample);
		buckets_add(&hop->buckets, sample);
	}
}

static void note_reply_ttl(struct reply_ttls *ttls, int ttl, int64_t sent_ns)
{
	if (ttl <= 0)
		return;
	if (ttl != ttls->now)
		*ttls = (struct reply_ttls){
			.now = ttl, .before = ttls->now, .run_before = ttls->run, .since_ns = sent_ns};
	ttls->run++;
}

static bool apply_answer(struct timeline *timeline, struct timeline_hop *hop, const struct watch_event *event)
{
	if (!event->late && hop->in_flight > 0)
		hop->in_flight--;
	timeline->answered++;
	timeline->late += event->late;
	if (event->late && timeline->lost > 0)
		timeline->lost--;
	note_in_round(timeline, event);
	if (is_echo_of_refusal(timeline, event)) {
		hop->refused++;
		if (!event->late)
			count_loss(hop, event);
		return false;
	}
	hop->refused += event->refused;
	if (event->reached && !event->late)
		note_reply_ttl(&timeline->reply_ttls, event->answer->reply.ttl, event->sent_ns);
	count_answer(hop, event);
	struct responder *responder = find_responder(hop, event->answer->address);
	if (!responder) {
		hop->strangers++;
		return false;
	}
	note_responder(responder, event);
	return timeline->flow_count == 0 && change_by_answer(timeline, hop, responder, event);
}

static void apply_sent(struct timeline *timeline, struct timeline_hop *hop)
{
	timeline->sent++;
	hop->in_flight++;
}

static void apply_lost(struct timeline *timeline, struct timeline_hop *hop, const struct watch_event *event)
{
	timeline->lost++;
	if (hop->in_flight > 0)
		hop->in_flight--;
	count_loss(hop, event);
}

static void apply_void(struct timeline *timeline, struct timeline_hop *hop, const struct watch_event *event)
{
	timeline->void_count++;
	if (hop->in_flight > 0)
		hop->in_flight--;
	if (event->error) {
		timeline->send_errors++;
		timeline->send_error = event->error;
	}
}

static void apply_limit(struct timeline_hop *hop, const struct watch_event *event)
{
	hop->limit = event->limit;
	hop->limit_asked = event->asked;
	hop->limit_answered = event->answered;
}

static bool apply(struct timeline *timeline, const struct watch_event *event)
{
	timeline->now_ns = MAX(timeline->now_ns, event->at_ns);
	if (event->kind == WATCH_ROUND) {
		timeline->rounds++;
		return timeline->flow_count == 0 &&
			change_by_round(timeline, round_of(timeline, event->round), event->at_ns);
	}
	struct timeline_hop *hop = event->ttl ? hop_of(timeline, event->ttl) : NULL;
	if (!hop)
		return false;
	switch (event->kind) {
	case WATCH_SENT: apply_sent(timeline, hop); break;
	case WATCH_ANSWER: return event->answer && apply_answer(timeline, hop, event);
	case WATCH_LOST: apply_lost(timeline, hop, event); break;
	case WATCH_VOID: apply_void(timeline, hop, event); break;
	case WATCH_LIMIT: apply_limit(hop, event); break;
	case WATCH_ROUND: break;
	}
	return false;
}

bool timeline_apply(struct timeline *timeline, const struct watch_event *event)
{
	if (timeline->flow_count == 0)
		return apply(timeline, event);
	if (event->flow >= timeline->flow_count)
		return false;
	bool changed = apply(timeline->flows[event->flow], event);
	apply(timeline, event);
	return flows_applied(timeline, event, changed);
}

/* ---- what it means ---- */

#define SKIPS_MIN 3 /* missing answers before a hop is said to skip */

static double share_missing(const struct timeline_hop *hop)
{
	return (double)hop->round_lost / (hop->round_lost + hop->round_answered);
}

/* The hop from `ttl` to the end that misses the least share; NULL when nobody behind answers. */
static const struct timeline_hop *least_missing(const struct timeline *timeline, unsigned ttl)
{
	const struct timeline_hop *best = NULL;
	for (unsigned behind = ttl; behind <= timeline_last(timeline); behind++) {
		const struct timeline_hop *hop = timeline->hops[behind];
		if (hop && hop->round_answered > 0 && (!best || share_missing(hop) < share_missing(best)))
			best = hop;
	}
	return best;
}

/* Loss at `hop` since the way is as it is, as the hops behind it bear out. */
unsigned timeline_carried(const struct timeline *timeline, const struct timeline_hop *hop)
{
	const struct timeline_hop *best = least_missing(timeline, hop->ttl);
	unsigned sent = hop->round_answered + hop->round_lost;
	if (!best || best == hop)
		return hop->round_lost;
	return MIN(hop->round_lost, (unsigned)(share_missing(best) * sent + 0.5));
}

struct loss timeline_loss(const struct timeline *timeline, unsigned ttl)
{
	const struct timeline_hop *hop = timeline_hop(timeline, ttl);
	struct loss loss = {.share = {0, 1}};
	if (timeline->flow_count > 0)
		return flows_loss(timeline, ttl);
	if (!hop)
		return loss;
	unsigned sent = hop->round_answered + hop->round_lost;
	unsigned carried = timeline_carried(timeline, hop);
	loss.sent = hop->judged_sent + sent;
	loss.lost = hop->judged_lost + carried;
	loss.skipped = hop->round_lost - carried;
	loss.share = share_of(loss.lost, loss.sent);
	const struct timeline_hop *best = least_missing(timeline, ttl);
	loss.skips = best && best != hop && loss.skipped >= SKIPS_MIN &&
		share_of(hop->round_lost, sent).low >
			share_of(best->round_lost, best->round_lost + best->round_answered).high;
	return loss;
}

uint64_t timeline_path_id(const struct timeline *timeline)
{
	static const struct hash_key fixed = {0x7265746f7572ull, 1};
	uint64_t id = 0;
	for (unsigned ttl = 1; ttl <= timeline_last(timeline); ttl++) {
		const struct timeline_hop *hop = timeline->hops[ttl];
		for (size_t i = 0; hop && i < hop->responder_count; i++) {
			struct addr address = hop->responders[i].address;
			uint64_t words[3] = {ttl, address.high, address.low};
			/* A sum does not depend on who answered first. */
			if (hop->responders[i].state == RESPONDER_NOW)
				id += hash_bytes(fixed, words, sizeof(words));
		}
	}
	return id;
}
