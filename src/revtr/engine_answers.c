/* What comes of the engine's tasks: lists, traceroutes, distances, or that they are lost. */
#include <stdlib.h>
#include <string.h>

#include "reverse/rr_evidence.h"
#include "revtr/engine_inside.h"

#define ELSEWHERE 3 /* routers; ways of equal cost did not differ by so many in any generated world */

static bool better(const struct job *job, const struct revtr_list *list)
{
	if (!job->found || job->certain != list->certain)
		return !job->found || list->certain;
	if (job->home != list->home)
		return list->home;
	return list->count > job->chain_count;
}

void job_learn_list(struct revtr_engine *engine, struct job *job, const struct revtr_list *list,
	uint32_t task, bool spoofed)
{
	struct source_state *source = &engine->sources[job->source];
	unsigned known = 0;
	for (unsigned i = 0; i < list->count; i++)
		known += list->hops[i] != 0;
	if (known == 0)
		return;
	source->direct_found += !spoofed;
	if (better(job, list)) {
		memcpy(job->chain, list->hops, sizeof(job->chain));
		job->chain_count = (uint8_t)list->count;
		job->found = true;
		job->home = list->home;
		job->certain = list->certain;
		job->spoofed = spoofed;
		job->evidence = task;
	}
	uint32_t chain[CHAIN_MAX + 1] = {job->target};
	memcpy(chain + 1, list->hops, list->count * sizeof(*chain));
	if (engine->options.doubt && list->certain)
		(void)tree_doubt(&source->tree, chain, list->count + 1, engine->now_ns);
	/* Without memory it is merely not shared. */
	if (engine->options.share &&
		tree_add_chain(&source->tree, chain, list->count + 1, spoofed, task, engine->now_ns) < 0)
		return;
	if (list->certain)
		tree_note_origin(&source->tree, chain, list->count + 1, engine->now_ns);
}

static void take_list(struct revtr_engine *engine, struct job *job, const struct revtr_answer *answer,
	const struct sent *sent)
{
	struct addr source = addr_v4(engine->sources[job->source].address);
	struct revtr_list list;
	revtr_read_list(answer, addr_v4(job->target), source, engine->options.heuristics,
		engine->environment.aliases, &list);
	if (answer->reply.present) {
		job->heard = true;
		job->heard_agent = sent->agent;
		job->heard_spoofed = sent->spoofed;
	}
	if (list.placed)
		job_learn_list(engine, job, &list, answer->task, sent->spoofed);
	else
		quote_keep(engine, job, answer, sent);
}

static void take_trace(struct job *job, const struct revtr_answer *answer)
{
	if (answer->trace_count > REVTR_TRACE_MAX)
		return;
	job->routers = calloc(answer->trace_count + 1, sizeof(*job->routers) + sizeof(*job->lefts));
	if (!job->routers)
		return;
	job->lefts = (int8_t *)(job->routers + answer->trace_count + 1);
	for (unsigned i = 0; i < answer->trace_count; i++)
		job->lefts[i] = (int8_t)rr_hops_passed(answer->trace_ttl[i]);
	for (unsigned i = 0; i < answer->trace_count; i++)
		job->routers[i] = answer->trace[i].family == 4 ? (uint32_t)answer->trace[i].low : 0;
	job->router_count = (uint8_t)answer->trace_count;
	job->reached = answer->reached;
}

/* Its job, and what is known of the task, which is over now. NULL: it is nobody's. */
static struct job *take_sent(struct revtr_engine *engine, uint32_t task, struct sent *sent)
{
	struct sent *slot = engine->sent_room ? &engine->sent[task & (engine->sent_room - 1)] : NULL;
	if (!slot || task == 0 || slot->id != task)
		return NULL;
	*sent = *slot;
	slot->id = 0;
	struct job *job = &engine->jobs[sent->job];
	return job->target == sent->target ? job : NULL; /* it may have been forgotten meanwhile */
}

/* Its batch is over. What it says is still worth having. Numbers of tasks may have begun anew meanwhile. */
static bool is_late(const struct job *job, const struct sent *sent)
{
	return job->stage != sent->stage || job->outstanding == 0 ||
		(int32_t)(sent->id - job->batch_from) < 0;
}

void job_lost(struct revtr_engine *engine, uint32_t task, bool refused)
{
	struct sent sent;
	struct job *job = take_sent(engine, task, &sent);
	if (!job || is_late(job, &sent))
		return;
	job->disturbed = true;
	job->refused |= refused;
	if (--job->outstanding == 0 && job->queued == 0)
		job_batch_over(engine, sent.job);
}

/* So many routers nearer or farther than the host that the source's own packets reach. Hosts in several
 * places may have one address (anycast, RFC 4786); and ways of equal cost may differ in length. */
static int apart(const struct job *job, const struct sent *sent, int left)
{
	if (!sent->spoofed || job->own_least < 0 || left < 0)
		return 0;
	return MAX(0, MAX(job->own_least - left, left - job->own_most));
}

static void take_reply(struct revtr_engine *engine, struct job *job, const struct revtr_answer *answer,
	const struct sent *sent)
{
	int left = rr_hops_passed(answer->reply_ttl);
	bool options = sent->stage != STAGE_PING;
	engine->sources[job->source].pings |= !options;
	job->answered = (uint16_t)(job->answered + options);
	engine->sources[job->source].answered += options;
	budget_alive(&engine->budget, job->target);
	if (apart(job, sent, left) > 0) {
		job->elsewhere |= apart(job, sent, left) >= ELSEWHERE;
		return;
	}
	if (!sent->spoofed) {
		job->own_least = (int16_t)(job->own_least < 0 ? left : MIN(job->own_least, left));
		job->own_most = (int16_t)MAX(job->own_most, left);
	}
	job->left = (int16_t)left;
	if (options)
		take_list(engine, job, answer, sent);
	tree_note_left(&engine->sources[job->source].tree, job->target, left, engine->now_ns);
}

void job_answer(struct revtr_engine *engine, const struct revtr_answer *answer)
{
	struct sent sent;
	struct job *job = take_sent(engine, answer->task, &sent);
	if (!job)
		return;
	bool late = is_late(job, &sent);
	if (job->kind == JOB_RECORD_ROUTE && answer->answered && sent.stage == STAGE_QUOTE) {
		quote_take(engine, job, answer, &sent);
	} else if (job->kind == JOB_RECORD_ROUTE && answer->answered) {
		take_reply(engine, job, answer, &sent);
	} else if (job->kind == JOB_TRACE && !late) {
		take_trace(job, answer);
	} else if (job->kind == JOB_TIMESTAMP && answer->answered && !late) {
		timestamp_answer(engine, sent.job, answer);
	} else if (!answer->answered) {
		job->silent++;
	}
	if (!late && --job->outstanding == 0 && job->queued == 0)
		job_batch_over(engine, sent.job);
}
