#include "revtr/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "revtr/engine_inside.h"

#define SIBLINGS_MAX 3

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
		.silent_max = 10,
		.direct_wait_ns = 2 * NS_PER_S,
		.spoofed_wait_ns = 10 * NS_PER_S,
		.trace_wait_ns = 5 * NS_PER_S,
		.age_max_ns = 24 * 3600 * NS_PER_S,
		.ask_again_ns = 600 * NS_PER_S,
		.agent_per_second = 100,
	};
}

struct revtr_options revtr_options_default(void)
{
	struct revtr_options options = revtr_options_published();
	options.heuristics = true;
	options.direct_always = false;
	options.fallback = true;
	options.exits = true;
	options.siblings = true;
	options.batch = 3;
	options.spoofers_max = 12;
	options.far_max = 3;
	options.direct_wait_ns = 1500 * NS_PER_MS;
	options.spoofed_wait_ns = 1500 * NS_PER_MS;
	options.trace_wait_ns = 2 * NS_PER_S;
	return options;
}

const char *revtr_stop_text(enum revtr_stop stop)
{
	switch (stop) {
	case REVTR_GOING_ON: return "not finished";
	case REVTR_REACHED: return "the way back is known up to the source";
	case REVTR_UNRESPONSIVE: return "the last hop answers nobody, and the way there does not show what is before it";
	case REVTR_INTERDOMAIN: return "what comes next could only be guessed, across the border of two networks";
	case REVTR_TOO_LONG: return "the way back is longer than what can be kept";
	case REVTR_CANCELLED: return "cancelled";
	}
	return "";
}

/* ---- the engine's life */

static uint32_t agents_of(const struct revtr_environment *environment)
{
	uint32_t most = 0;
	for (unsigned i = 0; i < environment->site_count; i++)
		most = MAX(most, environment->sites[i].agent + 1);
	return most;
}

static bool grow_agents(struct revtr_engine *engine, uint32_t count)
{
	if (count <= engine->agent_count)
		return true;
	struct agent_state *agents = realloc(engine->agents, count * sizeof(*agents));
	if (!agents)
		return false;
	memset(agents + engine->agent_count, 0, (count - engine->agent_count) * sizeof(*agents));
	engine->agents = agents;
	engine->agent_count = count;
	return true;
}

struct revtr_engine *revtr_engine_new(const struct revtr_options *options, const struct revtr_environment *environment)
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
	if (grow_agents(engine, agents_of(environment)))
		return engine;
	revtr_engine_free(engine);
	return NULL;
}

static void source_deinit(struct source_state *source)
{
	tree_deinit(&source->tree);
	exits_deinit(&source->exits);
}

void revtr_engine_free(struct revtr_engine *engine)
{
	if (!engine)
		return;
	for (uint32_t i = 0; i < engine->source_count; i++)
		source_deinit(&engine->sources[i]);
	for (uint32_t i = 0; i < engine->job_count; i++) {
		free(engine->jobs[i].ranked);
		free(engine->jobs[i].routers);
	}
	for (uint32_t i = 0; i < engine->measurement_count; i++)
		free(engine->measurements[i].hops);
	for (uint32_t i = 0; i < engine->agent_count; i++)
		free(engine->agents[i].queue);
	free(engine->sources);
	free(engine->jobs);
	free(engine->buckets);
	free(engine->measurements);
	free(engine->agents);
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
	if (!grow_agents(engine, agent + 1) || tree_init(&state->tree, state->address, engine->options.age_max_ns) < 0)
		return -ENOMEM;
	*index = engine->source_count++;
	return 0;
}

struct tree *revtr_engine_tree(struct revtr_engine *engine, uint32_t source)
{
	return &engine->sources[source].tree;
}

void source_learn(struct revtr_engine *engine, uint32_t source, const uint32_t *addresses, unsigned count)
{
	uint32_t asns[TREE_WALK_MAX];
	if (!engine->options.exits || count > TREE_WALK_MAX)
		return;
	for (unsigned i = 0; i < count; i++)
		asns[i] = addresses[i] ? engine->environment.asn(engine->environment.context, addresses[i]) : 0;
	/* Without memory it is not learned. */
	if (exits_learn(&engine->sources[source].exits, addresses, asns, count) < 0)
		return;
}

int revtr_engine_add_trace(struct revtr_engine *engine, uint32_t source, const uint32_t *addresses, unsigned count,
	uint32_t evidence, int64_t now_ns, uint32_t *index)
{
	uint32_t whole[TREE_WALK_MAX];
	if (count < TREE_WALK_MAX) {
		memcpy(whole, addresses, count * sizeof(*whole));
		whole[count] = engine->sources[source].address;
		source_learn(engine, source, whole, count + 1);
	}
	return tree_add_trace(&engine->sources[source].tree, addresses, count, evidence, now_ns, index);
}

void revtr_engine_align(struct revtr_engine *engine, uint32_t source, uint32_t trace, unsigned place,
	const struct revtr_answer *answer, bool spoofed, int64_t now_ns)
{
	struct source_state *of = &engine->sources[source];
	struct revtr_list list;
	if (trace >= of->tree.trace_count || place >= of->tree.traces[trace].count)
		return;
	uint32_t chain[CHAIN_MAX + 1] = {of->tree.traces[trace].addresses[place]};
	revtr_read_list(answer, addr_v4(chain[0]), addr_v4(of->address), engine->options.heuristics, &list);
	memcpy(chain + 1, list.hops, list.count * sizeof(*chain));
	engine->now_ns = MAX(engine->now_ns, now_ns);
	/* Without memory it is not learned. */
	if (list.count == 0 || tree_align(&of->tree, trace, place, list.hops, list.count) < 0 ||
		tree_add_chain(&of->tree, chain, list.count + 1, spoofed, answer->task, engine->now_ns) < 0)
		return;
	source_learn(engine, source, chain, list.count + 1);
}

unsigned revtr_engine_busy(const struct revtr_engine *engine)
{
	return engine->busy;
}

/* ---- hops */

static uint32_t address_at(const struct measurement_state *m, int index)
{
	return index < 0 ? m->destination : m->hops[index].address;
}

static bool on_path(const struct measurement_state *m, uint32_t address)
{
	for (unsigned i = 0; i < m->hop_count; i++)
		if (m->hops[i].address == address)
			return true;
	return address == m->destination;
}

/* How often such a step was right in worlds whose truth is known (docs/benchmarks.md, calibration). */
#define SURE_CHAIN    0.995f /* Record Route, the target by its own address */
#define SURE_GUESSED  0.985f /* the same, its place in the list by other rules */
#define SURE_ATLAS    0.992f
#define SURE_SPAN     0.95f
#define SURE_INTRA    0.985f
#define SURE_INTER    0.6f
#define SURE_SIBLING  0.955f
#define SURE_EXIT     0.85f

/* false: it is there already, or there is no room. Unknown routers may come more than once. */
static bool add_hop(struct measurement_state *m, struct revtr_hop hop)
{
	hop.probability *= m->faith;
	if (m->faith < 1 && hop.certainty == CERTAINTY_MEASURED)
		hop.certainty = CERTAINTY_INFERRED;
	if (m->hop_count == REVTR_HOPS_MAX || (hop.address != 0 && on_path(m, hop.address)))
		return false;
	m->hops[m->hop_count++] = hop;
	return true;
}

/* The last hop that could be asked; -1: the destination. */
static int last_known(const struct measurement_state *m)
{
	for (int i = (int)m->hop_count - 1; i >= 0; i--)
		if (m->hops[i].address != 0)
			return i;
	return -1;
}

static void cut(struct measurement_state *m, int after)
{
	m->hop_count = (unsigned)(after + 1);
}

static void step_made(struct measurement_state *m, int from)
{
	m->siblings = 0;
	m->segment = from + 1;
	m->at = last_known(m);
}

/* The trace that assumptions come from is kept as long as somebody goes back along it. */
static void follow_trace(struct revtr_engine *engine, struct measurement_state *m, uint32_t job)
{
	if (m->trace != JOB_NONE)
		engine->jobs[m->trace].readers--;
	m->trace = job;
	if (job != JOB_NONE)
		engine->jobs[job].readers++;
}

/* ---- the three ways to go on */

static struct revtr_hop hop_of(const struct tree_hop *from)
{
	static const struct {
		enum technique technique;
		enum certainty certainty;
		float sure;
	} kinds[] = {
		[TREE_TRACE] = {TECHNIQUE_ATLAS, CERTAINTY_MEASURED, SURE_ATLAS},
		[TREE_SPAN] = {TECHNIQUE_ATLAS_INTERVAL, CERTAINTY_INFERRED, SURE_SPAN},
		[TREE_CHAIN] = {TECHNIQUE_RECORD_ROUTE, CERTAINTY_MEASURED, SURE_CHAIN},
		[TREE_CHAIN_SPOOFED] = {TECHNIQUE_RECORD_ROUTE_SPOOFED, CERTAINTY_MEASURED, SURE_CHAIN},
	};
	return (struct revtr_hop){from->address, (uint8_t)kinds[from->how].technique,
		(uint8_t)kinds[from->how].certainty, kinds[from->how].sure, from->evidence, from->seen_ns};
}

/* A hop of the last segment from which the tree knows the rest. */
static bool by_tree(struct revtr_engine *engine, struct measurement_state *m)
{
	const struct tree *tree = &engine->sources[m->source].tree;
	struct tree_hop hops[TREE_WALK_MAX];
	for (int i = last_known(m); i >= m->segment && i >= -1; i--) {
		bool reached;
		uint32_t address = address_at(m, i);
		unsigned count = address ? tree_walk(tree, address, engine->now_ns, hops, &reached) : 0;
		if (count == 0 || !reached)
			continue;
		cut(m, i);
		for (unsigned j = 0; j < count; j++)
			(void)add_hop(m, hop_of(&hops[j]));
		return true;
	}
	return false;
}

static bool by_chain(struct revtr_engine *engine, struct measurement_state *m, const struct job *job)
{
	unsigned before = m->hop_count;
	int from = m->sibling ? last_known(m) : m->at;
	struct revtr_hop kept[REVTR_HOPS_MAX];
	memcpy(kept, m->hops, before * sizeof(*kept));
	float faith = m->faith;
	cut(m, from);
	unsigned start = m->hop_count;
	m->faith *= m->sibling ? SURE_SIBLING : job->certain ? 1 : SURE_GUESSED;
	for (unsigned i = 0; i < job->chain_count; i++)
		if (!add_hop(m, (struct revtr_hop){.address = job->chain[i],
				.technique = job->spoofed ? TECHNIQUE_RECORD_ROUTE_SPOOFED : TECHNIQUE_RECORD_ROUTE,
				.certainty = CERTAINTY_MEASURED,
				.probability = SURE_CHAIN,
				.evidence = job->evidence, .seen_ns = engine->now_ns}))
			break;
	if (last_known(m) >= (int)start || (m->hop_count > start && job->home)) {
		step_made(m, from);
		return true;
	}
	memcpy(m->hops, kept, before * sizeof(*kept));
	m->hop_count = before;
	m->faith = faith;
	return false;
}

/* The place of the last hop in the trace there; the destination's is its end. -1: not in it. */
static int place_in(const struct job *trace, uint32_t address)
{
	for (int i = (int)trace->router_count - 1; i >= 0; i--)
		if (trace->routers[i] == address)
			return i;
	return -1;
}

/* The router before the last hop on the way there. *stop: why not. */
static bool by_symmetry(struct revtr_engine *engine, struct measurement_state *m, const struct job *trace, enum revtr_stop *stop)
{
	int last = last_known(m), place = m->trace_place >= 0 ? m->trace_place : place_in(trace, address_at(m, last));
	*stop = REVTR_UNRESPONSIVE;
	bool silent = !trace->reached && last < 0 && engine->options.fallback;
	if (silent)
		place = (int)trace->router_count;
	if ((!trace->reached && !silent) || place < 0)
		return false;
	int before = place - 1;
	while (before >= 0 && trace->routers[before] == 0)
		before--;
	uint32_t next = before < 0 ? engine->sources[m->source].address : trace->routers[before];
	uint32_t asn = engine->environment.asn(engine->environment.context, address_at(m, last));
	bool inside = asn != 0 && asn == engine->environment.asn(engine->environment.context, next);
	if (!inside && !engine->options.symmetry_inter) {
		*stop = REVTR_INTERDOMAIN;
		return false;
	}
	if (!engine->options.symmetry_intra && inside)
		return false;
	m->faith *= inside ? SURE_INTRA : SURE_INTER;
	for (int i = place - 1; i > before; i--)
		(void)add_hop(m, (struct revtr_hop){.technique = TECHNIQUE_SYMMETRIC_INTRA, .certainty = CERTAINTY_ASSUMED});
	if (!add_hop(m, (struct revtr_hop){.address = next,
			.technique = inside ? TECHNIQUE_SYMMETRIC_INTRA : TECHNIQUE_SYMMETRIC_INTER,
			.certainty = CERTAINTY_ASSUMED, .probability = 1, .seen_ns = engine->now_ns}))
		return false;
	step_made(m, last);
	m->trace_place = before;
	return true;
}

/* From inside a network that always hands packets on by one exit. */
static bool by_exit(struct revtr_engine *engine, struct measurement_state *m)
{
	int last = last_known(m);
	uint32_t asn = engine->environment.asn(engine->environment.context, address_at(m, last));
	const struct exit_of *exit = engine->options.exits ? exits_find(&engine->sources[m->source].exits, asn) : NULL;
	struct tree_hop hops[TREE_WALK_MAX];
	bool reached;
	if (!exit || on_path(m, exit->address) ||
		tree_walk(&engine->sources[m->source].tree, exit->address, engine->now_ns, hops, &reached) == 0 || !reached)
		return false;
	m->faith *= SURE_EXIT;
	if (!add_hop(m, (struct revtr_hop){.address = exit->address, .technique = TECHNIQUE_INFERRED,
			.certainty = CERTAINTY_ASSUMED, .probability = 1, .seen_ns = engine->now_ns}))
		return false;
	step_made(m, last);
	follow_trace(engine, m, JOB_NONE);
	m->trace_place = -1;
	return true;
}

/* ---- the course of a measurement */

static void end(struct revtr_engine *engine, uint32_t index, enum revtr_stop stop)
{
	struct measurement_state *m = &engine->measurements[index];
	follow_trace(engine, m, JOB_NONE);
	m->stop = stop;
	m->over = true;
	m->finished_ns = engine->now_ns;
	m->next_finished = UINT32_MAX;
	if (engine->finished_first == UINT32_MAX)
		engine->finished_first = index;
	else
		engine->measurements[engine->finished_last].next_finished = index;
	engine->finished_last = index;
	engine->busy--;
}

static bool at_source(const struct revtr_engine *engine, const struct measurement_state *m)
{
	return m->hop_count > 0 && m->hops[m->hop_count - 1].address == engine->sources[m->source].address;
}

/* Somebody else in the prefix of the last hop, of whom more may be known. */
static bool by_sibling(struct revtr_engine *engine, struct measurement_state *m)
{
	const struct revtr_environment *environment = &engine->environment;
	m->sibling = 0;
	if (!engine->options.siblings || !environment->sibling || m->siblings >= SIBLINGS_MAX)
		return false;
	uint32_t last = address_at(m, last_known(m)), other;
	do
		other = environment->sibling(environment->context, last, m->siblings++);
	while (other != 0 && (other == last || on_path(m, other)));
	m->sibling = other;
	return other != 0;
}

/* The job that is to be asked next, or JOB_NONE after the measurement has ended. */
static uint32_t next_job(struct revtr_engine *engine, uint32_t index)
{
	struct measurement_state *m = &engine->measurements[index];
	if (m->sibling)
		return job_get(engine, JOB_RECORD_ROUTE, m->source, m->sibling, index);
	bool ask = engine->options.direct || engine->options.spoofed;
	if (ask && m->at >= m->segment)
		return job_get(engine, JOB_RECORD_ROUTE, m->source, address_at(m, m->at), index);
	if (m->trace != JOB_NONE)
		return m->trace;
	return job_get(engine, JOB_TRACE, m->source, address_at(m, last_known(m)), index);
}

/* Nothing that is measured goes on from here. false: that was all. */
static bool give_way(struct revtr_engine *engine, uint32_t index, enum revtr_stop stop)
{
	struct measurement_state *m = &engine->measurements[index];
	m->stop = stop; /* if nothing else helps */
	if (by_sibling(engine, m) || by_exit(engine, m))
		return true;
	end(engine, index, stop);
	return false;
}

/* One step with an answer that is there: false when the measurement has ended. */
static bool take_job(struct revtr_engine *engine, uint32_t index, uint32_t job_index)
{
	struct measurement_state *m = &engine->measurements[index];
	const struct job *job = &engine->jobs[job_index];
	enum revtr_stop stop;
	if (job->kind == JOB_RECORD_ROUTE) {
		m->rounds += job->rounds;
		if (job->found && by_chain(engine, m, job)) {
			follow_trace(engine, m, JOB_NONE);
			m->trace_place = -1;
			m->sibling = 0;
		} else if (m->sibling) {
			return give_way(engine, index, m->stop);
		} else {
			/* Whose turn is it then? One hop back in the same segment, or nobody's. */
			do
				m->at--;
			while (m->at >= MAX(m->segment, 0) && m->hops[m->at].address == 0);
		}
		return true;
	}
	follow_trace(engine, m, job_index);
	return by_symmetry(engine, m, job, &stop) || give_way(engine, index, stop);
}

void measurement_go_on(struct revtr_engine *engine, uint32_t index)
{
	uint32_t waited = engine->measurements[index].job;
	if (engine->measurements[index].over)
		return;
	engine->measurements[index].job = JOB_NONE;
	if (waited != JOB_NONE && !take_job(engine, index, waited))
		return;
	for (;;) {
		struct measurement_state *m = &engine->measurements[index];
		if (at_source(engine, m) || by_tree(engine, m)) {
			end(engine, index, at_source(engine, m) ? REVTR_REACHED : REVTR_TOO_LONG);
			return;
		}
		if (m->hop_count >= REVTR_HOPS_MAX - 1) {
			end(engine, index, REVTR_TOO_LONG);
			return;
		}
		uint32_t job = next_job(engine, index);
		if (job == JOB_NONE) {
			end(engine, index, REVTR_UNRESPONSIVE);
			return;
		}
		if (engine->jobs[job].stage != STAGE_DONE) {
			job_wait(engine, job, index);
			return;
		}
		if (!take_job(engine, index, job))
			return;
	}
}

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

int revtr_engine_submit(struct revtr_engine *engine, uint32_t source, struct addr destination, int64_t now_ns, uint32_t *id)
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

void revtr_engine_answer(struct revtr_engine *engine, const struct revtr_answer *answer, int64_t now_ns)
{
	engine->now_ns = MAX(engine->now_ns, now_ns);
	job_answer(engine, answer);
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
		.option_packets = m->option_packets,
		.trace_packets = m->trace_packets,
		.rounds = m->rounds,
		.started_ns = m->started_ns,
		.finished_ns = m->finished_ns,
	};
	return true;
}
