/* The engine, fed by hand: what it asks for, what it makes of answers, how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "by_hand.h"

/* Three sites: 0 may not spoof, 1 and 2 may; the source's agent is 3. */
static void scene_init(struct scene *s, struct revtr_options options)
{
	static const struct revtr_site sites[] = {{0, false}, {1, true}, {2, true}};
	scene_open(s, sites, 3, options);
}

/* Until the deadline that it names. */
static void let_time_pass(struct scene *s)
{
	s->now_ns = expect_nothing(s);
	assert_true(s->now_ns != TIME_NEVER);
}

static void test_direct_list_is_the_way(void **state)
{
	struct scene s;
	(void)state;
	scene_init(&s, revtr_options_published());
	submit(&s, DESTINATION);
	struct revtr_task task = expect_task(&s, REVTR_RR_PING, 3, DESTINATION);
	answer_list(&s, &task, (uint32_t[]){MIDDLE, DESTINATION, DESTINATION, NEAR, MIDDLE + 1, SOURCE}, 6);
	struct revtr_result result = expect_end(&s, REVTR_REACHED, 3);
	assert_int_equal(result.hops[0].address, NEAR);
	assert_int_equal(result.hops[0].technique, TECHNIQUE_RECORD_ROUTE);
	assert_int_equal(result.hops[0].certainty, CERTAINTY_MEASURED);
	assert_int_equal(result.hops[2].address, SOURCE);
	assert_int_equal(result.option_packets, 1);
	scene_deinit(&s);
}

/* The source is too far away: agents ask in its name, those that may not are left out. */
static void test_agents_ask_in_its_name(void **state)
{
	struct scene s;
	(void)state;
	scene_init(&s, revtr_options_published());
	submit(&s, DESTINATION);
	expect_task(&s, REVTR_RR_PING, 3, DESTINATION);
	let_time_pass(&s);
	struct revtr_task first = expect_task(&s, REVTR_RR_PING, 1, DESTINATION);
	expect_task(&s, REVTR_RR_PING, 2, DESTINATION);
	answer_list(&s, &first, (uint32_t[]){MIDDLE, DESTINATION, NEAR, SOURCE}, 4);
	/* The batch is not over before the other one has answered, or its time is up. */
	assert_int_equal(revtr_engine_busy(s.engine), 1);
	let_time_pass(&s);
	expect_nothing(&s);
	struct revtr_result result = expect_end(&s, REVTR_REACHED, 2);
	assert_int_equal(result.hops[0].technique, TECHNIQUE_RECORD_ROUTE_SPOOFED);
	assert_int_equal(result.option_packets, 3);
	scene_deinit(&s);
}

/* Nobody answers: the router before it on the way there, as long as that is in the same network. */
static void test_symmetry_ends_at_the_border(void **state)
{
	struct revtr_options options = revtr_options_published();
	struct scene s;
	(void)state;
	options.spoofed = false;
	scene_init(&s, options);
	submit(&s, DESTINATION);
	expect_task(&s, REVTR_RR_PING, 3, DESTINATION);
	let_time_pass(&s);
	struct revtr_task trace = expect_task(&s, REVTR_TRACEROUTE + 0, 3, DESTINATION);
	answer_trace(&s, &trace, (uint32_t[]){MIDDLE, NEAR, DESTINATION}, 3);
	/* It is asked now: the tree may know more of it. */
	expect_task(&s, REVTR_RR_PING, 3, NEAR);
	let_time_pass(&s);
	expect_nothing(&s);
	struct revtr_result result = expect_end(&s, REVTR_INTERDOMAIN, 1);
	assert_int_equal(result.hops[0].address, NEAR);
	assert_int_equal(result.hops[0].technique, TECHNIQUE_SYMMETRIC_INTRA);
	assert_int_equal(result.hops[0].certainty, CERTAINTY_ASSUMED);
	scene_deinit(&s);
}

/* The same, and the hop limits of the trace's answers: how many routers each passed on its way home. */
static struct revtr_task symmetric_with_counts(struct scene *s, const uint8_t *ttls)
{
	struct revtr_options options = revtr_options_default();
	options.spoofed = options.siblings = false;
	scene_init(s, options);
	submit(s, DESTINATION);
	expect_task(s, REVTR_RR_PING, 3, DESTINATION);
	let_time_pass(s);
	struct revtr_task trace = expect_task(s, REVTR_TRACEROUTE, 3, DESTINATION);
	struct revtr_answer answer = {.task = trace.id, .answered = true, .trace_count = 3, .reached = true,
		.trace = {addr_v4(MIDDLE), addr_v4(NEAR), addr_v4(DESTINATION)}, .trace_ttl = {ttls[0], ttls[1], ttls[2]}};
	revtr_engine_answer(s->engine, &answer, s->now_ns);
	return trace;
}

/* That hop limits agree is no proof that a border is crossed here. */
static void test_hop_counts_do_not_lead_over_a_border(void **state)
{
	struct scene s;
	(void)state;
	/* Six, five and four routers from home; the middle one began with 64. */
	symmetric_with_counts(&s, (uint8_t[]){60, 250, 58});
	expect_task(&s, REVTR_RR_PING, 3, NEAR);
	let_time_pass(&s);
	expect_nothing(&s);
	expect_end(&s, REVTR_INTERDOMAIN, 1);
	scene_deinit(&s);
}

static void test_hop_counts_that_contradict(void **state)
{
	struct scene s;
	(void)state;
	/* The router before it is eight from home, and the destination six: its packets do not come back by it. */
	symmetric_with_counts(&s, (uint8_t[]){60, 247, 58});
	expect_nothing(&s);
	expect_end(&s, REVTR_INTERDOMAIN, 0);
	scene_deinit(&s);
}

static void test_atlas_ends_it_without_a_packet(void **state)
{
	struct scene s;
	uint32_t index;
	(void)state;
	scene_init(&s, revtr_options_published());
	assert_int_equal(revtr_engine_add_trace(
				 s.engine, s.source, (uint32_t[]){DESTINATION, NEAR, MIDDLE}, 3, 0, START_NS, &index),
		0);
	submit(&s, DESTINATION);
	struct revtr_result result = expect_end(&s, REVTR_REACHED, 3);
	assert_int_equal(result.hops[1].technique, TECHNIQUE_ATLAS);
	assert_int_equal(result.option_packets, 0);
	scene_deinit(&s);
}

/* Two want to know the same: it is asked once, and who comes later has it for nothing. */
static void test_questions_are_shared(void **state)
{
	struct scene s;
	(void)state;
	scene_init(&s, revtr_options_published());
	submit(&s, DESTINATION);
	submit(&s, DESTINATION);
	struct revtr_task task = expect_task(&s, REVTR_RR_PING, 3, DESTINATION);
	expect_nothing(&s);
	answer_list(&s, &task, (uint32_t[]){DESTINATION, NEAR, SOURCE}, 3);
	assert_int_equal(revtr_engine_busy(s.engine), 0);
	struct revtr_result result;
	unsigned packets = 0;
	for (int i = 0; i < 2; i++) {
		assert_true(revtr_engine_finished(s.engine, &result));
		assert_int_equal(result.stop, REVTR_REACHED);
		packets += result.option_packets;
	}
	assert_int_equal(packets, 1);
	assert_false(revtr_engine_finished(s.engine, &result));
	scene_deinit(&s);
}

/* Late, doubled and unknown answers, and answers to nothing. */
static void test_strange_answers(void **state)
{
	struct scene s;
	(void)state;
	scene_init(&s, revtr_options_published());
	submit(&s, DESTINATION);
	struct revtr_task task = expect_task(&s, REVTR_RR_PING, 3, DESTINATION), other = {.id = 99};
	answer_list(&s, &other, (uint32_t[]){DESTINATION, NEAR, SOURCE}, 3);
	assert_int_equal(revtr_engine_busy(s.engine), 1);
	let_time_pass(&s);
	expect_task(&s, REVTR_RR_PING, 1, DESTINATION);
	expect_task(&s, REVTR_RR_PING, 2, DESTINATION);
	answer_list(&s, &task, (uint32_t[]){DESTINATION, NEAR, SOURCE}, 3);
	answer_list(&s, &task, (uint32_t[]){DESTINATION, NEAR, SOURCE}, 3);
	let_time_pass(&s);
	expect_nothing(&s);
	expect_end(&s, REVTR_REACHED, 2);
	scene_deinit(&s);
}

static void test_what_cannot_be_measured(void **state)
{
	struct scene s;
	uint32_t id;
	(void)state;
	scene_init(&s, revtr_options_published());
	assert_int_equal(revtr_engine_submit(s.engine, s.source, addr_v4(0x0a000001), 0, &id), -EINVAL);
	assert_int_equal(revtr_engine_submit(s.engine, s.source, addr_v4(0xe0000001), 0, &id), -EINVAL);
	assert_int_equal(revtr_engine_submit(s.engine, s.source, addr_v6(1, 1), 0, &id), -EINVAL);
	assert_int_equal(revtr_engine_submit(s.engine, s.source + 1, addr_v4(DESTINATION), 0, &id), -EINVAL);
	scene_deinit(&s);
}

/* Its network must not be asked: only the way there is measured, which sends it no options. */
static void test_budget_of_a_network(void **state)
{
	struct scene s;
	(void)state;
	scene_init(&s, revtr_options_published());
	s.forbidden = 3;
	submit(&s, DESTINATION);
	expect_task(&s, REVTR_TRACEROUTE, 3, DESTINATION);
	scene_deinit(&s);
}

/* Two agents' packets to one address, which may get one a second. */
static void test_packets_are_spaced(void **state)
{
	struct revtr_options options = revtr_options_published();
	struct scene s;
	(void)state;
	options.target = (struct budget_rate){1, 1};
	options.direct = false;
	scene_init(&s, options);
	submit(&s, DESTINATION);
	expect_task(&s, REVTR_RR_PING, 1, DESTINATION);
	assert_int_equal(expect_nothing(&s), START_NS + NS_PER_S);
	s.now_ns = START_NS + NS_PER_S;
	expect_task(&s, REVTR_RR_PING, 2, DESTINATION);
	scene_deinit(&s);
}

/* Whoever comes an hour late does not let everything go at once. */
static void test_a_late_caller_makes_no_burst(void **state)
{
	struct revtr_options options = revtr_options_published();
	struct scene s;
	(void)state;
	options.agent = (struct budget_rate){1, 1};
	options.spoofed = false;
	scene_init(&s, options);
	for (uint32_t i = 0; i < 3; i++)
		submit(&s, DESTINATION + i);
	expect_task(&s, REVTR_RR_PING, 3, DESTINATION);
	s.now_ns += 3600 * NS_PER_S;
	struct revtr_task task;
	int64_t wake_ns;
	unsigned probes = 0;
	while (revtr_engine_next(s.engine, s.now_ns, &task, &wake_ns))
		probes += task.probe == REVTR_RR_PING;
	assert_int_equal(probes, 1);
	scene_deinit(&s);
}

/* Nobody gets an answer from it, and others answer: later sources do not ask it, either. */
static void test_dead_target(void **state)
{
	struct revtr_options options = revtr_options_published();
	struct scene s;
	uint32_t other;
	(void)state;
	options.dead_after = 2;
	options.dead_for_ns = 3600 * NS_PER_S;
	options.direct = false;
	options.symmetry_intra = false;
	scene_init(&s, options);
	submit(&s, NEAR);
	struct revtr_task task = expect_task(&s, REVTR_RR_PING, 1, NEAR);
	answer_list(&s, &task, (uint32_t[]){NEAR, SOURCE}, 2);
	expect_task(&s, REVTR_RR_PING, 2, NEAR);
	let_time_pass(&s);
	expect_nothing(&s);
	expect_end(&s, REVTR_REACHED, 1);
	submit(&s, DESTINATION);
	expect_task(&s, REVTR_RR_PING, 1, DESTINATION);
	expect_task(&s, REVTR_RR_PING, 2, DESTINATION);
	let_time_pass(&s);
	expect_task(&s, REVTR_TRACEROUTE, 3, DESTINATION);
	assert_int_equal(revtr_engine_add_source(s.engine, addr_v4(SOURCE + 1), 3, &other), 0);
	s.source = other;
	submit(&s, DESTINATION);
	expect_task(&s, REVTR_TRACEROUTE, 3, DESTINATION);
	scene_deinit(&s);
}

static void expect_some_end(struct scene *s)
{
	struct revtr_result result;
	expect_nothing(s);
	assert_true(revtr_engine_finished(s->engine, &result));
	assert_true(result.stop != REVTR_REACHED);
}

/* The list of somebody near the last hop leads home, but by a router without an address and one that is on the way already:
 * that is no step, and it is not taken again and again. */
static void test_a_list_that_turns_back(void **state)
{
	struct revtr_options options = revtr_options_published();
	struct scene s;
	(void)state;
	options.spoofed = options.symmetry_intra = false;
	options.siblings = true;
	scene_init(&s, options);
	s.neighbour = DESTINATION + 1;
	submit(&s, DESTINATION);
	expect_task(&s, REVTR_RR_PING, 3, DESTINATION);
	let_time_pass(&s);
	struct revtr_task task = expect_task(&s, REVTR_TRACEROUTE, 3, DESTINATION);
	answer_trace(&s, &task, (uint32_t[]){MIDDLE, NEAR, DESTINATION}, 3);
	task = expect_task(&s, REVTR_RR_PING, 3, DESTINATION + 1);
	alarm(20);
	answer_list(&s, &task, (uint32_t[]){MIDDLE + 8, DESTINATION + 1, 0x0a000001, DESTINATION, MIDDLE, SOURCE}, 6);
	expect_some_end(&s);
	alarm(0);
	scene_deinit(&s);
}

/* Answers of a batch that is over come while the next one waits for its turn: they are not that one's, which is waited for
 * in its own right, and the measurement ends. */
static void test_answers_of_the_batch_before(void **state)
{
	struct revtr_options options = revtr_options_published();
	struct scene s;
	(void)state;
	options.direct = false;
	options.batch = 1;
	options.net = (struct budget_rate){.per_second = 0.01, .burst = 1};
	scene_init(&s, options);
	submit(&s, DESTINATION);
	struct revtr_task before = expect_task(&s, REVTR_RR_PING, 1, DESTINATION);
	let_time_pass(&s); /* the second agent's turn is a minute away */
	struct revtr_task task;
	int64_t wake_ns;
	assert_false(revtr_engine_next(s.engine, s.now_ns, &task, &wake_ns));
	revtr_engine_answer(s.engine, &(struct revtr_answer){.task = before.id}, s.now_ns);
	s.now_ns = wake_ns;
	expect_task(&s, REVTR_RR_PING, 2, DESTINATION);
	let_time_pass(&s);
	expect_task(&s, REVTR_TRACEROUTE, 3, DESTINATION);
	scene_deinit(&s);
}

/* Asked in vain while only one was there who could ask: that holds until there are more. */
static void test_more_agents(void **state)
{
	struct revtr_options options = revtr_options_published();
	struct scene s;
	(void)state;
	options.direct = false;
	options.symmetry_intra = false;
	scene_init(&s, options);
	s.sites[2].may_spoof = false;
	submit(&s, DESTINATION);
	expect_task(&s, REVTR_RR_PING, 1, DESTINATION);
	let_time_pass(&s);
	struct revtr_task task = expect_task(&s, REVTR_TRACEROUTE, 3, DESTINATION);
	answer_trace(&s, &task, (uint32_t[]){MIDDLE, NEAR, DESTINATION}, 3);
	expect_some_end(&s);
	s.now_ns += NS_PER_S;
	submit(&s, DESTINATION);
	expect_some_end(&s);
	s.sites[2].may_spoof = true;
	revtr_engine_more_agents(s.engine, s.now_ns);
	submit(&s, DESTINATION);
	expect_task(&s, REVTR_RR_PING, 1, DESTINATION);
	expect_task(&s, REVTR_RR_PING, 2, DESTINATION);
	scene_deinit(&s);
}

/* The target does not write itself down: MIDDLE, NEAR | NEAR + 9, MIDDLE + 12. It is asked to refuse a packet with the
 * option. */
static struct revtr_task ask_for_quote(struct scene *s)
{
	struct revtr_options options = revtr_options_published();
	options.quotes = options.heuristics = true;
	scene_init(s, options);
	submit(s, DESTINATION);
	struct revtr_task task = expect_task(s, REVTR_RR_PING, 3, DESTINATION);
	answer_list(s, &task, (uint32_t[]){MIDDLE, NEAR, NEAR + 9, MIDDLE + 12}, 4);
	return expect_task(s, REVTR_RR_UDP, 3, DESTINATION);
}

/* What it quotes has two stamps, so the way back begins with the third. */
static void test_quote_places_the_target(void **state)
{
	struct scene s;
	(void)state;
	struct revtr_task task = ask_for_quote(&s);
	answer_list(&s, &task, (uint32_t[]){MIDDLE, NEAR}, 2);
	struct revtr_result result = expect_end(&s, REVTR_REACHED, 3);
	assert_int_equal(result.hops[0].address, NEAR + 9);
	assert_int_equal(result.hops[1].address, MIDDLE + 12);
	assert_int_equal(result.hops[2].address, SOURCE);
	assert_int_equal(result.option_packets, 2);
	scene_deinit(&s);
}

/* Both agents' packets come to NEAR + 60 and + 65; the second one's gets farther, and it is that agent who asks. What is quoted ends
 * there, so it goes on from the last of the four stamps behind it. */
static void test_who_got_farthest_asks_for_the_quote(void **state)
{
	const uint32_t first[] = {MIDDLE + 10, MIDDLE + 14, MIDDLE + 18, MIDDLE + 22, MIDDLE + 26, NEAR + 60, NEAR + 65, NEAR + 70,
		NEAR + 75};
	const uint32_t second[] = {MIDDLE + 30, MIDDLE + 34, MIDDLE + 38, NEAR + 60, NEAR + 65, NEAR + 70, NEAR + 75, NEAR + 80,
		NEAR + 85};
	struct revtr_options options = revtr_options_published();
	struct scene s;
	(void)state;
	options.quotes = options.differ = true;
	options.direct = false;
	scene_init(&s, options);
	submit(&s, DESTINATION);
	struct revtr_task one = expect_task(&s, REVTR_RR_PING, 1, DESTINATION);
	struct revtr_task other = expect_task(&s, REVTR_RR_PING, 2, DESTINATION);
	answer_list(&s, &one, first, 9);
	answer_list(&s, &other, second, 9);
	struct revtr_task task = expect_task(&s, REVTR_RR_UDP, 2, DESTINATION);
	answer_list(&s, &task, second, 5);
	task = expect_task(&s, REVTR_RR_PING, 1, NEAR + 85);
	assert_int_equal(task.spoofed, true);
	scene_deinit(&s);
}

/* What a reply's hop limit told once is told again to who asks later, for nothing: three routers, one of which shows. */
static void test_the_count_is_kept(void **state)
{
	struct revtr_options options = revtr_options_published();
	struct revtr_gap gap;
	struct scene s;
	(void)state;
	scene_init(&s, options);
	submit(&s, DESTINATION);
	struct revtr_task task = expect_task(&s, REVTR_RR_PING, 3, DESTINATION);
	struct revtr_answer answer = {.task = task.id, .answered = true, .from = task.target, .reply_ttl = 61,
		.reply = {.present = true, .type = 7, .slots = 9, .used = 4,
			.addrs = {addr_v4(MIDDLE + 8), addr_v4(DESTINATION), addr_v4(MIDDLE), addr_v4(SOURCE)}}};
	revtr_engine_answer(s.engine, &answer, s.now_ns);
	for (unsigned time = 1; time <= 2; time++) {
		struct revtr_result result = expect_end(&s, REVTR_REACHED, 2);
		assert_int_equal(result.left, 3);
		assert_int_equal(revtr_gaps(&result, &gap, 1), 1);
		assert_int_equal(gap.missing, 2);
		if (time == 1)
			submit(&s, DESTINATION);
	}
	scene_deinit(&s);
}

/* NEAR's own answers go by OWN_WAY, those of three hosts behind it by MIDDLE. A fourth host's list ends at NEAR: the rest
 * is that of the others, and not quite certain. */
static void test_a_router_that_forwards_by_origin(void **state)
{
	const uint32_t own_way = MIDDLE + 64;
	struct scene s;
	struct revtr_task task;
	(void)state;
	struct revtr_options options = revtr_options_published();
	options.spoofed = false;
	scene_init(&s, options);
	submit(&s, NEAR);
	task = expect_task(&s, REVTR_RR_PING, 3, NEAR);
	answer_list(&s, &task, (uint32_t[]){MIDDLE + 8, NEAR, own_way, SOURCE}, 4);
	assert_false(expect_end(&s, REVTR_REACHED, 2).hops[0].by_origin);
	for (uint32_t host = DESTINATION + 10; host < DESTINATION + 13; host++) {
		submit(&s, host);
		task = expect_task(&s, REVTR_RR_PING, 3, host);
		answer_list(&s, &task, (uint32_t[]){MIDDLE + 8, host, NEAR, MIDDLE, SOURCE}, 5);
		(void)expect_end(&s, REVTR_REACHED, 3);
	}
	submit(&s, DESTINATION);
	task = expect_task(&s, REVTR_RR_PING, 3, DESTINATION);
	answer_list(&s, &task, (uint32_t[]){MIDDLE + 8, MIDDLE + 12, MIDDLE + 16, MIDDLE + 20, MIDDLE + 24, MIDDLE + 28,
		MIDDLE + 32, DESTINATION, NEAR}, 9);
	struct revtr_result result = expect_end(&s, REVTR_REACHED, 3);
	assert_int_equal(result.hops[0].address, NEAR);
	assert_true(result.hops[0].by_origin);
	assert_int_equal(result.hops[0].certainty, CERTAINTY_MEASURED);
	assert_int_equal(result.hops[1].address, MIDDLE);
	assert_int_equal(result.hops[1].certainty, CERTAINTY_INFERRED);
	assert_true(result.hops[1].probability < 0.95f);
	assert_false(result.hops[1].by_origin);
	scene_deinit(&s);
}

/* It refuses nothing, or somebody else does: the agents have their turn. */
static void test_no_quote(void **state)
{
	struct scene s;
	(void)state;
	struct revtr_task task = ask_for_quote(&s);
	task.target = addr_v4(NEAR);
	answer_list(&s, &task, (uint32_t[]){MIDDLE, NEAR}, 2);
	expect_task(&s, REVTR_RR_PING, 1, DESTINATION);
	expect_task(&s, REVTR_RR_PING, 2, DESTINATION);
	scene_deinit(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_direct_list_is_the_way),
		cmocka_unit_test(test_agents_ask_in_its_name),
		cmocka_unit_test(test_symmetry_ends_at_the_border),
		cmocka_unit_test(test_hop_counts_do_not_lead_over_a_border),
		cmocka_unit_test(test_hop_counts_that_contradict),
		cmocka_unit_test(test_atlas_ends_it_without_a_packet),
		cmocka_unit_test(test_questions_are_shared),
		cmocka_unit_test(test_strange_answers),
		cmocka_unit_test(test_what_cannot_be_measured),
		cmocka_unit_test(test_budget_of_a_network),
		cmocka_unit_test(test_packets_are_spaced),
		cmocka_unit_test(test_a_late_caller_makes_no_burst),
		cmocka_unit_test(test_dead_target),
		cmocka_unit_test(test_answers_of_the_batch_before),
		cmocka_unit_test(test_a_list_that_turns_back),
		cmocka_unit_test(test_more_agents),
		cmocka_unit_test(test_quote_places_the_target),
		cmocka_unit_test(test_who_got_farthest_asks_for_the_quote),
		cmocka_unit_test(test_no_quote),
		cmocka_unit_test(test_the_count_is_kept),
		cmocka_unit_test(test_a_router_that_forwards_by_origin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
