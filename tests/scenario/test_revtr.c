/* Reverse traceroute without cooperation in the world `revtr-demo`, against its truth. */
#include "revtr_lab.h"

#define VPS 4

/* Two of the vantage points may send in the source's name, and their networks let them. */
static void start(struct lab *lab, struct revtr_options options)
{
	*lab = (struct lab){.names = {"vp1", "vp2", "vp3", "vp4", "client"},
		.site_count = VPS,
		.spoofers = 2,
		.options = options};
	assert_int_equal(world_load("revtr-demo", &lab->world, NULL), 0);
	lab_start(lab);
}

static void measure(struct lab *lab)
{
	lab_measure(lab, lab_address(lab, "server"));
}

static void build_atlas(struct lab *lab)
{
	for (uint32_t vp = 0; vp < VPS; vp++)
		lab_trace(lab, vp);
}

/* The point of it: ten hops away, and Record Route from the source sees nothing. */
static void test_too_far_alone(void **state)
{
	struct revtr_options options = revtr_options_default();
	struct lab lab;
	(void)state;
	options.timestamps = false;
	options.spoofed = options.atlas = options.symmetry_intra = options.counts = false;
	start(&lab, options);
	measure(&lab);
	assert_int_equal(lab.result.hop_count, 0);
	assert_int_not_equal(lab.result.stop, REVTR_REACHED);
	lab_end(&lab);
}

/* All nine places are taken before the server is reached, so its list shows nothing; and the routers of the
 * way there tell by their stamps which of them are on the way back. */
static void test_timestamps_show_what_lists_do_not(void **state)
{
	struct revtr_options options = revtr_options_default();
	struct lab lab;
	(void)state;
	options.spoofed = options.atlas = options.symmetry_intra = options.counts = false;
	start(&lab, options);
	measure(&lab);
	uint32_t first = lab_truth(&lab, "server")->hops[0].node;
	assert_int_equal(lab.result.hop_count, 1);
	assert_string_equal(lab.world->nodes[first].name, "hb-core");
	assert_true(world_has_address(lab.world, first, addr_v4(lab.hops[0].address)));
	assert_int_equal(lab.hops[0].technique, TECHNIQUE_TIMESTAMP);
	assert_int_equal(lab.hops[0].certainty, CERTAINTY_MEASURED);
	lab_end(&lab);
}

static void test_whole_way_is_measured(void **state)
{
	struct lab lab;
	(void)state;
	start(&lab, revtr_options_default());
	build_atlas(&lab);
	measure(&lab);
	assert_true(lab_is_true_way(&lab, "server"));
	for (unsigned i = 0; i < lab.result.hop_count; i++)
		assert_int_equal(lab.hops[i].certainty, CERTAINTY_MEASURED);
	assert_int_equal(lab.hops[0].technique, TECHNIQUE_RECORD_ROUTE_SPOOFED);
	assert_true(lab.result.option_packets <= 8);
	lab_end(&lab);
}

/* Once more: everything is known, and nothing is sent. */
static void test_second_time_is_free(void **state)
{
	struct lab lab;
	(void)state;
	start(&lab, revtr_options_default());
	build_atlas(&lab);
	measure(&lab);
	measure(&lab);
	assert_true(lab_is_true_way(&lab, "server"));
	assert_int_equal(lab.result.option_packets, 0);
	lab_end(&lab);
}

/* Whose network filters sources cannot help, whatever its owner allows. */
static void test_filtered_spoofers_are_in_vain(void **state)
{
	struct lab lab;
	(void)state;
	start(&lab, revtr_options_default());
	for (unsigned i = 0; i < VPS; i++)
		lab.sites[i].may_spoof = i >= 2;
	measure(&lab);
	for (unsigned i = 0; i < lab.result.hop_count; i++)
		assert_int_not_equal(lab.hops[i].technique, TECHNIQUE_RECORD_ROUTE_SPOOFED);
	assert_int_not_equal(lab.result.stop, REVTR_REACHED);
	lab_end(&lab);
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
