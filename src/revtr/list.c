/* The way back in the list of a Record Route reply. */
#include <string.h>

#include "reverse/rr_evidence.h"
#include "revtr/engine.h"

static uint32_t number_of(struct addr address)
{
	return address.family == 4 ? (uint32_t)address.low : 0;
}

static void read_list(const struct rr_known *known, bool heuristics, struct revtr_list *list)
{
	struct rr_verdict verdict;
	memset(list, 0, sizeof(*list));
	rr_judge(known, &verdict);
	if (verdict.rule == RR_RULE_NONE || (!heuristics && verdict.rule != RR_RULE_TARGET))
		return;
	list->placed = true;
	list->certain = verdict.rule == RR_RULE_TARGET;
	for (unsigned i = 0; i < verdict.count; i++) {
		const struct rr_stamp *stamp = &verdict.stamps[i];
		list->before += stamp->side == RR_THERE;
		if (stamp->side == RR_BACK)
			list->hops[list->count++] = stamp->unrouted ? 0 : number_of(stamp->address);
	}
	list->home = verdict.ends_here;
	if (list->home && list->count < RECORD_ROUTE_SLOTS_MAX &&
		(list->count == 0 || list->hops[list->count - 1] != number_of(known->source)))
		list->hops[list->count++] = number_of(known->source);
}

void revtr_read_list(const struct revtr_answer *answer, struct addr target, struct addr source, bool heuristics,
	struct revtr_list *list)
{
	struct rr_known known = {
		.target = target, .source = source, .reply = &answer->reply, .reply_ttl = answer->reply_ttl};
	memset(list, 0, sizeof(*list));
	if (answer->answered && answer->reply.present)
		read_list(&known, heuristics, list);
}

void revtr_read_list_quoted(const struct revtr_answer *answer, const struct route_option *quote, struct addr target,
	struct addr source, struct revtr_list *list)
{
	struct rr_known known = {.target = target, .source = source, .reply = &answer->reply,
		.reply_ttl = answer->reply_ttl, .quote = quote};
	memset(list, 0, sizeof(*list));
	if (answer->answered && answer->reply.present)
		read_list(&known, true, list);
}
