/* What is not on this way, though it looks like it: answers of another host with the same address, a neighbour's border,
 * and hops of a traceroute that lie before the router that was met. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "by_hand.h"

#define HERE	  2u /* the source's agent */
#define NEIGHBOUR (MIDDLE + 100)
#define HOME	  (SOURCE + 7) /* a router in the source's network */
#define ELSEWHERE (MIDDLE + 50)

static void open_scene(struct scene *s)
{
	static const struct revtr_site sites[] = {{0, true}, {1, true}};
	struct revtr_options options = revtr_options_default();
	options.direct = options.timestamps = false;
	scene_open(s, sites, 2, options);
}

/* An answer that began with 64 and passed so many routers; the list after the target. */
static void answer_from(struct scene *s, const struct revtr_task *task, int passed, const uint32_t *after, uint8_t count)
{
	struct revtr_answer answer = {.task = task->id, .answered = true, .from = task->target, .reply_ttl = 64 - passed};
	if (task->probe == REVTR_RR_PING) {
		answer.reply = (struct route_option){.present = true, .type = 7, .slots = 9, .used = (uint8_t)(count + 1)};
		for (uint8_t i = 0; i < 9; i++)
			answer.reply.addrs[i] = i == 0 ? task->target : addr_v4(i <= count ? after[i - 1] : 0);
	}
	revtr_engine_answer(s->engine, &answer, s->now_ns);
}

static void two_pings(struct scene *s, int first, int second)
{
	struct revtr_task one = expect_task(s, REVTR_PING, HERE, DESTINATION);
	struct revtr_task other = expect_task(s, REVTR_PING, HERE, DESTINATION);
	answer_from(s, &one, first, NULL, 0);
	answer_from(s, &other, second, NULL, 0);
}

/* One agent reaches another host with this address, five routers nearer to the source; the other the right one. */
static void test_another_host(void **state)
{
	struct scene s;
	(void)state;
	open_scene(&s);
	submit(&s, DESTINATION);
	two_pings(&s, 9, 9);
	struct revtr_task wrong = expect_task(&s, REVTR_RR_PING, 0, DESTINATION);
	struct revtr_task right = expect_task(&s, REVTR_RR_PING, 1, DESTINATION);
	answer_from(&s, &wrong, 4, (uint32_t[]){ELSEWHERE, HOME, SOURCE}, 3);
	answer_from(&s, &right, 9, (uint32_t[]){NEAR, MIDDLE, SOURCE}, 3);
	struct revtr_result result = expect_end(&s, REVTR_REACHED, 3);
	assert_int_equal(result.hops[0].address, NEAR);
	assert_int_equal(result.left, 9);
	assert_true(result.elsewhere);
	assert_int_equal(result.option_packets, 2);
	scene_deinit(&s);
}

/* Nobody reaches the right one: what they hear is nothing. */
static void test_only_other_hosts(void **state)
{
	struct scene s;
	struct revtr_task task;
	(void)state;
	open_scene(&s);
	submit(&s, DESTINATION);
	two_pings(&s, 9, 9);
	for (uint32_t agent = 0; agent < 2; agent++) {
		task = expect_task(&s, REVTR_RR_PING, agent, DESTINATION);
		answer_from(&s, &task, 4, (uint32_t[]){ELSEWHERE, HOME, SOURCE}, 3);
	}
	task = expect_task(&s, REVTR_TRACEROUTE, HERE, DESTINATION);
	answer_trace(&s, &task, (uint32_t[]){MIDDLE, 0, DESTINATION}, 3);
	struct revtr_result result = expect_end(&s, REVTR_ELSEWHERE, 0);
	assert_true(result.elsewhere);
	assert_int_equal(result.left, 9);
	scene_deinit(&s);
}

/* Ways of equal cost have nine and eleven routers: an answer that passed ten is the host's, and one that passed twelve
 * is not taken, and nothing is said of where it comes from. */
static void test_ways_of_several_lengths(void **state)
{
	struct scene s;
	(void)state;
	open_scene(&s);
	submit(&s, DESTINATION);
	two_pings(&s, 9, 11);
	struct revtr_task longer = expect_task(&s, REVTR_RR_PING, 0, DESTINATION);
	struct revtr_task between = expect_task(&s, REVTR_RR_PING, 1, DESTINATION);
	answer_from(&s, &longer, 12, (uint32_t[]){ELSEWHERE, HOME, SOURCE}, 3);
	answer_from(&s, &between, 10, (uint32_t[]){NEAR, SOURCE}, 2);
	struct revtr_result result = expect_end(&s, REVTR_REACHED, 2);
	assert_int_equal(result.hops[0].address, NEAR);
	assert_false(result.elsewhere);
	scene_deinit(&s);
}

/* Where no ping of the source was ever answered, nothing is compared. */
static void test_pings_without_answer(void **state)
{
	struct scene s;
	(void)state;
	open_scene(&s);
	submit(&s, DESTINATION);
	expect_task(&s, REVTR_PING, HERE, DESTINATION);
	expect_task(&s, REVTR_PING, HERE, DESTINATION);
	s.now_ns = expect_nothing(&s);
	struct revtr_task task = expect_task(&s, REVTR_RR_PING, 0, DESTINATION);
	answer_from(&s, &task, 4, (uint32_t[]){NEAR, SOURCE}, 2);
	task = expect_task(&s, REVTR_RR_PING, 1, DESTINATION);
	answer_from(&s, &task, 9, (uint32_t[]){NEAR, SOURCE}, 2);
	assert_false(expect_end(&s, REVTR_REACHED, 2).elsewhere);
	scene_deinit(&s);
}

/* The source's pings come home, and this one's do not: nobody is asked to send it packets with options. */
static void test_silent_destination(void **state)
{
	struct scene s;
	(void)state;
	open_scene(&s);
	submit(&s, NEAR);
	for (unsigned i = 0; i < 2; i++) {
		struct revtr_task task = expect_task(&s, REVTR_PING, HERE, NEAR);
		answer_from(&s, &task, 9, NULL, 0);
	}
	for (uint32_t agent = 0; agent < 2; agent++) {
		struct revtr_task task = expect_task(&s, REVTR_RR_PING, agent, NEAR);
		answer_from(&s, &task, 9, (uint32_t[]){MIDDLE, SOURCE}, 2);
	}
	(void)expect_end(&s, REVTR_REACHED, 2);
	s.now_ns += NS_PER_S;
	submit(&s, DESTINATION);
	expect_task(&s, REVTR_PING, HERE, DESTINATION);
	expect_task(&s, REVTR_PING, HERE, DESTINATION);
	(void)expect_nothing(&s);
	s.now_ns += 2 * NS_PER_S;
	expect_task(&s, REVTR_TRACEROUTE, HERE, DESTINATION);
	scene_deinit(&s);
}

/* A list that is full after MIDDLE. */
static void answer_full(struct scene *s, const struct revtr_task *task)
{
	uint32_t stamps[9] = {ELSEWHERE, ELSEWHERE + 4, ELSEWHERE + 8, ELSEWHERE + 12, ELSEWHERE + 16, ELSEWHERE + 20,
		DESTINATION, NEAR, MIDDLE};
	answer_list(s, task, stamps, 9);
}

/* NEAR, MIDDLE, and then it is not known; somebody in MIDDLE's prefix answers in its stead. */
static void ask_the_neighbour(struct scene *s, const uint32_t *after, uint8_t count)
{
	struct revtr_task task;
	open_scene(s);
	s->neighbour = NEIGHBOUR;
	submit(s, DESTINATION);
	two_pings(s, 9, 9);
	for (uint32_t agent = 0; agent < 2; agent++) {
		task = expect_task(s, REVTR_RR_PING, agent, DESTINATION);
		answer_full(s, &task);
	}
	int64_t wake_ns;
	while (revtr_engine_busy(s->engine) > 0) {
		if (!revtr_engine_next(s->engine, s->now_ns, &task, &wake_ns))
			s->now_ns = wake_ns;
		else if (task.probe == REVTR_TRACEROUTE)
			answer_trace(s, &task, (uint32_t[]){HOME, (uint32_t)task.target.low}, 2);
		else if (task.target.low == NEIGHBOUR)
			answer_from(s, &task, 5, after, count);
	}
}

/* Its way leaves the network at once: the router that is asked about may leave it elsewhere. */
static void test_border_of_a_neighbour(void **state)
{
	struct scene s;
	struct revtr_result result;
	(void)state;
	ask_the_neighbour(&s, (uint32_t[]){HOME, SOURCE}, 2);
	assert_true(revtr_engine_finished(s.engine, &result));
	assert_int_equal(result.stop, REVTR_INTERDOMAIN);
	assert_int_equal(result.hop_count, 2);
	assert_int_equal(result.hops[1].address, MIDDLE);
	scene_deinit(&s);
}

static void test_way_of_a_neighbour(void **state)
{
	struct scene s;
	struct revtr_result result;
	(void)state;
	ask_the_neighbour(&s, (uint32_t[]){MIDDLE + 20, HOME, SOURCE}, 3);
	assert_true(revtr_engine_finished(s.engine, &result));
	assert_int_equal(result.stop, REVTR_REACHED);
	assert_int_equal(result.hop_count, 5);
	assert_int_equal(result.hops[2].address, MIDDLE + 20);
	assert_int_equal(result.hops[2].certainty, CERTAINTY_INFERRED);
	assert_true(result.hops[2].probability < 0.95f);
	scene_deinit(&s);
}

/* A traceroute goes by NEAR, ELSEWHERE and HOME. NEAR's list shows a router between NEAR and HOME by another of its
 * addresses, and not what comes next: ELSEWHERE may lie before it. How many hops there are from it. */
static unsigned hops_from(uint32_t met)
{
	struct scene s;
	struct revtr_answer answer = {.task = 1, .answered = true, .from = addr_v4(NEAR), .reply_ttl = 60,
		.reply = {.present = true, .type = 7, .slots = 9, .used = 5,
			.addrs = {addr_v4(NEAR), addr_v4(met), addr_v4(0x0a000001), addr_v4(HOME), addr_v4(SOURCE)}}};
	struct revtr_result result;
	uint32_t trace;
	open_scene(&s);
	assert_int_equal(
		revtr_engine_add_trace(s.engine, s.source, (uint32_t[]){NEAR, ELSEWHERE, HOME}, 3, 0, s.now_ns, &trace), 0);
	revtr_engine_align(s.engine, s.source, trace, 0, &answer, false, s.now_ns);
	submit(&s, met);
	(void)expect_nothing(&s);
	assert_true(revtr_engine_finished(s.engine, &result));
	assert_int_equal(result.stop, REVTR_REACHED);
	assert_int_equal(result.hops[result.hop_count - 2].address, HOME);
	assert_int_equal(result.hops[0].technique, TECHNIQUE_ATLAS_INTERVAL);
	unsigned count = result.hop_count;
	scene_deinit(&s);
	return count;
}

/* ELSEWHERE is in network 2. */
static void test_hops_that_may_lie_before(void **state)
{
	(void)state;
	assert_int_equal(hops_from(MIDDLE + 20), 3);
	assert_int_equal(hops_from(NEAR + 40), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_host),
		cmocka_unit_test(test_only_other_hosts),
		cmocka_unit_test(test_ways_of_several_lengths),
		cmocka_unit_test(test_pings_without_answer),
		cmocka_unit_test(test_silent_destination),
		cmocka_unit_test(test_border_of_a_neighbour),
		cmocka_unit_test(test_way_of_a_neighbour),
		cmocka_unit_test(test_hops_that_may_lie_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
