/* What is known beforehand: the atlas of each source, and how far agents are from prefixes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "revtr/coordinator_inside.h"

#define SURVEY_BITS 24 /* of the prefixes that distances are kept for */
#define TEND_NS	    (600 * NS_PER_S)

struct loading {
	struct coordinator *c;
	uint32_t source;
	int result;
};

static struct tree *tree_of(const struct coordinator *c, uint32_t source)
{
	return revtr_engine_tree(c->engine, c->sources[source].engine_index);
}

static int64_t age_max_ms(const struct coordinator *c)
{
	return c->options.engine.age_max_ns / NS_PER_MS;
}

static int64_t time_of(int64_t wall_ms)
{
	/* What the clock was set back behind is not of the future. */
	return coordinator_now_ns() - MAX(coordinator_now_ms() - wall_ms, 0) * NS_PER_MS;
}

static int64_t wall_of(int64_t time_ns)
{
	return coordinator_now_ms() - (coordinator_now_ns() - time_ns) / NS_PER_MS;
}

/* In the place of what was known of its origin. 0, -ENOMEM, -ENOSPC. */
static int put_in_tree(
	struct coordinator *c, uint32_t source, const struct store_trace *stored, uint32_t evidence)
{
	struct tree *tree = tree_of(c, source);
	struct atlas_entry *entry =
		atlas_entry_of(&c->sources[source].atlas, stored->origin, stored->imported);
	struct tree_trace before = {.used_ns = TREE_NEVER};
	if (!entry)
		return -ENOSPC;
	entry->stored = stored->id;
	entry->aligned = false;
	if (entry->trace != TREE_NONE) {
		before = tree->traces[entry->trace];
		if (tree_renew_trace(tree, entry->trace, stored->addresses, stored->count, evidence,
			    time_of(stored->seen_ms)))
			return 0;
		tree_remove_trace(tree, entry->trace);
		entry->trace = TREE_NONE;
	}
	int result = revtr_engine_add_trace(c->engine, c->sources[source].engine_index, stored->addresses,
		stored->count, evidence, time_of(stored->seen_ms), &entry->trace);
	if (entry->trace == TREE_NONE)
		return -ENOMEM;
	tree->traces[entry->trace].saved = before.saved;
	tree->traces[entry->trace].used_ns = before.used_ns;
	return result;
}

/* ---- from the store */

static void load_trace(void *context, const struct store_trace *stored)
{
	struct loading *loading = context;
	struct coordinator *c = loading->c;
	if (loading->result < 0 || stored->count == 0)
		return;
	int result = put_in_tree(c, loading->source, stored, 0);
	loading->result = result == -ENOMEM ? result : 0;
	if (result < 0)
		return;
	struct atlas_entry *entry = atlas_find(&c->sources[loading->source].atlas, stored->origin);
	struct tree_trace *trace = &tree_of(c, loading->source)->traces[entry->trace];
	trace->uses = (unsigned)stored->uses;
	trace->saved = (double)stored->saved;
	trace->used_ns = stored->used_ms ? time_of(stored->used_ms) : TREE_NEVER;
	entry->noted_ns = trace->used_ns;
}

int coordinator_load_atlas(struct coordinator *c, uint32_t source, struct error *error)
{
	struct loading loading = {.c = c, .source = source};
	int result = store_each_trace(c->store, c->sources[source].stored.id,
		coordinator_now_ms() - age_max_ms(c), load_trace, &loading, error);
	return loading.result < 0 ? error_set(error, -ENOMEM, "out of memory") : result;
}

static void load_view(
	void *context, struct prefix prefix, const char *agent, unsigned distance, uint32_t ingress)
{
	struct loading *loading = context;
	uint32_t index = coordinator_agent(loading->c, agent);
	struct ingress_view view = {index, (uint8_t)MIN(distance, (unsigned)INGRESS_FAR), ingress};
	if (index != UINT32_MAX && loading->result == 0)
		loading->result = ingress_add(&loading->c->ingress, prefix, &view);
}

int coordinator_load_survey(struct coordinator *c, struct error *error)
{
	struct loading loading = {.c = c};
	int result = store_each_view(c->store, load_view, &loading, error);
	ingress_sort(&c->ingress);
	return loading.result < 0 ? error_set(error, -ENOMEM, "out of memory") : result;
}

void coordinator_learn_distance(
	struct coordinator *c, const struct expected *expected, const struct revtr_answer *answer)
{
	const struct source_entry *source = &c->sources[expected->source];
	struct revtr_list list;
	revtr_read_list(answer, expected->target, source->stored.address, true, &c->aliases, &list);
	struct ingress_view view = {.agent = expected->sender,
		.distance = (uint8_t)(list.placed ? list.before : INGRESS_FAR),
		.ingress = list.placed && list.before > 0 ? (uint32_t)answer->reply.addrs[list.before - 1].low
							  : 0};
	struct prefix prefix = prefix_of(expected->target, SURVEY_BITS);
	c->ingress_changed = true;
	/* What is not learned now is learned another time. */
	if (ingress_add(&c->ingress, prefix, &view) == 0)
		coordinator_keep_view(c, prefix, expected->sender, view.distance, view.ingress);
}

/* ---- what is answered, and what others bring */

static void take_trace(
	struct coordinator *c, const struct expected *expected, const struct revtr_answer *answer)
{
	struct source_entry *source = &c->sources[expected->source];
	struct store_trace trace = {.seen_ms = coordinator_now_ms()};
	struct error error;
	if (!answer->reached || answer->trace_count == 0)
		return; /* without its end it leads nowhere */
	trace.addresses[trace.count++] = (uint32_t)c->agents[expected->sender].status.address.low;
	for (unsigned i = 0; i + 1 < answer->trace_count; i++)
		trace.addresses[trace.count++] =
			addr_is_set(answer->trace[i]) ? (uint32_t)answer->trace[i].low : 0;
	if (atlas_put_in_order(trace.addresses, trace.count, source->stored.address) == ATLAS_LOOP)
		return;
	snprintf(trace.origin, sizeof(trace.origin), "%s", c->agents[expected->sender].name);
	if (store_put_traces(c->store, source->stored.id, &trace, 1, &error) < 0)
		c->health.store_failed = true;
	/* Without memory it is made once more some day. */
	(void)put_in_tree(c, expected->source, &trace, answer->task);
	coordinator_align(c, expected->source);
	coordinator_tell_atlas(c, expected->source);
}

void coordinator_atlas_answer(
	struct coordinator *c, const struct expected *expected, const struct revtr_answer *answer)
{
	const struct tree *tree = tree_of(c, expected->source);
	if (!answer->answered)
		return;
	if (expected->trace == TREE_NONE) {
		if (expected->probe == REVTR_TRACEROUTE)
			take_trace(c, expected, answer);
		return; /* the survey's is learned from already */
	}
	/* Its trace may have been made anew meanwhile. */
	if (expected->trace < tree->trace_count && expected->place < tree->traces[expected->trace].count &&
		tree->traces[expected->trace].addresses[expected->place] == (uint32_t)expected->target.low)
		revtr_engine_align(c->engine, c->sources[expected->source].engine_index, expected->trace,
			expected->place, answer, expected->spoofed, coordinator_now_ns());
}

/* May it go in? Then it is filled into `stored`. */
static enum atlas_refusal judge(
	struct coordinator *c, uint32_t source, struct atlas_trace *trace, struct store_trace *stored)
{
	struct atlas *atlas = &c->sources[source].atlas;
	enum atlas_refusal refusal =
		atlas_check(trace, c->sources[source].stored.address, coordinator_now_ms(), age_max_ms(c));
	if (refusal != ATLAS_TAKEN)
		return refusal;
	const struct atlas_entry *known = atlas_find(atlas, trace->origin);
	if (known && known->trace != TREE_NONE &&
		time_of(trace->seen_ms) <=
			tree_of(c, source)->traces[known->trace].seen_ns + NS_PER_S) /* two clocks are read */
		return ATLAS_NOT_NEWER;
	if (!known && !atlas_entry_of(atlas, trace->origin, true))
		return ATLAS_NO_ROOM;
	*stored = (struct store_trace){.count = trace->count, .seen_ms = trace->seen_ms, .imported = true};
	snprintf(stored->origin, sizeof(stored->origin), "%s", trace->origin);
	memcpy(stored->addresses, trace->addresses, trace->count * sizeof(*stored->addresses));
	return ATLAS_TAKEN;
}

static int find_source(
	const struct coordinator *c, struct addr address, uint32_t *source, struct error *error)
{
	char text[ADDR_TEXT_SIZE];
	*source = coordinator_source(c, address);
	return *source == UINT32_MAX
		? error_set(error, -ENOENT, "%s is not a registered source", addr_format(address, text))
		: 0;
}

int coordinator_import_traces(struct coordinator *c, struct addr address, struct atlas_trace *traces,
	size_t count, size_t counts[static ATLAS_REFUSALS], struct error *error)
{
	uint32_t source;
	int result = find_source(c, address, &source, error);
	struct store_trace *stored = result == 0 ? calloc(MAX(count, (size_t)1), sizeof(*stored)) : NULL;
	size_t taken = 0;
	if (result < 0 || !stored)
		return result < 0 ? result : error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		enum atlas_refusal refusal = judge(c, source, &traces[i], &stored[taken]);
		counts[refusal]++;
		taken += refusal == ATLAS_TAKEN;
	}
	result = store_put_traces(c->store, c->sources[source].stored.id, stored, taken, error);
	for (size_t i = 0; i < taken && result >= 0; i++)
		result = put_in_tree(c, source, &stored[i], 0);
	coordinator_align(c, source);
	free(stored);
	coordinator_pump(c);
	return result == -ENOMEM ? error_set(error, result, "out of memory") : MIN(result, 0);
}

/* ---- telling */

int coordinator_each_trace(struct coordinator *c, struct addr address,
	void (*each)(void *context, const struct coordinator_trace *trace), void *context,
	struct error *error)
{
	uint32_t source, from = 0, doubted;
	int result = find_source(c, address, &source, error);
	if (result < 0)
		return result;
	const struct tree *tree = tree_of(c, source);
	const struct atlas *atlas = &c->sources[source].atlas;
	bool *doubts = calloc(tree->trace_count + 1, sizeof(*doubts));
	if (!doubts)
		return error_set(error, -ENOMEM, "out of memory");
	while ((doubted = tree_doubted(tree, &from, coordinator_now_ns(), NULL)) != TREE_NONE)
		doubts[doubted] = true;
	for (size_t i = 0; i < atlas->count; i++) {
		const struct atlas_entry *entry = &atlas->entries[i];
		if (entry->trace == TREE_NONE)
			continue;
		const struct tree_trace *trace = &tree->traces[entry->trace];
		each(context,
			&(struct coordinator_trace){.origin = entry->origin,
				.imported = entry->imported,
				.doubted = doubts[entry->trace],
				.hops = trace->count - 1,
				.seen_ms = wall_of(trace->seen_ns),
				.used_ms = trace->used_ns == TREE_NEVER ? 0 : wall_of(trace->used_ns),
				.uses = trace->uses,
				.saved = tree_saved(trace, coordinator_now_ns())});
	}
	free(doubts);
	return 0;
}

/* ---- now and then */

static int note_uses(struct coordinator *c, uint32_t source, struct error *error)
{
	struct atlas *atlas = &c->sources[source].atlas;
	const struct tree *tree = tree_of(c, source);
	struct store_trace *list = calloc(MAX(atlas->count, (size_t)1), sizeof(*list));
	size_t count = 0;
	for (size_t i = 0; i < atlas->count && list; i++) {
		struct atlas_entry *entry = &atlas->entries[i];
		const struct tree_trace *trace =
			entry->trace == TREE_NONE ? NULL : &tree->traces[entry->trace];
		if (!trace || trace->used_ns == entry->noted_ns)
			continue;
		entry->noted_ns = trace->used_ns;
		list[count++] = (struct store_trace){.id = entry->stored,
			.uses = trace->uses,
			.saved = (uint64_t)(trace->saved + 0.5),
			.used_ms = wall_of(trace->used_ns)};
	}
	int result = count > 0 ? store_note_uses(c->store, list, count, error) : 0;
	free(list);
	return result;
}

/* What is too old to be believed is forgotten, here and in the store. */
static int drop_old(struct coordinator *c, uint32_t source, struct error *error)
{
	struct atlas *atlas = &c->sources[source].atlas;
	struct tree *tree = tree_of(c, source);
	/* Without memory it is done the next time. */
	(void)!tree_prune(tree, coordinator_now_ns());
	for (size_t i = 0; i < atlas->count; i++) {
		struct atlas_entry *entry = &atlas->entries[i];
		if (entry->trace != TREE_NONE &&
			(entry->trace >= tree->trace_count || !tree->traces[entry->trace].addresses))
			entry->trace = TREE_NONE;
	}
	atlas_compact(atlas);
	return store_drop_traces(
		c->store, c->sources[source].stored.id, coordinator_now_ms() - age_max_ms(c), error);
}

void coordinator_tend_atlas(struct coordinator *c)
{
	struct error error;
	bool drop = coordinator_now_ns() - c->tended_ns >= TEND_NS;
	for (uint32_t i = 0; i < c->source_count; i++)
		if (note_uses(c, i, &error) < 0 || (drop && drop_old(c, i, &error) < 0))
			c->health.store_failed = true;
	if (drop)
		c->tended_ns = coordinator_now_ns();
}

int coordinator_clean_atlas(struct coordinator *c, struct addr address, struct error *error)
{
	uint32_t source;
	int result = find_source(c, address, &source, error);
	if (result < 0)
		return result;
	struct atlas *atlas = &c->sources[source].atlas;
	/* Without memory some room is left unused. */
	(void)!tree_clear(tree_of(c, source), coordinator_now_ns());
	for (size_t i = 0; i < atlas->count; i++) {
		atlas->entries[i].trace = TREE_NONE;
		atlas->entries[i].asked_ns = TREE_NEVER;
	}
	atlas_compact(atlas);
	return store_drop_traces(c->store, c->sources[source].stored.id, INT64_MAX, error);
}
