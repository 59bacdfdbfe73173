/* How fast virtual time is: router-hops a second and the cost of a trace, on one core.
 *
 *   sim_hops [PACKETS]     echo requests over a chain of 15 routers and back, many in flight; then traces */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "sim/sim.h"
#include "trace/forward.h"

#define ROUTERS 15
#define TRACES	1000
#define BURST	1000 /* packets on their way at the same time */

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct world *chain(void)
{
	static char text[16384];
	struct world *world;
	struct error error;
	int used = snprintf(text, sizeof(text),
		"ases: [{asn: 64496, name: A, country: DE, prefix: 192.0.2.0/24, prefix6: "
		"\"2001:db8::/48\"}]\n"
		"hosts: [{name: a, as: 64496}, {name: b, as: 64496}]\nrouters:\n");
	for (int i = 1; i <= ROUTERS; i++)
		used += snprintf(text + used, sizeof(text) - (size_t)used, "  - {name: r%d, as: 64496}\n", i);
	used += snprintf(text + used, sizeof(text) - (size_t)used,
		"links:\n  - {from: a, to: r1}\n  - {from: r%d, to: b}\n", ROUTERS);
	for (int i = 1; i < ROUTERS; i++)
		used += snprintf(
			text + used, sizeof(text) - (size_t)used, "  - {from: r%d, to: r%d}\n", i, i + 1);
	if (world_parse("chain", text, &world, &error) == 0)
		return world;
	fprintf(stderr, "%s\n", error.text);
	exit(1);
}

static void flood(struct sim *sim, uint32_t host, struct addr from, struct addr to, unsigned packets)
{
	uint8_t bytes[200];
	double start = seconds();
	for (unsigned i = 0; i < packets; i++) {
		struct writer writer = writer_init(bytes, sizeof(bytes));
		struct packet_spec spec = {
			.ip = {.source = from, .destination = to, .ttl = 64, .protocol = PROTOCOL_ICMP},
			.transport = {.icmp_type = ICMP4_ECHO_REQUEST, .icmp_seq = (uint16_t)i},
		};
		if (packet_write(&writer, &spec) < 0 || sim_send(sim, host, bytes, writer.length) < 0)
			exit(1);
		if (i % BURST == BURST - 1)
			sim_advance(sim, sim_now(sim) + NS_PER_S);
	}
	sim_advance(sim, sim_now(sim) + NS_PER_S);
	double took = seconds() - start, hops = 2.0 * ROUTERS * packets;
	if (sim_counts(sim).delivered != 2ULL * packets)
		exit(1);
	printf("router-hops/s %.0f\nns per router-hop %.0f\n", hops / took, took / hops * 1e9);
}

static void traces(struct sim *sim, uint32_t host, struct addr from, struct addr to)
{
	static struct trace trace;
	struct trace_config config = trace_defaults();
	config.source = from;
	config.destination = to;
	config.probes_per_hop = 3;
	double start = seconds();
	for (unsigned i = 0; i < TRACES; i++) {
		trace_init(&trace, &config);
		struct machine machine = trace_machine(&trace);
		if (sim_attach(sim, host, &machine, 0) < 0 || !sim_run(sim, sim_now(sim) + 60 * NS_PER_S) ||
			trace.end != ROUTERS + 1)
			exit(1);
		sim_advance(sim, sim_now(sim) + 10 * NS_PER_S);
		trace_deinit(&trace);
	}
	printf("ns per trace %.0f\n", (seconds() - start) / TRACES * 1e9);
}

int main(int argc, char **argv)
{
	struct world *world = chain();
	struct sim *sim = sim_new(world, 1);
	uint32_t a = world_find_node(world, "a"), b = world_find_node(world, "b");
	struct addr from = world_node_address(world, a, 4), to = world_node_address(world, b, 4);
	if (!sim)
		return 1;
	flood(sim, a, from, to, argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000);
	traces(sim, a, from, to);
	sim_free(sim);
	world_free(world);
	return 0;
}
