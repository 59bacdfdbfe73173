/* A test of an agent in a world of a few routers whose filters are known: what is judged is what was built.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "revtr/capability.h"

#define SUBJECT 7
#define HELPER	20 /* sends in others' names */
#define ROUTERS 5  /* between any two */
#define START	(100 * NS_PER_S)

static struct addr address_of(uint32_t agent)
{
	return addr_v4(0xc6336400 + agent);
}

static struct addr router(unsigned hop)
{
	return addr_v4(0xcb007100 + hop);
}

/* What happens to the subject's packets; a filter at hop N drops what it is to pass on, 0 = there is none. */
struct world {
	unsigned options_at, spoofed_at, silent_at; /* silent_at: this router never answers */
	bool options_stripped, deaf, options_dropped_back, renamed, unreachable, mute;
	int spoof_error, options_error;
	struct addr seen_as; /* by others; none: its own */
	struct capability_test *test;
	unsigned orders, sweeps, spoofed;
	bool lies; /* everybody tells everything, and twice */
};

static void init(struct capability_test *test, unsigned partners, bool may_spoof)
{
	*test = (struct capability_test){.subject = SUBJECT,
		.own = address_of(SUBJECT),
		.may_spoof = may_spoof,
		.source = {SUBJECT, address_of(SUBJECT), {1, 2}},
		.partner_count = partners,
		.senders = {HELPER},
		.sender_count = 1,
		.secret = {5, 6}};
	for (uint32_t i = 0; i < partners; i++)
		test->partners[i] = (struct capability_partner){i + 1, address_of(i + 1), {i, i}};
}

static void say(struct world *world, uint32_t agent, const struct revtr_answer *answer, int64_t now_ns)
{
	for (uint32_t liar = 0; world->lies && liar < 30; liar++)
		if (liar != agent)
			assert_false(capability_answer(world->test, liar, answer, now_ns));
	assert_true(capability_answer(world->test, agent, answer, now_ns));
	if (world->lies)
		(void)capability_answer(world->test, agent, answer, now_ns);
}

static uint32_t who(struct addr address)
{
	return (uint32_t)address.low - 0xc6336400;
}

static void send(struct world *world, const struct agent_order *order, int64_t now_ns)
{
	const struct revtr_task *task = &order->task;
	bool by_subject = task->agent == SUBJECT, options = task->options;
	int error = by_subject ? (task->spoofed		   ? world->spoof_error
						 : options ? world->options_error
							   : 0)
			       : 0;
	unsigned stop = !by_subject ? 0 : task->spoofed ? world->spoofed_at : options ? world->options_at : 0;
	struct revtr_answer answer = {
		.task = task->id, .answered = true, .seen = REVTR_SEEN_SENT, .error = error};
	struct addr name = task->spoofed ? order->source : address_of(SUBJECT);
	world->orders++;
	world->sweeps += task->ttl < TRIAL_TTL;
	world->spoofed += task->spoofed && by_subject;
	if (world->mute)
		return;
	if (error)
		answer.seen = REVTR_SEEN_FAILED;
	say(world, task->agent, &answer, now_ns);
	if (error)
		return;
	if (task->ttl <= ROUTERS) {
		if ((stop && task->ttl > stop) || task->ttl == world->silent_at)
			return;
		answer.seen = REVTR_SEEN_EXCEEDED;
		answer.from = router(task->ttl);
		say(world, who(name), &answer, now_ns);
		return;
	}
	if (stop || world->unreachable)
		return;
	answer.seen = REVTR_SEEN_REQUEST;
	answer.from = by_subject && (world->renamed || !task->spoofed) && addr_is_set(world->seen_as)
		? world->seen_as
		: name;
	answer.reply = (struct route_option){.present = options && !(by_subject && world->options_stripped)};
	answer.reply_ttl = task->ttl - ROUTERS;
	say(world, who(task->target), &answer, now_ns);
	if ((task->spoofed && !by_subject && world->deaf) || (options && world->options_dropped_back))
		return;
	answer.seen = REVTR_SEEN_REPLY;
	answer.from = task->target;
	say(world, who(name), &answer, now_ns);
}

static struct capability run(struct world *world, struct capability_test *test)
{
	int64_t now_ns = START, wake_ns;
	struct agent_order order;
	enum capability_want want;
	world->test = test;
	capability_start(test, now_ns);
	while ((want = capability_next(test, now_ns, &order, &wake_ns)) != CAPABILITY_DONE) {
		if (want == CAPABILITY_ORDER) {
			send(world, &order, now_ns);
			continue;
		}
		assert_true(wake_ns > now_ns);
		now_ns = wake_ns;
		assert_true(now_ns < START + 200 * NS_PER_S);
	}
	return capability_judge(test);
}

static struct capability_test *new_test(unsigned partners, bool may_spoof)
{
	struct capability_test *test = malloc(sizeof(*test));
	assert_non_null(test);
	init(test, partners, may_spoof);
	return test;
}

static struct capability found(struct world *world, unsigned partners, bool may_spoof)
{
	struct capability_test *test = new_test(partners, may_spoof);
	struct capability capability = run(world, test);
	free(test);
	return capability;
}

#define expect(finding, can_, cause_)                                                                        \
	do {                                                                                                 \
		assert_int_equal((finding).can, can_);                                                       \
		assert_string_equal(capability_cause_word((finding).cause), capability_cause_word(cause_));  \
	} while (0)

static void expect_place(struct capability_place place, unsigned hop, struct addr address)
{
	assert_int_equal(place.hop, hop);
	assert_true(addr_equal(place.address, address));
}

/* ---- what is built is what is found */

static void test_nothing_is_wrong(void **state)
{
	struct world world = {0};
	struct capability capability = found(&world, 3, true);
	(void)state;
	expect(capability.options, AGENT_CAN, CAUSE_NONE);
	expect(capability.spoof, AGENT_CAN, CAUSE_NONE);
	expect(capability.receive, AGENT_CAN, CAUSE_NONE);
	assert_int_equal(capability.behind_nat, AGENT_CANNOT);
	assert_true(capability_may_spoof(&capability));
	assert_int_equal(world.sweeps, 0); /* nothing is sent that is not needed */
}

static void test_filters_are_named(void **state)
{
	struct world world = {.spoofed_at = 2, .options_at = 3};
	struct capability capability = found(&world, 3, true);
	(void)state;
	expect(capability.spoof, AGENT_CANNOT, CAUSE_FILTERED);
	expect_place(capability.spoof.last, 2, router(2));
	expect_place(capability.spoof.next, 3, router(3));
	expect(capability.options, AGENT_CANNOT, CAUSE_FILTERED);
	expect_place(capability.options.last, 3, router(3));
	assert_false(capability_may_spoof(&capability));
	/* A router that never answers is neither the last nor the next. */
	world = (struct world){.spoofed_at = 2, .silent_at = 3};
	capability = found(&world, 3, true);
	expect_place(capability.spoof.last, 2, router(2));
	expect_place(capability.spoof.next, 4, router(4));
	/* Behind the last router there is only the target. */
	world = (struct world){.options_at = ROUTERS};
	capability = found(&world, 3, true);
	expect_place(capability.options.last, ROUTERS, router(ROUTERS));
	expect_place(capability.options.next, ROUTERS + 1, address_of(1));
}

/* With one target that all fail to, the filter is its own if it is nearer to it. */
static void test_whose_filter(void **state)
{
	struct world world = {.options_at = 4};
	struct capability capability = found(&world, 1, true);
	(void)state;
	expect(capability.options, AGENT_CAN_UNKNOWN, CAUSE_FILTERED);
	expect_place(capability.options.last, 4, router(4));
	/* Two may stand in one network, that drops what comes from outside in its own name. */
	world = (struct world){.spoofed_at = 4};
	expect(found(&world, 2, true).spoof, AGENT_CAN_UNKNOWN, CAUSE_FILTERED);
	expect(found(&world, 3, true).spoof, AGENT_CANNOT, CAUSE_FILTERED);
	world = (struct world){.options_at = 1};
	capability = found(&world, 1, true);
	expect(capability.options, AGENT_CANNOT, CAUSE_FILTERED);
}

static void test_other_causes(void **state)
{
	struct world world = {.spoof_error = -EPERM, .options_stripped = true};
	struct capability capability = found(&world, 3, true);
	char text[CAPABILITY_TEXT_SIZE];
	(void)state;
	expect(capability.spoof, AGENT_CANNOT, CAUSE_LOCAL);
	assert_int_equal(capability.spoof.error, -EPERM);
	assert_non_null(strstr(capability_text(ASPECT_SPOOF, &capability.spoof, text), strerror(EPERM)));
	expect(capability.options, AGENT_CANNOT, CAUSE_STRIPPED);
	world = (struct world){.options_error = -EINVAL};
	capability = found(&world, 3, true);
	expect(capability.options, AGENT_CANNOT, CAUSE_LOCAL);
	world = (struct world){.renamed = true, .seen_as = addr_v4(0xc0000201)};
	capability = found(&world, 3, true);
	assert_int_equal(capability.behind_nat, AGENT_CAN);
	assert_true(addr_equal(capability.seen_as, world.seen_as));
	expect(capability.spoof, AGENT_CANNOT, CAUSE_REWRITTEN);
	assert_true(addr_equal(capability.spoof.seen_as, world.seen_as));
	assert_int_equal(world.sweeps, 0);
	world = (struct world){.deaf = true};
	expect(found(&world, 3, true).receive, AGENT_CANNOT, CAUSE_UNASKED);
	world = (struct world){.options_dropped_back = true};
	capability = found(&world, 3, true);
	expect(capability.receive, AGENT_CANNOT, CAUSE_FILTERED_BACK);
	expect(capability.options, AGENT_CAN, CAUSE_NONE); /* they get to others */
}

/* ---- what is not known is said */

static void test_unknown(void **state)
{
	struct world world = {0};
	struct capability capability = found(&world, 0, true);
	(void)state;
	expect(capability.options, AGENT_CAN_UNKNOWN, CAUSE_NO_PARTNER);
	expect(capability.spoof, AGENT_CAN_UNKNOWN, CAUSE_NO_PARTNER);
	assert_int_equal(world.orders, 0);
	/* With one other address there is nobody in whose name it could send. */
	capability = found(&world, 1, true);
	expect(capability.spoof, AGENT_CAN_UNKNOWN, CAUSE_NO_PARTNER);
	assert_int_equal(world.spoofed, 0);
	/* Silence about what was not sent, or where plain packets do not come either, proves nothing. */
	world = (struct world){.mute = true};
	capability = found(&world, 3, true);
	expect(capability.options, AGENT_CAN_UNKNOWN, CAUSE_UNSENT);
	expect(capability.spoof, AGENT_CAN_UNKNOWN, CAUSE_UNSENT);
	assert_int_equal(capability.behind_nat, AGENT_CAN_UNKNOWN);
	world = (struct world){.unreachable = true};
	capability = found(&world, 3, true);
	expect(capability.options, AGENT_CAN_UNKNOWN, CAUSE_UNREACHED);
	expect(capability.spoof, AGENT_CAN_UNKNOWN, CAUSE_UNREACHED);
	expect(capability.receive, AGENT_CAN_UNKNOWN, CAUSE_UNREACHED);
	assert_true(capability_may_spoof(&capability)); /* who is not known to be unable is asked */
}

static void test_consent(void **state)
{
	struct world world = {0};
	struct capability capability = found(&world, 3, false);
	(void)state;
	expect(capability.spoof, AGENT_CAN_UNKNOWN, CAUSE_FORBIDDEN);
	assert_int_equal(world.spoofed, 0);
	/* Without an address that is registered nobody sends in its name. */
	struct capability_test *test = new_test(3, true);
	test->source.address = ADDR_NONE;
	capability = run(&world, test);
	expect(capability.receive, AGENT_CAN_UNKNOWN, CAUSE_NO_SOURCE);
	for (unsigned i = 0; i < test->count; i++)
		assert_int_not_equal(test->trials[i].kind, TRIAL_RECEIVE);
	free(test);
}

/* ---- lies, doubles, latecomers */

static void test_lies(void **state)
{
	struct world world = {.lies = true, .spoofed_at = 2};
	struct capability capability = found(&world, 3, true);
	(void)state;
	expect(capability.spoof, AGENT_CANNOT, CAUSE_FILTERED);
	expect_place(capability.spoof.last, 2, router(2));
	expect(capability.options, AGENT_CAN, CAUSE_NONE);
}

static void test_numbers_that_are_none(void **state)
{
	struct capability_test *test = new_test(3, true);
	struct agent_order order;
	int64_t wake_ns;
	(void)state;
	capability_start(test, START);
	/* What has not been handed out cannot have been seen. */
	struct revtr_answer early = {
		.task = test->trials[0].task, .seen = REVTR_SEEN_REQUEST, .from = address_of(SUBJECT)};
	assert_false(capability_answer(test, 1, &early, START));
	assert_int_equal(capability_next(test, START, &order, &wake_ns), CAPABILITY_ORDER);
	assert_int_equal(order.task.id, early.task);
	for (uint32_t number = 1; number < 10000; number++) {
		struct revtr_answer forged = {.task = 0x80000000u | number,
			.seen = REVTR_SEEN_REQUEST,
			.from = address_of(SUBJECT)};
		assert_false(capability_answer(test, 1, &forged, START));
	}
	/* Numbers cannot be told from each other. */
	for (unsigned i = 1; i < test->count; i++)
		assert_true(test->trials[i].task != test->trials[0].task + i);
	/* A router cannot have discarded what has its whole hop limit. */
	struct revtr_answer wrong = {.task = early.task, .seen = REVTR_SEEN_EXCEEDED, .from = router(1)};
	assert_true(capability_answer(test, SUBJECT, &wrong, START));
	assert_false(addr_is_set(test->trials[0].router));
	free(test);
}

/* The agent has much to do: what it sends after half a minute still counts, and what is heard during the
 * sweep. */
static void test_late(void **state)
{
	struct capability_test *test = new_test(2, true);
	struct agent_order order, first = {0};
	int64_t now_ns = START, wake_ns;
	(void)state;
	capability_start(test, now_ns);
	while (capability_next(test, now_ns, &order, &wake_ns) == CAPABILITY_ORDER)
		if (first.task.id == 0)
			first = order;
	now_ns += 40 * NS_PER_S;
	assert_int_equal(capability_next(test, now_ns, &order, &wake_ns), CAPABILITY_WAIT);
	struct revtr_answer answer = {.task = first.task.id, .answered = true, .seen = REVTR_SEEN_SENT};
	assert_true(capability_answer(test, SUBJECT, &answer, now_ns));
	answer.seen = REVTR_SEEN_REQUEST;
	answer.from = address_of(SUBJECT);
	answer.reply_ttl = 60;
	assert_true(capability_answer(test, who(first.task.target), &answer, now_ns));
	now_ns += 40 * NS_PER_S;
	assert_int_equal(capability_next(test, now_ns, &order, &wake_ns), CAPABILITY_DONE);
	struct capability capability = capability_judge(test);
	assert_int_equal(capability.behind_nat, AGENT_CANNOT);
	expect(capability.options, AGENT_CAN_UNKNOWN, CAUSE_UNSENT);
	free(test);
}

/* ---- kept */

static void test_kept(void **state)
{
	struct world world = {.spoofed_at = 2, .deaf = true, .seen_as = addr_v4(0xc0000201)};
	struct capability capability = found(&world, 3, true), again;
	(void)state;
	capability.tested_ms = 1234567890123;
	char *text = capability_to_json(&capability);
	assert_non_null(text);
	assert_true(capability_from_json(text, &again));
	assert_int_equal(again.tested_ms, capability.tested_ms);
	expect(again.spoof, AGENT_CANNOT, CAUSE_FILTERED);
	expect_place(again.spoof.last, 2, router(2));
	expect_place(again.spoof.next, 3, router(3));
	expect(again.receive, AGENT_CANNOT, CAUSE_UNASKED);
	assert_int_equal(again.behind_nat, AGENT_CAN);
	free(text);
	assert_false(capability_from_json("[]", &again));
	assert_false(capability_from_json("{", &again));
	assert_true(
		capability_from_json("{\"spoof\":{\"can\":7,\"cause\":3,\"last\":{\"hop\":-1}}}", &again));
	expect(again.spoof, AGENT_CAN_UNKNOWN, CAUSE_NONE);
	expect_place(again.spoof.last, 0, ADDR_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_wrong),
		cmocka_unit_test(test_filters_are_named),
		cmocka_unit_test(test_whose_filter),
		cmocka_unit_test(test_other_causes),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_consent),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_numbers_that_are_none),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
