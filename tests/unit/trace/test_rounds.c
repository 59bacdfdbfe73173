/* Continuous rounds on a way that changes under them, in virtual time: what is counted, when, and how long it
 * takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "trace/rounds.h"

#define IN_FLIGHT_MAX 1000
#define SENDS_MAX     20000
#define START_NS      (5 * NS_PER_S)

/* The way: routers 1..hops-1, the destination at `hops`; both may depend on the time. */
struct way {
	unsigned hops;
	unsigned hops_later; /* from `later_ns` on, 0 = as before */
	unsigned moved_from; /* from `later_ns` on, routers from this one on have other addresses, 0 = none */
	int64_t later_ns;
	int64_t rtt_ns;	   /* to the destination; less for nearer hops */
	unsigned silent;   /* this router answers nothing */
	unsigned skipping; /* this hop answers one probe in `one_in` only, or once in `refill_ns` */
	unsigned one_in;
	int64_t refill_ns;
	unsigned lossy_from; /* of probes that pass this router one in ten is lost */
	unsigned black_hole; /* from `later_ns` on nothing passes this router */
	unsigned slow; /* answers of this hop to probes in [slow_from, slow_to) take `slow_by_ns` longer */
	int64_t slow_by_ns, slow_from_ns, slow_to_ns;
	unsigned balanced; /* this hop answers from two addresses in turn */
	int64_t twice;	   /* every answer comes again, so much later */
	int64_t skip_next_ns;
	unsigned skip_count, balance_count, sends;
	struct rng rng;
	struct {
		int64_t at_ns;
		unsigned ttl;
	} sent[SENDS_MAX];
	struct {
		int64_t at_ns;
		size_t length;
		uint8_t bytes[200];
	} flying[IN_FLIGHT_MAX];
	size_t flying_count;
};

static const struct addr source = {.low = 0xc0000201, .family = 4}, target = {.low = 0xc6336401, .family = 4};

static struct addr router(unsigned n)
{
	return addr_v4(0xcb007100 + n);
}

static void fly(struct way *way, int64_t at_ns, const struct outgoing *probe, struct addr from, uint8_t type,
	uint8_t code)
{
	assert_true(way->flying_count < IN_FLIGHT_MAX);
	struct writer writer =
		writer_init(way->flying[way->flying_count].bytes, sizeof(way->flying[0].bytes));
	struct packet_spec spec = {
		.ip = {.source = from, .destination = source, .ttl = 64, .protocol = PROTOCOL_ICMP, .id = 1},
		.transport = {.icmp_type = type,
			.icmp_code = code,
			.payload = probe->bytes,
			.payload_length = probe->length},
	};
	assert_int_equal(packet_write(&writer, &spec), 0);
	way->flying[way->flying_count].length = writer.length;
	way->flying[way->flying_count++].at_ns = at_ns;
}

static bool skips(struct way *way, unsigned ttl, int64_t now_ns)
{
	if (ttl != way->skipping)
		return false;
	if (way->one_in)
		return way->skip_count++ % way->one_in != 0;
	if (now_ns < way->skip_next_ns)
		return true;
	way->skip_next_ns = now_ns + way->refill_ns;
	return false;
}

static void way_send(struct way *way, int64_t now_ns, const struct outgoing *probe)
{
	struct packet p;
	assert_int_equal(packet_read(probe->bytes, probe->length, &p), 0);
	unsigned ttl = p.ip.ttl;
	int64_t time_ns = now_ns - START_NS;
	bool later = way->later_ns && time_ns >= way->later_ns;
	unsigned hops = later && way->hops_later ? way->hops_later : way->hops;
	unsigned at = MIN(ttl, hops);
	assert_true(way->sends < SENDS_MAX);
	way->sent[way->sends].at_ns = time_ns;
	way->sent[way->sends++].ttl = ttl;
	if (way->lossy_from && ttl >= way->lossy_from && rng_below(&way->rng, 10) == 0)
		return;
	if ((later && way->black_hole && at > way->black_hole) || at == way->silent || skips(way, at, now_ns))
		return;
	int64_t at_ns = now_ns + way->rtt_ns * at / hops;
	if (at == way->slow && time_ns >= way->slow_from_ns && time_ns < way->slow_to_ns)
		at_ns += way->slow_by_ns;
	unsigned number = at + (later && way->moved_from && at >= way->moved_from ? 100 : 0);
	if (at == way->balanced)
		number += 50 * (way->balance_count++ % 2);
	struct addr from = at == hops ? target : router(number);
	fly(way, at_ns, probe, from, at == hops ? 3 : 11, at == hops ? 3 : 0);
	if (way->twice)
		fly(way, at_ns + way->twice, probe, from, at == hops ? 3 : 11, at == hops ? 3 : 0);
}

static int64_t deliver(struct way *way, struct machine machine, int64_t until_ns)
{
	for (size_t i = 0; i < way->flying_count; i++)
		until_ns = MIN(until_ns, way->flying[i].at_ns);
	size_t kept = 0;
	for (size_t i = 0; i < way->flying_count; i++) {
		struct packet packet;
		if (way->flying[i].at_ns > until_ns) {
			way->flying[kept++] = way->flying[i];
			continue;
		}
		assert_int_equal(packet_read(way->flying[i].bytes, way->flying[i].length, &packet), 0);
		machine.ops->packet(machine.self, until_ns, &packet);
	}
	way->flying_count = kept;
	return until_ns;
}

static struct rounds rounds;

static struct rounds_config config_of(unsigned count)
{
	struct rounds_config config = rounds_defaults();
	config.rounds = count;
	config.engine.source = source;
	config.engine.destination = target;
	config.engine.flow = (struct flow){.source_port = 50000, .destination_port = 33434};
	config.engine.key = (struct hash_key){3, 4};
	return config;
}

/* Run to the end, or until `until_ns` after the start. The virtual duration. */
static int64_t run_on(struct way *way, int64_t until_ns)
{
	struct machine machine = rounds_machine(&rounds);
	static int64_t now_ns;
	if (rounds.started_ns == TIME_NEVER)
		now_ns = START_NS;
	int64_t wake_ns = 0;
	struct outgoing outgoing;
	for (int step = 0; step < 2000000 && now_ns < START_NS + until_ns; step++) {
		enum machine_want want = machine.ops->next(machine.self, now_ns, &outgoing, &wake_ns);
		if (want == MACHINE_DONE)
			return now_ns - START_NS;
		if (want == MACHINE_SEND) {
			machine.ops->sent(machine.self, outgoing.token, now_ns, 0);
			way_send(way, now_ns, &outgoing);
		} else {
			assert_true(wake_ns > now_ns);
			now_ns = deliver(way, machine, wake_ns);
		}
	}
	return now_ns - START_NS;
}

static int64_t run(struct way *way, const struct rounds_config *config)
{
	rounds_deinit(&rounds);
	rounds_init(&rounds, config);
	return run_on(way, 7200 * NS_PER_S);
}

static const struct timeline_hop *hop(unsigned ttl)
{
	const struct timeline_hop *found = timeline_hop(&rounds.timeline, ttl);
	assert_non_null(found);
	return found;
}

static void assert_shown(unsigned ttl, struct addr expected)
{
	char a[ADDR_TEXT_SIZE], b[ADDR_TEXT_SIZE];
	const struct responder *shown = timeline_shown(hop(ttl));
	assert_string_equal(addr_format(shown ? shown->address : ADDR_NONE, a), addr_format(expected, b));
}

static void assert_no_loss(unsigned last)
{
	for (unsigned ttl = 1; ttl <= last; ttl++) {
		assert_int_equal(timeline_loss(&rounds.timeline, ttl).lost, 0);
		assert_int_equal(hop(ttl)->in_flight, 0);
	}
}

/* Ten rounds: ten probes to each hop, in ten intervals and one round trip, and nothing beyond the end after
 * the first round. */
static void test_ten_rounds(void **state)
{
	(void)state;
	struct way way = {.hops = 10, .rtt_ns = 20 * NS_PER_MS};
	struct rounds_config config = config_of(10);
	int64_t took_ns = run(&way, &config);
	assert_true(took_ns <= 10 * NS_PER_S + way.rtt_ns);
	assert_true(took_ns >= 9 * NS_PER_S);
	assert_int_equal(rounds.timeline.rounds, 10);
	assert_int_equal(rounds.timeline.end, 10);
	assert_int_equal(rounds.timeline.changes_ever, 0);
	for (unsigned ttl = 1; ttl <= 10; ttl++) {
		assert_int_equal(hop(ttl)->total.received, 10);
		assert_int_equal(hop(ttl)->total.lost, 0);
		assert_shown(ttl, ttl == 10 ? target : router(ttl));
	}
	assert_no_loss(10);
	for (unsigned i = 0; i < way.sends; i++)
		assert_true(way.sent[i].at_ns < NS_PER_S || way.sent[i].ttl <= 10);
	assert_true(way.sends <= 104);
}

/* The first round goes out at once; later ones spread, each hop once a second give or take the jitter. */
static void test_pace(void **state)
{
	(void)state;
	struct way way = {.hops = 10, .rtt_ns = 20 * NS_PER_MS};
	struct rounds_config config = config_of(30);
	int64_t last[11];
	memset(last, 0xff, sizeof(last));
	run(&way, &config);
	for (unsigned i = 0; i < way.sends; i++) {
		if (way.sent[i].at_ns < NS_PER_S) {
			assert_true(way.sent[i].at_ns <= 3 * way.rtt_ns);
			continue;
		}
		unsigned ttl = way.sent[i].ttl;
		if (last[ttl] > NS_PER_S) {
			assert_true(way.sent[i].at_ns - last[ttl] > 600 * NS_PER_MS);
			assert_true(way.sent[i].at_ns - last[ttl] < 1400 * NS_PER_MS);
		}
		last[ttl] = way.sent[i].at_ns;
		/* The next probe of anybody leaves after a pause. */
		if (i > 0)
			assert_true(way.sent[i].at_ns - way.sent[i - 1].at_ns >= 40 * NS_PER_MS);
	}
}

static void test_silent_hop_and_duplicates(void **state)
{
	(void)state;
	struct way way = {.hops = 8, .rtt_ns = 20 * NS_PER_MS, .silent = 4, .twice = 3 * NS_PER_MS};
	struct rounds_config config = config_of(5);
	int64_t took_ns = run(&way, &config);
	assert_true(took_ns <= 5 * NS_PER_S + way.rtt_ns);
	assert_int_equal(hop(4)->total.received, 0);
	assert_int_equal(hop(4)->total.lost, 5);
	for (unsigned ttl = 1; ttl <= 8; ttl++) {
		assert_int_equal(hop(ttl)->total.received, ttl == 4 ? 0 : 5);
		assert_int_equal(timeline_loss(&rounds.timeline, ttl).lost, 0);
	}
}

/* An answer after three seconds, when the probe was given up: taken back. */
static void test_late_answers(void **state)
{
	(void)state;
	struct way way = {.hops = 5,
		.rtt_ns = 20 * NS_PER_MS,
		.slow = 5,
		.slow_by_ns = 3 * NS_PER_S,
		.slow_from_ns = 4500 * NS_PER_MS,
		.slow_to_ns = 7 * NS_PER_S};
	struct rounds_config config = config_of(20);
	run(&way, &config);
	assert_int_equal(hop(5)->total.received, 20);
	assert_int_equal(hop(5)->total.lost, 0);
	assert_true(rounds.timeline.late >= 2);
	assert_true(hop(5)->total.worst_ns >= 3 * NS_PER_S && hop(5)->total.worst_ns < 3100 * NS_PER_MS);
	assert_no_loss(5);
	assert_int_equal(rounds.timeline.changes_ever, 0);
}

/* The way grows by two hops: the old end is no hop that loses everything. */
static void test_grows(void **state)
{
	(void)state;
	struct way way = {.hops = 6, .hops_later = 8, .later_ns = 10 * NS_PER_S, .rtt_ns = 20 * NS_PER_MS};
	struct rounds_config config = config_of(40);
	run(&way, &config);
	assert_int_equal(rounds.timeline.end, 8);
	assert_int_equal(rounds.timeline.changes_ever, 1);
	const struct timeline_change *change = &rounds.timeline.changes[0];
	assert_int_equal(change->first_ttl, 6);
	assert_true(addr_equal(change->before, target));
	assert_true(addr_equal(change->after, router(6)));
	assert_int_equal(change->end_before, 6);
	assert_int_equal(change->end_after, 8);
	assert_true(change->at_ns >= 10 * NS_PER_S && change->at_ns < 11 * NS_PER_S);
	assert_true(change->path_before != change->path_after);
	assert_no_loss(8);
	assert_shown(6, router(6));
	assert_shown(8, target);
	/* What was there before is kept, marked. */
	assert_int_equal(hop(6)->responder_count, 2);
	assert_int_equal(hop(6)->responders[0].state, RESPONDER_OLD);
	assert_int_equal(hop(6)->responders[0].series.received, 10);
}

static void test_shrinks(void **state)
{
	(void)state;
	struct way way = {.hops = 9, .hops_later = 6, .later_ns = 10 * NS_PER_S, .rtt_ns = 20 * NS_PER_MS};
	struct rounds_config config = config_of(40);
	run(&way, &config);
	assert_int_equal(rounds.timeline.end, 6);
	assert_int_equal(rounds.timeline.changes_ever, 1);
	assert_int_equal(rounds.timeline.changes[0].first_ttl, 6);
	assert_no_loss(6);
	assert_int_equal(hop(9)->responders[0].state, RESPONDER_OLD);
	/* Soon nobody asks there any more. */
	for (unsigned i = 0; i < way.sends; i++)
		assert_true(way.sent[i].at_ns < 16 * NS_PER_S || way.sent[i].ttl <= 6);
}

/* The same length, other routers from hop 4 on, and five seconds in which nothing arrives: an outage of the
 * end, but no loss at routers that are gone. */
static void test_other_routers(void **state)
{
	(void)state;
	struct way way = {.hops = 8, .moved_from = 4, .later_ns = 20 * NS_PER_S, .rtt_ns = 20 * NS_PER_MS};
	struct rounds_config config = config_of(60);
	run(&way, &config);
	assert_int_equal(rounds.timeline.changes_ever, 1);
	assert_int_equal(rounds.timeline.changes[0].first_ttl, 4);
	assert_int_equal(rounds.timeline.changes[0].last_ttl, 7);
	assert_true(addr_equal(rounds.timeline.changes[0].after, router(104)));
	for (unsigned ttl = 1; ttl < 8; ttl++)
		assert_shown(ttl, router(ttl < 4 ? ttl : 100 + ttl));
	assert_no_loss(8);
	assert_int_equal(hop(5)->now.received, 40);
	assert_int_equal(hop(5)->total.received, 60);
}

/* A hop that answers from two addresses in turn is balanced, not moving. */
static void test_two_addresses_are_no_change(void **state)
{
	(void)state;
	struct way way = {.hops = 6, .balanced = 3, .rtt_ns = 20 * NS_PER_MS};
	struct rounds_config config = config_of(60);
	run(&way, &config);
	assert_int_equal(rounds.timeline.changes_ever, 0);
	assert_int_equal(hop(3)->responder_count, 2);
	assert_int_equal(hop(3)->responders[0].state, RESPONDER_NOW);
	assert_int_equal(hop(3)->responders[1].state, RESPONDER_NOW);
	assert_int_equal(hop(3)->total.received, 60);
}

static void test_black_hole_keeps_the_end(void **state)
{
	(void)state;
	struct way way = {.hops = 8, .black_hole = 4, .later_ns = 10 * NS_PER_S, .rtt_ns = 20 * NS_PER_MS};
	struct rounds_config config = config_of(30);
	int64_t took_ns = run(&way, &config);
	assert_true(took_ns <= 30 * NS_PER_S + 3 * way.rtt_ns);
	assert_int_equal(rounds.timeline.end, 8);
	assert_int_equal(timeline_loss(&rounds.timeline, 4).lost, 0);
	for (unsigned ttl = 5; ttl <= 8; ttl++) {
		struct loss loss = timeline_loss(&rounds.timeline, ttl);
		assert_int_equal(loss.lost, 20);
		assert_int_equal(loss.sent, 30);
	}
}

static void test_loss_starts_where_it_starts(void **state)
{
	(void)state;
	struct way way = {.hops = 8, .lossy_from = 5, .rng = rng_seed(5), .rtt_ns = 20 * NS_PER_MS};
	struct rounds_config config = config_of(300);
	run(&way, &config);
	for (unsigned ttl = 1; ttl <= 8; ttl++) {
		struct loss loss = timeline_loss(&rounds.timeline, ttl);
		assert_false(loss.skips);
		if (ttl < 5)
			assert_int_equal(loss.lost, 0);
		else
			assert_true(loss.share.low <= 0.1 && loss.share.high >= 0.1 && loss.lost > 0);
	}
}

/* Answers once in 1.6 seconds: asked each second it skips, and asked more slowly it does not. */
static void test_limiter_is_found_out(void **state)
{
	(void)state;
	struct way way = {.hops = 8, .skipping = 4, .refill_ns = 1600 * NS_PER_MS, .rtt_ns = 20 * NS_PER_MS};
	struct rounds_config config = config_of(60);
	run(&way, &config);
	assert_int_equal(hop(4)->limit, LIMIT_LIMITS);
	assert_int_equal(hop(4)->limit_answered, hop(4)->limit_asked);
	assert_no_loss(8);
	assert_true(timeline_loss(&rounds.timeline, 4).skips);
}

/* Answers every other probe at any pace: its answers get lost; what passes it does not. */
static void test_skipping_at_any_pace(void **state)
{
	(void)state;
	struct way way = {.hops = 8, .skipping = 4, .one_in = 2, .rtt_ns = 20 * NS_PER_MS};
	struct rounds_config config = config_of(90);
	run(&way, &config);
	assert_int_equal(hop(4)->limit, LIMIT_LOSES);
	assert_no_loss(8);
}

/* A destination that limits its replies does not make the way longer, nor lose traffic once that is found
 * out. */
static void test_limiting_destination(void **state)
{
	(void)state;
	struct way way = {.hops = 6, .skipping = 6, .refill_ns = 1600 * NS_PER_MS, .rtt_ns = 20 * NS_PER_MS};
	struct rounds_config config = config_of(80);
	run(&way, &config);
	assert_int_equal(rounds.timeline.end, 6);
	assert_int_equal(rounds.timeline.changes_ever, 0);
	assert_int_equal(hop(6)->limit, LIMIT_LIMITS);
}

/* ^Z for a minute: what was in flight is not lost, and nothing is made up for afterwards. */
static void test_suspended(void **state)
{
	(void)state;
	struct way way = {.hops = 6, .rtt_ns = 300 * NS_PER_MS};
	struct rounds_config config = config_of(20);
	rounds_deinit(&rounds);
	rounds_init(&rounds, &config);
	run_on(&way, 5300 * NS_PER_MS);
	struct machine machine = rounds_machine(&rounds);
	struct outgoing outgoing;
	int64_t wake_ns, now_ns = START_NS + 65 * NS_PER_S;
	way.flying_count = 0; /* nobody read them */
	unsigned sent = way.sends;
	while (machine.ops->next(machine.self, now_ns, &outgoing, &wake_ns) == MACHINE_SEND) {
		machine.ops->sent(machine.self, outgoing.token, now_ns, 0);
		way_send(&way, now_ns, &outgoing);
	}
	assert_true(way.sends - sent <= 2);
	for (int step = 0; step < 100000; step++) {
		enum machine_want want = machine.ops->next(machine.self, now_ns, &outgoing, &wake_ns);
		if (want == MACHINE_DONE)
			break;
		if (want == MACHINE_SEND) {
			machine.ops->sent(machine.self, outgoing.token, now_ns, 0);
			way_send(&way, now_ns, &outgoing);
		} else {
			now_ns = deliver(&way, machine, wake_ns);
		}
	}
	assert_true(rounds.timeline.void_count > 0);
	assert_int_equal(rounds.timeline.lost, 0);
	assert_no_loss(6);
}

static void test_send_errors_are_not_loss(void **state)
{
	(void)state;
	struct rounds_config config = config_of(3);
	rounds_deinit(&rounds);
	rounds_init(&rounds, &config);
	struct machine machine = rounds_machine(&rounds);
	struct outgoing outgoing;
	int64_t now_ns = START_NS, wake_ns = 0;
	enum machine_want want;
	while ((want = machine.ops->next(machine.self, now_ns, &outgoing, &wake_ns)) != MACHINE_DONE) {
		if (want == MACHINE_SEND)
			machine.ops->sent(machine.self, outgoing.token, now_ns, -101);
		else
			now_ns = wake_ns;
	}
	assert_int_equal(rounds.timeline.lost, 0);
	assert_int_equal(rounds.timeline.send_errors, rounds.timeline.sent);
	assert_int_equal(rounds.send_error, -101);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ten_rounds),
		cmocka_unit_test(test_pace),
		cmocka_unit_test(test_silent_hop_and_duplicates),
		cmocka_unit_test(test_late_answers),
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_shrinks),
		cmocka_unit_test(test_other_routers),
		cmocka_unit_test(test_two_addresses_are_no_change),
		cmocka_unit_test(test_black_hole_keeps_the_end),
		cmocka_unit_test(test_loss_starts_where_it_starts),
		cmocka_unit_test(test_limiter_is_found_out),
		cmocka_unit_test(test_skipping_at_any_pace),
		cmocka_unit_test(test_limiting_destination),
		cmocka_unit_test(test_suspended),
		cmocka_unit_test(test_send_errors_are_not_loss),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rounds_deinit(&rounds);
	return failed;
}
