/* The way back in the list of a Record Route reply. */
#include <string.h>

#include "reverse/rr_evidence.h"
#include "revtr/aliases.h"
#include "revtr/engine.h"

#define ALIASES_OF_TARGET 64

static uint32_t number_of(struct addr address)
{
	return address.family == 4 ? (uint32_t)address.low : 0;
}

static void read_list(
	struct rr_known *known, bool heuristics, const struct aliases *aliases, struct revtr_list *list)
{
	struct addr others[ALIASES_OF_TARGET];
	struct rr_verdict verdict;
	size_t count;
	const uint32_t *members = aliases_of(aliases, number_of(known->target), &count);
	known->alias_count = MIN(count, (size_t)ALIASES_OF_TARGET);
	known->aliases = others;
	for (size_t i = 0; i < known->alias_count; i++)
		others[i] = addr_v4(members[i]);
	memset(list, 0, sizeof(*list));
	rr_judge(known, &verdict);
	bool by_name = verdict.rule == RR_RULE_TARGET || verdict.rule == RR_RULE_ALIAS;
	if (verdict.rule == RR_RULE_NONE || (!heuristics && !by_name))
		return;
	list->placed = true;
	list->certain = by_name;
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

void revtr_read_list(const struct revtr_answer *answer, struct addr target, struct addr source,
	bool heuristics, const struct aliases *aliases, struct revtr_list *list)
{
	struct rr_known known = {
		.target = target, .source = source, .reply = &answer->reply, .reply_ttl = answer->reply_ttl};
	memset(list, 0, sizeof(*list));
	if (answer->answered && answer->reply.present)
		read_list(&known, heuristics, aliases, list);
}

void revtr_read_list_quoted(const struct revtr_answer *answer, const struct route_option *quote,
	struct addr target, struct addr source, const struct aliases *aliases, struct revtr_list *list)
{
	struct rr_known known = {.target = target,
		.source = source,
		.reply = &answer->reply,
		.reply_ttl = answer->reply_ttl,
		.quote = quote};
	memset(list, 0, sizeof(*list));
	if (answer->answered && answer->reply.present)
		read_list(&known, true, aliases, list);
}
