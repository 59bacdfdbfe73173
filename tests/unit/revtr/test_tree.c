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
#include "revtr/aliases.h"
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

static void assert_walk(const struct tree *tree, uint32_t from, const uint32_t *expected, unsigned count,
	bool expected_reached)
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
	assert_walk(&tree, X, (uint32_t[]){X + 1}, 1, false);
	tree_deinit(&tree);
}

/* A stamp that nothing names lies somewhere between those that something does. A second sighting narrows it.
 */
static void test_span_is_narrowed(void **state)
{
	struct tree tree;
	struct tree_hop hops[TREE_WALK_MAX];
	bool reached;
	(void)state;
	uint32_t trace = trace_of_three(&tree);
	assert_int_equal(tree_align(&tree, trace, 1, (uint32_t[]){B_OTHER}, 1), 0);
	assert_int_equal(
		tree_walk(&tree, B_OTHER, 0, hops, &reached), 3); /* B, C, S: it is A, B, C or beyond */
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

#define Y   (BASE + 210)
#define Z   (BASE + 220)
#define TWO (BASE + 2)
#define E2  (BASE + 91)

/* Bounds from other lists: what comes before Y is not behind it, also where Y's place is known in another
 * traceroute, whose hop C this one has, too. */
static void test_order_across_traces(void **state)
{
	struct tree tree;
	const uint32_t other[] = {TWO, E2, C};
	uint32_t second;
	struct tree_hop hops[TREE_WALK_MAX];
	bool reached;
	(void)state;
	uint32_t first = trace_of_three(&tree); /* AGENT A B C S */
	assert_int_equal(tree_add_trace(&tree, other, 3, 8, 0, &second), 0);
	/* Y is E2, by the second: it comes after E2 and leaves by the link to C. */
	assert_int_equal(tree_align(&tree, second, 1, (uint32_t[]){Y, C ^ 1}, 2), 0);
	assert_int_equal(tree_walk(&tree, Y, 0, hops, &reached), 2);
	assert_int_equal(hops[0].address, C);
	/* X comes after A and before Y: so it is not behind C, which would be all that is known by the first
	 * alone. */
	assert_int_equal(tree_align(&tree, first, 1, (uint32_t[]){X}, 1), 0);
	assert_int_equal(tree_walk(&tree, X, 0, hops, &reached), 3);
	assert_int_equal(hops[2].how, TREE_SPAN);
	assert_int_equal(tree_align(&tree, first, 1, (uint32_t[]){X, Y}, 2), 0);
	assert_int_equal(tree_walk(&tree, X, 0, hops, &reached), 3);
	assert_int_equal(hops[0].how, TREE_SPAN);
	assert_int_equal(hops[1].how, TREE_SPAN);
	assert_int_equal(hops[2].how, TREE_TRACE);
	tree_deinit(&tree);
}

/* The same within one: Z was seen after B, and now comes before X, which was seen up to B. */
static void test_order_across_lists(void **state)
{
	struct tree tree;
	struct tree_hop hops[TREE_WALK_MAX];
	bool reached;
	(void)state;
	uint32_t trace = trace_of_three(&tree);
	assert_int_equal(tree_align(&tree, trace, 1, (uint32_t[]){X, B_OUT}, 2), 0);
	assert_int_equal(tree_align(&tree, trace, 1, (uint32_t[]){Z}, 1), 0);
	assert_int_equal(tree_walk(&tree, Z, 0, hops, &reached), 3);
	assert_int_equal(tree_align(&tree, trace, 1, (uint32_t[]){Z, X}, 2), 0);
	assert_int_equal(tree_walk(&tree, Z, 0, hops, &reached), 3);
	assert_int_equal(hops[0].how, TREE_SPAN);
	assert_int_equal(hops[1].how, TREE_TRACE); /* it is B at the latest */
	/* And by chains: Y comes before X, though that was another list. */
	assert_int_equal(tree_add_chain(&tree, (uint32_t[]){Y, X}, 2, false, 9, 0), 0);
	assert_int_equal(tree_align(&tree, trace, 1, (uint32_t[]){Y}, 1), 0);
	struct tree_hop more[TREE_WALK_MAX];
	assert_true(tree_walk(&tree, Y, 0, more, &reached) > 0);
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

#define D	(BASE + 51)
#define E	(BASE + 61)
#define AGENT2	(BASE + 2)
#define HOUR_NS (3600 * NS_PER_S)

/* Another agent's traceroute is an hour younger: from B, which both pass, it tells. */
static void test_the_newest_tells(void **state)
{
	struct tree tree;
	const uint32_t younger[] = {AGENT2, B, D, E};
	uint32_t index;
	(void)state;
	trace_of_three(&tree);
	assert_int_equal(tree_add_trace(&tree, younger, 4, 8, HOUR_NS, &index), 0);
	struct tree_hop hops[TREE_WALK_MAX];
	bool reached;
	assert_int_equal(tree_walk(&tree, A, HOUR_NS, hops, &reached), 4);
	assert_true(reached);
	assert_int_equal(hops[0].address, B);
	assert_int_equal(hops[0].evidence, 7);
	assert_int_equal(hops[1].address, D);
	assert_int_equal(hops[1].evidence, 8);
	assert_int_equal(hops[2].address, E);
	/* It counts for both. */
	tree_note_use(&tree, hops, 4, HOUR_NS);
	assert_int_equal(tree.traces[0].uses, 1);
	assert_int_equal(tree.traces[1].uses, 1);
	assert_true(tree_saved(&tree.traces[0], HOUR_NS) == 1 && tree_saved(&tree.traces[1], HOUR_NS) == 3);
	assert_true(tree_saved(&tree.traces[1], HOUR_NS + DAY_NS) == 1.5);
	tree_deinit(&tree);
}

/* What is removed is known no more, but what others show of it is; and its number is used again. */
static void test_removed(void **state)
{
	struct tree tree;
	const uint32_t other[] = {AGENT2, B, C};
	uint32_t index;
	(void)state;
	uint32_t first = trace_of_three(&tree);
	assert_int_equal(tree_add_trace(&tree, other, 3, 8, 0, &index), 0);
	assert_int_equal(tree_align(&tree, index, 1, (uint32_t[]){B_OTHER}, 1), 0);
	tree_remove_trace(&tree, index);
	assert_walk(&tree, AGENT2, NULL, 0, false);
	assert_walk(&tree, B_OTHER, NULL, 0, false);
	assert_walk(&tree, B, (uint32_t[]){C, SOURCE}, 2, true);
	tree_remove_trace(&tree, first);
	assert_walk(&tree, B, NULL, 0, false);
	assert_int_equal(tree_add_trace(&tree, other, 3, 8, 0, &index), 0);
	assert_true(index <= 1);
	assert_int_equal(tree.trace_count, 2);
	tree_deinit(&tree);
}

static void test_renewed(void **state)
{
	struct tree tree;
	const uint32_t same[] = {AGENT, A, B, C}, other[] = {AGENT, A, D, C};
	struct tree_hop hops[TREE_WALK_MAX];
	bool reached;
	(void)state;
	uint32_t index = trace_of_three(&tree);
	assert_false(tree_renew_trace(&tree, index, other, 4, 9, HOUR_NS));
	assert_true(tree_renew_trace(&tree, index, same, 4, 9, HOUR_NS));
	assert_int_equal(tree_walk(&tree, A, DAY_NS + HOUR_NS, hops, &reached), 3);
	assert_int_equal(hops[0].evidence, 9);
	tree_deinit(&tree);
}

/* A year of traceroutes that all differ: no more memory than for those of a day. */
static void test_memory_is_bounded(void **state)
{
	struct tree tree;
	uint32_t index;
	size_t most = 0;
	(void)state;
	assert_int_equal(tree_init(&tree, SOURCE, DAY_NS), 0);
	for (uint32_t hour = 0; hour < 365 * 24; hour++) {
		uint32_t addresses[] = {AGENT, 0x0b000000 + 4 * hour, 0x0c000000 + 4 * hour};
		assert_int_equal(tree_add_trace(&tree, addresses, 3, 1, hour * HOUR_NS, &index), 0);
		assert_int_equal(tree_add_chain(&tree, &addresses[1], 2, true, 1, hour * HOUR_NS), 0);
		assert_int_equal(tree_prune(&tree, hour * HOUR_NS), 0);
		if (hour == 100)
			most = tree_bytes(&tree);
	}
	assert_true(tree_bytes(&tree) <= most);
	assert_int_equal(tree.trace_count - tree.trace_free, 25);
	assert_walk(&tree, 0x0b000000, NULL, 0, false);
	tree_deinit(&tree);
}

/* ---- doubt */

static void assert_doubt(
	struct tree *tree, const uint32_t *chain, unsigned count, int64_t now_ns, bool expected)
{
	assert_int_equal(tree_doubt(tree, chain, count, now_ns) > 0, expected);
	assert_int_equal(tree_add_chain(tree, chain, count, true, 99, now_ns), 0);
}

/* What stamps say as a rule is no reason for doubt: either end of a link, a name that nobody knows, a router
 * left out. */
static void test_no_doubt(void **state)
{
	static const uint32_t chains[][3] = {{A, B_OUT, SOURCE}, {A, A_OUT, B_OUT}, {A, B, C},
		{A, B_OTHER, C}, {B, C, SOURCE}, {A_OUT, B_OUT, 0}, {A, X, X + 9}, {A, C, 0}};
	struct tree tree;
	(void)state;
	for (unsigned i = 0; i < sizeof(chains) / sizeof(*chains); i++) {
		trace_of_three(&tree);
		assert_doubt(&tree, chains[i], 3, 5, false);
		tree_deinit(&tree);
	}
}

/* After A came B's other address before, and now one that nobody knows: from A on the trace is not believed,
 * behind it it is. A newer one is, and the same list does not shake it. */
static void test_another_comes_next(void **state)
{
	struct tree tree;
	const uint32_t same[] = {AGENT, A, B, C};
	uint32_t from = 0;
	(void)state;
	uint32_t index = trace_of_three(&tree);
	assert_doubt(&tree, (uint32_t[]){A, B_OTHER}, 2, 5, false);
	assert_doubt(&tree, (uint32_t[]){A, X}, 2, HOUR_NS, true);
	assert_walk(&tree, A, (uint32_t[]){X}, 1, false);
	assert_walk(&tree, AGENT, (uint32_t[]){A, X}, 2, false);
	assert_walk(&tree, B, (uint32_t[]){C, SOURCE}, 2, true);
	assert_int_equal(tree_doubted(&tree, &from, HOUR_NS, NULL), index);
	assert_int_equal(tree_doubted(&tree, &from, HOUR_NS, NULL), TREE_NONE);
	/* Asked once: not again. */
	assert_int_equal(tree_doubt(&tree, (uint32_t[]){A, B_OTHER}, 2, HOUR_NS + 1), 0);
	assert_true(tree_renew_trace(&tree, index, same, 4, 9, HOUR_NS + 2));
	from = 0;
	assert_int_equal(tree_doubted(&tree, &from, HOUR_NS + 2, NULL), TREE_NONE);
	assert_walk(&tree, A, (uint32_t[]){B, C, SOURCE}, 3, true);
	assert_doubt(&tree, (uint32_t[]){A, B_OTHER}, 2, HOUR_NS + 3, false);
	tree_deinit(&tree);
}

/* A list in the other order than the trace; and one that goes on where only another trace goes. */
static void test_another_way(void **state)
{
	struct tree tree;
	const uint32_t other[] = {AGENT2, D, E};
	uint32_t index;
	(void)state;
	trace_of_three(&tree);
	assert_int_equal(tree_add_trace(&tree, other, 3, 8, 0, &index), 0);
	assert_doubt(&tree, (uint32_t[]){A, D, E}, 3, 5, true);
	assert_walk(&tree, A, (uint32_t[]){D, E, SOURCE}, 3, true);
	tree_deinit(&tree);
	trace_of_three(&tree);
	assert_int_equal(tree_add_trace(&tree, other, 3, 8, 0, &index), 0);
	assert_doubt(&tree, (uint32_t[]){B, E ^ 1, SOURCE}, 3, 5, true); /* leaves by the link to E */
	tree_deinit(&tree);
	trace_of_three(&tree);
	assert_doubt(&tree, (uint32_t[]){C, A, X}, 3, 5, true);
	tree_deinit(&tree);
}

/* Addresses of one router, where somebody found out: any of them leads on, and narrows. */
static void test_aliases(void **state)
{
	struct tree tree;
	struct aliases aliases = {0};
	struct tree_hop hops[TREE_WALK_MAX];
	bool reached;
	(void)state;
	assert_int_equal(aliases_add(&aliases, (uint32_t[]){B, B_OTHER}, 2), 0);
	uint32_t index = trace_of_three(&tree);
	assert_walk(&tree, B_OTHER, NULL, 0, false);
	tree.aliases = &aliases;
	assert_walk(&tree, B_OTHER, (uint32_t[]){C, SOURCE}, 2, true);
	/* What comes after an alias of B is after B. */
	assert_int_equal(tree_align(&tree, index, 1, (uint32_t[]){B_OTHER, X}, 2), 0);
	assert_int_equal(tree_walk(&tree, X, 0, hops, &reached), 2);
	assert_int_equal(hops[0].address, C);
	tree_deinit(&tree);
	aliases_deinit(&aliases);
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
		cmocka_unit_test(test_order_across_traces),
		cmocka_unit_test(test_order_across_lists),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_the_newest_tells),
		cmocka_unit_test(test_removed),
		cmocka_unit_test(test_renewed),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_no_doubt),
		cmocka_unit_test(test_another_comes_next),
		cmocka_unit_test(test_another_way),
		cmocka_unit_test(test_aliases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
