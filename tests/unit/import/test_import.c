/* The entry: detection, hints, bounds, and what half an input becomes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "import/import.h"
#include "path/json.h"

static struct import read_text(const char *text, const struct import_hints *hints)
{
	struct import import;
	struct error error;
	/* A copy of exact size, for the sanitizer. */
	size_t length = strlen(text);
	char *copy = malloc(length);
	memcpy(copy, text, length);
	assert_int_equal(import_read(copy, length, hints, &import, &error), 0);
	free(copy);
	return import;
}

static void test_nothing(void **state)
{
	static const char *const inputs[] = {"", "\n\n", "hello, world", "{}", "[]", "{\"report\":7}",
		"\x12\x05",
		"PING t.example (198.51.100.9) 56(84) bytes of data.\n64 bytes from 198.51.100.9: icmp_seq=1 "
		"ttl=64 "
		"time=0.1 ms\n3 packets transmitted, 3 received, 0% packet loss, time 2003ms\n"};
	(void)state;
	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
		struct import import = read_text(inputs[i], NULL);
		assert_int_equal(import.count, 0);
		assert_true(import.partial);
		assert_true(import.note[0]);
		import_deinit(&import);
	}
}

static void test_hints(void **state)
{
	struct import_hints hints = {.dialect = "klingon"};
	struct import import;
	struct error error;
	(void)state;
	assert_int_equal(import_read("", 0, &hints, &import, &error), -EINVAL);
	assert_non_null(strstr(error.text, "klingon"));
	/* No header: who was asked is known to the caller only. */
	static const char text[] = " 1  192.0.2.1  1 ms\n 2  198.51.100.9  2 ms\n";
	import = read_text(text, NULL);
	assert_int_equal(import.count, 1);
	assert_false(import.traces[0].measurement.forward->reached);
	assert_false(import.traces[0].partial);
	import_deinit(&import);
	hints = (struct import_hints){.dialect = "junos", .destination = addr_v4(0xc6336409)};
	import = read_text(text, &hints);
	assert_string_equal(import.traces[0].dialect, "junos");
	assert_true(import.traces[0].measurement.forward->reached);
	import_deinit(&import);
}

static void test_headerless_traces(void **state)
{
	(void)state;
	struct import import = read_text(" 1  192.0.2.1  1 ms\n 2  198.51.100.9  2 ms\n"
					 " 1  192.0.2.1  1 ms\n 2  198.51.100.10  2 ms\n",
		NULL);
	assert_int_equal(import.count, 2);
	assert_int_equal(import.traces[1].measurement.forward->hop_count, 2);
	import_deinit(&import);
	import = read_text("  1  <1 ms  <1 ms  <1 ms  192.0.2.1\n  2  *  *  *  Hmm.\n", NULL);
	assert_string_equal(import.traces[0].dialect, "tracert");
	import_deinit(&import);
}

/* RFC 792, 1812, 4443: what the marks stand for. */
static void test_marks(void **state)
{
	(void)state;
	struct import import =
		read_text(" 1  192.0.2.1  1 ms !H  1 ms !N  1 ms !X  1 ms !<11>  1 ms !<11-1>\n"
			  " 2  2001:db8::1  1 ms !N  1 ms !X  1 ms !F-1280\n",
			NULL);
	static const int v4[][2] = {{3, 1}, {3, 0}, {3, 13}, {3, 11}, {11, 1}},
			 v6[][2] = {{1, 0}, {1, 1}, {2, 0}};
	const struct hop *hops = import.traces[0].measurement.forward->hops;
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(hops[0].probes[i].icmp_type, v4[i][0]);
		assert_int_equal(hops[0].probes[i].icmp_code, v4[i][1]);
	}
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(hops[1].probes[i].icmp_type, v6[i][0]);
		assert_int_equal(hops[1].probes[i].icmp_code, v6[i][1]);
	}
	assert_int_equal(hops[1].probes[2].mtu, 1280);
	import_deinit(&import);
}

static void test_bounds(void **state)
{
	(void)state;
	struct import import;
	struct error error;
	char *big = calloc(1, IMPORT_DATA_MAX + 1);
	assert_int_equal(import_read(big, IMPORT_DATA_MAX + 1, NULL, &import, &error), -E2BIG);
	free(big);
	/* A name of 5000 letters and a thousand probes in a line. */
	char *line = malloc(40000), *at = line;
	at += sprintf(at, " 1  ");
	memset(at, 'n', 5000);
	at += 5000;
	at += sprintf(at, " (192.0.2.1)");
	for (int i = 0; i < 3000; i++)
		at += sprintf(at, " 1 ms");
	import = read_text(line, NULL);
	const struct hop *hop = &import.traces[0].measurement.forward->hops[0];
	assert_int_equal(strlen(hop->name), 255);
	assert_int_equal(hop->probe_count, 1024);
	assert_true(import.traces[0].partial);
	import_deinit(&import);
	free(line);
}

static void test_many_traces(void **state)
{
	static const char trace[] = "1 192.0.2.1 1 ms\n"; /* each begins anew */
	(void)state;
	char *text = malloc(IMPORT_TEXT_MAX * 2);
	size_t length = 0;
	while (length + sizeof(trace) * 2 < IMPORT_TEXT_MAX * 2) {
		strcpy(text + length, "2 192.0.2.1 1 ms\n");
		strcpy(text + length + 17, trace);
		length += 17 + sizeof(trace) - 1;
	}
	struct import import = read_text(text, NULL);
	assert_true(import.count > 1000 && import.count <= IMPORT_TRACES_MAX);
	assert_true(import.partial);
	import_deinit(&import);
	free(text);
}

/* Our own document says the same after it was read. */
static void test_own(void **state)
{
	(void)state;
	struct import import =
		read_text("traceroute to t.example (198.51.100.9), 30 hops max, 60 byte packets\n"
			  " 1  gw.example (192.0.2.1) [AS64501/AS64502]  1 ms * 2 ms\n",
			NULL);
	char *text = measurement_to_text(&import.traces[0].measurement);
	struct import again = read_text(text, NULL);
	assert_int_equal(again.count, 1);
	assert_string_equal(again.traces[0].dialect, "retour");
	char *text_again = measurement_to_text(&again.traces[0].measurement);
	assert_string_equal(text, text_again);
	free(text);
	free(text_again);
	import_deinit(&import);
	import_deinit(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_hints),
		cmocka_unit_test(test_headerless_traces),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_many_traces),
		cmocka_unit_test(test_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
