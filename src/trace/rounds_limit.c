/* Does a hop that skips answers limit its replies? Asked alone and more slowly, a limiter answers; a way that loses
 * answers loses as many at any pace. */
#include <math.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "trace/rounds_inside.h"

#define SLOW_NS    (2200 * NS_PER_MS) /* more than two of the seconds in which Linux refills a reply */
#define SETTLED_MIN 8                 /* probes of a hop before it is judged */
#define MISSING_MIN 3
#define ASK_MIN     5
#define ASK_MAX     20
#define CHANCE      0.05
#define AGAIN_NS    (600 * NS_PER_S) /* until a hop is examined anew */

struct rounds_test *limit_test_of(struct rounds *rounds, unsigned ttl)
{
	for (unsigned i = 0; i < ROUNDS_TESTS; i++)
		if (rounds->tests[i].ttl && rounds->tests[i].ttl == ttl)
			return &rounds->tests[i];
	return NULL;
}

static double share_missing(const struct timeline_hop *hop)
{
	return (double)hop->round_lost / MAX(1u, hop->round_lost + hop->round_answered);
}

/* How many answers in a row chance would give to a hop that misses this share: less than CHANCE. */
static unsigned asks_needed(double share)
{
	if (share >= 1)
		return ASK_MIN;
	double needed = ceil(log(CHANCE) / log(1 - share));
	return needed > ASK_MAX ? ASK_MAX : MAX(ASK_MIN, (unsigned)needed);
}

/* Some of its answers are missing though what is further on, or for the end what is before it, misses far fewer. */
static bool is_suspect(const struct rounds *rounds, const struct timeline_hop *hop)
{
	const struct timeline *timeline = &rounds->timeline;
	unsigned last = timeline_last(timeline);
	if (hop->limit != LIMIT_UNKNOWN || hop->round_answered == 0 || hop->round_lost < MISSING_MIN ||
		hop->round_answered + hop->round_lost < SETTLED_MIN || hop->candidate_run > 0)
		return false;
	if (hop->ttl < last) {
		struct loss loss = timeline_loss(timeline, hop->ttl);
		return loss.skipped >= MISSING_MIN && 2 * loss.skipped > hop->round_lost;
	}
	for (unsigned ttl = last - 1; ttl >= 1; ttl--) {
		const struct timeline_hop *before = timeline_hop(timeline, ttl);
		if (before && before->round_answered >= SETTLED_MIN && before->limit == LIMIT_UNKNOWN)
			return share_missing(before) < share_missing(hop) / 2;
	}
	return false;
}

static void tell(struct rounds *rounds, const struct rounds_test *test, enum limit_verdict verdict, int64_t now_ns)
{
	struct watch_event event = {
		.kind = WATCH_LIMIT,
		.ttl = test->ttl,
		.limit = verdict,
		.asked = test->settled,
		.answered = test->answered,
	};
	rounds_emit(rounds, &event, now_ns);
}

static bool may_be_asked_again(const struct rounds *rounds, unsigned ttl, int64_t now_ns)
{
	return rounds->tested_ns[ttl] == 0 || now_ns >= rounds->tested_ns[ttl] + AGAIN_NS;
}

void limit_consider(struct rounds *rounds, int64_t now_ns)
{
	struct rounds_test *free_test = NULL;
	for (unsigned i = 0; i < ROUNDS_TESTS; i++)
		if (rounds->tests[i].ttl == 0)
			free_test = &rounds->tests[i];
	for (unsigned ttl = 1; free_test && ttl <= timeline_last(&rounds->timeline); ttl++) {
		const struct timeline_hop *hop = timeline_hop(&rounds->timeline, ttl);
		if (!hop || !may_be_asked_again(rounds, ttl, now_ns) || !is_suspect(rounds, hop))
			continue;
		*free_test = (struct rounds_test){
			.ttl = (uint8_t)ttl,
			.share = share_missing(hop),
			.wanted = asks_needed(share_missing(hop)),
			/* First let it rest. */
			.next_ns = now_ns + MAX(SLOW_NS, 2 * rounds->config.interval_ns),
		};
		tell(rounds, free_test, LIMIT_TESTING, now_ns);
		return;
	}
}

struct next_probe limit_next(struct rounds *rounds)
{
	struct next_probe next = {.at_ns = TIME_NEVER};
	for (unsigned i = 0; i < ROUNDS_TESTS; i++) {
		struct rounds_test *test = &rounds->tests[i];
		/* One after the other: the answer before is awaited. */
		if (test->ttl && test->asked == test->settled && test->next_ns < next.at_ns)
			next = (struct next_probe){.ttl = test->ttl, .at_ns = test->next_ns, .test = test};
	}
	return next;
}

/* The chance that a hop which misses `share` of its answers misses at most `missed` of `asked`. */
static double chance_of(unsigned missed, unsigned asked, double share)
{
	double sum = 0, term = pow(1 - share, asked);
	for (unsigned k = 0; k <= missed && k <= asked; k++) {
		sum += term;
		term *= share / MAX(1 - share, 1e-9) * (asked - k) / (k + 1);
	}
	return sum;
}

static enum limit_verdict judge(const struct rounds_test *test)
{
	unsigned missed = test->settled - test->answered;
	double share = (double)missed / test->settled;
	if (share <= test->share / 2 && chance_of(missed, test->settled, test->share) < CHANCE)
		return LIMIT_LIMITS;
	if (test->settled < test->wanted)
		return LIMIT_TESTING;
	return share >= 0.75 * test->share ? LIMIT_LOSES : LIMIT_UNDECIDED;
}

void limit_settled(struct rounds *rounds, unsigned ttl, enum watch_event_kind fate, int64_t now_ns)
{
	struct rounds_test *test = limit_test_of(rounds, ttl);
	if (!test)
		return;
	if (fate == WATCH_VOID)
		test->asked = test->settled;
	else
		test->settled++;
	test->answered += fate == WATCH_ANSWER;
	test->next_ns = now_ns + MAX(SLOW_NS, 2 * rounds->config.interval_ns);
	enum limit_verdict verdict = test->settled >= ASK_MIN ? judge(test) : LIMIT_TESTING;
	if (verdict == LIMIT_TESTING)
		return;
	tell(rounds, test, verdict, now_ns);
	rounds->tested_ns[ttl] = now_ns;
	test->ttl = 0;
}
