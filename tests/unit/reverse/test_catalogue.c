/* The list that ships, lists of the user, and what is near by them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reverse/catalogue_near.h"

static struct catalogue *parse(const char *text)
{
	struct catalogue *catalogue;
	struct error error = {0};
	if (catalogue_parse(&catalogue, "list.yaml", text, &error) < 0)
		fail_msg("%s", error.text);
	return catalogue;
}

static void refuse(const char *text, const char *says)
{
	struct catalogue *catalogue;
	struct error error = {0};
	assert_int_equal(catalogue_parse(&catalogue, "list.yaml", text, &error), -EINVAL);
	assert_null(catalogue);
	if (!strstr(error.text, says))
		fail_msg("'%s' is not in: %s", says, error.text);
}

static void test_shipped(void **state)
{
	(void)state;
	struct catalogue *catalogue;
	struct error error = {0};
	assert_int_equal(catalogue_shipped(&catalogue, &error), 0);
	assert_true(catalogue->count > 0);
	assert_int_equal(strlen(catalogue->noted), strlen("2026-11-22"));
	catalogue_free(catalogue);
}

static void test_mistakes(void **state)
{
	(void)state;
	refuse("looking_glasses:\n  - {asn: 64500}\n", "url");
	refuse("looking_glasses:\n  - {url: \"https://x\"}\n", "asn");
	refuse("looking_glasses:\n  - {asn: 64500, url: \"https://x\"}\n  - {asn: 0, url: \"https://x\"}\n", "list.yaml:3:");
	refuse("looking_glasses:\n  - {asn: 64500, url: \"file:///etc/passwd\"}\n", "expected https://");
	refuse("looking_glasses:\n  - {asn: 64500, url: \"https://\"}\n", "expected https://");
	refuse("looking_glasses:\n  - {asn: 64500, url: \"https://x y\"}\n", "expected https://");
	refuse("looking_glasses:\n  - {asn: 64500, url: \"https://x\", traces: perhaps}\n", "list.yaml:2");
	catalogue_free(parse(""));
	catalogue_free(parse("noted: today\n"));
}

/* What the user has set up comes first, what comes twice is told once, and the nearest network comes first. */
static void test_near(void **state)
{
	(void)state;
	char mine[] = "mine", far[] = "far";
	struct settings_looking_glass glasses[] = {{.name = mine, .asn = 64510}, {.name = far, .asn = 64499}};
	struct settings settings = {.looking_glasses = glasses, .looking_glass_count = 2};
	struct catalogue *own = parse("looking_glasses:\n"
				      "  - {asn: 64500, url: \"https://up.example/\", network: Up}\n"
				      "  - {asn: 64510, url: \"https://lg.example/\"}\n"
				      "  - {asn: 64499, url: \"https://far.example/\"}\n");
	struct catalogue *shipped = parse("looking_glasses:\n"
					  "  - {asn: 64510, url: \"https://lg.example\", network: Harbour}\n"
					  "  - {asn: 64510, url: \"telnet://rs.example\"}\n");
	struct data *data = calloc(1, sizeof(*data));
	struct vantage_scene scene = {
		.origins = {64510}, .origin_count = 1, .upstreams = {64500, 64502}, .upstream_count = 2};
	struct near_sources sources = {data, &settings, own, shipped};
	struct near near;
	assert_non_null(data);
	assert_int_equal(near_find(&near, &scene, NULL, &sources), 0);
	assert_int_equal(near.count, 3);
	assert_int_equal(near.networks[0].asn, 64510);
	assert_false(near.networks[0].upstream);
	assert_string_equal(near.networks[0].name, "Harbour");
	assert_int_equal(near.networks[0].count, 3);
	assert_string_equal(near.networks[0].glasses[0].name, "mine");
	assert_int_equal(near.networks[0].glasses[1].source, NEAR_OWN);
	assert_string_equal(near.networks[0].glasses[2].url, "telnet://rs.example");
	assert_true(near.networks[1].upstream);
	assert_string_equal(near.networks[1].name, "Up");
	assert_int_equal(near.networks[1].count, 1);
	assert_int_equal(near.networks[2].count, 0);
	near_deinit(&near);
	catalogue_free(own);
	catalogue_free(shipped);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shipped),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_near),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
