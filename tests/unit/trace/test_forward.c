/* The forward strategy on a chain of routers in virtual time: what it finds, what it costs. */
#include "chain.h"

#include <stdlib.h>

#include "trace/forward.h"

static struct trace trace;

static struct trace_config config_of(const struct chain *chain, enum probe_protocol protocol)
{
	struct trace_config config = trace_defaults();
	config.protocol = protocol;
	config.source = chain->family == 4 ? source4 : source6;
	config.destination = chain->family == 4 ? target4 : target6;
	config.flow = (struct flow){
		.source_port = 50000, .destination_port = 33434, .icmp_id = 7, .icmp_checksum = 0x1234};
	config.key = (struct hash_key){3, 4};
	return config;
}

static int64_t run_with(struct chain *chain, const struct trace_config *config)
{
	trace_deinit(&trace);
	trace_init(&trace, config);
	return chain_run(chain, trace_machine(&trace));
}

static int64_t run(struct chain *chain, enum probe_protocol protocol)
{
	struct trace_config config = config_of(chain, protocol);
	return run_with(chain, &config);
}

static struct path *path_of(void)
{
	struct path *path = trace_path(&trace, 0, 0);
	assert_non_null(path);
	return path;
}

/* Every hop but `except` is the chain's own. */
static void assert_hops(const struct chain *chain, const struct path *path, unsigned count, unsigned except)
{
	assert_int_equal(path->hop_count, count);
	for (unsigned ttl = 1; ttl <= count; ttl++) {
		const struct hop *hop = &path->hops[ttl - 1];
		struct addr truth = ttl == chain->hops ? path->destination : router_addr(chain, ttl);
		assert_int_equal(hop->ttl, ttl);
		if (ttl == except)
			assert_false(addr_is_set(hop->address));
		else
			assert_true(addr_equal(hop->address, truth));
	}
}

static void test_healthy(void **state)
{
	(void)state;
	for (uint8_t family = 4; family <= 6; family += 2)
		for (int icmp = 0; icmp < 2; icmp++) {
			struct chain chain = {.family = family, .hops = 10, .rtt_ns = 20 * NS_PER_MS};
			int64_t took_ns = run(&chain, icmp ? PROBE_ICMP : PROBE_UDP);
			struct path *path = path_of();
			assert_hops(&chain, path, 10, 0);
			assert_true(path->reached);
			assert_int_equal(path->stop_reason, STOP_REACHED);
			for (size_t i = 0; i < 10; i++)
				assert_int_equal(path->hops[i].received, 3);
			assert_int_equal(path->hops[4].rtt_min_ns, 20 * NS_PER_MS);
			assert_in_range(chain.packets, 30, 33);
			assert_true(took_ns <= (icmp ? 65 : 50) * NS_PER_MS);
			path_free(path);
		}
}

static void test_short_path_does_not_overshoot_much(void **state)
{
	(void)state;
	struct chain chain = {.family = 4, .hops = 1, .rtt_ns = NS_PER_MS};
	run(&chain, PROBE_UDP);
	struct path *path = path_of();
	assert_hops(&chain, path, 1, 0);
	assert_true(chain.packets <= 9);
	path_free(path);
}

static void test_silent_hop(void **state)
{
	(void)state;
	struct chain chain = {.family = 4, .hops = 10, .rtt_ns = 20 * NS_PER_MS, .silent = 5};
	int64_t took_ns = run(&chain, PROBE_UDP);
	struct path *path = path_of();
	assert_hops(&chain, path, 10, 5);
	assert_true(path->reached);
	assert_in_range(path->hops[4].sent, 3, 5);
	assert_int_equal(path->hops[4].received, 0);
	assert_true(took_ns <= 250 * NS_PER_MS);
	path_free(path);
}

static void test_black_hole(void **state)
{
	(void)state;
	struct chain chain = {.family = 4, .hops = 10, .rtt_ns = 20 * NS_PER_MS, .black_hole = 8};
	int64_t took_ns = run(&chain, PROBE_UDP);
	struct path *path = path_of();
	assert_false(path->reached);
	assert_int_equal(path->stop_reason, STOP_GAP_LIMIT);
	assert_true(path->hop_count > 8);
	assert_true(addr_equal(path->hops[7].address, router_addr(&chain, 8)));
	assert_false(addr_is_set(path->hops[8].address));
	assert_true(took_ns <= 2 * NS_PER_S);
	assert_true(chain.packets <= 60);
	path_free(path);
}

static void test_nothing_answers(void **state)
{
	(void)state;
	struct chain chain = {
		.family = 4, .hops = 200, .rtt_ns = 20 * NS_PER_MS, .black_hole = 1, .silent = 1};
	run(&chain, PROBE_UDP);
	struct path *path = path_of();
	assert_false(path->reached);
	assert_int_equal(path->replies_received, 0);
	assert_int_equal(path->stop_reason, STOP_GAP_LIMIT);
	path_free(path);
}

/* Linux gives one or two of three marks: the mark must be there, and no time may be lost for the others. */
static void test_refused(void **state)
{
	(void)state;
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct chain chain = {.family = family,
			.hops = 10,
			.rtt_ns = 20 * NS_PER_MS,
			.refuses = 9,
			.answers_each = 3};
		int64_t took_ns = run(&chain, PROBE_UDP);
		struct path *path = path_of();
		assert_int_equal(path->hop_count, 9);
		assert_int_equal(path->stop_reason, STOP_UNREACHABLE);
		assert_string_equal(path->hops[8].probes[0].mark, "!H");
		assert_true(took_ns <= 80 * NS_PER_MS);
		path_free(path);
	}
}

/* The only mark that comes at all comes for the distance probe. */
static void test_refused_once(void **state)
{
	(void)state;
	struct chain chain = {.family = 4, .hops = 10, .rtt_ns = NS_PER_MS, .refuses = 9, .refusals = 1};
	run(&chain, PROBE_UDP);
	struct path *path = path_of();
	assert_int_equal(path->stop_reason, STOP_UNREACHABLE);
	assert_int_equal(path->hop_count, 9);
	const struct hop *last = &path->hops[8];
	assert_true(addr_equal(last->address, router_addr(&chain, 9)));
	assert_string_equal(last->probes[last->probe_count - 1].mark, "!H");
	path_free(path);
}

static void test_loop(void **state)
{
	(void)state;
	struct chain chain = {.family = 4, .hops = 100, .rtt_ns = NS_PER_MS, .loops_from = 4};
	run(&chain, PROBE_UDP);
	struct path *path = path_of();
	assert_int_equal(path->stop_reason, STOP_LOOP);
	assert_false(path->reached);
	assert_true(chain.packets < 60);
	path_free(path);
}

/* Every router answers twice and then no more: asked again once, after a pause, and never waited for long. */
static void test_limited_replies(void **state)
{
	(void)state;
	struct chain chain = {.family = 4, .hops = 6, .rtt_ns = 10 * NS_PER_MS, .answers_each = 2};
	int64_t took_ns = run(&chain, PROBE_UDP);
	struct path *path = path_of();
	assert_hops(&chain, path, 6, 0);
	assert_int_equal(path->hops[2].sent, 4);
	assert_int_equal(path->hops[2].received, 2);
	assert_true(path->hops[2].probes[3].sent_ns - path->hops[2].probes[2].sent_ns > NS_PER_S);
	assert_true(took_ns < 1500 * NS_PER_MS);
	path_free(path);
}

static void test_target_that_answers_only_the_distance_probe(void **state)
{
	(void)state;
	struct chain chain = {.family = 4, .hops = 9, .rtt_ns = 10 * NS_PER_MS, .target_silent_to_ttl = true};
	run(&chain, PROBE_UDP);
	struct path *path = path_of();
	assert_true(path->reached);
	assert_hops(&chain, path, 9, 0);
	path_free(path);
}

/* Interrupted before anything came back: still a path, and it says so. */
static void test_interrupted(void **state)
{
	(void)state;
	struct outgoing outgoing;
	int64_t wake_ns;
	struct chain chain = {.family = 4, .hops = 9};
	struct trace_config config = trace_defaults();
	config.source = source4;
	config.destination = target4;
	trace_deinit(&trace);
	trace_init(&trace, &config);
	struct machine machine = trace_machine(&trace);
	for (int i = 0; i < 4; i++)
		assert_int_equal(machine.ops->next(machine.self, 5, &outgoing, &wake_ns), MACHINE_SEND);
	struct path *path = trace_path(&trace, 0, 9);
	assert_int_equal(path->stop_reason, STOP_INTERRUPTED);
	assert_int_equal(path->hop_count, 3);
	assert_int_equal(path->duration_ns, 4);
	path_free(path);
	(void)chain;
}

static void test_sends_that_fail_end_it(void **state)
{
	(void)state;
	struct outgoing outgoing;
	int64_t wake_ns, now_ns = 1;
	struct trace_config config = trace_defaults();
	config.source = source4;
	config.destination = target4;
	trace_deinit(&trace);
	trace_init(&trace, &config);
	struct machine machine = trace_machine(&trace);
	enum machine_want want;
	for (int i = 0; (want = machine.ops->next(machine.self, now_ns, &outgoing, &wake_ns)) != MACHINE_DONE;
		i++) {
		assert_true(i < 1000);
		if (want == MACHINE_SEND)
			machine.ops->sent(machine.self, outgoing.token, now_ns, -100);
		else
			now_ns = wake_ns;
	}
	assert_int_equal(trace.send_error, -100);
	struct path *path = path_of();
	assert_int_equal(path->stop_reason, STOP_INTERRUPTED);
	path_free(path);
}

/* TCP: the destination says yes; the way there is as with other protocols. */
static void test_tcp(void **state)
{
	(void)state;
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct chain chain = {.family = family, .hops = 10, .rtt_ns = 20 * NS_PER_MS};
		run(&chain, PROBE_TCP);
		struct path *path = path_of();
		assert_hops(&chain, path, 10, 0);
		assert_true(path->reached);
		assert_int_equal(path->hops[9].probes[0].tcp_flags, TCP_SYN | TCP_ACK);
		assert_int_equal(path->hops[9].probes[0].icmp_type, -1);
		assert_in_range(chain.packets, 30, 33);
		path_free(path);
	}
}

/* What a listening port does not answer while it waits for the rest of a connection was not lost. */
static void test_tcp_half_open(void **state)
{
	(void)state;
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct chain chain = {.family = family, .hops = 10, .rtt_ns = 20 * NS_PER_MS, .half_open = true};
		int64_t took_ns = run(&chain, PROBE_TCP);
		struct path *path = path_of();
		assert_hops(&chain, path, 10, 0);
		assert_true(path->reached);
		for (size_t i = 0; i < 10; i++) {
			assert_int_equal(path->hops[i].sent, 3);
			assert_int_equal(path->hops[i].received, 3);
		}
		assert_true(took_ns <= 130 * NS_PER_MS);
		path_free(path);
	}
}

/* -N: so many unanswered at once, and still everything is found. */
static void test_simultaneous(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 5; n += 2) {
		struct chain chain = {.family = 4, .hops = 10, .rtt_ns = 20 * NS_PER_MS};
		struct trace_config config = config_of(&chain, PROBE_UDP);
		config.simultaneous = n;
		int64_t took_ns = run_with(&chain, &config);
		struct path *path = path_of();
		assert_hops(&chain, path, 10, 0);
		assert_int_equal(chain.waiting_max, n);
		assert_true(took_ns >= 30 / n * 20 * NS_PER_MS);
		path_free(path);
	}
}

static void test_simultaneous_over_silence(void **state)
{
	(void)state;
	struct chain chain = {.family = 4, .hops = 10, .rtt_ns = 20 * NS_PER_MS, .silent = 5};
	struct trace_config config = config_of(&chain, PROBE_UDP);
	config.simultaneous = 1;
	run_with(&chain, &config);
	struct path *path = path_of();
	assert_hops(&chain, path, 10, 5);
	/* The chain counts those that are never answered for ever; beside them there is one. */
	assert_in_range(chain.waiting_max, path->hops[4].sent, path->hops[4].sent + 1);
	path_free(path);
}

/* -z: never less between two packets. */
static void test_pause(void **state)
{
	(void)state;
	struct chain chain = {.family = 4, .hops = 5, .rtt_ns = NS_PER_MS};
	struct trace_config config = config_of(&chain, PROBE_UDP);
	config.pause_ns = 30 * NS_PER_MS;
	run_with(&chain, &config);
	struct path *path = path_of();
	assert_hops(&chain, path, 5, 0);
	assert_int_equal(chain.pause_min_ns, 30 * NS_PER_MS);
	path_free(path);
}

/* -w MAX: nobody is waited for longer; with little patience for late answers the rest is still measured. */
static void test_wait(void **state)
{
	(void)state;
	struct chain dead = {
		.family = 4, .hops = 200, .rtt_ns = 20 * NS_PER_MS, .black_hole = 1, .silent = 1};
	struct trace_config config = config_of(&dead, PROBE_UDP);
	int64_t usual_ns = run_with(&dead, &config);
	config.wait_max_ns = 100 * NS_PER_MS;
	int64_t short_ns = run_with(&dead, &config);
	config.wait_max_ns = 3 * NS_PER_S;
	int64_t long_ns = run_with(&dead, &config);
	assert_true(short_ns < usual_ns && usual_ns < long_ns);
	assert_true(short_ns <= 6 * 100 * NS_PER_MS);
	struct chain hole = {.family = 4, .hops = 10, .rtt_ns = 20 * NS_PER_MS, .black_hole = 4};
	long_ns = run_with(&hole, &config);
	assert_true(long_ns >= 3 * NS_PER_S); /* the verdict waits as long as the user wants */
}

/* --classic-port: every probe a port of its own, one more each, which the result tells. */
static void test_classic_port(void **state)
{
	(void)state;
	struct chain chain = {.family = 4, .hops = 5, .rtt_ns = NS_PER_MS};
	struct trace_config config = config_of(&chain, PROBE_UDP);
	bool seen[64] = {false};
	config.classic_port = true;
	run_with(&chain, &config);
	struct path *path = path_of();
	assert_hops(&chain, path, 5, 0);
	for (size_t i = 0; i < path->hop_count; i++)
		for (size_t j = 0; j < path->hops[i].probe_count; j++) {
			unsigned port = path->hops[i].probes[j].destination_port;
			assert_in_range(port, 33434, 33434 + chain.packets - 1);
			assert_false(seen[port - 33434]);
			seen[port - 33434] = true;
		}
	path_free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_healthy),
		cmocka_unit_test(test_short_path_does_not_overshoot_much),
		cmocka_unit_test(test_silent_hop),
		cmocka_unit_test(test_black_hole),
		cmocka_unit_test(test_nothing_answers),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_refused_once),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_limited_replies),
		cmocka_unit_test(test_target_that_answers_only_the_distance_probe),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_tcp_half_open),
		cmocka_unit_test(test_simultaneous),
		cmocka_unit_test(test_simultaneous_over_silence),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_classic_port),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_sends_that_fail_end_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
