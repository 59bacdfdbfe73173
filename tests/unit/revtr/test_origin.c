/* Routers that forward by origin, from chains made by hand. R's own answers go to OWN, what passes it to PASSED. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "revtr/tree.h"

#define SOURCE 0xc6336401u
#define R      0xcb007121u
#define OWN    0xcb007131u
#define PASSED 0xcb007141u
#define HOST(n) (0xc0000200u + 4 * (n))
#define NOW_NS (3600 * NS_PER_S)

static void tree_with(struct tree *tree)
{
	assert_int_equal(tree_init(tree, SOURCE, 24 * 3600 * NS_PER_S), 0);
}

static void chain(struct tree *tree, const uint32_t *addresses, unsigned count, int64_t now_ns)
{
	assert_int_equal(tree_add_chain(tree, addresses, count, true, 1, now_ns), 0);
	tree_note_origin(tree, addresses, count, now_ns);
}

static void passes(struct tree *tree, unsigned host, uint32_t next, int64_t now_ns)
{
	chain(tree, (uint32_t[]){HOST(host), R, next, SOURCE}, 4, now_ns);
}

static void answers(struct tree *tree, uint32_t next, int64_t now_ns)
{
	chain(tree, (uint32_t[]){R, next, SOURCE}, 3, now_ns);
}

static void test_two_ways(void **state)
{
	struct tree tree;
	struct tree_hop hops[TREE_WALK_MAX];
	bool reached;
	(void)state;
	tree_with(&tree);
	passes(&tree, 1, PASSED, NOW_NS);
	passes(&tree, 2, PASSED, NOW_NS);
	answers(&tree, OWN, NOW_NS);
	/* The same host again is no third one. */
	passes(&tree, 2, PASSED, NOW_NS);
	assert_false(tree_by_origin(&tree, R, NOW_NS));
	passes(&tree, 3, PASSED, NOW_NS);
	answers(&tree, OWN, NOW_NS);
	assert_true(tree_by_origin(&tree, R, NOW_NS));
	assert_false(tree_by_origin(&tree, PASSED, NOW_NS));
	assert_false(tree_by_origin(&tree, HOST(1), NOW_NS));
	/* Whoever comes by goes the way of those who pass, though its own was seen last. */
	assert_int_equal(tree_walk(&tree, R, NOW_NS, hops, &reached), 2);
	assert_true(reached);
	assert_int_equal(hops[0].address, PASSED);
	/* A day later nothing of this is believed. */
	assert_false(tree_by_origin(&tree, R, NOW_NS + 25 * 3600 * NS_PER_S));
	tree_deinit(&tree);
}

static void test_one_way(void **state)
{
	struct tree tree;
	(void)state;
	tree_with(&tree);
	for (unsigned i = 1; i <= 6; i++)
		passes(&tree, i, PASSED, NOW_NS);
	assert_false(tree_by_origin(&tree, R, NOW_NS));
	answers(&tree, PASSED, NOW_NS);
	assert_false(tree_by_origin(&tree, R, NOW_NS));
	tree_deinit(&tree);
	/* The two ends of one link are one router's and the next one's: not another way. */
	tree_with(&tree);
	for (unsigned i = 1; i <= 6; i++)
		passes(&tree, i, PASSED, NOW_NS);
	answers(&tree, PASSED ^ 1, NOW_NS);
	assert_false(tree_by_origin(&tree, R, NOW_NS));
	tree_deinit(&tree);
}

/* It shares out what passes it: then its own answers may go any of these ways. */
static void test_balanced(void **state)
{
	struct tree tree;
	(void)state;
	tree_with(&tree);
	answers(&tree, OWN, NOW_NS);
	for (unsigned i = 1; i <= 6; i++)
		passes(&tree, i, PASSED, NOW_NS);
	assert_true(tree_by_origin(&tree, R, NOW_NS));
	passes(&tree, 7, OWN, NOW_NS);
	assert_false(tree_by_origin(&tree, R, NOW_NS));
	tree_deinit(&tree);
	tree_with(&tree);
	answers(&tree, OWN, NOW_NS);
	answers(&tree, PASSED, NOW_NS);
	for (unsigned i = 1; i <= 6; i++)
		passes(&tree, i, PASSED, NOW_NS);
	assert_false(tree_by_origin(&tree, R, NOW_NS));
	tree_deinit(&tree);
}

/* Hours apart: routes may have changed. */
static void test_not_at_one_time(void **state)
{
	struct tree tree;
	(void)state;
	tree_with(&tree);
	answers(&tree, OWN, NOW_NS);
	for (unsigned i = 1; i <= 6; i++)
		passes(&tree, i, PASSED, NOW_NS + 2 * 3600 * NS_PER_S);
	assert_false(tree_by_origin(&tree, R, NOW_NS + 2 * 3600 * NS_PER_S));
	answers(&tree, OWN, NOW_NS + 2 * 3600 * NS_PER_S);
	assert_true(tree_by_origin(&tree, R, NOW_NS + 2 * 3600 * NS_PER_S));
	tree_deinit(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_ways),
		cmocka_unit_test(test_one_way),
		cmocka_unit_test(test_balanced),
		cmocka_unit_test(test_not_at_one_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
