/* What is asked of agents: one job a target, its batches and their ends. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "revtr/engine_inside.h"

#define SWEEP 4

#define PINGS	     2 /* ways of equal cost may differ in length */
#define DIRECT_TRIES 16
#define DIRECT_WORTH 25 /* one in so many has to help */

/* ---- the table */

static uint32_t bucket_of(
	const struct revtr_engine *engine, enum job_kind kind, uint32_t source, uint32_t target)
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

/* `listed`: what a timestamp job asks for first. */
static uint32_t find(const struct revtr_engine *engine, enum job_kind kind, uint32_t source, uint32_t target,
	uint32_t listed)
{
	if (engine->bucket_count == 0)
		return JOB_NONE;
	uint32_t i = engine->buckets[bucket_of(engine, kind, source, target)];
	while (i != JOB_NONE &&
		(engine->jobs[i].kind != kind || engine->jobs[i].source != source ||
			engine->jobs[i].target != target ||
			(kind == JOB_TIMESTAMP && engine->jobs[i].chain[0] != listed)))
		i = engine->jobs[i].next_same;
	return i;
}

const struct job *job_known(
	const struct revtr_engine *engine, enum job_kind kind, uint32_t source, uint32_t target)
{
	uint32_t index = find(engine, kind, source, target, 0);
	return index == JOB_NONE ? NULL : &engine->jobs[index];
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
	engine->jobs[index] = (struct job){.source = source,
		.target = target,
		.kind = (uint8_t)kind,
		.next_same = engine->buckets[bucket]};
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
	engine->jobs[index] = (struct job){.source = source,
		.target = target,
		.kind = (uint8_t)kind,
		.next_same = engine->buckets[bucket]};
	engine->buckets[bucket] = index;
	return index;
}

/* ---- their time */

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

void job_set_timer(struct revtr_engine *engine, uint32_t index)
{
	struct job *job = &engine->jobs[index];
	const struct revtr_options *options = &engine->options;
	int64_t wait_ns = job->stage == STAGE_DIRECT || job->stage == STAGE_PING ? options->direct_wait_ns
		: job->stage != STAGE_TRACE					 ? options->spoofed_wait_ns
										 : options->trace_wait_ns;
	job->deadline_ns = engine->now_ns + wait_ns;
	/* One of an earlier batch, which ended early, may still be there: it is put in anew when its turn
	 * comes. */
	if (!job->in_timer)
		arm(engine, index);
}

/* ---- the course of a job */

void job_finish(struct revtr_engine *engine, uint32_t index)
{
	struct job *job = &engine->jobs[index];
	uint32_t waiter = job->first_waiter;
	/* Where nobody's packets come home, silence says nothing about targets. */
	if (job->kind == JOB_RECORD_ROUTE && job->answered == 0 && job->silent > 0 &&
		engine->sources[job->source].answered > 0)
		budget_silent(&engine->budget, job->target, job->silent, engine->now_ns);
	job->stage = STAGE_DONE;
	job->finished_ns = engine->now_ns;
	job->first_waiter = JOB_NONE;
	free(job->ranked);
	free(job->unplaced);
	job->ranked = NULL;
	job->unplaced = NULL;
	while (waiter != JOB_NONE) {
		uint32_t next = engine->measurements[waiter].next_waiter;
		measurement_go_on(engine, waiter);
		waiter = next;
	}
	job = &engine->jobs[index];
	if (job->disturbed && !job->found && !job->reached)
		job->finished_ns -= engine->options.ask_again_ns + 1;
}

static bool usable(const struct revtr_engine *engine, const struct job *job, uint32_t site)
{
	const struct revtr_site *s = &engine->environment.sites[site];
	return s->may_spoof && s->agent != engine->sources[job->source].agent &&
		!engine->sources[job->source].deaf;
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
	while (options->spoofed && !give_up(engine, job) && sent < options->batch &&
		job->ranked_next < job->ranked_count && job->asked < options->spoofers_max) {
		bool near = job->ranked_next < job->near;
		uint32_t site = job->ranked[job->ranked_next++];
		if (!usable(engine, job, site) || (!near && job->asked_far >= job->far_max))
			continue;
		job->asked_far = (uint16_t)(job->asked_far + !near);
		if (!job_enqueue(engine,
			    (struct ready){.job = index,
				    .site = site,
				    .agent = engine->environment.sites[site].agent,
				    .spoofed = true}))
			break;
		job->asked++;
		sent++;
	}
	if (sent > 0)
		job->rounds++;
	else if (!quote_ask(engine, index))
		job_finish(engine, index);
}

/* How far is the host that the source's own packets reach? Routers have an address for themselves. */
static bool ping(struct revtr_engine *engine, uint32_t index)
{
	struct job *job = &engine->jobs[index];
	struct ready ready = {.job = index, .agent = engine->sources[job->source].agent, .probe = REVTR_PING};
	if (!engine->options.ping || !engine->options.spoofed ||
		engine->measurements[job->payer].destination != job->target)
		return false;
	job->stage = STAGE_PING;
	for (unsigned i = 0; i < PINGS; i++)
		(void)job_enqueue(engine, ready);
	return job->outstanding > 0;
}

/* Whoever answers nothing without options does not with them. */
static bool is_silent(const struct revtr_engine *engine, const struct job *job)
{
	return job->stage == STAGE_PING && job->own_least < 0 && engine->sources[job->source].pings;
}

/* Agents in the source's name, and before that the source itself. */
static void ask_agents(struct revtr_engine *engine, uint32_t index)
{
	if (engine->jobs[index].stage != STAGE_DIRECT || !ping(engine, index))
		next_batch(engine, index);
}

void job_batch_over(struct revtr_engine *engine, uint32_t index)
{
	struct job *job = &engine->jobs[index];
	bool unwanted = job->first_waiter == JOB_NONE; /* those who wanted to know were cancelled */
	job->disturbed |= unwanted;
	if (unwanted || (job->refused && !job->found))
		job_finish(engine, index);
	else if (job->kind == JOB_TIMESTAMP)
		timestamp_end(engine, index);
	else if (job->kind == JOB_TRACE || job->found || is_silent(engine, job))
		job_finish(engine, index);
	else if (engine->options.differ || !quote_ask(engine, index))
		ask_agents(engine, index);
}

static bool rank(struct revtr_engine *engine, struct job *job)
{
	job->ranked = malloc(RANK_MAX * sizeof(*job->ranked));
	if (!job->ranked)
		return false;
	unsigned near;
	job->ranked_count = (uint8_t)ingress_rank(engine->environment.ingress, addr_v4(job->target),
		engine->options.order, job->target, job->ranked, RANK_MAX, &near);
	job->near = (uint8_t)near;
	job->far_max = (uint8_t)(ingress_find(engine->environment.ingress, addr_v4(job->target))
			? engine->options.far_max
			: engine->options.unknown_max);
	return true;
}

/* A source far from everybody learns soon that its own packets are in vain; now and then it tries again. */
static bool direct_pays(const struct revtr_engine *engine, const struct job *job)
{
	const struct source_state *source = &engine->sources[job->source];
	return engine->options.direct_always || source->direct_asked < DIRECT_TRIES ||
		source->direct_found * DIRECT_WORTH >= source->direct_asked ||
		job->target % DIRECT_TRIES == 0;
}

/* Its network's owner, or the day's budget, or that nobody ever hears of it. */
static bool may_ask(const struct revtr_engine *engine, struct job *job)
{
	const struct revtr_environment *environment = &engine->environment;
	uint32_t asn = environment->asn(environment->context, job->target);
	job->refused = environment->may_ask && !environment->may_ask(environment->context, asn, job->target);
	return !job->refused && !budget_dead(&engine->budget, job->target, engine->now_ns);
}

static void begin(struct revtr_engine *engine, uint32_t index)
{
	struct job *job = &engine->jobs[index];
	uint32_t agent = engine->sources[job->source].agent;
	job->first_waiter = JOB_NONE;
	job->left = job->own_least = job->own_most = -1;
	if (job->kind == JOB_TRACE) {
		job->stage = STAGE_TRACE;
		if (!job_enqueue(
			    engine, (struct ready){.job = index, .agent = agent, .probe = REVTR_TRACEROUTE}))
			job_finish(engine, index);
		return;
	}
	job->stage = STAGE_DIRECT;
	if (!may_ask(engine, job)) {
		job_finish(engine, index);
		return;
	}
	if (job->kind == JOB_TIMESTAMP) {
		timestamp_begin(engine, index);
		return;
	}
	bool direct = engine->options.direct && direct_pays(engine, job);
	engine->sources[job->source].direct_asked += direct;
	if (!rank(engine, job)) {
		job_finish(engine, index);
		return;
	}
	if (!direct || !job_enqueue(engine, (struct ready){.job = index, .agent = agent}))
		ask_agents(engine, index);
}

/* What it found, or that there was nothing to be found by those who were there. */
static bool still_holds(const struct revtr_engine *engine, const struct job *job)
{
	bool in_vain = job->kind == JOB_RECORD_ROUTE && !job->found && job->finished_ns <= engine->agents_ns;
	return !in_vain && engine->now_ns - job->finished_ns <= engine->options.ask_again_ns;
}

uint32_t job_get(
	struct revtr_engine *engine, enum job_kind kind, uint32_t source, uint32_t target, uint32_t payer)
{
	uint32_t listed = engine->measurements[payer].listed[0];
	uint32_t index = engine->options.share ? find(engine, kind, source, target, listed) : JOB_NONE;
	if (index != JOB_NONE) {
		struct job *job = &engine->jobs[index];
		if (job->stage != STAGE_DONE || still_holds(engine, job))
			return index;
		if (job->readers > 0)
			return index;
		free(job->routers);
		*job = (struct job){.source = source,
			.target = target,
			.kind = (uint8_t)kind,
			.next_same = job->next_same,
			.next_timer = job->next_timer,
			.in_timer = job->in_timer,
			.timer_ns = job->timer_ns};
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

void job_expire(struct revtr_engine *engine)
{
	for (int stage = 0; stage < STAGE_COUNT; stage++) {
		uint32_t index;
		while ((index = engine->timers[stage].first) != JOB_NONE &&
			engine->jobs[index].timer_ns <= engine->now_ns) {
			struct job *job = &engine->jobs[index];
			engine->timers[stage].first = job->next_timer;
			job->in_timer = false;
			if (job->stage == STAGE_DONE || job->queued > 0 || job->outstanding == 0)
				continue;
			if (job->deadline_ns > engine->now_ns) {
				arm(engine, index);
				continue;
			}
			/* Many refuse nothing, and answer pings; and a ping has no options. */
			if (job->stage != STAGE_QUOTE && job->stage != STAGE_PING)
				job->silent = (uint16_t)(job->silent + job->outstanding);
			job->outstanding = 0;
			job_batch_over(engine, index);
		}
	}
}
