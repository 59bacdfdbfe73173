/* Packets on their way out: each waits until all its budgets allow it. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "revtr/engine_inside.h"

#define SENT_AT_FIRST  1024
#define SHARED_LEAD_NS (1500 * NS_PER_MS) /* what waits for an agent counts only behind that */
#define LATE_MAX_NS    (10 * NS_PER_MS)

/* ---- what waits, the earliest first: a heap */

static bool earlier(const struct ready *a, const struct ready *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->number < b->number;
}

static void swap(struct ready *a, struct ready *b)
{
	struct ready kept = *a;
	*a = *b;
	*b = kept;
}

static void sift_up(struct ready *heap, uint32_t i)
{
	for (; i > 0 && earlier(&heap[i], &heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&heap[i], &heap[(i - 1) / 2]);
}

static void sift_down(struct ready *heap, uint32_t count)
{
	for (uint32_t i = 0;;) {
		uint32_t least = i;
		for (uint32_t child = 2 * i + 1; child <= 2 * i + 2 && child < count; child++)
			if (earlier(&heap[child], &heap[least]))
				least = child;
		if (least == i)
			return;
		swap(&heap[i], &heap[least]);
		i = least;
	}
}

/* Budgets go by a clock that stands still while the caller is late, so that what was held up does not leave
 * in one burst. */
static int64_t budget_now(const struct revtr_engine *engine)
{
	return engine->now_ns - engine->lag_ns;
}

static bool has_options(enum revtr_probe probe)
{
	return probe != REVTR_TRACEROUTE && probe != REVTR_PING;
}

bool job_enqueue(struct revtr_engine *engine, struct ready ready)
{
	struct job *job = &engine->jobs[ready.job];
	if (engine->ready_count == engine->ready_room) {
		uint32_t room = engine->ready_room ? 2 * engine->ready_room : 64;
		struct ready *longer = realloc(engine->ready, room * sizeof(*longer));
		if (!longer)
			return false;
		engine->ready = longer;
		engine->ready_room = room;
	}
	struct budget_packet packet = {job->target, job->source, ready.agent};
	/* Traceroutes are for their agent only, who keeps to his own limits. */
	ready.at_ns = budget_now(engine);
	if (job->kind != JOB_TRACE)
		ready.at_ns = budget_take(&engine->budget, &packet, ready.at_ns);
	ready.number = engine->ready_number++;
	engine->ready[engine->ready_count] = ready;
	sift_up(engine->ready, engine->ready_count++);
	if (job->outstanding == 0)
		job->batch_from = engine->task_count + 1;
	job->queued++;
	job->outstanding++;
	return true;
}

/* ---- sending */

/* Does somebody still wait for its answer? */
static bool awaited(const struct revtr_engine *engine, const struct sent *sent)
{
	const struct job *job = &engine->jobs[sent->job];
	return sent->id != 0 && job->target == sent->target && job->stage == sent->stage &&
		job->outstanding > 0;
}

static bool remember(struct revtr_engine *engine, const struct sent *sent)
{
	if (engine->sent_room == 0) {
		engine->sent = calloc(SENT_AT_FIRST, sizeof(*engine->sent));
		engine->sent_room = engine->sent ? SENT_AT_FIRST : 0;
	}
	struct sent *slot = engine->sent_room ? &engine->sent[sent->id & (engine->sent_room - 1)] : NULL;
	/* Somebody's answer is still awaited at this place: more room. */
	if (slot && awaited(engine, slot) && engine->sent_room < (1u << 22)) {
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

static void charge(struct revtr_engine *engine, const struct job *job, enum revtr_probe probe)
{
	struct measurement_state *payer = &engine->measurements[job->payer];
	payer->trace_packets += probe == REVTR_TRACEROUTE;
	payer->option_packets += has_options(probe);
}

static struct ready take_first(struct revtr_engine *engine)
{
	struct ready ready = engine->ready[0];
	engine->ready[0] = engine->ready[--engine->ready_count];
	sift_down(engine->ready, engine->ready_count);
	return ready;
}

/* Those who wanted to know were cancelled. */
static bool is_unwanted(const struct revtr_engine *engine, const struct ready *ready)
{
	return engine->jobs[ready->job].first_waiter == JOB_NONE;
}

static void drop(struct revtr_engine *engine)
{
	uint32_t index = take_first(engine).job;
	struct job *job = &engine->jobs[index];
	job->disturbed = true;
	job->queued--;
	if (--job->outstanding == 0)
		job_finish(engine, index);
	else if (job->queued == 0)
		job_set_timer(engine, index);
}

static void send(struct revtr_engine *engine, struct revtr_task *task)
{
	struct ready ready = take_first(engine);
	struct job *job = &engine->jobs[ready.job];
	engine->task_count = engine->task_count >= REVTR_TASK_MAX ? 1 : engine->task_count + 1;
	*task = (struct revtr_task){
		.id = engine->task_count,
		.probe = ready.probe,
		.agent = ready.agent,
		.source = job->source,
		.spoofed = ready.spoofed,
		.target = addr_v4(job->target),
	};
	if (job->kind == JOB_TIMESTAMP)
		timestamp_list(job, task);
	(void)remember(engine,
		&(struct sent){task->id, ready.job, job->target, ready.site, ready.agent, job->stage,
			ready.spoofed});
	charge(engine, job, ready.probe);
	if (--job->queued == 0)
		job_set_timer(engine, ready.job);
}

int64_t revtr_engine_backlog(const struct revtr_engine *engine, uint32_t source)
{
	const struct budget *budget = &engine->budget;
	int64_t now_ns = budget_now(engine), agents_ns = 0;
	int64_t own_ns = MAX(budget_backlog(budget, BUDGET_SOURCE, source, now_ns),
		budget_backlog(budget, BUDGET_AGENT, engine->sources[source].agent, now_ns));
	/* Those that all sources share: some are asked more than others, and are not to hold up everybody. */
	for (unsigned i = 0; i < engine->environment.site_count; i++)
		if (engine->environment.sites[i].may_spoof)
			agents_ns = MAX(agents_ns,
				budget_backlog(
					budget, BUDGET_AGENT, engine->environment.sites[i].agent, now_ns));
	return MAX(own_ns, agents_ns - SHARED_LEAD_NS);
}

bool job_next(struct revtr_engine *engine, struct revtr_task *task, int64_t *wake_ns)
{
	*wake_ns = TIME_NEVER;
	while (engine->ready_count > 0 && is_unwanted(engine, &engine->ready[0]))
		drop(engine);
	if (engine->ready_count > 0) {
		int64_t at_ns = engine->ready[0].at_ns;
		engine->lag_ns = MAX(engine->lag_ns, engine->now_ns - at_ns - LATE_MAX_NS);
		if (at_ns <= budget_now(engine)) {
			send(engine, task);
			return true;
		}
		*wake_ns = at_ns + engine->lag_ns;
	}
	for (int stage = 0; stage < STAGE_COUNT; stage++)
		if (engine->timers[stage].first != JOB_NONE)
			*wake_ns = MIN(*wake_ns,
				MAX(engine->jobs[engine->timers[stage].first].timer_ns, engine->now_ns + 1));
	return false;
}
