/* The forward trace in worlds that do something to its probes: what gets through, and what replies give away.
 */
#include "scene.h"

#include "trace/automatic.h"

static struct automatic automatic;

static const uint8_t families[] = {4, 6};

/* A trace from a to b by `protocol`; with `all`, others are tried where it does not get through. */
static struct path *trace(
	struct scene *scene, uint8_t family, enum probe_protocol protocol, uint8_t tos, bool all)
{
	static const struct automatic_other others[] = {
		{PROBE_ICMP, {.icmp_id = 9, .icmp_checksum = 0x4242, .flow_label = 5}},
		{PROBE_TCP, {.source_port = 41000, .destination_port = 443, .flow_label = 5}},
		{PROBE_TCP, {.source_port = 41000, .destination_port = 80, .flow_label = 5}},
	};
	struct trace_config config = trace_defaults();
	config.protocol = protocol;
	config.source = scene->from[family];
	config.destination = scene->to[family];
	config.tos = tos;
	config.flow = (struct flow){.source_port = 41000,
		.destination_port = protocol == PROBE_TCP ? 80 : 33434,
		.flow_label = 5,
		.icmp_id = 99,
		.icmp_checksum = 0x1111};
	config.key = (struct hash_key){1, 2};
	automatic_deinit(&automatic);
	automatic_init(&automatic, &config, others, all ? ARRAY_LEN(others) : 0);
	struct machine machine = automatic_machine(&automatic);
	assert_int_equal(sim_attach(scene->sim, scene->a, &machine, 0), 0);
	assert_true(sim_run(scene->sim, sim_now(scene->sim) + 60 * NS_PER_S));
	struct path *path = automatic_path(&automatic, 0, sim_now(scene->sim));
	assert_non_null(path);
	return path;
}

static void assert_routers(const struct scene *scene, const struct path *path, uint8_t family, size_t count)
{
	static const char *const nodes[] = {"r1", "r2", "r3"}, *const before[] = {"a", "r1", "r2"};
	assert_true(path->hop_count >= count);
	for (size_t i = 0; i < count && i < 3; i++)
		assert_addr(
			path->hops[i].address, interface_address(scene->world, nodes[i], before[i], family));
	if (count == 4)
		assert_addr(path->hops[3].address, scene->to[family]);
}

/* What each firewall lets through, and which protocol must therefore have found the hops behind r2. */
static void test_automatic_through_firewalls(void **state)
{
	static const struct {
		const char *firewall;
		int protocol; /* -1: none */
	} cases[] = {
		{"firewall: [{do: drop, protocol: udp}]", PROBE_ICMP},
		{"firewall: [{do: drop, protocol: udp}, {do: drop, protocol: icmp}]", PROBE_TCP},
		{"firewall: [{do: drop, protocol: udp}, {do: drop, protocol: icmp}, {do: drop, protocol: "
		 "tcp, port: 443}]",
			PROBE_TCP},
		{"firewall: [{do: drop, protocol: udp}, {do: drop, protocol: icmp}, {do: drop, protocol: "
		 "tcp}]",
			-1},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases) * 2; i++) {
		struct scene s = scene_of(chain(cases[i / 2].firewall, ""));
		uint8_t family = families[i % 2];
		struct path *path = trace(&s, family, PROBE_UDP, 0, true);
		int protocol = cases[i / 2].protocol;
		assert_int_equal(path->reached, protocol >= 0);
		assert_routers(&s, path, family, protocol == PROBE_ICMP ? 4 : 2);
		/* Where ICMP is dropped, so are the errors of r3; the destination says no by TCP. */
		if (protocol == PROBE_TCP) {
			assert_int_equal(path->hop_count, 4);
			assert_int_equal(path->hops[2].received, 0);
			assert_addr(path->hops[3].address, s.to[family]);
		}
		assert_int_equal(path->hops[0].protocol, -1);
		assert_int_equal(path->try_count, 4);
		for (size_t hop = 2; protocol >= 0 && hop < 4; hop++)
			assert_int_equal(path->hops[hop].protocol, protocol);
		assert_true(path->probes_sent <= 60);
		path_free(path);
		scene_end(&s);
	}
}

/* An explicit protocol is the only one that is sent. */
static void test_one_protocol_only(void **state)
{
	(void)state;
	struct scene s = scene_of(chain("firewall: [{do: drop, protocol: udp}]", ""));
	struct path *path = trace(&s, 4, PROBE_UDP, 0, false);
	assert_false(path->reached);
	assert_int_equal(path->try_count, 0);
	path_free(path);
	path = trace(&s, 4, PROBE_TCP, 0, false);
	assert_true(path->reached);
	assert_routers(&s, path, 4, 4);
	path_free(path);
	scene_end(&s);
}

/* Ten hops, 20 ms: whatever the destination answers with tells how far it is, so that two round trips are
 * enough, and no packet is sent beyond it. */
static void test_two_round_trips(void **state)
{
	static const enum probe_protocol protocols[] = {PROBE_UDP, PROBE_ICMP, PROBE_TCP};
	(void)state;
	struct world *world;
	assert_int_equal(world_load("plain10", &world, NULL), 0);
	struct scene s = {.world = world, .sim = sim_new(world, 42), .a = world_find_node(world, "client")};
	for (size_t i = 0; i < ARRAY_LEN(protocols) * 2; i++) {
		uint8_t family = families[i % 2];
		s.from[family] = world_node_address(world, s.a, family);
		s.to[family] = world_node_address(world, world_find_node(world, "server"), family);
		struct path *path = trace(&s, family, protocols[i / 2], 0, false);
		assert_true(path->reached);
		assert_int_equal(path->hop_count, 10);
		assert_true(path->duration_ns < 50 * NS_PER_MS);
		assert_true(path->probes_sent <= 33);
		path_free(path);
	}
	scene_end(&s);
}

/* r2 clears bits of the traffic class: the quotes of r3 and b say so, those of r1 and r2 do not yet. */
static void test_bleaching_shows_in_quotes(void **state)
{
	static const struct {
		const char *bleach;
		int left;
	} cases[] = {{"bleach: ecn", 0xb8}, {"bleach: dscp", 0x02}, {"bleach: all", 0}};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases) * 2; i++) {
		struct scene s = scene_of(chain(cases[i / 2].bleach, ""));
		struct path *path = trace(&s, families[i % 2], PROBE_UDP, 0xba, false);
		assert_true(path->reached);
		assert_int_equal(path->hops[0].probes[0].quoted.tos, 0xba);
		assert_int_equal(path->hops[2].probes[0].quoted.tos, cases[i / 2].left);
		assert_int_equal(path->hops[3].probes[0].quoted.tos, cases[i / 2].left);
		path_free(path);
		scene_end(&s);
	}
}

/* A router that sends on what it should drop: r3 shows twice, the first time for a probe whose TTL was 0
 * there. */
static void test_zero_ttl_shows_in_quotes(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct scene s = scene_of(chain("zero_ttl: true", ""));
		struct path *path = trace(&s, families[i], PROBE_UDP, 0, false);
		struct addr r3 = interface_address(s.world, "r3", "r2", families[i]);
		assert_true(path->reached);
		assert_addr(path->hops[1].address, r3);
		assert_addr(path->hops[2].address, r3);
		assert_int_equal(path->hops[1].probes[0].quoted.ttl, 0);
		assert_int_equal(path->hops[2].probes[0].quoted.ttl, 1);
		path_free(path);
		scene_end(&s);
	}
}

/* A translator that leaves quotes alone shows its own address and port in those of everything behind it. */
static void test_nat_shows_in_quotes(void **state)
{
	static const char world[] =
		"ases:\n"
		"  - {asn: 64496, name: One, country: DE, prefix: 192.0.2.0/24, prefix6: "
		"\"2001:db8:1::/48\"}\n"
		"hosts:\n"
		"  - {name: a, as: 64496, address: 192.168.1.2}\n"
		"  - {name: b, as: 64496}\n"
		"routers:\n"
		"  - {name: home, as: 64496, behaviour: {nat: {inside: 192.168.1.0/24, quotes: false}}}\n"
		"  - {name: r, as: 64496}\n"
		"links:\n"
		"  - {from: home, to: a, from_address: 192.168.1.1, to_address: 192.168.1.2}\n"
		"  - {from: home, to: r}\n"
		"  - {from: r, to: b}\n";
	static const enum probe_protocol protocols[] = {PROBE_UDP, PROBE_TCP};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		struct scene s = scene_of(scene_world(world));
		struct addr outside = interface_address(s.world, "home", "r", 4);
		struct path *path = trace(&s, 4, protocols[i], 0, false);
		assert_addr(path->hops[0].probes[0].quoted.source, s.from[4]);
		assert_int_equal(path->hops[0].probes[0].quoted.source_port, 41000);
		/* An answer whose quote is another flow's cannot be proven by the flow; UDP has its payload.
		 */
		if (protocols[i] == PROBE_UDP) {
			assert_true(path->reached);
			assert_addr(path->hops[1].probes[0].quoted.source, outside);
			assert_false(path->hops[1].probes[0].quoted.checksum_changed);
		}
		path_free(path);
		scene_end(&s);
	}
}

/* What the answers' own headers say: hop limits as they arrive, from 255 of routers and 64 of hosts. */
static void test_reply_headers(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct scene s = scene_of(chain("silent: false", ""));
		struct path *path = trace(&s, families[i], PROBE_TCP, 0, false);
		assert_true(path->reached);
		for (int hop = 0; hop < 3; hop++)
			assert_int_equal(path->hops[hop].probes[0].reply.ttl, 255 - hop);
		assert_int_equal(path->hops[3].probes[0].reply.ttl, 64 - 3);
		assert_int_equal(path->hops[3].probes[0].tcp_flags, TCP_RST | TCP_ACK);
		path_free(path);
		scene_end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_automatic_through_firewalls),
		cmocka_unit_test(test_one_protocol_only),
		cmocka_unit_test(test_two_round_trips),
		cmocka_unit_test(test_bleaching_shows_in_quotes),
		cmocka_unit_test(test_zero_ttl_shows_in_quotes),
		cmocka_unit_test(test_nat_shows_in_quotes),
		cmocka_unit_test(test_reply_headers),
	};
	int result = cmocka_run_group_tests(tests, NULL, NULL);
	automatic_deinit(&automatic);
	return result;
}
