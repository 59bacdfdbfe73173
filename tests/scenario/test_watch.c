/* Continuous rounds through worlds in virtual time: what is said is compared with what the world does. */
#include "watching.h"

static struct rounds_config config_of(const struct scene *scene, unsigned count, enum probe_protocol protocol)
{
	struct rounds_config config = rounds_defaults();
	config.rounds = count;
	config.engine.protocol = protocol;
	config.engine.source = scene->from[4];
	config.engine.destination = scene->to[4];
	config.engine.flow = protocol == PROBE_ICMP
		? (struct flow){.icmp_id = 7, .icmp_checksum = 0x1234}
		: (struct flow){.source_port = 50000, .destination_port = 33434};
	config.engine.key = (struct hash_key){5, 6};
	return config;
}

static void watch_for(struct scene *scene, unsigned count, enum probe_protocol protocol)
{
	struct rounds_config config = config_of(scene, count, protocol);
	run_rounds(scene, &config, NULL, 0);
}

static struct loss loss_at(unsigned ttl)
{
	return timeline_loss(&rounds.timeline, ttl);
}

static void test_healthy(void **state)
{
	(void)state;
	struct scene scene = scene_of(chain("", ""));
	watch_for(&scene, 30, PROBE_ICMP);
	for (unsigned ttl = 1; ttl <= 4; ttl++) {
		assert_int_equal(loss_at(ttl).sent, 30);
		assert_int_equal(loss_at(ttl).lost, 0);
	}
	assert_int_equal(rounds.timeline.end, 4);
	struct measurement m = concluded(&scene);
	assert_int_equal(m.finding_count, 0);
	measurement_deinit(&m);
	scene_end(&scene);
}

/* One packet in ten is lost between r2 and r3: there and behind it is loss, before it is none. */
static void test_true_loss(void **state)
{
	(void)state;
	struct scene scene = scene_of(chain("", "faults:\n  - {link: [r2, r3], loss: 0.1, one_way: true}\n"));
	watch_for(&scene, 600, PROBE_ICMP);
	assert_int_equal(loss_at(1).lost, 0);
	assert_int_equal(loss_at(2).lost, 0);
	for (unsigned ttl = 3; ttl <= 4; ttl++) {
		assert_true(loss_at(ttl).share.low <= 0.1 && loss_at(ttl).share.high >= 0.1);
		assert_true(loss_at(ttl).share.low > 0.05);
	}
	struct measurement m = concluded(&scene);
	const struct finding *finding = must_find(&m, "loss-undirected");
	assert_int_equal(finding->confidence, CONFIDENCE_LIKELY);
	assert_int_equal(finding->hops[0], 3);
	assert_null(finding_of(&m, "reply-rate-limited"));
	assert_null(finding_of(&m, "path-changed"));
	measurement_deinit(&m);
	scene_end(&scene);
}

/* r2 answers two times in five seconds: it skips, is found out, and nothing is called loss. */
static void test_limiter_is_not_loss(void **state)
{
	(void)state;
	struct scene scene = scene_of(chain("error_limit: {burst: 1, per_second: 0.5}", ""));
	watch_for(&scene, 120, PROBE_ICMP);
	for (unsigned ttl = 1; ttl <= 4; ttl++)
		assert_int_equal(loss_at(ttl).lost, 0);
	const struct timeline_hop *hop = timeline_hop(&rounds.timeline, 2);
	assert_int_equal(hop->limit, LIMIT_LIMITS);
	struct measurement m = concluded(&scene);
	const struct finding *finding = must_find(&m, "reply-rate-limited");
	assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
	assert_int_equal(finding->hop_count, 1);
	assert_int_equal(finding->hops[0], 2);
	assert_null(finding_of(&m, "loss-undirected"));
	measurement_deinit(&m);
	scene_end(&scene);
}

/* Whatever the dice say, loss is neither a limit on replies nor a change of the way, and its true share lies
 * in the interval about as often as is claimed. */
static void test_loss_is_nothing_else(void **state)
{
	(void)state;
	static const double losses[] = {0.02, 0.1, 0.3};
	unsigned outside = 0;
	for (unsigned i = 0; i < 30; i++) {
		char faults[100];
		snprintf(faults, sizeof(faults), "faults:\n  - {link: [r2, r3], loss: %g, one_way: true}\n",
			losses[i % 3]);
		struct scene scene = scene_of(chain("", faults));
		sim_free(scene.sim);
		scene.sim = sim_new(scene.world, 1000 + i);
		watch_for(&scene, 400, PROBE_ICMP);
		assert_int_equal(rounds.timeline.changes_ever, 0);
		for (unsigned ttl = 1; ttl <= 4; ttl++)
			assert_int_not_equal(timeline_hop(&rounds.timeline, ttl)->limit, LIMIT_LIMITS);
		outside += loss_at(4).share.low > losses[i % 3] || loss_at(4).share.high < losses[i % 3];
		scene_end(&scene);
	}
	/* One and a half in thirty are expected; six or more are a chance of 1 in 300. */
	assert_true(outside < 6);
}

/* A real loss and a limiter before it: each is told from the other. */
static void test_limiter_and_loss(void **state)
{
	(void)state;
	struct scene scene = scene_of(chain("error_limit: {burst: 1, per_second: 0.5}",
		"faults:\n  - {link: [r3, b], loss: 0.1, one_way: true}\n"));
	watch_for(&scene, 600, PROBE_ICMP);
	assert_int_equal(loss_at(2).lost, 0);
	assert_int_equal(loss_at(3).lost, 0);
	assert_true(loss_at(4).share.low > 0.05 && loss_at(4).share.high < 0.15);
	struct measurement m = concluded(&scene);
	assert_int_equal(must_find(&m, "reply-rate-limited")->hops[0], 2);
	assert_int_equal(must_find(&m, "loss-undirected")->hops[0], 4);
	measurement_deinit(&m);
	scene_end(&scene);
}

/* Rounds from client to server of a shipped world. */
static struct scene shipped(const char *name)
{
	struct scene scene = {0};
	struct error error;
	assert_int_equal(world_load(name, &scene.world, &error), 0);
	scene.sim = sim_new(scene.world, 42);
	scene.a = world_find_node(scene.world, "client");
	scene.b = world_find_node(scene.world, "server");
	scene.from[4] = world_node_address(scene.world, scene.a, 4);
	scene.to[4] = world_node_address(scene.world, scene.b, 4);
	watch_for(&scene, 12, PROBE_ICMP);
	return scene;
}

/* A refusal is said to be one, by whom, and is no loss of the router that refuses. */
static void test_refused(void **state)
{
	(void)state;
	struct scene scene = shipped("refused");
	struct measurement m = concluded(&scene);
	const struct finding *finding = must_find(&m, "refused");
	assert_int_equal(finding->hops[0], 7);
	assert_int_equal(timeline_last(&rounds.timeline), 7);
	assert_int_equal(m.forward->stop_reason, STOP_UNREACHABLE);
	assert_int_equal(loss_at(7).lost, 0);
	assert_string_equal(timeline_shown(timeline_hop(&rounds.timeline, 7))->mark, "!H");
	measurement_deinit(&m);
	scene_end(&scene);
}

/* Beyond the last answer only a hop or two are asked each round, not all there could be. */
static void test_black_hole(void **state)
{
	(void)state;
	struct scene scene = shipped("blackhole");
	struct measurement m = concluded(&scene);
	/* The hops that do not answer; edge, hop 8, is the last that does. */
	assert_int_equal(must_find(&m, "black-hole")->hops[0], 9);
	assert_int_equal(m.forward->stop_reason, STOP_GAP_LIMIT);
	assert_true(rounds.timeline.sent <= 12 * 10 + 12);
	measurement_deinit(&m);
	scene_end(&scene);
}

static struct world *two_ways(const char *faults)
{
	char text[2000];
	snprintf(text, sizeof(text),
		WORLD_HEAD "routers:\n"
			   "  - {name: r1, as: 64496}\n"
			   "  - {name: r2, as: 64496}\n"
			   "  - {name: r3, as: 64496}\n"
			   "  - {name: s2, as: 64496}\n"
			   "  - {name: s3, as: 64496}\n"
			   "links:\n"
			   "  - {from: a, to: r1}\n"
			   "  - {from: r1, to: r2}\n"
			   "  - {from: r2, to: r3}\n"
			   "  - {from: r1, to: s2, cost: 20, delay_ms: 20}\n"
			   "  - {from: s2, to: s3, cost: 20}\n"
			   "  - {from: s3, to: r3, cost: 20}\n"
			   "  - {from: r3, to: b}\n"
			   "%s",
		faults);
	return scene_world(text);
}

/* A link fails after 100 s, is down for 4 s, and then routers go around it, over one router more. */
static void test_link_fault(void **state)
{
	(void)state;
	struct scene scene =
		scene_of(two_ways("faults:\n"
				  "  - {link: [r1, r2], down: true, after_s: 100, until_s: 104}\n"
				  "  - {link: [r1, r2], down: true, reroute: true, after_s: 104}\n"));
	watch_for(&scene, 200, PROBE_ICMP);
	assert_int_equal(rounds.timeline.changes_ever, 1);
	const struct timeline_change *change = &rounds.timeline.changes[0];
	assert_int_equal(change->first_ttl, 2);
	assert_addr(change->before, interface_address(scene.world, "r2", "r1", 4));
	assert_addr(change->after, interface_address(scene.world, "s2", "r1", 4));
	assert_int_equal(change->end_before, 4);
	assert_int_equal(change->end_after, 5);
	/* When the way is there, not when the old one failed: in between there was none. */
	assert_true(change->at_ns >= 103 * NS_PER_S && change->at_ns <= 106 * NS_PER_S);
	assert_true(change->rtt_after_ns - change->rtt_before_ns >= 30 * NS_PER_MS);
	/* Four seconds without a way are all that was lost, and the first hop lost nothing. */
	assert_int_equal(loss_at(1).lost, 0);
	assert_true(loss_at(5).lost <= 5);
	struct measurement m = concluded(&scene);
	const struct finding *finding = must_find(&m, "path-changed");
	assert_int_equal(finding->severity, SEVERITY_WARNING);
	assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
	assert_int_equal(finding->hops[0], 2);
	/* It is one machine, reached over another way there and back. */
	assert_null(finding_of(&m, "anycast-shift"));
	measurement_deinit(&m);
	scene_end(&scene);
}

/* There and back again: two changes, and the old routers are the present ones. */
static void test_fault_that_ends(void **state)
{
	(void)state;
	struct scene scene = scene_of(two_ways(
		"faults:\n  - {link: [r1, r2], down: true, reroute: true, after_s: 60, until_s: 120}\n"));
	watch_for(&scene, 180, PROBE_ICMP);
	assert_int_equal(rounds.timeline.changes_ever, 2);
	assert_int_equal(rounds.timeline.end, 4);
	assert_int_equal(
		rounds.timeline.changes[0].path_before == rounds.timeline.changes[1].path_after, true);
	assert_addr(timeline_shown(timeline_hop(&rounds.timeline, 2))->address,
		interface_address(scene.world, "r2", "r1", 4));
	for (unsigned ttl = 1; ttl <= 4; ttl++)
		assert_int_equal(loss_at(ttl).lost, 0);
	scene_end(&scene);
}

/* One service in two places, each with a network of its own; the near one is cut off after 60 s. */
static struct world *service_in_two_places(const char *far_habits)
{
	char text[2000];
	snprintf(text, sizeof(text),
		"ases:\n"
		"  - {asn: 64496, name: One, country: DE, prefix: 192.0.2.0/24, prefix6: \"2001:db8:1::/48\"}\n"
		"  - {asn: 64497, name: Two, country: DE, prefix: 203.0.113.0/24, prefix6: \"2001:db8:2::/48\"}\n"
		"hosts:\n"
		"  - {name: a, as: 64496}\n"
		"  - {name: b, as: 64496, router: r2, address: 198.51.100.53, address6: \"2001:db8:53::53\"}\n"
		"  - {name: c, as: 64497, router: s3, address: 198.51.100.53, address6: \"2001:db8:53::53\", %s}\n"
		"routers:\n"
		"  - {name: r1, as: 64496}\n"
		"  - {name: r2, as: 64496}\n"
		"  - {name: s2, as: 64497}\n"
		"  - {name: s3, as: 64497}\n"
		"links:\n"
		"  - {from: a, to: r1}\n"
		"  - {from: r1, to: r2}\n"
		"  - {from: r1, to: s2, cost: 20, delay_ms: 15}\n"
		"  - {from: s2, to: s3, cost: 20}\n"
		"faults:\n"
		"  - {link: [r1, r2], down: true, reroute: true, after_s: 60}\n",
		far_habits);
	return scene_world(text);
}

static void test_anycast_shift(void **state)
{
	(void)state;
	struct scene scene = scene_of(service_in_two_places("behaviour: {initial_ttl: {echo: 128}}"));
	watch_for(&scene, 120, PROBE_ICMP);
	struct measurement m = concluded(&scene);
	const struct finding *finding = must_find(&m, "anycast-shift");
	assert_int_equal(finding->confidence, CONFIDENCE_LIKELY);
	assert_int_equal(finding->hops[0], 4);
	assert_non_null(finding_of(&m, "path-changed"));
	measurement_deinit(&m);
	scene_end(&scene);
}

/* Machines of one make: it may be the routes alone. */
static void test_anycast_shift_between_like_machines(void **state)
{
	(void)state;
	struct scene scene = scene_of(service_in_two_places("delay_ms: 1"));
	watch_for(&scene, 120, PROBE_ICMP);
	struct measurement m = concluded(&scene);
	assert_int_equal(must_find(&m, "anycast-shift")->confidence, CONFIDENCE_POSSIBLE);
	measurement_deinit(&m);
	scene_end(&scene);
}

/* A queue before the link r2-r3, worst at noon; watched for a day. */
static void test_congestion_by_time_of_day(void **state)
{
	(void)state;
	struct world *world = scene_world(
		WORLD_HEAD "routers:\n"
			   "  - {name: r1, as: 64496}\n"
			   "  - {name: r2, as: 64496}\n"
			   "  - {name: r3, as: 64496}\n"
			   "links:\n"
			   "  - {from: a, to: r1}\n"
			   "  - {from: r1, to: r2}\n"
			   "  - {from: r2, to: r3, queue: {peak_ms: 40, hour: 12, width_h: 6, noise_ms: 5}}\n"
			   "  - {from: r3, to: b}\n");
	struct scene scene = scene_of(world);
	struct rounds_config config = config_of(&scene, 24 * 360, PROBE_ICMP);
	config.interval_ns = 10 * NS_PER_S;
	run_rounds(&scene, &config, NULL, 0);
	struct measurement m = concluded(&scene);
	const struct finding *finding = must_find(&m, "congestion");
	assert_int_equal(finding->confidence, CONFIDENCE_LIKELY);
	assert_int_equal(finding->hops[0], 3);
	assert_int_equal(finding->hop_count, 2);
	assert_null(finding_of(&m, "path-changed"));
	measurement_deinit(&m);
	scene_end(&scene);
}

/* The same delay all day long is distance. */
static void test_distance_is_no_queue(void **state)
{
	(void)state;
	struct scene scene = scene_of(chain("", "faults:\n  - {link: [r2, r3], delay_ms: 40}\n"));
	watch_for(&scene, 600, PROBE_ICMP);
	struct measurement m = concluded(&scene);
	assert_null(finding_of(&m, "congestion"));
	measurement_deinit(&m);
	scene_end(&scene);
}

/* A host with the habits of Linux and UDP probes: it answers once a second, which is enough for rounds of a
 * second. */
static void test_udp_to_a_limiting_host(void **state)
{
	(void)state;
	struct scene scene = scene_of(chain("limits: linux", ""));
	watch_for(&scene, 120, PROBE_UDP);
	for (unsigned ttl = 1; ttl <= 4; ttl++)
		assert_true(loss_at(ttl).lost <= 2);
	assert_int_equal(rounds.timeline.changes_ever, 0);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_healthy),
		cmocka_unit_test(test_true_loss),
		cmocka_unit_test(test_limiter_is_not_loss),
		cmocka_unit_test(test_limiter_and_loss),
		cmocka_unit_test(test_loss_is_nothing_else),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_black_hole),
		cmocka_unit_test(test_link_fault),
		cmocka_unit_test(test_fault_that_ends),
		cmocka_unit_test(test_anycast_shift),
		cmocka_unit_test(test_anycast_shift_between_like_machines),
		cmocka_unit_test(test_congestion_by_time_of_day),
		cmocka_unit_test(test_distance_is_no_queue),
		cmocka_unit_test(test_udp_to_a_limiting_host),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rounds_deinit(&rounds);
	return failed;
}
