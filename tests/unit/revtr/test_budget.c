/* Token buckets, worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "revtr/budget.h"

#define NOW_NS (100 * NS_PER_S)

static int64_t take_ms(struct budget *budget, uint32_t target, uint32_t source, uint32_t agent, int64_t at_ms)
{
	struct budget_packet packet = {target, source, agent};
	return (budget_take(budget, &packet, NOW_NS + at_ms * NS_PER_MS) - NOW_NS) / NS_PER_MS;
}

/* Ten a second, two at once: the third has to wait until the first's token is back. */
static void test_burst_then_rate(void **state)
{
	struct budget budget = {.rates = {[BUDGET_TARGET] = {10, 2}}};
	(void)state;
	assert_int_equal(take_ms(&budget, 1, 0, 0, 0), 0);
	assert_int_equal(take_ms(&budget, 1, 0, 0, 0), 0);
	assert_int_equal(take_ms(&budget, 1, 0, 0, 0), 100);
	assert_int_equal(take_ms(&budget, 1, 0, 0, 0), 200);
	/* Another one is not concerned. */
	assert_int_equal(take_ms(&budget, 2, 0, 0, 0), 0);
	/* Four tokens were taken: at 300 ms one is there, at 400 ms the bucket is full. */
	assert_int_equal(take_ms(&budget, 1, 0, 0, 300), 300);
	assert_int_equal(take_ms(&budget, 1, 0, 0, 300), 400);
	budget_deinit(&budget);
}

static void test_the_tightest_counts(void **state)
{
	struct budget budget = {.rates = {[BUDGET_TARGET] = {10, 1}, [BUDGET_NET] = {5, 1}, [BUDGET_SOURCE] = {2, 1}}};
	(void)state;
	assert_int_equal(take_ms(&budget, 0x0101, 1, 0, 0), 0);
	assert_int_equal(take_ms(&budget, 0x0101, 2, 0, 0), 200); /* by the /24, which is slower than the target */
	assert_int_equal(take_ms(&budget, 0x0102, 3, 0, 0), 400); /* another address of it */
	assert_int_equal(take_ms(&budget, 0x0201, 1, 0, 0), 500); /* another /24 for the first source */
	budget_deinit(&budget);
}

/* Whatever is asked for, no second sees more than the rate and the burst. */
static void test_no_second_sees_more(void **state)
{
	struct budget budget = {.rates = {[BUDGET_AGENT] = {20, 5}}};
	int64_t at_ms[200];
	(void)state;
	for (int i = 0; i < 200; i++)
		at_ms[i] = take_ms(&budget, (uint32_t)i, 0, 7, i < 100 ? 0 : 3 * i);
	for (int i = 0; i < 200; i++) {
		int within = 0;
		for (int j = i; j < 200; j++)
			within += at_ms[j] < at_ms[i] + 1000;
		assert_true(within <= 25);
	}
	budget_deinit(&budget);
}

static void test_full_buckets_are_forgotten(void **state)
{
	struct budget budget = {.rates = {[BUDGET_TARGET] = {10, 1}}};
	(void)state;
	/* A thousand in one second need room; a million, a second apart from those before, do not need more. */
	for (uint32_t i = 0; i < 1000000; i++)
		assert_int_equal(take_ms(&budget, i, 0, 0, i), i);
	assert_true(budget.room <= 1024);
	budget_deinit(&budget);
}

static void test_dead_targets(void **state)
{
	struct budget budget = {.silent_max = 5, .dead_for_ns = 60 * NS_PER_S};
	(void)state;
	budget_silent(&budget, 1, 4, NOW_NS);
	assert_false(budget_dead(&budget, 1, NOW_NS));
	budget_silent(&budget, 1, 1, NOW_NS + NS_PER_S);
	assert_true(budget_dead(&budget, 1, NOW_NS + NS_PER_S));
	assert_false(budget_dead(&budget, 2, NOW_NS + NS_PER_S));
	assert_true(budget_dead(&budget, 1, NOW_NS + 60 * NS_PER_S));
	assert_false(budget_dead(&budget, 1, NOW_NS + 61 * NS_PER_S));
	budget_alive(&budget, 1);
	budget_silent(&budget, 1, 4, NOW_NS + NS_PER_S);
	assert_false(budget_dead(&budget, 1, NOW_NS + NS_PER_S));
	budget_deinit(&budget);
}

/* Ten a second, the first three at once: the sixth packet waits 300 ms, and a seventh would 400. */
static void test_backlog(void **state)
{
	struct budget budget = {.rates = {[BUDGET_SOURCE] = {10, 3}}};
	struct budget_packet packet = {.target = 1, .source = 7, .agent = 2};
	(void)state;
	assert_int_equal(budget_backlog(&budget, BUDGET_SOURCE, 7, 0), 0);
	for (int i = 0; i < 6; i++)
		(void)budget_take(&budget, &packet, 0);
	assert_int_equal(budget_backlog(&budget, BUDGET_SOURCE, 7, 0), 400 * NS_PER_MS);
	assert_int_equal(budget_backlog(&budget, BUDGET_SOURCE, 7, 300 * NS_PER_MS), 100 * NS_PER_MS);
	assert_int_equal(budget_backlog(&budget, BUDGET_SOURCE, 7, NS_PER_S), 0);
	assert_int_equal(budget_backlog(&budget, BUDGET_SOURCE, 8, 0), 0);
	assert_int_equal(budget_backlog(&budget, BUDGET_AGENT, 2, 0), 0); /* it has no limit */
	budget_deinit(&budget);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backlog),
		cmocka_unit_test(test_burst_then_rate),
		cmocka_unit_test(test_the_tightest_counts),
		cmocka_unit_test(test_no_second_sees_more),
		cmocka_unit_test(test_full_buckets_are_forgotten),
		cmocka_unit_test(test_dead_targets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
