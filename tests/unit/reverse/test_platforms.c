/* What Globalping and RIPE Atlas answer, as their documentation shows it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "reverse/atlas_result.h"
#include "reverse/globalping_result.h"
#include "reverse/platform.h"

#define US "198.51.100.77"

static struct addr addr(const char *text)
{
	struct addr addr;
	assert_true(addr_parse(text, &addr));
	return addr;
}

static json_t *json(const char *text)
{
	json_t *root = json_loads(text, 0, NULL);
	assert_non_null(root);
	return root;
}

/* The far host is in AS 64510, with AS 64500 before it. */
static const struct vantage_scene scene = {
	.target = {.low = 0xc6121250, .family = 4}, .origins = {64510}, .origin_count = 1, .upstreams = {64500},
	.upstream_count = 1};

#define TEXT(last)                                                                                               \
	"traceroute to " US " (" US "), 20 hops max, 60 byte packets\\n"                                         \
	" 1  _gateway (198.18.16.6)  0.4 ms  0.5 ms\\n 2  192.0.2.6 (192.0.2.6)  5.6 ms 192.0.2.8 (192.0.2.8)  5.7 ms\\n" last
#define HERE " 3  " US " (" US ")  13.1 ms  13.2 ms\\n"
#define PROBE(asn, city) "{\"asn\": " asn ", \"city\": \"" city "\", \"country\": \"GB\", \"network\": \"Net\"}"
#define DONE(text)                                                                                               \
	"{\"status\": \"finished\", \"resolvedAddress\": \"" US "\", \"rawOutput\": \"" text "\", \"hops\": ["    \
	"{\"resolvedAddress\": \"198.18.16.6\", \"resolvedHostname\": \"_gateway\", \"timings\": [{\"rtt\": 0.4}]}, " \
	"{\"resolvedAddress\": \"192.0.2.8\", \"resolvedHostname\": \"x\", \"timings\": [{\"rtt\": 5.7}]}]}"
#define ENTRY(probe, result) "{\"probe\": " probe ", \"result\": " result "}"
#define MEASUREMENT(status, entries)                                                                             \
	"{\"id\": \"x\", \"type\": \"traceroute\", \"status\": \"" status "\", \"target\": \"" US "\", "         \
	"\"measurementOptions\": {\"protocol\": \"UDP\"}, \"results\": [" entries "]}"

static void test_globalping_best(void **state)
{
	(void)state;
	char note[GLOBALPING_NOTE_SIZE];
	json_t *root = json(MEASUREMENT("finished", ENTRY(PROBE("64500", "Leeds"), DONE(TEXT(HERE))) ", "
		ENTRY(PROBE("64510", "York"), DONE(TEXT(" 3  * *\\n"))) ", "
		ENTRY(PROBE("64510", "London"), DONE(TEXT(HERE))) ", "
		ENTRY(PROBE("64510", "Ely"), "{\"status\": \"failed\", \"rawOutput\": \"no\"}")));
	struct path *path = globalping_best(root, &scene, addr(US), note);
	assert_non_null(path);
	/* one that gets here, and of those the nearest */
	assert_string_equal(path->vantage->name, "Globalping probe, London, GB, Net");
	assert_int_equal(path->vantage->distance, VANTAGE_SAME_AS);
	assert_true(path->reached);
	assert_int_equal(path->direction, DIRECTION_REVERSE);
	assert_string_equal(path->method, "globalping");
	assert_int_equal(path->protocol, PROBE_UDP);
	assert_int_equal(path->hop_count, 3);
	assert_int_equal(path->hops[0].certainty, CERTAINTY_INFERRED);
	assert_int_equal(path->hops[0].technique, TECHNIQUE_REMOTE_TRACE);
	/* the platform shows one of the two routers */
	assert_int_equal(path->hops[1].address_count, 2);
	assert_string_equal(note, "");
	path_free(path);
	json_decref(root);
}

static void test_globalping_cross_check(void **state)
{
	(void)state;
	char note[GLOBALPING_NOTE_SIZE];
	json_t *root = json(MEASUREMENT("finished", ENTRY(PROBE("64510", "London"), DONE(TEXT(HERE)))));
	json_t *hops = json_object_get(
		json_object_get(json_array_get(json_object_get(root, "results"), 0), "result"), "hops");
	json_object_set_new(json_array_get(hops, 1), "resolvedAddress", json_string("203.0.113.9"));
	struct path *path = globalping_best(root, &scene, addr(US), note);
	assert_non_null(path);
	assert_string_equal(note, "the text and the platform's reading of it differ at hop 2");
	path_free(path);
	json_decref(root);
}

static void test_globalping_nothing(void **state)
{
	(void)state;
	static const char *const nothing[] = {
		"[]",
		"{\"results\": 7}",
		MEASUREMENT("finished", ""),
		MEASUREMENT("finished", "1, null, {}, []"),
		MEASUREMENT("in-progress", ENTRY("{}", "{\"status\": \"in-progress\", \"rawOutput\": \"\"}")),
		MEASUREMENT("finished", ENTRY("{}", DONE("I beg your pardon") "")) "",
	};
	char note[GLOBALPING_NOTE_SIZE];
	for (size_t i = 0; i + 1 < ARRAY_LEN(nothing); i++) {
		json_t *root = json(nothing[i]);
		assert_null(globalping_best(root, &scene, addr(US), note));
		json_decref(root);
	}
	/* a trace to somebody else */
	json_t *root = json(MEASUREMENT("finished", ENTRY(PROBE("64510", "London"), DONE(TEXT(HERE)))));
	assert_null(globalping_best(root, &scene, addr("198.51.100.78"), note));
	json_decref(root);
}

static void test_globalping_words(void **state)
{
	(void)state;
	struct globalping_summary summary;
	json_t *root = json(MEASUREMENT("in-progress", ENTRY("{}", "{\"status\": \"offline\"}") ", "
		ENTRY("{}", "{\"status\": \"finished\"}") ", " ENTRY("{}", "{\"status\": \"in-progress\"}")));
	assert_true(globalping_summary_read(root, &summary));
	assert_int_equal(summary.probes, 3);
	assert_int_equal(summary.finished, 1);
	assert_int_equal(summary.failed, 1);
	assert_false(summary.over);
	json_decref(root);
	root = json("{\"id\": \"nzGzfAGL7sZfUs3c\", \"probesCount\": 1}");
	assert_string_equal(globalping_id(root), "nzGzfAGL7sZfUs3c");
	json_decref(root);
	/* it becomes part of a URL */
	root = json("{\"id\": \"../v1/limits?x\"}");
	assert_null(globalping_id(root));
	json_decref(root);
}

#define REPLY(address, rtt) "{\"from\": \"" address "\", \"rtt\": " rtt ", \"size\": 28, \"ttl\": 60}"
#define ATLAS(probe, from, to, last)                                                                             \
	"{\"fw\": 5080, \"af\": 4, \"dst_addr\": \"" to "\", \"dst_name\": \"" to "\", \"from\": \"" from "\", "  \
	"\"src_addr\": \"192.168.1.5\", \"msm_id\": 1, \"prb_id\": " probe ", \"proto\": \"ICMP\", "             \
	"\"type\": \"traceroute\", \"timestamp\": 1700000000, \"endtime\": 1700000002, \"result\": ["            \
	"{\"hop\": 1, \"result\": [" REPLY("198.18.16.6", "0.4") ", {\"x\": \"*\"}]}, "                          \
	"{\"hop\": 2, \"result\": [" REPLY(last, "9.1") "]}]}"

static void test_atlas_best(void **state)
{
	(void)state;
	json_t *root = json("[" ATLAS("7", "203.0.113.5", US, US) ", " ATLAS("8", "198.18.18.80", US, "192.0.2.9") "]");
	struct path *path = atlas_best(root, &scene, addr(US), "/nowhere");
	assert_non_null(path);
	/* one that gets here, before one of the far host itself that does not */
	assert_string_equal(path->vantage->name, "RIPE Atlas probe 7");
	assert_int_equal(path->vantage->distance, VANTAGE_UNKNOWN); /* no data says whose 203.0.113.5 is */
	assert_true(path->reached);
	assert_int_equal(path->hops[0].certainty, CERTAINTY_INFERRED);
	path_free(path);
	json_decref(root);
	root = json("[" ATLAS("7", "203.0.113.5", US, US) ", " ATLAS("8", "198.18.18.80", US, US) "]");
	path = atlas_best(root, &scene, addr(US), "/nowhere");
	assert_non_null(path);
	assert_null(path->vantage);
	assert_true(addr_equal(path->source, scene.target));
	assert_int_equal(path->hops[0].certainty, CERTAINTY_MEASURED);
	path_free(path);
	json_decref(root);
}

static void test_atlas_nothing(void **state)
{
	(void)state;
	static const char *const nothing[] = {"[]", "{}", "[1, null, {}]",
		"[" ATLAS("7", "203.0.113.5", "198.51.100.78", US) "]", /* a trace to somebody else */
		"[{\"type\": \"traceroute\", \"fw\": 5080, \"dst_name\": \"" US "\", \"result\": [{\"error\": \"dns\"}]}]"};
	for (size_t i = 0; i < ARRAY_LEN(nothing); i++) {
		json_t *root = json(nothing[i]);
		assert_null(atlas_best(root, &scene, addr(US), "/nowhere"));
		json_decref(root);
	}
}

static void test_atlas_places(void **state)
{
	(void)state;
	static const struct {
		const char *text, *type, *value;
	} good[] = {{"AS64500", "asn", "64500"}, {"64500", "asn", "64500"}, {"asn=64500", "asn", "64500"},
		{"asn=AS64500", "asn", "64500"}, {"prefix=192.0.2.0/24", "prefix", "\"192.0.2.0/24\""},
		{"country=DE", "country", "\"DE\""}, {"probes=1,2", "probes", "\"1,2\""}};
	static const char *const bad[] = {"", "asn=", "asn=x", "=1", "city=Rome", "asn=4294967296", "AS", "as n=1"};
	char why[ATLAS_TEXT_SIZE];
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		json_t *probes = atlas_probes(good[i].text, 3, 6, why);
		assert_non_null(probes);
		assert_string_equal(json_string_value(json_object_get(probes, "type")), good[i].type);
		char *value = json_dumps(json_object_get(probes, "value"), JSON_ENCODE_ANY);
		assert_string_equal(value, good[i].value);
		free(value);
		char *tags = json_dumps(json_object_get(probes, "tags"), JSON_COMPACT);
		assert_non_null(strstr(tags, "system-ipv6-works"));
		free(tags);
		json_decref(probes);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_null(atlas_probes(bad[i], 3, 4, why));
}

static void test_atlas_order(void **state)
{
	(void)state;
	char why[ATLAS_TEXT_SIZE];
	json_t *order = atlas_order(addr("2001:db8::1"), PROBE_TCP, atlas_probes("AS64500", 3, 6, why));
	assert_non_null(order);
	const json_t *definition = json_array_get(json_object_get(order, "definitions"), 0);
	/* what it wants of a traceroute; and the result is nobody else's business */
	assert_int_equal(json_integer_value(json_object_get(definition, "af")), 6);
	assert_string_equal(json_string_value(json_object_get(definition, "target")), "2001:db8::1");
	assert_string_equal(json_string_value(json_object_get(definition, "protocol")), "TCP");
	assert_int_equal(json_integer_value(json_object_get(definition, "port")), 80);
	assert_true(json_is_string(json_object_get(definition, "description")));
	assert_true(json_is_false(json_object_get(definition, "is_public")));
	assert_true(json_is_true(json_object_get(order, "is_oneoff")));
	json_decref(order);
}

/* Nobody's message may carry the key on. */
static void test_key_is_not_repeated(void **state)
{
	(void)state;
	char out[PLATFORM_MESSAGE_SIZE];
	struct platform platform = {.key = "f00dfeed"};
	assert_string_equal(platform_clean(&platform, "no such key: f00dfeed!", out), "(not shown: the key is in it)");
	assert_string_equal(platform_clean(&platform, "f00dfee", out), "f00dfee");
	assert_string_equal(platform_clean(&platform, NULL, out), "");
	platform.key = NULL;
	assert_string_equal(platform_clean(&platform, "f00dfeed", out), "f00dfeed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_globalping_best),
		cmocka_unit_test(test_globalping_cross_check),
		cmocka_unit_test(test_globalping_nothing),
		cmocka_unit_test(test_globalping_words),
		cmocka_unit_test(test_atlas_best),
		cmocka_unit_test(test_atlas_nothing),
		cmocka_unit_test(test_atlas_places),
		cmocka_unit_test(test_atlas_order),
		cmocka_unit_test(test_key_is_not_repeated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
