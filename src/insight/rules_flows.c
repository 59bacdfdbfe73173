/* What several flows show together: balancing, and branches that treat packets worse than others.
 *
 * Only where several flows were explored (path->confidence > 0): a finding about a branch names the source port that
 * takes it. */
#include "insight/rules.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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
			finding_add_evidence(finding, "hop %d: %s goes on to %s with %u flow%s, such as that of %s %u",
				edge->ttl, addr_format(edge->from, from), addr_format(edge->to, to), edge->flows,
				edge->flows == 1 ? "" : "s", flow_words(path), flow_number(edge));
		else
			finding_add_evidence(finding, "hop %d: %s goes on to %s with %u of the packets", edge->ttl,
				addr_format(edge->from, from), addr_format(edge->to, to), edge->received);
	}
}

static const char *name_hop(const struct path *path, size_t index, const char *otherwise,
	char label[static HOP_LABEL_SIZE])
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
	struct finding *finding = by_packet
		? measurement_add_finding(view->measurement, "load-balanced", SEVERITY_INFO, CONFIDENCE_LIKELY,
			  path->direction,
			  "Packets are dealt out one by one over %zu routers between %s and %s; reordering is to be expected.",
			  most, before, behind)
		: measurement_add_finding(view->measurement, "load-balanced", SEVERITY_INFO, CONFIDENCE_CERTAIN,
			  path->direction, "Flows are spread over up to %zu routers at a hop between %s and %s; each keeps to one way.",
			  most, before, behind);
	if (!finding)
		return;
	finding_add_range(finding, path, first, end - 1);
	add_branches(finding, path, first, end);
	finding_add_evidence(finding, "%u flows were tried; %.4g %% sure that no next hop of a router was overlooked",
		path->flow_count, 100 * path->confidence);
	for (size_t i = first; i < end; i++)
		if (path->hops[i].incomplete)
			finding_add_evidence(finding, "hop %d limits its replies: there may be more routers than were seen",
				path->hops[i].ttl);
	finding_set_text(&finding->disproof, "%s",
		by_packet ? "A route that moved in between looks alike; it would not alternate when asked again."
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
		"Some flows need %d hop%s more than others; that is balancing over ways of unequal length, not a fault.",
		most - least, most - least == 1 ? "" : "s");
	if (!finding)
		return;
	finding_add_hop(finding, least);
	finding_add_hop(finding, most);
	finding_add_evidence(finding, "the destination answers at hop %d to some flows and at hop %d to others", least, most);
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
			/* A hop that answers nobody, or limits its replies, says nothing about the way there. */
			if (path->hops[i].received == 0 || path->hops[i].incomplete ||
				!takes(path, hop, flow_of(probe), to))
				continue;
			tally.sent++;
			tally.lost += !probe_answered(probe);
		}
	return tally;
}

static double log_choose(unsigned n, unsigned k)
{
	return lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0);
}

/* Fisher's exact test, one-sided: the chance that, of all that were lost, so many or more fall on this branch. */
static double fisher(struct tally branch, struct tally others)
{
	unsigned sent = branch.sent + others.sent, lost = branch.lost + others.lost;
	double chance = 0;
	for (unsigned k = branch.lost; k <= MIN(lost, branch.sent); k++)
		if (lost - k <= others.sent)
			chance += exp(log_choose(branch.sent, k) + log_choose(others.sent, lost - k) - log_choose(sent, lost));
	return chance;
}

static void report_bad_branch(struct view *view, size_t hop, const struct edge *edge, struct tally branch,
	struct tally others, double chance, size_t branches)
{
	const struct path *path = view->path;
	char to[ADDR_TEXT_SIZE];
	struct interval share = share_interval(branch.lost, branch.sent);
	struct finding *finding = measurement_add_finding(view->measurement, "bad-branch", SEVERITY_WARNING,
		branch.sent >= RULE_SAMPLES_MIN ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE, path->direction,
		"One of %zu parallel ways, via %s at hop %d, loses packets (%u of %u); connections that take it suffer, others do not.",
		branches, addr_format(edge->to, to), edge->ttl, branch.lost, branch.sent);
	if (!finding)
		return;
	finding_add_hop(finding, path->hops[hop].ttl);
	finding_add_evidence(finding, "%u of %u probes that go by %s stayed without answer (%.0f to %.0f %% with 95 %% confidence)",
		branch.lost, branch.sent, to, 100 * share.low, 100 * share.high);
	finding_add_evidence(finding, "%u of %u on the other ways", others.lost, others.sent);
	finding_add_evidence(finding, "by chance that happens in %.2g %% of cases (Fisher's exact test; %zu ways were compared)",
		100 * chance, branches);
	if (flow_number(edge))
		finding_add_evidence(finding, "%s %u takes this way", flow_words(path), flow_number(edge));
	finding_set_text(&finding->disproof,
		"A router that limits its replies on this way only. The same ports again, and slower, would show it.");
	finding_set_text(&finding->advice,
		"Run it again with --sport %u and with the port of another way; report both to the operator.", flow_number(edge));
}

void rule_bad_branch(struct view *view)
{
	const struct path *path = view->path;
	for (size_t i = 0; i < path->edge_count; i++) {
		const struct edge *edge = &path->edges[i];
		size_t branches = edges_at(path, edge->ttl, edge->from), hop = 0;
		struct tally all = {0};
		if (branches < 2 || flow_number(edge) == 0)
			continue;
		while (hop < path->hop_count && path->hops[hop].ttl != edge->ttl)
			hop++;
		for (size_t j = 0; j < path->edge_count; j++) {
			if (path->edges[j].ttl != edge->ttl || !addr_equal(path->edges[j].from, edge->from))
				continue;
			struct tally one = tally_of(path, hop, path->edges[j].to);
			all.sent += one.sent;
			all.lost += one.lost;
		}
		struct tally branch = tally_of(path, hop, edge->to);
		struct tally others = {.sent = all.sent - branch.sent, .lost = all.lost - branch.lost};
		double chance = fisher(branch, others);
		/* One alarm in twenty, however many ways are compared (Bonferroni). */
		if (branch.lost >= 2 && branch.lost < branch.sent && chance * (double)branches <= RISK)
			report_bad_branch(view, hop, edge, branch, others, chance, branches);
	}
}
