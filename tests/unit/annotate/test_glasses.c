/* Looking glasses as PeeringDB lists them: free text, one network a line, found by AS number. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "annotate/glasses.h"
#include "annotate/source.h"

static struct tables tables;

static struct text read_dump(const char *json)
{
	struct error error = {0};
	enum source_kind kind;
	struct text file = {json, strlen(json)};
	assert_int_equal(source_recognise(file, &kind, &error), 0);
	assert_int_equal(kind, SOURCE_PEERINGDB);
	if (source_read(kind, file, &tables, &error) < 0)
		fail_msg("%s", error.text);
	return (struct text){tables.text[TABLE_GLASSES], tables.length[TABLE_GLASSES]};
}

static void test_found_by_number(void **state)
{
	(void)state;
	struct glass glass;
	struct text file = read_dump("{\"net\": {\"data\": ["
		"{\"asn\": 64510, \"name\": \"Harbour\", \"looking_glass\": \"https://lg.example/\", \"route_server\": \"\"},"
		"{\"asn\": 64500, \"name\": \"A\\tB\\nC\", \"looking_glass\": \"ask\\tus\\nnicely\", "
		"\"route_server\": \"telnet://rs.example\"},"
		"{\"asn\": 64501, \"name\": \"Says nothing\", \"looking_glass\": \"\", \"route_server\": null},"
		"{\"asn\": 64502, \"looking_glass\": 7},"
		"{\"asn\": -1, \"looking_glass\": \"x\"}, {\"looking_glass\": \"y\"}, 5]}}");
	assert_int_equal(tables.entries[TABLE_GLASSES], 2);
	assert_true(glasses_find(file, 64510, &glass));
	assert_string_equal(glass.network, "Harbour");
	assert_string_equal(glass.looking_glass, "https://lg.example/");
	assert_string_equal(glass.route_server, "");
	assert_true(glasses_find(file, 64500, &glass));
	assert_string_equal(glass.network, "A B C");
	assert_string_equal(glass.looking_glass, "ask us nicely");
	assert_string_equal(glass.route_server, "telnet://rs.example");
	assert_false(glasses_find(file, 64501, &glass));
	assert_false(glasses_find(file, 64502, &glass));
	assert_false(glasses_find(file, 1, &glass));
	assert_false(glasses_find(file, UINT32_MAX, &glass));
	tables_free(&tables);
}

static void test_many(void **state)
{
	(void)state;
	char *text = NULL;
	size_t length;
	struct glass glass;
	FILE *out = open_memstream(&text, &length);
	for (unsigned i = 1; i <= 200; i++)
		fprintf(out, "%u\tnet %u\tlg %u\t\n", 3 * i, i, i);
	fclose(out);
	for (unsigned asn = 0; asn <= 610; asn++) {
		bool expected = asn > 0 && asn % 3 == 0 && asn <= 600;
		assert_int_equal(glasses_find((struct text){text, length}, asn, &glass), expected);
		if (expected)
			assert_int_equal(atoi(glass.looking_glass + 3), asn / 3);
	}
	free(text);
}

static void test_damaged(void **state)
{
	(void)state;
	static const char *const damaged[] = {"", "x", "\n", "\t\t\t\n", "64500", "64500\t", "64500\tA\thttps://cut"};
	struct glass glass;
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++)
		assert_false(glasses_find((struct text){damaged[i], strlen(damaged[i])}, 64500, &glass));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found_by_number),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_damaged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
