/* A responder and its client in worlds whose truth is known: every way back, and clients behind translators.
 */
#include "asked.h"
#include "generated.h"


/* b asks a: the ways are those that a forward trace from a would see. */
static struct run ask_all_ways(
	struct world *world, enum probe_protocol protocol, uint8_t family, unsigned seed)
{
	struct reverse_task task = {
		.target = {.family = family}, .protocol = protocol, .confidence = 0.95, .seed = seed};
	return ask(world, world_find_node(world, "b"), world_find_node(world, "a"), task, 0);
}

/* ---- all ways back */

static struct links many(
	const char *what, struct world *world, enum probe_protocol protocol, uint8_t family, unsigned runs)
{
	struct links sum = {0};
	uint64_t requests = 0;
	double seconds = 0;
	for (unsigned seed = 0; seed < runs; seed++) {
		struct run run = ask_all_ways(world, protocol, family, seed);
		const struct path *path = run.measurement.reverse;
		assert_non_null(path);
		assert_int_equal(path->direction, DIRECTION_REVERSE);
		assert_true(path->reached);
		assert_true(path->flow_count > 1);
		if (run.links.invented)
			fail_msg("%s, seed %u: %u links that are not there", what, seed, run.links.invented);
		assert_int_equal(run.refused, 0); /* the responder's limits are kept */
		sum.found += run.links.found;
		sum.there += run.links.there;
		requests += run.requests;
		seconds += run.seconds;
		run_deinit(&run);
	}
	print_message("# %s: %u of %u links, %.1f requests, %.2f s\n", what, sum.found, sum.there,
		(double)requests / runs, seconds / runs);
	return sum;
}

static void shape(const char *what, unsigned width, unsigned length, unsigned longer)
{
	static const char *const words[] = {"icmp", "udp", "tcp"};
	struct world *world = diamond(width, length, longer, "balance: flow", "");
	struct links sum = {0};
	char label[100];
	for (uint8_t family = 4; family <= 6; family += 2)
		for (enum probe_protocol protocol = PROBE_ICMP; protocol <= PROBE_TCP; protocol++) {
			snprintf(label, sizeof(label), "%s, IPv%u %s", what, family, words[protocol]);
			struct links links = many(label, world, protocol, family, 12);
			sum.found += links.found;
			sum.there += links.there;
		}
	assert_true(sum.found >= 0.95 * sum.there);
	world_free(world);
}

static void test_shapes(void **state)
{
	(void)state;
	shape("chain", 1, 1, 0);
	shape("2 branches", 2, 1, 0);
	shape("3 branches of 3 hops", 3, 3, 0);
	shape("3 branches, one longer", 3, 1, 1);
	shape("4 branches", 4, 1, 0);
	shape("16 branches", 16, 1, 0);
}

/* No flow is stable; routers are silent, or limit their answers; packets get lost: nothing is invented. */
static void test_trouble(void **state)
{
	static const struct {
		const char *what, *split, *inner;
	} cases[] = {{"by packet", "balance: packet", ""},
		{"silent branches", "balance: flow", "silent: true"},
		{"a silent balancer", "balance: flow, silent: true", ""},
		{"branches limit", "balance: flow", "limits: linux"}};
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct world *world = diamond(3, 2, 0, cases[i].split, cases[i].inner);
		(void)many(cases[i].what, world, PROBE_UDP, 4, 20);
		world_free(world);
	}
}

/* Requests, probes and answers get lost: they are asked for again. */
static void test_loss(void **state)
{
	struct links sum = {0};
	(void)state;
	struct world *world = scene_world(WORLD_HEAD
		"routers:\n"
		"  - {name: in, as: 64496}\n  - {name: s, as: 64496, behaviour: {balance: flow}}\n"
		"  - {name: u, as: 64496}\n  - {name: v, as: 64496}\n  - {name: join, as: 64496}\n"
		"links:\n"
		"  - {from: a, to: in, loss: 0.03}\n  - {from: in, to: s}\n  - {from: s, to: u}\n  - {from: "
		"s, to: v}\n"
		"  - {from: u, to: join}\n  - {from: v, to: join}\n  - {from: join, to: b, loss: 0.03}\n");
	for (unsigned seed = 0; seed < 30; seed++) {
		struct run run =
			ask_all_ways(world, seed % 2 ? PROBE_UDP : PROBE_TCP, seed % 4 < 2 ? 4 : 6, seed);
		assert_int_equal(run.links.invented, 0);
		if (run.measurement.reverse && run.measurement.reverse->reached) {
			sum.found += run.links.found;
			sum.there += run.links.there;
		}
		run_deinit(&run);
	}
	print_message("# lost packets: %u of %u links\n", sum.found, sum.there);
	assert_true(sum.there > 25 * 7);
	assert_true(sum.found >= 0.95 * sum.there);
	world_free(world);
}

/* A responder that allows less than usual: what it did not answer stays unknown. */
static void test_strict_responder(void **state)
{
	struct world *world = diamond(4, 2, 0, "balance: flow", "");
	struct reverse_task task = {.protocol = PROBE_UDP, .confidence = 0.95, .seed = 3};
	(void)state;
	struct run run = ask(world, world_find_node(world, "b"), world_find_node(world, "a"), task, 20);
	print_message("# 20 a second: %u of %u links, %u refused, %.2f s\n", run.links.found, run.links.there,
		(unsigned)run.refused, run.seconds);
	assert_int_equal(run.links.invented, 0);
	assert_true(run.measurement.reverse->reached);
	assert_true(run.refused < 300); /* it is asked more slowly */
	run_deinit(&run);
	world_free(world);
}

/* The port that is told takes the link it is told of. */
static void test_ports(void **state)
{
	struct world *world = diamond(4, 2, 1, "balance: flow", "");
	(void)state;
	struct run run = ask_all_ways(world, PROBE_UDP, 4, 11);
	struct sim *sim = sim_new(world, 11 + 1); /* balancers hash with the seed */
	const struct path *path = run.measurement.reverse;
	assert_true(path->edge_count > 8);
	for (size_t i = 0; i < path->edge_count; i++) {
		struct packet_spec spec = {
			.ip = {.source = path->source,
				.destination = path->destination,
				.ttl = 64,
				.id = 1,
				.protocol = PROTOCOL_UDP},
			.transport = {.source_port = 50050,
				.destination_port = path->edges[i].destination_port},
		};
		uint8_t bytes[100];
		struct writer writer = writer_init(bytes, sizeof(bytes));
		struct truth truth;
		assert_int_equal(path->edges[i].source_port, 0);
		assert_int_equal(packet_write(&writer, &spec), 0);
		assert_int_equal(
			sim_truth(sim, world_find_node(world, "a"), bytes, writer.length, &truth), 0);
		assert_true(is_true(world, &truth, 1, &path->edges[i]));
	}
	run_deinit(&run);
	sim_free(sim);
	world_free(world);
}

/* ---- behind translators */

/* a behind a home router, that behind a carrier's; b is outside. */
static struct world *home(const char *carrier)
{
	char text[3000];
	snprintf(text, sizeof(text),
		"ases:\n"
		"  - {asn: 64496, name: One, country: DE, prefix: 192.0.2.0/24, prefix6: "
		"\"2001:db8:1::/48\"}\n"
		"hosts:\n"
		"  - {name: a, as: 64496, address: 192.168.1.2}\n"
		"  - {name: b, as: 64496}\n"
		"routers:\n"
		"  - {name: home, as: 64496, behaviour: {nat: {inside: 192.168.1.0/24}}}\n"
		"  - {name: carrier, as: 64496%s}\n"
		"  - {name: r, as: 64496}\n"
		"links:\n"
		"  - {from: home, to: a, from_address: 192.168.1.1, to_address: 192.168.1.2}\n"
		"  - {from: carrier, to: home%s}\n"
		"  - {from: carrier, to: r}\n"
		"  - {from: r, to: b}\n",
		carrier, *carrier ? ", from_address: 100.64.0.1, to_address: 100.64.0.2" : "");
	return scene_world(text);
}

/* The way ends at the translator that has the address which the Internet sees, whoever told that address. */
static void expect_nat(struct world *world, struct addr public, struct reverse_task task)
{
	uint32_t near = world_find_node(world, "a"), far = world_find_node(world, "b");
	for (enum probe_protocol protocol = PROBE_ICMP; protocol <= PROBE_TCP; protocol++) {
		task.protocol = protocol;
		struct run run = ask(world, near, far, task, 0);
		const struct path *path = run.measurement.reverse;
		struct addr end = path->hops[path->hop_count - 1].address;
		assert_true(path->reached);
		assert_true(addr_equal(end, public));
		assert_true(addr_equal(run.measurement.public_address, public));
		assert_true(addr_equal(path->destination, world_node_address(world, near, 4)));
		assert_int_equal(run.measurement.attempts[0].status, ATTEMPT_OK);
		assert_non_null(strstr(run.measurement.attempts[0].detail, "reached your NAT"));
		assert_int_equal(run.links.invented, 0);
		struct truth truth;
		struct sim *sim = sim_new(world, 1);
		assert_int_equal(sim_truths(sim, far, public, &truth, 1), 1);
		assert_int_equal(path->hop_count, truth.hop_count);
		for (unsigned i = 0; i < truth.hop_count; i++)
			assert_true(is_at(world, &truth.hops[i], path->hops[i].address));
		sim_free(sim);
		run_deinit(&run);
	}
}

static void test_nat(void **state)
{
	(void)state;
	for (unsigned all = 0; all <= 1; all++) {
		struct reverse_task task = {.confidence = all ? 0.95 : 0, .seed = 5};
		struct world *world = home("");
		struct addr public = interface_address(world, "home", "carrier", 4);
		expect_nat(world, public, task);
		task.public_address = public;
		expect_nat(world, public, task);
		world_free(world);
		world = home(", behaviour: {nat: {inside: 100.64.0.0/10}}");
		task.public_address = ADDR_NONE;
		expect_nat(world, interface_address(world, "carrier", "r", 4), task);
		world_free(world);
	}
}

/* ---- worlds like the Internet */
#define GENERATED_PAIRS 100

static void test_generated(void **state)
{
	struct links sum = {0};
	unsigned pairs = 0, answered = 0, reached = 0;
	(void)state;
	for (unsigned seed = 1; seed <= 3; seed++) {
		struct world *world = generated_world(60, seed, "today");
		struct rng rng = rng_seed(seed);
		for (unsigned i = 0; i < GENERATED_PAIRS; i++) {
			uint32_t near = (uint32_t)rng_below(&rng, world->host_count),
				 far = (uint32_t)rng_below(&rng, world->host_count);
			if (near == far)
				continue;
			struct reverse_task task = {.confidence = 0.95,
				.seed = i,
				.protocol = i % 3 == 0 ? PROBE_ICMP
					: i % 3 == 1   ? PROBE_UDP
						       : PROBE_TCP};
			struct run run = ask(world, near, far, task, 0);
			pairs++;
			answered += run.measurement.reverse != NULL;
			if (run.links.invented)
				print_message("# seed %u, pair %u (%s to %s): %u links that are not there\n",
					seed, i, world->nodes[far].name, world->nodes[near].name,
					run.links.invented);
			sum.invented += run.links.invented;
			if (run.measurement.reverse && run.measurement.reverse->reached) {
				reached++;
				sum.found += run.links.found;
				sum.there += run.links.there;
			}
			run_deinit(&run);
		}
		world_free(world);
	}
	print_message("# generated: %u pairs, %u answered, %u to the end; %u of %u links, %u false\n", pairs,
		answered, reached, sum.found, sum.there, sum.invented);
	assert_int_equal(sum.invented, 0);
	assert_true(sum.found >= 0.95 * sum.there);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_trouble),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_strict_responder),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_nat),
		cmocka_unit_test(test_generated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
