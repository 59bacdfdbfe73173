/* What rounds that take several flows in turn show: which hops flows part at, and whose way treats packets
 * worse. Each flow keeps to its way, and all are asked equally often and at the same pace, so that their
 * counts compare. */
#include "insight/rules.h"

#include "path/series.h"
#include "path/timeline.h"

#define RISK	  0.01 /* of a false alarm, over all flows together: a long watch is looked at often */
#define ASKED_MIN 5    /* probes to the end of the others without answer, before a way goes nowhere */

static const struct timeline *flows_of(const struct view *view)
{
	const struct timeline *timeline = view->measurement->timeline;
	bool several = view->path->direction == DIRECTION_FORWARD && timeline && timeline->flow_count > 0;
	return several ? timeline : NULL;
}

static const char *flow_word(const struct path *path)
{
	return path->protocol == PROBE_ICMP ? "checksum" : "source port";
}

static unsigned flow_number(const struct path *path, const struct flow *flow)
{
	return path->protocol == PROBE_ICMP ? flow->icmp_checksum : flow->source_port;
}

static unsigned first_number(const struct view *view, unsigned flows)
{
	const struct timeline *timeline = flows_of(view);
	unsigned i = 0;
	while (i + 1 < timeline->flow_count && !(flows & 1u << i))
		i++;
	return flow_number(view->path, &timeline->flow_of[i]);
}

static size_t index_of(const struct path *path, unsigned ttl)
{
	size_t i = 0;
	while (i < path->hop_count && path->hops[i].ttl != (int)ttl)
		i++;
	return i;
}

/* Routers that flows meet; the destination counts for none. */
static unsigned width_of(
	const struct timeline *timeline, unsigned ttl, struct timeline_branch *branches, unsigned *count)
{
	unsigned width = 0;
	*count = timeline_branches(timeline, ttl, branches);
	for (unsigned i = 0; i < *count; i++)
		width += addr_is_set(branches[i].address) && !branches[i].reached;
	return width;
}

static void add_branches(struct finding *finding, const struct view *view,
	const struct timeline_branch *branches, unsigned count, unsigned ttl)
{
	char address[ADDR_TEXT_SIZE];
	for (unsigned i = 0; i < count; i++)
		if (addr_is_set(branches[i].address))
			finding_add_evidence(finding, "hop %u: %s answers flows such as that of %s %u", ttl,
				addr_format(branches[i].address, address), flow_word(view->path),
				first_number(view, branches[i].flows));
}

void rule_watched_balancing(struct view *view)
{
	const struct timeline *timeline = flows_of(view);
	struct timeline_branch branches[TIMELINE_FLOWS];
	unsigned most = 0, count, last = timeline ? timeline_last(timeline) : 0;
	for (unsigned ttl = 1; ttl <= last; ttl++)
		most = MAX(most, width_of(timeline, ttl, branches, &count));
	if (most < 2)
		return;
	struct finding *finding = measurement_add_finding(view->measurement, "load-balanced", SEVERITY_INFO,
		CONFIDENCE_LIKELY, view->path->direction,
		"Flows are spread over up to %u routers at a hop; each keeps to one way.", most);
	for (unsigned ttl = 1; finding && ttl <= last; ttl++)
		if (width_of(timeline, ttl, branches, &count) > 1) {
			finding_add_hop(finding, (int)ttl);
			add_branches(finding, view, branches, count, ttl);
		}
	if (!finding)
		return;
	finding_set_text(&finding->disproof, "One router may answer from several of its addresses.");
	finding_set_text(
		&finding->advice, "%s", "When only some connections suffer, compare the rows of the flows.");
}

/* ---- bad branches ---- */

/* A flow and all others at a hop. */
struct contrast {
	struct loss one, others;
	double chance; /* of so much more loss without a difference */
};

static struct contrast contrast_at(const struct timeline *timeline, unsigned flow, unsigned ttl)
{
	struct contrast contrast = {.one = timeline_loss(timeline->flows[flow], ttl)};
	for (unsigned i = 0; i < timeline->flow_count; i++) {
		/* A hop behind the end of a way is none of it. */
		if (i == flow || ttl > timeline_last(timeline->flows[i]))
			continue;
		struct loss loss = timeline_loss(timeline->flows[i], ttl);
		contrast.others.sent += loss.sent;
		contrast.others.lost += loss.lost;
	}
	contrast.chance = contrast.others.sent == 0 ? 1
						    : share_chance(contrast.one.lost, contrast.one.sent,
							      contrast.others.lost, contrast.others.sent);
	return contrast;
}

static bool stands_out(const struct timeline *timeline, const struct contrast *contrast)
{
	return contrast->one.lost >= 2 && contrast->chance * timeline->flow_count <= RISK;
}

/* The first hop from which on the flow loses more at every hop that answers, its end included; 0 = none. */
static unsigned loss_begins(const struct timeline *timeline, unsigned flow)
{
	const struct timeline *of = timeline->flows[flow];
	unsigned begin = 0;
	for (unsigned ttl = of->end; ttl >= 1; ttl--) {
		const struct timeline_hop *hop = timeline_hop(of, ttl);
		if (!hop || hop->now.received == 0)
			continue;
		struct contrast contrast = contrast_at(timeline, flow, ttl);
		if (!stands_out(timeline, &contrast))
			break;
		begin = ttl;
	}
	return begin;
}

static void mark_explained(struct view *view, const struct timeline *timeline, unsigned flow, unsigned begin)
{
	for (unsigned ttl = begin; ttl <= MAX(timeline->flows[flow]->end, timeline->end); ttl++) {
		size_t index = index_of(view->path, ttl);
		struct contrast contrast = contrast_at(timeline, flow, ttl);
		if (index < view->path->hop_count && contrast.others.lost == 0)
			view->explained[index] = true;
	}
}

/* Do other flows meet the same machine there? Then it may limit its replies, in step with the turns. */
static bool is_shared(const struct timeline *timeline, unsigned flow, unsigned ttl)
{
	const struct responder *at = timeline_shown(timeline_hop(timeline->flows[flow], ttl));
	for (unsigned i = 0; i < timeline->flow_count; i++) {
		const struct responder *other = timeline_shown(timeline_hop(timeline->flows[i], ttl));
		if (i != flow && at && other && addr_equal(at->address, other->address))
			return true;
	}
	return false;
}

static void report_lossy(struct view *view, unsigned flow, unsigned begin)
{
	const struct timeline *timeline = flows_of(view), *of = timeline->flows[flow];
	struct contrast end = contrast_at(timeline, flow, of->end);
	const struct responder *at = timeline_shown(timeline_hop(of, begin));
	unsigned number = flow_number(view->path, &timeline->flow_of[flow]);
	bool shared = is_shared(timeline, flow, begin);
	char address[ADDR_TEXT_SIZE];
	struct finding *finding = measurement_add_finding(view->measurement, "bad-branch", SEVERITY_WARNING,
		end.one.sent >= RULE_SAMPLES_MIN && !shared ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE,
		view->path->direction,
		"One of %u ways, via %s at hop %u, loses packets (%u of %u to the end); connections that "
		"take it "
		"suffer, others do not.",
		timeline->flow_count, addr_format(at ? at->address : ADDR_NONE, address), begin, end.one.lost,
		end.one.sent);
	if (!finding)
		return;
	finding_add_hop(finding, (int)begin);
	finding_add_evidence(finding,
		"%u of %u probes of %s %u to the end were lost (%.1f to %.1f %% with 95 %% confidence)",
		end.one.lost, end.one.sent, flow_word(view->path), number, 100 * end.one.share.low,
		100 * end.one.share.high);
	finding_add_evidence(finding, "%u of %u on the other ways", end.others.lost, end.others.sent);
	finding_add_evidence(finding,
		"by chance that happens in %.2g %% of cases (Fisher's exact test; %u flows were compared)",
		100 * end.chance, timeline->flow_count);
	finding_set_text(&finding->disproof, "%s",
		shared ? "Other flows meet the same machine there: if it limits its replies, that may fall "
			 "in step "
			 "with the turns; a longer interval would tell."
		       : "The loss may be on the way back, which balances flows, too.");
	if (view->path->protocol != PROBE_ICMP)
		finding_set_text(&finding->advice,
			"Run it again with --sport %u and with the port of another way; report both to the "
			"operator.",
			number);
	mark_explained(view, timeline, flow, begin);
}

static unsigned unanswered_at_end(const struct timeline *timeline, unsigned flow)
{
	const struct timeline_hop *hop = timeline_hop(timeline->flows[flow], timeline->end);
	return hop ? hop->total.lost : 0;
}

static void report_dead_end(struct view *view, unsigned flow)
{
	const struct timeline *timeline = flows_of(view), *of = timeline->flows[flow];
	unsigned last = timeline_last(of), number = flow_number(view->path, &timeline->flow_of[flow]);
	const struct responder *at = timeline_shown(timeline_hop(of, last));
	char address[ADDR_TEXT_SIZE];
	struct finding *finding = measurement_add_finding(view->measurement, "bad-branch", SEVERITY_PROBLEM,
		CONFIDENCE_LIKELY, view->path->direction,
		"One of %u ways goes nowhere: behind %s at hop %u nothing answers the flow of %s %u, while "
		"others "
		"reach the end.",
		timeline->flow_count, at ? addr_format(at->address, address) : "this host", last,
		flow_word(view->path), number);
	if (!finding)
		return;
	finding_add_hop(finding, (int)last);
	finding_add_evidence(finding, "the end did not answer one of %u probes of this flow",
		unanswered_at_end(timeline, flow));
	finding_set_text(&finding->disproof, "The way back of this flow may be the one that is broken.");
	mark_explained(view, timeline, flow, last + 1);
}

void rule_watched_branches(struct view *view)
{
	const struct timeline *timeline = flows_of(view);
	for (unsigned i = 0; timeline && timeline->end && i < timeline->flow_count; i++) {
		const struct timeline *of = timeline->flows[i];
		unsigned begin = loss_begins(timeline, i);
		if (begin)
			report_lossy(view, i, begin);
		else if (!of->end && !of->refusal && unanswered_at_end(timeline, i) >= ASKED_MIN)
			report_dead_end(view, i);
	}
}
