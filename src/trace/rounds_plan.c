/* Which hop limit next, and when. */
#include "base/clock.h"
#include "base/compiler.h"
#include "trace/rounds_inside.h"

#define FIRST_WINDOW	 6    /* hops tried before anything is known, as trace/forward.c does */
#define WINDOW		 4    /* hops beyond the last answer that are tried at once */
#define SPREAD		 0.8  /* of the interval that the probes of a round take */
#define JITTER		 0.25 /* of the time between two of them, either way */
#define ROUND_JITTER	 0.1  /* of the interval, before the first of them */
#define EXPLORE_ROUNDS	 3    /* that look for the end at once; later ones look further one by one */
#define FIRST_TIMEOUT_NS (1000 * NS_PER_MS)

int64_t plan_patience_ns(const struct rounds *rounds)
{
	int64_t rtt = rounds->rtt_max_ns;
	if (rtt == RTT_NONE)
		return FIRST_TIMEOUT_NS;
	return MIN(MAX(4 * rtt, rtt + 40 * NS_PER_MS), rtt + 400 * NS_PER_MS);
}

bool plan_finished(const struct rounds *rounds)
{
	return rounds->config.rounds > 0 && !rounds->round_open && rounds->last_number > 0 &&
		rounds->round + 1 >= rounds->config.rounds;
}

static const struct timeline *way_of(const struct rounds *rounds)
{
	return rounds_way(rounds, rounds_flow(rounds, rounds->round));
}

/* How often the flow of this round had its turn before. */
static uint32_t turn_of(const struct rounds *rounds)
{
	return rounds->round / MAX(1u, rounds->timeline.flow_count);
}

/* The hop limits of the next round reach this far. */
static unsigned planned_last(struct rounds *rounds)
{
	const struct timeline *timeline = way_of(rounds);
	unsigned max = rounds->config.max_ttl;
	unsigned last = timeline_last(timeline);
	if (last < rounds->config.first_ttl)
		last = rounds->config.first_ttl - 1;
	/* An end that is being asked more slowly is not missed. */
	if (timeline->end && limit_test_of(rounds, timeline->end))
		return MIN(max, last);
	if (timeline->end)
		return MIN(max, last + MIN(timeline->end_missed, (unsigned)WINDOW));
	if (timeline->refusal)
		return MIN(max, MAX(last, timeline->highest));
	/* Of another flow it is known already: this one's is about as long. */
	if (turn_of(rounds) == 0 && rounds->timeline.end >= rounds->config.first_ttl)
		return MIN(max, rounds->timeline.end);
	/* One more of the silent ones each time. */
	unsigned beyond =
		turn_of(rounds) < EXPLORE_ROUNDS ? WINDOW : 1 + turn_of(rounds) % rounds->config.gap_limit;
	return MIN(max, last + beyond);
}

/* Hop limits between the last that answered and the one to be tried this time are left out. */
static bool is_left_out(const struct rounds *rounds, unsigned ttl)
{
	const struct timeline *timeline = way_of(rounds);
	bool lost = !timeline->end && !timeline->refusal && turn_of(rounds) >= EXPLORE_ROUNDS;
	return lost && ttl > MAX(timeline->highest, rounds->answered_to) && ttl < rounds->plan_last;
}

static double jitter(struct rounds *rounds)
{
	return JITTER * (2 * rng_unit(&rounds->rng) - 1);
}

static void open_round(struct rounds *rounds, int64_t now_ns)
{
	rounds->round_open = true;
	rounds->plan_last = planned_last(rounds);
	rounds->next_ttl = rounds->config.first_ttl;
	rounds->answered_to = rounds->ended_at = 0;
	rounds->next_send_ns = rounds->last_sent_ns = now_ns;
	if (rounds->round > 0)
		rounds->next_send_ns +=
			(int64_t)(ROUND_JITTER * rng_unit(&rounds->rng) * (double)rounds->config.interval_ns);
	unsigned count = rounds->plan_last - rounds->config.first_ttl + 1;
	rounds->gap_ns = rounds->round == 0
		? 0
		: (int64_t)(SPREAD * (double)rounds->config.interval_ns / MAX(count, 1u));
	if (rounds->round == 0)
		rounds->plan_last = MIN(rounds->config.max_ttl, rounds->config.first_ttl + FIRST_WINDOW - 1);
}

void plan_restart(struct rounds *rounds, int64_t now_ns)
{
	if (rounds->last_number == 0)
		open_round(rounds, now_ns);
	rounds->round_started_ns = now_ns;
	rounds->next_send_ns = MAX(rounds->next_send_ns, now_ns);
}

/* The next round starts one interval after this one did; the jitter comes on top. */
static bool next_round(struct rounds *rounds, int64_t now_ns)
{
	if (plan_finished(rounds) || rounds->paused)
		return false;
	rounds->round_started_ns += rounds->config.interval_ns;
	/* The pace was held up: no rounds in a hurry. */
	if (rounds->round_started_ns + rounds->config.interval_ns < now_ns)
		rounds->round_started_ns = now_ns;
	rounds->round++;
	open_round(rounds, now_ns);
	return true;
}

/* How far a round may go on behind what was planned, since no end has been seen in it. */
static unsigned explore_limit(const struct rounds *rounds, int64_t now_ns)
{
	unsigned sent_to = rounds->next_ttl - 1;
	const struct timeline *timeline = way_of(rounds);
	if (rounds->ended_at)
		return sent_to;
	unsigned answered = MAX(rounds->answered_to, rounds->config.first_ttl - 1);
	bool overdue = now_ns >= rounds->last_sent_ns + plan_patience_ns(rounds);
	bool searching = !timeline->end && !timeline->refusal && turn_of(rounds) < EXPLORE_ROUNDS;
	/* The end that was is no end any more: a router answered from there. */
	bool grown = answered >= sent_to;
	if (!searching && !grown)
		return sent_to;
	unsigned limit = answered +
		(overdue && searching ? MIN(sent_to - answered + WINDOW, rounds->config.gap_limit) : WINDOW);
	return MIN(rounds->config.max_ttl, limit);
}

static struct next_probe wait_until(int64_t at_ns)
{
	return (struct next_probe){.at_ns = at_ns};
}

/* Everything planned has been sent: go further, wait for what would tell, or close the round. */
static struct next_probe behind_plan(struct rounds *rounds, int64_t now_ns)
{
	int64_t over_ns = rounds->round_started_ns + rounds->config.interval_ns;
	unsigned limit = explore_limit(rounds, now_ns);
	bool last_round = rounds->config.rounds > 0 && rounds->round + 1 >= rounds->config.rounds;
	if (rounds->next_ttl <= limit)
		return (struct next_probe){.ttl = rounds->next_ttl, .at_ns = now_ns};
	int64_t told_ns = rounds->last_sent_ns + plan_patience_ns(rounds);
	/* What the last probes find may make the round go on. */
	int64_t open_ns = last_round ? told_ns : MIN(told_ns, over_ns);
	if (rounds->ended_at == 0 && now_ns < open_ns)
		return wait_until(open_ns);
	rounds->round_open = false;
	return wait_until(over_ns);
}

static struct next_probe in_round(struct rounds *rounds, int64_t now_ns)
{
	while (rounds->next_ttl <= rounds->plan_last &&
		(limit_test_of(rounds, rounds->next_ttl) || is_left_out(rounds, rounds->next_ttl)))
		rounds->next_ttl++;
	/* The way ended before: the rest of the window is not needed. */
	bool first = rounds->round == 0 && rounds->ended_at && rounds->next_ttl > rounds->ended_at;
	if (rounds->next_ttl > rounds->plan_last || first)
		return behind_plan(rounds, now_ns);
	if (rounds->next_send_ns > now_ns)
		return wait_until(rounds->next_send_ns);
	return (struct next_probe){.ttl = rounds->next_ttl, .at_ns = now_ns};
}

static struct next_probe between_rounds(struct rounds *rounds, int64_t now_ns)
{
	int64_t due_ns = rounds->round_started_ns + rounds->config.interval_ns;
	if (now_ns < due_ns)
		return wait_until(plan_finished(rounds) ? TIME_NEVER : due_ns);
	return next_round(rounds, now_ns) ? in_round(rounds, now_ns) : wait_until(TIME_NEVER);
}

struct next_probe plan_next(struct rounds *rounds, int64_t now_ns)
{
	struct next_probe test = limit_next(rounds);
	if (test.ttl && test.at_ns <= now_ns && !plan_finished(rounds) && !rounds->paused)
		return test;
	struct next_probe next = rounds->round_open ? in_round(rounds, now_ns) : wait_until(TIME_NEVER);
	if (!rounds->round_open)
		next = between_rounds(rounds, now_ns);
	if (!next.ttl && !plan_finished(rounds) && !rounds->paused)
		next.at_ns = MIN(next.at_ns, test.at_ns);
	return next;
}

void plan_sent(struct rounds *rounds, const struct next_probe *next, int64_t now_ns)
{
	if (next->test) {
		next->test->asked++;
		return;
	}
	rounds->next_ttl = next->ttl + 1;
	rounds->last_sent_ns = now_ns;
	rounds->next_send_ns = rounds->round == 0 ? now_ns
						  : MAX(rounds->next_send_ns, now_ns - rounds->gap_ns) +
			(int64_t)((1 + jitter(rounds)) * (double)rounds->gap_ns);
}
