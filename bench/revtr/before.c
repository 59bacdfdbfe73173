/* What is measured before the first question: the atlas of each source, and the survey. */
#include "evaluation.h"

#include <stdlib.h>

#include "base/clock.h"
#include "revtr/survey.h"

#define SIBLING_BITS  24
#define ATLAS_SPOOFED 5

uint32_t sibling_of(void *context, uint32_t address, unsigned number)
{
	const struct evaluation *e = context;
	uint32_t prefix = world_find_prefix(e->world, addr_v4(address));
	if (prefix == WORLD_NONE || number > 1)
		return 0;
	/* Large prefixes are in many places: neighbours only. */
	uint32_t other = e->siblings[prefix][number];
	return other >> (32 - SIBLING_BITS) == address >> (32 - SIBLING_BITS) ? other : address;
}

static uint32_t asked; /* task numbers of what is done beforehand */

static struct revtr_task task_of(enum revtr_probe probe, uint32_t agent, bool spoofed, struct addr target)
{
	return (struct revtr_task){
		.id = ++asked, .probe = probe, .agent = agent, .spoofed = spoofed, .target = target};
}

static void measure_atlas(struct evaluation *e, struct virtual *v, unsigned source)
{
	struct revtr_answer answer;
	uint32_t first = asked + 1;
	unsigned probes = e->agent_count;
	e->atlas[source].addresses = need(calloc(probes, sizeof(*e->atlas[source].addresses)));
	e->atlas[source].counts = need(calloc(probes, sizeof(*e->atlas[source].counts)));
	for (unsigned i = 0; i < probes; i++) {
		struct revtr_task task = task_of(REVTR_TRACEROUTE, i, false, e->sources[source]);
		if (i < e->site_count || i >= e->site_count + SOURCES)
			virtual_do(v, &task, ADDR_NONE);
	}
	while (virtual_answer(v, TIME_NEVER, &answer)) {
		unsigned index = e->atlas[source].count, agent = answer.task - first;
		if (!answer.reached || agent >= probes || answer.trace_count == 0)
			continue;
		e->atlas[source].addresses[index][0] = number_of(host_address(e, e->hosts[agent]));
		for (unsigned i = 0; i + 1 < answer.trace_count && i + 1 < REVTR_TRACE_MAX; i++)
			e->atlas[source].addresses[index][i + 1] = number_of(answer.trace[i]);
		e->atlas[source].counts[index] = MIN(answer.trace_count, REVTR_TRACE_MAX);
		e->atlas[source].count++;
	}
}

/* An address of the prefix that is not one of the destinations. */
static struct addr held_out(struct evaluation *e, const struct world_prefix *prefix)
{
	const struct world *world = e->world;
	unsigned low = 0, high = world->address_count;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		if (addr_compare(world->addresses[middle].addr, prefix->prefix.addr) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	unsigned end = low;
	while (end < world->address_count && prefix_contains(prefix->prefix, world->addresses[end].addr))
		end++;
	for (unsigned tries = 0; low < end && tries < 10; tries++) {
		const struct world_address *a = &world->addresses[low + rng_below(&e->rng, end - low)];
		bool is_destination = false;
		for (unsigned i = 0; i < e->pair_count && a->node < world->host_count; i++)
			is_destination |= e->pairs[i].target == a->node;
		if (!is_destination)
			return a->addr;
	}
	return ADDR_NONE;
}

static void view_list(struct evaluation *e, struct prefix prefix, uint32_t as,
	const struct revtr_answer *answer, struct addr target, uint32_t agent)
{
	struct revtr_list list;
	struct ingress_view view = {.agent = agent, .distance = INGRESS_FAR};
	revtr_read_list(answer, target, host_address(e, e->hosts[agent]), true, NULL, &list);
	if (list.placed)
		view.distance = (uint8_t)list.before;
	for (unsigned i = 0; list.placed && i < list.before; i++) {
		uint32_t stamp = number_of(answer->reply.addrs[i]);
		if (world_find_as(e->world, addr_v4(stamp)) == as)
			break;
		view.ingress = stamp;
	}
	if (ingress_add(&e->ingress, prefix, &view) < 0)
		die("out of memory");
}

void learn_distance(struct evaluation *e, const struct revtr_task *task, const struct revtr_answer *answer)
{
	struct revtr_list list;
	revtr_read_list(answer, task->target, e->sources[task->source], true, NULL, &list);
	struct ingress_view view = {.agent = task->agent,
		.distance = (uint8_t)(list.placed ? list.before : INGRESS_FAR),
		.ingress =
			list.placed && list.before > 0 ? number_of(answer->reply.addrs[list.before - 1]) : 0};
	if (ingress_add(&e->learned, prefix_of(task->target, SIBLING_BITS), &view) < 0)
		die("out of memory");
}

void survey_by_schedule(struct evaluation *e, struct virtual *v, struct sim *sim)
{
	uint32_t *addresses = need(calloc(2 * e->world->prefix_count + 1, sizeof(*addresses))), agents[64],
		 address, agent;
	unsigned count = 0, agent_count = 0, packets = 0, sorted = 0;
	struct survey schedule;
	for (unsigned i = 0; i < e->world->prefix_count; i++)
		for (unsigned j = 0; j < 2; j++)
			if (e->siblings[i][j])
				addresses[count++] = e->siblings[i][j];
	for (uint32_t i = 0; i < e->site_count && agent_count < 64; i++)
		if (e->sites[i].may_spoof)
			agents[agent_count++] = i;
	if (survey_init(&schedule, addresses, count) < 0)
		die("out of memory");
	while (survey_next(&schedule, &e->learned, agents, agent_count, &address, &agent)) {
		struct revtr_task task = task_of(REVTR_RR_PING, agent, true, addr_v4(address));
		struct revtr_answer answer;
		virtual_do(v, &task, e->sources[0]);
		while (virtual_answer(v, sim_now(sim) + NS_PER_S, &answer))
			learn_distance(e, &task, &answer);
		if (++packets - sorted >= count) {
			ingress_sort(&e->learned);
			sorted = packets;
		}
	}
	ingress_sort(&e->learned);
	e->scheduled = packets;
	survey_deinit(&schedule);
	free(addresses);
}

static void survey(struct evaluation *e, struct virtual *v)
{
	struct addr *targets = need(calloc(e->site_count, sizeof(*targets)));
	e->siblings = need(calloc(e->world->prefix_count, sizeof(*e->siblings)));
	if (ingress_init(&e->ingress, e->site_count) < 0)
		die("out of memory");
	for (unsigned i = 0; i < e->world->prefix_count; i++) {
		const struct world_prefix *prefix = &e->world->prefixes[i];
		if (prefix->prefix.addr.family != 4)
			continue;
		for (unsigned round = 0; round < 2; round++) {
			struct addr target = held_out(e, prefix);
			uint32_t first = asked + 1;
			struct revtr_answer answer;
			if (!addr_is_set(target))
				continue;
			for (uint32_t agent = 0; agent < e->site_count; agent++) {
				struct revtr_task task = task_of(REVTR_RR_PING, agent, false, target);
				virtual_do(v, &task, ADDR_NONE);
				e->surveyed++;
			}
			while (virtual_answer(v, TIME_NEVER, &answer))
				if (answer.task - first < e->site_count) {
					e->siblings[i][round] = number_of(target);
					view_list(e, prefix->prefix, prefix->as, &answer, target,
						answer.task - first);
				}
		}
	}
	ingress_sort(&e->ingress);
	free(targets);
}

/* Record Route to each hop of the atlas, from the source and from a few sites in its name. */
static void align_atlas(struct evaluation *e, struct virtual *v, struct revtr_engine *engine, unsigned source,
	const struct row *row)
{
	const struct tree *tree = revtr_engine_tree(engine, source);
	for (uint32_t t = 0; t < tree->trace_count; t++)
		for (unsigned place = 0; place + 1 < tree->traces[t].count; place++) {
			uint32_t address = tree->traces[t].addresses[place], agents[64];
			uint32_t first = asked + 1;
			unsigned near;
			struct revtr_answer answer;
			if (address == 0)
				continue;
			const struct tree_entry *entry = NULL;
			for (uint32_t i = 0; i < tree->entry_room; i++)
				if (tree->entries[i].address == address)
					entry = &tree->entries[i];
			/* Once for each address is enough: routing goes by destination. */
			if (!entry || entry->trace != t || entry->next != 0)
				continue;
			struct revtr_task task =
				task_of(REVTR_RR_PING, e->site_count + source, false, addr_v4(address));
			virtual_do(v, &task, ADDR_NONE);
			unsigned count = ingress_rank(row->survey ? &e->ingress : &e->learned,
				addr_v4(address), row->options.order, address, agents, 64, &near);
			for (unsigned i = 0, sent = 0; i < count && sent < ATLAS_SPOOFED; i++) {
				if (!e->sites[agents[i]].may_spoof)
					continue;
				task = task_of(REVTR_RR_PING, agents[i], true, addr_v4(address));
				virtual_do(v, &task, e->sources[source]);
				sent++;
			}
			while (virtual_answer(v, TIME_NEVER, &answer)) {
				if (answer.task >= first)
					revtr_engine_align(engine, source, t, place, &answer, true, 0);
			}
		}
}

void load_atlas(struct evaluation *e, struct revtr_engine *engine, struct virtual *v, unsigned source,
	const struct row *row)
{
	uint32_t index;
	for (unsigned i = 0; row->options.atlas && i < e->atlas[source].count; i++)
		if (revtr_engine_add_trace(engine, source, e->atlas[source].addresses[i],
			    e->atlas[source].counts[i], 0, 0, &index) < 0)
			die("out of memory");
	if (row->options.atlas && row->rr_atlas)
		align_atlas(e, v, engine, source, row);
}

void measure_beforehand(struct evaluation *e)
{
	struct sim *sim = need(sim_new(e->world, e->seed));
	struct virtual *v = need(virtual_new(sim, e->hosts, e->agent_count));
	for (unsigned i = 0; i < SOURCES; i++)
		measure_atlas(e, v, i);
	survey(e, v);
	virtual_free(v);
	sim_free(sim);
}
