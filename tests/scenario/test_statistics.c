/* Generated worlds load, everybody reaches everybody in both families, and the world is like the Internet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "sim/generate.h"
#include "sim/stats.h"
#include "sim/truth.h"

static struct world *world_of(unsigned ases, uint64_t seed, const char *profile)
{
	struct generate_options options = {ases, seed, profile_find(profile)};
	struct error error = {0};
	struct world *world = NULL;
	char *text = NULL;
	if (generate_world(&options, &text, &error) < 0 || world_parse("world", text, &world, &error) < 0)
		fail_msg("%u ASes, seed %u, %s: %s", ases, (unsigned)seed, profile, error.text);
	free(text);
	return world;
}

static bool is_home(const struct world *world, uint32_t host)
{
	return strncmp(world->nodes[host].name, "home", 4) == 0;
}

/* From anywhere to anywhere, but not into homes, which may be behind address translation. */
static void check_reach(const struct world *world, unsigned pairs)
{
	struct sim *sim = sim_new(world, 1);
	struct truth *truth = calloc(1, sizeof(*truth));
	struct rng rng = rng_seed(11);
	assert_true(sim && truth);
	for (unsigned i = 0; i < pairs; i++) {
		uint32_t from = (uint32_t)rng_below(&rng, world->host_count);
		uint32_t to = (uint32_t)rng_below(&rng, world->host_count);
		for (uint8_t family = 4; family <= 6 && !is_home(world, to); family += 2) {
			struct addr target = world_node_address(world, to, family);
			if (sim_truths(sim, from, target, truth, 1) != 1 || truth->end != TRUTH_REACHED)
				fail_msg("%s to %s, IPv%u: %s after %u hops", world->nodes[from].name,
					world->nodes[to].name, family, truth_end_word(truth->end),
					truth->hop_count);
		}
	}
	free(truth);
	sim_free(sim);
}

static void test_reach(void **state)
{
	static const struct {
		unsigned ases, pairs;
		const char *profile;
	} worlds[] = {{10, 50, "today"}, {20, 100, "clean"}, {100, 300, "today"}, {100, 300, "hostile"},
		{1000, 300, "today"}};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(worlds); i++) {
		struct world *world = world_of(worlds[i].ases, i + 1, worlds[i].profile);
		assert_int_equal(world->as_count, worlds[i].ases);
		check_reach(world, worlds[i].pairs);
		world_free(world);
	}
}

/* A smaller world has shorter paths and coarser shares: the ranges are wider by a fifth. */
static void test_today_is_like_the_internet(void **state)
{
	struct world *world = world_of(300, 1, "today");
	struct stats stats;
	struct error error = {0};
	unsigned compared = 0;
	(void)state;
	assert_int_equal(stats_of(world, 1, &stats, &error), 0);
	for (unsigned i = 0; i < stats.count; i++) {
		const struct stats_row *row = &stats.rows[i];
		if (!(row->low < row->high))
			continue;
		compared++;
		if (!(row->value >= row->low * 0.8 && row->value <= row->high * 1.2))
			fail_msg("%s: %.3f, expected %s", row->what, row->value, row->source);
	}
	assert_true(compared >= 12);
	world_free(world);
}

static const struct stats_row *row_of(const struct stats *stats, const char *what)
{
	for (unsigned i = 0; i < stats->count; i++)
		if (strstr(stats->rows[i].what, what))
			return &stats->rows[i];
	fail_msg("no row about '%s'", what);
	return NULL;
}

static void test_clean_answers_everything(void **state)
{
	struct world *world = world_of(100, 1, "clean");
	struct stats stats;
	struct error error = {0};
	(void)state;
	assert_int_equal(stats_of(world, 1, &stats, &error), 0);
	assert_true(row_of(&stats, "answer ping")->value == 1);
	assert_true(row_of(&stats, "answer Record Route")->value == 1);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reach),
		cmocka_unit_test(test_today_is_like_the_internet),
		cmocka_unit_test(test_clean_answers_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
