/* The ladder: who starts when, what ends it, which path stands. Machines are fed by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "reverse/climb.h"
#include "reverse/settings.h"
#include "way.h"

#define START_NS (3600 * NS_PER_S)

struct scene {
	struct climb *climb;
	struct machine machine;
	struct measurement measurement;
	struct outgoing out;
	struct packet last; /* that left */
	int64_t now_ns, wake_ns;
};

static void scene_init(struct scene *scene, const char *names, uint8_t family)
{
	struct reverse_task task = {
		.target = family == 4 ? addr_v4(0xcb007109) : addr_v6(0x20010db800010000, 9),
		.source = family == 4 ? addr_v4(0xc6336407) : addr_v6(0x20010db800020000, 7),
		.seed = 12345,
	};
	struct error error = {0};
	*scene = (struct scene){.now_ns = START_NS};
	measurement_init(&scene->measurement);
	if (climb_new(&scene->climb, &task, names, &error) < 0)
		fail_msg("%s", error.text);
	scene->machine = climb_machine(scene->climb);
}

static void scene_deinit(struct scene *scene)
{
	climb_free(scene->climb);
	measurement_deinit(&scene->measurement);
}

static enum machine_want next(struct scene *scene)
{
	enum machine_want want =
		scene->machine.ops->next(scene->machine.self, scene->now_ns, &scene->out, &scene->wake_ns);
	if (want == MACHINE_SEND) {
		assert_int_equal(packet_read(scene->out.bytes, scene->out.length, &scene->last), 0);
		scene->machine.ops->sent(scene->machine.self, scene->out.token, scene->now_ns, 0);
	}
	return want;
}

static bool has_option(const struct scene *scene)
{
	return scene->last.ip.route.present;
}

/* What leaves until a packet with the option does, or the machine waits. */
static bool option_leaves_now(struct scene *scene)
{
	enum machine_want want;
	while ((want = next(scene)) == MACHINE_SEND)
		if (has_option(scene))
			return true;
	return false;
}

/* Let time pass until a packet with the option leaves; false: it never does. */
static bool option_leaves(struct scene *scene)
{
	for (int i = 0; i < 100; i++) {
		if (option_leaves_now(scene))
			return true;
		if (scene->wake_ns == TIME_NEVER || next(scene) == MACHINE_DONE)
			return false;
		scene->now_ns = MAX(scene->wake_ns, scene->now_ns);
	}
	return false;
}

/* The target answers the last echo request with this list, TTL 62. */
static void reply(struct scene *scene, const uint32_t *stamps, uint8_t count, const uint8_t *tag_from)
{
	struct packet_spec spec = {
		.ip = {.source = scene->last.ip.destination,
			.destination = scene->last.ip.source,
			.ttl = 62,
			.protocol = PROTOCOL_ICMP,
			.route = {.present = true, .type = 7, .slots = 9, .used = count}},
		.transport = scene->last.transport,
	};
	spec.transport.payload = tag_from ? tag_from : scene->last.transport.payload;
	spec.transport.icmp_type = ICMP4_ECHO_REPLY;
	for (unsigned i = 0; i < 9; i++)
		spec.ip.route.addrs[i] = addr_v4(i < count ? stamps[i] : 0);
	uint8_t bytes[200];
	struct writer writer = writer_init(bytes, sizeof(bytes));
	struct packet packet;
	assert_int_equal(packet_write(&writer, &spec), 0);
	assert_int_equal(packet_read(bytes, writer.length, &packet), 0);
	scene->machine.ops->packet(scene->machine.self, scene->now_ns + 20 * NS_PER_MS, &packet);
}

static const uint32_t whole[] = {0xc0000201, 0xcb007109, 0xcb007109, 0xc0000246, 0xc0000250};
static const uint32_t full[] = {
	1 << 24, 2 << 24, 3 << 24, 4 << 24, 5 << 24, 6 << 24, 0xcb007109, 0xcb007109, 0xc0000246};

/* The responder is given a quarter of a second; a whole list then ends it all, though it still waits. */
static void test_starts_beside(void **state)
{
	(void)state;
	struct scene s;
	scene_init(&s, NULL, 4);
	assert_false(option_leaves_now(&s));
	assert_true(option_leaves(&s));
	assert_true(s.now_ns >= START_NS + 200 * NS_PER_MS);
	assert_true(s.now_ns <= START_NS + 300 * NS_PER_MS);
	reply(&s, whole, 5, NULL);
	assert_int_equal(next(&s), MACHINE_DONE);
	assert_int_equal(climb_collect(s.climb, &s.measurement), 0);
	assert_string_equal(s.measurement.reverse->method, "record-route");
	assert_true(s.measurement.reverse->reached);
	assert_int_equal(s.measurement.reverse->hop_count, 3);
	assert_int_equal(s.measurement.attempt_count, 2);
	assert_int_equal(s.measurement.attempts[0].status, ATTEMPT_TIMEOUT);
	assert_int_equal(s.measurement.attempts[1].status, ATTEMPT_OK);
	assert_int_equal(s.measurement.attempts[1].duration_ns, 0);
	scene_deinit(&s);
}

/* A known round-trip time shortens that. */
static void test_hint(void **state)
{
	(void)state;
	struct scene s;
	scene_init(&s, NULL, 4);
	assert_false(option_leaves_now(&s));
	climb_hint(s.climb, 10 * NS_PER_MS);
	assert_true(option_leaves(&s));
	assert_true(s.now_ns <= START_NS + 60 * NS_PER_MS);
	scene_deinit(&s);
}

/* A responder that has told the whole way, and waits for repetitions, is at work: nobody starts beside it. */
static void test_whole_way_is_at_work(void **state)
{
	(void)state;
	struct way way;
	struct climb *climb;
	struct measurement measurement;
	way_init(&way, 4);
	way.hop_delay_ns = 4 * NS_PER_MS; /* six of them */
	way.there_delay_ns = 24 * NS_PER_MS;
	struct reverse_task task = {.target = way.server_addr, .source = way.client_addr, .seed = 12345};
	assert_int_equal(climb_new(&climb, &task, NULL, NULL), 0);
	climb_hint(climb, 48 * NS_PER_MS);
	way.client = climb_machine(climb);
	measurement_init(&measurement);
	way_run(&way, 20 * NS_PER_S);
	assert_int_equal(climb_collect(climb, &measurement), 0);
	assert_true(measurement.reverse->reached);
	assert_int_equal(measurement.attempt_count, 1);
	assert_string_equal(measurement.attempts[0].method, "responder");
	measurement_deinit(&measurement);
	climb_free(climb);
	way_deinit(&way);
}

/* Named first, it starts first. */
static void test_order(void **state)
{
	(void)state;
	struct scene s;
	scene_init(&s, "record-route,responder", 4);
	assert_true(option_leaves_now(&s));
	scene_deinit(&s);
}

/* A part stands, and the rungs below are tried, too. */
static void test_partial_stands(void **state)
{
	(void)state;
	struct scene s;
	scene_init(&s, "record-route,inferred", 4);
	assert_true(option_leaves_now(&s));
	reply(&s, full, 9, NULL);
	assert_int_equal(next(&s), MACHINE_DONE);
	assert_int_equal(climb_collect(s.climb, &s.measurement), 0);
	assert_string_equal(s.measurement.reverse->method, "record-route");
	assert_false(s.measurement.reverse->reached);
	assert_int_equal(s.measurement.reverse->stop_reason, STOP_PARTIAL);
	assert_int_equal(s.measurement.attempts[0].status, ATTEMPT_PARTIAL);
	assert_string_equal(s.measurement.attempts[1].method, "inferred");
	assert_int_equal(s.measurement.attempts[1].status, ATTEMPT_UNAVAILABLE);
	scene_deinit(&s);
}

/* The echo of a stranger who does not know the tag is not ours. */
static void test_forged(void **state)
{
	(void)state;
	struct scene s;
	scene_init(&s, "record-route", 4);
	assert_true(option_leaves_now(&s));
	uint8_t forged[64];
	memcpy(forged, s.last.transport.payload, s.last.transport.payload_length);
	forged[3] ^= 1;
	reply(&s, whole, 5, forged);
	assert_int_equal(next(&s), MACHINE_WAIT);
	scene_deinit(&s);
}

/* Nobody answers: two packets with the option, not more. */
static void test_silence(void **state)
{
	(void)state;
	struct scene s;
	scene_init(&s, "record-route", 4);
	assert_true(option_leaves(&s));
	assert_true(option_leaves(&s));
	assert_false(option_leaves(&s));
	assert_int_equal(next(&s), MACHINE_DONE);
	assert_int_equal(climb_collect(s.climb, &s.measurement), 0);
	assert_null(s.measurement.reverse);
	assert_int_equal(s.measurement.attempts[0].status, ATTEMPT_TIMEOUT);
	scene_deinit(&s);
}

static void test_ipv6(void **state)
{
	(void)state;
	struct scene s;
	scene_init(&s, "record-route", 6);
	assert_int_equal(next(&s), MACHINE_DONE);
	assert_int_equal(climb_collect(s.climb, &s.measurement), 0);
	assert_int_equal(s.measurement.attempts[0].status, ATTEMPT_UNAVAILABLE);
	assert_string_equal(s.measurement.attempts[0].detail, "not for IPv6");
	scene_deinit(&s);
}

/* The way there comes while it runs, and is the climb's own. */
static void test_known(void **state)
{
	(void)state;
	struct scene s;
	struct path *forward = path_new(DIRECTION_FORWARD, "ttl");
	struct hop *hop = path_add_hop(forward, 4, TECHNIQUE_TTL);
	hop->address = forward->destination = addr_v4(0xcb007109);
	struct probe_result *probe = hop_add_probe(hop);
	probe->address = hop->address;
	probe->rtt_ns = NS_PER_MS;
	probe->reply.ttl = 60;
	forward->reached = true;
	scene_init(&s, "inferred", 4);
	climb_known(s.climb, forward);
	assert_int_equal(next(&s), MACHINE_DONE);
	assert_int_equal(climb_collect(s.climb, &s.measurement), 0);
	assert_non_null(s.measurement.reverse);
	assert_int_equal(s.measurement.reverse->hop_count, 4);
	assert_false(addr_is_set(s.measurement.reverse->hops[0].address));
	assert_int_equal(s.measurement.reverse->hops[0].technique, TECHNIQUE_INFERRED);
	scene_deinit(&s);
}

/* The user's own ladder: its order, what must be named, and nothing else. */
static void test_settings(void **state)
{
	(void)state;
	char *ladder[] = {(char[]){"record-route"}, (char[]){"source-route-lsrr"}, (char[]){"inferred"}};
	struct settings settings = {.ladder = ladder, .ladder_count = 3};
	struct outside outside = {.settings = &settings};
	struct reverse_task task = {.target = addr_v4(0xcb007109), .source = addr_v4(0xc6336407), .seed = 1,
		.outside = &outside, .no_packets = true};
	static const char *const expected[] = {"record-route", "source-route-lsrr", "inferred"};
	struct scene s = {.now_ns = START_NS};
	measurement_init(&s.measurement);
	assert_int_equal(climb_new(&s.climb, &task, NULL, NULL), 0);
	s.machine = climb_machine(s.climb);
	assert_int_equal(next(&s), MACHINE_DONE);
	assert_int_equal(climb_collect(s.climb, &s.measurement), 0);
	assert_int_equal(s.measurement.attempt_count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(s.measurement.attempts[i].method, expected[i]);
	scene_deinit(&s);
	/* --via is said last and loudest */
	s = (struct scene){.now_ns = START_NS};
	measurement_init(&s.measurement);
	assert_int_equal(climb_new(&s.climb, &task, "responder", NULL), 0);
	s.machine = climb_machine(s.climb);
	assert_int_equal(next(&s), MACHINE_DONE);
	assert_int_equal(climb_collect(s.climb, &s.measurement), 0);
	assert_int_equal(s.measurement.attempt_count, 1);
	assert_string_equal(s.measurement.attempts[0].method, "responder");
	scene_deinit(&s);
}

static void never(void *context)
{
	(void)context;
}

/* When the way back is measured again and again, others are asked seldom; it is said so. */
static void test_others_are_spared(void **state)
{
	(void)state;
	struct settings_looking_glass glass = {.name = (char[]){"far"}, .type = (char[]){"rfc8522"}, .url = (char[]){"http://192.0.2.1/"}};
	struct settings settings = {.looking_glasses = &glass, .looking_glass_count = 1};
	struct outside outside = {.settings = &settings, .wake = never};
	struct reverse_task task = {.target = addr_v4(0xcb007109), .source = addr_v4(0xc6336407), .seed = 1,
		.outside = &outside, .no_packets = true, .spare_others = true};
	struct scene s = {.now_ns = START_NS};
	measurement_init(&s.measurement);
	assert_int_equal(climb_new(&s.climb, &task, "lg", NULL), 0);
	s.machine = climb_machine(s.climb);
	assert_int_equal(next(&s), MACHINE_DONE);
	assert_int_equal(climb_collect(s.climb, &s.measurement), 0);
	assert_int_equal(s.measurement.attempts[0].status, ATTEMPT_UNAVAILABLE);
	assert_non_null(strstr(s.measurement.attempts[0].detail, "not again so soon"));
	scene_deinit(&s);
}

static void test_names(void **state)
{
	(void)state;
	struct error error = {0};
	assert_int_equal(climb_check("record-route,inferred,responder", &error), 0);
	assert_true(climb_check("record-rout", &error) < 0);
	assert_non_null(strstr(error.text, "responder, inband, ssh, record-route, source-route"));
	assert_int_equal(climb_check("lg:one,ssh:user@host,inband:https://host/", &error), 0);
	assert_true(climb_check("record-route:x", &error) < 0);
	assert_non_null(strstr(error.text, "nothing may follow --via record-route"));
	assert_true(climb_check("responder:", &error) < 0);
	assert_non_null(strstr(error.text, "responder:HOST"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starts_beside),
		cmocka_unit_test(test_hint),
		cmocka_unit_test(test_whole_way_is_at_work),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_partial_stands),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_others_are_spared),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
