#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/clock.h"

static void test_format(void **state)
{
	(void)state;
	char text[TIME_TEXT_SIZE];
	assert_string_equal(clock_format(0, text), "1970-01-01T00:00:00.000000Z");
	assert_string_equal(clock_format(1000000000LL * NS_PER_S, text), "2001-09-09T01:46:40.000000Z");
	assert_string_equal(
		clock_format(951782400LL * NS_PER_S + 123456789, text), "2000-02-29T00:00:00.123456Z");
	assert_string_equal(clock_format(NS_PER_S - 1, text), "1970-01-01T00:00:00.999999Z");
}

/* Times from elsewhere may be anything; the text stays a text. */
static void test_extremes(void **state)
{
	(void)state;
	char text[TIME_TEXT_SIZE];
	assert_true(strlen(clock_format(INT64_MAX, text)) < TIME_TEXT_SIZE);
	assert_true(strlen(clock_format(INT64_MIN, text)) < TIME_TEXT_SIZE);
	/* half a second before the epoch */
	assert_string_equal(clock_format(-NS_PER_S / 2, text), "1969-12-31T23:59:59.500000Z");
}

static void test_monotonic(void **state)
{
	(void)state;
	int64_t before = clock_monotonic_ns();
	assert_true(clock_monotonic_ns() >= before);
	assert_true(clock_wall_ns() > 1700000000LL * NS_PER_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_monotonic),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
