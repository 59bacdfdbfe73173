/* Every way that flows take, in worlds whose truth is known: no link that is not there, and as many of those that are
 * as was promised. */
#include "scene.h"

#include "sim/truth.h"
#include "trace/multipath.h"

#define TRUTHS_MAX 4096
#define FLOWS      256
#define PATIENCE   (120 * NS_PER_S)

struct run {
	struct path *path;
	struct multipath_status status;
	unsigned edges_true, edges_found, edges_false;
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

/* Is this a link of one of the ways? */
static bool is_true(const struct truth *truths, unsigned count, const struct edge *edge)
{
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j + 1 < truths[i].hop_count; j++) {
			const struct truth_hop *from = &truths[i].hops[j], *to = &truths[i].hops[j + 1];
			if (to->ttl == edge->ttl && from->ttl == to->ttl - 1 && addr_equal(from->address, edge->from) &&
				addr_equal(to->address, edge->to))
				return true;
		}
	return false;
}

static bool is_found(const struct path *path, const struct truth_hop *from, const struct truth_hop *to)
{
	for (size_t i = 0; i < path->edge_count; i++)
		if (path->edges[i].ttl == to->ttl && addr_equal(path->edges[i].from, from->address) &&
			addr_equal(path->edges[i].to, to->address))
			return true;
	return false;
}

static bool shows(const struct truth_hop *hop)
{
	return hop->ttl > 0 && hop->hidden == HIDDEN_NOT && addr_is_set(hop->address);
}

/* Links of the truth, each once, that both ends show. */
static void compare(struct run *run, const struct truth *truths, unsigned count)
{
	for (size_t i = 0; i < run->path->edge_count; i++)
		run->edges_false += !is_true(truths, count, &run->path->edges[i]);
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j + 1 < truths[i].hop_count; j++) {
			const struct truth_hop *from = &truths[i].hops[j], *to = &truths[i].hops[j + 1];
			struct edge edge = {.ttl = to->ttl, .from = from->address, .to = to->address};
			if (!shows(from) || !shows(to) || to->ttl != from->ttl + 1 || is_true(truths, i, &edge))
				continue;
			run->edges_true++;
			run->edges_found += is_found(run->path, from, to);
		}
}

static struct run explore(struct world *world, uint32_t from, uint32_t to, uint8_t family,
	enum probe_protocol protocol, double confidence, unsigned seed)
{
	struct run run = {0};
	struct flow flows[FLOWS];
	struct sim *sim = sim_new(world, seed + 1);
	struct truth *truths = calloc(TRUTHS_MAX, sizeof(*truths));
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
	if (!sim_run(sim, PATIENCE))
		fail_msg("does not end");
	run.seconds = (double)sim_now(sim) / 1e9;
	run.path = multipath_path(multipath, 0, sim_now(sim));
	run.status = multipath_status(multipath);
	assert_non_null(run.path);
	unsigned count = sim_truths(sim, from, target, truths, TRUTHS_MAX);
	compare(&run, truths, count);
	multipath_free(multipath);
	free(truths);
	sim_free(sim);
	return run;
}

/* ---- worlds of one shape ---- */

struct text {
	char bytes[40000];
	size_t used;
};

static void PRINTF_LIKE(2, 3) add(struct text *text, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	text->used += (size_t)vsnprintf(text->bytes + text->used, sizeof(text->bytes) - text->used, format, arguments);
	va_end(arguments);
	assert_true(text->used < sizeof(text->bytes));
}

/* a - in - split =width=( chain of `length` )= join - out - b; `split_habits` and `inner` are behaviour. One branch is
 * `longer` hops longer. */
static struct world *diamond(unsigned width, unsigned length, unsigned longer, const char *split_habits,
	const char *inner)
{
	static struct text routers, links;
	char name[40], before[40];
	routers.used = links.used = 0;
	add(&routers, "  - {name: in, as: 64496}\n  - {name: out, as: 64496}\n  - {name: join, as: 64496}\n"
		      "  - {name: split, as: 64496, behaviour: {%s}}\n", split_habits);
	add(&links, "  - {from: a, to: in}\n  - {from: in, to: split}\n  - {from: join, to: out}\n"
		    "  - {from: out, to: b}\n");
	for (unsigned branch = 0; branch < width; branch++) {
		unsigned hops = length + (branch == width - 1 ? longer : 0);
		/* All ways cost the same. */
		unsigned cost = 1200 / (hops + 1);
		snprintf(before, sizeof(before), "split");
		for (unsigned hop = 0; hop < hops; hop++) {
			snprintf(name, sizeof(name), "r%u-%u", branch, hop);
			add(&routers, "  - {name: %s, as: 64496, behaviour: {%s}}\n", name, inner);
			add(&links, "  - {from: %s, to: %s, cost: %u}\n", before, name, cost);
			snprintf(before, sizeof(before), "%s", name);
		}
		add(&links, "  - {from: %s, to: join, cost: %u}\n", before, 1200 - cost * hops);
	}
	static struct text all;
	all.used = 0;
	add(&all, WORLD_HEAD "routers:\n%slinks:\n%s", routers.bytes, links.bytes);
	return scene_world(all.bytes);
}

static struct run in_world(struct world *world, enum probe_protocol protocol, uint8_t family, unsigned seed)
{
	return explore(world, world_find_node(world, "a"), world_find_node(world, "b"), family, protocol, 0.95, seed);
}

static void report(const char *what, const struct run *run)
{
	print_message("# %s: %u packets, %u answers, %.2f s, %u flows; links: %u of %u, %u false\n", what,
		run->status.probes_sent, run->status.replies_received, run->seconds, run->status.flows,
		run->edges_found, run->edges_true, run->edges_false);
}

/* Many runs in one world, each with other flows: the share of links found is what was promised. */
static void many(const char *what, struct world *world, enum probe_protocol protocol, uint8_t family, unsigned runs)
{
	unsigned found = 0, total = 0, packets = 0, complete = 0;
	for (unsigned seed = 0; seed < runs; seed++) {
		struct run run = in_world(world, protocol, family, seed);
		if (run.edges_false > 0)
			report(what, &run);
		assert_int_equal(run.edges_false, 0);
		assert_true(run.path->reached);
		found += run.edges_found;
		total += run.edges_true;
		complete += run.edges_found == run.edges_true;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
