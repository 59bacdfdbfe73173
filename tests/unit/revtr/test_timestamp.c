/* Prespecified timestamps where Record Route says nothing: who is pinged, what is listed, what is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "border.h"

static const uint32_t way[] = {OWN_ROUTER, MIDDLE, BORDER, NEAR, DESTINATION};

static void expect_listed(const struct revtr_task *task, const uint32_t *addresses, unsigned count)
{
	assert_int_equal(task->listed_count, count);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(task->listed[i].low, addresses[i]);
}

static void expect_no_list(struct scene *s, uint32_t target)
{
	struct revtr_task task = expect_task(s, REVTR_RR_PING, HERE, target);
	answer_full(s, &task);
}

/* The destination answers options, so it is pinged: what stamps behind it is on its way. All that stamped are hops. */
static void test_border_is_crossed(void **state)
{
	struct scene s;
	(void)state;
	come_to_the_list(&s, way, 5);
	struct revtr_task task = expect_task(&s, REVTR_TS_PING, HERE, DESTINATION);
	expect_listed(&task, (uint32_t[]){DESTINATION, NEAR, BORDER, MIDDLE}, 4);
	answer_times(&s, &task, 4, 20);
	task = expect_task(&s, REVTR_RR_PING, HERE, MIDDLE);
	answer_home(&s, &task);
	struct revtr_result result = expect_end(&s, REVTR_REACHED, 4);
	static const uint32_t back[] = {NEAR, BORDER, MIDDLE, SOURCE};
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(result.hops[i].address, back[i]);
		assert_int_equal(result.hops[i].technique, i < 3 ? TECHNIQUE_TIMESTAMP : TECHNIQUE_RECORD_ROUTE);
		assert_int_equal(result.hops[i].certainty, CERTAINTY_MEASURED);
	}
	assert_int_equal(result.option_packets, 3);
	scene_deinit(&s);
}

/* Its address is of the next network, though the router is not: that network is not assumed to be symmetric from here, and
 * the router that did not stamp is not asked for again. */
static void test_no_assumption_behind_it(void **state)
{
	struct scene s;
	(void)state;
	come_to_the_list(&s, way, 5);
	struct revtr_task task = expect_task(&s, REVTR_TS_PING, HERE, DESTINATION);
	answer_times(&s, &task, 3, 20);
	expect_no_list(&s, BORDER);
	expect_no_list(&s, NEAR);
	assert_int_equal(expect_end(&s, REVTR_INTERDOMAIN, 2).hops[1].address, BORDER);
	scene_deinit(&s);
}

/* All that had room have stamped: those behind them are asked next, from the destination again. */
static void test_as_far_as_it_goes(void **state)
{
	static const uint32_t longer[] = {OWN_ROUTER, MIDDLE + 1, MIDDLE, BORDER, NEAR, DESTINATION};
	struct scene s;
	(void)state;
	come_to_the_list(&s, longer, 6);
	struct revtr_task task = expect_task(&s, REVTR_TS_PING, HERE, DESTINATION);
	answer_times(&s, &task, 4, 20);
	expect_no_list(&s, MIDDLE);
	expect_no_list(&s, BORDER);
	expect_no_list(&s, NEAR);
	task = expect_task(&s, REVTR_TS_PING, HERE, DESTINATION);
	expect_listed(&task, (uint32_t[]){DESTINATION, MIDDLE + 1, OWN_ROUTER}, 3);
	scene_deinit(&s);
}

/* A sixth of all hosts: it answers and does not stamp. What comes next is assumed, and asked instead: what that shows is its
 * own way, and for the destination's it hangs on the assumption. */
static void test_destination_does_not_stamp(void **state)
{
	struct scene s;
	(void)state;
	come_to_the_list(&s, way, 5);
	struct revtr_task task = expect_task(&s, REVTR_TS_PING, HERE, DESTINATION);
	answer_times(&s, &task, 0, 0);
	expect_no_list(&s, NEAR);
	task = expect_task(&s, REVTR_TS_PING, HERE, NEAR);
	expect_listed(&task, (uint32_t[]){NEAR, BORDER, MIDDLE, OWN_ROUTER}, 4);
	answer_times(&s, &task, 2, 20);
	task = expect_task(&s, REVTR_RR_PING, HERE, BORDER);
	answer_home(&s, &task);
	struct revtr_result result = expect_end(&s, REVTR_REACHED, 3);
	assert_int_equal(result.hops[0].certainty, CERTAINTY_ASSUMED);
	assert_int_equal(result.hops[1].certainty, CERTAINTY_INFERRED);
	assert_true(result.hops[1].probability < 0.998f);
	scene_deinit(&s);
}

/* The way back is another one, or the router does not stamp, or not with that address: nothing is known then. */
static void test_router_does_not_stamp(void **state)
{
	struct scene s;
	(void)state;
	come_to_the_list(&s, way, 5);
	struct revtr_task task = expect_task(&s, REVTR_TS_PING, HERE, DESTINATION);
	answer_times(&s, &task, 1, 0);
	expect_no_list(&s, NEAR);
	task = expect_task(&s, REVTR_TS_PING, HERE, DESTINATION);
	expect_listed(&task, (uint32_t[]){DESTINATION, BORDER, MIDDLE, OWN_ROUTER}, 4);
	answer_times(&s, &task, 1, 0);
	assert_int_equal(expect_end(&s, REVTR_INTERDOMAIN, 1).hops[0].certainty, CERTAINTY_ASSUMED);
	scene_deinit(&s);
}

/* So many routers stamped for this source that one that does not means something. */
static void all_stamp(struct scene *s)
{
	struct revtr_result result;
	for (uint32_t host = DESTINATION + 1; host < DESTINATION + 41; host++) {
		submit_for(s, host);
		expect_no_list(s, host);
		struct revtr_task task = expect_task(s, REVTR_TRACEROUTE, HERE, host);
		answer_trace(s, &task, (uint32_t[]){MIDDLE, host}, 2);
		task = expect_task(s, REVTR_TS_PING, HERE, host);
		answer_times(s, &task, 2, 20);
		while (revtr_engine_next(s->engine, s->now_ns, &task, &(int64_t){0}))
			answer_home(s, &task);
		assert_true(revtr_engine_finished(s->engine, &result));
	}
}

/* It did not stamp behind the destination. It is pinged itself before it would be assumed all the same: one that stamps then
 * is not on the way back; of the other one nothing is known. */
static void test_another_way_back(void **state)
{
	for (uint8_t stamps = 0; stamps < 2; stamps++) {
		struct scene s;
		scene_init(&s, alone());
		all_stamp(&s);
		submit_for(&s, DESTINATION);
		expect_no_list(&s, DESTINATION);
		struct revtr_task task = expect_task(&s, REVTR_TRACEROUTE, HERE, DESTINATION);
		answer_trace(&s, &task, way, 5);
		task = expect_task(&s, REVTR_TS_PING, HERE, DESTINATION);
		answer_times(&s, &task, 1, 0);
		task = expect_task(&s, REVTR_TS_PING, HERE, NEAR);
		expect_listed(&task, (uint32_t[]){NEAR}, 1);
		answer_times(&s, &task, stamps, 0);
		if (stamps > 0)
			expect_end(&s, REVTR_INTERDOMAIN, 0);
		else
			expect_no_list(&s, NEAR);
		scene_deinit(&s);
	}
	(void)state;
}

/* Nobody answers, the option is lost on the way, or it is not what was sent. */
static void test_no_such_answer(void **state)
{
	struct scene s;
	for (unsigned kind = 0; kind < 5; kind++) {
		come_to_the_list(&s, way, 5);
		for (unsigned i = 0; i < 2; i++) {
			struct revtr_task task = expect_task(&s, REVTR_TS_PING, HERE, i == 0 ? DESTINATION : NEAR);
			struct revtr_answer answer = stamped(&task, 2, 20);
			if (kind == 1)
				answer.times.present = false;
			if (kind == 2)
				answer.times.addrs[1] = addr_v4(MIDDLE);
			if (kind == 3)
				answer.times.slots = 2;
			if (kind == 4)
				answer.times.flag = 1;
			if (kind == 0)
				let_time_pass(&s);
			else
				revtr_engine_answer(s.engine, &answer, s.now_ns);
			if (i == 0)
				expect_no_list(&s, NEAR);
		}
		expect_end(&s, REVTR_INTERDOMAIN, 1);
		scene_deinit(&s);
	}
	(void)state;
}

/* Stamps of one moment may all be the target's, which takes every address for its own: an address that nobody has tells. */
static void test_careless_target(void **state)
{
	struct scene s;
	for (unsigned careless = 0; careless < 2; careless++) {
		come_to_the_list(&s, way, 5);
		struct revtr_task task = expect_task(&s, REVTR_TS_PING, HERE, DESTINATION);
		answer_times(&s, &task, 2, 0);
		task = expect_task(&s, REVTR_TS_PING, HERE, DESTINATION);
		expect_listed(&task, (uint32_t[]){DESTINATION, NOBODY}, 2);
		answer_times(&s, &task, careless ? 2 : 1, 0);
		task = expect_task(&s, REVTR_RR_PING, HERE, NEAR);
		answer_home(&s, &task);
		struct revtr_result result = expect_end(&s, REVTR_REACHED, 2);
		assert_int_equal(result.hops[0].technique, careless ? TECHNIQUE_SYMMETRIC_INTRA : TECHNIQUE_TIMESTAMP);
		scene_deinit(&s);
	}
	(void)state;
}

/* Doubt stays where the second answer does not come. */
static void test_doubt_stays(void **state)
{
	struct scene s;
	(void)state;
	come_to_the_list(&s, way, 5);
	struct revtr_task task = expect_task(&s, REVTR_TS_PING, HERE, DESTINATION);
	answer_times(&s, &task, 2, 3);
	expect_task(&s, REVTR_TS_PING, HERE, DESTINATION);
	let_time_pass(&s);
	expect_task(&s, REVTR_RR_PING, HERE, NEAR);
	let_time_pass(&s);
	assert_int_equal(expect_end(&s, REVTR_INTERDOMAIN, 1).hops[0].technique, TECHNIQUE_SYMMETRIC_INTRA);
	scene_deinit(&s);
}

/* Only an agent's packets in the source's name came home: it asks for times, too. */
static void test_in_its_name(void **state)
{
	struct revtr_options options = alone();
	struct scene s;
	(void)state;
	options.spoofed = true;
	scene_init(&s, options);
	submit_for(&s, DESTINATION);
	expect_task(&s, REVTR_RR_PING, HERE, DESTINATION);
	let_time_pass(&s);
	expect_task(&s, REVTR_RR_PING, 0, DESTINATION);
	struct revtr_task task = expect_task(&s, REVTR_RR_PING, 1, DESTINATION);
	answer_full(&s, &task);
	let_time_pass(&s);
	task = expect_task(&s, REVTR_TRACEROUTE, HERE, DESTINATION);
	answer_trace(&s, &task, (uint32_t[]){OWN_ROUTER, MIDDLE, DESTINATION}, 3);
	task = expect_task(&s, REVTR_TS_PING, 1, DESTINATION);
	expect_listed(&task, (uint32_t[]){DESTINATION, MIDDLE, OWN_ROUTER}, 3);
	answer_times(&s, &task, 3, 20);
	task = expect_task(&s, REVTR_RR_PING, HERE, OWN_ROUTER);
	answer_home(&s, &task);
	struct revtr_result result = expect_end(&s, REVTR_REACHED, 3);
	assert_int_equal(result.hops[0].technique, TECHNIQUE_TIMESTAMP_SPOOFED);
	scene_deinit(&s);
}

/* Nobody ever got an answer with a list from there, or it is switched off: no packet. */
static void test_not_asked(void **state)
{
	for (unsigned off = 0; off < 2; off++) {
		struct revtr_options options = alone();
		struct scene s;
		options.timestamps = !off;
		scene_init(&s, options);
		submit_for(&s, DESTINATION);
		struct revtr_task task = expect_task(&s, REVTR_RR_PING, HERE, DESTINATION);
		if (off)
			answer_full(&s, &task);
		else
			let_time_pass(&s);
		task = expect_task(&s, REVTR_TRACEROUTE, HERE, DESTINATION);
		answer_trace(&s, &task, (uint32_t[]){OWN_ROUTER, MIDDLE, DESTINATION}, 3);
		expect_end(&s, REVTR_INTERDOMAIN, 0);
		scene_deinit(&s);
	}
	(void)state;
}

/* A silent router between: it is there, and not known which. The list ends before one. */
static void test_silent_routers(void **state)
{
	struct scene s;
	(void)state;
	come_to_the_list(&s, (uint32_t[]){OWN_ROUTER, 0, BORDER, 0, NEAR, DESTINATION}, 6);
	struct revtr_task task = expect_task(&s, REVTR_TS_PING, HERE, DESTINATION);
	expect_listed(&task, (uint32_t[]){DESTINATION, NEAR}, 2);
	answer_times(&s, &task, 2, 20);
	expect_no_list(&s, NEAR);
	task = expect_task(&s, REVTR_TS_PING, HERE, DESTINATION);
	expect_listed(&task, (uint32_t[]){DESTINATION, BORDER}, 2);
	answer_times(&s, &task, 2, 20);
	task = expect_task(&s, REVTR_RR_PING, HERE, BORDER);
	answer_home(&s, &task);
	struct revtr_result result = expect_end(&s, REVTR_REACHED, 4);
	assert_int_equal(result.hops[1].address, 0);
	assert_int_equal(result.hops[1].certainty, CERTAINTY_ASSUMED);
	assert_int_equal(result.hops[2].address, BORDER);
	scene_deinit(&s);
}

/* Two that want to know the same: one packet, and who comes later has it for nothing. */
static void test_shared(void **state)
{
	struct scene s;
	struct revtr_result result;
	(void)state;
	come_to_the_list(&s, (uint32_t[]){OWN_ROUTER, MIDDLE, DESTINATION}, 3);
	submit_for(&s, DESTINATION);
	struct revtr_task task = expect_task(&s, REVTR_TS_PING, HERE, DESTINATION);
	answer_times(&s, &task, 1, 0);
	for (unsigned i = 0; i < 2; i++)
		assert_true(revtr_engine_finished(s.engine, &result));
	submit_for(&s, DESTINATION);
	expect_end(&s, REVTR_INTERDOMAIN, 0);
	scene_deinit(&s);
}

/* Where nobody stamps it is soon given up, for this source. */
static void test_it_learns(void **state)
{
	struct scene s;
	struct revtr_result result;
	unsigned asked = 0;
	scene_init(&s, alone());
	for (uint32_t i = 0; i < 60; i++) {
		uint32_t host = DESTINATION + i;
		struct revtr_task task;
		submit_for(&s, host);
		task = expect_task(&s, REVTR_RR_PING, HERE, host);
		answer_full(&s, &task);
		task = expect_task(&s, REVTR_TRACEROUTE, HERE, host);
		answer_trace(&s, &task, (uint32_t[]){OWN_ROUTER, MIDDLE, host}, 3);
		if (revtr_engine_next(s.engine, s.now_ns, &task, &(int64_t){0})) {
			assert_int_equal(task.probe, REVTR_TS_PING);
			answer_times(&s, &task, 1, 0);
			asked++;
		}
		assert_true(revtr_engine_finished(s.engine, &result));
	}
	assert_true(asked > 10 && asked < 50);
	scene_deinit(&s);
	(void)state;
}

/* A source that stands alone, and too far from everybody for lists: it has learned not to ask for them, and asks for times
 * all the same. */
static void test_too_far_for_lists(void **state)
{
	struct revtr_options options = alone();
	struct revtr_result result;
	struct scene s;
	unsigned lists = 0;
	(void)state;
	options.direct_always = false;
	scene_init(&s, options);
	for (uint32_t host = 0xc6336441; host < 0xc6336441 + 40; host++) {
		struct revtr_task task;
		submit_for(&s, host);
		assert_true(revtr_engine_next(s.engine, s.now_ns, &task, &(int64_t){0}));
		while (task.probe == REVTR_RR_PING) {
			answer_full(&s, &task);
			lists++;
			assert_true(revtr_engine_next(s.engine, s.now_ns, &task, &(int64_t){0}));
		}
		answer_trace(&s, &task, (uint32_t[]){OWN_ROUTER, MIDDLE, host}, 3);
		task = expect_task(&s, REVTR_TS_PING, HERE, host);
		answer_times(&s, &task, 2, 20);
		while (revtr_engine_next(s.engine, s.now_ns, &task, &(int64_t){0}))
			answer_full(&s, &task);
		assert_true(revtr_engine_finished(s.engine, &result));
		assert_int_equal(result.hop_count, 1);
		assert_int_equal(result.hops[0].address, MIDDLE);
		assert_int_equal(result.hops[0].technique, TECHNIQUE_TIMESTAMP);
	}
	assert_true(lists < 30);
	scene_deinit(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_border_is_crossed),
		cmocka_unit_test(test_no_assumption_behind_it),
		cmocka_unit_test(test_as_far_as_it_goes),
		cmocka_unit_test(test_destination_does_not_stamp),
		cmocka_unit_test(test_router_does_not_stamp),
		cmocka_unit_test(test_another_way_back),
		cmocka_unit_test(test_no_such_answer),
		cmocka_unit_test(test_careless_target),
		cmocka_unit_test(test_doubt_stays),
		cmocka_unit_test(test_in_its_name),
		cmocka_unit_test(test_not_asked),
		cmocka_unit_test(test_silent_routers),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_it_learns),
		cmocka_unit_test(test_too_far_for_lists),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
