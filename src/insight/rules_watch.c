/* What only a measurement over time shows: limits found out by asking more slowly, changes of the way, queues
 * that fill and empty again. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "insight/rules.h"
#include "path/timeline.h"

static const struct timeline *timeline_of(const struct view *view)
{
	return view->path->direction == DIRECTION_FORWARD ? view->measurement->timeline : NULL;
}

static const struct timeline_hop *hop_at(const struct view *view, size_t index)
{
	return timeline_hop(timeline_of(view), (unsigned)MAX(0, view->path->hops[index].ttl));
}

/* ---- limits on replies ---- */

#define SLOWER 2 /* times more slowly, at least, is how a suspect is asked alone */

static void report_limiter(struct view *view, size_t index, const struct timeline_hop *hop)
{
	char label[HOP_LABEL_SIZE];
	bool tried = hop->limit == LIMIT_LIMITS;
	bool end = index + 1 == view->path->hop_count;
	struct finding *finding = measurement_add_finding(view->measurement, "reply-rate-limited",
		SEVERITY_INFO, tried ? CONFIDENCE_CERTAIN : CONFIDENCE_POSSIBLE, view->path->direction,
		end ? "The end, %s, left %u of %u probes unanswered and answers when asked more slowly: it "
		      "limits its replies."
			: tried ? "%s left %u of %u probes unanswered, but what passes through it arrives: "
				  "it limits its "
				  "replies."
				: "%s left %u of %u probes unanswered, more than hops behind it: it limits "
				  "its replies, or "
				  "they get lost on a way back of their own.",
		hop_label(view->path, index, label), hop->round_lost, hop->round_lost + hop->round_answered);
	view->explained[index] = true;
	if (!finding)
		return;
	if (!end)
		finding->summary[0] = 'H';
	finding_add_hop(finding, hop->ttl);
	if (!end)
		finding_add_evidence(
			finding, "in the same rounds and the same flow, hops behind it missed clearly fewer");
	if (tried)
		finding_set_text(&finding->disproof,
			"Tried: loss would not have ended with slower asking, but asked alone "
			"and every other second it answered %u of %u.",
			hop->limit_answered, hop->limit_asked);
	else
		finding_set_text(&finding->disproof,
			"Loss on the way back from it alone looks the same; slower asking, "
			"which takes longer than this measurement did, would tell.");
}

/* May a limit be at work that is stricter than the slower asking was? Then the hop answers as many a second
 * at any pace, so that slower asking brings a larger share of answers, but not all. Few askings leave that
 * open: they are held against it with 95 %. */
static bool may_limit_more(const struct timeline_hop *hop)
{
	unsigned rounds = hop->round_answered + hop->round_lost;
	double share = rounds > 0 ? SLOWER * hop->round_answered / rounds : 0;
	return share < 1 && share_interval(hop->limit_answered, hop->limit_asked).high >= share;
}

static void report_lost_answers(struct view *view, size_t index, const struct timeline_hop *hop)
{
	char label[HOP_LABEL_SIZE];
	bool end = index + 1 == view->path->hop_count;
	/* At the end missing answers are loss, whatever carries them away: another rule's. */
	if (end)
		return;
	bool open = may_limit_more(hop);
	struct finding *finding = measurement_add_finding(view->measurement, "replies-lost", SEVERITY_INFO,
		open ? CONFIDENCE_POSSIBLE : CONFIDENCE_LIKELY, view->path->direction,
		open ? "%s left %u of %u probes unanswered, but what passes through it arrives: its own "
		       "answers "
		       "get lost, or it limits them more strictly than was tried."
		     : "%s left %u of %u probes unanswered at any pace, but what passes through it arrives: "
		       "only "
		       "its own answers get lost.",
		hop_label(view->path, index, label), hop->round_lost, hop->round_lost + hop->round_answered);
	view->explained[index] = true;
	if (!finding)
		return;
	finding->summary[0] = 'H';
	finding_add_hop(finding, hop->ttl);
	finding_add_evidence(finding, "asked alone and more slowly it answered %u of %u", hop->limit_answered,
		hop->limit_asked);
	finding_set_text(&finding->disproof,
		"A limit with a long memory looks the same; so does a router that answers by "
		"chance.");
}

void rule_watched_replies(struct view *view)
{
	for (size_t i = 0; timeline_of(view) && i < view->single; i++) {
		const struct timeline_hop *hop = hop_at(view, i);
		/* Who never answers is silent, whatever the reason. */
		if (!hop || view->path->hops[i].received == 0)
			continue;
		if (hop->limit == LIMIT_LIMITS)
			report_limiter(view, i, hop);
		else if (hop->limit == LIMIT_LOSES)
			report_lost_answers(view, i, hop);
		else if (timeline_loss(timeline_of(view), hop->ttl).skips)
			report_limiter(view, i, hop);
	}
}

/* ---- changes ---- */

#define CHANGES_TOLD  5
#define CHANGES_MANY  3
#define STEP_LARGE_NS (20 * NS_PER_MS)

static const char *time_text(const struct view *view, int64_t at_ns, char text[static TIME_TEXT_SIZE])
{
	clock_format(view->measurement->started_wall_ns + at_ns, text);
	text[19] = 'Z';
	text[20] = '\0';
	return text;
}

static const char *address_text(struct addr address, char text[static ADDR_TEXT_SIZE])
{
	return addr_is_set(address) ? addr_format(address, text) : "nobody";
}

static bool is_large(const struct timeline_change *change)
{
	return change->rtt_before_ns != RTT_NONE && change->rtt_after_ns != RTT_NONE &&
		change->rtt_after_ns - change->rtt_before_ns >= STEP_LARGE_NS;
}

static void change_text(
	const struct view *view, const struct timeline_change *change, char *text, size_t size)
{
	char when[TIME_TEXT_SIZE], before[ADDR_TEXT_SIZE], after[ADDR_TEXT_SIZE], length[60] = "",
										  delay[60] = "";
	if (change->end_before != change->end_after && change->end_before)
		snprintf(length, sizeof(length), ", %u hops instead of %u", change->end_after,
			change->end_before);
	if (change->rtt_before_ns != RTT_NONE && change->rtt_after_ns != RTT_NONE)
		snprintf(delay, sizeof(delay), ", least round trip %.1f instead of %.1f ms",
			ns_to_ms(change->rtt_after_ns), ns_to_ms(change->rtt_before_ns));
	snprintf(text, size, "%s from hop %u on, %s instead of %s%s%s", time_text(view, change->at_ns, when),
		change->first_ttl, address_text(change->after, after), address_text(change->before, before),
		length, delay);
}

void rule_path_changed(struct view *view)
{
	const struct timeline *timeline = timeline_of(view);
	char text[300];
	if (!timeline || timeline->change_count == 0)
		return;
	const struct timeline_change *last = &timeline->changes[timeline->change_count - 1];
	bool many = timeline->changes_ever >= CHANGES_MANY;
	change_text(view, last, text, sizeof(text));
	struct finding *finding = measurement_add_finding(view->measurement, "path-changed",
		many || is_large(last) ? SEVERITY_WARNING : SEVERITY_INFO, CONFIDENCE_CERTAIN,
		view->path->direction, "The way there changed: %s.", text);
	if (!finding)
		return;
	if (timeline->changes_ever > 1)
		finding_set_text(&finding->summary, "The way there changed %u times, last: %s.",
			timeline->changes_ever, text);
	for (unsigned ttl = last->first_ttl; ttl <= last->last_ttl; ttl++)
		finding_add_hop(finding, (int)ttl);
	size_t from = timeline->change_count > CHANGES_TOLD ? timeline->change_count - CHANGES_TOLD : 0;
	for (size_t i = from; i < timeline->change_count; i++) {
		change_text(view, &timeline->changes[i], text, sizeof(text));
		finding_add_evidence(finding, "%s", text);
	}
	finding_add_evidence(
		finding, "all probes took one flow; addresses that alternate are not counted as changes");
	finding_set_text(&finding->disproof,
		"Checked: %d answers in a row came from the new routers, and none from the old.",
		TIMELINE_CONFIRM);
	if (many)
		finding_set_text(&finding->advice,
			"Ask the network at the first hop that changes whether a link there is "
			"unstable.");
}

/* ---- queues ---- */

#define QUEUE_MIN_NS	 (5 * NS_PER_MS)
#define QUEUE_SHARE	 0.25 /* of the usual round trip */
#define PERIOD_PARTS_MIN 3    /* parts of time in which it is elevated */
#define ALIKE		 0.6  /* of those parts in which a hop behind the queue is elevated, too */
#define UNLIKE		 0.3

static int compare_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* The usual least round trip: what one part in ten stays below. RTT_NONE without answers. */
static int64_t usual_ns(const struct timeline_hop *hop, size_t from)
{
	int64_t best[BUCKETS_KEPT];
	size_t count = 0;
	for (size_t i = from; i < hop->buckets.count; i++)
		if (hop->buckets.parts[i].best_ns != RTT_NONE)
			best[count++] = hop->buckets.parts[i].best_ns;
	if (count == 0)
		return RTT_NONE;
	qsort(best, count, sizeof(*best), compare_ns);
	return best[count / 10];
}

static int64_t mean_ns(const struct bucket *bucket)
{
	return bucket->received ? (int64_t)(bucket->sum_ns / bucket->received) : RTT_NONE;
}

static bool is_elevated(const struct bucket *bucket, int64_t usual)
{
	int64_t least = MAX(QUEUE_MIN_NS, (int64_t)(QUEUE_SHARE * (double)usual));
	/* Even the quickest waits: a queue that stands, not a single slow answer. */
	return mean_ns(bucket) - usual >= least && bucket->best_ns - usual >= least / 2;
}

struct queue {
	size_t from; /* first part of time that is looked at: since the way is as it is */
	bool elevated[BUCKETS_KEPT];
	size_t count, parts, periods, longest_first, longest_count;
	int64_t usual, worst;
	unsigned answers, calm_sent, calm_lost, busy_sent, busy_lost;
};

static void note_part(struct queue *queue, const struct bucket *bucket, size_t index, size_t *run)
{
	bool elevated = is_elevated(bucket, queue->usual);
	queue->parts++;
	queue->elevated[index] = elevated;
	queue->periods += elevated && *run == 0;
	*run = elevated ? *run + 1 : 0;
	if (*run > queue->longest_count) {
		queue->longest_count = *run;
		queue->longest_first = index + 1 - *run;
	}
	*(elevated ? &queue->busy_sent : &queue->calm_sent) += bucket->received + bucket->lost;
	*(elevated ? &queue->busy_lost : &queue->calm_lost) += bucket->lost;
	if (!elevated)
		return;
	queue->count++;
	queue->answers += bucket->received;
	queue->worst = MAX(queue->worst, mean_ns(bucket));
}

static void find_queue(struct queue *queue, const struct timeline *timeline, const struct timeline_hop *end)
{
	size_t run = 0;
	*queue = (struct queue){0};
	if (timeline->change_count > 0)
		queue->from = (size_t)(timeline->changes[timeline->change_count - 1].at_ns /
				      end->buckets.width_ns) +
			1;
	queue->usual = usual_ns(end, queue->from);
	for (size_t i = queue->from; queue->usual != RTT_NONE && i < end->buckets.count; i++)
		if (end->buckets.parts[i].received > 0)
			note_part(queue, &end->buckets.parts[i], i, &run);
}

/* In what share of the elevated parts this hop is elevated, too; -1: it did not answer then. */
static double likeness(
	const struct queue *queue, const struct timeline_hop *hop, const struct timeline_hop *end)
{
	size_t alike = 0, seen = 0;
	int64_t usual = usual_ns(hop, queue->from);
	for (size_t i = queue->from; i < MIN(hop->buckets.count, end->buckets.count); i++) {
		if (!queue->elevated[i] || hop->buckets.parts[i].received == 0)
			continue;
		seen++;
		alike += is_elevated(&hop->buckets.parts[i], usual);
	}
	bool same_width = hop->buckets.width_ns == end->buckets.width_ns;
	return seen > 0 && same_width ? (double)alike / (double)seen : -1;
}

/* The first hop from which on all that answer wait, and the last before it that does not; false: it does not
 * show. */
static bool locate(const struct view *view, const struct queue *queue, const struct timeline_hop *end,
	size_t *before, size_t *at)
{
	size_t count = view->path->hop_count;
	*at = *before = count;
	for (size_t i = count; i > 0; i--) {
		const struct timeline_hop *hop = hop_at(view, i - 1);
		double like = hop ? likeness(queue, hop, end) : -1;
		if (like < 0)
			continue;
		if (like < ALIKE) {
			*before = i - 1;
			return *at < count && like <= UNLIKE;
		}
		*at = i - 1;
	}
	return *at < count;
}

void rule_congestion(struct view *view)
{
	const struct timeline *timeline = timeline_of(view);
	const struct timeline_hop *end = timeline ? timeline_hop(timeline, timeline->end) : NULL;
	struct queue queue;
	size_t before, at;
	char from[HOP_LABEL_SIZE], to[HOP_LABEL_SIZE], when[TIME_TEXT_SIZE], until[TIME_TEXT_SIZE];
	if (!end)
		return;
	find_queue(&queue, timeline, end);
	/* A wait that never ends is distance. */
	if (queue.count < PERIOD_PARTS_MIN || queue.count * 10 > queue.parts * 9 ||
		!locate(view, &queue, end, &before, &at))
		return;
	bool likely = queue.answers >= RULE_SAMPLES_MIN && before < view->path->hop_count;
	const char *start =
		before < view->path->hop_count ? hop_label(view->path, before, from) : "this host";
	struct finding *finding = measurement_add_finding(view->measurement, "congestion", SEVERITY_WARNING,
		likely ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE, view->path->direction,
		"The wait grows by up to %.0f ms between %s and %s, or on the way back from there, and "
		"returns to %.1f ms: a "
		"queue fills and empties.",
		ns_to_ms(queue.worst - queue.usual), start, hop_label(view->path, at, to),
		ns_to_ms(queue.usual));
	if (!finding)
		return;
	finding_add_range(finding, view->path, at, view->path->hop_count - 1);
	int64_t width = end->buckets.width_ns, first = (int64_t)queue.longest_first * width;
	finding_add_evidence(finding, "%zu time%s, the longest from %s to %s", queue.periods,
		queue.periods == 1 ? "" : "s", time_text(view, first, when),
		time_text(view, first + (int64_t)queue.longest_count * width, until));
	finding_add_evidence(finding, "%u of %u probes to the end lost then, %u of %u at other times",
		queue.busy_lost, queue.busy_sent, queue.calm_lost, queue.calm_sent);
	finding_set_text(&finding->disproof,
		before < view->path->hop_count
			? "Checked: the hops before do not wait at these times, all that answer behind do; "
			  "the way was the same."
			: "It begins at the first hop: a busy machine or radio link here looks the same.");
	finding_set_text(&finding->advice,
		"Compare with the load of that link at these times; larger packets would suffer more.");
}
