/* Missing answers: limits on replies, silence that does not matter, and loss that does.
 *
 * Probes of one measurement take one flow. An answer from behind hop h proves that h forwards, so what h
 * alone fails to answer is never called loss; loss is what hop h and everything behind it shows, the target
 * included. A trace sees round trips: which of the two directions loses is open unless both traces tell (last
 * rule). */
#include "insight/rules.h"
#include "path/timeline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static unsigned lost(const struct hop *hop)
{
	return hop->sent > hop->received ? hop->sent - hop->received : 0;
}

/* Each hop is asked for and reported by packets of their own, which cross both ways whole. */
static bool is_reported(const struct path *path)
{
	return strcmp(path->method, "responder") == 0;
}

static struct interval loss_interval(const struct hop *hop)
{
	return share_interval(lost(hop), hop->sent);
}

static int compare_sent(const void *a, const void *b)
{
	const struct probe_result *const *x = a, *const *y = b;
	return (*x)->sent_ns < (*y)->sent_ns ? -1 : (*x)->sent_ns > (*y)->sent_ns;
}

/* A pause before a probe that lets a bucket of replies fill up again (Linux: one a second). */
#define REST_NS 500000000LL

/* Answered, answered, then nothing more, in the order of sending: a bucket of tokens that ran empty. */
struct pattern {
	bool stops; /* the first `first` were answered, those right behind them were not */
	unsigned first;
	bool asked_later; /* once more, after a rest */
	bool recovered;	  /* and then it answered */
};

static void read_pattern(struct pattern *pattern, const struct probe_result **order, size_t count)
{
	bool silent = false;
	pattern->stops = count > 0 && probe_answered(order[0]);
	for (size_t i = 0; i < count; i++) {
		bool answered = probe_answered(order[i]);
		bool rested = silent && order[i]->sent_ns - order[i - 1]->sent_ns >= REST_NS;
		pattern->asked_later |= rested;
		pattern->recovered |= rested && answered;
		if (silent && answered && !rested)
			pattern->stops = false;
		if (!silent && answered)
			pattern->first++;
		silent |= !answered;
	}
	pattern->stops &= silent;
}

static struct pattern answer_pattern(const struct hop *hop)
{
	struct pattern pattern = {0};
	const struct probe_result **order = calloc(hop->probe_count + 1, sizeof(*order));
	if (!order)
		return pattern;
	for (size_t i = 0; i < hop->probe_count; i++)
		order[i] = &hop->probes[i];
	qsort(order, hop->probe_count, sizeof(*order), compare_sent);
	read_pattern(&pattern, order, hop->probe_count);
	free(order);
	return pattern;
}

/* All later answering hops together lose clearly less than this one: none at all, or their upper bound lies
 * below this hop's lower bound. Without a later answer nothing is proven. */
static bool later_hops_clean(const struct path *path, size_t index, unsigned *answers)
{
	unsigned sent = 0, received = 0;
	for (size_t i = index + 1; i < path->hop_count; i++) {
		const struct hop *hop = &path->hops[i];
		if (hop->received == 0)
			continue;
		/* A later hop with its own limit says nothing against this one, unless it is the end. */
		bool end = i + 1 == path->hop_count;
		if (lost(hop) > 0 && !end && answer_pattern(hop).stops)
			continue;
		sent += hop->sent;
		received += hop->received;
	}
	*answers = received;
	if (received == 0)
		return false;
	struct interval later = share_interval(sent - received, sent);
	return sent == received || later.high < loss_interval(&path->hops[index]).low;
}

static void explain_limit(
	struct finding *finding, const struct pattern *pattern, const struct hop *hop, bool end)
{
	if (pattern->stops)
		finding_add_evidence(finding, "in the order of sending: %u answered, then none%s",
			pattern->first, pattern->recovered ? ", and again after a rest" : "");
	if (pattern->recovered && lost(hop) < 2)
		finding_set_text(&finding->disproof,
			"Asked again after a rest it answered; so would one whose answer got lost by "
			"chance.");
	else if (pattern->recovered)
		finding_set_text(&finding->disproof,
			"Tried: loss would not have ended with a rest, but asked again "
			"after one it answered.");
	else if (pattern->asked_later)
		finding_set_text(&finding->disproof,
			"Tried: asked again after a rest it still did not answer, which "
			"speaks for loss on the way back from it, or for a long memory.");
	else
		finding_set_text(&finding->disproof,
			end ? "Loss on the way shows the same; slower probing, which was not tried, would "
			      "tell."
			    : "Slower probing would leave the gaps in place if this were loss on the way "
			      "back "
			      "from this hop.");
	if (end)
		finding_set_text(&finding->advice, "Repeat with more probes and a longer interval.");
}

static bool only_one_misses(const struct path *path, size_t index)
{
	for (size_t i = 0; i < path->hop_count; i++)
		if (i != index && path->hops[i].received > 0 && lost(&path->hops[i]) > 0)
			return false;
	return true;
}

static void report_limit(
	struct view *view, size_t index, const struct pattern *pattern, unsigned later_answers)
{
	const struct hop *hop = &view->path->hops[index];
	bool end = index + 1 == view->path->hop_count;
	/* One missing answer has many explanations; one that is asked for again comes in any case. Where
	 * others miss some, too, these may be of the same kind. */
	bool likely = !end && !is_reported(view->path) && later_answers >= 3 && lost(hop) >= 2 &&
		only_one_misses(view->path, index) && (pattern->recovered || !pattern->asked_later);
	char label[HOP_LABEL_SIZE];
	hop_label(view->path, index, label);
	struct finding *finding = measurement_add_finding(view->measurement, "reply-rate-limited",
		SEVERITY_INFO, likely ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE, view->path->direction,
		end ? "The end, %s, left %u of %u probes unanswered, all after the first: it limits its "
		      "replies, or packets get lost."
			: likely
			? "%s left %u of %u probes unanswered, but what passes through it arrives: it "
			  "limits its replies."
			: "%s left %u of %u probes unanswered, but what passes through it arrives: it "
			  "limits its replies, or they get lost on a way back of their own.",
		label, lost(hop), hop->sent);
	if (!finding)
		return;
	if (!end)
		finding->summary[0] = view->path->direction == DIRECTION_REVERSE ? 'R' : 'H';
	finding_add_hop(finding, path_hop_number(view->path, index));
	explain_limit(finding, pattern, hop, end);
	if (later_answers > 0)
		finding_add_evidence(
			finding, "%u answers came from hops behind it in the same flow", later_answers);
	view->explained[index] = true;
}

/* No hop before this one misses answers that are not explained: then only the end does. */
static bool others_clean(const struct view *view, size_t end)
{
	for (size_t i = 0; i < end; i++)
		if (view->path->hops[i].received > 0 && lost(&view->path->hops[i]) > 0 && !view->explained[i])
			return false;
	return true;
}

void rule_rate_limit(struct view *view)
{
	/* Rounds never come in bursts, so there is no pattern to read; rule_watched_replies has better
	 * evidence. */
	if (view->measurement->timeline && view->path->direction == DIRECTION_FORWARD)
		return;
	for (size_t i = 0; i < view->single; i++) {
		const struct hop *hop = &view->path->hops[i];
		if (hop->received == 0 || lost(hop) == 0 || view->explained[i])
			continue;
		unsigned later_answers;
		bool clean = later_hops_clean(view->path, i, &later_answers);
		struct pattern pattern = answer_pattern(hop);
		bool end = i + 1 == view->path->hop_count && view->path->reached && others_clean(view, i);
		bool clear_gap = clean && loss_interval(hop).low > 0 && hop->sent >= RULE_SAMPLES_MIN;
		if ((clean && (pattern.stops || clear_gap)) || (end && pattern.stops))
			report_limit(view, i, &pattern, later_answers);
	}
}

/* From which hop on does every hop that answers lose, the end included, with no hop behind clearly better? */
static size_t loss_starts(const struct view *view)
{
	const struct path *path = view->path;
	size_t end = path->hop_count - 1, start = path->hop_count;
	double end_high = loss_interval(&path->hops[end]).high;
	for (size_t i = path->hop_count; i > 0; i--) {
		const struct hop *hop = &path->hops[i - 1];
		if (hop->received == 0 || view->explained[i - 1])
			continue;
		/* More loss than at the end is a limit on top of it; the part that carries on is there. */
		if (lost(hop) == 0 || loss_interval(hop).low > end_high)
			break;
		start = i - 1;
	}
	return start;
}

/* The last hop before `start` from which on so many probes came back clean that the loss behind it would have
 * shown there, had it begun earlier (95 %): one clean hop of three probes tells nothing about a loss of 10 %.
 * hop_count = it may begin at the first hop. */
static size_t surely_clean(const struct view *view, size_t start)
{
	const struct path *path = view->path;
	unsigned sent = 0, missed = 0, clean = 0;
	for (size_t i = start; i < path->hop_count; i++) {
		if (path->hops[i].received == 0 || view->explained[i])
			continue;
		sent += path->hops[i].sent;
		missed += lost(&path->hops[i]);
	}
	double passes = 1 - share_interval(missed, sent).low;
	for (size_t i = start; i > 0; i--) {
		const struct hop *hop = &path->hops[i - 1];
		if (hop->received == 0 || view->explained[i - 1])
			continue;
		if (lost(hop) > 0)
			continue;
		clean += hop->sent;
		if (pow(passes, clean) <= 0.05)
			return i - 1;
	}
	return path->hop_count;
}

static void add_loss_evidence(struct finding *finding, const struct view *view, size_t start)
{
	const struct path *path = view->path;
	char label[HOP_LABEL_SIZE];
	unsigned clean_sent = 0;
	for (size_t i = 0; i < start; i++)
		if (lost(&path->hops[i]) == 0)
			clean_sent += path->hops[i].sent;
	if (clean_sent > 0)
		finding_add_evidence(
			finding, "all %u probes that hops before it answered for came back", clean_sent);
	for (size_t i = start; i < path->hop_count; i++) {
		const struct hop *hop = &path->hops[i];
		if (hop->received > 0 && !view->explained[i])
			finding_add_evidence(finding, "%s: %u of %u lost", hop_label(path, i, label),
				lost(hop), hop->sent);
	}
}

void rule_loss(struct view *view)
{
	const struct path *path = view->path;
	if (view->broken || !path->reached || path->hop_count == 0)
		return;
	size_t end = path->hop_count - 1;
	const struct hop *last = &path->hops[end];
	if (lost(last) == 0 || last->received == 0 || view->explained[end])
		return;
	size_t start = loss_starts(view), before = surely_clean(view, start);
	struct interval share = loss_interval(last);
	char from[HOP_LABEL_SIZE], to[HOP_LABEL_SIZE];
	hop_label(path, start, to);
	const struct timeline_hop *watched =
		view->measurement->timeline && path->direction == DIRECTION_FORWARD
		? timeline_hop(view->measurement->timeline, (unsigned)MAX(0, last->ttl))
		: NULL;
	/* What the end alone misses may be a limit of its own, unless that was tried. */
	bool open = start == end && !(watched && watched->limit == LIMIT_LOSES);
	enum confidence confidence =
		open || last->sent < RULE_SAMPLES_MIN ? CONFIDENCE_POSSIBLE : CONFIDENCE_LIKELY;
	struct finding *finding;
	if (is_reported(path) && before == path->hop_count)
		finding = measurement_add_finding(view->measurement, "loss-undirected", SEVERITY_WARNING,
			confidence, path->direction,
			"%u of %u packets to the end get no answer (95 %%: %.1f to %.1f %% lost). Where is "
			"not "
			"known: what we ask the far host and what it reports may get lost, too.",
			lost(last), last->sent, share.low * 100, share.high * 100);
	else
		finding = measurement_add_finding(view->measurement, "loss-undirected", SEVERITY_WARNING,
			confidence, path->direction,
			"%u of %u packets to the end get no answer (95 %%: %.1f to %.1f %% lost). It starts "
			"between %s and %s, or on the way back from there.",
			lost(last), last->sent, share.low * 100, share.high * 100,
			before < path->hop_count ? hop_label(path, before, from) : start_label(path), to);
	if (!finding)
		return;
	for (size_t i = start; i <= end; i++) {
		if (path->hops[i].received > 0)
			finding_add_hop(finding, path_hop_number(path, i));
		view->explained[i] = true;
	}
	add_loss_evidence(finding, view, start);
	if (watched && watched->limit == LIMIT_LOSES)
		finding_set_text(&finding->disproof,
			"Tried: a limit on replies would have answered when asked more slowly, "
			"but of %u such probes it answered %u.",
			watched->limit_asked, watched->limit_answered);
	else
		finding_set_text(&finding->disproof,
			start == end ? "Only the end loses: it may limit its replies. Another protocol, not "
				       "tried, "
				       "would tell."
				     : "If slower probing loses less, replies are being limited; not tried.");
	finding_set_text(&finding->advice, "Repeat with %u or more probes per hop to narrow the interval.",
		2 * MAX(last->sent, (unsigned)RULE_SAMPLES_MIN));
	if (is_reported(path) && before == path->hop_count)
		return;
	view->lossy_from = start;
	view->lossy_earliest = before < path->hop_count ? before + 1 : 0;
}

void rule_silent_hops(struct view *view)
{
	const struct path *path = view->path;
	size_t last = last_answering(path), count = 0, only = 0, lossy = 0;
	if (last == path->hop_count)
		return;
	unsigned unanswered = 0;
	for (size_t i = 0; i < MIN(last, view->single); i++) {
		if (addr_is_set(path->hops[i].address))
			continue;
		count++;
		only = i;
		unanswered += path->hops[i].sent;
	}
	if (count == 0)
		return;
	for (size_t i = 0; i < path->hop_count; i++)
		lossy += path->hops[i].received > 0 && lost(&path->hops[i]) > 0;
	/* Where answers get lost anyway, three missing ones may be chance. */
	enum confidence confidence = lossy > 0 ? CONFIDENCE_POSSIBLE : CONFIDENCE_CERTAIN;
	/* Directly before the end, the end itself may be nearer and may have left these probes unanswered. */
	bool before_end = path->reached && last + 1 == path->hop_count && only + 1 == last;
	if (before_end && confidence == CONFIDENCE_CERTAIN)
		confidence = CONFIDENCE_LIKELY;
	const char *kind = path->direction == DIRECTION_REVERSE ? "return hop" : "hop";
	struct finding *finding;
	if (count == 1)
		finding = measurement_add_finding(view->measurement, "silent-hop", SEVERITY_INFO, confidence,
			path->direction,
			"No answer comes from %s %d; traffic passes it, hops behind it do answer.", kind,
			path_hop_number(path, only));
	else
		finding = measurement_add_finding(view->measurement, "silent-hop", SEVERITY_INFO, confidence,
			path->direction,
			"No answer comes from %zu hops; traffic passes them, hops behind them do answer.",
			count);
	if (!finding)
		return;
	for (size_t i = 0; i < MIN(last, view->single); i++)
		if (!addr_is_set(path->hops[i].address))
			finding_add_hop(finding, path_hop_number(path, i));
	char label[HOP_LABEL_SIZE];
	finding_add_evidence(finding, "%u %s probes stayed unanswered there, while %s answered", unanswered,
		protocol_word(path->protocol), hop_label(path, last, label));
	if (lossy > 0)
		finding_add_evidence(
			finding, "but %zu other hops of this way left probes unanswered too", lossy);
	if (before_end)
		finding_add_evidence(finding,
			"directly before the end: the end may be nearer, and have left these probes "
			"unanswered");
	finding_set_text(&finding->disproof,
		"Another protocol, not tried, may get an answer; or answers get lost on a way back of their "
		"own.");
}
