/* Reverse traceroute without cooperation in a world: an engine, sites and a source that do its tasks in
 * virtual time, and the truth to compare with. */
#ifndef RETOUR_TESTS_SCENARIO_REVTR_LAB_H
#define RETOUR_TESTS_SCENARIO_REVTR_LAB_H

#include "scene.h"

#include "revtr/virtual.h"
#include "sim/truth.h"

#define SITES_MAX	 4
#define FIRST_ATLAS_TASK 1000000

struct lab {
	/* What a test says before lab_start(); the world belongs to the lab. */
	struct world *world;
	const char *names[SITES_MAX + 1]; /* the sites' hosts, and then the source's */
	unsigned site_count, spoofers;	  /* the first so many sites may send in others' names */
	struct revtr_options options;
	const struct aliases *aliases;

	struct sim *sim;
	struct virtual *virtual;
	struct ingress ingress; /* a survey that knows nothing, so that all sites are asked in turn */
	struct revtr_site sites[SITES_MAX];
	struct revtr_engine *engine;
	struct addr source;
	uint32_t atlas_tasks;
	/* What was measured last. */
	struct revtr_result result;
	struct revtr_hop hops[REVTR_HOPS_MAX];
	bool done;
};

static inline uint32_t asn_of(void *context, uint32_t address)
{
	const struct world *world = context;
	uint32_t as = world_find_as(world, addr_v4(address));
	return as == WORLD_NONE ? 0 : world->ases[as].asn;
}

static inline void lab_start(struct lab *lab)
{
	uint32_t hosts[SITES_MAX + 1], index;
	for (unsigned i = 0; i <= lab->site_count; i++) {
		hosts[i] = world_find_node(lab->world, lab->names[i]);
		assert_int_not_equal(hosts[i], WORLD_NONE);
	}
	for (unsigned i = 0; i < lab->site_count; i++)
		lab->sites[i] = (struct revtr_site){i, i < lab->spoofers};
	lab->source = world_node_address(lab->world, hosts[lab->site_count], 4);
	lab->sim = sim_new(lab->world, 1);
	lab->virtual = virtual_new(lab->sim, hosts, lab->site_count + 1);
	assert_int_equal(ingress_init(&lab->ingress, lab->site_count), 0);
	ingress_sort(&lab->ingress);
	struct revtr_environment environment = {.ingress = &lab->ingress,
		.sites = lab->sites,
		.site_count = lab->site_count,
		.asn = asn_of,
		.aliases = lab->aliases,
		.context = lab->world};
	lab->engine = revtr_engine_new(&lab->options, &environment);
	assert_non_null(lab->engine);
	assert_int_equal(revtr_engine_add_source(lab->engine, lab->source, lab->site_count, &index), 0);
}

static inline void lab_end(struct lab *lab)
{
	revtr_engine_free(lab->engine);
	ingress_deinit(&lab->ingress);
	virtual_free(lab->virtual);
	sim_free(lab->sim);
	world_free(lab->world);
}

static inline struct addr lab_address(const struct lab *lab, const char *node)
{
	return world_node_address(lab->world, world_find_node(lab->world, node), 4);
}

/* A traceroute from a site to the source joins the atlas. Returns its number there. */
static inline uint32_t lab_trace(struct lab *lab, uint32_t site)
{
	struct revtr_task task = {.id = FIRST_ATLAS_TASK + lab->atlas_tasks++,
		.probe = REVTR_TRACEROUTE,
		.agent = site,
		.target = lab->source};
	struct revtr_answer answer;
	uint32_t addresses[REVTR_TRACE_MAX], trace;
	virtual_do(lab->virtual, &task, ADDR_NONE);
	assert_true(virtual_answer(lab->virtual, TIME_NEVER, &answer));
	assert_true(answer.reached);
	for (unsigned i = 0; i + 1 < answer.trace_count; i++)
		addresses[i] = (uint32_t)answer.trace[i].low;
	assert_int_equal(revtr_engine_add_trace(lab->engine, 0, addresses, answer.trace_count - 1, task.id,
				 sim_now(lab->sim), &trace),
		0);
	return trace;
}

static inline void lab_take(void *context, const struct revtr_result *result)
{
	struct lab *lab = context;
	lab->result = *result;
	memcpy(lab->hops, result->hops, result->hop_count * sizeof(*lab->hops));
	lab->done = true;
}

static inline void lab_measure(struct lab *lab, struct addr target)
{
	uint32_t id;
	lab->done = false;
	assert_int_equal(revtr_engine_submit(lab->engine, 0, target, sim_now(lab->sim), &id), 0);
	virtual_run(lab->virtual, lab->engine, &lab->source, lab_take, lab);
	assert_true(lab->done);
}

/* The way from a node to the source. */
static inline const struct truth *lab_truth(const struct lab *lab, const char *node)
{
	static struct truth truth;
	assert_int_equal(sim_truths(lab->sim, world_find_node(lab->world, node), lab->source, &truth, 1), 1);
	return &truth;
}

/* The source was reached, and each hop is the node of the truth at its place. */
static inline bool lab_is_true_way(const struct lab *lab, const char *node)
{
	const struct truth *truth = lab_truth(lab, node);
	bool same = lab->result.stop == REVTR_REACHED && lab->result.hop_count == truth->hop_count;
	for (unsigned i = 0; same && i < truth->hop_count; i++)
		same = world_has_address(lab->world, truth->hops[i].node, addr_v4(lab->hops[i].address));
	return same;
}

#endif
