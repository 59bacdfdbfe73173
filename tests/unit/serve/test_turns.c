/* One trace for each asker and target at a time, few in all, so many a minute. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "base/clock.h"
#include "serve/turns.h"

#define START_NS (1000 * NS_PER_S)

static struct addr asker(unsigned network, unsigned host)
{
	return addr_v4(0x0a000000 + (network << 8) + host);
}

static void one_for_each(void **state UNUSED)
{
	struct turns turns;
	unsigned wait_s = 0;
	assert_int_equal(turns_init(&turns, (struct hash_key){1, 2}, 0), 0);
	int first = turns_take(&turns, asker(1, 1), asker(1, 1), START_NS, &wait_s);
	assert_true(first >= 0);
	assert_int_equal(turns_take(&turns, asker(1, 1), asker(1, 1), START_NS, &wait_s), -EBUSY);
	assert_true(wait_s > 0);
	/* Nor two askers to one target, nor one asker to two targets. */
	assert_int_equal(turns_take(&turns, asker(2, 1), asker(1, 1), START_NS, &wait_s), -EBUSY);
	assert_int_equal(turns_take(&turns, asker(1, 1), asker(2, 1), START_NS, &wait_s), -EBUSY);
	int second = turns_take(&turns, asker(1, 2), asker(1, 2), START_NS, &wait_s);
	assert_true(second >= 0 && second != first);
	turns_give_back(&turns, first);
	assert_int_equal(turns_take(&turns, asker(1, 1), asker(1, 1), START_NS, &wait_s), first);
	assert_int_equal(turns.granted, 3);
	assert_int_equal(turns.refused_busy, 3);
	turns_deinit(&turns);
}

static void few_in_all(void **state UNUSED)
{
	struct turns turns;
	unsigned wait_s;
	assert_int_equal(turns_init(&turns, (struct hash_key){1, 2}, 0), 0);
	for (unsigned i = 0; i < TURNS_AT_ONCE; i++)
		assert_true(turns_take(&turns, asker(i, 1), asker(i, 1), START_NS, &wait_s) >= 0);
	assert_int_equal(turns_take(&turns, asker(100, 1), asker(100, 1), START_NS, &wait_s), -EBUSY);
	turns_give_back(&turns, 5);
	assert_int_equal(turns_take(&turns, asker(100, 1), asker(100, 1), START_NS, &wait_s), 5);
	turns_deinit(&turns);
}

static int ask_and_end(
	struct turns *turns, struct addr who, struct addr target, int64_t now_ns, unsigned *wait_s)
{
	int turn = turns_take(turns, who, target, now_ns, wait_s);
	if (turn >= 0)
		turns_give_back(turns, turn);
	return turn;
}

/* 30 a minute, 10 at once, for a whole /24, whether as asker or as target. */
static void rate_of_a_network(void **state UNUSED)
{
	struct turns turns;
	unsigned wait_s = 0;
	assert_int_equal(turns_init(&turns, (struct hash_key){1, 2}, 30), 0);
	for (unsigned i = 0; i < 10; i++)
		assert_true(ask_and_end(&turns, asker(1, i + 1), asker(1, i + 1), START_NS, &wait_s) >= 0);
	assert_int_equal(ask_and_end(&turns, asker(1, 77), asker(1, 77), START_NS, &wait_s), -EDQUOT);
	assert_int_equal(wait_s, 2);
	assert_int_equal(ask_and_end(&turns, asker(2, 1), asker(1, 78), START_NS, &wait_s), -EDQUOT);
	assert_true(ask_and_end(&turns, asker(2, 1), asker(2, 1), START_NS, &wait_s) >= 0);
	/* After the time that was told there is one more, and one only. */
	int64_t later_ns = START_NS + wait_s * NS_PER_S;
	assert_true(ask_and_end(&turns, asker(1, 1), asker(1, 1), later_ns, &wait_s) >= 0);
	assert_int_equal(ask_and_end(&turns, asker(1, 1), asker(1, 1), later_ns, &wait_s), -EDQUOT);
	unsigned granted = 0;
	for (unsigned s = 0; s < 600; s++)
		granted +=
			ask_and_end(&turns, asker(1, 1), asker(1, 1), later_ns + s * NS_PER_S, &wait_s) >= 0;
	assert_in_range(granted, 290, 310);
	turns_deinit(&turns);
}

static void smallest_rate(void **state UNUSED)
{
	struct turns turns;
	unsigned wait_s = 0;
	assert_int_equal(turns_init(&turns, (struct hash_key){1, 2}, 1), 0);
	assert_true(ask_and_end(&turns, asker(1, 1), asker(1, 1), START_NS, &wait_s) >= 0);
	assert_int_equal(ask_and_end(&turns, asker(1, 1), asker(1, 1), START_NS, &wait_s), -EDQUOT);
	assert_int_equal(wait_s, 60);
	turns_deinit(&turns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_for_each),
		cmocka_unit_test(few_in_all),
		cmocka_unit_test(rate_of_a_network),
		cmocka_unit_test(smallest_rate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
