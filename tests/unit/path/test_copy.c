/* A copy of a path says the same and shares nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "path/json.h"
#include "path/model.h"

static struct path *full_path(void)
{
	struct path *path = path_new(DIRECTION_REVERSE, "lg");
	struct hop *hop = path_add_hop(path, 1, TECHNIQUE_REMOTE_TRACE);
	hop->address = addr_v4(0xcb007101);
	assert_int_equal(hop_add_address(hop, hop->address), 0);
	hop->name = strdup("ae1.example.net");
	hop->as_name = strdup("Example");
	hop->ixp = strdup("IX");
	hop->by_origin = true;
	struct probe_result *probe = hop_add_probe(hop);
	probe->rtt_ns = 1500000;
	probe->address = hop->address;
	path_add_edge(path)->ttl = 2;
	path_add_try(path)->sent = 3;
	*path_add_gap(path) = (struct path_gap){.after = 0, .before = 1, .missing = 2};
	path->mtu.measured = true;
	path_add_mtu_step(path)->bytes = 1400;
	assert_int_equal(path_set_vantage(path, "Example, Frankfurt", addr_v4(0xcb007163), 64500, VANTAGE_SAME_AS), 0);
	return path;
}

static char *document_of(struct path *path)
{
	struct measurement measurement;
	measurement_init(&measurement);
	measurement.command = "back";
	measurement.reverse = path;
	char *text = measurement_to_text(&measurement);
	measurement.reverse = NULL;
	measurement_deinit(&measurement);
	return text;
}

static void test_copy_says_the_same(void **state)
{
	(void)state;
	struct path *path = full_path(), *copy = path_copy(path);
	assert_non_null(copy);
	char *before = document_of(path);
	path_free(path);
	char *after = document_of(copy);
	assert_string_equal(before, after);
	assert_non_null(strstr(after, "\"distance\": \"same-as\""));
	assert_non_null(strstr(after, "\"missing\": 2"));
	assert_non_null(strstr(after, "\"by_origin\": true"));
	free(before);
	free(after);
	path_free(copy);
}

static void test_vantage_survives_the_document(void **state)
{
	(void)state;
	struct path *path = full_path();
	char *text = document_of(path);
	struct measurement read;
	struct error error = {0};
	assert_int_equal(measurement_from_text(text, strlen(text), &read, &error), 0);
	assert_string_equal(read.reverse->vantage->name, "Example, Frankfurt");
	assert_int_equal(read.reverse->vantage->asn, 64500);
	assert_int_equal(read.reverse->vantage->distance, VANTAGE_SAME_AS);
	measurement_deinit(&read);
	free(text);
	path_free(path);
}

/* Arrays of a copy have room to grow, as those of the original have. */
static void test_copy_grows(void **state)
{
	(void)state;
	for (int count = 1; count <= 9; count++) {
		struct path *path = path_new(DIRECTION_REVERSE, "test");
		for (int i = 0; i < count; i++) {
			assert_non_null(path_add_hop(path, i + 1, TECHNIQUE_TTL));
			assert_int_equal(hop_add_address(&path->hops[0], addr_v4((uint32_t)i + 1)), 0);
		}
		struct path *copy = path_copy(path);
		for (int i = 0; i < 9; i++) {
			assert_non_null(path_add_hop(copy, count + i + 1, TECHNIQUE_TTL));
			assert_int_equal(hop_add_address(&copy->hops[0], addr_v4((uint32_t)(count + i) + 1)), 0);
		}
		assert_int_equal(copy->hop_count, count + 9);
		assert_int_equal(copy->hops[0].address_count, count + 9);
		path_free(copy);
		path_free(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy_says_the_same),
		cmocka_unit_test(test_copy_grows),
		cmocka_unit_test(test_vantage_survives_the_document),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
