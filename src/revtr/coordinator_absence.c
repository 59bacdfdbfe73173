/* Agents that are away. What they were asked tells nothing about anybody; what waits for a source whose agent
 * is not there is not begun; and what ended without the whole way, while they went, is measured once more. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "revtr/coordinator_inside.h"

#define PATIENCE_FIRST_NS (10 * NS_PER_S) /* of who waits for the answer */
#define PATIENCE_NS	  (3600 * NS_PER_S)
#define REUNION_NS	  (10 * NS_PER_S) /* after the broker was away: agents come back one by one */
#define AGAIN_MAX	  1024
#define AGAIN_TRIES	  2
#define AGAIN_NS	  NS_PER_S

struct absence {
	struct again {
		struct running of;
		struct addr destination;
		int64_t at_ns;
	} again[AGAIN_MAX];
	size_t count;
};

/* ---- what is lost */

void coordinator_lost(struct coordinator *c, const struct expected *expected)
{
	coordinator_alias_lost(c, expected->task);
	if (expected->task > REVTR_TASK_MAX)
		return;
	c->sources[expected->source].disturbed_ns = coordinator_now_ns();
	revtr_engine_lost(c->engine, expected->task, coordinator_now_ns());
}

void coordinator_agent_gone(struct coordinator *c, uint32_t agent)
{
	c->agents[agent].gone_ns = coordinator_now_ns();
	for (uint32_t i = 0; i < EXPECTED_MAX; i++) {
		struct expected slot = c->expected[i];
		if (slot.task == 0 ||
			(slot.sender != agent && (slot.probe == REVTR_TRACEROUTE || slot.receiver != agent)))
			continue;
		c->expected[i].task = 0;
		coordinator_lost(c, &slot);
	}
}

void coordinator_agent_back(struct coordinator *c, uint32_t agent)
{
	if (c->missed_until_ns == TIME_NEVER)
		c->missed_until_ns = coordinator_now_ns() + REUNION_NS;
	c->missed -= c->agents[agent].missed;
	c->agents[agent].missed = false;
}

/* ---- who is waited for */

const char *coordinator_waits(
	const struct coordinator *c, uint32_t source, bool interactive, int64_t *wait_ns)
{
	const struct agent_entry *agent = &c->agents[c->sources[source].agent];
	int64_t patience_ns = interactive ? PATIENCE_FIRST_NS : PATIENCE_NS;
	if (c->options.patience_ns > 0)
		patience_ns = c->options.patience_ns;
	int64_t until_ns = !agent->status.online ? agent->gone_ns + patience_ns
		: c->missed > 0			 ? c->missed_until_ns
						 : 0;
	*wait_ns = MAX(until_ns - coordinator_now_ns(), 0);
	return agent->status.online || *wait_ns > 0 ? NULL : "the agent of its source is not connected";
}

/* ---- once more */

bool coordinator_again(struct coordinator *c, const struct running *of, const struct revtr_result *result)
{
	if (result->stop == REVTR_REACHED || of->tries >= AGAIN_TRIES ||
		c->sources[c->lanes[of->lane].source].disturbed_ns < result->started_ns)
		return false;
	if (!c->absence)
		c->absence = calloc(1, sizeof(*c->absence));
	struct absence *absence = c->absence;
	if (!absence || absence->count == AGAIN_MAX)
		return false;
	absence->again[absence->count] =
		(struct again){*of, addr_v4(result->destination), coordinator_now_ns() + AGAIN_NS};
	absence->again[absence->count++].of.tries++;
	return true;
}

/* false: not yet. */
static bool begin_again(struct coordinator *c, const struct again *again, int64_t *wait_ns)
{
	bool interactive = c->lanes[again->of.lane].interactive;
	const char *reason = coordinator_cannot_be(c, c->lanes[again->of.lane].source, interactive, wait_ns);
	if (reason)
		return coordinator_keep_end(c, again->of.id, again->of.batch, NULL, reason) == 0;
	*wait_ns = MAX(*wait_ns, again->at_ns - coordinator_now_ns());
	return *wait_ns <= 0 && coordinator_start(c, &again->of, again->destination);
}

void coordinator_feed_again(struct coordinator *c, int64_t *wait_ns)
{
	struct absence *absence = c->absence;
	size_t kept = 0;
	for (size_t i = 0; absence && i < absence->count; i++) {
		int64_t this_ns = 0;
		struct again again = absence->again[i];
		if (begin_again(c, &again, &this_ns))
			continue;
		absence->again[kept++] = again;
		*wait_ns = MIN(*wait_ns, MAX(this_ns, NS_PER_MS));
	}
	if (absence)
		absence->count = kept;
}

void coordinator_forget_again(struct coordinator *c, int64_t batch)
{
	struct absence *absence = c->absence;
	size_t kept = 0;
	for (size_t i = 0; absence && i < absence->count; i++)
		if (absence->again[i].of.batch != batch)
			absence->again[kept++] = absence->again[i];
	if (absence)
		absence->count = kept;
}
