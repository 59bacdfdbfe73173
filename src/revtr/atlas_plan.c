#include "revtr/atlas_plan.h"

#include <math.h>

#include "base/clock.h"
#include "base/compiler.h"

#define DAY_NS	      (24LL * 3600 * NS_PER_S)
#define CHANGE_NS     (2.0 * DAY_NS) /* half of all routes have changed by then */
#define EXPLORE_EVERY 4
#define EXPLORE_NS    (3600 * NS_PER_S) /* who was asked in vain is not asked again before */
#define VALUE_NS      (600 * NS_PER_S)
#define VALUE_LEAST   0.02 /* hops */
#define MOST	      1024

/* Hops that would be wrong without it. */
static double value(const struct atlas_candidate *c, int64_t age_max_ns)
{
	double changed = 1 - exp2(-(double)c->age_ns / CHANGE_NS);
	/* Soon it is not believed any more. */
	if ((double)c->age_ns > 0.9 * (double)age_max_ns)
		changed = 1;
	return c->known && c->idle_ns >= VALUE_NS ? c->saved * changed : 0;
}

static bool is_new(const struct atlas_candidate *c)
{
	return !c->known && c->idle_ns == ATLAS_NEVER;
}

/* By number; `count` = nobody. */
static unsigned best(
	const struct atlas_candidate *candidates, unsigned count, const bool *taken, int64_t age_max_ns)
{
	unsigned found = count;
	for (unsigned i = 0; i < count; i++)
		if (!taken[i] && value(&candidates[i], age_max_ns) > VALUE_LEAST &&
			(found == count ||
				value(&candidates[i], age_max_ns) > value(&candidates[found], age_max_ns)))
			found = i;
	return found;
}

static unsigned longest_idle(const struct atlas_candidate *candidates, unsigned count, const bool *taken)
{
	unsigned found = count;
	for (unsigned i = 0; i < count; i++)
		if (!taken[i] && candidates[i].idle_ns >= EXPLORE_NS &&
			(found == count || candidates[i].idle_ns > candidates[found].idle_ns))
			found = i;
	return found;
}

static unsigned newcomer(const struct atlas_candidate *candidates, unsigned count, const bool *taken)
{
	for (unsigned i = 0; i < count; i++)
		if (!taken[i] && is_new(&candidates[i]))
			return i;
	return count;
}

unsigned atlas_plan(const struct atlas_candidate *candidates, unsigned count, unsigned budget, unsigned turn,
	int64_t age_max_ns, uint32_t *chosen)
{
	bool taken[MOST] = {false};
	unsigned sent = 0;
	count = MIN(count, (unsigned)MOST);
	for (unsigned slot = 0; slot < budget && sent < count; slot++) {
		unsigned next = newcomer(candidates, count, taken);
		if (next == count)
			next = (turn + slot) % EXPLORE_EVERY == EXPLORE_EVERY - 1
				? longest_idle(candidates, count, taken)
				: best(candidates, count, taken, age_max_ns);
		if (next == count)
			continue;
		taken[next] = true;
		chosen[sent++] = candidates[next].agent;
	}
	return sent;
}

unsigned atlas_purse_fill(struct atlas_purse *purse, unsigned per_day, int64_t now_ns)
{
	double most = MAX(per_day / 24.0, 4.0);
	if (purse->filled_ns == 0)
		purse->tokens = most;
	else
		purse->tokens += (double)(now_ns - purse->filled_ns) * per_day / DAY_NS;
	purse->tokens = MIN(purse->tokens, most);
	purse->filled_ns = now_ns;
	return per_day == 0 ? 0 : (unsigned)purse->tokens;
}
