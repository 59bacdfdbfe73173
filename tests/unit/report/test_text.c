#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "insight/insight.h"
#include "report/json.h"
#include "report/style.h"
#include "report/text.h"

static struct addr address(const char *text)
{
	struct addr addr = ADDR_NONE;
	assert_true(addr_parse(text, &addr));
	return addr;
}

static struct path *make_path(
	enum direction direction, const char *from, const char *to, const char *const *hops)
{
	struct path *path = path_new(direction, direction == DIRECTION_FORWARD ? "ttl" : "responder");
	path->protocol = PROBE_UDP;
	path->source = address(from);
	path->destination = address(to);
	for (; *hops; hops++) {
		struct hop *hop = path_add_hop(path, (int)path->hop_count + 1, TECHNIQUE_TTL);
		for (int i = 0; i < 3; i++) {
			struct probe_result *probe = hop_add_probe(hop);
			if (strcmp(*hops, "*") == 0)
				continue;
			probe->address = address(*hops);
			probe->rtt_ns = hop->ttl * 1000000LL;
		}
	}
	assert_int_equal(path_summarise(path), 0);
	path->reached = true;
	path->stop_reason = STOP_REACHED;
	return path;
}

static void make(struct measurement *m)
{
	measurement_init(m);
	m->source = address("192.0.2.10");
	m->target = address("198.51.100.80");
	m->target_name = strdup("server");
	m->forward = make_path(DIRECTION_FORWARD, "192.0.2.10", "198.51.100.80",
		(const char *const[]){"10.1.0.1", "10.2.0.1", "*", "10.4.0.1", "198.51.100.80", NULL});
	m->reverse = make_path(DIRECTION_REVERSE, "198.51.100.80", "192.0.2.10",
		(const char *const[]){"10.4.0.1", "10.7.0.1", "10.1.0.1", "192.0.2.10", NULL});
}

/* The report as text; free it. */
static char *render(struct measurement *m, struct report_options options)
{
	static char *text; /* static, as gcc -O3 takes what the stream leaves here for a pointer into the stack */
	static size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	assert_int_equal(insight_run(m), 0);
	assert_int_equal(report_text(out, m, &options), 0);
	fclose(out);
	return text;
}

/* The line that holds `word`, as a copy. */
static char *line_with(const char *text, const char *word)
{
	const char *found = strstr(text, word);
	if (!found)
		fail_msg("no line with %s in\n%s", word, text);
	while (found > text && found[-1] != '\n')
		found--;
	return strndup(found, strcspn(found, "\n"));
}

static void test_one_router_one_row(void **state)
{
	(void)state;
	struct measurement m;
	make(&m);
	char *text = render(&m, (struct report_options){.width = 120});
	const char *lanes = strstr(text, "THERE");
	assert_non_null(lanes);
	/* 10.4.0.1 is hop 4 there and hop 1 back: on one row, joined. */
	char *row = line_with(lanes, "10.4.0.1");
	assert_non_null(strstr(row, " 4  10.4.0.1"));
	assert_non_null(strstr(row, "|-@-|  1  10.4.0.1"));
	free(row);
	/* 10.2.0.1 and 10.7.0.1 are different routers. */
	row = line_with(lanes, "10.2.0.1");
	assert_null(strstr(row, "@"));
	free(row);
	row = line_with(lanes, "no answer");
	assert_non_null(strstr(row, " 3  * no answer"));
	free(row);
	/* The way back reads upwards: its end stands above its start. */
	assert_true(strstr(lanes, " 4  192.0.2.10") < strstr(lanes, " 3  10.1.0.1"));
	free(text);
	measurement_deinit(&m);
}

static void test_stacked_reads_as_packets_travel(void **state)
{
	(void)state;
	struct measurement m;
	make(&m);
	char *text = render(&m, (struct report_options){.width = 80});
	const char *back = strstr(text, "BACK");
	assert_non_null(back);
	assert_true(strstr(text, "THERE") < back);
	assert_true(strstr(back, " 1  10.4.0.1") < strstr(back, " 4  192.0.2.10"));
	char *row = line_with(back, " 1  10.4.0.1");
	assert_non_null(strstr(row, "@4")); /* the same router there */
	free(row);
	free(text);
	measurement_deinit(&m);
}

static void test_no_line_is_wider_than_asked(void **state)
{
	(void)state;
	for (int width = 40; width <= 200; width += 3) {
		struct measurement m;
		make(&m);
		m.forward->hops[1].name = strdup("a-rather-long-name.of.a-router.somewhere.example");
		m.forward->hops[1].asn = 4200000000;
		strcpy(m.forward->hops[1].probes[0].mark, "!X");
		m.forward->hops[1].probes[0].icmp_type = 3;
		m.forward->hops[1].probes[0].icmp_code = 13;
		char *text = render(&m, (struct report_options){.width = width, .utf8 = true});
		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
			/* A name alone on its line may be longer: it is never cut. */
			bool name = strstr(line, "a-rather-long") != NULL && text_columns(line) <= 4 + 48;
			if (text_columns(line) > width && !name)
				fail_msg("%d columns of %d: %s", text_columns(line), width, line);
		}
		free(text);
		measurement_deinit(&m);
	}
}

static void test_names_cannot_write_to_the_terminal(void **state)
{
	(void)state;
	struct measurement m;
	make(&m);
	m.forward->hops[0].name = strdup("evil\x1b[2J\r\n\xc2\x9b.example");
	m.forward->hops[0].as_name = strdup("\x1b]0;title\x07");
	m.forward->hops[0].asn = 64500;
	m.source_name = strdup("\x07");
	measurement_add_attempt(&m, "inband", ATTEMPT_FAILED, "said \x1b[31m");
	for (int width = 80; width <= 140; width += 60) {
		char *text = render(&m, (struct report_options){.width = width});
		for (const char *p = text; *p; p++)
			assert_true(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
		assert_non_null(strstr(text, "evil\\x1b[2J"));
		free(text);
	}
	measurement_deinit(&m);
}

static void test_unknown_way_back_says_what_was_tried(void **state)
{
	(void)state;
	struct measurement m;
	make(&m);
	path_free(m.reverse);
	m.reverse = NULL;
	measurement_add_attempt(&m, "responder", ATTEMPT_TIMEOUT, "no answer in 0.5 s");
	char *text = render(&m, (struct report_options){.width = 120});
	assert_non_null(strstr(text, "by responder: timeout, no answer in 0.5 s"));
	assert_non_null(strstr(text, "the way back is unknown"));
	assert_null(strstr(text, "BACK"));
	free(text);
	measurement_deinit(&m);
}

static void test_legend_only_for_marks_used(void **state)
{
	(void)state;
	struct measurement m;
	make(&m);
	char *text = render(&m, (struct report_options){.width = 80});
	assert_non_null(strstr(text, "@ same router"));
	assert_null(strstr(text, "o same router"));
	assert_null(strstr(text, "assumed"));
	free(text);
	measurement_deinit(&m);
}

static void test_colour_only_when_asked(void **state)
{
	(void)state;
	struct measurement m;
	make(&m);
	char *plain = render(&m, (struct report_options){.width = 80});
	assert_null(strchr(plain, 0x1b));
	free(plain);
	measurement_deinit(&m);
	make(&m);
	char *coloured = render(&m, (struct report_options){.width = 80, .colour = true});
	assert_non_null(strstr(coloured, "\033[1m"));
	free(coloured);
	measurement_deinit(&m);
}

static void test_a_full_disk_is_noticed(void **state)
{
	(void)state;
	struct measurement m;
	make(&m);
	FILE *full = fopen("/dev/full", "w");
	if (!full)
		skip();
	assert_int_equal(report_json(full, &m), -EIO);
	fclose(full);
	full = fopen("/dev/full", "w");
	assert_int_equal(report_text(full, &m, &(struct report_options){.width = 80}), -EIO);
	fclose(full);
	measurement_deinit(&m);
}

static void test_words_wrap(void **state)
{
	(void)state;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct report_options options = {.width = 12};
	print_wrapped(out, &options, ROLE_PLAIN, "ab ", 2, "one two three abcdefghijklmnop x");
	fclose(out);
	assert_string_equal(text, "ab one two\n  three\n  abcdefghij\n  klmnop x\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_router_one_row),
		cmocka_unit_test(test_stacked_reads_as_packets_travel),
		cmocka_unit_test(test_no_line_is_wider_than_asked),
		cmocka_unit_test(test_names_cannot_write_to_the_terminal),
		cmocka_unit_test(test_unknown_way_back_says_what_was_tried),
		cmocka_unit_test(test_legend_only_for_marks_used),
		cmocka_unit_test(test_colour_only_when_asked),
		cmocka_unit_test(test_a_full_disk_is_noticed),
		cmocka_unit_test(test_words_wrap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
