/* Every way that flows take, in worlds whose truth is known: no link that is not there, and as many of those that are
 * as was promised. */
#include "generated.h"
#include "ways.h"

#include "path/series.h"
#include "trace/branch.h"
#include "trace/multipath.h"

#define TRUTHS_MAX 4096
#define FLOWS      256
#define PATIENCE   (120 * NS_PER_S)

struct run {
	struct path *path;
	struct multipath_status status;
	struct links links;
	unsigned ways; /* TRUTHS_MAX: too many to compare with */
	double seconds;
};

static void make_flows(struct flow *flows, enum probe_protocol protocol, unsigned seed)
{
	for (unsigned i = 0; i < FLOWS; i++)
		flows[i] = protocol == PROBE_ICMP
			? (struct flow){.icmp_id = 77, .icmp_checksum = (uint16_t)(1 + 31 * i + seed), .flow_label = 5}
			: (struct flow){.source_port = (uint16_t)(33000 + 1000 * (seed % 30) + i),
				  .destination_port = 33434, .flow_label = 5};
}

static struct run explore(struct world *world, uint32_t from, uint32_t to, uint8_t family,
	enum probe_protocol protocol, double confidence, unsigned seed)
{
	struct run run = {0};
	struct flow flows[FLOWS];
	struct sim *sim = sim_new(world, seed + 1);
	/* Links may fail meanwhile: the ways before, and those afterwards. */
	static struct truth truths[2 * TRUTHS_MAX];
	struct addr source = world_node_address(world, from, family), target = world_node_address(world, to, family);
	make_flows(flows, protocol, seed);
	struct multipath_config config = {
		.probe = {.protocol = protocol, .source = source, .destination = target, .key = {seed, 2}},
		.flows = flows,
		.flow_count = FLOWS,
		.first_ttl = 1,
		.max_ttl = 40,
		.gap_limit = 8,
		.confidence = confidence,
	};
	config.probe.flow = flows[0];
	struct multipath *multipath = multipath_new(&config);
	struct machine machine = multipath_machine(multipath);
	assert_int_equal(sim_attach(sim, from, &machine, 0), 0);
	unsigned count = sim_truths_now(sim, from, target, NULL, 0, truths, TRUTHS_MAX);
	bool all = count < TRUTHS_MAX;
	if (!sim_run(sim, PATIENCE))
		fail_msg("does not end: %u packets", multipath_status(multipath).probes_sent);
	run.seconds = (double)sim_now(sim) / 1e9;
	run.path = multipath_path(multipath, 0, sim_now(sim));
	run.status = multipath_status(multipath);
	assert_non_null(run.path);
	run.ways = sim_truths_now(sim, from, target, NULL, 0, truths + count, TRUTHS_MAX);
	count += run.ways;
	if (all && run.ways < TRUTHS_MAX)
		run.links = compare_links(world, run.path, truths, count);
	multipath_free(multipath);
	sim_free(sim);
	return run;
}

/* ---- worlds of one shape ---- */

static struct run in_world(struct world *world, enum probe_protocol protocol, uint8_t family, unsigned seed)
{
	return explore(world, world_find_node(world, "a"), world_find_node(world, "b"), family, protocol, 0.95, seed);
}

static void report(const char *what, const struct run *run)
{
	print_message("# %s: %u packets, %u answers, %.2f s, %u flows; links: %u of %u, %u false\n", what,
		run->status.probes_sent, run->status.replies_received, run->seconds, run->status.flows,
		run->links.found, run->links.there, run->links.invented);
}

/* Many runs in one world, each with other flows: the share of links found is what was promised. */
static void many(const char *what, struct world *world, enum probe_protocol protocol, uint8_t family, unsigned runs)
{
	unsigned found = 0, total = 0, packets = 0, complete = 0;
	for (unsigned seed = 0; seed < runs; seed++) {
		struct run run = in_world(world, protocol, family, seed);
		if (run.links.invented > 0)
			report(what, &run);
		assert_int_equal(run.links.invented, 0);
		assert_true(run.path->reached);
		found += run.links.found;
		total += run.links.there;
		complete += run.links.found == run.links.there;
		packets += run.status.probes_sent;
		path_free(run.path);
	}
	print_message("# %s: %.2f %% of links, %.1f %% of runs complete, %.1f packets\n", what,
		100.0 * found / total, 100.0 * complete / runs, (double)packets / runs);
	assert_true(found >= 0.95 * total);
}

static void shape(const char *what, unsigned width, unsigned length, unsigned longer, const char *habits)
{
	char label[100];
	struct world *world = diamond(width, length, longer, habits, "");
	static const uint8_t families[] = {4, 6};
	for (unsigned i = 0; i < 2; i++) {
		snprintf(label, sizeof(label), "%s, IPv%u, udp", what, families[i]);
		many(label, world, PROBE_UDP, families[i], 30);
		snprintf(label, sizeof(label), "%s, IPv%u, icmp", what, families[i]);
		many(label, world, PROBE_ICMP, families[i], 15);
		snprintf(label, sizeof(label), "%s, IPv%u, tcp", what, families[i]);
		many(label, world, PROBE_TCP, families[i], 15);
	}
	world_free(world);
}

static void test_shapes(void **state)
{
	(void)state;
	shape("chain", 1, 1, 0, "balance: flow");
	shape("2 branches", 2, 1, 0, "balance: flow");
	shape("3 branches", 3, 1, 0, "balance: flow");
	shape("3 branches of 3 hops", 3, 3, 0, "balance: flow");
	shape("4 branches", 4, 1, 0, "balance: flow");
	shape("3 branches, one longer", 3, 1, 1, "balance: flow");
	shape("3 branches, one 2 hops longer", 3, 1, 2, "balance: flow");
	shape("16 branches", 16, 1, 0, "balance: flow");
}

static void expect_in(const char *what, struct world *world, struct run *run)
{
	*run = in_world(world, PROBE_UDP, 4, 3);
	report(what, run);
	assert_int_equal(run->links.invented, 0);
	assert_true(run->path->reached);
}

static unsigned hops_by_packet(const struct path *path)
{
	unsigned count = 0;
	for (size_t i = 0; i < path->hop_count; i++)
		count += path->hops[i].by_packet;
	return count;
}

/* No flow is stable: it is said, nothing is multiplied, and no link is invented. */
static void test_by_packet(void **state)
{
	static const unsigned shapes[][3] = {{2, 1, 0}, {3, 1, 0}, {3, 2, 0}, {2, 3, 1}, {4, 1, 2}, {16, 1, 0}};
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(shapes); i++) {
		struct world *world = diamond(shapes[i][0], shapes[i][1], shapes[i][2], "balance: packet", "");
		unsigned noticed = 0;
		for (unsigned seed = 0; seed < 100; seed++) {
			struct run run = in_world(world, PROBE_UDP, i % 2 ? 4 : 6, seed);
			assert_int_equal(run.links.invented, 0);
			noticed += hops_by_packet(run.path) > 0;
			assert_true(run.status.probes_sent <= 130 + 10 * shapes[i][0]);
			path_free(run.path);
		}
		print_message("# by packet, %u branches: noticed in %u of 100\n", shapes[i][0], noticed);
		assert_true(noticed >= 95);
		world_free(world);
	}
}

/* Routers that do not answer are no branches, and the ways behind them are found. */
static void test_silence(void **state)
{
	struct run run;
	(void)state;
	struct world *world = diamond(3, 2, 0, "balance: flow", "silent: true");
	expect_in("silent branches", world, &run);
	for (size_t i = 0; i < run.path->hop_count; i++)
		if (run.path->hops[i].ttl == 3 || run.path->hops[i].ttl == 4)
			assert_int_equal(run.path->hops[i].address_count, 0);
	assert_int_equal(run.path->hops[4].address_count, 3); /* the three sides of the join */
	path_free(run.path);
	world_free(world);
	world = diamond(3, 1, 0, "balance: flow, silent: true", "");
	expect_in("silent balancer", world, &run);
	assert_int_equal(run.path->hops[2].address_count, 3);
	path_free(run.path);
	world_free(world);
}

/* Six answers, then one a second: slow, and right. */
static void test_limits(void **state)
{
	struct run run;
	(void)state;
	struct world *world = diamond(3, 1, 0, "balance: flow", "limits: linux");
	expect_in("branches limit", world, &run);
	assert_int_equal(run.path->hops[2].address_count, 3);
	path_free(run.path);
	world_free(world);
	world = diamond(1, 1, 0, "", "error_limit: {burst: 2, per_second: 1}");
	expect_in("a router limits to two", world, &run);
	for (size_t i = 0; i < run.path->hop_count; i++)
		assert_int_equal(run.path->hops[i].address_count, 1);
	path_free(run.path);
	world_free(world);
}

/* a - in - i - l1 - e - x - y - b with a tunnel from i to e that hides its inside. Where e takes off the label itself, a
 * packet with lifetime left for it alone goes on to x: x shows at two hop limits, e at none, and i is no neighbour.
 * Where b is right behind e, only an answer that quotes tells: with echo and TCP the link from i to b is still claimed. */
static struct world *hiding(const char *pop, const char *behind)
{
	char text[2000];
	snprintf(text, sizeof(text), WORLD_HEAD
		"routers:\n"
		"  - {name: in, as: 64496}\n  - {name: i, as: 64496}\n  - {name: l1, as: 64496}\n"
		"  - {name: e, as: 64496}\n  - {name: x, as: 64496}\n  - {name: y, as: 64496}\n"
		"links:\n"
		"  - {from: a, to: in}\n  - {from: in, to: i}\n  - {from: i, to: l1}\n  - {from: l1, to: e}\n"
		"  - {from: e, to: x}\n  - {from: x, to: y}\n  - {from: %s, to: b}\n"
		"tunnels: [{routers: [i, l1, e], hidden: true, pop: %s}]\n", behind, pop);
	return scene_world(text);
}

static void test_hidden(void **state)
{
	static const enum probe_protocol protocols[] = {PROBE_UDP, PROBE_ICMP, PROBE_TCP};
	static const struct {
		const char *pop, *behind;
		bool quotes_only;
	} cases[] = {{"ultimate", "y", false}, {"ultimate", "x", false}, {"ultimate", "e", true},
		{"penultimate", "y", false}, {"penultimate", "e", false}};
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct world *world = hiding(cases[i].pop, cases[i].behind);
		for (unsigned seed = 0; seed < 2 * ARRAY_LEN(protocols); seed++) {
			if (cases[i].quotes_only && protocols[seed / 2] != PROBE_UDP)
				continue;
			struct run run = in_world(world, protocols[seed / 2], seed % 2 ? 4 : 6, seed);
			report(cases[i].pop, &run);
			assert_true(run.path->reached);
			assert_int_equal(run.links.invented, 0);
			assert_int_equal(run.links.found, run.links.there);
			path_free(run.path);
		}
		world_free(world);
	}
}

/* a - in - s =( u | v )= ..: u balances once more over two, v does not. */
static void test_nested(void **state)
{
	(void)state;
	struct world *world = scene_world(WORLD_HEAD
		"routers:\n"
		"  - {name: in, as: 64496}\n  - {name: s, as: 64496, behaviour: {balance: flow}}\n"
		"  - {name: u, as: 64496, behaviour: {balance: flow}}\n  - {name: v, as: 64496}\n"
		"  - {name: x, as: 64496}\n  - {name: y, as: 64496}\n  - {name: z, as: 64496}\n"
		"  - {name: join, as: 64496}\n"
		"links:\n"
		"  - {from: a, to: in}\n  - {from: in, to: s}\n  - {from: s, to: u}\n  - {from: s, to: v}\n"
		"  - {from: u, to: x}\n  - {from: u, to: y}\n  - {from: v, to: z}\n  - {from: x, to: join}\n"
		"  - {from: y, to: join}\n  - {from: z, to: join}\n  - {from: join, to: b}\n");
	many("nested, udp", world, PROBE_UDP, 4, 200);
	many("nested, icmp", world, PROBE_ICMP, 6, 200);
	world_free(world);
}

/* The port that is told takes the link it is told of. */
static void test_ports(void **state)
{
	(void)state;
	struct world *world = diamond(4, 2, 1, "balance: flow", "");
	struct sim *sim = sim_new(world, 11 + 1); /* balancers hash with the seed, as explore() has it */
	uint32_t a = world_find_node(world, "a");
	struct run run = in_world(world, PROBE_UDP, 4, 11);
	for (size_t i = 0; i < run.path->edge_count; i++) {
		struct packet_spec spec = {
			.ip = {.source = run.path->source, .destination = run.path->destination, .ttl = 64, .id = 1,
				.protocol = PROTOCOL_UDP},
			.transport = {.source_port = run.path->edges[i].source_port, .destination_port = 33434},
		};
		uint8_t bytes[100];
		struct writer writer = writer_init(bytes, sizeof(bytes));
		struct truth truth;
		assert_int_equal(packet_write(&writer, &spec), 0);
		assert_int_equal(sim_truth(sim, a, bytes, writer.length, &truth), 0);
		assert_true(is_true(world, &truth, 1, &run.path->edges[i]));
	}
	path_free(run.path);
	sim_free(sim);
	world_free(world);
}

/* Worlds like the Internet, with everything that routers do there. 500 pairs in each (2,000 in all) had no false link
 * and 99.3 % of the true ones. */
#define GENERATED_PAIRS 150

static void test_generated(void **state)
{
	unsigned pairs = 0, wrong = 0, found = 0, total = 0, wide_found = 0, wide_total = 0;
	(void)state;
	for (unsigned seed = 1; seed <= 4; seed++) {
		struct world *world = generated_world(60, seed, "today");
		struct rng rng = rng_seed(seed);
		for (unsigned i = 0; i < GENERATED_PAIRS; i++) {
			uint32_t from = (uint32_t)rng_below(&rng, world->host_count), to = (uint32_t)rng_below(&rng, world->host_count);
			if (from == to)
				continue;
			struct run run = explore(world, from, to, 4, i % 2 ? PROBE_UDP : PROBE_ICMP, 0.95, i);
			pairs++;
			if (run.links.invented > 0)
				report("generated", &run);
			wrong += run.links.invented;
			/* Links behind a filter are true, and not to be seen. */
			if (!run.path->reached) {
				path_free(run.path);
				continue;
			}
			bool wide = run.ways > 1;
			found += run.links.found;
			total += run.links.there;
			wide_found += wide ? run.links.found : 0;
			wide_total += wide ? run.links.there : 0;
			path_free(run.path);
		}
		world_free(world);
	}
	print_message("# generated: %u pairs, %u false links; %.2f %% of links found, %.2f %% where ways part\n", pairs, wrong,
		100.0 * found / total, 100.0 * wide_found / MAX(wide_total, 1u));
	assert_int_equal(wrong, 0);
	assert_true(found >= 0.95 * total);
	assert_true(wide_found >= 0.95 * wide_total);
}

/* ---- one way asked again ---- */

static struct flow flow_by(const struct path *path, const char *to, const struct world *world)
{
	struct flow flow = path->flow;
	for (size_t i = 0; i < path->edge_count; i++)
		if (addr_equal(path->edges[i].to, interface_address(world, to, "r1", 4)))
			flow.source_port = path->edges[i].source_port;
	assert_int_not_equal(flow.source_port, 0);
	return flow;
}

static struct branch_test ask_again(struct world *world, const struct path *path, double *seconds)
{
	struct branch_config config = {
		.probe = {.protocol = PROBE_UDP, .source = path->source, .destination = path->destination, .key = {9, 9}},
		.flows = {flow_by(path, "m1", world), flow_by(path, "m2", world)},
		.ttls = {3, 4},
		.ttl_count = 2,
		.rtt_ns = 10 * NS_PER_MS,
	};
	struct sim *sim = sim_new(world, 5);
	struct branch branch;
	branch_init(&branch, &config);
	struct machine machine = branch_machine(&branch);
	assert_int_equal(sim_attach(sim, world_find_node(world, "a"), &machine, 0), 0);
	assert_true(sim_run(sim, PATIENCE));
	*seconds = (double)sim_now(sim) / 1e9;
	struct branch_test test = branch_result(&branch);
	assert_true(branch.sent <= BRANCH_PROBES_MAX);
	branch_deinit(&branch);
	sim_free(sim);
	return test;
}

static struct world *two_branches(const char *habits, const char *faults)
{
	char text[2000];
	snprintf(text, sizeof(text),
		WORLD_HEAD "routers:\n"
			   "  - {name: r1, as: 64496, behaviour: {balance: flow}}\n"
			   "  - {name: m1, as: 64496, behaviour: {%s}}\n"
			   "  - {name: m2, as: 64496}\n"
			   "  - {name: r3, as: 64496}\n"
			   "links:\n"
			   "  - {from: a, to: r1}\n"
			   "  - {from: r1, to: m1, delay_ms: 5}\n"
			   "  - {from: r1, to: m2}\n"
			   "  - {from: m1, to: r3}\n"
			   "  - {from: m2, to: r3}\n"
			   "  - {from: r3, to: b}\n"
			   "%s",
		habits, faults);
	return scene_world(text);
}

/* Loss on the one way is found within seconds, and its longer delay. */
static void test_bad_branch(void **state)
{
	(void)state;
	double seconds;
	struct world *world = two_branches("", "faults:\n  - {link: [m1, r3], loss: 0.5, one_way: true}\n");
	struct run run = in_world(world, PROBE_UDP, 4, 3);
	struct branch_test test = ask_again(world, run.path, &seconds);
	assert_true(test.sent > test.received);
	assert_int_equal(test.others_sent, test.others_received);
	assert_true(share_chance(test.sent - test.received, test.sent, 0, test.others_sent) <= 0.01);
	assert_true(test.rtt_ns >= test.others_rtt_ns + 3 * NS_PER_MS);
	assert_true(seconds < 20);
	path_free(run.path);
	world_free(world);
}

/* A router on it that limits its replies is asked slowly enough, and none behind it is missing. */
static void test_limited_branch_is_cleared(void **state)
{
	(void)state;
	double seconds;
	struct world *world = two_branches("error_limit: {burst: 2, per_second: 2}", "");
	struct run run = in_world(world, PROBE_UDP, 4, 3);
	struct branch_test test = ask_again(world, run.path, &seconds);
	assert_true(share_chance(test.sent - test.received, test.sent, test.others_sent - test.others_received,
			    test.others_sent) > 0.05);
	assert_true(test.sent >= 25 && test.others_sent >= 25);
	path_free(run.path);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_by_packet),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_bad_branch),
		cmocka_unit_test(test_limited_branch_is_cleared),
		cmocka_unit_test(test_generated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
