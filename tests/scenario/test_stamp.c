/* A sender and a reflector, with a network between them that loses, delays, repeats and reorders what the test says,
 * and clocks that are wrong. What the sender finds is compared with what the network did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "packet/stamp.h"
#include "serve/reflector.h"
#include "trace/stamp.h"

#define WALL_NS	   (1795000000 * NS_PER_S)
#define START_NS   (5000 * NS_PER_S)
#define FLYING_MAX 64
#define PORT	   40000

enum { THERE, BACK };

static const struct addr near = {.low = 0xc0000201, .family = 4}, far = {.low = 0xc6336401, .family = 4};

struct flying {
	int64_t at_ns;
	int way;
	size_t length;
	uint8_t bytes[300];
};

struct net {
	struct stamp_config config;
	struct stamp *stamp;
	struct reflector *reflector;
	struct rng rng;
	/* What it does. */
	double loss[2], twice[2];
	int64_t delay_ns[2], jitter_ns[2]; /* uniform on top */
	double offset_s, drift;		   /* of the far clock */
	bool mirrors, silent, refuses;
	int64_t dies_ns, restarts_ns; /* 0 = never */
	void (*meddle)(struct net *net, struct stamp_answer *answer);
	/* What it did. */
	unsigned packets[2], lost[2], reordered[2];
	uint32_t highest[2];
	int64_t now_ns;
	struct flying flying[FLYING_MAX];
	unsigned flying_count;
};

static struct reflector *new_reflector(void)
{
	struct reflector_config config = {.key = {7, 8}};
	struct reflector *reflector = reflector_new(&config);
	assert_non_null(reflector);
	return reflector;
}

static void net_init(struct net *net)
{
	*net = (struct net){
		.config = stamp_defaults(),
		.stamp = malloc(sizeof(struct stamp)),
		.reflector = new_reflector(),
		.rng = rng_seed(11),
		.delay_ns = {10 * NS_PER_MS, 20 * NS_PER_MS},
		.now_ns = START_NS,
	};
	net->config.source = near;
	net->config.destination = far;
	net->config.source_port = PORT;
	net->config.wall_offset_ns = WALL_NS - START_NS;
	net->config.interval_ns = 100 * NS_PER_MS;
	net->config.count = 100;
	net->config.key = (struct hash_key){3, 4};
	assert_non_null(net->stamp);
}

static void net_deinit(struct net *net)
{
	reflector_free(net->reflector);
	free(net->stamp);
}

static int64_t far_wall_ns(const struct net *net)
{
	double since = (double)(net->now_ns - START_NS);
	return WALL_NS + (int64_t)(since * (1 + net->drift)) + (int64_t)(net->offset_s * 1e9);
}

static void fly(struct net *net, int way, const uint8_t *bytes, size_t length)
{
	net->packets[way]++;
	if (rng_unit(&net->rng) < net->loss[way]) {
		net->lost[way]++;
		return;
	}
	int copies = rng_unit(&net->rng) < net->twice[way] ? 2 : 1;
	for (int i = 0; i < copies; i++) {
		assert_true(net->flying_count < FLYING_MAX && length <= sizeof(net->flying[0].bytes));
		struct flying *flying = &net->flying[net->flying_count++];
		int64_t more_ns = (int64_t)(rng_unit(&net->rng) * (double)net->jitter_ns[way]);
		flying->at_ns = net->now_ns + net->delay_ns[way] + more_ns;
		flying->way = way;
		flying->length = length;
		memcpy(flying->bytes, bytes, length);
	}
}

static void answer_bytes(struct net *net, const struct transport *from, uint8_t *payload, size_t length)
{
	uint8_t room[300];
	struct packet_spec spec = {
		.ip = {.source = far, .destination = near, .ttl = 255, .protocol = PROTOCOL_UDP},
		.transport = {.source_port = from->destination_port,
			.destination_port = from->source_port,
			.payload = payload,
			.payload_length = length},
	};
	struct writer writer = writer_init(room, sizeof(room));
	assert_int_equal(packet_write(&writer, &spec), 0);
	fly(net, BACK, room, writer.length);
}

static void refuse(struct net *net, const struct flying *flying)
{
	uint8_t room[300];
	struct packet_spec spec = {
		.ip = {.source = far, .destination = near, .ttl = 64, .protocol = PROTOCOL_ICMP},
		.transport = {.icmp_type = ICMP4_UNREACHABLE,
			.icmp_code = 3,
			.payload = flying->bytes,
			.payload_length = flying->length},
	};
	struct writer writer = writer_init(room, sizeof(room));
	assert_int_equal(packet_write(&writer, &spec), 0);
	fly(net, BACK, room, writer.length);
}

/* The number at the beginning of a test packet, of either kind. */
static void note_order(struct net *net, int way, const struct transport *transport)
{
	struct cursor cursor = cursor_init(transport->payload, transport->payload_length);
	uint32_t number = cursor_u32(&cursor);
	net->reordered[way] += number < net->highest[way];
	net->highest[way] = MAX(net->highest[way], number);
}

static void reflect(struct net *net, const struct flying *flying)
{
	struct packet packet;
	uint8_t answer[300];
	assert_int_equal(packet_read(flying->bytes, flying->length, &packet), 0);
	assert_int_equal(packet.ip.ttl, 255);
	note_order(net, THERE, &packet.transport);
	struct reflector_packet question = {
		.from = packet.ip.source,
		.to = packet.ip.destination,
		.from_port = packet.transport.source_port,
		.to_port = packet.transport.destination_port,
		.ttl = 250,
		.received_wall_ns = far_wall_ns(net),
		.payload = packet.transport.payload,
		.length = packet.transport.payload_length,
	};
	if (net->silent || (net->dies_ns && net->now_ns >= net->dies_ns))
		return;
	if (net->refuses) {
		refuse(net, flying);
		return;
	}
	if (net->restarts_ns && net->now_ns >= net->restarts_ns) {
		net->restarts_ns = 0;
		reflector_free(net->reflector);
		net->reflector = new_reflector();
	}
	/* It takes its time: 3 ms. */
	size_t length = reflector_answer(
		net->reflector, &question, net->now_ns, far_wall_ns(net) + 3 * NS_PER_MS, answer);
	assert_int_equal(length, question.length);
	if (net->mirrors)
		memcpy(answer, packet.transport.payload, 4);
	if (net->meddle) {
		struct cursor cursor = cursor_init(answer, length);
		struct stamp_answer fields;
		struct writer writer = writer_init(answer, length);
		assert_int_equal(stamp_answer_read(&cursor, &fields), 0);
		net->meddle(net, &fields);
		stamp_answer_write(&writer, &fields);
	}
	int64_t now_ns = net->now_ns;
	net->now_ns += 3 * NS_PER_MS;
	answer_bytes(net, &packet.transport, answer, length);
	net->now_ns = now_ns;
}

static void arrive(struct net *net, unsigned index)
{
	struct flying flying = net->flying[index];
	struct machine machine = stamp_machine(net->stamp);
	struct packet packet;
	net->flying[index] = net->flying[--net->flying_count];
	if (flying.way == THERE) {
		reflect(net, &flying);
	} else {
		assert_int_equal(packet_read(flying.bytes, flying.length, &packet), 0);
		if (!packet.has_quote)
			note_order(net, BACK, &packet.transport);
		machine.ops->packet(machine.self, net->now_ns, &packet);
	}
}

static unsigned soonest(const struct net *net)
{
	unsigned first = 0;
	for (unsigned i = 1; i < net->flying_count; i++)
		if (net->flying[i].at_ns < net->flying[first].at_ns)
			first = i;
	return first;
}

static struct directions run(struct net *net)
{
	static struct outgoing outgoing;
	int64_t wake_ns = 0;
	stamp_init(net->stamp, &net->config);
	struct machine machine = stamp_machine(net->stamp);
	enum machine_want want;
	while ((want = machine.ops->next(machine.self, net->now_ns, &outgoing, &wake_ns)) != MACHINE_DONE) {
		if (want == MACHINE_SEND) {
			fly(net, THERE, outgoing.bytes, outgoing.length);
			machine.ops->sent(machine.self, outgoing.token, net->now_ns, 0);
			continue;
		}
		assert_true(wake_ns > net->now_ns);
		unsigned next = soonest(net);
		if (net->flying_count > 0 && net->flying[next].at_ns <= wake_ns) {
			net->now_ns = MAX(net->now_ns, net->flying[next].at_ns);
			arrive(net, next);
		} else {
			assert_true(wake_ns < net->now_ns + 3600 * NS_PER_S);
			net->now_ns = wake_ns;
		}
	}
	return stamp_directions(net->stamp);
}

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
