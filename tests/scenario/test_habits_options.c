/* What routers and targets do with IPv4 options, one habit a test. */
#include "scene.h"

#define TARGET_WORLD                                                                                         \
	"ases:\n"                                                                                            \
	"  - {asn: 64496, name: One, country: DE, prefix: 192.0.2.0/24, prefix6: \"2001:db8:1::/48\"}\n"     \
	"hosts:\n"                                                                                           \
	"  - {name: a, as: 64496}\n"                                                                         \
	"  - {name: b, as: 64496, behaviour: {%s}}\n"                                                        \
	"routers: [{name: r1, as: 64496}]\n"                                                                 \
	"links: [{from: a, to: r1}, {from: r1, to: b}]\n"

/* a - r1 - b; `behaviour` is b's */
static struct scene target(const char *behaviour)
{
	char text[2000];
	snprintf(text, sizeof(text), TARGET_WORLD, behaviour);
	return scene_of(scene_world(text));
}

static void assert_route(const struct route_option *route, const struct addr *expected, unsigned count)
{
	assert_true(route->present);
	assert_int_equal(route->used, count);
	for (unsigned i = 0; i < count; i++)
		assert_addr(route->addrs[i], expected[i]);
}

/* GCE strips options (the packet is answered as if it had none); the target never sees any. */
static void test_strip(void **state)
{
	struct scene s = scene_of(chain("record_route: strip", ""));
	struct packet_spec spec = record_route_spec(&s, 9);
	struct watcher watcher;
	(void)state;
	watch(s.sim, s.b, &watcher);
	(void)prober_add(s.prober, 0, &spec);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(watcher.seen, 1);
	assert_false(watcher.last.ip.route.present);
	assert_int_equal(watcher.last.ip.header_length, 20);
	assert_true(watcher.last.checksum_ok);
	assert_false(answer_to(&s, 0)->ip.route.present);
	scene_end(&s);
}

/* An address nobody can reach (RFC 1918). */
static void test_private_stamp(void **state)
{
	struct scene s = scene_of(chain("record_route: private", ""));
	struct packet_spec spec = record_route_spec(&s, 9);
	(void)state;
	(void)prober_add(s.prober, 0, &spec);
	prober_run(s.sim, s.a, s.prober);
	const struct route_option *route = &answer_to(&s, 0)->ip.route;
	assert_int_equal(route->used, 8);
	assert_true(addr_is_private(route->addrs[1]));
	assert_null(world_find_address(s.world, route->addrs[1]));
	assert_addr(route->addrs[1], route->addrs[6]); /* the same router on the way back */
	scene_end(&s);
}

/* Ten at once through a slow path for five, 2 a second: five come through; packets without options all do. */
static void test_slow_path(void **state)
{
	struct scene s = scene_of(chain("options_limit: {burst: 5, per_second: 2}", ""));
	struct watcher watcher;
	(void)state;
	watch(s.sim, s.b, &watcher);
	for (uint16_t i = 0; i < 20; i++) {
		struct packet_spec spec = record_route_spec(&s, 9),
				   plain = echo_spec(s.from[4], s.to[4], 0, i);
		(void)prober_add(s.prober, i < 10 ? 0 : 4 * NS_PER_S, i % 10 < 9 ? &spec : &plain);
	}
	prober_run(s.sim, s.a, s.prober);
	/* the first nine: 5 and a plain one; of their answers none (the path is used up); after 4 s: 5 and 1
	 */
	assert_int_equal(watcher.seen, 12);
	assert_int_equal(sim_counts(s.sim).rate_limited, 4 + 5 + 4 + 5);
	scene_end(&s);
}

/* Twice, once in the reply, as another address, not at all. */
static void check_own_stamps(const char *behaviour, unsigned stamps, bool alias)
{
	struct scene s = target(behaviour);
	struct packet_spec spec = record_route_spec(&s, 9);
	(void)prober_add(s.prober, 0, &spec);
	prober_run(s.sim, s.a, s.prober);
	const struct route_option *route = &answer_to(&s, 0)->ip.route;
	assert_int_equal(route->used, 2 + stamps);
	assert_addr(route->addrs[0], interface_address(s.world, "r1", "b", 4));
	for (unsigned i = 1; i <= stamps; i++)
		assert_int_equal(addr_equal(route->addrs[i], s.to[4]), !alias);
	assert_addr(route->addrs[1 + stamps], interface_address(s.world, "r1", "a", 4));
	scene_end(&s);
}

static void test_own_stamps(void **state)
{
	(void)state;
	check_own_stamps("own_stamps: twice", 2, false);
	check_own_stamps("own_stamps: once", 1, false);
	check_own_stamps("own_stamps: alias", 1, true);
	check_own_stamps("own_stamps: none", 0, false);
}

/* A router that is asked at its loopback stamps that, twice like Linux; as an alias the way out. */
static void test_router_as_target(void **state)
{
	(void)state;
	for (unsigned alias = 0; alias < 2; alias++) {
		struct scene s = scene_of(chain(alias ? "own_stamps: alias" : "own_stamps: twice", ""));
		struct addr loopback = world_node_address(s.world, world_find_node(s.world, "r2"), 4);
		struct addr r1_out = interface_address(s.world, "r1", "r2", 4),
			    r1_back = interface_address(s.world, "r1", "a", 4),
			    r2_back = interface_address(s.world, "r2", "r1", 4);
		struct packet_spec spec = record_route_spec(&s, 9);
		spec.ip.destination = loopback;
		(void)prober_add(s.prober, 0, &spec);
		prober_run(s.sim, s.a, s.prober);
		if (alias)
			assert_route(
				&answer_to(&s, 0)->ip.route, (struct addr[]){r1_out, r2_back, r1_back}, 3);
		else
			assert_route(&answer_to(&s, 0)->ip.route,
				(struct addr[]){r1_out, loopback, loopback, r1_back}, 4);
		scene_end(&s);
	}
}

static void check_ping(const char *behaviour, int plain, int with)
{
	struct scene s = target(behaviour);
	struct packet_spec specs[] = {echo_spec(s.from[4], s.to[4], 0, 7), record_route_spec(&s, 9)};
	for (unsigned i = 0; i < 2; i++)
		(void)prober_add(s.prober, 0, &specs[i]);
	prober_run(s.sim, s.a, s.prober);
	assert_int_equal(s.prober->probes[0].answers, plain);
	assert_int_equal(s.prober->probes[1].answers, with);
	scene_end(&s);
}

static void test_ping(void **state)
{
	(void)state;
	check_ping("ping: all", 1, 1);
	check_ping("ping: plain", 1, 0);
	check_ping("ping: none", 0, 0);
}

static const struct timestamp_option *ask_time(
	struct scene *s, uint8_t flag, uint8_t slots, const struct addr *listed)
{
	struct packet_spec spec = echo_spec(s->from[4], s->to[4], 0, 1);
	spec.ip.timestamp = (struct timestamp_option){.present = true, .flag = flag, .slots = slots};
	for (unsigned i = 0; i < slots; i++)
		spec.ip.timestamp.addrs[i] = listed ? listed[i] : addr_v4(0);
	(void)prober_add(s->prober, 0, &spec);
	prober_run(s->sim, s->a, s->prober);
	return &answer_to(s, 0)->ip.timestamp;
}

/* RFC 791 3.1: flag 0 is times only: r1, the target twice, r1 again, a millisecond a link. */
static void test_time_only(void **state)
{
	struct scene s = target("own_stamps: twice");
	(void)state;
	const struct timestamp_option *option = ask_time(&s, 0, 9, NULL);
	const uint32_t expected[] = {1, 2, 2, 3};
	assert_int_equal(option->used, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(option->times[i], expected[i]);
	assert_int_equal(option->overflow, 0);
	scene_end(&s);
}

/* Flag 3: in the order of the list, and only whom it names. */
static void test_prespecified(void **state)
{
	struct scene s = scene_of(chain("silent: false", ""));
	struct addr to_r1 = interface_address(s.world, "r2", "r1", 4);
	(void)state;
	const struct timestamp_option *option =
		ask_time(&s, 3, 4, (struct addr[]){to_r1, s.to[4], to_r1, addr_v4(0xcb007163)});
	const uint32_t expected[] = {2, 4, 6};
	assert_int_equal(option->used, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(option->times[i], expected[i]);
	scene_end(&s);
}

/* One in six answers and does not stamp; some old systems stamp the next place, whoever is named there. */
static void test_time_habits(void **state)
{
	(void)state;
	struct scene s = target("timestamp: none");
	assert_int_equal(ask_time(&s, 3, 2, (struct addr[]){s.to[4], s.to[4]})->used, 0);
	scene_end(&s);

	s = target("timestamp: standard");
	assert_int_equal(ask_time(&s, 3, 2, (struct addr[]){s.to[4], addr_v4(0xcb007163)})->used, 1);
	scene_end(&s);

	s = target("timestamp: careless");
	const struct timestamp_option *option =
		ask_time(&s, 3, 2, (struct addr[]){s.to[4], addr_v4(0xcb007163)});
	assert_int_equal(option->used, 2);
	assert_int_equal(option->times[1] - option->times[0], 0); /* RevTr's sign of it: within 3 ms */
	scene_end(&s);
}

/* A router of Linux, in a namespace, with `ping -R -t 1` and `ping -T tsprespec`: the packet is stamped as it comes
 * in, quoted like that, and its options go back with the error, where they are stamped again. Others do not. */
static void test_options_of_errors(void **state)
{
	(void)state;
	for (unsigned is_linux = 0; is_linux < 2; is_linux++) {
		struct scene s = scene_of(
			chain(is_linux ? "error_source: linux, timestamp: linux" : "error_source: outbound", ""));
		struct addr r1 = interface_address(s.world, "r1", "r2", 4),
			    r2 = interface_address(s.world, "r2", "r1", 4),
			    back = interface_address(s.world, "r1", "a", 4);
		struct packet_spec spec = record_route_spec(&s, 9);
		spec.ip.ttl = 2;
		(void)prober_add(s.prober, 0, &spec);
		spec = echo_spec(s.from[4], s.to[4], 0, 2);
		spec.ip.ttl = 2;
		spec.ip.timestamp = (struct timestamp_option){
			.present = true, .flag = 3, .slots = 3, .addrs = {r2, r2, r2}};
		(void)prober_add(s.prober, NS_PER_S, &spec);
		prober_run(s.sim, s.a, s.prober);
		const struct packet *route = answer_to(&s, 0), *time = answer_to(&s, 1);
		assert_int_equal(route->transport.icmp_kind, ICMP_TIME_EXCEEDED);
		assert_addr(route->ip.source, r2);
		assert_int_equal(route->ip.route.present, is_linux);
		assert_int_equal(time->ip.timestamp.used, 2 * is_linux);
		assert_int_equal(time->quoted_ip.timestamp.used, is_linux);
		if (is_linux) {
			assert_route(&route->ip.route, (struct addr[]){r1, r2, r2, back}, 4);
			assert_route(&route->quoted_ip.route, (struct addr[]){r1, r2}, 2);
		} else {
			assert_route(&route->quoted_ip.route, (struct addr[]){r1}, 1);
		}
		scene_end(&s);
	}
}

/* Packets of one flow with options alternate between the two ways; without they stay. */
static void test_options_balance(void **state)
{
	static const char square[] = WORLD_HEAD
		"routers:\n"
		"  - {name: r1, as: 64496, behaviour: {balance: options}}\n"
		"  - {name: up, as: 64496}\n"
		"  - {name: down, as: 64496}\n"
		"  - {name: r2, as: 64496}\n"
		"links: [{from: a, to: r1}, {from: r1, to: up}, {from: r1, to: down}, {from: up, to: r2},"
		" {from: down, to: r2}, {from: r2, to: b}]\n";
	struct scene s = scene_of(scene_world(square));
	unsigned plain_up = 0, optioned_up = 0;
	(void)state;
	struct addr up = interface_address(s.world, "up", "r1", 4),
		    up_out = interface_address(s.world, "r1", "up", 4);
	for (uint8_t i = 0; i < 10; i++)
		(void)prober_add_udp(s.prober, i * NS_PER_S, s.from[4], s.to[4], 2, 1000, i);
	for (uint16_t i = 0; i < 10; i++) {
		struct packet_spec spec = record_route_spec(&s, 9);
		spec.transport.icmp_seq = (uint16_t)(100 + i); /* the others count as 0 */
		spec.force_checksum = 0x1234;		       /* one flow */
		(void)prober_add(s.prober, (20 + i) * NS_PER_S, &spec);
	}
	prober_run(s.sim, s.a, s.prober);
	for (unsigned i = 0; i < 10; i++) {
		plain_up += addr_equal(answer_to(&s, i)->ip.source, up);
		optioned_up += addr_equal(answer_to(&s, 10 + i)->ip.route.addrs[0], up_out);
	}
	assert_true(plain_up == 0 || plain_up == 10);
	assert_int_equal(optioned_up, 5);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strip),
		cmocka_unit_test(test_private_stamp),
		cmocka_unit_test(test_slow_path),
		cmocka_unit_test(test_own_stamps),
		cmocka_unit_test(test_router_as_target),
		cmocka_unit_test(test_ping),
		cmocka_unit_test(test_time_only),
		cmocka_unit_test(test_prespecified),
		cmocka_unit_test(test_time_habits),
		cmocka_unit_test(test_options_of_errors),
		cmocka_unit_test(test_options_balance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
