/* What several flows show together: balancing, and branches that treat packets worse than others.
 *
 * Only where several flows were explored (path->confidence > 0): a finding about a branch names the source
 * port that takes it. */
#include "insight/rules.h"

#include <stdio.h>
#include <string.h>

#include "insight/insight.h"
#include "path/series.h"

#define RISK 0.05 /* of a false alarm, over all branches of a hop together */

static const char *flow_words(const struct path *path)
{
	if (path->protocol == PROBE_ICMP)
		return "checksum";
	return path->direction == DIRECTION_REVERSE ? "destination port" : "source port";
}

static unsigned flow_number(const struct edge *edge)
{
	if (edge->source_port)
		return edge->source_port;
	return edge->destination_port ? edge->destination_port : edge->icmp_checksum;
}

/* ---- balancing ---- */

static size_t edges_at(const struct path *path, int ttl, struct addr from)
{
	size_t count = 0;
	for (size_t i = 0; i < path->edge_count; i++)
		count += path->edges[i].ttl == ttl && addr_equal(path->edges[i].from, from);
	return count;
}

static bool is_wide(const struct path *path, size_t index)
{
	return path->hops[index].address_count > 1;
}

/* The end of the stretch of hops with several routers that begins here. */
static size_t end_of_stretch(const struct path *path, size_t first)
{
	size_t end = first;
	while (end < path->hop_count && is_wide(path, end))
		end++;
	return end;
}

/* Hop limits at which the destination answered: the least and the most. */
static void find_lengths(const struct path *path, int *least, int *most)
{
	*least = *most = 0;
	for (size_t i = 0; i < path->hop_count; i++)
		for (size_t j = 0; j < path->hops[i].address_count; j++)
			if (addr_equal(path->hops[i].addresses[j], path->destination)) {
				*least = *least ? *least : path->hops[i].ttl;
				*most = path->hops[i].ttl;
			}
}

static void add_branches(struct finding *finding, const struct path *path, size_t first, size_t end)
{
	char from[ADDR_TEXT_SIZE], to[ADDR_TEXT_SIZE];
	for (size_t i = 0; i < path->edge_count; i++) {
		const struct edge *edge = &path->edges[i];
		if (edge->ttl < path->hops[first].ttl || edge->ttl > path->hops[end - 1].ttl ||
			edges_at(path, edge->ttl, edge->from) < 2)
			continue;
		if (flow_number(edge))
			finding_add_evidence(finding,
				"hop %d: %s goes on to %s with %u flow%s, such as that of %s %u", edge->ttl,
				addr_format(edge->from, from), addr_format(edge->to, to), edge->flows,
				edge->flows == 1 ? "" : "s", flow_words(path), flow_number(edge));
		else
			finding_add_evidence(finding, "hop %d: %s goes on to %s with %u of the packets",
				edge->ttl, addr_format(edge->from, from), addr_format(edge->to, to),
				edge->received);
	}
}

static const char *name_hop(
	const struct path *path, size_t index, const char *otherwise, char label[static HOP_LABEL_SIZE])
{
	if (index < path->hop_count)
		return hop_label(path, index, label);
	snprintf(label, HOP_LABEL_SIZE, "%s", otherwise);
	return label;
}

static void report_stretch(struct view *view, size_t first, size_t end)
{
	const struct path *path = view->path;
	char before[HOP_LABEL_SIZE], behind[HOP_LABEL_SIZE];
	size_t most = 0;
	bool by_packet = false;
	for (size_t i = first; i < end; i++) {
		most = MAX(most, path->hops[i].address_count);
		by_packet |= path->hops[i].by_packet;
	}
	name_hop(path, first > 0 ? first - 1 : SIZE_MAX, "this host", before);
	name_hop(path, end, "the end", behind);
	struct finding *finding = by_packet ? measurement_add_finding(view->measurement, "load-balanced",
						      SEVERITY_INFO, CONFIDENCE_LIKELY, path->direction,
						      "Packets are dealt out one by one over %zu routers "
						      "between %s and %s; reordering is to be expected.",
						      most, before, behind)
					    : measurement_add_finding(view->measurement, "load-balanced",
						      SEVERITY_INFO, CONFIDENCE_CERTAIN, path->direction,
						      "Flows are spread over up to %zu routers at a hop "
						      "between %s and %s; each keeps to one way.",
						      most, before, behind);
	if (!finding)
		return;
	finding_add_range(finding, path, first, end - 1);
	add_branches(finding, path, first, end);
	finding_add_evidence(finding,
		"%u flows were tried; %.4g %% sure that no next hop of a router was overlooked",
		path->flow_count, 100 * path->confidence);
	for (size_t i = first; i < end; i++)
		if (path->hops[i].incomplete)
			finding_add_evidence(finding,
				"hop %d limits its replies: there may be more routers than were seen",
				path->hops[i].ttl);
	finding_set_text(&finding->disproof, "%s",
		by_packet ? "A route that moved in between looks alike; it would not alternate when asked "
			    "again."
			  : "One router may answer from several of its addresses.");
	finding_set_text(&finding->advice, "%s",
		by_packet ? "Balance by flow instead: TCP takes reordering for loss."
			  : "When only some connections suffer, compare the ways of the ports given.");
}

/* In place of what one flow can tell. */
void rule_branches(struct view *view)
{
	const struct path *path = view->path;
	int least, most;
	if (path->confidence <= 0)
		return;
	for (size_t i = 0; i < path->hop_count; i++) {
		size_t end = end_of_stretch(path, i);
		if (end == i)
			continue;
		report_stretch(view, i, end);
		i = end;
	}
	find_lengths(path, &least, &most);
	if (most <= least)
		return;
	struct finding *finding = measurement_add_finding(view->measurement, "load-balanced", SEVERITY_INFO,
		CONFIDENCE_CERTAIN, path->direction,
		"Some flows need %d hop%s more than others; that is balancing over ways of unequal length, "
		"not a fault.",
		most - least, most - least == 1 ? "" : "s");
	if (!finding)
		return;
	finding_add_hop(finding, least);
	finding_add_hop(finding, most);
	finding_add_evidence(finding,
		"the destination answers at hop %d to some flows and at hop %d to others", least, most);
	finding_set_text(&finding->disproof,
		"Several machines may share the destination's address, at different distances (anycast).");
}

/* ---- bad branches ---- */

/* Probes of flows that take a branch, to it and to everything behind it. */
struct tally {
	unsigned sent, lost;
};

static unsigned flow_of(const struct probe_result *probe)
{
	uint16_t other = probe->destination_port ? probe->destination_port : probe->icmp_checksum;
	return (unsigned)probe->source_port << 16 | other;
}

static bool takes(const struct path *path, size_t hop, unsigned flow, struct addr to)
{
	for (size_t i = 0; i < path->hops[hop].probe_count; i++)
		if (flow_of(&path->hops[hop].probes[i]) == flow &&
			addr_equal(path->hops[hop].probes[i].address, to))
			return true;
	return false;
}

static struct tally tally_of(const struct path *path, size_t hop, struct addr to)
{
	struct tally tally = {0};
	for (size_t i = hop; i < path->hop_count; i++)
		for (size_t j = 0; j < path->hops[i].probe_count; j++) {
			const struct probe_result *probe = &path->hops[i].probes[j];
			/* A hop that answers nobody, or limits its replies, says nothing about the way there.
			 */
			if (path->hops[i].received == 0 || path->hops[i].incomplete ||
				!takes(path, hop, flow_of(probe), to))
				continue;
			tally.sent++;
			tally.lost += !probe_answered(probe);
		}
	return tally;
}

/* A way that seems to lose packets which the other ways behind the same router do not. */
struct suspect {
	const struct edge *edge;
	size_t hop, branches;
	struct tally branch, others;
	double chance;
};

static bool is_suspect(const struct path *path, const struct edge *edge, struct suspect *suspect)
{
	struct tally all = {0};
	size_t hop = 0;
	*suspect = (struct suspect){.edge = edge, .branches = edges_at(path, edge->ttl, edge->from)};
	if (suspect->branches < 2 || flow_number(edge) == 0)
		return false;
	while (hop < path->hop_count && path->hops[hop].ttl != edge->ttl)
		hop++;
	for (size_t j = 0; j < path->edge_count; j++) {
		if (path->edges[j].ttl != edge->ttl || !addr_equal(path->edges[j].from, edge->from))
			continue;
		struct tally one = tally_of(path, hop, path->edges[j].to);
		all.sent += one.sent;
		all.lost += one.lost;
	}
	suspect->hop = hop;
	suspect->branch = tally_of(path, hop, edge->to);
	suspect->others.sent = all.sent - suspect->branch.sent;
	suspect->others.lost = all.lost - suspect->branch.lost;
	suspect->chance = share_chance(
		suspect->branch.lost, suspect->branch.sent, suspect->others.lost, suspect->others.sent);
	/* One alarm in twenty, however many ways are compared (Bonferroni). */
	return hop < path->hop_count && suspect->branch.lost >= 2 &&
		suspect->branch.lost < suspect->branch.sent &&
		suspect->chance * (double)suspect->branches <= RISK;
}

/* Of several ways behind the same router the one that loses the least share. */
static const struct edge *best_beside(const struct path *path, const struct suspect *suspect)
{
	const struct edge *best = NULL;
	double least = 2;
	for (size_t i = 0; i < path->edge_count; i++) {
		const struct edge *edge = &path->edges[i];
		if (edge == suspect->edge || edge->ttl != suspect->edge->ttl || flow_number(edge) == 0 ||
			!addr_equal(edge->from, suspect->edge->from))
			continue;
		struct tally tally = tally_of(path, suspect->hop, edge->to);
		double share = tally.sent ? (double)tally.lost / tally.sent : 1;
		if (share < least) {
			least = share;
			best = edge;
		}
	}
	return best;
}

bool insight_suspect(const struct path *path, const struct edge **bad, const struct edge **other)
{
	double least = 2;
	for (size_t i = 0; i < path->edge_count; i++) {
		struct suspect suspect;
		if (!is_suspect(path, &path->edges[i], &suspect) || suspect.chance >= least)
			continue;
		const struct edge *beside = best_beside(path, &suspect);
		if (!beside)
			continue;
		least = suspect.chance;
		*bad = suspect.edge;
		*other = beside;
	}
	return least <= 1;
}

/* The slower questions bear it out. */
static bool test_confirms(const struct branch_test *test)
{
	return test->sent > 0 &&
		share_chance(test->sent - test->received, test->sent,
			test->others_sent - test->others_received, test->others_sent) <= RISK;
}

static bool was_any_tested(const struct path *path)
{
	for (size_t i = 0; i < path->edge_count; i++)
		if (path->edges[i].test.sent > 0)
			return true;
	return false;
}

static void add_test(struct finding *finding, const struct branch_test *test)
{
	finding_add_evidence(finding,
		"asked again, slowly and in turns: %u of %u lost by it, %u of %u by another way",
		test->sent - test->received, test->sent, test->others_sent - test->others_received,
		test->others_sent);
	if (test->rtt_ns != RTT_NONE && test->others_rtt_ns != RTT_NONE)
		finding_add_evidence(finding,
			"then the median round trip was %.1f ms by it, %.1f ms by the other",
			(double)test->rtt_ns / 1e6, (double)test->others_rtt_ns / 1e6);
}

static void report_bad_branch(struct view *view, const struct suspect *suspect)
{
	const struct path *path = view->path;
	const struct edge *edge = suspect->edge;
	struct tally branch = suspect->branch;
	char to[ADDR_TEXT_SIZE];
	struct interval share = share_interval(branch.lost, branch.sent);
	bool tested = edge->test.sent > 0;
	bool likely = tested || branch.sent >= RULE_SAMPLES_MIN;
	struct finding *finding = measurement_add_finding(view->measurement, "bad-branch", SEVERITY_WARNING,
		likely ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE, path->direction,
		"One of %zu parallel ways, via %s at hop %d, loses packets (%u of %u); connections that take "
		"it suffer, others do not.",
		suspect->branches, addr_format(edge->to, to), edge->ttl, branch.lost, branch.sent);
	if (!finding)
		return;
	finding_add_hop(finding, path->hops[suspect->hop].ttl);
	finding_add_evidence(finding,
		"%u of %u probes that go by %s stayed without answer (%.0f to %.0f %% with 95 %% confidence)",
		branch.lost, branch.sent, to, 100 * share.low, 100 * share.high);
	finding_add_evidence(
		finding, "%u of %u on the other ways", suspect->others.lost, suspect->others.sent);
	finding_add_evidence(finding,
		"by chance that happens in %.2g %% of cases (Fisher's exact test; %zu ways were compared)",
		100 * suspect->chance, suspect->branches);
	if (tested)
		add_test(finding, &edge->test);
	finding_add_evidence(finding, "%s %u takes this way", flow_words(path), flow_number(edge));
	finding_set_text(&finding->disproof, "%s",
		tested ? "Checked: limits on replies would have met both ways alike when they were asked in "
			 "turns."
		       : "A router that limits its replies on this way only. The same ports again, and "
			 "slower, would show it.");
	finding_set_text(&finding->advice,
		"Run it again with --sport %u and with the port of another way; report both to the operator.",
		flow_number(edge));
}

void rule_bad_branch(struct view *view)
{
	/* Beside one that was asked again, others have their suspicion from its loss more often than not. */
	bool tested = was_any_tested(view->path);
	for (size_t i = 0; i < view->path->edge_count; i++) {
		struct suspect suspect;
		const struct branch_test *test = &view->path->edges[i].test;
		if (is_suspect(view->path, &view->path->edges[i], &suspect) &&
			(!tested || test_confirms(test)))
			report_bad_branch(view, &suspect);
	}
}
