/* The forward strategy on a chain of routers in virtual time: what it finds, what it costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "trace/forward.h"

#define IN_FLIGHT_MAX 1000

/* A chain: routers 1..hops-1, the destination at `hops`. */
struct chain {
	uint8_t family;
	unsigned hops;
	int64_t rtt_ns;        /* to every hop (the delay sits in the first link) */
	unsigned silent;       /* this router answers nothing */
	unsigned black_hole;   /* this router swallows what it should forward */
	unsigned refuses;      /* this router says host unreachable for what it should forward */
	unsigned loops_from;   /* from here packets run between two routers */
	unsigned refusals;     /* that it gives at all, 0 = no limit */
	unsigned answers_each; /* replies a router gives at all, 0 = no limit */
	bool target_silent_to_ttl; /* the destination answers only packets with plenty of TTL left */
	unsigned given[256];
	unsigned packets;
	struct {
		int64_t at_ns;
		size_t length;
		uint8_t bytes[1500];
	} flying[IN_FLIGHT_MAX];
	size_t flying_count;
};

static struct addr router_addr(const struct chain *chain, unsigned n)
{
	return chain->family == 4 ? addr_v4(0xcb007100 + n) : addr_v6(0x20010db800ff0000, n);
}

static const struct addr source4 = {.low = 0xc0000201, .family = 4}, target4 = {.low = 0xc6336401, .family = 4};
static const struct addr source6 = {.high = 0x20010db800000000, .low = 1, .family = 6};
static const struct addr target6 = {.high = 0x20010db800010000, .low = 1, .family = 6};

static void fly(struct chain *chain, int64_t at_ns, const struct packet_spec *spec)
{
	assert_true(chain->flying_count < IN_FLIGHT_MAX);
	struct writer writer = writer_init(chain->flying[chain->flying_count].bytes, sizeof(chain->flying[0].bytes));
	assert_int_equal(packet_write(&writer, spec), 0);
	chain->flying[chain->flying_count].length = writer.length;
	chain->flying[chain->flying_count++].at_ns = at_ns;
}

static void answer_error(struct chain *chain, int64_t at_ns, const struct outgoing *probe, struct addr from,
	uint8_t ttl_left, uint8_t type, uint8_t code)
{
	uint8_t quote[OUTGOING_SIZE_MAX];
	memcpy(quote, probe->bytes, probe->length);
	quote[chain->family == 4 ? 8 : 7] = ttl_left;
	struct packet_spec spec = {
		.ip = {.source = from, .destination = chain->family == 4 ? source4 : source6, .ttl = 64,
			.protocol = chain->family == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6, .id = 1},
		.transport = {.icmp_type = type, .icmp_code = code, .payload = quote, .payload_length = probe->length},
	};
	fly(chain, at_ns, &spec);
}

static void answer_echo(struct chain *chain, int64_t at_ns, const struct packet *p)
{
	struct packet_spec spec = {
		.ip = {.source = p->ip.destination, .destination = p->ip.source, .ttl = (uint8_t)(64 - chain->hops + 1),
			.protocol = p->ip.protocol, .id = 1},
		.transport = p->transport,
	};
	spec.transport.icmp_type = chain->family == 4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY;
	fly(chain, at_ns, &spec);
}

static bool is_spent(struct chain *chain, unsigned hop)
{
	return chain->answers_each && ++chain->given[hop] > chain->answers_each;
}

static void chain_send(struct chain *chain, int64_t now_ns, const struct outgoing *probe)
{
	struct packet p;
	int64_t at_ns = now_ns + chain->rtt_ns;
	bool v4 = chain->family == 4;
	assert_int_equal(packet_read(probe->bytes, probe->length, &p), 0);
	chain->packets++;
	unsigned ttl = p.ip.ttl;
	unsigned end = chain->black_hole ? chain->black_hole : chain->hops;
	if (chain->loops_from && ttl >= chain->loops_from) {
		answer_error(chain, at_ns, probe, router_addr(chain, chain->loops_from + ttl % 2), 1,
			v4 ? ICMP4_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED, 0);
	} else if (chain->refuses && ttl > chain->refuses - 1) {
		if ((!chain->refusals || chain->given[chain->refuses]++ < chain->refusals) &&
			!is_spent(chain, chain->refuses))
			answer_error(chain, at_ns, probe, router_addr(chain, chain->refuses),
				(uint8_t)(ttl - chain->refuses + 1), v4 ? 3 : 1, v4 ? 1 : 3);
	} else if (ttl < chain->hops && ttl <= end) {
		if (ttl != chain->silent && !is_spent(chain, ttl))
			answer_error(chain, at_ns, probe, router_addr(chain, ttl), 1,
				v4 ? ICMP4_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED, 0);
	} else if (ttl >= chain->hops && !chain->black_hole) {
		uint8_t left = (uint8_t)(ttl - chain->hops + 1);
		if (chain->target_silent_to_ttl && left < 10)
			return;
		if (p.ip.protocol == PROTOCOL_UDP)
			answer_error(chain, at_ns, probe, v4 ? target4 : target6, left, v4 ? 3 : 1, v4 ? 3 : 4);
		else
			answer_echo(chain, at_ns, &p);
	}
}

/* Deliver everything that arrives at the earliest moment before `until_ns`; returns the new time. */
static int64_t deliver(struct chain *chain, struct machine machine, int64_t until_ns)
{
	for (size_t i = 0; i < chain->flying_count; i++)
		until_ns = MIN(until_ns, chain->flying[i].at_ns);
	size_t kept = 0;
	for (size_t i = 0; i < chain->flying_count; i++) {
		struct packet packet;
		if (chain->flying[i].at_ns > until_ns) {
			chain->flying[kept++] = chain->flying[i];
			continue;
		}
		assert_int_equal(packet_read(chain->flying[i].bytes, chain->flying[i].length, &packet), 0);
		machine.ops->packet(machine.self, until_ns, &packet);
	}
	chain->flying_count = kept;
	return until_ns;
}

static struct trace trace;

/* Run to the end; returns the virtual duration. */
static int64_t run(struct chain *chain, enum probe_protocol protocol)
{
	struct trace_config config = trace_defaults();
	config.protocol = protocol;
	config.source = chain->family == 4 ? source4 : source6;
	config.destination = chain->family == 4 ? target4 : target6;
	config.flow = (struct flow){.source_port = 50000, .destination_port = 33434, .icmp_id = 7, .icmp_checksum = 0x1234};
	config.key = (struct hash_key){3, 4};
	trace_deinit(&trace);
	trace_init(&trace, &config);
	struct machine machine = trace_machine(&trace);
	int64_t now_ns = NS_PER_S, wake_ns = 0;
	struct outgoing outgoing;
	for (int step = 0; step < 100000; step++) {
		enum machine_want want = machine.ops->next(machine.self, now_ns, &outgoing, &wake_ns);
		if (want == MACHINE_DONE)
			return now_ns - NS_PER_S;
		if (want == MACHINE_SEND) {
			machine.ops->sent(machine.self, outgoing.token, now_ns, 0);
			chain_send(chain, now_ns, &outgoing);
		} else {
			assert_true(wake_ns > now_ns);
			now_ns = deliver(chain, machine, wake_ns);
		}
	}
	fail_msg("the trace does not end");
	return 0;
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
	struct chain chain = {.family = 4, .hops = 200, .rtt_ns = 20 * NS_PER_MS, .black_hole = 1, .silent = 1};
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
		struct chain chain = {.family = family, .hops = 10, .rtt_ns = 20 * NS_PER_MS, .refuses = 9,
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
	for (int i = 0; (want = machine.ops->next(machine.self, now_ns, &outgoing, &wake_ns)) != MACHINE_DONE; i++) {
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
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_sends_that_fail_end_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
