/* The coordinator, see lab.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "lab.h"

static void test_measures_the_way_back(void **state)
{
	struct lab lab;
	struct error error = {0};
	int64_t batch;
	(void)state;
	lab_init(&lab, true);
	assert_int_equal(coordinator_refresh_atlas(lab.coordinator, lab.source, &error), 0);
	for (int i = 0; i < 20; i++)
		turn(&lab);
	if (submit(&lab, lab.source, lab.target, NULL, &batch, &error) < 0)
		fail_msg("%s", error.text);
	struct coordinator_listener *listener = coordinator_listen(lab.coordinator, batch, on_told, &lab);
	wait_for_result(&lab);
	assert_int_equal(lab.told, 1);
	assert_true_way(&lab);
	coordinator_unlisten(listener);
	/* Who comes later is told the same. */
	lab.told = 0;
	lab.last = false;
	listener = coordinator_listen(lab.coordinator, batch, on_told, &lab);
	assert_int_equal(lab.told, 1);
	assert_true(lab.last);
	coordinator_unlisten(listener);
	struct coordinator_health health = coordinator_health(lab.coordinator);
	assert_int_equal(health.agents_online, AGENTS);
	assert_int_equal(health.finished, 1);
	assert_int_equal(health.foreign, 0);
	lab_deinit(&lab);
}

/* The coordinator is gone before anything was answered: the next one goes on by itself. */
static void test_goes_on_after_its_end(void **state)
{
	struct lab lab;
	struct error error = {0};
	int64_t batch, same;
	(void)state;
	lab_init(&lab, true);
	lab.mute = true;
	assert_int_equal(submit(&lab, lab.source, lab.target, "mine", &batch, &error), 0);
	turn(&lab);
	stop(&lab);
	lab.mute = false;
	start(&lab);
	turn(&lab);
	/* The client asks again, as it heard nothing: it is the same batch. */
	assert_int_equal(submit(&lab, lab.source, lab.target, "mine", &same, &error), 0);
	assert_int_equal(same, batch);
	assert_int_equal(coordinator_refresh_atlas(lab.coordinator, lab.source, &error), 0);
	struct coordinator_listener *listener = coordinator_listen(lab.coordinator, batch, on_told, &lab);
	wait_for_result(&lab);
	assert_int_equal(lab.told, 1);
	coordinator_unlisten(listener);
	lab_deinit(&lab);
}

static void test_refusals(void **state)
{
	struct lab lab;
	struct error error = {0};
	int64_t batch;
	(void)state;
	lab_init(&lab, true);
	assert_int_equal(submit(&lab, addr_v4(0xcb0071ff), lab.target, NULL, &batch, &error), -EPERM);
	assert_non_null(strstr(error.text, "not a registered source"));
	assert_int_equal(submit(&lab, lab.source, addr_v4(0x0a000001), NULL, &batch, &error), -EINVAL);
	assert_int_equal(submit(&lab, lab.source, addr_v4(0xe0000001), NULL, &batch, &error), -EINVAL);
	assert_int_equal(submit(&lab, lab.source, addr_v6(1, 1), NULL, &batch, &error), -EINVAL);
	assert_int_equal(submit(&lab, lab.source, lab.source, NULL, &batch, &error), -EINVAL);
	assert_non_null(strstr(error.text, "is the source itself"));
	assert_int_equal(coordinator_cancel(lab.coordinator, 4711, &error), -ENOENT);
	assert_int_equal(coordinator_refresh_atlas(lab.coordinator, lab.target, &error), -ENOENT);
	lab_deinit(&lab);
}

/* An agent that has nothing to do with it says that it knows the way; doubles; nonsense. */
static void test_liars(void **state)
{
	struct lab lab;
	struct error error = {0};
	int64_t batch;
	(void)state;
	lab_init(&lab, true);
	lab.mute = true;
	assert_int_equal(submit(&lab, lab.source, lab.target, NULL, &batch, &error), 0);
	for (int i = 0; i < 5; i++)
		turn(&lab);
	assert_true(lab.orders > 0);
	for (uint32_t task = 1; task < 70000; task += 9999) {
		struct revtr_answer lie = {.task = task, .answered = true, .from = lab.target,
			.reply = {.present = true, .slots = 9, .used = 2, .addrs = {lab.target, lab.source}}};
		say(&lab, "vp3", "answer", answer_to_json(&lie));
	}
	say(&lab, "vp3", "answer", strdup("{\"task\":"));
	say(&lab, "vp3", "status", strdup("[]"));
	for (int i = 0; i < 5; i++)
		turn(&lab);
	struct coordinator_health health = coordinator_health(lab.coordinator);
	assert_true(health.foreign > 0);
	assert_int_equal(health.answers, 0);
	assert_int_equal(health.agents_online, AGENTS);
	lab_deinit(&lab);
}

/* With all agents back, whoever asks is told the whole way. */
static void assert_true_way_again(struct lab *lab)
{
	struct error error = {0};
	int64_t batch;
	all_online(lab, true);
	turn(lab);
	assert_int_equal(coordinator_refresh_atlas(lab->coordinator, lab->source, &error), 0);
	for (int i = 0; i < 20; i++)
		turn(lab);
	lab->last = false;
	assert_int_equal(submit(lab, lab->source, lab->target, NULL, &batch, &error), 0);
	struct coordinator_listener *listener = coordinator_listen(lab->coordinator, batch, on_told, lab);
	wait_for_result(lab);
	assert_true_way(lab);
	coordinator_unlisten(listener);
}

static void patient(struct coordinator_options *options)
{
	options->patience_ns = 3 * NS_PER_S;
}

/* Everybody is gone, for longer than anyone waits: it ends and says why. */
static void test_agents_vanish(void **state)
{
	struct lab lab;
	struct error error = {0};
	struct store_batch found;
	int64_t batch;
	(void)state;
	adjust = patient;
	lab_init(&lab, true);
	adjust = NULL;
	all_online(&lab, false);
	turn(&lab);
	assert_int_equal(coordinator_health(lab.coordinator).agents_online, 0);
	/* Who waits in person is told at once. */
	assert_int_equal(submit(&lab, lab.source, lab.target, NULL, &batch, &error), -ENOTCONN);
	assert_non_null(strstr(error.text, "is not connected"));
	assert_int_equal(submit(&lab, lab.source, lab.target, "later", &batch, &error), 0);
	/* And who waits all the same is told for whom, and until when: three seconds after he had gone, here. */
	struct coordinator_awaited awaited;
	int64_t now_ms = clock_wall_ns() / NS_PER_MS;
	assert_true(coordinator_awaits(lab.coordinator, batch, &awaited));
	assert_string_equal(awaited.agent, lab.home);
	assert_true(addr_equal(awaited.source, lab.source));
	assert_in_range(awaited.until_ms, now_ms, now_ms + 3000);
	struct coordinator_listener *listener = coordinator_listen(lab.coordinator, batch, on_told, &lab);
	wait_for_result(&lab);
	assert_false(coordinator_awaits(lab.coordinator, batch, &awaited));
	assert_int_equal(lab.told, 0);
	assert_int_equal(store_find_batch(lab.store, batch, &found, &error), 0);
	assert_string_equal(found.reason, "the agent of its source is not connected");
	coordinator_unlisten(listener);
	/* Nobody's silence was the target's: when they are back it is asked, without delay. */
	assert_true_way_again(&lab);
	lab_deinit(&lab);
}

/* The agents go while all is under way, and no answer comes from those that were asked. They come back, and the same
 * measurement finds the whole way. */
static void test_agents_vanish_midway(void **state)
{
	struct lab lab;
	struct error error = {0};
	int64_t batch;
	lab_init(&lab, true);
	assert_int_equal(coordinator_refresh_atlas(lab.coordinator, lab.source, &error), 0);
	for (int i = 0; i < 20; i++)
		turn(&lab);
	lab.mute = true;
	lab.orders = 0;
	assert_int_equal(submit(&lab, lab.source, lab.target, NULL, &batch, &error), 0);
	struct coordinator_listener *listener = coordinator_listen(lab.coordinator, batch, on_told, &lab);
	while (lab.orders == 0)
		turn(&lab);
	/* The way to them is broken, or each of them ends: it is the same. */
	if (*state)
		coordinator_disconnected(lab.coordinator);
	else
		all_online(&lab, false);
	for (int i = 0; i < 20; i++)
		turn(&lab);
	assert_int_equal(coordinator_health(lab.coordinator).agents_online, 0);
	lab.mute = false;
	all_online(&lab, true);
	wait_for_result(&lab);
	assert_int_equal(lab.told, 1);
	assert_true_way(&lab);
	coordinator_unlisten(listener);
	lab_deinit(&lab);
}

/* An agent that refuses has sent nothing: that is no silence of the target's either. */
static void test_agents_refuse(void **state)
{
	struct lab lab;
	struct error error = {0};
	int64_t batch;
	(void)state;
	lab_init(&lab, true);
	lab.refuse = true;
	assert_int_equal(submit(&lab, lab.source, lab.target, NULL, &batch, &error), 0);
	struct coordinator_listener *listener = coordinator_listen(lab.coordinator, batch, on_told, &lab);
	wait_for_result(&lab);
	coordinator_unlisten(listener);
	lab.refuse = false;
	assert_true_way_again(&lab);
	lab_deinit(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_measures_the_way_back),
		cmocka_unit_test(test_goes_on_after_its_end),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_liars),
		cmocka_unit_test(test_agents_vanish),
		cmocka_unit_test(test_agents_vanish_midway),
		cmocka_unit_test_prestate(test_agents_vanish_midway, (void *)"disconnected"),
		cmocka_unit_test(test_agents_refuse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
