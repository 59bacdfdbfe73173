/* The heap against a plain search for the earliest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/rng.h"
#include "net/schedule.h"

#define COUNT 200

static void test_earliest_first(void **state)
{
	(void)state;
	struct schedule schedule = {0};
	struct rng rng = rng_seed(7);
	int64_t when_ns[COUNT];
	bool gone[COUNT] = {false};
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(schedule_add(&schedule), i);
		when_ns[i] = (int64_t)rng_below(&rng, 1000);
		schedule_set(&schedule, (unsigned)i, when_ns[i]);
	}
	for (int round = 0; round < 5000; round++) {
		unsigned number = (unsigned)rng_below(&rng, COUNT), found = 0;
		int64_t found_ns = 0, least_ns = INT64_MAX;
		if (round % 40 == 39) {
			schedule_remove(&schedule, number);
			gone[number] = true;
		} else if (round % 40 == 19 && gone[number]) {
			schedule_restore(&schedule, number);
			gone[number] = false;
			when_ns[number] = INT64_MIN;
			assert_true(schedule_first(&schedule, &found, &found_ns));
			assert_int_equal(found_ns, INT64_MIN);
			when_ns[number] = 500;
			schedule_set(&schedule, number, 500);
		} else {
			when_ns[number] = (int64_t)rng_below(&rng, 1000);
			schedule_set(&schedule, number, when_ns[number]); /* of one that is gone: nothing */
		}
		for (int i = 0; i < COUNT; i++)
			if (!gone[i] && when_ns[i] < least_ns)
				least_ns = when_ns[i];
		assert_int_equal(schedule_first(&schedule, &found, &found_ns), least_ns != INT64_MAX);
		assert_int_equal(found_ns, least_ns);
		assert_false(gone[found]);
		assert_int_equal(when_ns[found], least_ns);
	}
	schedule_deinit(&schedule);
}

static void test_empty(void **state)
{
	(void)state;
	struct schedule schedule = {0};
	unsigned number;
	int64_t when_ns;
	assert_false(schedule_first(&schedule, &number, &when_ns));
	assert_int_equal(schedule_add(&schedule), 0);
	schedule_remove(&schedule, 0);
	schedule_remove(&schedule, 0);
	assert_false(schedule_first(&schedule, &number, &when_ns));
	schedule_deinit(&schedule);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_earliest_first),
		cmocka_unit_test(test_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
