/* The Timestamp option with prespecified addresses (RFC 791 3.1, flag 3) where Record Route says nothing.
 *
 * Theory of operation
 *
 * A ping lists its target and then routers; each stamps only when it is its turn. So a router behind the
 * target in the list that has stamped was passed after the target: on the way back. Unlike Record Route
 * that works at any distance, as long as the target lets options through; but it confirms only what one
 * thinks of. What is thought of is the way there: the routers before the last hop, nearest first, as many
 * as the list has room for. So before the way back is assumed to be the way there, or ends at a border
 * where it must not be assumed, one packet asks.
 *
 * Who is pinged: the destination if it is known to answer options, else the nearest to it of the hops
 * since. The nearer to the destination the target, the more is shown: what stamps behind the destination
 * is on its way, whatever was assumed between.
 *
 *   no stamp at all   the target answers and does not stamp (a sixth of all hosts): the next one is pinged
 *   one stamp         the target's own: the router is not on the way back, or it is one that does not
 *                     stamp. Before it is assumed all the same, it is pinged itself: one that stamps then
 *                     is not on the way back
 *   more              the way back passes them in this order. Others may be between.
 *
 * The target is listed once, so one that stamps twice uses up nothing. A router stamps when the address is
 * any of its own, or, some of them, only that of the interface by which the packet leaves. Some targets
 * take every address for their own. Where the stamps are hardly apart, the target is pinged once more,
 * with an address that nobody has: if that is stamped, too, nothing is believed. */
#include "revtr/engine_inside.h"

#define NOBODY                                                                                               \
	0xf0000001u /* 240.0.0.1: reserved (RFC 1112 4), and no broadcast address, which Linux stamps */
#define DOUBT_MS     3
#define TRIES	     32
#define WORTH	     8		 /* one in so many has to show something */
#define RELIABLE     12		 /* one in so many may be silent */
#define NOT_STANDARD 0x80000000u /* RFC 791 3.1: not ms since midnight */

/* How often such a hop is on the way, in worlds whose truth is known (docs/benchmarks.md). */
#define SURE_TIMES 0.999f

/* ---- one question */

/* It let a list through, or it was not asked for one, as the source is too far for that: that does not matter
 * here. */
static const struct job *askable(const struct revtr_engine *engine, uint32_t source, uint32_t target)
{
	const struct job *job = target ? job_known(engine, JOB_RECORD_ROUTE, source, target) : NULL;
	bool unasked =
		job && engine->options.direct && job->answered == 0 && job->silent == 0 && !job->refused;
	return job && (job->heard || unasked) ? job : NULL;
}

/* By whom an answer was heard; else by the source itself. */
static void ask(struct revtr_engine *engine, uint32_t index)
{
	struct job *job = &engine->jobs[index];
	const struct job *list = askable(engine, job->source, job->target);
	struct ready ready = {
		.job = index, .agent = engine->sources[job->source].agent, .probe = REVTR_TS_PING};
	if (list && list->heard) {
		ready.agent = list->heard_agent;
		ready.spoofed = list->heard_spoofed;
	}
	job->spoofed = ready.spoofed;
	if ((!list && job->listed_count > 0) || !job_enqueue(engine, ready))
		job_finish(engine, index);
}

void timestamp_begin(struct revtr_engine *engine, uint32_t index)
{
	struct job *job = &engine->jobs[index];
	const struct measurement_state *m = &engine->measurements[job->payer];
	job->stage = STAGE_TIMESTAMP;
	job->listed_count = (uint8_t)m->listed_count;
	for (unsigned i = 0; i < m->listed_count; i++)
		job->chain[i] = m->listed[i];
	ask(engine, index);
}

void timestamp_list(const struct job *job, struct revtr_task *task)
{
	task->listed[task->listed_count++] = addr_v4(job->target);
	if (job->checking)
		task->listed[task->listed_count++] = addr_v4(NOBODY);
	for (unsigned i = 0; i < job->listed_count && !job->checking; i++)
		task->listed[task->listed_count++] = addr_v4(job->chain[i]);
}

/* How many have stamped, the target first; -1: it is not the list that was sent. */
static int stamps_of(const struct job *job, const struct revtr_answer *answer)
{
	const struct timestamp_option *times = &answer->times;
	struct revtr_task asked = {0};
	timestamp_list(job, &asked);
	if (!times->present || times->flag != 3 || times->slots != asked.listed_count ||
		times->used > times->slots)
		return -1;
	for (unsigned i = 0; i < asked.listed_count; i++)
		if (!addr_equal(times->addrs[i], asked.listed[i]))
			return -1;
	return times->used;
}

/* By one clock, perhaps. */
static bool hardly_apart(const struct timestamp_option *times)
{
	return (times->times[0] | times->times[1]) & NOT_STANDARD ||
		times->times[1] - times->times[0] <= DOUBT_MS;
}

void timestamp_answer(struct revtr_engine *engine, uint32_t index, const struct revtr_answer *answer)
{
	struct job *job = &engine->jobs[index];
	int stamps = stamps_of(job, answer);
	if (stamps < 0)
		return;
	if (job->checking) {
		job->doubted = stamps > 1;
		return;
	}
	job->stamped = stamps > 0;
	job->chain_count = (uint8_t)(stamps > 1 ? stamps - 1 : 0);
	job->doubted = stamps > 1 && hardly_apart(&answer->times);
	job->evidence = answer->task;
}

void timestamp_end(struct revtr_engine *engine, uint32_t index)
{
	struct job *job = &engine->jobs[index];
	if (job->doubted && !job->checking) {
		job->checking = true;
		ask(engine, index);
		return;
	}
	job->found = job->chain_count > 0 && !job->doubted;
	struct source_state *source = &engine->sources[job->source];
	source->times_asked += job->listed_count > 0;
	source->times_told += job->listed_count > 0 && job->stamped && !job->doubted;
	source->times_found += job->found;
	job_finish(engine, index);
}

/* ---- a measurement's step */

/* The next hop from `index` on that can be pinged; the last one and one more: none. */
static int next_target(const struct revtr_engine *engine, const struct measurement_state *m, int index)
{
	int last = hop_last_known(m);
	while (index <= last && !askable(engine, m->source, hop_address(m, index)))
		index++;
	return index;
}

/* Where routers do not stamp it is seldom tried. */
static bool pays(const struct source_state *source, uint32_t router)
{
	return source->times_asked < TRIES || source->times_found * WORTH >= source->times_asked ||
		router % TRIES == 0;
}

bool measurement_ask_times(struct revtr_engine *engine, struct measurement_state *m, const struct job *trace,
	int place, int before)
{
	int last = hop_last_known(m);
	if (!engine->options.timestamps || before < 0 || trace->routers[before] == m->unstamped ||
		!pays(&engine->sources[m->source], trace->routers[before]))
		return false;
	m->listed_at = next_target(engine, m, m->stampless - 1);
	if (m->listed_at > last)
		return false;
	m->listed_count = 0;
	m->listed_place = before;
	m->listed_silent = (unsigned)(place - 1 - before);
	for (int i = before; i >= 0 && trace->routers[i] != 0 && m->listed_count < REVTR_LISTED_MAX - 1; i--)
		m->listed[m->listed_count++] = trace->routers[i];
	return true;
}

static void note_unstamped(struct measurement_state *m, uint32_t router)
{
	m->unstamped = router;
	m->stamp_refuted = false;
}

/* Nearly all routers that were listed have stamped: then they do so for any of their addresses. */
static bool reliable(const struct source_state *source)
{
	return source->times_told >= TRIES &&
		RELIABLE * (source->times_told - source->times_found) <= source->times_told;
}

bool measurement_ask_stamp(struct revtr_engine *engine, struct measurement_state *m, uint32_t next)
{
	bool ask = engine->options.direct && next == m->unstamped && m->stamp_open &&
		reliable(&engine->sources[m->source]);
	m->stamp_open = false;
	m->stamp_asked = ask;
	m->listed[0] = 0;
	return ask;
}

static bool add_hops(struct revtr_engine *engine, struct measurement_state *m, const struct job *job)
{
	enum technique technique = job->spoofed ? TECHNIQUE_TIMESTAMP_SPOOFED : TECHNIQUE_TIMESTAMP;
	int last = hop_last_known(m);
	unsigned added = 0;
	if (m->listed_at < 0)
		m->faith = 1; /* on the destination's own way, whatever was assumed before */
	for (unsigned i = 0; i < m->listed_silent; i++)
		(void)hop_add(m,
			(struct revtr_hop){.technique = (uint8_t)technique, .certainty = CERTAINTY_ASSUMED});
	while (added < job->chain_count &&
		hop_add(m,
			(struct revtr_hop){.address = job->chain[added],
				.technique = (uint8_t)technique,
				.certainty = CERTAINTY_MEASURED,
				.probability = SURE_TIMES,
				.evidence = job->evidence,
				.seen_ns = engine->now_ns}))
		added++;
	if (added == 0)
		return false;
	hop_step_made(m, last);
	m->trace_place = m->listed_place - (int)added + 1;
	note_unstamped(m, job->chain_count < job->listed_count ? job->chain[job->chain_count] : 0);
	return true;
}

bool measurement_by_times(struct revtr_engine *engine, struct measurement_state *m, const struct job *job)
{
	if (m->stamp_asked) {
		m->stamp_asked = false;
		m->stamp_refuted = job->stamped;
		return false;
	}
	if (!job->found && (!job->stamped || job->doubted)) {
		m->listed_at = next_target(engine, m, m->listed_at + 1);
		m->stampless = m->listed_at + 1;
		if (m->listed_at <= hop_last_known(m))
			return true;
	}
	m->listed_count = 0;
	note_unstamped(m, m->listed[0]);
	m->stamp_open = job->stamped && !job->doubted;
	return job->found && add_hops(engine, m, job);
}
