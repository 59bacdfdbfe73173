/* Is the way back the way there? */
#include "insight/router_name.h"
#include "insight/rules.h"

#include <stdio.h>
#include <stdlib.h>

static bool router_level(const struct shared_hop *shared)
{
	return shared->by != SHARED_BY_AS;
}

static size_t hop_index(const struct path *path, int number)
{
	for (size_t i = 0; i < path->hop_count; i++)
		if (path_hop_number(path, i) == number)
			return i;
	return path->hop_count;
}

/* How a shared router is called: by the hop of either way that answered. */
static const char *router_label(
	const struct measurement *m, const struct shared_hop *shared, char label[static HOP_LABEL_SIZE])
{
	size_t there = hop_index(m->forward, shared->forward_ttl),
	       back = hop_index(m->reverse, shared->reverse_ttl);
	bool silent = there == m->forward->hop_count || !addr_is_set(m->forward->hops[there].address);
	if (silent && back < m->reverse->hop_count)
		return hop_label(m->reverse, back, label);
	return hop_label(m->forward, there, label);
}

/* The routers on both sides of the first stretch that differs; NULL: this host, the target. */
struct parting {
	const struct shared_hop *before, *after;
	int forward_before, forward_after; /* hop numbers there; -1 = the ends */
};

static struct parting find_parting(const struct alignment *alignment)
{
	struct parting parting = {NULL, NULL, -1, -1};
	int there = alignment->divergence_forward_ttl, back = alignment->divergence_reverse_ttl;
	/* Other networks, and nobody can tell at which router: some ways back do not see them all. */
	if (!alignment->diverges)
		return parting;
	for (size_t i = 0; i < alignment->shared_count; i++) {
		const struct shared_hop *shared = &alignment->shared[i];
		if (!router_level(shared))
			continue;
		/* Numbers grow along the way there and shrink along the way back. */
		bool before = there >= 0 ? shared->forward_ttl < there : shared->reverse_ttl > back;
		if (before) {
			parting.before = shared;
			parting.forward_before = shared->forward_ttl;
		} else if (!parting.after) {
			parting.after = shared;
			parting.forward_after = shared->forward_ttl;
		}
	}
	return parting;
}

static size_t as_text(const struct path *path, const uint32_t *numbers, size_t count, char *text, size_t size)
{
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < count && used < size; i++) {
		const char *name = NULL;
		for (size_t j = 0; j < path->hop_count && !name; j++)
			if (path->hops[j].asn == numbers[i])
				name = path->hops[j].as_name;
		int written = snprintf(text + used, size - used, "%sAS%u%s%.40s%s", i > 0 ? ", " : "",
			numbers[i], name ? " (" : "", name ? name : "", name ? ")" : "");
		used += written > 0 ? (size_t)written : 0;
	}
	return count;
}

static void add_as_evidence(struct finding *finding, const struct measurement *m)
{
	char text[1000];
	const struct alignment *a = m->alignment;
	if (as_text(m->forward, a->as_path_forward, a->as_path_forward_count, text, sizeof(text)) > 0)
		finding_add_evidence(finding, "networks there: %s", text);
	if (as_text(m->reverse, a->as_path_reverse, a->as_path_reverse_count, text, sizeof(text)) > 0)
		finding_add_evidence(finding, "networks back: %s", text);
}

static int64_t rtt_at(const struct path *path, int number)
{
	size_t index = hop_index(path, number);
	return index < path->hop_count ? path->hops[index].rtt_min_ns : RTT_NONE;
}

/* Round trips contain both directions, so they bound what the separate stretches cost together, and cannot
 * say how it divides. */
static void add_cost_evidence(
	struct finding *finding, const struct measurement *m, const struct parting *parting)
{
	int64_t near_ns = parting->before ? rtt_at(m->forward, parting->forward_before) : 0;
	int64_t far_ns = parting->after ? rtt_at(m->forward, parting->forward_after)
		: m->forward->reached	? m->forward->hops[m->forward->hop_count - 1].rtt_min_ns
					: RTT_NONE;
	if (near_ns == RTT_NONE || far_ns == RTT_NONE || far_ns < near_ns)
		finding_add_evidence(finding, "what the separate stretches cost in time is unknown");
	else
		finding_add_evidence(finding,
			"the separate stretches cost %.1f ms of the round trip together; how much of "
			"it is the way there and how much the way back, round trips cannot tell",
			(double)(far_ns - near_ns) / 1e6);
}

static unsigned shared_routers(const struct alignment *alignment)
{
	unsigned count = 0;
	for (size_t i = 0; i < alignment->shared_count; i++)
		count += router_level(&alignment->shared[i]);
	return count;
}

static void add_shared_evidence(struct finding *finding, const struct measurement *m)
{
	unsigned by_address = 0, by_link = 0, by_name = 0;
	for (size_t i = 0; i < m->alignment->shared_count; i++) {
		by_address += m->alignment->shared[i].by == SHARED_BY_ADDRESS;
		by_link += m->alignment->shared[i].by == SHARED_BY_SUBNET;
		by_name += m->alignment->shared[i].by == SHARED_BY_ALIAS;
	}
	unsigned shared = shared_routers(m->alignment);
	finding_add_evidence(finding,
		"%u router%s on both ways (%u by equal address, %u by the two ends of one link, %u by "
		"name)",
		shared, shared == 1 ? " is" : "s are", by_address, by_link, by_name);
}

/* Routers in networks that the other way, if it is known whole, never enters. One alone may be a border link
 * numbered by the neighbour.
 */
static unsigned foreign_hops(const struct path *path, const struct path *other)
{
	unsigned count = 0;
	for (size_t i = 0; other->reached && i < path->hop_count - path->reached; i++) {
		bool again = i > 0 && addr_equal(path->hops[i].address, path->hops[i - 1].address);
		bool found = path->hops[i].asn == 0 || !hop_known(&path->hops[i]) || again;
		for (size_t j = 0; j < other->hop_count && !found; j++)
			found = other->hops[j].asn == path->hops[i].asn;
		count += !found;
	}
	return count;
}

/* A link on both ways tells two routers, of which the one at the edge of what both ways share may be another:
 * it is when the router beside it answers from the interface that its answer leaves by. An equal address or
 * name excludes that. NULL, an end of the ways, is sure. */
static bool is_sure(const struct measurement *m, const struct shared_hop *shared)
{
	if (!shared || shared->by != SHARED_BY_SUBNET)
		return true;
	size_t there = hop_index(m->forward, shared->forward_ttl),
	       back = hop_index(m->reverse, shared->reverse_ttl);
	return there < m->forward->hop_count && back < m->reverse->hop_count &&
		alias_by_name(&m->forward->hops[there], &m->reverse->hops[back]);
}

static bool is_silent(const struct path *path, size_t index)
{
	return index < path->hop_count && !hop_known(&path->hops[index]);
}

/* A silent router beside the place may be on both ways, too. */
static bool parts_right_behind(const struct measurement *m, const struct shared_hop *before)
{
	const struct path *there = m->forward, *back = m->reverse;
	size_t there_next = before ? hop_index(there, before->forward_ttl) + 1 : 0;
	size_t back_next =
		(before ? hop_index(back, before->reverse_ttl) : back->hop_count - back->reached) - 1;
	return is_sure(m, before) && !is_silent(there, there_next) && !is_silent(back, back_next);
}

static bool meets_right_at(const struct measurement *m, const struct shared_hop *after)
{
	const struct path *there = m->forward, *back = m->reverse;
	size_t there_last =
		(after ? hop_index(there, after->forward_ttl) : there->hop_count - there->reached) - 1;
	size_t back_first = after ? hop_index(back, after->reverse_ttl) + 1 : 0;
	return is_sure(m, after) && !is_silent(there, there_last) && !is_silent(back, back_first);
}

static void report_differ(struct measurement *m)
{
	const struct alignment *alignment = m->alignment;
	struct parting parting = find_parting(alignment);
	char from[HOP_LABEL_SIZE] = "this host", to[HOP_LABEL_SIZE] = "the target";
	if (parting.before)
		router_label(m, parting.before, from);
	if (parting.after)
		router_label(m, parting.after, to);
	bool networks = alignment->as_symmetric == TERNARY_FALSE;
	bool certain = networks &&
		(foreign_hops(m->forward, m->reverse) >= 2 || foreign_hops(m->reverse, m->forward) >= 2);
	const char *through = networks ? ", through other networks" : "";
	/* Equal numbers of hops in the same networks could still be other faces of the same routers. */
	enum confidence confidence = certain ? CONFIDENCE_CERTAIN
		: alignment->diverges	     ? CONFIDENCE_LIKELY
					     : CONFIDENCE_POSSIBLE;
	struct finding *finding;
	if (alignment->diverges)
		finding = measurement_add_finding(m, "paths-differ", SEVERITY_INFO, confidence,
			DIRECTION_BOTH,
			parting.after
				? "The way back is not the way there: they part %s %s and meet again %s "
				  "%s%s."
				: "The way back is not the way there: they part %s %s, and no router is "
				  "seen on both again %s %s%s.",
			parts_right_behind(m, parting.before) ? "after" : "near", from,
			!parting.after				   ? "before"
				: meets_right_at(m, parting.after) ? "at"
								   : "near",
			to, through);
	else
		finding = measurement_add_finding(m, "paths-differ", SEVERITY_INFO, confidence,
			DIRECTION_BOTH, "The way back is not the way there%s; where they part is not known.",
			through);
	if (!finding)
		return;
	if (alignment->divergence_forward_ttl >= 0)
		finding_add_hop(finding, alignment->divergence_forward_ttl);
	add_shared_evidence(finding, m);
	add_as_evidence(finding, m);
	add_cost_evidence(finding, m, &parting);
	finding_set_text(&finding->disproof,
		networks ? "Wrong network numbers for a border router; the routers in between would have to "
			   "agree."
			 : "Routers that answer from several addresses may be the same after all; alias "
			   "tests, not tried.");
	finding_set_text(&finding->advice,
		"Asymmetric ways are usual. Look for a fault in both; a hop seen one way tells nothing about "
		"the other.");
}

static void report_same(struct measurement *m)
{
	bool routers = m->alignment->router_symmetric == TERNARY_TRUE;
	bool indirect = false;
	for (size_t i = 0; i < m->alignment->shared_count; i++)
		indirect |= m->alignment->shared[i].by == SHARED_BY_SUBNET ||
			m->alignment->shared[i].by == SHARED_BY_ALIAS;
	struct finding *finding = measurement_add_finding(m, "paths-same", SEVERITY_INFO,
		routers && !indirect ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY, DIRECTION_BOTH,
		routers ? "The way back is the way there, router by router."
			: "The way back crosses the same networks as the way there; router by router it is "
			  "undecided.");
	if (!finding)
		return;
	add_shared_evidence(finding, m);
	add_as_evidence(finding, m);
	finding_set_text(
		&finding->disproof, "Other flows may take other ways; one flow was measured each way.");
}

void rule_ways(struct measurement *measurement)
{
	const struct alignment *alignment = measurement->alignment;
	if (!alignment)
		return;
	if (alignment->router_symmetric == TERNARY_FALSE || alignment->as_symmetric == TERNARY_FALSE)
		report_differ(measurement);
	else if (alignment->router_symmetric == TERNARY_TRUE || alignment->as_symmetric == TERNARY_TRUE)
		report_same(measurement);
}
