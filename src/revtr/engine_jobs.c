/* What is asked of agents: one job a target, its batches and their ends. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "revtr/engine_inside.h"

#define SENT_AT_FIRST 1024
#define SWEEP	      4

#define TASK_MAX 0x7fffffffu

#define DIRECT_TRIES 16
#define DIRECT_WORTH 25 /* one in so many has to help */

/* ---- the table */

static uint32_t bucket_of(const struct revtr_engine *engine, enum job_kind kind, uint32_t source, uint32_t target)
{
	uint64_t key = ((uint64_t)target << 20) ^ ((uint64_t)source << 1) ^ (uint64_t)kind;
	return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 40) & (engine->bucket_count - 1);
}

static bool grow_buckets(struct revtr_engine *engine)
{
	if (engine->job_count < engine->bucket_count)
		return true;
	uint32_t count = engine->bucket_count ? 2 * engine->bucket_count : 1024;
	uint32_t *buckets = realloc(engine->buckets, count * sizeof(*buckets));
	if (!buckets)
		return false;
	engine->buckets = buckets;
	engine->bucket_count = count;
	memset(buckets, 0xff, count * sizeof(*buckets));
	for (uint32_t i = 0; i < engine->job_count; i++) {
		struct job *job = &engine->jobs[i];
		if (job->target == 0)
			continue; /* on the free list */
		uint32_t bucket = bucket_of(engine, job->kind, job->source, job->target);
		job->next_same = buckets[bucket];
		buckets[bucket] = i;
	}
	return true;
}

static uint32_t find(const struct revtr_engine *engine, enum job_kind kind, uint32_t source, uint32_t target)
{
	if (engine->bucket_count == 0)
		return JOB_NONE;
	uint32_t i = engine->buckets[bucket_of(engine, kind, source, target)];
	while (i != JOB_NONE && (engine->jobs[i].kind != kind || engine->jobs[i].source != source ||
					engine->jobs[i].target != target))
		i = engine->jobs[i].next_same;
	return i;
}

/* What it found is in the tree, and what it did not find may be looked for again. */
static bool forgettable(const struct revtr_engine *engine, const struct job *job)
{
	return job->stage == STAGE_DONE && !job->in_timer && job->target != 0 && job->readers == 0 &&
		engine->now_ns - job->finished_ns > engine->options.ask_again_ns;
}

static void forget(struct revtr_engine *engine, uint32_t index)
{
	struct job *job = &engine->jobs[index];
	uint32_t *place = &engine->buckets[bucket_of(engine, job->kind, job->source, job->target)];
	while (*place != index)
		place = &engine->jobs[*place].next_same;
	*place = job->next_same;
	free(job->routers);
	*job = (struct job){.stage = STAGE_DONE, .next_same = engine->free_job};
	engine->free_job = index;
}

/* A few at a time, so that memory is bounded by what is asked within that time, and no call takes long. */
static void sweep(struct revtr_engine *engine)
{
	for (int i = 0; i < SWEEP && engine->job_count > 0; i++) {
		engine->job_sweep = (engine->job_sweep + 1) % engine->job_count;
		if (forgettable(engine, &engine->jobs[engine->job_sweep]))
			forget(engine, engine->job_sweep);
	}
}

static uint32_t use_again(struct revtr_engine *engine, enum job_kind kind, uint32_t source, uint32_t target)
{
	uint32_t index = engine->free_job;
	uint32_t bucket = bucket_of(engine, kind, source, target);
	engine->free_job = engine->jobs[index].next_same;
	engine->jobs[index] = (struct job){
		.source = source, .target = target, .kind = kind, .next_same = engine->buckets[bucket]};
	engine->buckets[bucket] = index;
	return index;
}

static uint32_t add(struct revtr_engine *engine, enum job_kind kind, uint32_t source, uint32_t target)
{
	sweep(engine);
	if (engine->free_job != JOB_NONE)
		return use_again(engine, kind, source, target);
	if (!grow_buckets(engine))
		return JOB_NONE;
	if (engine->job_count == engine->job_room) {
		uint32_t room = engine->job_room ? 2 * engine->job_room : 1024;
		struct job *jobs = realloc(engine->jobs, room * sizeof(*jobs));
		if (!jobs)
			return JOB_NONE;
		engine->jobs = jobs;
		engine->job_room = room;
	}
	uint32_t index = engine->job_count++, bucket = bucket_of(engine, kind, source, target);
	engine->jobs[index] = (struct job){
		.source = source, .target = target, .kind = kind, .next_same = engine->buckets[bucket]};
	engine->buckets[bucket] = index;
	return index;
}

/* ---- packets wait for their agents */

static bool enqueue(struct revtr_engine *engine, uint32_t agent, struct ready ready)
{
	struct agent_state *state = &engine->agents[agent];
	if (state->count == state->room) {
		unsigned room = state->room ? 2 * state->room : 16;
		struct ready *queue = malloc(room * sizeof(*queue));
		if (!queue)
			return false;
		for (unsigned i = 0; i < state->count; i++)
			queue[i] = state->queue[(state->first + i) % state->room];
		free(state->queue);
		*state = (struct agent_state){queue, 0, state->count, room, state->free_ns};
	}
	state->queue[(state->first + state->count++) % state->room] = ready;
	struct job *job = &engine->jobs[ready.job];
	job->queued++;
	job->outstanding++;
	return true;
}

/* Waits are equal within a stage, so a queue for each is in order of time. */
static void arm(struct revtr_engine *engine, uint32_t index)
{
	struct job *job = &engine->jobs[index];
	job->in_timer = true;
	job->timer_ns = job->deadline_ns;
	job->next_timer = JOB_NONE;
	if (engine->timers[job->stage].first == JOB_NONE)
		engine->timers[job->stage].first = index;
	else
		engine->jobs[engine->timers[job->stage].last].next_timer = index;
	engine->timers[job->stage].last = index;
}

static void set_timer(struct revtr_engine *engine, uint32_t index)
{
	struct job *job = &engine->jobs[index];
	const struct revtr_options *options = &engine->options;
	int64_t wait_ns = job->stage == STAGE_DIRECT ? options->direct_wait_ns :
		job->stage == STAGE_SPOOFED	     ? options->spoofed_wait_ns :
						       options->trace_wait_ns;
	job->deadline_ns = engine->now_ns + wait_ns;
	/* One of an earlier batch, which ended early, may still be there: it is put in anew when its turn comes. */
	if (!job->in_timer)
		arm(engine, index);
}

/* ---- the course of a job */

static void finish(struct revtr_engine *engine, uint32_t index)
{
	struct job *job = &engine->jobs[index];
	uint32_t waiter = job->first_waiter;
	job->stage = STAGE_DONE;
	job->finished_ns = engine->now_ns;
	job->first_waiter = JOB_NONE;
	free(job->ranked);
	job->ranked = NULL;
	while (waiter != JOB_NONE) {
		uint32_t next = engine->measurements[waiter].next_waiter;
		measurement_go_on(engine, waiter);
		waiter = next;
	}
}

static bool usable(const struct revtr_engine *engine, const struct job *job, uint32_t site)
{
	const struct revtr_site *s = &engine->environment.sites[site];
	return s->may_spoof && s->agent != engine->sources[job->source].agent;
}

static bool give_up(const struct revtr_engine *engine, const struct job *job)
{
	return job->asked >= engine->options.spoofers_max ||
		(job->answered == 0 && job->silent >= engine->options.silent_max);
}

/* The next agents that have not been asked; none left: it is over. */
static void next_batch(struct revtr_engine *engine, uint32_t index)
{
	struct job *job = &engine->jobs[index];
	const struct revtr_options *options = &engine->options;
	unsigned sent = 0;
	job->stage = STAGE_SPOOFED;
	while (options->spoofed && !give_up(engine, job) && sent < options->batch && job->ranked_next < job->ranked_count &&
		job->asked < options->spoofers_max) {
		bool near = job->ranked_next < job->near;
		uint32_t site = job->ranked[job->ranked_next++];
		if (!usable(engine, job, site) || (!near && job->asked_far >= options->far_max))
			continue;
		job->asked_far += !near;
		if (!enqueue(engine, engine->environment.sites[site].agent, (struct ready){index, site, true}))
			break;
		job->asked++;
		sent++;
	}
	if (sent == 0) {
		finish(engine, index);
		return;
	}
	job->rounds++;
}

static void end_of_batch(struct revtr_engine *engine, uint32_t index)
{
	struct job *job = &engine->jobs[index];
	if (job->kind == JOB_TRACE || job->found)
		finish(engine, index);
	else
		next_batch(engine, index);
}

static bool rank(struct revtr_engine *engine, struct job *job)
{
	job->ranked = malloc(RANK_MAX * sizeof(*job->ranked));
	if (!job->ranked)
		return false;
	job->ranked_count = ingress_rank(engine->environment.ingress, addr_v4(job->target), engine->options.order,
		job->target, job->ranked, RANK_MAX, &job->near);
	return true;
}

/* A source far from everybody learns soon that its own packets are in vain; now and then it tries again. */
static bool direct_pays(const struct revtr_engine *engine, const struct job *job)
{
	const struct source_state *source = &engine->sources[job->source];
	return engine->options.direct_always || source->direct_asked < DIRECT_TRIES ||
		source->direct_found * DIRECT_WORTH >= source->direct_asked || job->target % DIRECT_TRIES == 0;
}

static void begin(struct revtr_engine *engine, uint32_t index)
{
	struct job *job = &engine->jobs[index];
	uint32_t agent = engine->sources[job->source].agent;
	job->first_waiter = JOB_NONE;
	if (job->kind == JOB_TRACE) {
		job->stage = STAGE_TRACE;
		if (!enqueue(engine, agent, (struct ready){index, 0, false}))
			finish(engine, index);
		return;
	}
	job->stage = STAGE_DIRECT;
	bool direct = engine->options.direct && direct_pays(engine, job);
	engine->sources[job->source].direct_asked += direct;
	if (!rank(engine, job)) {
		finish(engine, index);
		return;
	}
	if (!direct || !enqueue(engine, agent, (struct ready){index, 0, false}))
		next_batch(engine, index);
}

uint32_t job_get(struct revtr_engine *engine, enum job_kind kind, uint32_t source, uint32_t target, uint32_t payer)
{
	uint32_t index = engine->options.share ? find(engine, kind, source, target) : JOB_NONE;
	if (index != JOB_NONE) {
		struct job *job = &engine->jobs[index];
		if (job->stage != STAGE_DONE || engine->now_ns - job->finished_ns <= engine->options.ask_again_ns)
			return index;
		if (job->readers > 0)
			return index;
		free(job->routers);
		*job = (struct job){.source = source, .target = target, .kind = kind, .next_same = job->next_same,
			.next_timer = job->next_timer, .in_timer = job->in_timer, .timer_ns = job->timer_ns};
	} else {
		index = add(engine, kind, source, target);
	}
	if (index == JOB_NONE)
		return JOB_NONE;
	engine->jobs[index].payer = payer;
	begin(engine, index);
	return index;
}

void job_wait(struct revtr_engine *engine, uint32_t job, uint32_t measurement)
{
	engine->measurements[measurement].job = job;
	engine->measurements[measurement].next_waiter = engine->jobs[job].first_waiter;
	engine->jobs[job].first_waiter = measurement;
}

/* ---- sending */

static bool remember(struct revtr_engine *engine, const struct sent *sent)
{
	if (engine->sent_room == 0) {
		engine->sent = calloc(SENT_AT_FIRST, sizeof(*engine->sent));
		engine->sent_room = engine->sent ? SENT_AT_FIRST : 0;
	}
	struct sent *slot = engine->sent_room ? &engine->sent[sent->id & (engine->sent_room - 1)] : NULL;
	/* Somebody's answer is still awaited at this place: more room. */
	if (slot && slot->id != 0 && engine->sent_room < (1u << 22)) {
		struct sent *longer = calloc(2 * (size_t)engine->sent_room, sizeof(*longer));
		if (!longer)
			return false;
		for (uint32_t i = 0; i < engine->sent_room; i++)
			if (engine->sent[i].id)
				longer[engine->sent[i].id & (2 * engine->sent_room - 1)] = engine->sent[i];
		free(engine->sent);
		engine->sent = longer;
		engine->sent_room *= 2;
		slot = &engine->sent[sent->id & (engine->sent_room - 1)];
	}
	if (slot)
		*slot = *sent;
	return slot;
}

static void charge(struct revtr_engine *engine, const struct job *job)
{
	struct measurement_state *payer = &engine->measurements[job->payer];
	if (job->kind == JOB_TRACE)
		payer->trace_packets++;
	else
		payer->option_packets++;
}

static void send(struct revtr_engine *engine, uint32_t agent, struct revtr_task *task)
{
	struct agent_state *state = &engine->agents[agent];
	struct ready ready = state->queue[state->first];
	struct job *job = &engine->jobs[ready.job];
	state->first = (state->first + 1) % state->room;
	state->count--;
	state->free_ns = MAX(state->free_ns, engine->now_ns) +
		(int64_t)((double)NS_PER_S / engine->options.agent_per_second);
	engine->task_count = engine->task_count >= TASK_MAX ? 1 : engine->task_count + 1;
	*task = (struct revtr_task){
		.id = engine->task_count,
		.probe = job->kind == JOB_TRACE ? REVTR_TRACEROUTE : REVTR_RR_PING,
		.agent = agent,
		.source = job->source,
		.spoofed = ready.spoofed,
		.target = addr_v4(job->target),
	};
	(void)remember(engine, &(struct sent){task->id, ready.job, job->target, ready.site, job->stage, ready.spoofed});
	charge(engine, job);
	if (--job->queued == 0)
		set_timer(engine, ready.job);
}

bool job_next(struct revtr_engine *engine, struct revtr_task *task, int64_t *wake_ns)
{
	*wake_ns = TIME_NEVER;
	for (uint32_t i = 0; i < engine->agent_count; i++) {
		uint32_t agent = (engine->agent_turn + i) % engine->agent_count;
		struct agent_state *state = &engine->agents[agent];
		if (state->count == 0)
			continue;
		/* A burst of a tenth of a second may leave at once. */
		if (state->free_ns > engine->now_ns + NS_PER_S / 10) {
			*wake_ns = MIN(*wake_ns, state->free_ns - NS_PER_S / 10);
			continue;
		}
		engine->agent_turn = agent + 1;
		send(engine, agent, task);
		return true;
	}
	for (int stage = 0; stage < STAGE_COUNT; stage++)
		if (engine->timers[stage].first != JOB_NONE)
			*wake_ns = MIN(*wake_ns, MAX(engine->jobs[engine->timers[stage].first].timer_ns, engine->now_ns + 1));
	return false;
}

/* ---- answers */

static bool better(const struct job *job, const struct revtr_list *list)
{
	if (!job->found || job->certain != list->certain)
		return !job->found || list->certain;
	if (job->home != list->home)
		return list->home;
	return list->count > job->chain_count;
}

static void take_list(struct revtr_engine *engine, struct job *job, const struct revtr_answer *answer, bool spoofed)
{
	struct source_state *source = &engine->sources[job->source];
	struct revtr_list list;
	unsigned known = 0;
	revtr_read_list(answer, addr_v4(job->target), addr_v4(source->address), engine->options.heuristics, &list);
	for (unsigned i = 0; i < list.count; i++)
		known += list.hops[i] != 0;
	if (known == 0)
		return;
	source->direct_found += !spoofed;
	if (better(job, &list)) {
		memcpy(job->chain, list.hops, sizeof(job->chain));
		job->chain_count = list.count;
		job->found = true;
		job->home = list.home;
		job->certain = list.certain;
		job->spoofed = spoofed;
		job->evidence = answer->task;
	}
	uint32_t chain[CHAIN_MAX + 1] = {job->target};
	memcpy(chain + 1, list.hops, list.count * sizeof(*chain));
	/* Without memory it is merely not shared. */
	if (engine->options.share && tree_add_chain(&source->tree, chain, list.count + 1, spoofed, answer->task, engine->now_ns) < 0)
		return;
	source_learn(engine, job->source, chain, list.count + 1);
}

static void take_trace(struct job *job, const struct revtr_answer *answer)
{
	job->routers = calloc(answer->trace_count + 1, sizeof(*job->routers));
	if (!job->routers)
		return;
	for (unsigned i = 0; i < answer->trace_count; i++)
		job->routers[i] = answer->trace[i].family == 4 ? (uint32_t)answer->trace[i].low : 0;
	job->router_count = answer->trace_count;
	job->reached = answer->reached;
}

void job_answer(struct revtr_engine *engine, const struct revtr_answer *answer)
{
	struct sent *slot = engine->sent_room ? &engine->sent[answer->task & (engine->sent_room - 1)] : NULL;
	if (!slot || answer->task == 0 || slot->id != answer->task)
		return;
	struct sent sent = *slot;
	struct job *job = &engine->jobs[sent.job];
	slot->id = 0;
	if (job->target != sent.target)
		return; /* it has been forgotten meanwhile */
	/* Late: its batch is over. What it says is still worth having. */
	bool late = job->stage != sent.stage || job->outstanding == 0;
	if (job->kind == JOB_RECORD_ROUTE && answer->answered) {
		job->answered++;
		take_list(engine, job, answer, sent.spoofed);
	} else if (job->kind == JOB_TRACE && !late) {
		take_trace(job, answer);
	} else if (!answer->answered) {
		job->silent++;
	}
	if (!late && --job->outstanding == 0 && job->queued == 0)
		end_of_batch(engine, sent.job);
}

void job_expire(struct revtr_engine *engine)
{
	for (int stage = 0; stage < STAGE_COUNT; stage++) {
		uint32_t index;
		while ((index = engine->timers[stage].first) != JOB_NONE && engine->jobs[index].timer_ns <= engine->now_ns) {
			struct job *job = &engine->jobs[index];
			engine->timers[stage].first = job->next_timer;
			job->in_timer = false;
			if (job->stage == STAGE_DONE || job->queued > 0 || job->outstanding == 0)
				continue;
			if (job->deadline_ns > engine->now_ns) {
				arm(engine, index);
				continue;
			}
			job->silent += job->outstanding;
			job->outstanding = 0;
			end_of_batch(engine, index);
		}
	}
}
