/* Targets that do not write themselves down are asked to quote a list: the one of theirs that got farthest
 * (differ.h). */
#include <stdlib.h>

#include "revtr/differ.h"
#include "revtr/engine_inside.h"

/* Is this list more likely than the one that is kept to hold the target? */
static bool farther(
	const struct revtr_engine *engine, const struct unplaced *kept, const struct route_option *list)
{
	struct differ differ;
	if (!engine->options.differ || kept->asked)
		return false;
	/* The source's own comes first, whether it is near or not; of agents the nearest come first. */
	if (!differ_compare(list, &kept->answer.reply, &differ))
		return !kept->spoofed;
	return differ_ahead(list, &kept->answer.reply, &differ) > 0;
}

void quote_keep(struct revtr_engine *engine, struct job *job, const struct revtr_answer *answer,
	const struct sent *sent)
{
	if (!engine->options.quotes || job->stage == STAGE_DONE || !answer->reply.present ||
		(job->unplaced && !farther(engine, job->unplaced, &answer->reply)))
		return;
	if (!job->unplaced)
		job->unplaced = malloc(sizeof(*job->unplaced));
	if (job->unplaced)
		*job->unplaced = (struct unplaced){.answer = *answer,
			.site = sent->site,
			.agent = sent->agent,
			.spoofed = sent->spoofed};
}

/* The same packet once more, as one that is refused: on the same way there. */
bool quote_ask(struct revtr_engine *engine, uint32_t index)
{
	struct job *job = &engine->jobs[index];
	struct unplaced *unplaced = job->unplaced;
	if (!unplaced || unplaced->asked)
		return false;
	unplaced->asked = true;
	job->stage = STAGE_QUOTE;
	return job_enqueue(engine,
		(struct ready){.job = index,
			.site = unplaced->site,
			.agent = unplaced->agent,
			.probe = REVTR_RR_UDP,
			.spoofed = unplaced->spoofed});
}

void quote_take(struct revtr_engine *engine, struct job *job, const struct revtr_answer *answer,
	const struct sent *sent)
{
	struct addr source = addr_v4(engine->sources[job->source].address);
	struct revtr_list list;
	if (!job->unplaced || !answer->reply.present || (uint32_t)answer->from.low != job->target)
		return;
	revtr_read_list_quoted(&job->unplaced->answer, &answer->reply, addr_v4(job->target), source,
		engine->environment.aliases, &list);
	if (list.placed)
		job_learn_list(engine, job, &list, answer->task, sent->spoofed);
}
