/* Where the time goes, and where it only seems to go. */
#include "insight/rules.h"

#define SLOW_REPLY_MIN_NS (5 * 1000000LL)
#define STEP_MIN_NS	  (15 * 1000000LL)
#define STEP_SHARE	  0.4 /* of the whole round trip */

static double ms(int64_t ns)
{
	return (double)ns / 1e6;
}

/* The quickest median behind `index`, RTT_NONE when none answered at least twice. */
static int64_t quickest_median_behind(const struct path *path, size_t index, size_t *which)
{
	int64_t best = RTT_NONE;
	for (size_t i = index + 1; i < path->hop_count; i++) {
		int64_t median = path->hops[i].rtt_median_ns;
		if (median == RTT_NONE || path->hops[i].received < 2 || (best != RTT_NONE && median >= best))
			continue;
		best = median;
		*which = i;
	}
	return best;
}

void rule_slow_reply(struct view *view)
{
	const struct path *path = view->path;
	for (size_t i = 0; i < view->single; i++) {
		const struct hop *hop = &path->hops[i];
		size_t quicker = 0;
		int64_t behind = quickest_median_behind(path, i, &quicker);
		if (behind == RTT_NONE || hop->received < 2 || hop->rtt_median_ns == RTT_NONE)
			continue;
		int64_t excess = hop->rtt_median_ns - behind;
		if (excess < SLOW_REPLY_MIN_NS || excess < behind / 4)
			continue;
		char label[HOP_LABEL_SIZE], other[HOP_LABEL_SIZE];
		struct finding *finding = measurement_add_finding(view->measurement, "slow-reply",
			SEVERITY_INFO, CONFIDENCE_CERTAIN, path->direction,
			"The answers of %s are late, what passes through it is not: %s, behind it, answers "
			"%.1f ms sooner.",
			hop_label(path, i, label), hop_label(path, quicker, other), ms(excess));
		if (!finding)
			return;
		finding_add_hop(finding, path_hop_number(path, i));
		finding_add_evidence(finding, "median %.1f ms here, %.1f ms at %s", ms(hop->rtt_median_ns),
			ms(behind), other);
		finding_set_text(&finding->disproof,
			"Certain for forwarding: what reached the farther hop passed this one. Why its own "
			"answers are late is open: it takes its time to make them, or they come by a longer "
			"way back.");
	}
}

/* The least round trip of this hop and all behind it: what a packet that goes further takes at least. */
static int64_t floor_from(const struct path *path, size_t index)
{
	int64_t floor = RTT_NONE;
	for (size_t i = index; i < path->hop_count; i++) {
		int64_t rtt = path->hops[i].rtt_min_ns;
		if (rtt != RTT_NONE && (floor == RTT_NONE || rtt < floor))
			floor = rtt;
	}
	return floor;
}

static void report_step(struct view *view, size_t before, size_t at, int64_t step, int64_t total)
{
	const struct path *path = view->path;
	char from[HOP_LABEL_SIZE], to[HOP_LABEL_SIZE];
	struct finding *finding = measurement_add_finding(view->measurement, "latency-step", SEVERITY_INFO,
		CONFIDENCE_LIKELY, path->direction,
		"From %s on everything is %.1f ms further away than %s, and stays so: distance, or another "
		"way back.",
		hop_label(path, at, to), ms(step), hop_label(path, before, from));
	if (!finding)
		return;
	finding_add_hop(finding, path_hop_number(path, before));
	finding_add_hop(finding, path_hop_number(path, at));
	finding_add_evidence(finding,
		"least round trips: %.1f ms before, at least %.1f ms at every hop from there on",
		ms(floor_from(path, before)), ms(floor_from(path, at)));
	finding_add_evidence(finding, "that is %.0f %% of the %.1f ms to the last hop that answered",
		100.0 * (double)step / (double)total, ms(total));
	if (path->hops[at].probe_count > 0 && path->hops[at].probes[0].mpls_count > 0)
		finding_add_evidence(
			finding, "the hop shows MPLS labels: the time may belong to the tunnel's far end");
	finding_set_text(
		&finding->disproof, "One-way delays, which round trips do not show, would divide it.");
	finding_set_text(
		&finding->advice, "Expected on a long link; else compare with an earlier measurement.");
}

void rule_latency_step(struct view *view)
{
	const struct path *path = view->path;
	size_t before = path->hop_count, best_before = 0, best_at = 0;
	int64_t best = 0, total = RTT_NONE;
	for (size_t i = 0; i < path->hop_count; i++) {
		if (path->hops[i].rtt_min_ns == RTT_NONE)
			continue;
		total = path->hops[i].rtt_min_ns;
		if (before < path->hop_count && floor_from(path, i) - floor_from(path, before) > best) {
			best = floor_from(path, i) - floor_from(path, before);
			best_before = before;
			best_at = i;
		}
		before = i;
	}
	if (!view->broken && best >= STEP_MIN_NS && (double)best >= STEP_SHARE * (double)total)
		report_step(view, best_before, best_at, best, total);
}
