/* Loss and delay of each direction from test packets: what the sender finds is compared with what the network did. */
#include "stamp_net.h"

#define assert_near(value, expected, tolerance)                                                              \
	assert_true((value) >= (expected) - (tolerance) && (value) <= (expected) + (tolerance))

static void test_nothing_lost(void **state)
{
	(void)state;
	struct net net;
	net_init(&net);
	struct directions d = run(&net);
	assert_int_equal(d.status, DIRECTIONS_APART);
	assert_int_equal(d.sent, 100);
	assert_int_equal(net.packets[THERE], 100);
	assert_int_equal(d.received, 100);
	assert_int_equal(d.forward.sent, 100);
	assert_int_equal(d.forward.lost + d.reverse.lost + d.undecided + d.duplicates, 0);
	assert_int_equal(d.forward.reordered + d.reverse.reordered, 0);
	assert_int_equal(d.ttl, 250);
	/* 10 there, 20 back; the 3 that the reflector took are its own. */
	assert_near(d.rtt.min_ns, 30 * NS_PER_MS, 1000);
	assert_near(d.rtt.max_ns, 30 * NS_PER_MS, 1000);
	assert_near(d.residence_ns, 3 * NS_PER_MS, 1000);
	assert_near(d.forward.variation_max_ns, 0, 1000);
	assert_int_equal(d.forward.delay.median_ns, RTT_NONE); /* the clocks are not said to be right */
	net_deinit(&net);
}

/* Every loss is found, on its way, and nothing else. The closing packets are part of neither. */
static void check_loss(double there, double back, unsigned seeds)
{
	for (unsigned seed = 1; seed <= seeds; seed++) {
		struct net net;
		net_init(&net);
		net.rng = rng_seed(seed);
		net.config.asks = 20;
		net.config.count = 300;
		net.loss[THERE] = there;
		net.loss[BACK] = back;
		struct directions d = run(&net);
		unsigned closers = net.packets[THERE] - 300;
		assert_int_equal(d.sent, 300);
		assert_int_equal(d.forward.sent + d.undecided, 300);
		assert_int_equal(d.forward.lost + d.reverse.lost + d.undecided + d.received, 300);
		assert_true(closers <= 4);
		if (closers == 0) {
			assert_int_equal(d.undecided, 0);
			assert_int_equal(d.forward.lost, net.lost[THERE]);
			assert_int_equal(d.reverse.lost, net.lost[BACK]);
		} else {
			assert_true(d.forward.lost <= net.lost[THERE]);
			assert_true(d.reverse.lost <= net.lost[BACK]);
			assert_true(net.lost[THERE] + net.lost[BACK] - d.forward.lost - d.reverse.lost <=
				closers + d.undecided);
		}
		if (there == 0)
			assert_int_equal(d.forward.lost, 0);
		if (back == 0)
			assert_int_equal(d.reverse.lost, 0);
		assert_int_equal(d.forward.reordered + d.reverse.reordered, 0);
		net_deinit(&net);
	}
}

static void test_loss_there(void **state)
{
	(void)state;
	check_loss(0.1, 0, 40);
}

static void test_loss_back(void **state)
{
	(void)state;
	check_loss(0, 0.1, 40);
}

static void test_loss_both(void **state)
{
	(void)state;
	check_loss(0.02, 0.3, 40);
	check_loss(0.5, 0.2, 40);
}

/* Jitter on one way shows on that way alone, whatever the clocks say. */
static void test_jitter(void **state)
{
	(void)state;
	static const struct {
		double offset_s, drift;
	} clocks[] = {{0, 0}, {-3.5, 0}, {4e8, 0}, {0.2, 80e-6}, {-9, -200e-6}};
	for (size_t i = 0; i < ARRAY_LEN(clocks); i++)
		for (int way = THERE; way <= BACK; way++) {
			struct net net;
			net_init(&net);
			net.offset_s = clocks[i].offset_s;
			net.drift = clocks[i].drift;
			net.config.count = 600;
			net.jitter_ns[way] = 8 * NS_PER_MS;
			struct directions d = run(&net);
			const struct way *noisy = way == THERE ? &d.forward : &d.reverse;
			const struct way *calm = way == THERE ? &d.reverse : &d.forward;
			/* Uniform in 0..8: median 4, 95 % below 7.6, mean difference of two 8/3. */
			assert_near(noisy->variation_median_ns, 4 * NS_PER_MS, NS_PER_MS / 2);
			assert_near(noisy->variation_p95_ns, 76 * NS_PER_MS / 10, NS_PER_MS / 2);
			assert_near(noisy->variation_max_ns, 8 * NS_PER_MS, NS_PER_MS / 2);
			assert_near(noisy->jitter_ns, 8 * NS_PER_MS / 3, NS_PER_MS / 2);
			assert_near(calm->variation_max_ns, 0, 20 * NS_PER_US);
			assert_near(calm->jitter_ns, 0, 20 * NS_PER_US);
			assert_true(d.drift_known);
			assert_near(d.drift, clocks[i].drift, 1e-6);
			assert_near(d.rtt.min_ns, 30 * NS_PER_MS, NS_PER_MS);
			net_deinit(&net);
		}
}

static void test_one_way_delay(void **state)
{
	(void)state;
	struct net net;
	net_init(&net);
	net.config.synchronised = true;
	net.config.clock_error_ns = 2 * NS_PER_MS;
	net.offset_s = 0.001;
	reflector_set_clock(net.reflector, true, 3 * NS_PER_MS);
	struct directions d = run(&net);
	assert_true(d.synchronised);
	assert_near(d.clock_error_ns, 5 * NS_PER_MS, NS_PER_MS / 10);
	/* The truth lies within the error. */
	assert_near(d.forward.delay.median_ns, 11 * NS_PER_MS, 1000);
	assert_near(d.reverse.delay.median_ns, 19 * NS_PER_MS, 1000);
	net_deinit(&net);

	/* Clocks that are said to be right, and cannot be: delays below zero are not delays. */
	net_init(&net);
	net.config.synchronised = true;
	net.offset_s = -1;
	reflector_set_clock(net.reflector, true, NS_PER_MS);
	d = run(&net);
	assert_true(d.contradicted);
	assert_int_equal(d.forward.delay.median_ns, RTT_NONE);
	assert_int_equal(d.reverse.delay.median_ns, RTT_NONE);
	net_deinit(&net);
}

static void test_reordering(void **state)
{
	(void)state;
	for (int way = THERE; way <= BACK; way++) {
		struct net net;
		net_init(&net);
		net.config.interval_ns = 10 * NS_PER_MS;
		net.config.count = 500;
		net.jitter_ns[way] = 15 * NS_PER_MS;
		struct directions d = run(&net);
		const struct way *mixed = way == THERE ? &d.forward : &d.reverse;
		const struct way *calm = way == THERE ? &d.reverse : &d.forward;
		assert_true(net.reordered[way] > 10);
		assert_int_equal(mixed->reordered, net.reordered[way]);
		assert_int_equal(calm->reordered, 0);
		assert_int_equal(d.forward.lost + d.reverse.lost + d.undecided, 0);
		net_deinit(&net);
	}
}

/* With loss and reordering at once a packet may be counted on the wrong way for a moment, but not in the end. */
static void test_reordering_and_loss(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++) {
		struct net net;
		net_init(&net);
		net.rng = rng_seed(seed);
		net.config.interval_ns = 10 * NS_PER_MS;
		net.config.count = 1000;
		net.config.asks = 20;
		net.jitter_ns[THERE] = net.jitter_ns[BACK] = 12 * NS_PER_MS;
		net.loss[THERE] = 0.05;
		net.loss[BACK] = 0.02;
		struct directions d = run(&net);
		assert_near((int)d.forward.lost, (int)net.lost[THERE], 4);
		assert_near((int)d.reverse.lost, (int)net.lost[BACK], 4);
		net_deinit(&net);
	}
}

static void test_duplicates(void **state)
{
	(void)state;
	for (int way = THERE; way <= BACK; way++) {
		struct net net;
		net_init(&net);
		net.twice[way] = 0.2;
		struct directions d = run(&net);
		assert_in_range(d.duplicates, 5, 40);
		assert_int_equal(d.received, 100);
		assert_int_equal(d.forward.lost + d.reverse.lost, 0);
		net_deinit(&net);
	}
}

/* A reflector without a count: what is lost is lost, nobody knows where. */
static void test_mirror(void **state)
{
	(void)state;
	struct net net;
	net_init(&net);
	net.mirrors = true;
	net.loss[THERE] = 0.2;
	struct directions d = run(&net);
	assert_int_equal(d.status, DIRECTIONS_ROUND_TRIP);
	assert_in_range(net.lost[THERE] - (d.sent - d.received), 0, net.packets[THERE] - 100);
	net_deinit(&net);
}

static void test_silence(void **state)
{
	(void)state;
	struct net net;
	net_init(&net);
	net.silent = true;
	struct directions d = run(&net);
	assert_int_equal(d.status, DIRECTIONS_SILENT);
	assert_int_equal(net.packets[THERE], 1); /* asked once, and not again */
	net_deinit(&net);

	/* One that sleeps then asks again when it is told to, and goes on with that. */
	net_init(&net);
	net.config.dormant = true;
	static struct outgoing outgoing;
	int64_t wake_ns = 0;
	stamp_init(net.stamp, &net.config);
	struct machine machine = stamp_machine(net.stamp);
	assert_int_equal(machine.ops->next(machine.self, net.now_ns, &outgoing, &wake_ns), MACHINE_SEND);
	net.now_ns += 3 * NS_PER_S;
	assert_int_equal(machine.ops->next(machine.self, net.now_ns, &outgoing, &wake_ns), MACHINE_WAIT);
	assert_int_equal(wake_ns, TIME_NEVER);
	assert_int_equal(stamp_directions(net.stamp).status, DIRECTIONS_SILENT);
	stamp_ask_again(net.stamp);
	assert_int_equal(machine.ops->next(machine.self, net.now_ns, &outgoing, &wake_ns), MACHINE_SEND);
	assert_int_equal(machine.ops->next(machine.self, net.now_ns, &outgoing, &wake_ns), MACHINE_WAIT);
	assert_int_equal(stamp_directions(net.stamp).status, DIRECTIONS_ASKED);
	stamp_stop(net.stamp);
	net.now_ns += 3 * NS_PER_S;
	assert_int_equal(machine.ops->next(machine.self, net.now_ns, &outgoing, &wake_ns), MACHINE_DONE);
	net_deinit(&net);

	net_init(&net);
	net.refuses = true;
	net.config.asks = 3;
	d = run(&net);
	assert_int_equal(d.status, DIRECTIONS_REFUSED);
	assert_int_equal(net.packets[THERE], 1);
	net_deinit(&net);
}

/* The far end dies: from then on nobody knows where packets are lost. */
static void test_death(void **state)
{
	(void)state;
	struct net net;
	net_init(&net);
	net.dies_ns = START_NS + 5 * NS_PER_S;
	struct directions d = run(&net);
	assert_int_equal(d.sent, 100);
	assert_int_equal(d.forward.lost + d.reverse.lost, 0);
	assert_int_equal(d.undecided, 100 - d.received);
	assert_in_range(d.received, 40, 60);
	net_deinit(&net);
}

static void test_restart(void **state)
{
	(void)state;
	struct net net;
	net_init(&net);
	net.restarts_ns = START_NS + 5 * NS_PER_S;
	net.loss[BACK] = 0.1;
	net.config.asks = 9;
	struct directions d = run(&net);
	assert_int_equal(d.restarts, 1);
	assert_int_equal(d.forward.lost, 0);
	assert_near((int)(d.reverse.lost + d.undecided), (int)net.lost[BACK], 4);
	assert_true(d.undecided <= 4);
	net_deinit(&net);
}

/* Somebody who has not seen our packets guesses. */
static void wrong_session(struct net *net, struct stamp_answer *answer)
{
	(void)net;
	answer->session ^= 1;
}

static void wrong_time(struct net *net, struct stamp_answer *answer)
{
	(void)net;
	answer->question.sent ^= 1;
}

static void wrong_number(struct net *net, struct stamp_answer *answer)
{
	(void)net;
	answer->question.sequence += 2;
}

static void no_session(struct net *net, struct stamp_answer *answer)
{
	(void)net;
	answer->session = 0; /* RFC 8762 alone: must be zero */
}

static void test_forgeries(void **state)
{
	(void)state;
	void (*const forgeries[])(struct net *, struct stamp_answer *) = {wrong_session, wrong_time, wrong_number};
	for (size_t i = 0; i < ARRAY_LEN(forgeries); i++) {
		struct net net;
		net_init(&net);
		net.meddle = forgeries[i];
		struct directions d = run(&net);
		assert_int_equal(d.status, DIRECTIONS_SILENT);
		net_deinit(&net);
	}
	struct net net;
	net_init(&net);
	net.meddle = no_session;
	assert_int_equal(run(&net).received, 100);
	net_deinit(&net);
}

/* Questions that never left are nobody's loss. */
static void test_send_errors(void **state)
{
	(void)state;
	struct net net;
	net_init(&net);
	static struct outgoing outgoing;
	int64_t wake_ns;
	stamp_init(net.stamp, &net.config);
	struct machine machine = stamp_machine(net.stamp);
	assert_int_equal(machine.ops->next(machine.self, net.now_ns, &outgoing, &wake_ns), MACHINE_SEND);
	machine.ops->sent(machine.self, outgoing.token, net.now_ns, -101);
	struct directions d = stamp_directions(net.stamp);
	assert_int_equal(d.send_errors, 1);
	assert_int_equal(d.forward.lost + d.undecided + d.sent, 0);
	net_deinit(&net);
}

static void stop_at(void *context, const struct stamp_sample *sample)
{
	if (sample->place == 9)
		stamp_stop(context);
}

static void test_stop(void **state)
{
	(void)state;
	struct net net;
	net_init(&net);
	net.config.count = 0;
	/* run() initialises the sender: a second one is driven by hand below. */
	static struct outgoing outgoing;
	int64_t wake_ns = 0;
	stamp_init(net.stamp, &net.config);
	stamp_observe(net.stamp, stop_at, net.stamp);
	struct machine machine = stamp_machine(net.stamp);
	enum machine_want want;
	while ((want = machine.ops->next(machine.self, net.now_ns, &outgoing, &wake_ns)) != MACHINE_DONE) {
		if (want == MACHINE_SEND) {
			fly(&net, THERE, outgoing.bytes, outgoing.length);
			machine.ops->sent(machine.self, outgoing.token, net.now_ns, 0);
			continue;
		}
		unsigned next = soonest(&net);
		bool packet_first = net.flying_count > 0 && net.flying[next].at_ns <= wake_ns;
		net.now_ns = packet_first ? net.flying[next].at_ns : wake_ns;
		if (packet_first)
			arrive(&net, next);
	}
	assert_int_equal(stamp_directions(net.stamp).received, 10);
	net_deinit(&net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_lost),
		cmocka_unit_test(test_loss_there),
		cmocka_unit_test(test_loss_back),
		cmocka_unit_test(test_loss_both),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_one_way_delay),
		cmocka_unit_test(test_reordering),
		cmocka_unit_test(test_reordering_and_loss),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_mirror),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_death),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_forgeries),
		cmocka_unit_test(test_send_errors),
		cmocka_unit_test(test_stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
