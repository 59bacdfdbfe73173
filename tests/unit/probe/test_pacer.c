#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/clock.h"
#include "probe/pacer.h"

static struct pacer pacer;

/* Send as fast as the pacer lets us; how many packets leave within `span_ns`? */
static unsigned greedy(int64_t start_ns, int64_t span_ns)
{
	unsigned count = 0;
	int64_t now_ns = start_ns;
	for (;;) {
		int64_t ready_ns = pacer_ready_ns(&pacer, now_ns);
		assert_true(ready_ns >= now_ns);
		if (ready_ns >= start_ns + span_ns)
			return count;
		now_ns = ready_ns;
		if (pacer_ready_ns(&pacer, now_ns) == now_ns) {
			pacer_take(&pacer, now_ns);
			count++;
		}
	}
}

static void test_burst_then_rate(void **state)
{
	(void)state;
	pacer_init(&pacer, 100, 10, 1);
	unsigned first = greedy(5 * NS_PER_S, NS_PER_MS);
	assert_int_equal(first, 10);
	/* never above the cap, and not far below it for the jitter */
	unsigned later = greedy(5 * NS_PER_S + NS_PER_MS, 10 * NS_PER_S);
	assert_in_range(later, 800, 1000);
}

static void test_rest_earns_one_burst_only(void **state)
{
	(void)state;
	pacer_init(&pacer, 100, 10, 1);
	assert_int_equal(greedy(0, 1), 10);
	assert_int_equal(greedy(3600 * NS_PER_S, 1), 10);
}

static void test_time_that_goes_back_earns_nothing(void **state)
{
	(void)state;
	pacer_init(&pacer, 100, 10, 1);
	assert_int_equal(greedy(10 * NS_PER_S, 1), 10);
	assert_int_equal(greedy(9 * NS_PER_S, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_then_rate),
		cmocka_unit_test(test_rest_earns_one_burst_only),
		cmocka_unit_test(test_time_that_goes_back_earns_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
