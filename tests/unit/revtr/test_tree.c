/* What a tree knows of the ways to its source: worked out by hand.
 *
 *   agent 10.0.0.1 -> A .. B .. C .. source S, seen by traceroute at their near ends; links are /31s:
 *   A-B is 20/21, B-C is 30/31, C-S is 40/41. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "revtr/tree.h"

#define BASE	0xcb007100u
#define AGENT	(BASE + 1)
#define A	(BASE + 10)
#define B	(BASE + 21)
#define C	(BASE + 31)
#define SOURCE	(BASE + 41)
#define A_OUT	(BASE + 20)
#define B_OUT	(BASE + 30)
#define X	(BASE + 200)
#define B_OTHER (BASE + 80)
#define DAY_NS	(24 * 3600 * NS_PER_S)

static uint32_t trace_of_three(struct tree *tree)
{
	const uint32_t addresses[] = {AGENT, A, B, C};
	uint32_t index;
	assert_int_equal(tree_init(tree, SOURCE, DAY_NS), 0);
	assert_int_equal(tree_add_trace(tree, addresses, 4, 7, 0, &index), 0);
	return index;
}

static void assert_walk(
	const struct tree *tree, uint32_t from, const uint32_t *expected, unsigned count, bool expected_reached)
{
	struct tree_hop hops[TREE_WALK_MAX];
	bool reached;
	assert_int_equal(tree_walk(tree, from, 0, hops, &reached), count);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(hops[i].address, expected[i]);
	assert_int_equal(reached, expected_reached);
}

static void test_on_a_trace(void **state)
{
	struct tree tree;
	(void)state;
	trace_of_three(&tree);
	assert_walk(&tree, A, (uint32_t[]){B, C, SOURCE}, 3, true);
	assert_walk(&tree, AGENT, (uint32_t[]){A, B, C, SOURCE}, 4, true);
	assert_walk(&tree, X, NULL, 0, false);
	tree_deinit(&tree);
}

/* A router that writes the address a packet leaves by names the link, whose far end the traceroute saw. */
static void test_far_end_of_a_link(void **state)
{
	struct tree tree;
	(void)state;
	trace_of_three(&tree);
	assert_walk(&tree, A_OUT, (uint32_t[]){B, C, SOURCE}, 3, true);
	assert_walk(&tree, B_OUT, (uint32_t[]){C, SOURCE}, 2, true);
	tree_deinit(&tree);
}

/* 21 and 22 are the two ends of a /30 only where nothing shows that links have a /31. */
static void test_no_30_among_31s(void **state)
{
	struct tree tree;
	const uint32_t lonely[] = {AGENT, BASE + 22, BASE + 41}, with31[] = {BASE + 3, BASE + 22};
	uint32_t index;
	(void)state;
	assert_int_equal(tree_init(&tree, SOURCE, DAY_NS), 0);
	assert_int_equal(tree_add_trace(&tree, lonely, 2, 7, 0, &index), 0);
	assert_walk(&tree, BASE + 21, (uint32_t[]){BASE + 22, SOURCE}, 2, true);
	assert_int_equal(tree_add_chain(&tree, with31, 2, false, 8, 0), 0);
	assert_walk(&tree, BASE + 21, NULL, 0, false);
	tree_deinit(&tree);
}

static void test_chain_joins_trace(void **state)
{
	struct tree tree;
	const uint32_t chain[] = {X, X + 1, B_OUT};
	bool reached;
	struct tree_hop hops[TREE_WALK_MAX];
	(void)state;
	trace_of_three(&tree);
	assert_int_equal(tree_add_chain(&tree, chain, 3, true, 9, 5), 0);
	assert_walk(&tree, X, (uint32_t[]){X + 1, B_OUT, C, SOURCE}, 4, true);
	assert_int_equal(tree_walk(&tree, X, 5, hops, &reached), 4);
	assert_int_equal(hops[0].how, TREE_CHAIN_SPOOFED);
	assert_int_equal(hops[0].evidence, 9);
	assert_int_equal(hops[2].how, TREE_TRACE);
	assert_int_equal(hops[2].evidence, 7);
	tree_deinit(&tree);
}

/* Between two known routers somebody is missing: that is not a link. */
static void test_gap_in_a_chain(void **state)
{
	struct tree tree;
	const uint32_t chain[] = {X, 0, B_OUT};
	(void)state;
	trace_of_three(&tree);
	assert_int_equal(tree_add_chain(&tree, chain, 3, false, 9, 0), 0);
	assert_walk(&tree, X, NULL, 0, false);
	tree_deinit(&tree);
}

/* Two chains round in a circle end somewhere. */
static void test_circle(void **state)
{
	struct tree tree;
	const uint32_t chain[] = {X, X + 1, X};
	(void)state;
	trace_of_three(&tree);
	assert_int_equal(tree_add_chain(&tree, chain, 3, false, 9, 0), 0);
	assert_walk(&tree, X, (uint32_t[]){X + 1, X}, 2, false);
	tree_deinit(&tree);
}

/* A stamp that nothing names lies somewhere between those that something does. A second sighting narrows it. */
static void test_span_is_narrowed(void **state)
{
	struct tree tree;
	struct tree_hop hops[TREE_WALK_MAX];
	bool reached;
	(void)state;
	uint32_t trace = trace_of_three(&tree);
	assert_int_equal(tree_align(&tree, trace, 1, (uint32_t[]){B_OTHER}, 1), 0);
	assert_int_equal(tree_walk(&tree, B_OTHER, 0, hops, &reached), 3); /* B, C, S: it is A, B, C or beyond */
	assert_true(reached);
	assert_int_equal(hops[0].how, TREE_SPAN);
	assert_int_equal(hops[2].how, TREE_SPAN);
	/* Now it was seen after B and before B's link to C was left: it is B. */
	assert_int_equal(tree_align(&tree, trace, 2, (uint32_t[]){B_OTHER, B_OUT}, 2), 0);
	assert_int_equal(tree_walk(&tree, B_OTHER, 0, hops, &reached), 2);
	assert_int_equal(hops[0].address, C);
	assert_int_equal(hops[0].how, TREE_TRACE);
	tree_deinit(&tree);
}

static void test_age(void **state)
{
	struct tree tree;
	struct tree_hop hops[TREE_WALK_MAX];
	bool reached;
	(void)state;
	trace_of_three(&tree);
	assert_int_equal(tree_walk(&tree, A, DAY_NS, hops, &reached), 3);
	assert_int_equal(tree_walk(&tree, A, DAY_NS + 1, hops, &reached), 0);
	tree_deinit(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_on_a_trace),
		cmocka_unit_test(test_far_end_of_a_link),
		cmocka_unit_test(test_no_30_among_31s),
		cmocka_unit_test(test_chain_joins_trace),
		cmocka_unit_test(test_gap_in_a_chain),
		cmocka_unit_test(test_circle),
		cmocka_unit_test(test_span_is_narrowed),
		cmocka_unit_test(test_age),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
