#include "revtr/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "revtr/engine_inside.h"

struct revtr_options revtr_options_published(void)
{
	return (struct revtr_options){
		.atlas = true,
		.direct = true,
		.direct_always = true,
		.spoofed = true,
		.share = true,
		.symmetry_intra = true,
		.order = INGRESS_ROUND_ROBIN,
		.batch = 5,
		.spoofers_max = 10,
		.far_max = 10,
		.unknown_max = 10,
		.silent_max = 10,
		.direct_wait_ns = 2 * NS_PER_S,
		.spoofed_wait_ns = 10 * NS_PER_S,
		.trace_wait_ns = 5 * NS_PER_S,
		.age_max_ns = 24 * 3600 * NS_PER_S,
		.ask_again_ns = 600 * NS_PER_S,
		.agent = {100, 10},
	};
}

struct revtr_options revtr_options_default(void)
{
	struct revtr_options options = revtr_options_published();
	options.ping = true;
	options.heuristics = true;
	options.timestamps = true;
	options.differ = true;
	options.direct_always = false;
	options.fallback = true;
	options.doubt = true;
	options.counts = true;
	options.siblings = true;
	options.batch = 3;
	options.spoofers_max = 12;
	options.far_max = 1;
	options.unknown_max = 3;
	options.direct_wait_ns = 1500 * NS_PER_MS;
	options.spoofed_wait_ns = 1500 * NS_PER_MS;
	options.trace_wait_ns = 2 * NS_PER_S;
	options.agent = (struct budget_rate){50, 5};
	options.source = (struct budget_rate){50, 5};
	options.target = (struct budget_rate){5, 5};
	options.net = (struct budget_rate){10, 10};
	options.dead_after = 12;
	options.dead_for_ns = 3600 * NS_PER_S;
	return options;
}

const char *revtr_stop_text(enum revtr_stop stop)
{
	switch (stop) {
	case REVTR_GOING_ON: return "not finished";
	case REVTR_REACHED: return "the way back is known up to the source";
	case REVTR_UNRESPONSIVE:
		return "the last hop answers nobody, and the way there does not show what is before it";
	case REVTR_INTERDOMAIN:
		return "what comes next could only be guessed, across the border of two networks";
	case REVTR_TOO_LONG: return "the way back is longer than what can be kept";
	case REVTR_CANCELLED: return "cancelled";
	case REVTR_ELSEWHERE:
		return "agents' packets seem to reach another host with this address (anycast), whose way "
		       "back is another one";
	case REVTR_REFUSED:
		return "the network of the last hop may not be asked: its packets for today are spent, or "
		       "its owner forbids it";
	}
	return "";
}

/* ---- the engine's life */

struct revtr_engine *revtr_engine_new(
	const struct revtr_options *options, const struct revtr_environment *environment)
{
	struct revtr_engine *engine = calloc(1, sizeof(*engine));
	if (!engine)
		return NULL;
	engine->options = *options;
	engine->environment = *environment;
	engine->finished_first = engine->finished_last = engine->last_result = UINT32_MAX;
	engine->free_job = engine->free_measurement = UINT32_MAX;
	engine->task_count = options->first_task > 0 ? options->first_task - 1 : 0;
	for (int i = 0; i < STAGE_COUNT; i++)
		engine->timers[i].first = engine->timers[i].last = JOB_NONE;
	engine->budget = (struct budget){
		.rates = {[BUDGET_TARGET] = options->target,
			[BUDGET_NET] = options->net,
			[BUDGET_SOURCE] = options->source,
			[BUDGET_AGENT] = options->agent},
		.silent_max = options->dead_after,
		.dead_for_ns = options->dead_for_ns,
	};
	return engine;
}

static void source_deinit(struct source_state *source)
{
	tree_deinit(&source->tree);
}

void revtr_engine_free(struct revtr_engine *engine)
{
	if (!engine)
		return;
	for (uint32_t i = 0; i < engine->source_count; i++)
		source_deinit(&engine->sources[i]);
	for (uint32_t i = 0; i < engine->job_count; i++) {
		free(engine->jobs[i].ranked);
		free(engine->jobs[i].unplaced);
		free(engine->jobs[i].routers);
	}
	for (uint32_t i = 0; i < engine->measurement_count; i++)
		free(engine->measurements[i].hops);
	free(engine->sources);
	free(engine->jobs);
	free(engine->buckets);
	free(engine->measurements);
	free(engine->ready);
	budget_deinit(&engine->budget);
	free(engine->sent);
	free(engine);
}

int revtr_engine_add_source(struct revtr_engine *engine, struct addr source, uint32_t agent, uint32_t *index)
{
	struct source_state *longer = realloc(engine->sources, (engine->source_count + 1) * sizeof(*longer));
	if (!longer)
		return -ENOMEM;
	engine->sources = longer;
	struct source_state *state = &longer[engine->source_count];
	*state = (struct source_state){.address = (uint32_t)source.low, .agent = agent};
	if (tree_init(&state->tree, state->address, engine->options.age_max_ns) < 0)
		return -ENOMEM;
	state->tree.aliases = engine->environment.aliases;
	*index = engine->source_count++;
	return 0;
}

void revtr_engine_move_source(struct revtr_engine *engine, uint32_t index, uint32_t agent)
{
	if (engine->sources[index].agent == agent)
		return;
	engine->sources[index].agent = agent;
	/* Nothing is known of what comes home to the new one. */
	engine->sources[index].answered = engine->sources[index].direct_asked =
		engine->sources[index].direct_found = 0;
	engine->sources[index].pings = false;
	for (uint32_t i = 0; i < engine->job_count; i++)
		if (engine->jobs[i].source == index && engine->jobs[i].stage == STAGE_DONE &&
			!engine->jobs[i].found)
			engine->jobs[i].finished_ns -= engine->options.ask_again_ns + 1;
}

struct tree *revtr_engine_tree(struct revtr_engine *engine, uint32_t source)
{
	return &engine->sources[source].tree;
}

int revtr_engine_add_trace(struct revtr_engine *engine, uint32_t source, const uint32_t *addresses,
	unsigned count, uint32_t evidence, int64_t now_ns, uint32_t *index)
{
	return tree_add_trace(&engine->sources[source].tree, addresses, count, evidence, now_ns, index);
}

void revtr_engine_align(struct revtr_engine *engine, uint32_t source, uint32_t trace, unsigned place,
	const struct revtr_answer *answer, bool spoofed, int64_t now_ns)
{
	struct source_state *of = &engine->sources[source];
	struct revtr_list list;
	if (trace >= of->tree.trace_count || place >= of->tree.traces[trace].count ||
		!of->tree.traces[trace].addresses)
		return;
	uint32_t chain[CHAIN_MAX + 1] = {of->tree.traces[trace].addresses[place]};
	revtr_read_list(answer, addr_v4(chain[0]), addr_v4(of->address), engine->options.heuristics,
		engine->environment.aliases, &list);
	memcpy(chain + 1, list.hops, list.count * sizeof(*chain));
	engine->now_ns = MAX(engine->now_ns, now_ns);
	if (engine->options.doubt && list.certain)
		(void)tree_doubt(&of->tree, chain, list.count + 1, engine->now_ns);
	/* Without memory it is not learned. */
	if (list.count == 0 || tree_align(&of->tree, trace, place, list.hops, list.count) < 0 ||
		tree_add_chain(&of->tree, chain, list.count + 1, spoofed, answer->task, engine->now_ns) < 0)
		return;
	if (list.certain)
		tree_note_origin(&of->tree, chain, list.count + 1, engine->now_ns);
}

void revtr_engine_set_deaf(struct revtr_engine *engine, uint32_t source, bool deaf)
{
	engine->sources[source].deaf = deaf;
}

unsigned revtr_engine_busy(const struct revtr_engine *engine)
{
	return engine->busy;
}

static size_t job_bytes(const struct job *job)
{
	return job->router_count * (sizeof(*job->routers) + sizeof(*job->lefts)) +
		(job->ranked ? RANK_MAX * sizeof(*job->ranked) : 0) +
		(job->unplaced ? sizeof(*job->unplaced) : 0);
}

size_t revtr_engine_bytes(const struct revtr_engine *engine, size_t *under_way)
{
	size_t hops = REVTR_HOPS_MAX * sizeof(*engine->measurements->hops);
	size_t bytes = sizeof(*engine) + engine->job_room * sizeof(*engine->jobs) +
		engine->bucket_count * sizeof(*engine->buckets) +
		engine->measurement_room * sizeof(*engine->measurements) +
		engine->ready_room * sizeof(*engine->ready) + engine->sent_room * sizeof(*engine->sent) +
		engine->budget.room * sizeof(*engine->budget.table);
	*under_way = engine->ready_count * sizeof(*engine->ready);
	for (uint32_t i = 0; i < engine->job_count; i++) {
		const struct job *job = &engine->jobs[i];
		bytes += job_bytes(job);
		if (job->stage != STAGE_DONE || job->readers > 0)
			*under_way +=
				sizeof(*job) + job_bytes(job) + job->outstanding * sizeof(*engine->sent);
	}
	for (uint32_t i = 0; i < engine->measurement_count; i++)
		if (engine->measurements[i].hops) {
			bytes += hops;
			*under_way += sizeof(*engine->measurements) + hops;
		}
	return bytes;
}

/* ---- in and out */

static bool can_be_measured(struct addr destination)
{
	return destination.family == 4 && addr_is_unicast(destination) && !addr_is_private(destination);
}

/* UINT32_MAX: out of memory. */
static uint32_t free_slot(struct revtr_engine *engine)
{
	uint32_t index = engine->free_measurement;
	if (index != UINT32_MAX) {
		engine->free_measurement = engine->measurements[index].next_finished;
		return index;
	}
	if (engine->measurement_count == engine->measurement_room) {
		uint32_t room = engine->measurement_room ? 2 * engine->measurement_room : 256;
		struct measurement_state *longer = realloc(engine->measurements, room * sizeof(*longer));
		if (!longer)
			return UINT32_MAX;
		engine->measurements = longer;
		engine->measurement_room = room;
	}
	return engine->measurement_count++;
}

int revtr_engine_submit(
	struct revtr_engine *engine, uint32_t source, struct addr destination, int64_t now_ns, uint32_t *id)
{
	if (source >= engine->source_count || !can_be_measured(destination))
		return -EINVAL;
	engine->now_ns = MAX(engine->now_ns, now_ns);
	uint32_t index = free_slot(engine);
	if (index == UINT32_MAX)
		return -ENOMEM;
	struct measurement_state *m = &engine->measurements[index];
	*m = (struct measurement_state){
		.id = index + 1,
		.source = source,
		.destination = (uint32_t)destination.low,
		.hops = calloc(REVTR_HOPS_MAX, sizeof(*m->hops)),
		.segment = -1,
		.at = -1,
		.job = JOB_NONE,
		.trace = JOB_NONE,
		.trace_place = -1,
		.faith = 1,
		.left = -1,
		.started_ns = now_ns,
	};
	if (!m->hops) {
		m->next_finished = engine->free_measurement;
		engine->free_measurement = index;
		return -ENOMEM;
	}
	*id = m->id;
	engine->busy++;
	measurement_go_on(engine, index);
	return 0;
}

bool revtr_engine_next(struct revtr_engine *engine, int64_t now_ns, struct revtr_task *task, int64_t *wake_ns)
{
	engine->now_ns = MAX(engine->now_ns, now_ns);
	job_expire(engine);
	return job_next(engine, task, wake_ns);
}

void revtr_engine_cancel(struct revtr_engine *engine, uint32_t id, int64_t now_ns)
{
	engine->now_ns = MAX(engine->now_ns, now_ns);
	if (id > 0 && id <= engine->measurement_count)
		measurement_cancel(engine, id - 1);
}

void revtr_engine_answer(struct revtr_engine *engine, const struct revtr_answer *answer, int64_t now_ns)
{
	engine->now_ns = MAX(engine->now_ns, now_ns);
	job_answer(engine, answer);
}

void revtr_engine_lost(struct revtr_engine *engine, uint32_t task, int64_t now_ns)
{
	engine->now_ns = MAX(engine->now_ns, now_ns);
	job_lost(engine, task, false);
}

void revtr_engine_refused(struct revtr_engine *engine, uint32_t task, int64_t now_ns)
{
	engine->now_ns = MAX(engine->now_ns, now_ns);
	job_lost(engine, task, true);
}

void revtr_engine_more_agents(struct revtr_engine *engine, int64_t now_ns)
{
	engine->now_ns = MAX(engine->now_ns, now_ns);
	engine->agents_ns = engine->now_ns;
}

bool revtr_engine_finished(struct revtr_engine *engine, struct revtr_result *result)
{
	if (engine->last_result != UINT32_MAX) {
		struct measurement_state *last = &engine->measurements[engine->last_result];
		free(last->hops);
		last->hops = NULL;
		last->next_finished = engine->free_measurement;
		engine->free_measurement = engine->last_result;
		engine->last_result = UINT32_MAX;
	}
	uint32_t index = engine->finished_first;
	if (index == UINT32_MAX)
		return false;
	const struct measurement_state *m = &engine->measurements[index];
	engine->finished_first = m->next_finished;
	engine->last_result = index;
	*result = (struct revtr_result){
		.id = m->id,
		.source = m->source,
		.destination = m->destination,
		.stop = m->stop,
		.hops = m->hops,
		.hop_count = m->hop_count,
		.left = m->left,
		.elsewhere = m->elsewhere,
		.option_packets = m->option_packets,
		.trace_packets = m->trace_packets,
		.rounds = m->rounds,
		.started_ns = m->started_ns,
		.finished_ns = m->finished_ns,
	};
	return true;
}
