/* A responder and its client in worlds whose truth is known: every way back, and clients behind translators. */
#include "ways.h"

#include "base/rng.h"
#include "reverse/climb.h"
#include "reverse/merge.h"
#include "reverse/responder.h"
#include "serve/responder.h"
#include "sim/generate.h"

#define TRUTHS_MAX 4096
#define PATIENCE   (120 * NS_PER_S)

struct run {
	struct measurement measurement;
	struct links links;
	unsigned ways; /* TRUTHS_MAX: too many to compare with */
	uint64_t requests, probes, refused; /* as the responder counts them */
	double seconds;
};

static void run_deinit(struct run *run)
{
	measurement_deinit(&run->measurement);
}

/* `near` asks `far`. `prefix_rate` 0: as the responder has it by itself. */
static struct run ask(struct world *world, uint32_t near, uint32_t far, struct reverse_task task, unsigned prefix_rate)
{
	static struct truth truths[2 * TRUTHS_MAX];
	struct run run = {0};
	struct responder_config serving = {
		.key = {task.seed, 4}, .port = 50050, .icmp_prefix = 0x5a, .prefix_rate = prefix_rate};
	struct responder *responder = responder_new(&serving);
	struct sim *sim = sim_new(world, task.seed + 1);
	struct climb *climb;
	struct error error = {0};
	uint8_t family = task.target.family ? task.target.family : 4;
	task.target = world_node_address(world, far, family);
	task.source = world_node_address(world, near, family);
	assert_int_equal(responder_set_addresses(responder, &task.target, 1), 0);
	assert_int_equal(climb_new(&climb, &task, "responder", &error), 0);
	struct machine server = responder_machine(responder), client = climb_machine(climb);
	assert_int_equal(sim_attach(sim, far, &server, SIM_RESPONDER | SIM_BACKGROUND), 0);
	assert_int_equal(sim_attach(sim, near, &client, 0), 0);
	/* Behind a NAT nobody gets to our address. */
	struct addr home = task.source;
	unsigned count = sim_truths_now(sim, far, home, NULL, 0, truths, TRUTHS_MAX);
	assert_true(sim_run(sim, PATIENCE));
	run.seconds = (double)sim_now(sim) / 1e9;
	measurement_init(&run.measurement);
	assert_int_equal(climb_collect(climb, &run.measurement), 0);
	if (addr_is_set(run.measurement.public_address))
		home = run.measurement.public_address;
	run.ways = sim_truths_now(sim, far, home, NULL, 0, truths + count, TRUTHS_MAX);
	if (run.measurement.reverse && count < TRUTHS_MAX && run.ways < TRUTHS_MAX)
		run.links = compare_links(world, run.measurement.reverse, truths, count + run.ways);
	struct responder_counters counters = responder_counters(responder);
	run.requests = counters.requests;
	run.probes = counters.probes;
	run.refused = counters.over_prefix + counters.over_total;
	climb_free(climb);
	responder_free(responder);
	sim_free(sim);
	return run;
}

/* b asks a: the ways are those that a forward trace from a would see. */
static struct run ask_all_ways(struct world *world, enum probe_protocol protocol, uint8_t family, unsigned seed)
{
	struct reverse_task task = {.target = {.family = family}, .protocol = protocol, .confidence = 0.95, .seed = seed};
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
	} cases[] = {{"by packet", "balance: packet", ""}, {"silent branches", "balance: flow", "silent: true"},
		{"a silent balancer", "balance: flow, silent: true", ""}, {"branches limit", "balance: flow", "limits: linux"}};
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
		"  - {from: a, to: in, loss: 0.03}\n  - {from: in, to: s}\n  - {from: s, to: u}\n  - {from: s, to: v}\n"
		"  - {from: u, to: join}\n  - {from: v, to: join}\n  - {from: join, to: b, loss: 0.03}\n");
	for (unsigned seed = 0; seed < 30; seed++) {
		struct run run = ask_all_ways(world, seed % 2 ? PROBE_UDP : PROBE_TCP, seed % 4 < 2 ? 4 : 6, seed);
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
			.ip = {.source = path->source, .destination = path->destination, .ttl = 64, .id = 1,
				.protocol = PROTOCOL_UDP},
			.transport = {.source_port = 50050, .destination_port = path->edges[i].destination_port},
		};
		uint8_t bytes[100];
		struct writer writer = writer_init(bytes, sizeof(bytes));
		struct truth truth;
		assert_int_equal(path->edges[i].source_port, 0);
		assert_int_equal(packet_write(&writer, &spec), 0);
		assert_int_equal(sim_truth(sim, world_find_node(world, "a"), bytes, writer.length, &truth), 0);
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
		"  - {asn: 64496, name: One, country: DE, prefix: 192.0.2.0/24, prefix6: \"2001:db8:1::/48\"}\n"
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
		char *text;
		struct error error = {0};
		struct generate_options options = {.ases = 60, .seed = seed, .profile = profile_find("today")};
		assert_int_equal(generate_world(&options, &text, &error), 0);
		struct world *world = scene_world(text);
		struct rng rng = rng_seed(seed);
		for (unsigned i = 0; i < GENERATED_PAIRS; i++) {
			uint32_t near = (uint32_t)rng_below(&rng, world->host_count),
				 far = (uint32_t)rng_below(&rng, world->host_count);
			if (near == far)
				continue;
			struct reverse_task task = {.confidence = 0.95, .seed = i,
				.protocol = i % 3 == 0 ? PROBE_ICMP : i % 3 == 1 ? PROBE_UDP : PROBE_TCP};
			struct run run = ask(world, near, far, task, 0);
			pairs++;
			answered += run.measurement.reverse != NULL;
			if (run.links.invented)
				print_message("# seed %u, pair %u (%s to %s): %u links that are not there\n", seed, i,
					world->nodes[far].name, world->nodes[near].name, run.links.invented);
			sum.invented += run.links.invented;
			if (run.measurement.reverse && run.measurement.reverse->reached) {
				reached++;
				sum.found += run.links.found;
				sum.there += run.links.there;
			}
			run_deinit(&run);
		}
		world_free(world);
		free(text);
	}
	print_message("# generated: %u pairs, %u answered, %u to the end; %u of %u links, %u false\n", pairs, answered,
		reached, sum.found, sum.there, sum.invented);
	assert_int_equal(sum.invented, 0);
	assert_true(sum.found >= 0.95 * sum.there);
}

/* ---- partial ways made one */

struct merges {
	unsigned pairs, joined, hops, right, measured, measured_right;
};

/* The far host's way breaks off after three hops; a host of the same network knows its own way whole. What is made of the
 * two is compared with the true way of the far host. */
static void merge_pair(struct world *world, uint32_t near, uint32_t far, uint32_t vantage, unsigned seed,
	struct merges *merges)
{
	static struct truth truths[64];
	struct reverse_task task = {.seed = seed, .protocol = PROBE_UDP};
	struct run whole = ask(world, near, vantage, task, 0);
	task.max_ttl = 3;
	struct run part = ask(world, near, far, task, 0);
	struct path *first = part.measurement.reverse, *other = whole.measurement.reverse;
	struct addr home = addr_is_set(part.measurement.public_address) ? part.measurement.public_address
									 : world_node_address(world, near, 4);
	struct merge merge;
	if (first && other && !first->reached && other->reached) {
		merges->pairs++;
		assert_int_equal(path_set_vantage(other, "elsewhere", other->source, 0, VANTAGE_UNKNOWN), 0);
		struct path *merged = merge_paths(first, other, &merge);
		struct sim *sim = sim_new(world, seed + 1);
		unsigned count = sim_truths(sim, far, home, truths, ARRAY_LEN(truths));
		merges->joined += merged != NULL;
		for (size_t i = 0; merged && i < merged->hop_count; i++) {
			const struct hop *hop = &merged->hops[i];
			bool right = false;
			for (unsigned j = 0; j < count && addr_is_set(hop->address); j++)
				for (unsigned k = 0; k < truths[j].hop_count; k++)
					right |= is_at(world, &truths[j].hops[k], hop->address);
			bool measured = hop->certainty == CERTAINTY_MEASURED;
			if (!addr_is_set(hop->address) || count == ARRAY_LEN(truths))
				continue;
			merges->hops += !measured;
			merges->right += !measured && right;
			merges->measured += measured;
			merges->measured_right += measured && right;
		}
		path_free(merged);
		sim_free(sim);
	}
	run_deinit(&whole);
	run_deinit(&part);
}

static uint32_t neighbour_of(const struct world *world, uint32_t host, struct rng *rng)
{
	for (unsigned tries = 0; tries < 200; tries++) {
		uint32_t other = (uint32_t)rng_below(rng, world->host_count);
		if (other != host && world->nodes[other].as == world->nodes[host].as)
			return other;
	}
	return host;
}

static void test_merged(void **state)
{
	struct merges merges = {0};
	(void)state;
	for (unsigned seed = 1; seed <= 3; seed++) {
		char *text;
		struct error error = {0};
		struct generate_options options = {.ases = 60, .seed = seed, .profile = profile_find("today")};
		assert_int_equal(generate_world(&options, &text, &error), 0);
		struct world *world = scene_world(text);
		struct rng rng = rng_seed(seed);
		for (unsigned i = 0; i < 150; i++) {
			uint32_t near = (uint32_t)rng_below(&rng, world->host_count),
				 far = (uint32_t)rng_below(&rng, world->host_count);
			uint32_t vantage = neighbour_of(world, far, &rng);
			if (near != far && vantage != far && vantage != near)
				merge_pair(world, near, far, vantage, i, &merges);
		}
		world_free(world);
		free(text);
	}
	print_message("# %u pairs, %u joined; of hops joined %u of %u are on the way, of those measured %u of %u\n",
		merges.pairs, merges.joined, merges.right, merges.hops, merges.measured_right, merges.measured);
	assert_true(merges.joined > 20);
	assert_true(merges.right >= 0.95 * merges.hops);
	assert_true(merges.measured_right >= 0.99 * merges.measured);
}

/* a - r1 - ... - r5 - b, and v at r5: b helps nobody. Record Route tells the first routers, until its list is full; v, which
 * is a responder, the rest. */
static void test_vantage(void **state)
{
	static struct text text;
	struct error error = {0};
	struct measurement measurement;
	struct climb *climb;
	char names[100], address[ADDR_TEXT_SIZE];
	(void)state;
	text.used = 0;
	add(&text, WORLD_HEAD "  - {name: v, as: 64496}\nrouters:\n");
	for (unsigned i = 1; i <= 5; i++)
		add(&text, "  - {name: r%u, as: 64496}\n", i);
	add(&text, "links:\n  - {from: a, to: r1}\n  - {from: r5, to: b}\n  - {from: r5, to: v}\n");
	for (unsigned i = 1; i < 5; i++)
		add(&text, "  - {from: r%u, to: r%u}\n", i, i + 1);
	struct world *world = scene_world(text.bytes);
	struct sim *sim = sim_new(world, 5);
	uint32_t a = world_find_node(world, "a"), b = world_find_node(world, "b"), v = world_find_node(world, "v");
	struct addr vantage = world_node_address(world, v, 4);
	struct reverse_task task = {.target = world_node_address(world, b, 4),
		.source = world_node_address(world, a, 4), .seed = 7, .protocol = PROBE_UDP};
	struct responder_config serving = {.key = {1, 4}, .port = 50050, .icmp_prefix = 0x5a};
	struct responder *responder = responder_new(&serving);
	assert_int_equal(responder_set_addresses(responder, &vantage, 1), 0);
	snprintf(names, sizeof(names), "record-route,responder:%s", addr_format(vantage, address));
	assert_int_equal(climb_new(&climb, &task, names, &error), 0);
	struct machine server = responder_machine(responder), client = climb_machine(climb);
	assert_int_equal(sim_attach(sim, v, &server, SIM_RESPONDER | SIM_BACKGROUND), 0);
	assert_int_equal(sim_attach(sim, a, &client, 0), 0);
	assert_true(sim_run(sim, PATIENCE));
	measurement_init(&measurement);
	assert_int_equal(climb_collect(climb, &measurement), 0);
	const struct path *path = measurement.reverse;
	struct truth truth;
	assert_int_equal(sim_truths(sim, b, task.source, &truth, 1), 1);
	assert_true(path->reached);
	assert_true(addr_equal(path->source, task.target));
	assert_int_equal(path->hop_count, truth.hop_count);
	unsigned measured = 0;
	for (size_t i = 0; i < path->hop_count; i++) {
		const struct hop *hop = &path->hops[i];
		assert_true(is_at(world, &truth.hops[i], hop->address));
		assert_int_equal(hop->certainty == CERTAINTY_MEASURED, hop->technique == TECHNIQUE_RECORD_ROUTE);
		assert_true(hop->technique == TECHNIQUE_RECORD_ROUTE || hop->technique == TECHNIQUE_RESPONDER);
		measured += hop->technique == TECHNIQUE_RECORD_ROUTE;
	}
	assert_true(measured >= 2 && measured < path->hop_count);
	assert_non_null(strstr(measurement.attempts[1].detail, "not from the far host"));
	assert_non_null(strstr(measurement.attempts[1].detail, "used behind"));
	measurement_deinit(&measurement);
	climb_free(climb);
	responder_free(responder);
	sim_free(sim);
	world_free(world);
}

/* A vantage point alone, and names that lead to none. */
static void test_vantage_names(void **state)
{
	static const struct {
		const char *names, *words;
	} cases[] = {{"responder:nobody.example", "expected an address"}, {"responder:2001:db8::1", "family"}};
	struct world *world = chain("silent: false", "");
	struct reverse_task task = {.target = world_node_address(world, world_find_node(world, "b"), 4),
		.source = world_node_address(world, world_find_node(world, "a"), 4), .seed = 7};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct measurement measurement;
		struct climb *climb;
		struct error error = {0};
		struct sim *sim = sim_new(world, 5);
		assert_int_equal(climb_new(&climb, &task, cases[i].names, &error), 0);
		struct machine client = climb_machine(climb);
		assert_int_equal(sim_attach(sim, world_find_node(world, "a"), &client, 0), 0);
		assert_true(sim_run(sim, PATIENCE));
		measurement_init(&measurement);
		assert_int_equal(climb_collect(climb, &measurement), 0);
		assert_null(measurement.reverse);
		assert_int_equal(measurement.attempts[0].status, ATTEMPT_FAILED);
		assert_non_null(strstr(measurement.attempts[0].detail, cases[i].words));
		measurement_deinit(&measurement);
		climb_free(climb);
		sim_free(sim);
	}
	world_free(world);
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
		cmocka_unit_test(test_merged),
		cmocka_unit_test(test_vantage),
		cmocka_unit_test(test_vantage_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
