/* Routes change while measurements go on: what Record Route contradicts is not believed, the measurement that
 * notices it finds the new way all the same, and after the traceroute in doubt is made anew the next ones are
 * right at once. */
#include "scene.h"

#include "revtr/virtual.h"
#include "sim/truth.h"

/* s - gs - a - x - t - r - d1 d2 d3, v beside r; t knows y as well, which is longer. The list of a reply has
 * room for two addresses on the way back: r's and t's. */
static const char world_text[] =
	"ases:\n"
	"  - {asn: 64496, name: S, country: DE, prefix: 198.51.100.0/24, prefix6: \"2001:db8:1::/48\"}\n"
	"  - {asn: 64500, name: X, country: DE, prefix: 203.0.113.0/24, prefix6: \"2001:db8:2::/48\"}\n"
	"  - {asn: 64510, name: D, country: DE, prefix: 198.18.16.0/22, prefix6: \"2001:db8:4::/48\"}\n"
	"hosts:\n"
	"  - {name: s, as: 64496}\n  - {name: v, as: 64510}\n"
	"  - {name: d1, as: 64510, address: 198.18.18.1}\n  - {name: d2, as: 64510, address: 198.18.18.2}\n"
	"  - {name: d3, as: 64510, address: 198.18.18.3}\n"
	"routers:\n"
	"  - {name: gs, as: 64496}\n  - {name: a, as: 64500}\n  - {name: x, as: 64500}\n"
	"  - {name: y, as: 64500}\n  - {name: t, as: 64510}\n  - {name: r, as: 64510}\n"
	"links:\n"
	"  - {from: s, to: gs}\n  - {from: gs, to: a}\n  - {from: a, to: x}\n  - {from: a, to: y}\n"
	"  - {from: x, to: t}\n  - {from: y, to: t, cost: 100}\n  - {from: t, to: r}\n  - {from: r, to: v}\n"
	"  - {from: r, to: d1}\n  - {from: r, to: d2}\n  - {from: r, to: d3}\n";
#define CHANGING_LINK 4 /* x - t */

struct lab {
	struct world *world;
	struct sim *sim;
	struct virtual *virtual;
	struct ingress ingress;
	struct revtr_site site;
	struct revtr_engine *engine;
	struct addr source;
	uint32_t tasks, trace;
	struct revtr_result result;
	struct revtr_hop hops[REVTR_HOPS_MAX];
	bool done;
};

static uint32_t no_asn(void *context, uint32_t address)
{
	(void)context, (void)address;
	return 0;
}

static void lab_init(struct lab *lab, bool doubt)
{
	uint32_t index;
	memset(lab, 0, sizeof(*lab));
	lab->world = scene_world(world_text);
	uint32_t hosts[] = {world_find_node(lab->world, "v"), world_find_node(lab->world, "s")};
	lab->source = world_node_address(lab->world, hosts[1], 4);
	lab->sim = sim_new(lab->world, 1);
	lab->virtual = virtual_new(lab->sim, hosts, 2);
	lab->tasks = 1000000;
	lab->trace = TREE_NONE;
	assert_int_equal(ingress_init(&lab->ingress, 1), 0);
	ingress_sort(&lab->ingress);
	struct revtr_environment environment = {.ingress = &lab->ingress,
		.sites = &lab->site,
		.site_count = 1,
		.asn = no_asn,
		.context = lab};
	struct revtr_options options = revtr_options_default();
	options.doubt = doubt;
	options.ask_again_ns = 0;
	lab->engine = revtr_engine_new(&options, &environment);
	assert_int_equal(revtr_engine_add_source(lab->engine, lab->source, 1, &index), 0);
}

static void lab_deinit(struct lab *lab)
{
	revtr_engine_free(lab->engine);
	ingress_deinit(&lab->ingress);
	virtual_free(lab->virtual);
	sim_free(lab->sim);
	world_free(lab->world);
}

/* The traceroute of v, or that once more. */
static void trace(struct lab *lab)
{
	struct revtr_task task = {
		.id = ++lab->tasks, .probe = REVTR_TRACEROUTE, .agent = 0, .target = lab->source};
	struct revtr_answer answer;
	uint32_t addresses[REVTR_TRACE_MAX];
	virtual_do(lab->virtual, &task, ADDR_NONE);
	assert_true(virtual_answer(lab->virtual, TIME_NEVER, &answer));
	assert_true(answer.reached);
	for (unsigned i = 0; i + 1 < answer.trace_count; i++)
		addresses[i] = (uint32_t)answer.trace[i].low;
	if (lab->trace != TREE_NONE)
		tree_remove_trace(revtr_engine_tree(lab->engine, 0), lab->trace);
	assert_int_equal(revtr_engine_add_trace(lab->engine, 0, addresses, answer.trace_count - 1, task.id,
				 sim_now(lab->sim), &lab->trace),
		0);
}

static void take(void *context, const struct revtr_result *result)
{
	struct lab *lab = context;
	lab->result = *result;
	memcpy(lab->hops, result->hops, result->hop_count * sizeof(*lab->hops));
	lab->done = true;
}

static bool is_true_way(struct lab *lab, const char *name)
{
	static struct truth truth;
	uint32_t node = world_find_node(lab->world, name), id;
	lab->done = false;
	assert_int_equal(revtr_engine_submit(lab->engine, 0, world_node_address(lab->world, node, 4),
				 sim_now(lab->sim), &id),
		0);
	virtual_run(lab->virtual, lab->engine, &lab->source, take, lab);
	assert_true(lab->done);
	assert_int_equal(sim_truths(lab->sim, node, lab->source, &truth, 1), 1);
	bool same = lab->result.stop == REVTR_REACHED && lab->result.hop_count == truth.hop_count;
	for (unsigned i = 0; same && i < truth.hop_count; i++)
		same = world_has_address(lab->world, truth.hops[i].node, addr_v4(lab->hops[i].address));
	return same;
}

static bool leans_on_atlas(const struct lab *lab)
{
	for (unsigned i = 0; i < lab->result.hop_count; i++)
		if (lab->hops[i].technique == TECHNIQUE_ATLAS)
			return true;
	return false;
}

static uint32_t in_doubt(struct lab *lab)
{
	uint32_t from = 0;
	return tree_doubted(revtr_engine_tree(lab->engine, 0), &from, sim_now(lab->sim), NULL);
}

static void test_change_is_noticed(void **state)
{
	struct lab lab;
	(void)state;
	lab_init(&lab, true);
	trace(&lab);
	assert_true(is_true_way(&lab, "d1"));
	assert_true(leans_on_atlas(&lab));
	assert_int_equal(in_doubt(&lab), TREE_NONE);
	sim_set_link(lab.sim, CHANGING_LINK, LINK_AVOIDED);
	assert_true(is_true_way(&lab, "d2"));
	assert_int_equal(in_doubt(&lab), lab.trace);
	unsigned dear = lab.result.option_packets;
	trace(&lab);
	assert_int_equal(in_doubt(&lab), TREE_NONE);
	assert_true(is_true_way(&lab, "d3"));
	assert_true(leans_on_atlas(&lab));
	assert_true(lab.result.option_packets < dear);
	/* It stays quiet. */
	assert_true(is_true_way(&lab, "d2"));
	assert_int_equal(in_doubt(&lab), TREE_NONE);
	lab_deinit(&lab);
}

/* What it is good for. */
static void test_without_doubt_it_is_wrong(void **state)
{
	struct lab lab;
	(void)state;
	lab_init(&lab, false);
	trace(&lab);
	assert_true(is_true_way(&lab, "d1"));
	sim_set_link(lab.sim, CHANGING_LINK, LINK_AVOIDED);
	assert_false(is_true_way(&lab, "d2"));
	lab_deinit(&lab);
}

/* Routes that stay raise no doubt. */
static void test_no_change(void **state)
{
	struct lab lab;
	(void)state;
	lab_init(&lab, true);
	trace(&lab);
	assert_true(is_true_way(&lab, "d1"));
	assert_true(is_true_way(&lab, "d2"));
	assert_true(is_true_way(&lab, "d3"));
	assert_int_equal(revtr_engine_tree(lab.engine, 0)->doubts, 0);
	lab_deinit(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_change_is_noticed),
		cmocka_unit_test(test_without_doubt_it_is_wrong),
		cmocka_unit_test(test_no_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
