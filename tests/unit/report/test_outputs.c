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

/* A full disk is an error, in whatever form. */
static void test_no_room(void **state)
{
	(void)state;
	FILE *full = fopen("/dev/full", "w");
	if (!full)
		skip();
	assert_true(report_csv(full, &m) < 0);
	assert_true(report_jsonl(full, &m) < 0);
	assert_true(report_scamper(full, &m, &(struct scamper_options){0}) < 0);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_csv, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_scamper, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_room, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
