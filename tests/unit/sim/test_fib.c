/* Tables with little room give the same ways as with much, and look-ups find what lists would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "sim/fib.h"

static struct world *demo(void)
{
	struct world *world;
	struct error error = {0};
	if (world_load("demo", &world, &error) < 0)
		fail_msg("%s", error.text);
	return world;
}

static void test_little_room(void **state)
{
	struct world *w = demo();
	bool *gone = calloc(w->interface_count / 2 + 1, sizeof(*gone));
	struct fib *roomy = fib_new(w, gone), *narrow = fib_new(w, gone);
	(void)state;
	fib_limit(narrow, 1);
	for (unsigned round = 0; round < 2; round++)
		for (uint32_t to = 0; to < w->node_count; to++)
			for (uint32_t from = 0; from < w->node_count; from++) {
				struct fib_ways a = fib_to_node(roomy, from, to),
						b = fib_to_node(narrow, from, to);
				assert_int_equal(a.count, b.count);
				assert_int_equal(a.distance, b.distance);
				for (uint32_t i = 0; i < a.count; i++)
					assert_int_equal(a.via[i], b.via[i]);
			}
	fib_free(roomy);
	fib_free(narrow);
	free(gone);
	world_free(w);
}

static void test_links_that_are_gone(void **state)
{
	struct world *w = demo();
	bool *gone = calloc(w->interface_count / 2 + 1, sizeof(*gone));
	struct fib *fib = fib_new(w, gone);
	uint32_t client = world_find_node(w, "client"), gw = world_find_node(w, "gw");
	(void)state;
	assert_int_equal(fib_to_node(fib, gw, client).count, 1);
	gone[w->nodes[client].interfaces[0] / 2] = true; /* its only one */
	assert_int_equal(fib_to_node(fib, gw, client).count, 1);
	fib_forget(fib);
	assert_int_equal(fib_to_node(fib, gw, client).count, 0);
	assert_int_equal(fib_to_node(fib, gw, client).distance, FIB_FAR);
	fib_free(fib);
	free(gone);
	world_free(w);
}

static void test_finding(void **state)
{
	struct world *w = demo();
	(void)state;
	for (uint32_t i = 0; i < w->node_count; i++)
		assert_int_equal(world_find_node(w, w->nodes[i].name), i);
	assert_int_equal(world_find_node(w, "nobody"), WORLD_NONE);
	for (uint32_t i = 0; i < w->interface_count; i++)
		for (unsigned f = 0; f < 2; f++) {
			assert_true(world_has_address(w, w->interfaces[i].node, w->interfaces[i].address[f]));
			assert_false(
				world_has_address(w, w->interfaces[i ^ 1].node, w->interfaces[i].address[f]));
		}
	for (uint32_t i = 0; i < w->as_count; i++) {
		assert_int_equal(world_find_asn(w, w->ases[i].asn), i);
		for (unsigned f = 0; f < 2; f++)
			assert_int_equal(world_find_as(w, w->ases[i].prefixes[f].addr), i);
	}
	assert_int_equal(world_find_asn(w, 1), WORLD_NONE);
	assert_int_equal(world_find_as(w, addr_v4(1)), WORLD_NONE);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_little_room),
		cmocka_unit_test(test_links_that_are_gone),
		cmocka_unit_test(test_finding),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
