/* The survey of a coordinator: what agents find out beforehand, in the world `revtr-demo`. See lab.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab.h"
#include "revtr/coordinator_inside.h"

static uint32_t hitlist[2];

static void with_hitlist(struct coordinator_options *options)
{
	options->hitlist = hitlist;
	options->hitlist_count = ARRAY_LEN(hitlist);
}

/* The demo's server, which is near to one of the agents that may spoof; and an address that nobody has. */
static void test_distances_are_found_out(void **state)
{
	struct lab lab;
	int64_t until_ns;
	(void)state;
	struct world *world;
	assert_int_equal(world_load("revtr-demo", &world, NULL), 0);
	hitlist[0] = (uint32_t)world_node_address(world, world_find_node(world, "server"), 4).low;
	hitlist[1] = 0x10000001;
	world_free(world);
	adjust = with_hitlist;
	lab_init(&lab, true);
	adjust = NULL;
	for (int i = 0; i < 20; i++)
		turn(&lab);
	coordinator_survey(lab.coordinator);
	const struct ingress_prefix *known = NULL;
	until_ns = clock_monotonic_ns() + PATIENCE_NS;
	while ((!known || known->view_count < 2) && clock_monotonic_ns() < until_ns) {
		coordinator_pump(lab.coordinator);
		turn(&lab);
		ingress_sort(&lab.coordinator->ingress);
		known = ingress_find(&lab.coordinator->ingress, lab.target);
	}
	assert_non_null(known);
	/* By both agents that may send in the source's name, and by no other; with the truth of how many routers stamp. */
	assert_int_equal(known->view_count, 2);
	for (unsigned i = 0; i < known->view_count; i++) {
		const char *agent = lab.coordinator->agents[known->views[i].agent].name;
		static struct truth truth;
		bool first = strcmp(agent, "vp1") == 0;
		assert_true(first || strcmp(agent, "vp2") == 0);
		assert_int_equal(sim_truths(lab.sim, lab.hosts[first ? 1 : 2], lab.target, &truth, 1), 1);
		unsigned routers = (unsigned)truth.hop_count - 1;
		assert_int_equal(known->views[i].distance, routers < RECORD_ROUTE_SLOTS_MAX ? routers : INGRESS_FAR);
	}
	/* It stands in for its neighbours from now on, as it has answered. */
	assert_int_equal(coordinator_sibling(lab.coordinator, (uint32_t)lab.target.low + 1, 0), lab.target.low);
	assert_null(ingress_find(&lab.coordinator->ingress, addr_v4(0x10000001)));
	lab_deinit(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_distances_are_found_out)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
