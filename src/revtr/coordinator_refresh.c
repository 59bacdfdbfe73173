/* The atlas is kept in order: what measurements lean on is traced anew before it is too old, what Record
 * Route contradicts is at once, and which addresses the routers of a new traceroute show is asked by Record
 * Route, a few at a time. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "revtr/atlas_plan.h"
#include "revtr/coordinator_inside.h"

#define DAY_MS	      (24LL * 3600 * 1000)
#define ALIGN_SPOOFED 3 /* agents that ask a hop of the atlas in the source's name */
#define ALIGN_MAX     20000
#define ALIGN_FULL    2000 /* no more is put in by itself */
#define ALIGN_STEP_NS (50 * NS_PER_MS)
/* A hop is asked once in so long, in whichever traceroute it is. */
#define ALIGN_AGAIN_NS (12 * 3600 * NS_PER_S)
/* Who was asked to settle a doubt has so long to do it. */
#define SETTLE_NS (1800 * NS_PER_S)

static struct tree *tree_of(const struct coordinator *c, uint32_t source)
{
	return revtr_engine_tree(c->engine, c->sources[source].engine_index);
}

uint32_t coordinator_own_task(struct coordinator *c)
{
	c->own_task = (c->own_task + 1) & ~OWN_TASK;
	return (c->own_task ? c->own_task : ++c->own_task) | OWN_TASK;
}

/* ---- traceroutes */

void coordinator_ask_trace(struct coordinator *c, uint32_t source, uint32_t agent)
{
	struct addr address = c->sources[source].stored.address;
	struct atlas_entry *entry = atlas_entry_of(&c->sources[source].atlas, c->agents[agent].name, false);
	struct revtr_task task = {.id = coordinator_own_task(c),
		.probe = REVTR_TRACEROUTE,
		.agent = agent,
		.source = source,
		.target = address};
	if (entry)
		entry->asked_ns = coordinator_now_ns();
	coordinator_dispatch(c, &task,
		(struct expected){.task = task.id,
			.receiver = agent,
			.sender = agent,
			.source = source,
			.target = address,
			.trace = TREE_NONE});
}

static bool may_trace(const struct coordinator *c, uint32_t source, uint32_t agent)
{
	return c->agents[agent].status.online && agent != c->sources[source].agent;
}

int coordinator_refresh_atlas(struct coordinator *c, struct addr address, struct error *error)
{
	uint32_t source = coordinator_source(c, address);
	char text[ADDR_TEXT_SIZE];
	if (source == UINT32_MAX)
		return error_set(error, -ENOENT, "%s is not a registered source", addr_format(address, text));
	unsigned asked = 0;
	for (uint32_t i = 0; i < c->agent_count; i++)
		if (may_trace(c, source, i)) {
			coordinator_ask_trace(c, source, i);
			asked++;
		}
	if (asked == 0)
		return error_set(error, -ENOTCONN, "no other agent is connected that could trace to %s",
			addr_format(address, text));
	return 0;
}

/* So many traceroutes of the day's budget; how many of them it has left. */
static unsigned spend(struct coordinator *c, uint32_t source, unsigned wanted)
{
	char what[80], text[ADDR_TEXT_SIZE];
	struct error error;
	int64_t sum, day = coordinator_now_ms() / DAY_MS;
	snprintf(what, sizeof(what), "atlas:%s", addr_format(c->sources[source].stored.address, text));
	if (store_spend(c->store, what, day, 0, &sum, &error) < 0)
		return 0;
	int64_t left = (int64_t)c->options.atlas_per_day - sum;
	unsigned granted = left <= 0 ? 0 : (unsigned)MIN((int64_t)wanted, left);
	return granted > 0 && store_spend(c->store, what, day, granted, &sum, &error) < 0 ? 0 : granted;
}

static struct atlas_candidate candidate_of(const struct coordinator *c, uint32_t source, uint32_t agent)
{
	const struct atlas_entry *entry = atlas_find(&c->sources[source].atlas, c->agents[agent].name);
	struct atlas_candidate candidate = {.agent = agent, .idle_ns = ATLAS_NEVER};
	int64_t now_ns = coordinator_now_ns();
	if (entry && entry->asked_ns != TREE_NEVER)
		candidate.idle_ns = now_ns - entry->asked_ns;
	if (entry && entry->trace != TREE_NONE) {
		const struct tree_trace *trace = &tree_of(c, source)->traces[entry->trace];
		candidate.known = true;
		candidate.age_ns = now_ns - trace->seen_ns;
		candidate.saved = tree_saved(trace, now_ns);
		/* Of an earlier run: it was asked when it answered. */
		candidate.idle_ns = MIN(candidate.idle_ns, candidate.age_ns);
	}
	return candidate;
}

static void refresh(struct coordinator *c, uint32_t source)
{
	struct source_entry *entry = &c->sources[source];
	struct atlas_candidate candidates[AGENTS_MAX];
	uint32_t chosen[AGENTS_MAX];
	unsigned count = 0;
	unsigned due = atlas_purse_fill(&entry->purse, c->options.atlas_per_day, coordinator_now_ns());
	if (due == 0 || !entry->stored.consents || !c->agents[entry->agent].status.online)
		return;
	for (uint32_t i = 0; i < c->agent_count; i++)
		if (may_trace(c, source, i))
			candidates[count++] = candidate_of(c, source, i);
	count = atlas_plan(candidates, count, MIN(due, (unsigned)AGENTS_MAX), entry->turn,
		c->options.engine.age_max_ns, chosen);
	entry->turn += due;
	/* What nobody needs is not saved up, but for what comes within the hour. */
	count = spend(c, source, count);
	entry->purse.tokens -= count;
	for (unsigned i = 0; i < count; i++)
		coordinator_ask_trace(c, source, chosen[i]);
}

/* ---- doubts */

/* Who could say how it goes on from there: whose traceroute it is, else another's that passes it. */
static uint32_t who_settles(const struct coordinator *c, uint32_t source, uint32_t trace, uint32_t address)
{
	const struct tree *tree = tree_of(c, source);
	uint32_t found = UINT32_MAX;
	for (uint32_t i = 0; i < c->agent_count; i++) {
		const struct atlas_entry *entry = atlas_find(&c->sources[source].atlas, c->agents[i].name);
		if (!entry || entry->trace == TREE_NONE || !may_trace(c, source, i))
			continue;
		if (entry->asked_ns != TREE_NEVER && coordinator_now_ns() - entry->asked_ns < SETTLE_NS &&
			tree->traces[entry->trace].seen_ns < entry->asked_ns)
			continue; /* its answer is awaited */
		if (entry->trace == trace)
			return i;
		for (unsigned place = 1; place + 1 < tree->traces[entry->trace].count; place++)
			if (tree->traces[entry->trace].addresses[place] == address)
				found = i;
	}
	return found;
}

void coordinator_settle_doubts(struct coordinator *c, uint32_t source)
{
	const struct tree *tree = tree_of(c, source);
	uint32_t from = 0, trace, address;
	bool asked[AGENTS_MAX] = {false};
	if (c->options.atlas_per_day == 0)
		return;
	while ((trace = tree_doubted(tree, &from, coordinator_now_ns(), &address)) != TREE_NONE) {
		uint32_t agent = who_settles(c, source, trace, address);
		if (agent == UINT32_MAX || asked[agent] || spend(c, source, 1) == 0)
			continue;
		asked[agent] = true;
		coordinator_ask_trace(c, source, agent);
	}
}

void coordinator_heed(struct coordinator *c, uint32_t source)
{
	struct source_entry *entry = &c->sources[source];
	unsigned doubts = tree_of(c, source)->doubts;
	if (doubts == entry->doubts)
		return;
	entry->doubts = doubts;
	coordinator_settle_doubts(c, source);
}

void coordinator_refresh_all(struct coordinator *c)
{
	for (uint32_t i = 0; i < c->source_count; i++) {
		coordinator_settle_doubts(c, i);
		refresh(c, i);
		coordinator_align(c, i);
	}
}

/* ---- hops */

static bool put(struct coordinator *c, struct hop_ask ask)
{
	struct hops *hops = &c->hops;
	if (hops->count == ALIGN_MAX)
		return false;
	if (hops->count == hops->room) {
		size_t room = hops->room ? 2 * hops->room : 64;
		struct hop_ask *list = realloc(hops->list, room * sizeof(*list));
		if (!list)
			return false;
		hops->list = list;
		hops->room = room;
	}
	struct budget_packet packet = {ask.target, ask.source, ask.agent};
	ask.at_ns = budget_take(&hops->budget, &packet, coordinator_now_ns());
	hops->list[hops->count++] = ask;
	hops->next_ns = hops->count == 1 ? ask.at_ns : MIN(hops->next_ns, ask.at_ns);
	return true;
}

static bool enqueue(
	struct coordinator *c, uint32_t source, uint32_t trace, uint32_t place, uint32_t agent, bool spoofed)
{
	uint32_t target = tree_of(c, source)->traces[trace].addresses[place];
	return put(c, (struct hop_ask){0, source, trace, place, agent, target, spoofed, false});
}

bool coordinator_queue_survey(struct coordinator *c, uint32_t source, uint32_t agent, uint32_t address)
{
	return put(c, (struct hop_ask){0, source, TREE_NONE, 0, agent, address, true, false});
}

bool coordinator_queue_alias(struct coordinator *c, uint32_t source, uint32_t address)
{
	return put(
		c, (struct hop_ask){0, source, TREE_NONE, 0, c->sources[source].agent, address, false, true});
}

static void align_trace(struct coordinator *c, uint32_t source, uint32_t trace)
{
	struct tree *tree = tree_of(c, source);
	/* Without memory it is not learned. */
	(void)!tree_realign(tree, trace, coordinator_now_ns());
	for (uint32_t place = 1; place + 1 < tree->traces[trace].count; place++) {
		struct addr hop = addr_v4(tree->traces[trace].addresses[place]);
		uint32_t ranked[AGENTS_MAX];
		unsigned near, sent = 0;
		if (hop.low == 0 || addr_is_private(hop) ||
			!tree_ask(tree, trace, place, ALIGN_AGAIN_NS, coordinator_now_ns()) ||
			!enqueue(c, source, trace, place, c->sources[source].agent, false))
			continue;
		unsigned count = ingress_rank(
			&c->ingress, hop, c->options.engine.order, hop.low, ranked, AGENTS_MAX, &near);
		for (unsigned i = 0; i < count && sent < ALIGN_SPOOFED; i++)
			if (c->sites[ranked[i]].may_spoof && ranked[i] != c->sources[source].agent)
				sent += enqueue(c, source, trace, place, ranked[i], true);
	}
}

void coordinator_align(struct coordinator *c, uint32_t source)
{
	struct source_entry *entry = &c->sources[source];
	if (!entry->stored.consents || !c->agents[entry->agent].status.online)
		return;
	for (size_t i = 0; i < entry->atlas.count && c->hops.count < ALIGN_FULL; i++) {
		struct atlas_entry *of = &entry->atlas.entries[i];
		if (of->trace == TREE_NONE || of->aligned)
			continue;
		of->aligned = true;
		align_trace(c, source, of->trace);
	}
}

static void ask_hop(struct coordinator *c, const struct hop_ask *ask)
{
	const struct tree *tree = tree_of(c, ask->source);
	struct revtr_task task = {.id = coordinator_own_task(c),
		.probe = REVTR_RR_PING,
		.agent = ask->agent,
		.source = ask->source,
		.spoofed = ask->spoofed,
		.target = addr_v4(ask->target)};
	/* Its trace may have been made anew meanwhile. */
	if (ask->trace != TREE_NONE &&
		(ask->trace >= tree->trace_count || ask->place >= tree->traces[ask->trace].count ||
			tree->traces[ask->trace].addresses[ask->place] != ask->target))
		return;
	coordinator_dispatch(c, &task,
		(struct expected){.task = task.id,
			.receiver = c->sources[ask->source].agent,
			.sender = ask->agent,
			.source = ask->source,
			.target = task.target,
			.trace = ask->trace,
			.place = ask->place,
			.spoofed = ask->spoofed});
}

int64_t coordinator_ask_hops(struct coordinator *c)
{
	struct hops *hops = &c->hops;
	int64_t now_ns = coordinator_now_ns(), next_ns = TIME_NEVER;
	size_t kept = 0;
	if (hops->count == 0 || now_ns < hops->next_ns)
		return hops->count == 0 ? TIME_NEVER : hops->next_ns;
	for (size_t i = 0; i < hops->count; i++) {
		struct hop_ask ask = hops->list[i];
		if (ask.at_ns <= now_ns && ask.alias) {
			coordinator_alias_ask(c, &ask);
			continue;
		}
		if (ask.at_ns <= now_ns) {
			ask_hop(c, &ask);
			continue;
		}
		next_ns = MIN(next_ns, ask.at_ns);
		hops->list[kept++] = ask;
	}
	hops->count = kept;
	hops->next_ns = next_ns == TIME_NEVER ? next_ns : MAX(next_ns, now_ns + ALIGN_STEP_NS);
	return hops->next_ns;
}

void coordinator_init_hops(struct coordinator *c)
{
	/* Beside measurements: a half of what they may have. */
	const struct revtr_options *o = &c->options.engine;
	const struct budget_rate rates[BUDGET_KINDS] = {[BUDGET_TARGET] = o->target,
		[BUDGET_NET] = o->net,
		[BUDGET_SOURCE] = o->source,
		[BUDGET_AGENT] = o->agent};
	for (int i = 0; i < BUDGET_KINDS; i++)
		c->hops.budget.rates[i] = (struct budget_rate){rates[i].per_second / 2, rates[i].burst};
}

void coordinator_free_hops(struct coordinator *c)
{
	free(c->hops.list);
	budget_deinit(&c->hops.budget);
}
