/* What is written of a continuous measurement can be read again; what is exposed to Prometheus is bounded and
 * well formed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "report/prometheus.h"
#include "report/replay.h"
#include "report/watch_events.h"
#include "report/watch_text.h"

static struct timeline timeline;
static struct book book;

static struct watch_view view_of(const char *name)
{
	return (struct watch_view){
		.timeline = &timeline,
		.book = &book,
		.started_wall_ns = 1800000000 * NS_PER_S,
		.interval_ns = NS_PER_S,
		.target_name = name,
		.source = addr_v4(0xc0000201),
		.target = addr_v4(0xc6336403),
		.protocol = PROBE_ICMP,
	};
}

static struct addr hop_address(unsigned ttl)
{
	return ttl == 3 ? addr_v4(0xc6336403) : addr_v4(0xcb007100 + ttl);
}

static void tell(FILE *out, const struct watch_view *view, const struct watch_event *event)
{
	timeline_apply(&timeline, event);
	if (out)
		assert_int_equal(watch_events_event(out, view, event), 0);
}

/* Three hops; the second leaves every fourth probe unanswered, and one answer of the third comes late. */
static void measure(FILE *out, const struct watch_view *view, uint32_t rounds)
{
	uint32_t probe = 0;
	timeline_deinit(&timeline);
	timeline_init(&timeline, NS_PER_S);
	for (uint32_t round = 0; round < rounds; round++) {
		for (uint8_t ttl = 1; ttl <= 3; ttl++) {
			struct probe_result answer = probe_result_none();
			struct watch_event event = {.kind = WATCH_SENT,
				.at_ns = round * NS_PER_S + ttl,
				.probe = ++probe,
				.sent_ns = round * NS_PER_S + ttl,
				.round = round,
				.ttl = ttl};
			tell(out, view, &event);
			answer.rtt_ns = ttl * NS_PER_MS + round * 1000;
			answer.address = hop_address(ttl);
			answer.icmp_type = ttl == 3 ? 0 : 11;
			answer.icmp_code = 0;
			answer.reply.ttl = 64 - ttl;
			answer.mpls_count = ttl == 2;
			answer.mpls[0] = (struct mpls_entry){.label = 24005, .bottom = true, .ttl = 1};
			event.at_ns += answer.rtt_ns;
			event.reached = ttl == 3;
			bool lost = (ttl == 2 && round % 4 == 3) || (ttl == 3 && round == 1);
			event.kind = lost ? WATCH_LOST : WATCH_ANSWER;
			event.answer = lost ? NULL : &answer;
			tell(out, view, &event);
			if (ttl != 3 || round != 1)
				continue;
			event.kind = WATCH_ANSWER;
			event.late = true;
			event.answer = &answer;
			tell(out, view, &event);
		}
		struct watch_event done = {
			.kind = WATCH_ROUND, .at_ns = round * NS_PER_S + 10 * NS_PER_MS, .round = round};
		tell(out, view, &done);
	}
}

static char *recording(size_t *size, const char *name)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);
	struct watch_view view = view_of(name);
	assert_int_equal(watch_events_start(out, &view), 0);
	measure(out, &view, 20);
	struct book_entry *entry = book_entry(&book, hop_address(1));
	free(entry->name);
	entry->name = strdup("gw.example\033[2J");
	entry->asn = 64496;
	assert_int_equal(watch_events_name(out, &view, entry), 0);
	struct watch_event limit = {.kind = WATCH_LIMIT,
		.at_ns = 21 * NS_PER_S,
		.ttl = 2,
		.limit = LIMIT_LIMITS,
		.asked = 9,
		.answered = 9};
	tell(out, &view, &limit);
	assert_int_equal(watch_events_done(out, &view), 0);
	fclose(out);
	return text;
}

static int read_again(struct replay *replay, const char *text, size_t size, struct error *error)
{
	FILE *in = fmemopen((void *)text, size, "r");
	int result = replay_read(replay, in, error);
	fclose(in);
	return result;
}

static void test_round_trip(void **state)
{
	(void)state;
	size_t size;
	char *text = recording(&size, "host.example");
	struct replay replay;
	struct error error;
	struct timeline again;
	assert_int_equal(read_again(&replay, text, size, &error), 0);
	assert_int_equal(replay.bad_lines, 0);
	assert_true(replay.complete);
	assert_string_equal(replay.target_name, "host.example");
	assert_int_equal(replay.started_wall_ns, 1800000000 * NS_PER_S);
	assert_int_equal(history_at(&replay.history, INT64_MAX, &again), 0);
	assert_int_equal(again.rounds, 20);
	assert_int_equal(again.late, 1);
	for (unsigned ttl = 1; ttl <= 3; ttl++) {
		assert_int_equal(again.hops[ttl]->total.received, timeline.hops[ttl]->total.received);
		assert_int_equal(again.hops[ttl]->total.lost, timeline.hops[ttl]->total.lost);
		assert_int_equal(again.hops[ttl]->total.best_ns, timeline.hops[ttl]->total.best_ns);
		assert_true(again.hops[ttl]->total.mean_ns == timeline.hops[ttl]->total.mean_ns);
	}
	assert_int_equal(again.hops[2]->limit, LIMIT_LIMITS);
	assert_int_equal(timeline_path_id(&again), timeline_path_id(&timeline));
	assert_string_equal(book_find(&replay.book, hop_address(1))->name, "gw.example\033[2J");
	timeline_deinit(&again);
	replay_deinit(&replay);
	free(text);
}

/* Cut at any byte: what is whole is used, at most one line is told to be bad, and nothing breaks. */
static void test_cut_anywhere(void **state)
{
	(void)state;
	size_t size;
	char *text = recording(&size, "host.example");
	size_t first_line = (size_t)(strchr(text, '\n') - text);
	for (size_t length = 0; length < MIN(size, first_line + 2000); length++) {
		struct replay replay;
		struct error error;
		char *part = malloc(length + 1);
		memcpy(part, text, length);
		part[length] = '\n'; /* fmemopen() wants a byte */
		int result = read_again(&replay, part, length + 1, &error);
		assert_int_equal(result, length < first_line ? -EINVAL : 0);
		if (result == 0) {
			assert_true(replay.bad_lines <= 1);
			assert_false(replay.complete);
		}
		replay_deinit(&replay);
		free(part);
	}
	free(text);
}

static void test_hostile_lines(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"{\"event\":\"answer\",\"at_ns\":1,\"ttl\":300,\"rtt_ns\":1,\"from\":\"192.0.2.1\"}",
		"{\"event\":\"answer\",\"at_ns\":1,\"ttl\":3,\"rtt_ns\":-1,\"from\":\"192.0.2.1\"}",
		"{\"event\":\"answer\",\"at_ns\":1,\"ttl\":3,\"rtt_ns\":1,\"from\":\"nowhere\"}",
		"{\"event\":\"answer\",\"at_ns\":1e300,\"ttl\":3}",
		"{\"event\":\"sent\",\"at_ns\":9223372036854775807,\"ttl\":1}",
		"{\"event\":\"limit\",\"ttl\":1,\"replies\":\"sometimes\"}",
		"{\"event\":\"back\",\"at_ns\":1,\"measurement\":{\"schema\":\"retour/1\",\"forward\":[1]}}",
		"[]",
		"null",
		"{\"event\":7}",
		"{",
		"\"\\ud800\"",
		"",
	};
	char text[8192] = "{\"event\":\"start\",\"schema\":\"retour-watch/1\",\"target\":\"192.0.2.9\"}\n";
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		strcat(text, lines[i]);
		strcat(text, "\n");
	}
	strcat(text, "{\"event\":\"later\"}\n{\"event\":\"round\",\"round\":4294967295,\"at_ns\":5}\n");
	struct replay replay;
	struct error error;
	assert_int_equal(read_again(&replay, text, strlen(text), &error), 0);
	assert_int_equal(replay.bad_lines, ARRAY_LEN(lines));
	assert_int_equal(replay.first_bad, 2);
	assert_int_equal(replay.history.count, 1);
	replay_deinit(&replay);
}

static char *exposition(const struct watch_view *view)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_int_equal(prometheus_write(out, view), 0);
	fclose(out);
	return text;
}

static void assert_line(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("'%s' is not in:\n%s", line, text);
}

static void test_prometheus(void **state)
{
	(void)state;
	struct watch_view view = view_of("a\"b\\c\n");
	measure(NULL, &view, 20);
	char *text = exposition(&view);
	assert_line(text,
		"# TYPE retour_rounds_total counter\nretour_rounds_total{target=\"a\\\"b\\\\c?\"} 20\n");
	assert_line(text, "retour_hop_probes_total{target=\"a\\\"b\\\\c?\",hop=\"2\"} 20\n");
	assert_line(text, "retour_hop_answers_total{target=\"a\\\"b\\\\c?\",hop=\"2\"} 15\n");
	/* Hop 2 skipped five, and hop 3 answered all: no loss. */
	assert_line(text, "retour_hop_loss_ratio{target=\"a\\\"b\\\\c?\",hop=\"2\"} 0\n");
	assert_line(text, "retour_reached{target=\"a\\\"b\\\\c?\"} 1\n");
	assert_null(strstr(text, "203.0.113"));
	for (const char *line = text; *line; line = strchr(line, '\n') + 1)
		assert_true(strncmp(line, "# ", 2) == 0 || strncmp(line, "retour_", 7) == 0);
	free(text);
}

static void test_prometheus_file_appears_whole(void **state)
{
	(void)state;
	char dir[] = "/tmp/retour-test-XXXXXX", path[64], text[20] = "";
	struct watch_view view = view_of("x");
	struct error error;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/metrics", dir);
	measure(NULL, &view, 2);
	assert_int_equal(prometheus_file(path, &view, &error), 0);
	assert_int_equal(prometheus_file(path, &view, &error), 0);
	FILE *in = fopen(path, "r");
	assert_non_null(in);
	assert_true(fread(text, 1, 6, in) == 6 && strcmp(text, "# HELP") == 0);
	fclose(in);
	unlink(path);
	/* Nothing else is left in the folder. */
	assert_int_equal(rmdir(dir), 0);
	assert_true(prometheus_file("/nonexistent/x/metrics", &view, &error) < 0);
	assert_non_null(strstr(error.text, "/nonexistent/x/metrics"));
}

/* Names from the network cannot reach the terminal as they are. */
static void test_text_is_escaped(void **state)
{
	(void)state;
	size_t size;
	char *recorded = recording(&size, "host\033]0;x\007.example"), *text = NULL;
	struct watch_view view = view_of("host\033]0;x\007.example");
	struct watch_text_options options = {.report = {.width = 100, .utf8 = true}};
	FILE *out = open_memstream(&text, &size);
	assert_int_equal(watch_text(out, &view, NULL, &options), 0);
	fclose(out);
	assert_null(strchr(text, '\033'));
	assert_line(text, "gw.example\\x1b[2J");
	assert_line(text, "limits replies (slower: 9 of 9)");
	free(text);
	free(recorded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_hostile_lines),
		cmocka_unit_test(test_prometheus),
		cmocka_unit_test(test_prometheus_file_appears_whole),
		cmocka_unit_test(test_text_is_escaped),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	timeline_deinit(&timeline);
	book_deinit(&book);
	return failed;
}
