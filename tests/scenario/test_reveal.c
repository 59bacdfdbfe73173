/* What truth says that nodes reveal, in every shipped world, agrees with the rest of what truth says. */
#include "scene.h"

#include "sim/reveal.h"

static void check_hop(
	const struct truth_hop *hop, const struct reveal *reveal, bool is_target, bool ends_here)
{
	if (hop->hidden == HIDDEN_SILENT || hop->ttl < 0) {
		assert_false(reveal->error.answers);
	} else if (!ends_here) {
		assert_true(reveal->error.answers);
		assert_addr(reveal->error.source, hop->address);
		assert_int_equal(reveal->error.ttl, is_target ? 64 : 255);
	}
	/* What writes its address into Record Route writes it beside the time as well; `demo` has routers that do the
	 * latter only. */
	if (hop->address.family == 4 && reveal->options == OPTIONS_PASS && !ends_here && addr_is_set(hop->recorded))
		assert_addr(reveal->stamped, hop->recorded);
	assert_false(reveal->translates);
}

static void check_world(const struct shipped_world *shipped, uint8_t family)
{
	static struct truth truths[8];
	static struct reveal reveals[TRUTH_HOPS_MAX];
	struct world *world = scene_world(shipped->text);
	struct sim *sim = sim_new(world, 1), *scratch = sim_new(world, 1);
	uint32_t client = world_find_node(world, "client");
	struct addr to = world_node_address(world, world_find_node(world, "server"), family);
	struct packet_spec spec = echo_spec(world_node_address(world, client, family), to, 0, 1);
	uint8_t bytes[128];
	struct writer writer = writer_init(bytes, sizeof(bytes));
	assert_int_equal(packet_write(&writer, &spec), 0);
	unsigned count = sim_truths(sim, client, to, truths, 8);
	assert_true(count > 0);
	for (unsigned i = 0; i < count; i++) {
		sim_reveal(scratch, &truths[i], bytes, writer.length, reveals);
		for (unsigned j = 0; j < truths[i].hop_count; j++) {
			bool last = j + 1 == truths[i].hop_count;
			check_hop(&truths[i].hops[j], &reveals[j], last && truths[i].end == TRUTH_REACHED,
				last && truths[i].end != TRUTH_REACHED);
		}
	}
	sim_free(scratch);
	sim_free(sim);
	world_free(world);
}

static void test_shipped_worlds(void **state)
{
	(void)state;
	for (const struct shipped_world *shipped = shipped_worlds; shipped->name; shipped++)
		for (uint8_t family = 4; family <= 6; family += 2)
			check_world(shipped, family);
}

/* A tunnel that hides its inside, and pops late: routers inside say nothing, stamp nothing, let options pass.
 */
static void test_hidden_tunnel(void **state)
{
	static const char *const pops[] = {"penultimate", "ultimate"};
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		char rest[200];
		snprintf(rest, sizeof(rest), "tunnels: [{routers: [r1, r2, r3], hidden: true, pop: %s}]\n",
			pops[i]);
		struct scene s = scene_of(chain("silent: false", rest));
		struct sim *scratch = sim_new(s.world, 1);
		struct truth truth;
		struct reveal reveals[TRUTH_HOPS_MAX];
		struct probe *probe = prober_add_udp(s.prober, 0, s.from[4], s.to[4], 64, 1000, 1);
		assert_int_equal(sim_truth(s.sim, s.a, probe->bytes, probe->length, &truth), 0);
		assert_int_equal(truth.hop_count, 4);
		sim_reveal(scratch, &truth, probe->bytes, probe->length, reveals);
		assert_true(reveals[0].error.answers);
		assert_false(reveals[1].error.answers);
		assert_true(reveals[1].echo.answers); /* asked by its own address, it answers */
		assert_int_equal(reveals[1].options, OPTIONS_PASS);
		assert_false(addr_is_set(reveals[1].stamped));
		assert_false(addr_is_set(truth.hops[1].recorded));
		assert_int_equal(reveals[2].error.answers, i == 0);
		assert_addr(reveals[2].stamped, truth.hops[2].recorded);
		assert_true(reveals[3].error.answers);
		assert_int_equal(reveals[3].error.code, 3); /* port unreachable */
		sim_free(scratch);
		scene_end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shipped_worlds),
		cmocka_unit_test(test_hidden_tunnel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
