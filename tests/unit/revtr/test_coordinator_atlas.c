/* The coordinator's atlas, see lab.h: kept over a restart, made anew when it is contradicted, filled by
 * others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "lab.h"
#include "revtr/coordinator_inside.h"

struct seen {
	unsigned count, imported, used, doubted, hops;
	uint64_t uses;
};

static void see(void *context, const struct coordinator_trace *trace)
{
	struct seen *seen = context;
	seen->count++;
	seen->imported += trace->imported;
	seen->used += trace->uses > 0;
	seen->uses += trace->uses;
	seen->doubted += trace->doubted;
	seen->hops += trace->hops;
}

static struct seen look(struct lab *lab)
{
	struct seen seen = {0};
	struct error error;
	assert_int_equal(coordinator_each_trace(lab->coordinator, lab->source, see, &seen, &error), 0);
	return seen;
}

static void wait_for_traces(struct lab *lab, unsigned count)
{
	int64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
	while (look(lab).count < count && clock_monotonic_ns() < until_ns)
		turn(lab);
	assert_int_equal(look(lab).count, count);
}

/* One of each agent, however often they are asked; used ones are known as such also by the next coordinator.
 */
static void test_use_is_kept(void **state)
{
	struct lab lab;
	struct error error = {0};
	int64_t batch;
	(void)state;
	lab_init(&lab, true);
	wait_for_traces(&lab, AGENTS - 1);
	assert_int_equal(coordinator_refresh_atlas(lab.coordinator, lab.source, &error), 0);
	for (int i = 0; i < 20; i++)
		turn(&lab);
	assert_int_equal(look(&lab).count, AGENTS - 1);
	assert_int_equal(look(&lab).used, 0);
	assert_int_equal(submit(&lab, lab.source, lab.target, NULL, &batch, &error), 0);
	struct coordinator_listener *listener = coordinator_listen(lab.coordinator, batch, on_told, &lab);
	wait_for_result(&lab);
	coordinator_unlisten(listener);
	struct seen before = look(&lab);
	assert_true(before.used > 0);
	stop(&lab);
	start(&lab);
	struct seen after = look(&lab);
	assert_int_equal(after.count, before.count);
	assert_int_equal(after.hops, before.hops);
	assert_int_equal(after.uses, before.uses);
	assert_int_equal(coordinator_clean_atlas(lab.coordinator, lab.source, &error), 0);
	assert_int_equal(look(&lab).count, 0);
	stop(&lab);
	start(&lab);
	assert_int_equal(look(&lab).count, 0);
	lab_deinit(&lab);
}

static struct atlas_trace trace_of(uint32_t tracer, uint32_t hop, int64_t age_ms)
{
	return (struct atlas_trace){
		.addresses = {tracer, hop}, .count = 2, .seen_ms = clock_wall_ns() / NS_PER_MS - age_ms};
}

static void test_import(void **state)
{
	struct lab lab;
	struct error error = {0};
	size_t counts[ATLAS_REFUSALS] = {0};
	(void)state;
	lab_init(&lab, true);
	lab.mute = true;
	stop(&lab);
	start(&lab);
	struct seen before = look(&lab);
	struct atlas_trace traces[] = {trace_of(0xcb0071c1, 0xcb0071c5, 1000),
		trace_of(0xcb0071c2, 0xcb0071c5, 2 * 86400000LL), trace_of(0xcb0071c1, 0xcb0071c9, 500),
		trace_of(0xcb0071c3, 0xcb0071c3, 1000)};
	assert_int_equal(
		coordinator_import_traces(lab.coordinator, lab.target, traces, 4, counts, &error), -ENOENT);
	assert_int_equal(
		coordinator_import_traces(lab.coordinator, lab.source, traces, 4, counts, &error), 0);
	assert_int_equal(counts[ATLAS_TAKEN], 2);
	assert_int_equal(counts[ATLAS_TOO_OLD], 1);
	assert_int_equal(counts[ATLAS_LOOP], 1);
	/* Of one origin the newest stays, and once more it is no news. */
	assert_int_equal(look(&lab).imported, 1);
	traces[0] = trace_of(0xcb0071c1, 0xcb0071c5, 1000);
	assert_int_equal(
		coordinator_import_traces(lab.coordinator, lab.source, traces, 1, counts, &error), 0);
	assert_int_equal(counts[ATLAS_NOT_NEWER], 1);
	stop(&lab);
	start(&lab);
	assert_int_equal(look(&lab).count, before.count + 1);
	assert_int_equal(look(&lab).imported, 1);
	lab_deinit(&lab);
}

/* Orders that went to each agent meanwhile. */
static unsigned orders_of(const struct coordinator *c, const char *name)
{
	for (uint32_t i = 0; i < c->agent_count; i++)
		if (strcmp(c->agents[i].name, name) == 0)
			return (unsigned)c->agents[i].tasks;
	return 0;
}

/* vp3's traceroute is contradicted: vp3 is asked for another at once, nobody else is, and then it is settled.
 */
static void test_contradiction(void **state)
{
	struct lab lab;
	unsigned before[AGENTS];
	(void)state;
	lab_init(&lab, true);
	struct coordinator *c = lab.coordinator;
	c->options.atlas_per_day = 10;
	wait_for_traces(&lab, AGENTS - 1);
	c->hops.count = 0; /* what is asked of hops is another matter */
	struct tree *tree = revtr_engine_tree(c->engine, c->sources[0].engine_index);
	const struct tree_trace *trace = &tree->traces[atlas_find(&c->sources[0].atlas, "vp3")->trace];
	uint32_t chain[] = {trace->addresses[2], trace->addresses[1], trace->addresses[0]};
	assert_int_equal(tree_doubt(tree, chain, 2, coordinator_now_ns()), 1);
	assert_int_equal(look(&lab).doubted, 1);
	for (unsigned i = 0; i < AGENTS; i++)
		before[i] = orders_of(c, names[i]);
	coordinator_heed(c, 0);
	coordinator_heed(c, 0);
	for (unsigned i = 0; i < AGENTS; i++)
		assert_int_equal(orders_of(c, names[i]) - before[i], strcmp(names[i], "vp3") == 0);
	int64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
	while (look(&lab).doubted > 0 && clock_monotonic_ns() < until_ns)
		turn(&lab);
	assert_int_equal(look(&lab).doubted, 0);
	lab_deinit(&lab);
}

/* Of their own accord agents trace within the day's budget, and not more after a restart. */
static void test_budget(void **state)
{
	struct lab lab;
	(void)state;
	lab_init(&lab, true);
	wait_for_traces(&lab, AGENTS - 1);
	for (int round = 0; round < 3; round++) {
		struct coordinator *c = lab.coordinator;
		c->options.atlas_per_day = 5;
		c->hops.count = 0;
		unsigned before = 0, after = 0;
		/* As if nobody had been asked for hours. */
		for (size_t i = 0; i < c->sources[0].atlas.count; i++) {
			struct atlas_entry *entry = &c->sources[0].atlas.entries[i];
			entry->asked_ns = TREE_NEVER;
			if (entry->trace == TREE_NONE)
				continue;
			struct tree_trace *trace = &revtr_engine_tree(c->engine, 0)->traces[entry->trace];
			trace->seen_ns -= 9 * 3600 * NS_PER_S;
			trace->saved = 5;
			trace->used_ns = trace->seen_ns;
		}
		for (unsigned i = 0; i < AGENTS; i++)
			before += orders_of(c, names[i]);
		coordinator_refresh_all(c);
		for (unsigned i = 0; i < AGENTS; i++)
			after += orders_of(c, names[i]);
		assert_int_equal(after - before, round == 0 ? 4 : round == 1 ? 1 : 0);
		for (int i = 0; i < 20; i++)
			turn(&lab);
		stop(&lab);
		start(&lab);
		all_online(&lab, true);
		turn(&lab);
	}
	lab_deinit(&lab);
}

static void test_aliases(void **state)
{
	struct lab lab;
	struct error error = {0};
	size_t sets, addresses;
	(void)state;
	lab_init(&lab, true);
	assert_int_equal(coordinator_import_aliases(lab.coordinator,
				 (uint32_t[]){0xcb007101, 0xcb007102, 0xcb007103, 0xcb007104},
				 (unsigned[]){2, 2}, 2, &error),
		0);
	assert_int_equal(coordinator_import_aliases(lab.coordinator, (uint32_t[]){0xcb007101, 0xcb007103},
				 (unsigned[]){2}, 1, &error),
		0);
	for (int round = 0; round < 2; round++) {
		coordinator_count_aliases(lab.coordinator, &sets, &addresses);
		assert_int_equal(sets, 1);
		stop(&lab);
		start(&lab);
	}
	lab_deinit(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_use_is_kept),
		cmocka_unit_test(test_import),
		cmocka_unit_test(test_contradiction),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_aliases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
