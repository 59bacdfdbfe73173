/* The way back without any help, in generated worlds: the share of hosts of which it is known, and how true
 * it is.
 *
 *   ways_back [WORLDS [PAIRS [ASES]]]     (200 20 200)
 *
 * Prints
 * WORLDS|ASES|ASKED|PINGED|PART|WHOLE|MEASURED|MEASURED_TRUE|INFERRED|INFERRED_TRUE|OPTION_PACKETS|PACKETS|
 * SPREAD: PART and WHOLE count hosts with a measured hop, and with a measured way up to us; MEASURED and
 * INFERRED are hops with an address; OPTION_PACKETS are the packets with IPv4 options and PACKETS all of the
 * ways back; SPREAD is the standard error of PART's share over worlds, in points. Seeds from FIRST_SEED on
 * are nobody else's.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"
#include "reverse/climb.h"
#include "sim/sim.h"
#include "sim/generate.h"
#include "sim/truth.h"
#include "trace/forward.h"

#define FIRST_SEED  5001
#define PATIENCE_NS (300 * NS_PER_S)
#define TRUTHS_MAX  16

struct tally {
	unsigned asked, pinged, part, whole;
	unsigned measured, measured_true, inferred, inferred_true;
	unsigned option_packets, packets;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "ways_back: %s\n", what);
	exit(1);
}

/* ---- a machine that counts what another one sends */

struct counted {
	struct machine machine;
	unsigned packets, option_packets;
};

static enum machine_want counted_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct counted *counted = self;
	enum machine_want want = counted->machine.ops->next(counted->machine.self, now_ns, outgoing, wake_ns);
	counted->packets += want == MACHINE_SEND;
	/* An IPv4 header of more than five words has options. */
	counted->option_packets +=
		want == MACHINE_SEND && outgoing->bytes[0] >> 4 == 4 && (outgoing->bytes[0] & 15) > 5;
	return want;
}

static void counted_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct counted *counted = self;
	counted->machine.ops->sent(counted->machine.self, token, sent_ns, error);
}

static void counted_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct counted *counted = self;
	counted->machine.ops->packet(counted->machine.self, received_ns, packet);
}

static struct machine counted_machine(struct counted *counted)
{
	static const struct machine_ops ops = {counted_next, counted_sent, counted_packet};
	return (struct machine){.ops = &ops, .self = counted};
}

/* ---- one measurement */

static void run(struct sim *sim, uint32_t client, struct machine machine)
{
	if (sim_attach(sim, client, &machine, 0) < 0 || !sim_run(sim, sim_now(sim) + PATIENCE_NS))
		die("the virtual Internet does not come to rest");
}

static struct path *trace_there(
	const struct world *world, uint32_t client, struct addr from, struct addr to, uint64_t seed)
{
	struct sim *sim = sim_new(world, seed);
	struct trace *trace = calloc(1, sizeof(*trace));
	struct trace_config config = trace_defaults();
	if (!sim || !trace)
		die("out of memory");
	config.protocol = PROBE_ICMP;
	config.source = from;
	config.destination = to;
	config.flow = (struct flow){.icmp_id = 99, .icmp_checksum = 0x4242};
	config.key = (struct hash_key){seed, 2};
	trace_init(trace, &config);
	run(sim, client, trace_machine(trace));
	struct path *path = trace_path(trace, 0, sim_now(sim));
	trace_deinit(trace);
	free(trace);
	sim_free(sim);
	if (!path)
		die("out of memory");
	return path;
}

/* The ladder of `retour HOST`, with the way there known; the path belongs to the caller. */
static struct path *climb_back(const struct world *world, uint32_t client, struct addr from,
	struct path *there, uint64_t seed, struct tally *tally)
{
	struct sim *sim = sim_new(world, seed);
	struct reverse_task task = {.target = there->destination, .source = from, .seed = seed * 7919 + 1};
	struct measurement measurement;
	struct climb *climb;
	if (!sim || climb_new(&climb, &task, NULL, NULL) < 0)
		die("out of memory");
	climb_known(climb, there);
	struct counted counted = {.machine = climb_machine(climb)};
	run(sim, client, counted_machine(&counted));
	tally->packets += counted.packets;
	tally->option_packets += counted.option_packets;
	measurement_init(&measurement);
	if (climb_collect(climb, &measurement) < 0)
		die("out of memory");
	struct path *path = measurement.reverse;
	measurement.reverse = NULL;
	measurement_deinit(&measurement);
	climb_free(climb);
	sim_free(sim);
	return path;
}

/* ---- the truth: every node that a packet of any flow may pass */

struct nodes {
	uint32_t list[TRUTHS_MAX * TRUTH_HOPS_MAX];
	unsigned count;
	uint32_t end;
	bool reached;
};

static void nodes_between(struct nodes *nodes, const struct world *world, uint32_t from, struct addr to)
{
	static struct truth truths[TRUTHS_MAX];
	struct sim *sim = sim_new(world, 1);
	unsigned count = sim_truths(sim, from, to, truths, TRUTHS_MAX);
	nodes->reached = count > 0 && truths[0].hop_count > 0 && truths[0].end == TRUTH_REACHED;
	nodes->count = 0;
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j < truths[i].hop_count; j++)
			nodes->list[nodes->count++] = truths[i].hops[j].node;
	nodes->end = nodes->reached ? truths[0].hops[truths[0].hop_count - 1].node : WORLD_NONE;
	sim_free(sim);
}

/* Private stamps are 172.16.0.0/12 and the node's number. */
static bool on_way(const struct world *world, const struct nodes *nodes, struct addr address)
{
	for (unsigned i = 0; i < nodes->count; i++)
		if (world_has_address(world, nodes->list[i], address) ||
			addr_equal(address, addr_v4(0xac100000u | ((nodes->list[i] + 1u) & 0xfffffu))))
			return true;
	return false;
}

static void judge(
	struct tally *tally, const struct world *world, const struct nodes *back, const struct path *path)
{
	unsigned measured = 0, hops = 0;
	for (size_t i = 0; path && i < path->hop_count; i++) {
		const struct hop *hop = &path->hops[i];
		if (!addr_is_set(hop->address) || addr_equal(hop->address, path->destination))
			continue;
		bool sure = hop->certainty == CERTAINTY_MEASURED, right = on_way(world, back, hop->address);
		hops++;
		measured += sure;
		tally->measured += sure;
		tally->measured_true += sure && right;
		tally->inferred += !sure;
		tally->inferred_true += !sure && right;
	}
	tally->part += measured > 0;
	tally->whole += measured > 0 && measured == hops && path->reached;
}

/* ---- a world */

static bool is_public(const struct world *world, uint32_t host)
{
	struct addr address = world_node_address(world, host, 4);
	return addr_is_set(address) && !addr_is_private(address) &&
		world_find_as(world, address) != WORLD_NONE;
}

static uint32_t draw_host(const struct world *world, struct rng *rng)
{
	uint32_t host;
	do
		host = (uint32_t)rng_below(rng, world->host_count);
	while (!is_public(world, host));
	return host;
}

static void explore(struct tally *tally, const struct world *world, unsigned pairs, uint64_t seed)
{
	static struct nodes there, back;
	struct rng rng = rng_seed(seed);
	for (unsigned i = 0; i < pairs; i++) {
		uint32_t client = draw_host(world, &rng), target = draw_host(world, &rng);
		struct addr from = world_node_address(world, client, 4),
			    to = world_node_address(world, target, 4);
		nodes_between(&there, world, client, to);
		if (!there.reached || there.end == client || there.end >= world->host_count)
			continue;
		nodes_between(&back, world, there.end, from);
		if (!back.reached || back.end != client)
			continue;
		struct path *forward = trace_there(world, client, from, to, seed + i);
		tally->asked++;
		tally->pinged += forward->reached;
		struct path *path = climb_back(world, client, from, forward, seed + i, tally);
		judge(tally, world, &back, path);
		path_free(path);
	}
}

static struct world *generated(unsigned ases, uint64_t seed)
{
	struct generate_options options = {ases, seed, profile_find("today")};
	struct error error = {0};
	struct world *world = NULL;
	char *text;
	if (generate_world(&options, &text, &error) < 0 || world_parse("generated", text, &world, &error) < 0)
		die(error.text);
	free(text);
	return world;
}

static unsigned argument(int argc, char **argv, int index, unsigned otherwise)
{
	return index < argc ? (unsigned)atoi(argv[index]) : otherwise;
}

int main(int argc, char **argv)
{
	unsigned worlds = argument(argc, argv, 1, 200), pairs = argument(argc, argv, 2, 20),
		 ases = argument(argc, argv, 3, 200);
	struct tally sum = {0};
	double shares = 0, squares = 0;
	for (unsigned i = 0; i < worlds; i++) {
		struct world *world = generated(ases, FIRST_SEED + i);
		unsigned asked = sum.asked, part = sum.part;
		explore(&sum, world, pairs, FIRST_SEED + i);
		double share = sum.asked > asked ? 100.0 * (sum.part - part) / (sum.asked - asked) : 0;
		shares += share;
		squares += share * share;
		world_free(world);
	}
	double mean = shares / worlds,
	       variance = worlds > 1 ? (squares - worlds * mean * mean) / (worlds - 1) : 0;
	printf("%u|%u|%u|%u|%u|%u|%u|%u|%u|%u|%u|%u|%.2f\n", worlds, ases, sum.asked, sum.pinged, sum.part,
		sum.whole, sum.measured, sum.measured_true, sum.inferred, sum.inferred_true,
		sum.option_packets, sum.packets, sqrt(variance > 0 ? variance / worlds : 0));
	return 0;
}
