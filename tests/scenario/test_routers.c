/* What routers and hosts do to packets, one behaviour a test, in worlds written for it. */
#include "scene.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim/truth.h"

/* Hop 2's answer, for both families. */
static void check_error_source(const char *behaviour, const char *towards)
{
	struct scene s = scene_of(chain(behaviour, ""));
	for (uint8_t family = 4; family <= 6; family += 2)
		(void)prober_add_udp(s.prober, 0, s.from[family], s.to[family], 2, 1000, family);
	prober_run(s.sim, s.a, s.prober);
	uint32_t r2 = world_find_node(s.world, "r2");
	for (unsigned i = 0; i < 2; i++) {
		uint8_t family = i == 0 ? 4 : 6;
		assert_addr(answer_to(&s, i)->ip.source,
			towards ? interface_address(s.world, "r2", towards, family)
				: world_node_address(s.world, r2, family));
	}
	scene_end(&s);
}

static void test_error_source(void **state)
{
	(void)state;
	check_error_source("error_source: inbound", "r1");
	check_error_source("error_source: loopback", NULL);
}

/* The addresses a ping with record route brings back; r2 does as told. */
static void check_record_route(const char *behaviour, const struct addr *r2_there, const struct addr *r2_back)
{
	struct scene s = scene_of(chain(behaviour, ""));
	struct packet_spec spec = record_route_spec(&s, 9);
	(void)prober_add(s.prober, 0, &spec);
	prober_run(s.sim, s.a, s.prober);
	const struct route_option *route = &answer_to(&s, 0)->ip.route;
	struct addr expected[9] = {interface_address(s.world, "r1", "r2", 4)};
	unsigned count = 1;
	if (r2_there)
		expected[count++] = *r2_there;
	expected[count++] = interface_address(s.world, "r3", "b", 4);
	expected[count++] = s.to[4]; /* as the request comes in */
	expected[count++] = s.to[4]; /* as the reply goes out */
	expected[count++] = interface_address(s.world, "r3", "r2", 4);
	if (r2_back)
		expected[count++] = *r2_back;
	expected[count++] = interface_address(s.world, "r1", "a", 4);
	assert_true(route->present);
	assert_int_equal(route->used, count);
	for (unsigned i = 0; i < count; i++)
		assert_addr(route->addrs[i], expected[i]);
	scene_end(&s);
}

static void test_record_route(void **state)
{
	struct world *world = chain("silent: false", "");
	struct addr to_r3 = interface_address(world, "r2", "r3", 4),
		    to_r1 = interface_address(world, "r2", "r1", 4);
	struct addr loopback = world_node_address(world, world_find_node(world, "r2"), 4);
	(void)state;
	world_free(world);
	check_record_route("record_route: outbound", &to_r3, &to_r1);
	check_record_route("record_route: inbound", &to_r1, &to_r3);
	check_record_route("record_route: loopback", &loopback, &loopback);
	check_record_route("record_route: none", NULL, NULL);
}

static void test_record_route_dropped(void **state)
{
	struct scene s = scene_of(chain("record_route: drop", ""));
	struct packet_spec with = record_route_spec(&s, 9), without = echo_spec(s.from[4], s.to[4], 0, 2);
	(void)state;
	(void)prober_add(s.prober, 0, &with);
	(void)prober_add(s.prober, 0, &without);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(s.prober->probes[0].answers, 0);
	assert_int_equal(s.prober->probes[1].answers, 1);
	scene_end(&s);
}

/* A full option passes unchanged. */
static void test_record_route_full(void **state)
{
	struct scene s = scene_of(chain("silent: false", ""));
	struct packet_spec spec = record_route_spec(&s, 2);
	(void)state;
	(void)prober_add(s.prober, 0, &spec);
	prober_run(s.sim, s.a, s.prober);
	const struct route_option *route = &answer_to(&s, 0)->ip.route;
	assert_int_equal(route->used, 2);
	assert_addr(route->addrs[0], interface_address(s.world, "r1", "r2", 4));
	assert_addr(route->addrs[1], interface_address(s.world, "r2", "r3", 4));
	scene_end(&s);
}

/* RFC 791 3.1, flag 1: every router writes its address and the time. The prober starts at 0. */
static void test_timestamps(void **state)
{
	struct scene s = scene_of(chain("silent: false", ""));
	struct packet_spec spec = echo_spec(s.from[4], s.to[4], 0, 1);
	(void)state;
	spec.ip.timestamp = (struct timestamp_option){.present = true, .flag = 1, .slots = 4};
	for (unsigned i = 0; i < 4; i++)
		spec.ip.timestamp.addrs[i] = addr_v4(0);
	(void)prober_add(s.prober, 0, &spec);
	prober_run(s.sim, s.a, s.prober);
	const struct timestamp_option *timestamp = &answer_to(&s, 0)->ip.timestamp;
	assert_int_equal(timestamp->used, 4);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(timestamp->times[i], i + 1); /* ms: a link takes one */
	assert_addr(timestamp->addrs[1], interface_address(s.world, "r2", "r3", 4));
	assert_int_not_equal(timestamp->overflow, 0);
	scene_end(&s);
}

/* Burst 3, 1 a second: of ten at once three are answered, 2.5 s later two more. Echo is not limited. */
static void test_error_limit(void **state)
{
	struct scene s = scene_of(chain("error_limit: {burst: 3, per_second: 1}", ""));
	unsigned answered = 0, later = 0;
	(void)state;
	for (uint8_t i = 0; i < 10; i++)
		(void)prober_add_udp(s.prober, 0, s.from[6], s.to[6], 2, 1000, i);
	for (uint8_t i = 10; i < 20; i++)
		(void)prober_add_udp(s.prober, 2500 * NS_PER_MS, s.from[6], s.to[6], 2, 1000, i);
	prober_run(s.sim, s.a, s.prober);
	for (unsigned i = 0; i < 10; i++) {
		answered += (unsigned)s.prober->probes[i].answers;
		later += (unsigned)s.prober->probes[10 + i].answers;
	}
	assert_int_equal(answered, 3);
	assert_int_equal(later, 2);
	assert_int_equal(sim_counts(s.sim).rate_limited, 15);
	scene_end(&s);
}

static void test_silence_and_quotes(void **state)
{
	struct scene s = scene_of(chain("silent: true", ""));
	(void)state;
	(void)prober_add_udp(s.prober, 0, s.from[4], s.to[4], 2, 1000, 1);
	(void)prober_add_udp(s.prober, 0, s.from[4], s.to[4], 3, 1000, 2);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(s.prober->probes[0].answers, 0);
	/* from the quote: the TTL that ran out, and all of the packet */
	assert_int_equal(answer_to(&s, 1)->quoted_ip.ttl, 1);
	assert_int_equal(answer_to(&s, 1)->transport.payload_length, s.prober->probes[1].length);
	scene_end(&s);

	s = scene_of(chain("quote_bytes: 28, reply_delay_ms: 40", ""));
	(void)prober_add_udp(s.prober, 0, s.from[4], s.to[4], 2, 1000, 50);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(answer_to(&s, 0)->transport.payload_length, 28);
	assert_int_equal(s.prober->probes[0].answered_ns - s.prober->probes[0].sent_ns, 44 * NS_PER_MS);
	scene_end(&s);
}

static void check_refusal(const char *word, int code4, int code6)
{
	char routes[100];
	snprintf(routes, sizeof(routes), "routes:\n  - {at: r2, to: b, refuse: %s}\n", word);
	struct scene s = scene_of(chain("silent: false", routes));
	(void)prober_add_udp(s.prober, 0, s.from[4], s.to[4], 9, 1000, 1);
	(void)prober_add_udp(s.prober, 0, s.from[6], s.to[6], 9, 1000, 2);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(answer_to(&s, 0)->transport.icmp_type, 3);
	assert_int_equal(answer_to(&s, 0)->transport.icmp_code, code4);
	assert_int_equal(answer_to(&s, 1)->transport.icmp_type, 1);
	assert_int_equal(answer_to(&s, 1)->transport.icmp_code, code6);
	scene_end(&s);
}

static void test_refusals(void **state)
{
	(void)state;
	check_refusal("net", 0, 0);    /* net unreachable; no route */
	check_refusal("host", 1, 3);   /* host; address unreachable */
	check_refusal("admin", 13, 1); /* administratively prohibited */
}

/* An address of the AS that nobody has: its gateway says so. One outside of all: the first router. */
static void test_nobody_there(void **state)
{
	struct scene s = scene_of(chain("silent: false", ""));
	(void)state;
	(void)prober_add_udp(s.prober, 0, s.from[4], addr_v4(0xc00002c8), 9, 1000, 1); /* 192.0.2.200 */
	(void)prober_add_udp(s.prober, 0, s.from[4], addr_v4(0xcb007101), 9, 1000, 2); /* 203.0.113.1 */
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(answer_to(&s, 0)->transport.icmp_code, 1);
	assert_int_equal(answer_to(&s, 1)->transport.icmp_code, 0);
	scene_end(&s);
}

/* RFC 9293 3.5.2: SYN to a closed port. */
static void test_reset(void **state)
{
	struct scene s = scene_of(chain("silent: false", ""));
	struct packet_spec spec = {
		.ip = {.source = s.from[6], .destination = s.to[6], .ttl = 64, .protocol = PROTOCOL_TCP},
		.transport = {.source_port = 40000,
			.destination_port = 80,
			.tcp_flags = TCP_SYN,
			.tcp_sequence = 1234},
	};
	(void)state;
	(void)prober_add(s.prober, 0, &spec);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(answer_to(&s, 0)->transport.tcp_flags, TCP_RST | TCP_ACK);
	assert_int_equal(answer_to(&s, 0)->transport.tcp_acknowledgement, 1235);
	scene_end(&s);
}

static enum machine_want idle_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	(void)self, (void)now_ns, (void)outgoing;
	*wake_ns = TIME_NEVER;
	return MACHINE_WAIT;
}

static void idle_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	(void)received_ns, (void)packet;
	++*(unsigned *)self;
}

/* Code 1 is the responder's, as long as there is one; code 0 stays the host's. */
static void test_responder_host(void **state)
{
	static const struct machine_ops idle_ops = {idle_next, NULL, idle_packet};
	(void)state;
	for (unsigned with = 0; with < 2; with++) {
		struct scene s = scene_of(chain("silent: false", ""));
		unsigned seen = 0;
		struct machine idle = {&idle_ops, &seen};
		struct packet_spec zero = echo_spec(s.from[4], s.to[4], 0, 1),
				   one = echo_spec(s.from[4], s.to[4], 1, 2);
		assert_int_equal(
			sim_attach(s.sim, s.b, &idle, SIM_BACKGROUND | (with ? SIM_RESPONDER : 0)), 0);
		(void)prober_add(s.prober, 0, &zero);
		(void)prober_add(s.prober, 0, &one);
		prober_run(s.sim, s.a, s.prober);
		assert_int_equal(s.prober->probes[0].answers, 1);
		assert_int_equal(s.prober->probes[1].answers, with ? 0 : 1);
		assert_int_equal(seen, 2);
		scene_end(&s);
	}
}

/* Of 200 packets over 30 % loss each way about 98 come back: 0.7 * 0.7 * 200, six standard deviations are 42.
 */
static void test_loss_and_faults(void **state)
{
	struct scene s = scene_of(chain("silent: false",
		"faults:\n"
		"  - {link: [r2, r3], until_s: 10, loss: 0.3}\n"
		"  - {link: [r1, r2], after_s: 20, until_s: 30, down: true}\n"
		"  - {link: [r1, r2], after_s: 40, delay_ms: 5}\n"));
	unsigned answers = 0;
	(void)state;
	for (uint16_t i = 0; i < 200; i++) {
		struct packet_spec spec = echo_spec(s.from[4], s.to[4], 0, i);
		(void)prober_add(s.prober, i * 40 * NS_PER_MS, &spec);
	}
	const int64_t times[] = {15, 25, 35, 45};
	for (uint16_t i = 0; i < 4; i++) {
		struct packet_spec spec = echo_spec(s.from[4], s.to[4], 0, (uint16_t)(1000 + i));
		(void)prober_add(s.prober, times[i] * NS_PER_S, &spec);
	}
	prober_run(s.sim, s.a, s.prober);
	for (unsigned i = 0; i < 200; i++)
		answers += (unsigned)s.prober->probes[i].answers;
	assert_in_range(answers, 56, 140);
	const struct probe *late = &s.prober->probes[200];
	assert_int_equal(late[0].answers, 1);
	assert_int_equal(late[1].answers, 0);
	assert_int_equal(late[2].answers, 1);
	assert_int_equal(late[2].answered_ns - late[2].sent_ns, 8 * NS_PER_MS);
	assert_int_equal(late[3].answered_ns - late[3].sent_ns, 18 * NS_PER_MS);
	scene_end(&s);
}

static const char square[] = WORLD_HEAD "routers:\n"
					"  - {name: r1, as: 64496, behaviour: {balance: %s}}\n"
					"  - {name: up, as: 64496}\n"
					"  - {name: down, as: 64496}\n"
					"  - {name: r2, as: 64496}\n"
					"links:\n"
					"  - {from: a, to: r1}\n"
					"  - {from: r1, to: up}\n"
					"  - {from: r1, to: down}\n"
					"  - {from: up, to: r2}\n"
					"  - {from: down, to: r2}\n"
					"  - {from: r2, to: b}\n"
					"%s";

static struct scene square_scene(const char *balance, const char *rest)
{
	char text[2000];
	snprintf(text, sizeof(text), square, balance, rest);
	return scene_of(scene_world(text));
}

/* How many of `count` probes to hop 2 went up; ports differ when `flows`. */
static unsigned count_up(struct scene *s, uint8_t family, unsigned count, bool flows)
{
	unsigned up = 0, down = 0;
	for (unsigned i = 0; i < count; i++)
		(void)prober_add_udp(s->prober, i * 100 * NS_PER_MS, s->from[family], s->to[family], 2,
			(uint16_t)(20000 + (flows ? i : 0)), (uint8_t)i);
	prober_run(s->sim, s->a, s->prober);
	for (unsigned i = 0; i < count; i++) {
		struct addr source = answer_to(s, i)->ip.source;
		up += addr_equal(source, interface_address(s->world, "up", "r1", family));
		down += addr_equal(source, interface_address(s->world, "down", "r1", family));
	}
	assert_int_equal(up + down, count);
	return up;
}

static void check_balance(const char *balance, bool flows, unsigned least, unsigned most)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct scene s = square_scene(balance, "");
		unsigned up = count_up(&s, family, 100, flows);
		if (up < least || up > most)
			fail_msg("balance %s, IPv%u: %u of 100 went up", balance, family, up);
		scene_end(&s);
	}
}

static void test_balance(void **state)
{
	struct scene s;
	(void)state;
	check_balance("none", true, 100, 100); /* the first link of the file */
	check_balance("flow", true, 20, 80);   /* six standard deviations */
	check_balance("packet", false, 50, 50);
	/* one flow, one way */
	s = square_scene("flow", "");
	unsigned up = count_up(&s, 6, 50, false);
	assert_true(up == 0 || up == 50);
	scene_end(&s);
	/* the truth knows both ways, and which one a flow takes */
	s = square_scene("flow", "");
	struct truth truths[4], one;
	assert_int_equal(sim_truths(s.sim, s.a, s.to[4], truths, 4), 2);
	assert_int_equal(sim_truths(s.sim, s.b, s.from[4], truths, 4), 1);
	for (uint16_t port = 0; port < 50; port++)
		(void)prober_add_udp(s.prober, port * NS_PER_S, s.from[4], s.to[4], 2, port, (uint8_t)port);
	prober_run(s.sim, s.a, s.prober);
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(
			sim_truth(s.sim, s.a, s.prober->probes[i].bytes, s.prober->probes[i].length, &one),
			0);
		assert_addr(answer_to(&s, i)->ip.source, one.hops[1].address);
	}
	scene_end(&s);
}

/* From b to a by way of up; r1's error goes home by way of down, and shows that interface. */
static void test_outbound_error_source(void **state)
{
	struct scene s =
		square_scene("none, error_source: outbound", "routes:\n  - {at: r1, to: b, via: [down]}\n");
	(void)state;
	for (uint8_t family = 4; family <= 6; family += 2)
		(void)prober_add_udp(s.prober, 0, s.to[family], s.from[family], 3, 1000, family);
	prober_run(s.sim, s.b, s.prober);
	assert_addr(answer_to(&s, 0)->ip.source, interface_address(s.world, "r1", "down", 4));
	assert_addr(answer_to(&s, 1)->ip.source, interface_address(s.world, "r1", "down", 6));
	scene_end(&s);
}

/* A link that is down is routed around when the fault says so, and not otherwise. */
static void test_reroute(void **state)
{
	(void)state;
	for (unsigned reroute = 0; reroute < 2; reroute++) {
		struct scene s = square_scene("none",
			reroute ? "faults:\n  - {link: [r1, up], after_s: 5, until_s: 10, down: true, "
				  "reroute: true}\n"
				: "faults:\n  - {link: [r1, up], after_s: 5, until_s: 10, down: true}\n");
		for (uint8_t i = 0; i < 3; i++)
			(void)prober_add_udp(
				s.prober, (1 + 6 * i) * NS_PER_S, s.from[4], s.to[4], 2, 1000, i);
		prober_run(s.sim, s.a, s.prober);
		struct addr up = interface_address(s.world, "up", "r1", 4);
		assert_addr(answer_to(&s, 0)->ip.source, up);
		assert_int_equal(s.prober->probes[1].answers, reroute);
		if (reroute)
			assert_addr(answer_to(&s, 1)->ip.source, interface_address(s.world, "down", "r1", 4));
		assert_addr(answer_to(&s, 2)->ip.source, up);
		scene_end(&s);
	}
}

/* Inside a tunnel that copies TTLs a quoted packet has the TTL it had at the entrance: 1, 2, ... */
static void test_tunnel_quotes(void **state)
{
	struct world *world;
	(void)state;
	assert_int_equal(world_load("mpls", &world, NULL), 0);
	struct sim *sim = sim_new(world, 1);
	struct prober *prober = calloc(1, sizeof(*prober));
	uint32_t client = world_find_node(world, "client"), server = world_find_node(world, "server");
	for (uint8_t ttl = 3; ttl <= 5; ttl++)
		(void)prober_add_udp(prober, 0, world_node_address(world, client, 4),
			world_node_address(world, server, 4), ttl, 1000, ttl);
	prober_run(sim, client, prober);
	assert_int_equal(prober->probes[0].answer.quoted_ip.ttl, 1);
	assert_int_equal(prober->probes[1].answer.quoted_ip.ttl, 2);
	assert_int_equal(prober->probes[2].answer.quoted_ip.ttl, 1); /* the egress sees plain IP */
	assert_true(prober->probes[0].answer.extensions.checksum_ok);
	assert_int_equal(prober->probes[0].answer.extensions.mpls[0].ttl, 1);
	assert_true(prober->probes[0].answer.extensions.mpls[0].bottom);
	/* north1's error goes on to pe2 before it turns: 3.2 there, 5 on; then pe2's way
	 * back: 2.5+3.5+2.5+0.9+0.3 */
	assert_int_equal(prober->probes[0].answered_ns, 17900000);
	free(prober);
	sim_free(sim);
	world_free(world);
}

/* Same seed, same run. */
static void test_repeatable(void **state)
{
	uint64_t answered[2] = {0, 0};
	(void)state;
	for (unsigned run = 0; run < 2; run++) {
		struct scene s =
			scene_of(chain("silent: false", "faults:\n  - {link: [r1, r2], loss: 0.5}\n"));
		for (uint16_t i = 0; i < 60; i++) {
			struct packet_spec spec = echo_spec(s.from[4], s.to[4], 0, i);
			(void)prober_add(s.prober, i * NS_PER_MS, &spec);
		}
		prober_run(s.sim, s.a, s.prober);
		for (unsigned i = 0; i < 60; i++)
			answered[run] = answered[run] << 1 | (s.prober->probes[i].answers > 0);
		scene_end(&s);
	}
	assert_int_equal(answered[0], answered[1]);
	assert_int_not_equal(answered[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error_source),
		cmocka_unit_test(test_record_route),
		cmocka_unit_test(test_record_route_dropped),
		cmocka_unit_test(test_record_route_full),
		cmocka_unit_test(test_timestamps),
		cmocka_unit_test(test_error_limit),
		cmocka_unit_test(test_silence_and_quotes),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_responder_host),
		cmocka_unit_test(test_loss_and_faults),
		cmocka_unit_test(test_balance),
		cmocka_unit_test(test_outbound_error_source),
		cmocka_unit_test(test_reroute),
		cmocka_unit_test(test_tunnel_quotes),
		cmocka_unit_test(test_repeatable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
