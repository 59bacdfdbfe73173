/* Topics, and the bus within one process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "bus/bus_inside.h"

/* MQTT 5, 4.7.1.2 and 4.7.1.3: its own examples among them. */
static void test_filters(void **state)
{
	(void)state;
	assert_true(bus_matches("sport/tennis/player1/#", "sport/tennis/player1"));
	assert_true(bus_matches("sport/tennis/player1/#", "sport/tennis/player1/ranking"));
	assert_true(bus_matches("#", "anything/at/all"));
	assert_true(bus_matches("sport/+/player1", "sport/tennis/player1"));
	assert_true(bus_matches("sport/tennis/+", "sport/tennis/player2"));
	assert_false(bus_matches("sport/tennis/+", "sport/tennis/player1/ranking"));
	assert_false(bus_matches("sport/+", "sport"));
	assert_true(bus_matches("sport/+", "sport/"));
	assert_true(bus_matches("+/+", "/finance"));
	assert_false(bus_matches("+", "/finance"));
	assert_false(bus_matches("a/b", "a/bc"));
	assert_false(bus_matches("a/bc", "a/b"));
}

struct heard {
	char text[200];
};

static void hear(void *context, const char *topic, const char *payload, size_t length)
{
	struct heard *heard = context;
	size_t used = strlen(heard->text);
	snprintf(heard->text + used, sizeof(heard->text) - used, "%s=%.*s;", topic, (int)length, payload);
}

static void turn(uv_loop_t *loop)
{
	for (int i = 0; i < 5; i++)
		uv_run(loop, UV_RUN_NOWAIT);
}

static void note(void *context)
{
	*(bool *)context = true;
}

static void test_delivery(void **state)
{
	uv_loop_t loop;
	struct heard all = {""}, tasks = {""}, late = {""};
	bool closed = false;
	(void)state;
	uv_loop_init(&loop);
	struct bus *bus = bus_new_local(&loop);
	assert_non_null(bus);
	assert_int_equal(bus_subscribe(bus, "a/#", hear, &all), 0);
	assert_int_equal(bus_subscribe(bus, "a/+/task", hear, &tasks), 0);
	assert_int_equal(bus_publish(bus, "a/1/task", "x", 1, false), 0);
	assert_int_equal(bus_publish(bus, "a/1/status", "up", 2, true), 0);
	/* Never from within. */
	assert_string_equal(all.text, "");
	turn(&loop);
	assert_string_equal(all.text, "a/1/task=x;a/1/status=up;");
	assert_string_equal(tasks.text, "a/1/task=x;");
	assert_int_equal(bus_publish(bus, "a/1/status", "down", 4, true), 0);
	turn(&loop);
	assert_int_equal(bus_subscribe(bus, "a/+/status", hear, &late), 0);
	turn(&loop);
	assert_string_equal(late.text, "a/1/status=down;");
	bus_free(bus, note, &closed);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_true(closed);
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* Nobody listens for long: it is bounded, and said. */
static void test_bounded(void **state)
{
	uv_loop_t loop;
	int result = 0;
	unsigned count = 0;
	(void)state;
	uv_loop_init(&loop);
	struct bus *bus = bus_new_local(&loop);
	while (result == 0 && count < 1000000) {
		result = bus_publish(bus, "a", "x", 1, false);
		count++;
	}
	assert_int_equal(result, -ENOBUFS);
	assert_true(count > 1000);
	bus_free(bus, NULL, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_delivery),
		cmocka_unit_test(test_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
