/* What test packets say that the far end reflected and counted: on which way packets get lost is then no
 * conclusion but was observed. Where a rule before has found loss without knowing on which way, its finding
 * becomes this one. */
#include "insight/insight.h"
#include "insight/rules.h"
#include "path/directions.h"

#include <errno.h>
#include <string.h>

static bool is_loss(const struct finding *finding)
{
	static const char *const ids[] = {"loss-undirected", "loss-forward", "loss-reverse"};
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		if (strcmp(finding->id, ids[i]) == 0)
			return true;
	return false;
}

static struct finding *find_loss(struct measurement *measurement)
{
	for (size_t i = 0; i < measurement->finding_count; i++)
		if (is_loss(&measurement->findings[i]))
			return &measurement->findings[i];
	return NULL;
}

static void add_evidence(struct finding *finding, const struct directions *directions)
{
	const struct way *there = &directions->forward, *back = &directions->reverse;
	finding_add_evidence(finding,
		"of %u test packets (STAMP, UDP port %u) %u reached the far end, which numbers what it sends "
		"back; "
		"%u of these answers came",
		there->sent, directions->port, back->sent, back->sent - back->lost);
	if (directions->undecided > 0)
		finding_add_evidence(
			finding, "%u more were lost, nobody knows on which way", directions->undecided);
}

static void state(struct measurement *measurement, struct finding *finding, bool forward)
{
	const struct directions *directions = measurement->directions;
	const struct way *way = forward ? &directions->forward : &directions->reverse;
	const struct way *other = forward ? &directions->reverse : &directions->forward;
	struct interval share = share_interval(way->lost, way->sent);
	struct interval other_share = share_interval(other->lost, other->sent);
	const char *id = forward ? "loss-forward" : "loss-reverse";
	if (!finding)
		finding = measurement_add_finding(measurement, id, SEVERITY_WARNING, CONFIDENCE_CERTAIN,
			forward ? DIRECTION_FORWARD : DIRECTION_REVERSE, "%s", id);
	if (!finding)
		return;
	finding_set_text(&finding->id, "%s", id);
	finding->confidence = CONFIDENCE_CERTAIN;
	finding->direction = forward ? DIRECTION_FORWARD : DIRECTION_REVERSE;
	/* Hops are counted along the finding's direction. */
	if (!forward)
		finding->hop_count = 0;
	finding_set_text(&finding->summary,
		"%u of %u packets got lost on the way %s (95 %%: %.1f to %.1f %%); on the way %s %u of %u "
		"(95 %%: %.1f "
		"to %.1f %%).",
		way->lost, way->sent, forward ? "there" : "back", share.low * 100, share.high * 100,
		forward ? "back" : "there", other->lost, other->sent, other_share.low * 100,
		other_share.high * 100);
	add_evidence(finding, directions);
	finding_set_text(&finding->disproof,
		forward ? "The far end would have to refuse some test packets; a reflector of ours does so "
			  "above some "
			  "hundred a second from one network."
			: "Something would have to drop only answers to test packets.");
	const char *rest = other->lost > 0 ? ", and along the other: both lose packets"
		: other_share.high < share.low
		? "; the other one is not the cause"
		: "; more packets would tell whether the other one loses some, too";
	finding_set_text(&finding->advice, "Look along the way %s%s.", forward ? "there" : "back", rest);
}

/* What else was supposed about loss says less than what was counted. */
static void drop_suppositions(struct measurement *measurement, const struct finding *stated)
{
	size_t kept = 0, place = (size_t)(stated - measurement->findings);
	for (size_t i = 0; i < measurement->finding_count; i++) {
		struct finding *finding = &measurement->findings[i];
		bool supposed = finding->confidence == CONFIDENCE_POSSIBLE && is_loss(finding);
		if (i != place && supposed)
			finding_deinit(finding);
		else
			measurement->findings[kept++] = *finding;
	}
	measurement->finding_count = kept;
}

void rule_apart(struct measurement *measurement)
{
	const struct directions *directions = measurement->directions;
	if (!directions || directions->status != DIRECTIONS_APART || directions->forward.sent == 0)
		return;
	struct finding *known = find_loss(measurement);
	bool there = directions->forward.lost > 0, back = directions->reverse.lost > 0;
	if (known && !there && !back)
		finding_add_evidence(known,
			"but of %u test packets (STAMP, UDP port %u) none got lost on either way, so that it "
			"may be "
			"these probes or their answers only",
			directions->forward.sent, directions->port);
	/* What was found before goes with the way that loses more. */
	bool first = there && (!back || directions->forward.lost >= directions->reverse.lost);
	if (known && (there || back)) {
		state(measurement, known, first);
		drop_suppositions(measurement, known);
	}
	if (there && !(known && first))
		state(measurement, NULL, true);
	if (back && !(known && !first))
		state(measurement, NULL, false);
}

int insight_directions(struct measurement *measurement)
{
	const struct directions *directions = measurement->directions;
	rule_apart(measurement);
	bool lost = directions && directions->status == DIRECTIONS_APART &&
		directions->forward.lost + directions->reverse.lost > 0;
	return lost && !find_loss(measurement) ? -ENOMEM : 0;
}
