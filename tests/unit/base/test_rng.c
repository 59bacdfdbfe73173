#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"

/* xoshiro256** from the state 1, 2, 3, 4. By its definition the first output is rotl(2 * 5, 7) * 9 = 11520,
 * and the second 0 because s1 became 1 ^ 2 ^ 3 = 0; the third agrees with other implementations. */
static void test_first_output(void **state)
{
	(void)state;
	struct rng rng = {{1, 2, 3, 4}};
	assert_true(rng_u64(&rng) == 11520);
	assert_true(rng_u64(&rng) == 0);
	assert_true(rng_u64(&rng) == 1509978240);
}

/* splitmix64 of the seed 0 starts with this number (its authors' reference). */
static void test_seeding(void **state)
{
	(void)state;
	assert_true(rng_seed(0).s[0] == 0xe220a8397b1dcdaf);
}

static void test_same_seed_same_numbers(void **state)
{
	(void)state;
	struct rng a = rng_seed(42), b = rng_seed(42), c = rng_seed(43);
	int different = 0;
	for (int i = 0; i < 1000; i++) {
		uint64_t value = rng_u64(&a);
		assert_true(value == rng_u64(&b));
		different += value != rng_u64(&c);
	}
	assert_true(different > 990);
}

static void test_below(void **state)
{
	(void)state;
	struct rng rng = rng_seed(1);
	unsigned count[6] = {0};
	for (int i = 0; i < 6000; i++) {
		uint64_t value = rng_below(&rng, 6);
		assert_true(value < 6);
		count[value]++;
	}
	for (int i = 0; i < 6; i++) /* 1000 expected, standard deviation 29 */
		assert_in_range(count[i], 850, 1150);
	for (int i = 0; i < 100; i++)
		assert_true(rng_below(&rng, 1) == 0);
	for (int i = 0; i < 100; i++)
		assert_true(rng_below(&rng, UINT64_MAX) < UINT64_MAX);
}

static void test_unit(void **state)
{
	(void)state;
	struct rng rng = rng_seed(7);
	double sum = 0;
	for (int i = 0; i < 10000; i++) {
		double value = rng_unit(&rng);
		assert_true(value >= 0 && value < 1);
		sum += value;
	}
	assert_true(sum > 4800 && sum < 5200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_output),
		cmocka_unit_test(test_seeding),
		cmocka_unit_test(test_same_seed_same_numbers),
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_unit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
