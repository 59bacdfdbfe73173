/* mtr's strategy in virtual time: which hops a cycle asks, how often, when, and which hops are shown at the
 * end. What is expected is what mtr 0.95 was seen to do. */
#include "chain.h"

#include <stdlib.h>

#include "trace/cycles.h"

static struct cycles cycles;

static struct cycles_config usual(void)
{
	return (struct cycles_config){
		.engine = {.protocol = PROBE_ICMP,
			.source = source4,
			.destination = target4,
			.flow = {.icmp_id = 7, .icmp_checksum = 9},
			.size = 64,
			.key = {1, 2}},
		.first_ttl = 1,
		.max_ttl = 30,
		.max_unknown = 12,
		.cycles = 3,
		.interval_ns = NS_PER_S,
		.grace_ns = 5 * NS_PER_S,
	};
}

static int64_t run(
	const struct cycles_config *config, struct chain *chain, cycles_observer *observer, void *context)
{
	cycles_deinit(&cycles);
	cycles_init(&cycles, config, observer, context);
	return chain_run(chain, cycles_machine(&cycles));
}

static void test_every_hop_once_a_cycle(void **state)
{
	(void)state;
	struct chain chain = {.family = 4, .hops = 6, .rtt_ns = 20 * NS_PER_MS};
	struct cycles_config config = usual();
	int64_t took_ns = run(&config, &chain, NULL, NULL);
	assert_int_equal(cycles_last(&cycles), 6);
	for (unsigned ttl = 1; ttl <= 6; ttl++) {
		assert_int_equal(cycles.hops[ttl].sent, 3);
		assert_int_equal(cycles.hops[ttl].series.received, 3);
		assert_int_equal(cycles.hops[ttl].series.worst_ns, 20 * NS_PER_MS);
	}
	assert_true(cycles.hops[6].reached);
	/* The first cycle takes a tenth of the interval for each hop, the others the whole interval; then one
	 * round trip. */
	assert_true(took_ns >= 2400 * NS_PER_MS && took_ns <= 2700 * NS_PER_MS);
}

static void test_far_destination_overshoots_once(void **state)
{
	(void)state;
	struct chain chain = {.family = 4, .hops = 6, .rtt_ns = 220 * NS_PER_MS};
	struct cycles_config config = usual();
	run(&config, &chain, NULL, NULL);
	assert_int_equal(cycles_last(&cycles), 6);
	assert_int_equal(cycles.hops[6].sent, 3);
	assert_true(cycles.hops[7].sent > 0 && cycles.hops[7].sent < 3);
}

/* One hop behind the last that answers is shown; a cycle ends behind more than 12 unknown hops. */
static void test_black_hole(void **state)
{
	(void)state;
	struct chain chain = {.family = 4, .hops = 20, .rtt_ns = 20 * NS_PER_MS, .black_hole = 4};
	struct cycles_config config = usual();
	run(&config, &chain, NULL, NULL);
	assert_int_equal(cycles_last(&cycles), 5);
	assert_int_equal(cycles.hops[5].sent, 3);
	assert_int_equal(cycles.hops[5].series.received, 0);
	assert_int_equal(cycles.hops[18].sent, 3);
	assert_int_equal(cycles.hops[19].sent, 0);
}

static void test_refusal_is_the_last_hop(void **state)
{
	(void)state;
	struct chain chain = {.family = 4, .hops = 20, .rtt_ns = 20 * NS_PER_MS, .refuses = 5};
	struct cycles_config config = usual();
	run(&config, &chain, NULL, NULL);
	assert_int_equal(cycles_last(&cycles), 5);
	assert_int_equal(cycles.hops[5].series.received, 3);
}

static void test_bounds(void **state)
{
	(void)state;
	struct chain chain = {.family = 4, .hops = 20, .rtt_ns = 20 * NS_PER_MS};
	struct cycles_config config = usual();
	config.first_ttl = 3;
	config.max_ttl = 5;
	run(&config, &chain, NULL, NULL);
	assert_int_equal(cycles.hops[2].sent, 0);
	assert_int_equal(cycles.hops[3].sent, 3);
	assert_int_equal(cycles.hops[5].sent, 3);
	assert_int_equal(cycles.hops[6].sent, 0);
	assert_int_equal(cycles_last(&cycles), 5);
}

/* Who answers too late has not answered. */
static void test_timeout(void **state)
{
	(void)state;
	struct chain chain = {.family = 4, .hops = 3, .rtt_ns = 1200 * NS_PER_MS};
	struct cycles_config config = usual();
	config.timeout_ns = NS_PER_S;
	run(&config, &chain, NULL, NULL);
	assert_int_equal(cycles.hops[1].sent, 3);
	assert_int_equal(cycles.hops[1].series.received, 0);
	config.timeout_ns = 2 * NS_PER_S;
	run(&config, &chain, NULL, NULL);
	assert_int_equal(cycles.hops[1].series.received, 3);
}

/* pathping's: to a hop that is known, with a pause that is fixed. */
static void test_fixed(void **state)
{
	(void)state;
	struct chain chain = {.family = 4, .hops = 3, .rtt_ns = 20 * NS_PER_MS};
	struct cycles_config config = usual();
	config.fixed = true;
	config.max_ttl = 5;
	config.cycles = 4;
	config.pause_ns = 250 * NS_PER_MS;
	run(&config, &chain, NULL, NULL);
	assert_int_equal(chain.packets, 20);
	assert_int_equal(chain.pause_min_ns, 250 * NS_PER_MS);
	for (unsigned ttl = 1; ttl <= 5; ttl++)
		assert_int_equal(cycles.hops[ttl].sent, 4);
}

struct seen {
	unsigned sent, new_responders, answers;
};

static void observe(void *context, const struct cycles_event *event)
{
	struct seen *seen = context;
	if (event->kind == CYCLES_SENT) {
		assert_int_equal(event->number, seen->sent);
		seen->sent++;
	} else if (event->kind == CYCLES_NEW_RESPONDER) {
		seen->new_responders++;
	} else {
		assert_int_equal(event->rtt_ns, 20 * NS_PER_MS);
		seen->answers++;
	}
}

static void test_events(void **state)
{
	(void)state;
	struct seen seen = {0};
	struct chain chain = {.family = 4, .hops = 4, .rtt_ns = 20 * NS_PER_MS, .silent = 2};
	struct cycles_config config = usual();
	run(&config, &chain, observe, &seen);
	/* One more in the first cycle: the destination was not known yet when the next probe was due. */
	assert_int_equal(seen.sent, 13);
	assert_int_equal(seen.new_responders, 4);
	assert_int_equal(seen.answers, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_hop_once_a_cycle),
		cmocka_unit_test(test_far_destination_overshoots_once),
		cmocka_unit_test(test_black_hole),
		cmocka_unit_test(test_refusal_is_the_last_hop),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_events),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	cycles_deinit(&cycles);
	return failed;
}
