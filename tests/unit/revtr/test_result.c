/* A result as JSON, and as a path again; and what is no result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reverse/revtr_result.h"
#include "revtr/result.h"

/* Six routers from the destination on, three of which show; two are missing behind the first, one before the source. */
static void test_gaps_and_flags_come_through(void **state)
{
	struct revtr_hop hops[] = {
		{.address = 0xcb007101, .technique = TECHNIQUE_RECORD_ROUTE, .probability = 1, .left = 5, .by_origin = true},
		{.address = 0xcb007102, .technique = TECHNIQUE_ATLAS, .probability = 0.9f, .left = 2},
		{.address = 0, .technique = TECHNIQUE_ATLAS, .probability = 0.9f, .left = -1},
		{.address = 0xc6336401, .technique = TECHNIQUE_ATLAS, .probability = 1, .left = -1},
	};
	struct revtr_result result = {.stop = REVTR_REACHED, .hops = hops, .hop_count = 4, .left = 6,
		.destination = 0xc0000201};
	(void)state;
	char *text = revtr_result_to_json(&result, 1, 2, addr_v4(0xc6336401), 0);
	assert_non_null(text);
	struct path *path = revtr_result_path(text, strlen(text));
	assert_non_null(path);
	assert_true(path->reached);
	assert_int_equal(path->hop_count, 4);
	assert_true(path->hops[0].by_origin);
	assert_false(path->hops[1].by_origin);
	assert_int_equal(path->gap_count, 2);
	assert_int_equal(path->gaps[0].after, 1);
	assert_int_equal(path->gaps[0].before, 2);
	assert_int_equal(path->gaps[0].missing, 2);
	assert_int_equal(path->gaps[1].after, 2);
	assert_int_equal(path->gaps[1].before, 4);
	assert_int_equal(path->gaps[1].missing, 1);
	path_free(path);
	free(text);
}

/* 0.9 is 0.9, not the nearest float's 17 digits. */
static void test_numbers_are_short(void **state)
{
	struct revtr_hop hop = {.address = 0xcb007101, .technique = TECHNIQUE_ATLAS, .probability = 0.9f, .left = -1};
	struct revtr_result result = {.stop = REVTR_INTERDOMAIN, .hops = &hop, .hop_count = 1, .left = -1, .finished_ns = 1234567890};
	(void)state;
	char *text = revtr_result_to_json(&result, 1, 2, addr_v4(0xc6336401), 0);
	assert_non_null(strstr(text, "\"probability\":0.9,"));
	assert_non_null(strstr(text, "\"duration_ms\":1234.568"));
	assert_null(strstr(text, "elsewhere"));
	free(text);
	result.elsewhere = true;
	text = revtr_result_to_json(&result, 1, 2, addr_v4(0xc6336401), 0);
	assert_non_null(strstr(text, "\"elsewhere\":true"));
	free(text);
}

/* It breaks off: what is missing is missing before the source, which has no number among the hops. */
static void test_the_end_is_missing(void **state)
{
	struct revtr_hop hop = {.address = 0xcb007101, .technique = TECHNIQUE_RECORD_ROUTE, .probability = 1, .left = 4};
	struct revtr_result result = {.stop = REVTR_INTERDOMAIN, .hops = &hop, .hop_count = 1, .left = 5,
		.destination = 0xc0000201};
	(void)state;
	char *text = revtr_result_to_json(&result, 1, 2, addr_v4(0xc6336401), 0);
	struct path *path = revtr_result_path(text, strlen(text));
	assert_non_null(path);
	assert_int_equal(path->gap_count, 1);
	assert_int_equal(path->gaps[0].after, 1);
	assert_int_equal(path->gaps[0].before, 2);
	assert_int_equal(path->gaps[0].missing, 4);
	path_free(path);
	free(text);
}

static void test_nonsense(void **state)
{
	static const char *const gaps[] = {"{\"after\":1,\"before\":1,\"missing\":1}", "{\"after\":0,\"before\":3,\"missing\":1}",
		"{\"after\":-1,\"before\":1,\"missing\":1}", "{\"after\":0,\"before\":1,\"missing\":0}",
		"{\"after\":0,\"before\":1,\"missing\":256}", "{\"after\":0,\"before\":4294967298,\"missing\":1}", "7", "null"};
	static const char head[] = "{\"status\":\"partial\",\"hops\":[{\"address\":null,\"technique\":\"atlas\","
				   "\"certainty\":\"inferred\"}],\"suspected_gaps\":[";
	char text[400];
	(void)state;
	for (size_t i = 0; i < sizeof(gaps) / sizeof(*gaps); i++) {
		int length = snprintf(text, sizeof(text), "%s%s]}", head, gaps[i]);
		if (revtr_result_path(text, (size_t)length))
			fail_msg("taken: %s", text);
	}
	int length = snprintf(text, sizeof(text), "%s{\"after\":0,\"before\":2,\"missing\":1}]}", head);
	struct path *path = revtr_result_path(text, (size_t)length);
	assert_non_null(path);
	path_free(path);
	for (int cut = 0; cut < length; cut++)
		assert_null(revtr_result_path(text, (size_t)cut));
}

/* The schema of documents says what a probability and an age may be. */
static void test_numbers_out_of_range(void **state)
{
	static const struct {
		const char *members;
		bool taken;
	} cases[] = {{"\"probability\":1,\"age_s\":0", true}, {"\"probability\":0.98", true},
		{"\"probability\":1.01", false}, {"\"probability\":-0.5", false}, {"\"probability\":1e300", false},
		{"\"age_s\":-1", false}};
	char text[300];
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int length = snprintf(text, sizeof(text),
			"{\"status\":\"partial\",\"hops\":[{\"address\":null,\"technique\":\"atlas\","
			"\"certainty\":\"inferred\",%s}]}",
			cases[i].members);
		struct path *path = revtr_result_path(text, (size_t)length);
		if ((path != NULL) != cases[i].taken)
			fail_msg("%s: %s", path ? "taken" : "not taken", text);
		path_free(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gaps_and_flags_come_through),
		cmocka_unit_test(test_numbers_are_short),
		cmocka_unit_test(test_the_end_is_missing),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_numbers_out_of_range),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
