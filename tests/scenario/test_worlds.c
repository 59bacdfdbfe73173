/* In every shipped world, both ways and both families: what a trace sees equals the truth. */
#include "prober.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim/truth.h"

#define TTLS 12

static const struct truth_hop *hop_with_ttl(const struct truth *truth, int ttl)
{
	for (unsigned i = 0; i < truth->hop_count; i++)
		if (truth->hops[i].ttl == ttl)
			return &truth->hops[i];
	return NULL;
}

static bool lossy(const char *world)
{
	return strcmp(world, "lossy-return") == 0;
}

static void check_hop(const char *world, const struct truth *truth, const struct probe *probe, int ttl)
{
	const struct truth_hop *hop = hop_with_ttl(truth, ttl);
	const struct truth_hop *last = &truth->hops[truth->hop_count - 1];
	char shown[ADDR_TEXT_SIZE], expected[ADDR_TEXT_SIZE];
	if (!hop && truth->end == TRUTH_LOOP)
		return;
	if (!hop && truth->end != TRUTH_DROPPED)
		hop = last; /* probes with TTLs to spare get as far */
	if (!hop || hop->hidden == HIDDEN_SILENT) {
		assert_int_equal(probe->answers, 0);
		return;
	}
	if (lossy(world) && probe->answers == 0)
		return;
	if (probe->answers != 1)
		fail_msg("%s, TTL %d: %d answers", world, ttl, probe->answers);
	if (!addr_equal(probe->answer.ip.source, hop->address))
		fail_msg("%s, TTL %d: %s, expected %s", world, ttl,
			addr_format(probe->answer.ip.source, shown), addr_format(hop->address, expected));
	assert_true(probe->answered_ns - probe->sent_ns > hop->delay_ns);
	bool end = hop == last && truth->end != TRUTH_LOOP && truth->end != TRUTH_DROPPED;
	assert_int_equal(probe->answer.transport.icmp_kind, end ? ICMP_UNREACHABLE : ICMP_TIME_EXCEEDED);
	assert_true(probe->answer.checksum_ok);
	if (hop->label) {
		assert_int_equal(probe->answer.extensions.mpls_count, 1);
		assert_int_equal(probe->answer.extensions.mpls[0].label, hop->label);
	} else {
		assert_int_equal(probe->answer.extensions.mpls_count, 0);
	}
}

static void check_direction(
	const char *name, const struct world *world, const char *from, const char *to, uint8_t family)
{
	struct sim *sim = sim_new(world, 7);
	struct prober *prober = calloc(1, sizeof(*prober));
	uint32_t source = world_find_node(world, from), target = world_find_node(world, to);
	struct addr a = world_node_address(world, source, family),
		    b = world_node_address(world, target, family);
	struct truth truth;
	/* where packets for the source do not arrive, answers do not either */
	assert_int_not_equal(sim_truths(sim, target, a, &truth, 1), 0);
	bool deaf = truth.end != TRUTH_REACHED;
	for (uint8_t ttl = 1; ttl <= TTLS; ttl++)
		(void)prober_add_udp(prober, ttl * 2 * NS_PER_S, a, b, ttl, 50000, ttl);
	/* the truth of this very flow; its TTL and length do not matter */
	assert_int_equal(
		sim_truth(sim, source, prober->probes[0].bytes, prober->probes[0].length, &truth), 0);
	prober_run(sim, source, prober);
	for (int ttl = 1; ttl <= TTLS && !deaf; ttl++)
		check_hop(name, &truth, &prober->probes[ttl - 1], ttl);
	assert_int_equal(prober->strays, 0);
	free(prober);
	sim_free(sim);
}

static void test_trace_equals_truth(void **state)
{
	(void)state;
	for (const struct shipped_world *shipped = shipped_worlds; shipped->name; shipped++) {
		struct world *world;
		struct error error = {0};
		if (world_load(shipped->name, &world, &error) < 0)
			fail_msg("%s", error.text);
		for (uint8_t family = 4; family <= 6; family += 2) {
			check_direction(shipped->name, world, "client", "server", family);
			check_direction(shipped->name, world, "server", "client", family);
		}
		world_free(world);
	}
}

/* The demo world's ways, written down by hand from lab/demo.yaml. */
static void test_demo_is_asymmetric(void **state)
{
	static const char *const there[] = {
		"gw", "border", "nw-fra1", "nw-fra2", "nw-ams1", "hb-ams", "hb-core", "server"};
	static const char *const back[] = {
		"hb-core", "hb-lon", "sl-lon1", "sl-par1", "sl-fra1", "border", "gw", "client"};
	struct world *world;
	struct truth truth;
	(void)state;
	assert_int_equal(world_load("demo", &world, NULL), 0);
	struct sim *sim = sim_new(world, 1);
	uint32_t client = world_find_node(world, "client"), server = world_find_node(world, "server");
	for (uint8_t family = 4; family <= 6; family += 2) {
		assert_int_equal(
			sim_truths(sim, client, world_node_address(world, server, family), &truth, 1), 1);
		assert_int_equal(truth.hop_count, ARRAY_LEN(there));
		for (unsigned i = 0; i < truth.hop_count; i++)
			assert_string_equal(world->nodes[truth.hops[i].node].name, there[i]);
		assert_int_equal(truth.hops[7].delay_ns, 10100000);
		assert_int_equal(
			sim_truths(sim, server, world_node_address(world, client, family), &truth, 1), 1);
		assert_int_equal(truth.hop_count, ARRAY_LEN(back));
		for (unsigned i = 0; i < truth.hop_count; i++)
			assert_string_equal(world->nodes[truth.hops[i].node].name, back[i]);
		assert_int_equal(truth.hops[7].delay_ns, 16300000);
	}
	sim_free(sim);
	world_free(world);
}

/* A round trip takes exactly what both ways take. */
static void test_round_trip_time(void **state)
{
	struct world *world;
	struct prober *prober = calloc(1, sizeof(*prober));
	(void)state;
	assert_int_equal(world_load("demo", &world, NULL), 0);
	struct sim *sim = sim_new(world, 1);
	uint32_t client = world_find_node(world, "client"), server = world_find_node(world, "server");
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct packet_spec spec = echo_spec(world_node_address(world, client, family),
			world_node_address(world, server, family), 0, family);
		(void)prober_add(prober, 0, &spec);
	}
	prober_run(sim, client, prober);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(prober->probes[i].answers, 1);
		assert_int_equal(
			prober->probes[i].answered_ns - prober->probes[i].sent_ns, 10100000 + 16300000);
		assert_int_equal(prober->probes[i].answer.ip.ttl, 64 - 7);
	}
	free(prober);
	sim_free(sim);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trace_equals_truth),
		cmocka_unit_test(test_demo_is_asymmetric),
		cmocka_unit_test(test_round_trip_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
