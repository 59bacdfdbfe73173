/* Does a hop that skips answers limit its replies? Asked alone and more slowly, a limiter answers; a way that
 * loses answers loses as many at any pace. */
#include <math.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "trace/rounds_inside.h"

#define SLOW_NS	      (2200 * NS_PER_MS) /* more than two of the seconds in which Linux refills a reply */
#define SETTLED_MIN   10		 /* probes of a hop before it is judged */
#define MISSING_MIN   3
#define ASK_MIN	      5
#define ASK_MAX	      40
#define CHANCE_EARLY  0.001 /* that is left to chance, when looking again and again */
#define CHANCE_AT_END 0.01
#define CHANCE_ALIKE  0.1
#define AGAIN_NS      (600 * NS_PER_S) /* until a hop is examined anew */

struct rounds_test *limit_test_of(struct rounds *rounds, unsigned ttl)
{
	for (unsigned i = 0; i < ROUNDS_TESTS; i++)
		if (rounds->tests[i].ttl && rounds->tests[i].ttl == ttl)
			return &rounds->tests[i];
	return NULL;
}

/* Answers that are missing, of so many. */
struct count {
	unsigned missed, asked;
};

static struct count count_of(const struct timeline_hop *hop)
{
	return (struct count){hop->round_lost, hop->round_lost + hop->round_answered};
}

static double log_choose(unsigned n, unsigned k)
{
	return lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0);
}

/* Fisher's exact test, one-sided: the chance that `few` has no more of all the missing answers than it has,
 * if both miss alike. */
static double chance_of(struct count few, struct count many)
{
	unsigned missed = few.missed + many.missed, asked = few.asked + many.asked;
	double sum = 0, whole = log_choose(asked, missed);
	for (unsigned k = 0; k <= few.missed; k++)
		if (missed - k <= many.asked)
			sum += exp(log_choose(few.asked, k) + log_choose(many.asked, missed - k) - whole);
	return sum;
}

/* How many answers in a row would not be chance. */
static unsigned asks_needed(struct count before)
{
	unsigned asks = ASK_MIN;
	while (asks < ASK_MAX && chance_of((struct count){0, asks}, before) >= CHANCE_EARLY)
		asks++;
	return asks;
}

/* The hop behind that misses the least share; for the end, the nearest before it. NULL = none to compare
 * with. */
static const struct timeline_hop *compared_with(
	const struct timeline *timeline, const struct timeline_hop *hop)
{
	const struct timeline_hop *best = NULL;
	unsigned last = timeline_last(timeline);
	for (unsigned ttl = hop->ttl + 1u; ttl <= last; ttl++) {
		const struct timeline_hop *behind = timeline_hop(timeline, ttl);
		if (!behind || behind->round_answered < SETTLED_MIN)
			continue;
		double share = (double)behind->round_lost / count_of(behind).asked;
		if (!best || share < (double)best->round_lost / count_of(best).asked)
			best = behind;
	}
	for (unsigned ttl = hop->ttl - 1u; hop->ttl == last && !best && ttl >= 1; ttl--) {
		const struct timeline_hop *before = timeline_hop(timeline, ttl);
		if (before && before->round_answered >= SETTLED_MIN && before->limit == LIMIT_UNKNOWN)
			best = before;
	}
	return best;
}

static bool is_suspect(const struct timeline *timeline, const struct timeline_hop *hop)
{
	struct count count = count_of(hop);
	bool open = hop->limit == LIMIT_UNKNOWN || hop->limit == LIMIT_UNDECIDED;
	if (!open || hop->round_answered == 0 || count.missed < MISSING_MIN || count.asked < SETTLED_MIN ||
		hop->candidate_run > 0)
		return false;
	const struct timeline_hop *other = compared_with(timeline, hop);
	return other && chance_of(count_of(other), count) < CHANCE_EARLY;
}

static void tell(
	struct rounds *rounds, const struct rounds_test *test, enum limit_verdict verdict, int64_t now_ns)
{
	struct watch_event event = {
		.kind = WATCH_LIMIT,
		.ttl = test->ttl,
		.flow = test->flow,
		.limit = verdict,
		.asked = test->settled,
		.answered = test->answered,
	};
	rounds_emit(rounds, &event, now_ns);
}

static bool may_be_asked_again(const struct rounds *rounds, unsigned flow, unsigned ttl, int64_t now_ns)
{
	int64_t tested_ns = rounds->tested_ns[flow][ttl];
	return tested_ns == 0 || now_ns >= tested_ns + AGAIN_NS;
}

void limit_consider(struct rounds *rounds, unsigned flow, int64_t now_ns)
{
	const struct timeline *way = rounds_way(rounds, flow);
	struct rounds_test *free_test = NULL;
	for (unsigned i = 0; i < ROUNDS_TESTS; i++)
		if (rounds->tests[i].ttl == 0)
			free_test = &rounds->tests[i];
	for (unsigned ttl = 1; free_test && ttl <= timeline_last(way); ttl++) {
		const struct timeline_hop *hop = timeline_hop(way, ttl);
		if (!hop || limit_test_of(rounds, ttl) || !may_be_asked_again(rounds, flow, ttl, now_ns) ||
			!is_suspect(way, hop))
			continue;
		*free_test = (struct rounds_test){
			.ttl = (uint8_t)ttl,
			.flow = (uint8_t)flow,
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

/* Compared with the hop's rounds, none of which are sent while it is asked more slowly: the last of them were
 * still unsettled when that began. */
static enum limit_verdict judge(const struct rounds *rounds, const struct rounds_test *test)
{
	struct count before = count_of(timeline_hop(rounds_way(rounds, test->flow), test->ttl));
	struct count slow = {test->settled - test->answered, test->settled};
	/* The way has changed under it. */
	if (before.missed < MISSING_MIN)
		return LIMIT_UNKNOWN;
	double chance = chance_of(slow, before);
	if (chance < CHANCE_EARLY)
		return LIMIT_LIMITS;
	if (test->settled < asks_needed(before))
		return LIMIT_TESTING;
	if (chance < CHANCE_AT_END)
		return LIMIT_LIMITS;
	return chance >= CHANCE_ALIKE ? LIMIT_LOSES : LIMIT_UNDECIDED;
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
	enum limit_verdict verdict = test->settled >= ASK_MIN ? judge(rounds, test) : LIMIT_TESTING;
	if (verdict == LIMIT_TESTING)
		return;
	tell(rounds, test, verdict, now_ns);
	rounds->tested_ns[test->flow][ttl] = now_ns;
	test->ttl = 0;
}
