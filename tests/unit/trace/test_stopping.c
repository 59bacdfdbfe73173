/* The stopping rule against the numbers that were published, and against draws by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/rng.h"
#include "trace/stopping.h"

/* Augustin et al. 2007 for 95 %, and as scamper(1) has them for 95 and 99 %. */
static const unsigned published95[] = {6, 11, 16, 21, 27, 33, 38, 44, 51, 57, 63, 70, 76, 83, 90, 96};
static const unsigned published99[] = {8, 15, 21, 28, 36, 43, 51, 58, 66, 74};

static void test_published(void **state)
{
	struct stopping stopping;
	(void)state;
	stopping_init(&stopping, 0.95);
	for (unsigned i = 0; i < ARRAY_LEN(published95); i++)
		assert_int_equal(stopping.answers[i + 1], published95[i]);
	assert_int_equal(stopping.answers[0], 6);
	stopping_init(&stopping, 0.99);
	for (unsigned i = 0; i < ARRAY_LEN(published99); i++)
		assert_int_equal(stopping.answers[i + 1], published99[i]);
}

static void test_chances(void **state)
{
	(void)state;
	/* Two things, three draws: all the same in 2 of 8 cases. */
	assert_true(fabs(stopping_miss(2, 3) - 0.25) < 1e-12);
	/* Three things, three draws: all of them in 6 of 27 cases. */
	assert_true(fabs(stopping_miss(3, 3) - 21.0 / 27) < 1e-12);
	assert_true(stopping_miss(3, 2) == 1);
	assert_true(fabs(stopping_miss(1, 1)) < 1e-12);
}

/* What the rule promises, by drawing. */
static void test_promise(void **state)
{
	struct rng rng = rng_seed(1);
	struct stopping stopping;
	(void)state;
	stopping_init(&stopping, 0.95);
	for (unsigned count = 2; count <= 12; count++) {
		unsigned missed = 0, runs = 4000;
		for (unsigned run = 0; run < runs; run++) {
			uint64_t seen = 0;
			for (unsigned draw = 0; draw < stopping.answers[count - 1]; draw++)
				seen |= 1ull << rng_below(&rng, count);
			missed += seen != (1ull << count) - 1;
		}
		assert_true(missed <= 0.06 * runs);
	}
}

static void test_repeats(void **state)
{
	struct stopping stopping;
	(void)state;
	stopping_init(&stopping, 0.95);
	/* (1/2)^5 = 3.1 %, (1/3)^3 = 3.7 %, and no fewer than three */
	assert_int_equal(stopping.repeats[1], 0);
	assert_int_equal(stopping.repeats[2], 5);
	assert_int_equal(stopping.repeats[3], 3);
	assert_int_equal(stopping.repeats[16], 3);
	/* One in four balances again: 0.25 * 2^-3 against 0.75, after four answers 4 %. */
	assert_int_equal(stopping.inside, 4);
}

static void test_bounds(void **state)
{
	struct stopping stopping;
	(void)state;
	stopping_init(&stopping, 7);
	assert_int_equal(stopping.answers[1], 15); /* 2^-14 is under 0.0001, 2^-13 is not */
	stopping_init(&stopping, 0);
	assert_int_equal(stopping.answers[1], 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published),
		cmocka_unit_test(test_chances),
		cmocka_unit_test(test_promise),
		cmocka_unit_test(test_repeats),
		cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
