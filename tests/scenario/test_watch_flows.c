/* Rounds that take several flows in turn, in worlds that balance: which branch is bad is known, and is told.
 */
#include "watching.h"

#include "trace/multipath.h"

/* TCP, whose answers hosts do not limit. */
#define FLOWS 64

/* a - r1 - x or y - z - b */
static struct world *two_branches(const char *habits_of_y, const char *rest)
{
	char text[2000];
	snprintf(text, sizeof(text),
		WORLD_HEAD "routers:\n"
			   "  - {name: r1, as: 64496, behaviour: {balance: flow}}\n"
			   "  - {name: x, as: 64496}\n"
			   "  - {name: y, as: 64496, behaviour: {%s}}\n"
			   "  - {name: z, as: 64496}\n"
			   "links:\n"
			   "  - {from: a, to: r1}\n"
			   "  - {from: r1, to: x, delay_ms: 5}\n"
			   "  - {from: r1, to: y, delay_ms: 5}\n"
			   "  - {from: x, to: z}\n"
			   "  - {from: y, to: z}\n"
			   "  - {from: z, to: b}\n"
			   "%s",
		habits_of_y, rest);
	return scene_world(text);
}

static unsigned choose(struct scene *scene, struct flow *chosen, unsigned most)
{
	struct flow flows[FLOWS];
	unsigned missed;
	for (unsigned i = 0; i < FLOWS; i++)
		flows[i] = (struct flow){.source_port = (uint16_t)(50000 + i), .destination_port = 80};
	struct multipath_config config = {
		.probe = {.protocol = PROBE_TCP,
			.source = scene->from[4],
			.destination = scene->to[4],
			.key = {8, 9}},
		.flows = flows,
		.flow_count = FLOWS,
		.first_ttl = 1,
		.max_ttl = 30,
		.gap_limit = 8,
		.confidence = 0.95,
	};
	struct multipath *multipath = multipath_new(&config);
	struct machine machine = multipath_machine(multipath);
	assert_int_equal(sim_attach(scene->sim, scene->a, &machine, 0), 0);
	assert_true(sim_run(scene->sim, sim_now(scene->sim) + 120 * NS_PER_S));
	int count = multipath_choose(multipath, chosen, most, &missed);
	multipath_free(multipath);
	assert_true(count > 0);
	assert_int_equal(missed > 0, most < 2);
	return (unsigned)count;
}

/* Explore, then rounds. */
static void watch_for(struct scene *scene, unsigned count, unsigned seed)
{
	struct flow flows[TIMELINE_FLOWS];
	sim_free(scene->sim);
	scene->sim = sim_new(scene->world, seed);
	unsigned flow_count = choose(scene, flows, TIMELINE_FLOWS);
	/* More where loss kept a flow from being known all the way. */
	assert_in_range(flow_count, 2, 4);
	struct rounds_config config = rounds_defaults();
	config.rounds = count;
	config.engine = (struct engine_config){.protocol = PROBE_TCP,
		.source = scene->from[4],
		.destination = scene->to[4],
		.flow = flows[0],
		.key = {seed, 6}};
	run_rounds(scene, &config, flows, flow_count);
}

/* The flow that goes over this router. */
static unsigned flow_over(const struct scene *scene, const char *router)
{
	struct addr address = interface_address(scene->world, router, "r1", 4);
	for (unsigned i = 0; i < rounds.timeline.flow_count; i++) {
		const struct responder *shown = timeline_shown(timeline_hop(rounds.timeline.flows[i], 2));
		if (shown && addr_equal(shown->address, address))
			return i;
	}
	fail_msg("no flow over %s", router);
	return 0;
}

static struct loss loss_of(unsigned flow, unsigned ttl)
{
	return timeline_loss(rounds.timeline.flows[flow], ttl);
}

/* Of packets from r1 to x three in ten are lost: that is told of the flow over x, with its port, and of no
 * other. */
static void test_bad_branch(void **state)
{
	(void)state;
	struct scene scene =
		scene_of(two_branches("", "faults:\n  - {link: [r1, x], loss: 0.3, one_way: true}\n"));
	struct timeline_branch branches[TIMELINE_FLOWS];
	watch_for(&scene, 400, 42);
	unsigned bad = flow_over(&scene, "x"), good = flow_over(&scene, "y");
	assert_int_not_equal(bad, good);
	for (unsigned ttl = 1; ttl <= 4; ttl++) {
		assert_int_equal(loss_of(good, ttl).lost, 0);
		assert_int_equal(loss_of(good, ttl).sent, 200);
		assert_int_equal(loss_of(bad, ttl).sent, 200);
	}
	assert_int_equal(loss_of(bad, 1).lost, 0);
	for (unsigned ttl = 2; ttl <= 4; ttl++)
		assert_true(loss_of(bad, ttl).share.low <= 0.3 && loss_of(bad, ttl).share.high >= 0.3);
	assert_int_equal(timeline_branches(&rounds.timeline, 2, branches), 2);
	assert_int_equal(rounds.timeline.changes_ever, 0);
	/* As with one flow a round has one probe a hop, and a few more where it missed its end the time
	 * before. */
	assert_true(rounds.timeline.sent <= 400 * 4 + 120);
	struct measurement m = concluded(&scene);
	const struct finding *finding = must_find(&m, "bad-branch");
	assert_int_equal(finding->confidence, CONFIDENCE_LIKELY);
	assert_int_equal(finding->hops[0], 2);
	char port[20], via[ADDR_TEXT_SIZE];
	snprintf(port, sizeof(port), "--sport %u", rounds.timeline.flow_of[bad].source_port);
	assert_non_null(strstr(finding->advice, port));
	assert_non_null(
		strstr(finding->summary, addr_format(interface_address(scene.world, "x", "r1", 4), via)));
	assert_non_null(finding_of(&m, "load-balanced"));
	/* It is explained: not once more as loss of who knows which way. */
	assert_null(finding_of(&m, "loss-undirected"));
	assert_null(finding_of(&m, "path-changed"));
	measurement_deinit(&m);
	scene_end(&scene);
}

/* Whatever the dice say: the true share is in the interval about as often as is claimed, a branch that loses
 * is found among those that do not, and one that does not is never blamed. */
static void test_many_dice(void **state)
{
	(void)state;
	unsigned outside = 0;
	for (unsigned i = 0; i < 24; i++) {
		bool lossy = i % 2 == 0;
		struct scene scene = scene_of(two_branches("",
			lossy ? "faults:\n  - {link: [r1, x], loss: 0.3, one_way: true}\n"
			      : "faults:\n  - {link: [z, b], loss: 0.3, one_way: true}\n"));
		watch_for(&scene, 300, 1000 + i);
		unsigned bad = flow_over(&scene, "x"), good = flow_over(&scene, "y");
		struct measurement m = concluded(&scene);
		assert_int_equal(rounds.timeline.changes_ever, 0);
		assert_int_equal(finding_of(&m, "bad-branch") != NULL, lossy);
		assert_int_equal(finding_of(&m, "loss-undirected") != NULL, !lossy);
		assert_int_equal(loss_of(good, 2).lost, 0);
		outside += loss_of(bad, 4).share.low > 0.3 || loss_of(bad, 4).share.high < 0.3;
		for (unsigned flow = 0; flow < 2; flow++)
			assert_int_not_equal(
				timeline_hop(rounds.timeline.flows[flow], 2)->limit, LIMIT_LIMITS);
		measurement_deinit(&m);
		scene_end(&scene);
	}
	/* Of 24 a twentieth is expected; six or more have a chance of 1 in 1000. */
	assert_true(outside < 6);
}

/* y answers once in five seconds: that is found out of y, and is not loss of its branch. */
static void test_limiter_on_a_branch(void **state)
{
	(void)state;
	struct scene scene = scene_of(two_branches("error_limit: {burst: 1, per_second: 0.2}", ""));
	watch_for(&scene, 400, 42);
	unsigned over_x = flow_over(&scene, "x"), over_y = flow_over(&scene, "y");
	for (unsigned ttl = 1; ttl <= 4; ttl++) {
		assert_int_equal(loss_of(over_x, ttl).lost, 0);
		assert_int_equal(loss_of(over_y, ttl).lost, 0);
	}
	assert_true(loss_of(over_y, 2).skips);
	assert_int_equal(timeline_hop(rounds.timeline.flows[over_x], 2)->limit, LIMIT_UNKNOWN);
	struct measurement m = concluded(&scene);
	assert_null(finding_of(&m, "bad-branch"));
	measurement_deinit(&m);
	scene_end(&scene);
}

/* After 200 s there is no x any more: the flow that took it changes, the other does not. */
static void test_a_branch_goes_away(void **state)
{
	(void)state;
	struct scene scene = scene_of(
		two_branches("", "faults:\n  - {link: [r1, x], down: true, reroute: true, after_s: 200}\n"));
	watch_for(&scene, 300, 42);
	/* Both over y now; the change tells whose it was. */
	assert_int_equal(rounds.timeline.changes_ever, 1);
	const struct timeline_change *change = &rounds.timeline.changes[0];
	assert_addr(change->before, interface_address(scene.world, "x", "r1", 4));
	assert_addr(change->after, interface_address(scene.world, "y", "r1", 4));
	assert_int_equal(change->flows, 1u << change->flow);
	assert_int_equal(rounds.timeline.flows[change->flow]->changes_ever, 1);
	assert_int_equal(rounds.timeline.flows[1 - change->flow]->changes_ever, 0);
	scene_end(&scene);
}

/* x drops what passes it from the start of the rounds on: nobody behind it answers that flow. */
static void test_a_branch_goes_nowhere(void **state)
{
	(void)state;
	struct scene scene = scene_of(
		two_branches("", "faults:\n  - {link: [x, z], loss: 1, one_way: true, after_s: 60}\n"));
	watch_for(&scene, 300, 42);
	unsigned bad = flow_over(&scene, "x"), good = flow_over(&scene, "y");
	assert_int_equal(loss_of(good, 4).lost, 0);
	assert_true(loss_of(bad, 4).lost > 100);
	struct measurement m = concluded(&scene);
	const struct finding *finding = must_find(&m, "bad-branch");
	assert_int_equal(finding->hops[0], 3);
	measurement_deinit(&m);
	scene_end(&scene);
}

/* The same from before the exploration on: that flow never saw the end, and is said to go nowhere. */
static void test_a_branch_never_got_anywhere(void **state)
{
	(void)state;
	struct scene scene = scene_of(two_branches("", "faults:\n  - {link: [x, z], loss: 1, one_way: true}\n"));
	watch_for(&scene, 200, 42);
	unsigned bad = flow_over(&scene, "x");
	assert_int_equal(rounds.timeline.end, 4);
	assert_int_equal(rounds.timeline.flows[bad]->end, 0);
	struct measurement m = concluded(&scene);
	const struct finding *finding = must_find(&m, "bad-branch");
	assert_int_equal(finding->severity, SEVERITY_PROBLEM);
	assert_int_equal(finding->hops[0], 2);
	assert_null(finding_of(&m, "black-hole"));
	assert_null(finding_of(&m, "loss-undirected"));
	measurement_deinit(&m);
	scene_end(&scene);
}

/* One flow at most: it is the first, and what it does not meet is counted. */
static void test_choice_is_bounded(void **state)
{
	(void)state;
	struct scene scene = scene_of(two_branches("", ""));
	struct flow flow;
	assert_int_equal(choose(&scene, &flow, 1), 1);
	assert_int_equal(flow.source_port, 50000);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_branch),
		cmocka_unit_test(test_many_dice),
		cmocka_unit_test(test_limiter_on_a_branch),
		cmocka_unit_test(test_a_branch_goes_away),
		cmocka_unit_test(test_a_branch_goes_nowhere),
		cmocka_unit_test(test_a_branch_never_got_anywhere),
		cmocka_unit_test(test_choice_is_bounded),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rounds_deinit(&rounds);
	return failed;
}
