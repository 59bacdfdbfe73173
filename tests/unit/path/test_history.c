/* Moments of a measurement seen again, while memory stays bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/clock.h"
#include "path/history.h"

#define HOPS 3

static struct addr address(unsigned ttl, bool later)
{
	return addr_v4(0xcb007100 + ttl + (later && ttl == 2 ? 50 : 0));
}

/* A round a second to three hops; hop 2 is somebody else from round `moved` on, and every tenth probe to hop
 * 1 is lost. */
static void add_rounds(struct history *history, struct timeline *timeline, uint32_t count, uint32_t moved)
{
	uint32_t probe = 0;
	for (uint32_t round = 0; round < count; round++) {
		int64_t at_ns = round * NS_PER_S;
		for (uint8_t ttl = 1; ttl <= HOPS; ttl++) {
			struct probe_result answer = probe_result_none();
			struct watch_event event = {.kind = WATCH_SENT,
				.at_ns = at_ns,
				.sent_ns = at_ns,
				.probe = ++probe,
				.round = round,
				.ttl = ttl};
			history_add(history, &event);
			timeline_apply(timeline, &event);
			answer.rtt_ns = ttl * NS_PER_MS;
			answer.address = address(ttl, round >= moved);
			event.kind = ttl == 1 && round % 10 == 9 ? WATCH_LOST : WATCH_ANSWER;
			event.at_ns = at_ns + ttl * NS_PER_MS;
			event.reached = ttl == HOPS;
			event.answer = event.kind == WATCH_ANSWER ? &answer : NULL;
			history_add(history, &event);
			timeline_apply(timeline, &event);
		}
		struct watch_event done = {
			.kind = WATCH_ROUND, .at_ns = at_ns + 4 * NS_PER_MS, .round = round};
		history_add(history, &done);
		timeline_apply(timeline, &done);
	}
}

static void test_any_moment(void **state)
{
	(void)state;
	struct history history;
	struct timeline live, then;
	history_init(&history, NS_PER_S, HISTORY_LIVE);
	timeline_init(&live, NS_PER_S);
	add_rounds(&history, &live, 100, 50);
	assert_int_equal(history_at(&history, 30 * NS_PER_S - 1, &then), 0);
	assert_int_equal(then.rounds, 30);
	assert_int_equal(then.changes_ever, 0);
	assert_int_equal(then.hops[2]->total.received, 30);
	timeline_deinit(&then);
	assert_int_equal(history_at(&history, INT64_MAX, &then), 0);
	assert_int_equal(then.rounds, 100);
	assert_int_equal(then.changes_ever, 1);
	assert_int_equal(then.changes[0].first_ttl, 2);
	assert_int_equal(timeline_path_id(&then), timeline_path_id(&live));
	assert_int_equal(then.hops[1]->total.lost, 10);
	timeline_deinit(&then);
	timeline_deinit(&live);
	history_deinit(&history);
}

/* With room for 100 events of 700, the end is the same; the beginning cannot be seen any more. */
static void test_bounded(void **state)
{
	(void)state;
	struct history history;
	struct timeline live, then;
	history_init(&history, NS_PER_S, 100);
	timeline_init(&live, NS_PER_S);
	add_rounds(&history, &live, 100, 50);
	assert_true(history.capacity <= 100 && history.count <= 100);
	assert_true(history_first_ns(&history) > 80 * NS_PER_S);
	assert_int_equal(history_at(&history, INT64_MAX, &then), 0);
	assert_int_equal(then.rounds, 100);
	assert_int_equal(then.sent, live.sent);
	assert_int_equal(then.changes_ever, 1);
	assert_int_equal(then.hops[3]->total.received, 100);
	timeline_deinit(&then);
	assert_int_equal(history_at(&history, 0, &then), 0);
	assert_true(then.rounds >= 80 && then.rounds < 100);
	timeline_deinit(&then);
	timeline_deinit(&live);
	history_deinit(&history);
}

/* The same way has the same name, whoever answered first; another way has another. */
static void test_path_id(void **state)
{
	(void)state;
	struct history history;
	struct timeline a, b;
	history_init(&history, NS_PER_S, 10);
	timeline_init(&a, NS_PER_S);
	timeline_init(&b, NS_PER_S);
	add_rounds(&history, &a, 5, 100);
	add_rounds(&history, &b, 9, 100);
	assert_int_equal(timeline_path_id(&a), timeline_path_id(&b));
	timeline_deinit(&b);
	timeline_init(&b, NS_PER_S);
	add_rounds(&history, &b, 9, 0);
	assert_int_not_equal(timeline_path_id(&a), timeline_path_id(&b));
	timeline_deinit(&a);
	timeline_deinit(&b);
	history_deinit(&history);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_moment),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_path_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
