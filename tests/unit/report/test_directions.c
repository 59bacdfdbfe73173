/* What is said of each direction: no line is wider than asked for, and nothing is lost by it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "report/directions.h"
#include "report/style.h"

static struct way way_of(unsigned lost)
{
	return (struct way){
		.sent = 1000,
		.lost = lost,
		.variation_median_ns = 20 * NS_PER_US,
		.variation_p95_ns = 1500 * NS_PER_US,
		.variation_max_ns = 12 * NS_PER_MS,
		.jitter_ns = 10 * NS_PER_US,
		.delay = {13 * NS_PER_MS, 13 * NS_PER_MS, 14 * NS_PER_MS},
	};
}

static struct directions apart(void)
{
	struct directions directions = directions_none();
	directions.status = DIRECTIONS_APART;
	directions.port = 862;
	directions.sent = 1000;
	directions.received = 980;
	directions.undecided = 3;
	directions.late = 2;
	directions.forward = way_of(17);
	directions.reverse = way_of(0);
	directions.clock_error_ns = 100 * NS_PER_US;
	directions.drift = 20e-6;
	directions.drift_known = true;
	return directions;
}

static void assert_within(const struct directions *directions, int width)
{
	const struct report_options options = {.width = width, .utf8 = true};
	char *text = NULL, *rest;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	directions_text(out, &options, directions);
	fclose(out);
	assert_non_null(strstr(text, "17 of 1000 lost"));
	rest = text;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (text_columns(line) > width)
			fail_msg("%d columns, not %d: '%s'", text_columns(line), width, line);
		assert_true(*line || !rest); /* and none is empty */
	}
	free(text);
}

static void test_width(void **state)
{
	(void)state;
	struct directions directions = apart();
	for (int width = 56; width <= 200; width += 8)
		assert_within(&directions, width);
	directions.contradicted = true;
	assert_within(&directions, 60);
}

/* With its intervals where there is room, and else without, but never without counts. */
static void test_line(void **state)
{
	(void)state;
	struct directions directions = apart();
	char text[400];
	directions_line(&directions, true, 200, text, sizeof(text));
	assert_non_null(strstr(text, "17 of 1000 lost (95 %: "));
	int wide = text_columns(text);
	directions_line(&directions, true, wide, text, sizeof(text));
	assert_int_equal(text_columns(text), wide);
	directions_line(&directions, true, wide - 1, text, sizeof(text));
	assert_non_null(strstr(text, "17 of 1000 lost, variation 1.5 ms"));
	assert_non_null(strstr(text, "0 of 1000 lost, variation 1.5 ms"));
	assert_null(strstr(text, "95 %"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_width), cmocka_unit_test(test_line)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
