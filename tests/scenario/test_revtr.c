/* Reverse traceroute without cooperation in the world `revtr-demo`, against its truth. */
#include "scene.h"

#include "revtr/virtual.h"
#include "sim/truth.h"

#define VPS 4

struct lab {
	struct world *world;
	struct sim *sim;
	struct virtual *virtual;
	struct ingress ingress;
	struct revtr_site sites[VPS];
	struct revtr_engine *engine;
	struct addr source, target;
	uint32_t hosts[VPS + 1]; /* the last is the source's */
	struct revtr_result result;
	struct revtr_hop hops[REVTR_HOPS_MAX];
	bool done;
};

static uint32_t asn_of(void *context, uint32_t address)
{
	const struct lab *lab = context;
	uint32_t as = world_find_as(lab->world, addr_v4(address));
	return as == WORLD_NONE ? 0 : lab->world->ases[as].asn;
}

/* The survey knows only that nothing is known, so that all are asked in turn. */
static void lab_init(struct lab *lab, struct revtr_options options)
{
	static const char *const names[] = {"vp1", "vp2", "vp3", "vp4", "client"};
	uint32_t index;
	memset(lab, 0, sizeof(*lab));
	assert_int_equal(world_load("revtr-demo", &lab->world, NULL), 0);
	for (unsigned i = 0; i <= VPS; i++)
		lab->hosts[i] = world_find_node(lab->world, names[i]);
	for (unsigned i = 0; i < VPS; i++)
		lab->sites[i] = (struct revtr_site){i, i < 2};
	lab->source = world_node_address(lab->world, lab->hosts[VPS], 4);
	lab->target = world_node_address(lab->world, world_find_node(lab->world, "server"), 4);
	lab->sim = sim_new(lab->world, 1);
	lab->virtual = virtual_new(lab->sim, lab->hosts, VPS + 1);
	assert_int_equal(ingress_init(&lab->ingress, VPS), 0);
	ingress_sort(&lab->ingress);
	struct revtr_environment environment = {
		.ingress = &lab->ingress, .sites = lab->sites, .site_count = VPS, .asn = asn_of, .context = lab};
	lab->engine = revtr_engine_new(&options, &environment);
	assert_non_null(lab->engine);
	assert_int_equal(revtr_engine_add_source(lab->engine, lab->source, VPS, &index), 0);
}

static void lab_deinit(struct lab *lab)
{
	revtr_engine_free(lab->engine);
	ingress_deinit(&lab->ingress);
	virtual_free(lab->virtual);
	sim_free(lab->sim);
	world_free(lab->world);
}

/* Traceroutes from the vantage points to the source. */
static void build_atlas(struct lab *lab)
{
	struct revtr_answer answer;
	for (uint32_t vp = 0; vp < VPS; vp++) {
		struct revtr_task task = {
			.id = vp + 1000000, .probe = REVTR_TRACEROUTE, .agent = vp, .target = lab->source};
		uint32_t addresses[REVTR_TRACE_MAX], index;
		virtual_do(lab->virtual, &task, ADDR_NONE);
		assert_true(virtual_answer(lab->virtual, TIME_NEVER, &answer));
		assert_true(answer.reached);
		for (unsigned i = 0; i + 1 < answer.trace_count; i++)
			addresses[i] = (uint32_t)answer.trace[i].low;
		assert_int_equal(revtr_engine_add_trace(lab->engine, 0, addresses, answer.trace_count - 1, task.id,
					 sim_now(lab->sim), &index),
			0);
	}
}

static void take(void *context, const struct revtr_result *result)
{
	struct lab *lab = context;
	lab->result = *result;
	memcpy(lab->hops, result->hops, result->hop_count * sizeof(*lab->hops));
	lab->done = true;
}

static void measure(struct lab *lab)
{
	uint32_t id;
	assert_int_equal(revtr_engine_submit(lab->engine, 0, lab->target, sim_now(lab->sim), &id), 0);
	virtual_run(lab->virtual, lab->engine, &lab->source, take, lab);
	assert_true(lab->done);
}

/* Each hop is the node of the truth at its place. */
static void assert_true_way(struct lab *lab)
{
	static struct truth truth;
	assert_int_equal(sim_truths(lab->sim, world_find_node(lab->world, "server"), lab->source, &truth, 1), 1);
	assert_int_equal(lab->result.hop_count, truth.hop_count);
	for (unsigned i = 0; i < truth.hop_count; i++)
		if (!world_has_address(lab->world, truth.hops[i].node, addr_v4(lab->hops[i].address)))
			fail_msg("hop %u is not %s", i + 1, lab->world->nodes[truth.hops[i].node].name);
}

/* The point of it: ten hops away, and Record Route from the source sees nothing. */
static void test_too_far_alone(void **state)
{
	struct revtr_options options = revtr_options_default();
	struct lab lab;
	(void)state;
	options.timestamps = false;
	options.spoofed = options.atlas = options.symmetry_intra = options.counts = false;
	lab_init(&lab, options);
	measure(&lab);
	assert_int_equal(lab.result.hop_count, 0);
	assert_int_not_equal(lab.result.stop, REVTR_REACHED);
	lab_deinit(&lab);
}

/* All nine places are taken before the server is reached, so its list shows nothing; and the routers of the way there tell
 * by their stamps which of them are on the way back. */
static void test_timestamps_show_what_lists_do_not(void **state)
{
	struct revtr_options options = revtr_options_default();
	static struct truth truth;
	struct lab lab;
	(void)state;
	options.spoofed = options.atlas = options.symmetry_intra = options.counts = false;
	lab_init(&lab, options);
	measure(&lab);
	assert_int_equal(sim_truths(lab.sim, world_find_node(lab.world, "server"), lab.source, &truth, 1), 1);
	assert_int_equal(lab.result.hop_count, 1);
	assert_string_equal(lab.world->nodes[truth.hops[0].node].name, "hb-core");
	assert_true(world_has_address(lab.world, truth.hops[0].node, addr_v4(lab.hops[0].address)));
	assert_int_equal(lab.hops[0].technique, TECHNIQUE_TIMESTAMP);
	assert_int_equal(lab.hops[0].certainty, CERTAINTY_MEASURED);
	lab_deinit(&lab);
}

static void test_whole_way_is_measured(void **state)
{
	struct lab lab;
	(void)state;
	lab_init(&lab, revtr_options_default());
	build_atlas(&lab);
	measure(&lab);
	assert_int_equal(lab.result.stop, REVTR_REACHED);
	assert_true_way(&lab);
	for (unsigned i = 0; i < lab.result.hop_count; i++)
		assert_int_equal(lab.hops[i].certainty, CERTAINTY_MEASURED);
	assert_int_equal(lab.hops[0].technique, TECHNIQUE_RECORD_ROUTE_SPOOFED);
	assert_true(lab.result.option_packets <= 8);
	lab_deinit(&lab);
}

/* Once more: everything is known, and nothing is sent. */
static void test_second_time_is_free(void **state)
{
	struct lab lab;
	(void)state;
	lab_init(&lab, revtr_options_default());
	build_atlas(&lab);
	measure(&lab);
	lab.done = false;
	measure(&lab);
	assert_int_equal(lab.result.stop, REVTR_REACHED);
	assert_int_equal(lab.result.option_packets, 0);
	assert_true_way(&lab);
	lab_deinit(&lab);
}

/* Whose network filters sources cannot help, whatever its owner allows. */
static void test_filtered_spoofers_are_in_vain(void **state)
{
	struct lab lab;
	(void)state;
	lab_init(&lab, revtr_options_default());
	for (unsigned i = 0; i < VPS; i++)
		lab.sites[i].may_spoof = i >= 2;
	measure(&lab);
	for (unsigned i = 0; i < lab.result.hop_count; i++)
		assert_int_not_equal(lab.hops[i].technique, TECHNIQUE_RECORD_ROUTE_SPOOFED);
	assert_int_not_equal(lab.result.stop, REVTR_REACHED);
	lab_deinit(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_too_far_alone),
		cmocka_unit_test(test_timestamps_show_what_lists_do_not),
		cmocka_unit_test(test_whole_way_is_measured),
		cmocka_unit_test(test_second_time_is_free),
		cmocka_unit_test(test_filtered_spoofers_are_in_vain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
