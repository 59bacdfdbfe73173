/* Signs of life, for whoever watches: of each source when it last had what it is there for. */
#include "revtr/coordinator_inside.h"

static void look_at_atlas(
	const struct coordinator *c, const struct source_entry *entry, struct coordinator_source *source)
{
	const struct tree *tree = revtr_engine_tree(c->engine, entry->engine_index);
	int64_t oldest_ns = coordinator_now_ns() - tree->age_max_ns;
	for (uint32_t i = 0; i < tree->trace_count; i++) {
		const struct tree_trace *trace = &tree->traces[i];
		if (!trace->addresses || trace->seen_ns < oldest_ns)
			continue;
		source->traces++;
		source->traced_ns = MAX(source->traced_ns, trace->seen_ns);
	}
}

void coordinator_each_source(const struct coordinator *c,
	void (*each)(void *context, const struct coordinator_source *source), void *context)
{
	for (uint32_t i = 0; i < c->source_count; i++) {
		const struct source_entry *entry = &c->sources[i];
		struct coordinator_source source = {.address = entry->stored.address,
			.listed = entry->listed,
			.consents = entry->stored.consents,
			.agent_online = c->agents[entry->agent].status.online,
			.finished_ns = entry->finished_ns,
			.reached_ns = entry->reached_ns};
		look_at_atlas(c, entry, &source);
		each(context, &source);
	}
}
