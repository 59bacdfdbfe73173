/* What routers quote back of a probe, beside what was sent: translation, remarking, routers that let packets
 * live too long. A router quotes the packet as it came in, so the first hop whose quote differs stands behind
 * the change; some rewrite before they quote, and then it is that hop itself. */
#include "insight/rules.h"

#include <stdio.h>

static const struct probe_result *first_quote(const struct hop *hop)
{
	for (size_t i = 0; i < hop->probe_count; i++)
		if (probe_answered(&hop->probes[i]) && hop->probes[i].quoted.tos >= 0)
			return &hop->probes[i];
	return NULL;
}

/* ---- translation ---- */

/* Source address and port as a hop quotes them; false: it does not. */
static bool quoted_source(const struct hop *hop, const struct probe_result **probe, struct addr *source)
{
	*probe = first_quote(hop);
	if (!*probe || !addr_is_set((*probe)->quoted.source))
		return false;
	*source = (*probe)->quoted.source;
	return true;
}

/* RFC 2663, RFC 6888: the probe's source is rewritten; at a second place, too, with a carrier's translator.
 */
void rule_nat(struct view *view)
{
	const struct path *path = view->path;
	struct addr before = path->source;
	struct finding *finding = NULL;
	unsigned changes = 0;
	char was[ADDR_TEXT_SIZE], is[ADDR_TEXT_SIZE], label[HOP_LABEL_SIZE];
	for (size_t i = 0; i < path->hop_count; i++) {
		const struct probe_result *probe;
		struct addr source;
		if (!quoted_source(&path->hops[i], &probe, &source) || addr_equal(source, before))
			continue;
		/* A translator that puts the old address back into what it passes hides itself; going back is
		 * no change. */
		if (addr_equal(source, path->source))
			continue;
		changes++;
		if (!finding)
			finding = measurement_add_finding(view->measurement, "nat", SEVERITY_INFO,
				CONFIDENCE_CERTAIN, path->direction,
				"Your address is translated before or at %s.", hop_label(path, i, label));
		if (!finding)
			return;
		if (changes == 2)
			finding_set_text(&finding->summary,
				"Your address is translated at hop %d and again at hop %d: double NAT.",
				finding->hops[0], path_hop_number(path, i));
		finding_add_hop(finding, path_hop_number(path, i));
		finding_add_evidence(finding, "%s quotes packets from %s port %d; before it was %s",
			hop_label(path, i, label), addr_format(source, is), probe->quoted.source_port,
			addr_format(before, was));
		before = source;
	}
	if (!finding)
		return;
	finding_set_text(&finding->disproof,
		"Checksum offload or a virtual machine's own host may rewrite before the first router.");
	finding_set_text(&finding->advice, "%s",
		changes > 1 ? "Two translators in a row: open ports and long-lived connections must be set "
			      "up on both."
			    : "Nothing to do; the far end sees the translated address.");
}

/* ---- remarking ---- */

/* The value that all quotes of a hop agree on; -1: none, or they differ. */
static int quoted_tos(const struct hop *hop)
{
	int tos = -1;
	for (size_t i = 0; i < hop->probe_count; i++) {
		int one = probe_answered(&hop->probes[i]) ? hop->probes[i].quoted.tos : -1;
		if (one < 0)
			continue;
		if (tos >= 0 && one != tos)
			return -1;
		tos = one;
	}
	return tos;
}

/* Does the value stay from this hop on? */
static bool stays(const struct path *path, size_t from, int tos)
{
	for (size_t i = from; i < path->hop_count; i++) {
		int one = quoted_tos(&path->hops[i]);
		if (one >= 0 && one != tos)
			return false;
	}
	return true;
}

static void report_remark(struct view *view, size_t before, size_t hop, int was, int is)
{
	const struct path *path = view->path;
	char last[HOP_LABEL_SIZE], first[HOP_LABEL_SIZE];
	snprintf(last, sizeof(last), "%s", start_label(path));
	bool ecn = (was & 3) != 0 && (is & 3) == 0;
	if (before < path->hop_count)
		hop_label(path, before, last);
	hop_label(path, hop, first);
	struct finding *finding = ecn
		? measurement_add_finding(view->measurement, "ecn-bleached", SEVERITY_WARNING,
			  CONFIDENCE_CERTAIN, path->direction,
			  "ECN is wiped between %s and %s, so congestion marking cannot work on this path.",
			  last, first)
		: measurement_add_finding(view->measurement, "dscp-remarked", SEVERITY_INFO,
			  CONFIDENCE_CERTAIN, path->direction,
			  "The class of service of packets changes between %s and %s.", last, first);
	if (!finding)
		return;
	if (before < path->hop_count)
		finding_add_hop(finding, path_hop_number(path, before));
	finding_add_hop(finding, path_hop_number(path, hop));
	finding_add_evidence(finding,
		"type of service 0x%02x (DSCP %d, ECN %d) before, 0x%02x (DSCP %d, ECN %d) from %s on",
		(unsigned)was, was >> 2, was & 3, (unsigned)is, is >> 2, is & 3, first);
	finding_set_text(&finding->disproof,
		"A router that rewrites before it quotes: then it is the hop itself and not the link before "
		"it.");
	finding_set_text(&finding->advice, "%s",
		ecn ? "Ask the operator to leave the two ECN bits alone (RFC 3168 5)."
		    : "Do not count on the class of service behind this place.");
}

void rule_remarked(struct view *view)
{
	const struct path *path = view->path;
	size_t before = path->hop_count; /* this host */
	int was = path->tos;
	for (size_t i = 0; i < path->hop_count; i++) {
		int is = quoted_tos(&path->hops[i]);
		if (is < 0)
			continue;
		if (was >= 0 && is != was && stays(path, i, is)) {
			report_remark(view, before, i, was, is);
			return;
		}
		was = is;
		before = i;
	}
}

/* ---- lifetimes ---- */

/* RFC 1812 4.2.2.9: a router must not forward a packet whose lifetime has ended; then the next one says so,
 * and quotes zero. */
void rule_zero_ttl(struct view *view)
{
	const struct path *path = view->path;
	for (size_t i = 0; i < path->hop_count; i++) {
		unsigned zeros = 0;
		for (size_t j = 0; j < path->hops[i].probe_count; j++)
			zeros += probe_answered(&path->hops[i].probes[j]) &&
				path->hops[i].probes[j].quoted.ttl == 0;
		if (zeros == 0)
			continue;
		char label[HOP_LABEL_SIZE];
		struct finding *finding = measurement_add_finding(view->measurement, "zero-ttl",
			SEVERITY_INFO, CONFIDENCE_CERTAIN, path->direction,
			"A router before %s wrongly passes on packets whose lifetime has ended; the true "
			"list has one more router, "
			"which does not show.",
			hop_label(path, i, label));
		if (!finding)
			return;
		finding_add_hop(finding, path_hop_number(path, i));
		finding_add_evidence(finding, "%u answers quote a lifetime of 0", zeros);
		finding_set_text(
			&finding->disproof, "None: a packet of lifetime 0 must not have come that far.");
		finding_set_text(
			&finding->advice, "Nothing to do; do not read this hop and the next as two routers.");
	}
}

/* ---- size ---- */

static void place_of(const struct path *path, int ttl, char label[static HOP_LABEL_SIZE])
{
	snprintf(label, HOP_LABEL_SIZE,
		ttl == 0	  ? "this host"
			: ttl < 0 ? "a hop that is not known"
				  : "hop %d",
		ttl);
	for (size_t i = 0; i < path->hop_count; i++)
		if (path->hops[i].ttl == ttl)
			hop_label(path, i, label);
}

static void report_narrowing(struct view *view, const struct mtu_step *step)
{
	char place[HOP_LABEL_SIZE], said_by[ADDR_TEXT_SIZE];
	place_of(view->path, step->ttl, place);
	struct finding *finding = measurement_add_finding(view->measurement, "mtu-narrowing", SEVERITY_INFO,
		CONFIDENCE_CERTAIN, view->path->direction, "Packets over %u bytes do not fit after %s%s.",
		step->bytes ? step->bytes : step->said_bytes, place,
		step->bytes >= 1280 && step->bytes < 1500 ? " (a tunnel?)" : "");
	if (!finding)
		return;
	if (step->ttl > 0)
		finding_add_hop(finding, step->ttl);
	finding_add_evidence(finding, "%s says \"too big\"%s", addr_format(step->said_by, said_by),
		step->said_bytes ? "" : ", without the size that fits");
	if (step->said_bytes)
		finding_add_evidence(finding, "it names %u bytes", step->said_bytes);
	if (view->path->mtu.bytes)
		finding_add_evidence(finding, "packets of %u bytes got to the end", view->path->mtu.bytes);
	finding_set_text(&finding->disproof,
		"Tunnels may name a size that is not the true one; the size that got through was tried.");
	finding_set_text(&finding->advice,
		"Hosts that honour these messages adapt by themselves. Where they are filtered, lower the "
		"MSS.");
}

/* The first hop behind `ttl` that answers small packets. */
static const char *next_answering(const struct path *path, int ttl, char label[static HOP_LABEL_SIZE])
{
	snprintf(label, HOP_LABEL_SIZE, "the next hop");
	for (size_t i = path->hop_count; i > 0; i--)
		if (path->hops[i - 1].ttl > ttl && path->hops[i - 1].received > 0)
			hop_label(path, i - 1, label);
	return label;
}

static void report_size_hole(struct view *view, const struct mtu_step *step)
{
	char place[HOP_LABEL_SIZE], next[HOP_LABEL_SIZE];
	place_of(view->path, step->ttl, place);
	struct finding *finding = measurement_add_finding(view->measurement, "mtu-black-hole",
		SEVERITY_PROBLEM, CONFIDENCE_LIKELY, view->path->direction,
		"Large packets (over %u bytes) disappear between %s and %s without any message: transfers "
		"hang "
		"though ping works.",
		step->bytes, place, next_answering(view->path, step->ttl, next));
	if (!finding)
		return;
	if (step->ttl > 0)
		finding_add_hop(finding, step->ttl);
	finding_add_evidence(finding,
		"%u bytes got through, %u bytes did not, three times, while small packets beside them did",
		step->bytes, step->bytes + 1);
	finding_add_evidence(finding,
		"packets that are too large were still answered at %s, and nowhere behind it", place);
	finding_add_evidence(finding, "no router said that they are too big");
	finding_set_text(
		&finding->disproof, "Loss that grows with size, as of a bad line, is not this sharp.");
	finding_set_text(&finding->advice,
		"Ask for ICMP \"too big\" to be let through there; until then clamp the MSS to %u.",
		step->bytes > 60 ? step->bytes - (view->path->destination.family == 6 ? 60 : 40)
				 : step->bytes);
}

void rule_mtu(struct view *view)
{
	const struct path_mtu *mtu = &view->path->mtu;
	for (size_t i = 0; mtu->measured && i < mtu->step_count; i++) {
		if (addr_is_set(mtu->steps[i].said_by))
			report_narrowing(view, &mtu->steps[i]);
		else
			report_size_hole(view, &mtu->steps[i]);
	}
}
