/* A result beside the truth. */
#include "evaluation.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

/* Hops shown and hops missing are as many as the way has routers? */
static void judge_gaps(struct tally *t, const struct pair *pair, const struct revtr_result *result)
{
	struct revtr_gap gaps[REVTR_HOPS_MAX];
	unsigned count = revtr_gaps(result, gaps, REVTR_HOPS_MAX), length = result->hop_count - 1;
	if (result->stop != REVTR_REACHED || result->left < 0)
		return;
	for (unsigned i = 0; i < count; i++)
		length += gaps[i].missing;
	bool right = length >= pair->shortest && length <= pair->longest;
	t->counted++;
	t->counted_right += right;
	t->gaps += count > 0;
	t->gaps_right += count > 0 && right;
}

void judge(struct evaluation *e, const struct revtr_result *result)
{
	const struct pair *pair = e->by_id[result->id];
	struct tally *t = &e->tally;
	bool inter = false, wrong = false, any = false;
	bool seen[TRUTH_HOPS_MAX] = {0};
	for (unsigned i = 0; i < result->hop_count; i++) {
		const struct revtr_hop *hop = &result->hops[i];
		inter |= hop->technique == TECHNIQUE_SYMMETRIC_INTER;
		if (hop->address == 0 || hop->address == number_of(e->sources[pair->source]))
			continue;
		bool right = false;
		uint32_t as = WORLD_NONE;
		for (unsigned j = 0; j < pair->node_count && !right; j++)
			right = world_has_address(e->world, pair->nodes[j], addr_v4(hop->address));
		const struct world_address *owner = world_find_address(e->world, addr_v4(hop->address));
		if (owner)
			as = e->world->nodes[owner->node].as;
		bool as_right = false;
		for (unsigned j = 0; j < pair->node_count; j++)
			as_right |= e->world->nodes[pair->nodes[j]].as == as;
		if (as != WORLD_NONE && !as_right && !wrong)
			t->wrong_after[i > 0 ? result->hops[i - 1].technique : TECHNIQUE_INFERRED + 1]++;
		wrong |= as != WORLD_NONE && !as_right;
		for (unsigned j = 0; j < pair->as_count; j++)
			seen[j] |= pair->ases[j] == as;
		unsigned percent = MIN(99u, (unsigned)(hop->probability * 100));
		t->by_probability[percent].hops++;
		t->by_probability[percent].right += right;
		t->by_probability[percent].stated += (double)hop->probability;
		any |= hop->certainty == CERTAINTY_MEASURED;
		t->measured += hop->certainty == CERTAINTY_MEASURED;
		t->measured_true += hop->certainty == CERTAINTY_MEASURED && right;
		t->inferred += hop->certainty == CERTAINTY_INFERRED;
		t->inferred_true += hop->certainty == CERTAINTY_INFERRED && right;
		t->assumed += hop->certainty == CERTAINTY_ASSUMED;
		t->assumed_true += hop->certainty == CERTAINTY_ASSUMED && right;
		if (!right && getenv("REVTR_TELL"))
			fprintf(stderr, "wrong: %s hop %u of %u, evidence %u\n",
				technique_word(hop->technique), i, result->hop_count, hop->evidence);
	}
	bool reached = result->stop == REVTR_REACHED, exact = reached && !wrong;
	for (unsigned j = 1; j + 1 < pair->as_count; j++)
		exact &= seen[j];
	judge_gaps(t, pair, result);
	t->seconds[t->asked++] = (double)(result->finished_ns - result->started_ns) / NS_PER_S;
	t->pinged += pair->pinged;
	t->raw += reached;
	t->complete += reached && !inter;
	t->any += any;
	t->as_wrong += wrong;
	t->as_exact += exact;
	t->option_packets += result->option_packets;
	t->traces += result->trace_packets;
	if (getenv("REVTR_STOPS"))
		fprintf(stderr, "stop: %s, %u hops\n", revtr_stop_text(result->stop), result->hop_count);
}
