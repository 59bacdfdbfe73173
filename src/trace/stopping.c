#include "trace/stopping.h"

#include <math.h>

#include "base/compiler.h"

/* How often a router that is one of several at its distance balances once more, before anything is known of
 * it: one in four. Most diamonds are one hop long and unmeshed (Vermeulen et al., Multilevel MDA-Lite Paris
 * Traceroute, IMC 2018), and that paper asks such routers twice only. With this share in mind the chance of
 * overlooking the second next hop of such a router falls under 5 % with four answers instead of six. */
#define BALANCES_AGAIN 0.25

/* chance[j]: j different ones so far. Inclusion and exclusion would say the same in one sum, whose terms
 * cancel out beyond what a double holds when there are many. */
static void draw_once(double *chance, unsigned count)
{
	for (unsigned j = count + 1; j-- > 0;) {
		double stay = chance[j] * j / count;
		double grow = j > 0 ? chance[j - 1] * (count - j + 1) / count : 0;
		chance[j] = stay + grow;
	}
}

double stopping_miss(unsigned count, unsigned draws)
{
	double chance[STOPPING_SEEN_MAX + 2] = {1};
	if (count == 0 || count > STOPPING_SEEN_MAX + 1)
		return 1;
	for (unsigned draw = 0; draw < draws; draw++)
		draw_once(chance, count);
	return 1 - chance[count];
}

static unsigned answers_for(unsigned seen, double risk)
{
	double chance[STOPPING_SEEN_MAX + 2] = {1};
	unsigned draws = 0;
	do {
		draw_once(chance, seen + 1);
		draws++;
	} while (1 - chance[seen + 1] > risk);
	return draws;
}

static unsigned answers_inside(double risk)
{
	unsigned draws = 2;
	for (;; draws++) {
		double hidden = BALANCES_AGAIN * stopping_miss(2, draws);
		if (hidden / (hidden + 1 - BALANCES_AGAIN) <= risk)
			return draws;
	}
}

/* A router that deals out packets one by one sends each repeat by the same way with chance 1 / seen. No fewer
 * than three: many deal them out in turns, not by chance. */
#define REPEATS_MIN 3

static unsigned repeats_for(unsigned seen, double risk)
{
	unsigned repeats = REPEATS_MIN;
	while (pow(1.0 / seen, repeats) > risk)
		repeats++;
	return repeats;
}

void stopping_init(struct stopping *stopping, double confidence)
{
	double risk = 1 - MIN(MAX(confidence, STOPPING_CONFIDENCE_MIN), STOPPING_CONFIDENCE_MAX);
	for (unsigned seen = 1; seen <= STOPPING_SEEN_MAX; seen++) {
		stopping->answers[seen] = answers_for(seen, risk);
		stopping->repeats[seen] = seen > 1 ? repeats_for(seen, risk) : 0;
	}
	stopping->answers[0] = stopping->answers[1];
	stopping->repeats[0] = 0;
	stopping->inside = MIN(answers_inside(risk), stopping->answers[1]);
}
