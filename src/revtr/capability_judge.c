/* What a test has found. */
#include <stdio.h>
#include <string.h>

#include "revtr/capability.h"

/* ---- counting */

struct tally {
	unsigned sent, came, came_listed, answered, answer_listed, renamed;
	unsigned targets; /* that plain packets came to, and none of these */
	int error;
	struct addr seen_as;
};

static bool whole(const struct trial *trial)
{
	return trial->ttl == TRIAL_TTL;
}

static struct addr name_of(const struct capability_test *test, const struct trial *trial)
{
	if (trial->kind == TRIAL_SPOOFED)
		return test->partners[trial->name].address;
	return trial->kind == TRIAL_RECEIVE ? test->source.address : test->own;
}

/* Of one target, or of all: TRIAL_SUBJECT. */
static struct tally tally_of(const struct capability_test *test, enum trial_kind kind, uint8_t target)
{
	struct tally tally = {0};
	for (unsigned i = 0; i < test->count; i++) {
		const struct trial *trial = &test->trials[i];
		if (!whole(trial) || trial->kind != kind ||
			(target != TRIAL_SUBJECT && trial->target != target))
			continue;
		bool renamed = trial->came && !addr_equal(trial->seen_as, name_of(test, trial));
		tally.sent += trial->sent;
		tally.came += trial->came;
		tally.came_listed += trial->came_listed;
		tally.answered += trial->answered;
		tally.answer_listed += trial->answer_listed;
		tally.renamed += renamed;
		if (renamed)
			tally.seen_as = trial->seen_as;
		if (trial->error)
			tally.error = trial->error;
	}
	return tally;
}

static struct tally tally_all(const struct capability_test *test, enum trial_kind kind)
{
	struct tally tally = tally_of(test, kind, TRIAL_SUBJECT);
	for (uint8_t target = 0; target < test->partner_count; target++) {
		struct tally one = tally_of(test, kind, target);
		tally.targets += one.sent > 0 && one.came + one.answered == 0 &&
			tally_of(test, TRIAL_PLAIN, target).came > 0;
	}
	return tally;
}

/* ---- where */

/* The farthest router that answered one of this kind. */
static struct capability_place farthest(const struct capability_test *test, enum trial_kind kind)
{
	struct capability_place place = {0};
	for (unsigned i = 0; i < test->count; i++) {
		const struct trial *trial = &test->trials[i];
		if (!whole(trial) && trial->kind == kind && addr_is_set(trial->router) &&
			trial->ttl > place.hop)
			place = (struct capability_place){trial->ttl, trial->router};
	}
	return place;
}

/* The nearest that answers plain packets behind it; the target, if there is none. */
static struct capability_place next_behind(
	const struct capability_test *test, unsigned hop, uint8_t target, unsigned routers)
{
	struct capability_place place = {routers + 1, test->partners[target].address};
	for (unsigned i = 0; i < test->count; i++) {
		const struct trial *trial = &test->trials[i];
		if (!whole(trial) && trial->kind == TRIAL_PLAIN && addr_is_set(trial->router) &&
			trial->ttl > hop && trial->ttl < place.hop)
			place = (struct capability_place){trial->ttl, trial->router};
	}
	return place;
}

/* One target, or two in one network, may have the filter before themselves; it is the agent's where it is
 * nearer to that, or where three fail. */
static struct capability_finding filtered(
	const struct capability_test *test, enum trial_kind kind, const struct tally *tally)
{
	struct capability_finding finding = {.can = AGENT_CANNOT, .cause = CAUSE_FILTERED};
	uint8_t target;
	unsigned routers;
	if (!capability_reached(test, &target, &routers))
		return (struct capability_finding){.cause = CAUSE_UNREACHED};
	finding.last = farthest(test, kind);
	finding.next = next_behind(test, finding.last.hop, target, routers);
	if (tally->targets < 3 && 2 * finding.last.hop > routers)
		finding.can = AGENT_CAN_UNKNOWN;
	return finding;
}

/* ---- one by one */

/* What has not left, or could not be heard of. */
static bool nothing_to_tell(
	const struct capability_test *test, const struct tally *tally, struct capability_finding *finding)
{
	*finding = (struct capability_finding){0};
	if (test->partner_count == 0)
		finding->cause = CAUSE_NO_PARTNER;
	else if (tally->came == 0 && tally->sent == 0 && tally->error &&
		tally_all(test, TRIAL_PLAIN).sent > 0)
		*finding = (struct capability_finding){
			.can = AGENT_CANNOT, .cause = CAUSE_LOCAL, .error = tally->error};
	else if (tally->came == 0 && tally->sent == 0)
		finding->cause = CAUSE_UNSENT;
	else if (tally->came == 0 && tally->targets == 0)
		finding->cause = CAUSE_UNREACHED;
	else
		return false;
	return true;
}

static struct capability_finding judge_options(const struct capability_test *test)
{
	struct tally tally = tally_all(test, TRIAL_OPTIONS);
	struct capability_finding finding;
	if (tally.came_listed + tally.answer_listed > 0)
		return (struct capability_finding){.can = AGENT_CAN};
	if (nothing_to_tell(test, &tally, &finding))
		return finding;
	if (tally.came > 0)
		return (struct capability_finding){.can = AGENT_CANNOT, .cause = CAUSE_STRIPPED};
	return filtered(test, TRIAL_OPTIONS, &tally);
}

static struct capability_finding judge_spoof(const struct capability_test *test)
{
	struct tally tally = tally_all(test, TRIAL_SPOOFED);
	struct capability_finding finding;
	unsigned trials = 0;
	for (unsigned i = 0; i < test->count; i++)
		trials += test->trials[i].kind == TRIAL_SPOOFED;
	if (!test->may_spoof)
		return (struct capability_finding){.cause = CAUSE_FORBIDDEN};
	if (trials == 0)
		return (struct capability_finding){.cause = CAUSE_NO_PARTNER};
	/* A NAT that puts its own name on them hands the answers on to the other one, who hears them all the
	 * same. */
	if (tally.came > tally.renamed || (tally.came == 0 && tally.answered > 0))
		return (struct capability_finding){.can = AGENT_CAN};
	if (nothing_to_tell(test, &tally, &finding))
		return finding;
	if (tally.renamed > 0)
		return (struct capability_finding){
			.can = AGENT_CANNOT, .cause = CAUSE_REWRITTEN, .seen_as = tally.seen_as};
	return filtered(test, TRIAL_SPOOFED, &tally);
}

/* Where what others sent in its name came with its list, and no answer did: do answers to its own come from
 * there? */
static struct capability_finding judge_silence(const struct capability_test *test)
{
	struct capability_finding finding = {.cause = CAUSE_UNREACHED};
	for (uint8_t target = 0; target < test->partner_count; target++) {
		struct tally own = tally_of(test, TRIAL_OPTIONS, target),
			     plain = tally_of(test, TRIAL_PLAIN, target);
		bool asked = tally_of(test, TRIAL_RECEIVE, target).came_listed > 0;
		if (asked && own.answer_listed > 0)
			return (struct capability_finding){.can = AGENT_CANNOT, .cause = CAUSE_UNASKED};
		bool dropped = own.came_listed > 0 ? own.answered == 0 : asked;
		if (dropped && plain.answered > 0)
			finding = (struct capability_finding){
				.can = AGENT_CANNOT, .cause = CAUSE_FILTERED_BACK};
	}
	return finding;
}

static struct capability_finding judge_receive(const struct capability_test *test)
{
	struct tally tally = tally_all(test, TRIAL_RECEIVE), own = tally_all(test, TRIAL_OPTIONS);
	if (!addr_is_set(test->source.address))
		return (struct capability_finding){.cause = CAUSE_NO_SOURCE};
	if (tally.answer_listed > 0)
		return (struct capability_finding){.can = AGENT_CAN};
	if (tally.answered > 0)
		return (struct capability_finding){.can = AGENT_CANNOT, .cause = CAUSE_STRIPPED};
	struct capability_finding finding = judge_silence(test);
	/* Answers to its own with their list: at least nothing drops options on the way back. */
	if (finding.cause == CAUSE_FILTERED_BACK && own.answer_listed > 0)
		finding = (struct capability_finding){.cause = CAUSE_UNREACHED};
	if (finding.can == AGENT_CAN_UNKNOWN && (test->sender_count == 0 || test->partner_count == 0))
		finding.cause = CAUSE_NO_PARTNER;
	return finding;
}

struct capability capability_judge(const struct capability_test *test)
{
	struct capability capability = {
		.options = judge_options(test), .spoof = judge_spoof(test), .receive = judge_receive(test)};
	struct tally plain = tally_all(test, TRIAL_PLAIN);
	if (plain.came > 0)
		capability.behind_nat = plain.renamed > 0 ? AGENT_CAN : AGENT_CANNOT;
	capability.seen_as = plain.seen_as;
	return capability;
}

bool capability_may_spoof(const struct capability *capability)
{
	return capability->spoof.can != AGENT_CANNOT && capability->options.can != AGENT_CANNOT;
}

/* ---- in words */

const char *capability_cause_word(enum capability_cause cause)
{
	static const char *const words[CAUSE_COUNT] = {"none", "local", "filtered", "filtered-back",
		"unasked", "stripped", "rewritten", "forbidden", "no-source", "no-partner", "unsent",
		"unreached", "seen"};
	return (unsigned)cause < CAUSE_COUNT ? words[cause] : words[0];
}

static const char *place_text(const struct capability_place *place, char text[static 80])
{
	char address[ADDR_TEXT_SIZE];
	snprintf(text, 80, "hop %u (%s)", place->hop, addr_format(place->address, address));
	return text;
}

static void say_where(
	const struct capability_finding *finding, const char *what, char text[static CAPABILITY_TEXT_SIZE])
{
	char last[80], next[80];
	const char *whose = finding->can == AGENT_CANNOT ? "" : "; that may be the other one's filter";
	if (finding->last.hop == 0)
		snprintf(text, CAPABILITY_TEXT_SIZE, "%s are dropped before or at %s%s", what,
			place_text(&finding->next, next), whose);
	else
		snprintf(text, CAPABILITY_TEXT_SIZE, "%s get as far as %s and are dropped there or at %s%s",
			what, place_text(&finding->last, last), place_text(&finding->next, next), whose);
}

static const char *good_text(enum capability_aspect aspect)
{
	static const char *const texts[] = {"packets with options get to others",
		"packets in others' names get to others", "what others send in its name is answered to it"};
	return texts[aspect];
}

static const char *subject_text(enum capability_aspect aspect)
{
	static const char *const texts[] = {"packets with options", "packets in others' names",
		"answers to what others send in its name"};
	return texts[aspect];
}

const char *capability_text(enum capability_aspect aspect, const struct capability_finding *finding,
	char text[static CAPABILITY_TEXT_SIZE])
{
	char address[ADDR_TEXT_SIZE];
	const char *what = subject_text(aspect), *says = "";
	switch (finding->cause) {
	case CAUSE_SEEN: says = good_text(aspect); break;
	case CAUSE_NONE: says = finding->can == AGENT_CAN ? good_text(aspect) : "not tested yet"; break;
	case CAUSE_LOCAL:
		snprintf(text, CAPABILITY_TEXT_SIZE, "its own host does not send %s: %s", what,
			strerror(-finding->error));
		return text;
	case CAUSE_FILTERED: say_where(finding, what, text); return text;
	case CAUSE_REWRITTEN:
		snprintf(text, CAPABILITY_TEXT_SIZE, "a NAT puts its own address on %s: they come from %s",
			what, addr_format(finding->seen_as, address));
		return text;
	case CAUSE_FILTERED_BACK: says = "answers with options are dropped on the way back to it"; break;
	case CAUSE_UNASKED:
		says = "answers come where it asked itself, and else not: a filter before it knows "
		       "connections, let echo replies in";
		break;
	case CAUSE_STRIPPED: says = "options are taken out of packets on the way"; break;
	case CAUSE_FORBIDDEN: says = "its owner has not switched on sending in others' names"; break;
	case CAUSE_NO_SOURCE: says = "not known: none of its addresses is registered"; break;
	case CAUSE_NO_PARTNER: says = "not known: that takes more agents, with registered addresses"; break;
	case CAUSE_UNSENT: says = "not known: it did not send it, or not in time"; break;
	case CAUSE_UNREACHED: says = "not known: nothing came to where the test needs it"; break;
	case CAUSE_COUNT: break;
	}
	snprintf(text, CAPABILITY_TEXT_SIZE, "%s", says);
	return text;
}
