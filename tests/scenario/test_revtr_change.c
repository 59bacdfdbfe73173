/* Routes change while measurements go on: what Record Route contradicts is not believed, the measurement that
 * notices it finds the new way all the same, and after the traceroute in doubt is made anew the next ones are
 * right at once. */
#include "revtr_lab.h"

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

static void start(struct lab *lab, bool doubt)
{
	*lab = (struct lab){.world = scene_world(world_text),
		.names = {"v", "s"},
		.site_count = 1,
		.options = revtr_options_default()};
	lab->options.doubt = doubt;
	lab->options.ask_again_ns = 0;
	lab_start(lab);
}

static bool is_found(struct lab *lab, const char *node)
{
	lab_measure(lab, lab_address(lab, node));
	return lab_is_true_way(lab, node);
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
	start(&lab, true);
	uint32_t trace = lab_trace(&lab, 0);
	assert_true(is_found(&lab, "d1"));
	assert_true(leans_on_atlas(&lab));
	assert_int_equal(in_doubt(&lab), TREE_NONE);
	sim_set_link(lab.sim, CHANGING_LINK, LINK_AVOIDED);
	assert_true(is_found(&lab, "d2"));
	assert_int_equal(in_doubt(&lab), trace);
	unsigned dear = lab.result.option_packets;
	/* The traceroute of v once more. */
	tree_remove_trace(revtr_engine_tree(lab.engine, 0), trace);
	lab_trace(&lab, 0);
	assert_int_equal(in_doubt(&lab), TREE_NONE);
	assert_true(is_found(&lab, "d3"));
	assert_true(leans_on_atlas(&lab));
	assert_true(lab.result.option_packets < dear);
	/* It stays quiet. */
	assert_true(is_found(&lab, "d2"));
	assert_int_equal(in_doubt(&lab), TREE_NONE);
	lab_end(&lab);
}

/* What it is good for. */
static void test_without_doubt_it_is_wrong(void **state)
{
	struct lab lab;
	(void)state;
	start(&lab, false);
	lab_trace(&lab, 0);
	assert_true(is_found(&lab, "d1"));
	sim_set_link(lab.sim, CHANGING_LINK, LINK_AVOIDED);
	assert_false(is_found(&lab, "d2"));
	lab_end(&lab);
}

/* Routes that stay raise no doubt. */
static void test_no_change(void **state)
{
	struct lab lab;
	(void)state;
	start(&lab, true);
	lab_trace(&lab, 0);
	assert_true(is_found(&lab, "d1"));
	assert_true(is_found(&lab, "d2"));
	assert_true(is_found(&lab, "d3"));
	assert_int_equal(revtr_engine_tree(lab.engine, 0)->doubts, 0);
	lab_end(&lab);
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
