/* What single routers show of themselves: label switching, balancing. */
#include "insight/rules.h"
#include "path/timeline.h"

static const struct mpls_entry *labels_of(const struct hop *hop)
{
	for (size_t i = 0; i < hop->probe_count; i++)
		if (hop->probes[i].mpls_count > 0)
			return hop->probes[i].mpls;
	return NULL;
}

static void report_tunnel(struct view *view, size_t first, size_t last)
{
	const struct path *path = view->path;
	char from[HOP_LABEL_SIZE], to[HOP_LABEL_SIZE];
	hop_label(path, first, from);
	const struct mpls_entry *top = labels_of(&path->hops[first]);
	/* A lone hop whose label has a lifetime left in between, neither spent nor fresh: the label was given
	 * 255 and lost one at every router that did not show itself. */
	bool opaque = first == last && top->ttl > 1 && top->ttl < 255;
	struct finding *finding;
	if (opaque)
		finding = measurement_add_finding(view->measurement, "mpls-tunnel", SEVERITY_INFO,
			CONFIDENCE_LIKELY, path->direction,
			"About %d routers are hidden in an MPLS tunnel that ends at %s.", 255 - top->ttl,
			from);
	else if (first == last)
		finding = measurement_add_finding(view->measurement, "mpls-tunnel", SEVERITY_INFO,
			CONFIDENCE_CERTAIN, path->direction, "Packets travel under an MPLS label at %s.",
			from);
	else
		finding = measurement_add_finding(view->measurement, "mpls-tunnel", SEVERITY_INFO,
			CONFIDENCE_CERTAIN, path->direction,
			"Packets travel under MPLS labels from %s to %s.", from, hop_label(path, last, to));
	if (!finding)
		return;
	finding_add_range(finding, path, first, last);
	for (size_t i = first; i <= last; i++) {
		const struct mpls_entry *entry = labels_of(&path->hops[i]);
		finding_add_evidence(finding, "%s shows label %u, ttl %u", hop_label(path, i, from),
			entry->label, entry->ttl);
	}
	finding_set_text(&finding->disproof, "None: the routers quote their labels themselves (RFC 4950).");
	finding_set_text(&finding->advice,
		"Do not read the delays inside it hop by hop: the answers may all return through its far "
		"end.");
}

void rule_mpls(struct view *view)
{
	const struct path *path = view->path;
	for (size_t i = 0; i < path->hop_count; i++) {
		size_t last = i;
		if (!labels_of(&path->hops[i]))
			continue;
		while (last + 1 < path->hop_count && labels_of(&path->hops[last + 1]))
			last++;
		report_tunnel(view, i, last);
		i = last;
	}
}

/* How often the answering address changes from one answer to the next, in the order of the probes. */
static unsigned changes_of(const struct hop *hop)
{
	unsigned changes = 0;
	struct addr before = ADDR_NONE;
	for (size_t i = 0; i < hop->probe_count; i++) {
		struct addr now = hop->probes[i].address;
		if (!addr_is_set(now))
			continue;
		changes += addr_is_set(before) && !addr_equal(before, now);
		before = now;
	}
	return changes;
}

static struct finding *report_balancing(struct view *view, size_t index)
{
	const struct path *path = view->path;
	const struct hop *hop = &path->hops[index];
	int number = path_hop_number(path, index);
	const char *kind = path->direction == DIRECTION_REVERSE ? "return hop" : "hop";
	unsigned changes = changes_of(hop);
	/* Several flows were explored on purpose: then each has its own way, which is how balancing normally
	 * works. */
	if (path->edge_count > 0)
		return measurement_add_finding(view->measurement, "load-balanced", SEVERITY_INFO,
			CONFIDENCE_CERTAIN, path->direction,
			"%zu routers share the traffic at %s %d; a flow keeps to one of them.",
			hop->address_count, kind, number);
	if (changes >= 2)
		return measurement_add_finding(view->measurement, "load-balanced", SEVERITY_INFO,
			CONFIDENCE_LIKELY, path->direction,
			"%zu routers answer in turns at %s %d for one flow: packets are dealt out one by "
			"one.",
			hop->address_count, kind, number);
	return measurement_add_finding(view->measurement, "load-balanced", SEVERITY_INFO, CONFIDENCE_POSSIBLE,
		path->direction,
		"%zu routers answered at %s %d for one flow: packets are dealt out, or the route just moved.",
		hop->address_count, kind, number);
}

void rule_load_balancing(struct view *view)
{
	const struct path *path = view->path;
	const struct timeline *timeline =
		path->direction == DIRECTION_FORWARD ? view->measurement->timeline : NULL;
	bool several = path->confidence > 0 || (timeline && timeline->flow_count > 0);
	for (size_t i = 0; !several && i < path->hop_count; i++) {
		const struct hop *hop = &path->hops[i];
		if (hop->address_count < 2)
			continue;
		struct finding *finding = report_balancing(view, i);
		if (!finding)
			return;
		finding_add_hop(finding, path_hop_number(path, i));
		char address[ADDR_TEXT_SIZE];
		for (size_t j = 0; j < hop->address_count; j++)
			finding_add_evidence(finding, "%s answered", addr_format(hop->addresses[j], address));
		if (path->edge_count == 0)
			finding_add_evidence(finding, "the answering address changed %u times between probes",
				changes_of(hop));
		finding_set_text(&finding->disproof, "One router may answer from several of its addresses.");
		finding_set_text(
			&finding->advice, "Expect reordering if packets of one flow take unequal ways.");
	}
}
