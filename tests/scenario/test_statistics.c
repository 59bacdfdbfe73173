/* Generated worlds load, everybody reaches everybody in both families, users from behind translators, too,
 * and the world is like the Internet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generated.h"
#include "sim/stats.h"

static bool is_called(const struct world *world, uint32_t host, const char *word)
{
	return strncmp(world->nodes[host].name, word, strlen(word)) == 0;
}

static bool is_user(const struct world *world, uint32_t host)
{
	return is_called(world, host, "home") || is_called(world, host, "mobile");
}

/* From anywhere to anywhere, but not to users, who may be behind address translation. */
static void check_reach(const struct world *world, unsigned pairs)
{
	struct sim *sim = sim_new(world, 1);
	struct truth *truth = calloc(1, sizeof(*truth));
	struct rng rng = rng_seed(11);
	assert_true(sim && truth);
	for (unsigned i = 0; i < pairs; i++) {
		uint32_t from = (uint32_t)rng_below(&rng, world->host_count);
		uint32_t to = (uint32_t)rng_below(&rng, world->host_count);
		for (uint8_t family = 4; family <= 6 && !is_user(world, to); family += 2) {
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
		struct world *world = generated_world(worlds[i].ases, i + 1, worlds[i].profile);
		assert_int_equal(world->as_count, worlds[i].ases);
		check_reach(world, worlds[i].pairs);
		world_free(world);
	}
}

static bool is_shared_space(struct addr addr)
{
	return addr.family == 4 && addr.low >> 22 == 0x64400000 >> 22; /* 100.64.0.0/10, RFC 6598 */
}

/* Behind one translator or two they ask, and are answered. */
static void test_users_are_translated(void **state)
{
	struct world *world = generated_world(300, 1, "today");
	struct addr server = world_node_address(world, world_find_node(world, "server"), 4);
	unsigned behind_carrier = 0, behind_both = 0, asked = 0;
	(void)state;
	for (uint32_t i = 0; i < world->host_count; i++) {
		struct addr own = world_node_address(world, i, 4);
		uint32_t line = world->interfaces[world->nodes[i].interfaces[0] ^ 1].node;
		if (!is_user(world, i))
			continue;
		struct sim *sim = sim_new(world, 1);
		struct prober *prober = calloc(1, sizeof(*prober));
		assert_true(sim && prober);
		struct packet_spec spec = echo_spec(own, server, 0, 1);
		struct probe *probe = prober_add(prober, 0, &spec);
		prober_run(sim, i, prober);
		if (probe->answers != 1)
			fail_msg("%s: %d answers", world->nodes[i].name, probe->answers);
		asked++;
		behind_carrier += is_shared_space(own);
		for (uint32_t k = 0; k < world->nodes[line].interface_count && is_called(world, i, "home");
			k++)
			behind_both += is_shared_space(
				world->interfaces[world->nodes[line].interfaces[k]].address[0]);
		free(prober);
		sim_free(sim);
	}
	assert_true(asked >= 10 && behind_carrier >= 1 && behind_both >= 1);
	world_free(world);
}

/* Who asks from where decides which host of a service answers. */
static void check_service(const struct world *world, struct sim *sim, const char *first)
{
	struct truth *truth = calloc(1, sizeof(*truth));
	struct addr address = world_node_address(world, world_find_node(world, first), 4);
	uint32_t one = WORLD_NONE;
	bool several = false;
	assert_non_null(truth);
	for (uint32_t i = 0; i < world->host_count; i++) {
		if (!is_called(world, i, "vp"))
			continue;
		assert_int_equal(sim_truths(sim, i, address, truth, 1), 1);
		assert_int_equal(truth->end, TRUTH_REACHED);
		uint32_t end = truth->hops[truth->hop_count - 1].node;
		assert_memory_equal(world->nodes[end].name, first, strlen(first) - 1);
		several |= one != WORLD_NONE && end != one;
		one = end;
	}
	assert_true(several);
	free(truth);
}

static void test_services(void **state)
{
	struct world *world = generated_world(1000, 1, "hostile");
	struct sim *sim = sim_new(world, 1);
	unsigned services = 0, several_origins = 0;
	(void)state;
	assert_non_null(sim);
	for (uint32_t i = 0; i < world->host_count; i++) {
		const char *name = world->nodes[i].name;
		if (!is_called(world, i, "any") || strcmp(name + strlen(name) - 2, "-1") != 0)
			continue;
		uint32_t prefix = world_find_prefix(world, world_node_address(world, i, 4));
		assert_int_not_equal(prefix, WORLD_NONE);
		several_origins += world->prefixes[prefix].origin_count > 1;
		services++;
		check_service(world, sim, name);
	}
	assert_int_equal(
		services, 4 + 4); /* 0.4 % are content networks, and for 250 ASes one that is shared */
	assert_int_equal(several_origins, 4);
	sim_free(sim);
	world_free(world);
}

/* A smaller world has shorter paths and coarser shares: the ranges are wider by a fifth. */
static void test_today_is_like_the_internet(void **state)
{
	struct world *world = generated_world(300, 1, "today");
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
	struct world *world = generated_world(100, 1, "clean");
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
		cmocka_unit_test(test_users_are_translated),
		cmocka_unit_test(test_services),
		cmocka_unit_test(test_today_is_like_the_internet),
		cmocka_unit_test(test_clean_answers_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
