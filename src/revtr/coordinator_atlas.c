/* What is known beforehand: the atlas of each source, and how far agents are from prefixes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "revtr/coordinator_inside.h"

#define DAY_MS	      (24LL * 3600 * 1000)
#define ALIGN_SPOOFED 3  /* agents that ask a hop of the atlas in the source's name */
#define SURVEY_BITS   24 /* of the prefixes that distances are kept for */

struct loading {
	struct coordinator *c;
	uint32_t source;
	int result;
};

static void load_trace(void *context, const struct store_trace *trace)
{
	struct loading *loading = context;
	struct coordinator *c = loading->c;
	uint32_t index;
	int64_t age_ns = (coordinator_now_ms() - trace->seen_ms) * NS_PER_MS;
	if (loading->result == 0 && trace->count > 0)
		loading->result = revtr_engine_add_trace(c->engine, c->sources[loading->source].engine_index, trace->addresses,
			trace->count, 0, coordinator_now_ns() - age_ns, &index);
}

int coordinator_load_atlas(struct coordinator *c, uint32_t source, struct error *error)
{
	struct loading loading = {.c = c, .source = source};
	int result = store_each_trace(
		c->store, c->sources[source].stored.id, coordinator_now_ms() - DAY_MS, load_trace, &loading, error);
	return loading.result < 0 ? error_set(error, -ENOMEM, "out of memory") : result;
}

static void load_view(void *context, struct prefix prefix, const char *agent, unsigned distance, uint32_t ingress)
{
	struct loading *loading = context;
	uint32_t index = coordinator_agent(loading->c, agent);
	struct ingress_view view = {index, (uint8_t)MIN(distance, (unsigned)INGRESS_FAR), ingress};
	if (index != UINT32_MAX && loading->result == 0)
		loading->result = ingress_add(&loading->c->ingress, prefix, &view);
}

int coordinator_load_survey(struct coordinator *c, struct error *error)
{
	struct loading loading = {.c = c};
	int result = store_each_view(c->store, load_view, &loading, error);
	ingress_sort(&c->ingress);
	return loading.result < 0 ? error_set(error, -ENOMEM, "out of memory") : result;
}

void coordinator_learn_distance(struct coordinator *c, const struct expected *expected, const struct revtr_answer *answer)
{
	const struct source_entry *source = &c->sources[expected->source];
	struct revtr_list list;
	revtr_read_list(answer, expected->target, source->stored.address, true, &c->aliases, &list);
	struct ingress_view view = {.agent = expected->sender,
		.distance = (uint8_t)(list.placed ? list.before : INGRESS_FAR),
		.ingress = list.placed && list.before > 0 ? (uint32_t)answer->reply.addrs[list.before - 1].low : 0};
	struct prefix prefix = prefix_of(expected->target, SURVEY_BITS);
	c->ingress_changed = true;
	/* What is not learned now is learned another time. */
	if (ingress_add(&c->ingress, prefix, &view) == 0)
		coordinator_keep_view(c, prefix, expected->sender, view.distance, view.ingress);
}

/* ---- refreshing */

static uint32_t own_task(struct coordinator *c)
{
	c->own_task = (c->own_task + 1) & ~OWN_TASK;
	return (c->own_task ? c->own_task : ++c->own_task) | OWN_TASK;
}

void coordinator_ask_trace(struct coordinator *c, uint32_t source, uint32_t agent)
{
	struct addr address = c->sources[source].stored.address;
	struct revtr_task task = {
		.id = own_task(c), .probe = REVTR_TRACEROUTE, .agent = agent, .source = source, .target = address};
	coordinator_dispatch(c, &task, (struct expected){.task = task.id, .receiver = agent, .sender = agent, .source = source,
		.target = address, .trace = TREE_NONE, .is_trace = true});
}

int coordinator_refresh_atlas(struct coordinator *c, struct addr address, struct error *error)
{
	uint32_t source = coordinator_source(c, address);
	char text[ADDR_TEXT_SIZE];
	if (source == UINT32_MAX)
		return error_set(error, -ENOENT, "%s is not a registered source", addr_format(address, text));
	unsigned asked = 0;
	for (uint32_t i = 0; i < c->agent_count; i++) {
		if (!c->agents[i].status.online || i == c->sources[source].agent)
			continue;
		coordinator_ask_trace(c, source, i);
		asked++;
	}
	if (asked == 0)
		return error_set(error, -ENOTCONN, "no other agent is connected that could trace to %s", addr_format(address, text));
	return 0;
}

static void ask_hop(struct coordinator *c, uint32_t source, uint32_t trace, uint32_t place, uint32_t agent, bool spoofed)
{
	const struct tree *tree = revtr_engine_tree(c->engine, c->sources[source].engine_index);
	struct revtr_task task = {.id = own_task(c), .probe = REVTR_RR_PING, .agent = agent, .source = source,
		.spoofed = spoofed, .target = addr_v4(tree->traces[trace].addresses[place])};
	coordinator_dispatch(c, &task, (struct expected){.task = task.id, .receiver = c->sources[source].agent,
		.sender = agent, .source = source, .target = task.target, .trace = trace, .place = place, .spoofed = spoofed});
}

/* Record Route to every hop of a new trace: which other addresses its routers show. */
static void align_trace(struct coordinator *c, uint32_t source, uint32_t trace)
{
	const struct tree *tree = revtr_engine_tree(c->engine, c->sources[source].engine_index);
	for (uint32_t place = 1; place + 1 < tree->traces[trace].count; place++) {
		struct addr hop = addr_v4(tree->traces[trace].addresses[place]);
		uint32_t ranked[AGENTS_MAX];
		unsigned near, sent = 0;
		if (hop.low == 0 || addr_is_private(hop))
			continue;
		ask_hop(c, source, trace, place, c->sources[source].agent, false);
		unsigned count = ingress_rank(&c->ingress, hop, c->options.engine.order, hop.low, ranked, AGENTS_MAX, &near);
		for (unsigned i = 0; i < count && sent < ALIGN_SPOOFED; i++) {
			if (!c->sites[ranked[i]].may_spoof || ranked[i] == c->sources[source].agent)
				continue;
			ask_hop(c, source, trace, place, ranked[i], true);
			sent++;
		}
	}
}

static void take_trace(struct coordinator *c, const struct expected *expected, const struct revtr_answer *answer)
{
	struct source_entry *source = &c->sources[expected->source];
	struct store_trace trace = {.seen_ms = coordinator_now_ms()};
	uint32_t index;
	struct error error;
	if (!answer->reached || answer->trace_count == 0)
		return; /* without its end it leads nowhere */
	trace.addresses[trace.count++] = (uint32_t)c->agents[expected->sender].status.address.low;
	for (unsigned i = 0; i + 1 < answer->trace_count; i++)
		trace.addresses[trace.count++] = addr_is_set(answer->trace[i]) ? (uint32_t)answer->trace[i].low : 0;
	snprintf(trace.origin, sizeof(trace.origin), "%s", c->agents[expected->sender].name);
	if (store_put_traces(c->store, source->stored.id, &trace, 1, &error) < 0)
		c->health.store_failed = true;
	if (revtr_engine_add_trace(c->engine, source->engine_index, trace.addresses, trace.count, answer->task,
		    coordinator_now_ns(), &index) == 0)
		align_trace(c, expected->source, index);
	coordinator_tell_atlas(c, expected->source);
}

void coordinator_atlas_answer(struct coordinator *c, const struct expected *expected, const struct revtr_answer *answer)
{
	if (!answer->answered)
		return;
	if (expected->trace == TREE_NONE)
		take_trace(c, expected, answer);
	else
		revtr_engine_align(c->engine, c->sources[expected->source].engine_index, expected->trace, expected->place, answer,
			expected->spoofed, coordinator_now_ns());
}
