/* A client and a responder in a world, and what came of it beside the truth. */
#ifndef RETOUR_TESTS_SCENARIO_ASKED_H
#define RETOUR_TESTS_SCENARIO_ASKED_H

#include "ways.h"

#include "reverse/climb.h"
#include "serve/responder.h"

#define TRUTHS_MAX 4096
#define PATIENCE   (120 * NS_PER_S)

struct run {
	struct measurement measurement;
	struct links links;
	unsigned ways;			    /* TRUTHS_MAX: too many to compare with */
	uint64_t requests, probes, refused; /* as the responder counts them */
	double seconds;
};

static inline void run_deinit(struct run *run)
{
	measurement_deinit(&run->measurement);
}

/* `near` asks `far`. `prefix_rate` 0: as the responder has it by itself. */
static inline struct run ask(
	struct world *world, uint32_t near, uint32_t far, struct reverse_task task, unsigned prefix_rate)
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

#endif
