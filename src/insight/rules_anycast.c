/* A service that has one address in several places: from some moment on another of its machines answers. */
#include <stdlib.h>

#include "base/clock.h"
#include "insight/rules.h"
#include "path/timeline.h"

#define STEP_NS (10 * NS_PER_MS)

/* What systems begin with: Linux and BSD 64, Windows 128, routers 255. */
static int initial_ttl(int ttl)
{
	return ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;
}

/* Addresses of one router's cables are often neighbours, and far from those of another site. */
static bool in_other_networks(struct addr a, struct addr b)
{
	if (!addr_is_set(a) || !addr_is_set(b))
		return false;
	return a.family == 4 ? a.low >> 8 != b.low >> 8 : a.high >> 16 != b.high >> 16;
}

struct shift {
	bool other_machine; /* which begins with another hop limit */
	bool other_site;
	int back_before, back_after; /* hops that answers come over */
};

static struct shift shift_of(const struct timeline_change *change)
{
	struct shift shift = {0};
	int before = change->reply_ttl_before, after = change->reply_ttl_after;
	if (!change->end_before || !change->end_after || before < 0 || after < 0 ||
		!in_other_networks(change->gate_before, change->gate_after))
		return shift;
	shift.back_before = initial_ttl(before) - before + 1;
	shift.back_after = initial_ttl(after) - after + 1;
	shift.other_machine = initial_ttl(before) != initial_ttl(after);
	shift.other_site = shift.back_before != shift.back_after && change->rtt_before_ns != RTT_NONE &&
		change->rtt_after_ns != RTT_NONE &&
		llabs(change->rtt_after_ns - change->rtt_before_ns) >= STEP_NS;
	return shift;
}

static void add_evidence(struct finding *finding, const struct timeline_change *change, struct shift shift)
{
	char before[ADDR_TEXT_SIZE], after[ADDR_TEXT_SIZE];
	finding_add_evidence(finding, "right before it stands %s instead of %s",
		addr_format(change->gate_after, after), addr_format(change->gate_before, before));
	finding_add_evidence(finding, "%u hops there instead of %u, about %d back instead of %d",
		change->end_after, change->end_before, shift.back_after, shift.back_before);
	if (shift.other_machine)
		finding_add_evidence(finding,
			"its answers begin with a hop limit of %d instead of %d: another operating system",
			initial_ttl(change->reply_ttl_after), initial_ttl(change->reply_ttl_before));
}

void rule_anycast_shift(struct view *view)
{
	const struct timeline *timeline =
		view->path->direction == DIRECTION_FORWARD ? view->measurement->timeline : NULL;
	if (!timeline || timeline->change_count == 0)
		return;
	const struct timeline_change *change = &timeline->changes[timeline->change_count - 1];
	struct shift shift = shift_of(change);
	char when[TIME_TEXT_SIZE];
	if (!shift.other_machine && !shift.other_site)
		return;
	clock_format(view->measurement->started_wall_ns + change->at_ns, when);
	when[19] = 'Z';
	when[20] = '\0';
	struct finding *finding = measurement_add_finding(view->measurement, "anycast-shift", SEVERITY_INFO,
		shift.other_machine ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE, view->path->direction,
		"Since %s the destination answers from another place: you reach another copy of this "
		"service.",
		when);
	if (!finding)
		return;
	if (change->rtt_before_ns != RTT_NONE && change->rtt_after_ns != RTT_NONE)
		finding_set_text(&finding->summary,
			"Since %s the destination answers from another place: you reach another copy of this "
			"service, "
			"%.1f ms away instead of %.1f.",
			when, ns_to_ms(change->rtt_after_ns), ns_to_ms(change->rtt_before_ns));
	finding_add_hop(finding, (int)change->end_after);
	add_evidence(finding, change, shift);
	finding_set_text(&finding->disproof, "%s",
		shift.other_machine
			? "One machine behind several proxies, each of which answers in its place."
			: "A change of the routes there and back to one and the same machine looks the "
			  "same.");
	finding_set_text(&finding->advice,
		"Ask the service which of its sites it is (DNS: id.server or NSID); its answers and its "
		"state may differ.");
}
