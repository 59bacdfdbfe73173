/* Who is asked first: worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "revtr/ingress.h"

#define TARGET addr_v4(0xcb007109)

static struct ingress survey(void)
{
	/* Agents 0, 1 and 2 come by ingress 100, 3 by 200, 4 does not get there; 5 was not asked. */
	static const struct ingress_view views[] = {
		{0, 5, 100}, {1, 3, 100}, {2, 4, 100}, {3, 6, 200}, {4, INGRESS_FAR, 0}};
	struct ingress ingress;
	assert_int_equal(ingress_init(&ingress, 6), 0);
	for (unsigned i = 0; i < ARRAY_LEN(views); i++)
		assert_int_equal(ingress_add(&ingress, prefix_of(TARGET, 24), &views[i]), 0);
	ingress_sort(&ingress);
	return ingress;
}

static void assert_rank(const struct ingress *ingress, enum ingress_order order, const uint32_t *expected, unsigned near)
{
	uint32_t agents[6];
	unsigned known;
	assert_int_equal(ingress_rank(ingress, TARGET, order, 1, agents, 6, &known), 6);
	assert_int_equal(known, near);
	for (unsigned i = 0; i < near; i++)
		assert_int_equal(agents[i], expected[i]);
}

static void test_order(void **state)
{
	(void)state;
	struct ingress ingress = survey();
	assert_rank(&ingress, INGRESS_ROUND_ROBIN, (uint32_t[]){1, 3, 2, 0}, 4);
	assert_rank(&ingress, INGRESS_BY_DISTANCE, (uint32_t[]){1, 2, 0, 3}, 4);
	ingress_deinit(&ingress);
}

static void test_unknown_prefix(void **state)
{
	uint32_t agents[6];
	unsigned near;
	(void)state;
	struct ingress ingress = survey();
	/* Nothing is known: those first that are near to most. */
	assert_int_equal(ingress_rank(&ingress, addr_v4(0x01020304), INGRESS_ROUND_ROBIN, 1, agents, 6, &near), 6);
	assert_int_equal(near, 0);
	assert_null(ingress_find(&ingress, addr_v4(0x01020304)));
	assert_non_null(ingress_find(&ingress, TARGET));
	assert_true(agents[4] >= 4 && agents[5] >= 4);
	ingress_deinit(&ingress);
}

static void test_longest_prefix_counts(void **state)
{
	uint32_t agents[6];
	unsigned near;
	(void)state;
	struct ingress ingress = survey();
	assert_int_equal(ingress_add(&ingress, prefix_of(TARGET, 16), &(struct ingress_view){5, 1, 300}), 0);
	ingress_sort(&ingress);
	ingress_rank(&ingress, TARGET, INGRESS_ROUND_ROBIN, 1, agents, 6, &near);
	assert_int_equal(near, 4);
	ingress_rank(&ingress, addr_v4(0xcb00ff01), INGRESS_ROUND_ROBIN, 1, agents, 6, &near);
	assert_int_equal(near, 1);
	assert_int_equal(agents[0], 5);
	ingress_deinit(&ingress);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_unknown_prefix),
		cmocka_unit_test(test_longest_prefix_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
