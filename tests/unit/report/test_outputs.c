/* CSV and scamper's JSON of what is odd: hostile text, unknown things, hops without probes. What is expected
 * is worked out by hand from RFC 4180 and from what scamper prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/csv.h"
#include "report/jsonl.h"
#include "report/scamper.h"

static struct measurement m;
static char *text; /* what was printed last */
static size_t size;

static struct addr address(const char *literal)
{
	struct addr addr;
	assert_true(addr_parse(literal, &addr));
	return addr;
}

static struct hop *add_hop(const char *from)
{
	struct hop *hop = path_add_hop(m.forward, (int)m.forward->hop_count + 1, TECHNIQUE_TTL);
	if (from)
		hop->address = address(from);
	return hop;
}

static struct probe_result *add_probe(struct hop *hop, int64_t rtt_ns)
{
	struct probe_result *probe = hop_add_probe(hop);
	probe->sent_ns = 1500000;
	probe->rtt_ns = rtt_ns;
	if (rtt_ns != RTT_NONE) {
		probe->address = hop->address;
		probe->icmp_type = 11;
		probe->icmp_code = 0;
	}
	return probe;
}

static int set_up(void **state)
{
	(void)state;
	measurement_init(&m);
	m.command = "trace";
	m.started_wall_ns = 1795312243123456000; /* 2026-11-22T01:50:43.123456Z */
	m.target = address("198.51.100.80");
	m.target_name = strdup("=cmd|'/c calc'!A0,\"x\"");
	m.forward = path_new(DIRECTION_FORWARD, "ttl");
	m.forward->protocol = PROBE_UDP;
	m.forward->source = address("192.0.2.10");
	m.forward->destination = m.target;
	m.forward->started_wall_ns = m.started_wall_ns;
	m.forward->stop_reason = STOP_UNREACHABLE;
	struct hop *hop = add_hop("192.0.2.1");
	hop->name = strdup("a\x1b[31m\xff, \"b\"\r\n");
	hop->asn = 64500;
	hop->as_name = strdup("-1+2");
	add_probe(hop, 1234567);
	add_probe(hop, RTT_NONE);
	add_hop(NULL);
	hop = add_hop("198.51.100.1");
	struct probe_result *probe = add_probe(hop, 2000999);
	probe->icmp_type = 3;
	probe->icmp_code = 13;
	probe->mtu = 1400;
	probe->quoted.ttl = 1;
	strcpy(probe->mark, "!X");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	measurement_deinit(&m);
	return 0;
}

static void print_csv(void)
{
	FILE *out = open_memstream(&text, &size);
	assert_int_equal(report_csv_head(out), 0);
	assert_int_equal(report_csv(out, &m), 0);
	fclose(out);
}

static void test_csv(void **state)
{
	(void)state;
	print_csv();
	char *line = strchr(text, '\n') + 1;
	static const char *const expected =
		"2026-11-22T01:50:43.123456Z,\"\\x3dcmd|'/c "
		"calc'!A0,\"\"x\"\"\",198.51.100.80,forward,ttl,udp,1,1,1.500000,"
		"1.234567,192.0.2.1,\"a\\x1b[31m\\xff, "
		"\"\"b\"\"\\x0d\\x0a\",64500,\\x2d1+2,,,,ttl,measured,11,0,,,,,,\r\n";
	if (strncmp(line, expected, strlen(expected)) != 0)
		fail_msg("%s", line);
	assert_non_null(strstr(text, ",udp,1,2,1.500000,,,,,,,,,ttl,measured,,,,,,,,\r\n")); /* no answer */
	assert_non_null(strstr(text, ",udp,2,,,,,,,,,,,ttl,measured,,,,,,,,\r\n"));	     /* no probe */
	assert_non_null(
		strstr(text, ",3,1,1.500000,2.000999,198.51.100.1,,,,,,,ttl,measured,3,13,,!X,,1,1400,\r\n"));
	free(text);
}

static json_t *print_scamper(const struct scamper_options *options)
{
	FILE *out = open_memstream(&text, &size);
	assert_int_equal(report_scamper(out, &m, options), 0);
	fclose(out);
	json_t *trace = json_loads(text, 0, NULL);
	free(text);
	assert_non_null(trace);
	return trace;
}

static json_int_t number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static void test_scamper(void **state)
{
	(void)state;
	json_t *trace = print_scamper(&(struct scamper_options){.tos = 8});
	assert_string_equal(json_string_value(json_object_get(trace, "stop_reason")), "UNREACH");
	assert_int_equal(number(trace, "stop_data"), 13);
	assert_int_equal(number(trace, "tos"), 8);
	assert_int_equal(number(trace, "hop_count"), 3);
	assert_int_equal(number(trace, "attempts"), 2);
	assert_int_equal(number(json_object_get(trace, "start"), "sec"), 1795312243);
	assert_int_equal(number(json_object_get(trace, "start"), "usec"), 123456);
	const json_t *hops = json_object_get(trace, "hops");
	assert_int_equal(json_array_size(hops), 2); /* only answers */
	const json_t *first = json_array_get(hops, 0), *last = json_array_get(hops, 1);
	assert_int_equal(number(json_object_get(first, "tx"), "usec"), 124956);
	assert_true(json_real_value(json_object_get(first, "rtt")) == 1.234);
	assert_null(json_object_get(first, "icmp_q_ttl")); /* not known, so not told */
	assert_string_equal(
		json_string_value(json_object_get(first, "name")), "a\\x1b[31m\\xff, \"b\"\\x0d\\x0a");
	assert_int_equal(number(last, "icmp_q_ttl"), 1);
	assert_int_equal(number(last, "icmp_nhmtu"), 1400);
	json_decref(trace);
}

/* The lines printed so far as an array; the text is kept. */
static json_t *events_in(const char *lines)
{
	json_t *events = json_array();
	for (const char *line = lines; *line; line = strchr(line, '\n') + 1) {
		json_t *event = json_loadb(line, (size_t)(strchr(line, '\n') - line), 0, NULL);
		assert_non_null(event);
		assert_int_equal(json_array_append_new(events, event), 0);
	}
	return events;
}

static const char *kind_of(const json_t *events, size_t index)
{
	return json_string_value(json_object_get(json_array_get(events, index), "event"));
}

/* Each answer is told once, when it is there, and silence not at all. */
static void test_live(void **state)
{
	(void)state;
	FILE *out = open_memstream(&text, &size);
	struct jsonl_live live = {.out = out};
	jsonl_live_start(&live, &m);
	struct probe_result *late = &m.forward->hops[0].probes[1];
	jsonl_live_answers(&live, m.forward);
	jsonl_live_answers(&live, m.forward);
	late->address = m.forward->hops[0].address;
	late->rtt_ns = 5000000;
	late->sent_ns++; /* as two packets never leave at once */
	jsonl_live_answers(&live, m.forward);
	fflush(out);
	json_t *events = events_in(text);
	assert_int_equal(json_array_size(events), 4);
	assert_string_equal(kind_of(events, 0), "start");
	const json_t *last = json_array_get(events, 3);
	assert_string_equal(kind_of(events, 3), "probe");
	assert_string_equal(json_string_value(json_object_get(last, "direction")), "forward");
	assert_int_equal(number(last, "ttl"), 1);
	assert_true(json_real_value(json_object_get(last, "rtt_ms")) == 5.0);
	json_decref(events);
	size_t before = size;
	assert_int_equal(report_jsonl(out, &m, &live), 0);
	fclose(out);
	events = events_in(text + before);
	assert_string_equal(kind_of(events, 0), "path"); /* no second start */
	assert_string_equal(kind_of(events, json_array_size(events) - 1), "done");
	json_decref(events);
	jsonl_live_deinit(&live);
	free(text);
}

static void test_one_event_of_many(void **state)
{
	(void)state;
	FILE *out = open_memstream(&text, &size);
	assert_int_equal(report_jsonl_whole(out, &m), 0);
	fclose(out);
	json_t *events = events_in(text);
	const json_t *event = json_array_get(events, 0);
	assert_int_equal(json_array_size(events), 1);
	assert_string_equal(kind_of(events, 0), "measurement");
	assert_string_equal(json_string_value(json_object_get(event, "target")), "198.51.100.80");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(event, "measurement"), "schema")), "retour/1");
	json_decref(events);
	free(text);
}

/* A full disk is an error, in whatever form. */
static void test_no_room(void **state)
{
	(void)state;
	FILE *full = fopen("/dev/full", "w");
	if (!full)
		skip();
	assert_true(report_csv(full, &m) < 0);
	assert_true(report_jsonl(full, &m, NULL) < 0);
	assert_true(report_scamper(full, &m, &(struct scamper_options){0}) < 0);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_csv, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_scamper, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_live, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_event_of_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_room, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
