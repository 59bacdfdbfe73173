/* Partial ways back made one: what is joined, how sure it is, and what must not be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "reverse/merge.h"

#define FAR  addr_v4(0xc6336407)
#define HOME addr_v4(0xcb007105)

/* A router by number; 0 = nobody answered. Their last bits are those of a /30's middle. */
static struct addr router(unsigned number)
{
	return number ? addr_v4(0xc0000200 + 4 * number + 1) : ADDR_NONE;
}

/* Ends with HOME where `reached`. */
static struct path *way(
	enum technique technique, const unsigned *routers, unsigned count, bool reached, bool from_elsewhere)
{
	struct path *path = path_new(DIRECTION_REVERSE, "test");
	path->source = from_elsewhere ? addr_v4(0xc6336463) : FAR;
	path->destination = HOME;
	path->reached = reached;
	path->stop_reason = reached ? STOP_REACHED : STOP_PARTIAL;
	for (unsigned i = 0; i < count + reached; i++) {
		struct hop *hop = path_add_hop(path, (int)i + 1, technique);
		hop->certainty = CERTAINTY_MEASURED;
		hop->address = i < count ? router(routers[i]) : HOME;
		hop->age_s = from_elsewhere ? 7 : 1;
		if (addr_is_set(hop->address))
			assert_int_equal(hop_add_address(hop, hop->address), 0);
	}
	if (from_elsewhere)
		assert_int_equal(
			path_set_vantage(path, "a looking glass", path->source, 64500, VANTAGE_SAME_AS), 0);
	return path;
}

static void expect_routers(const struct path *path, const unsigned *routers, unsigned count)
{
	assert_non_null(path);
	assert_int_equal(path->hop_count, count);
	for (unsigned i = 0; i < count; i++) {
		struct addr wanted = routers[i] == 99 ? HOME : router(routers[i]);
		assert_true(addr_equal(path->hops[i].address, wanted));
	}
}

#define WAY(technique, reached, from_elsewhere, ...)                                                         \
	way(technique, (const unsigned[]){__VA_ARGS__},                                                      \
		sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned), reached, from_elsewhere)
#define EXPECT(path, ...)                                                                                    \
	expect_routers(path, (const unsigned[]){__VA_ARGS__},                                                \
		sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned))

static void test_joined_at_a_router(void **state)
{
	struct merge merge;
	(void)state;
	struct path *first = WAY(TECHNIQUE_RESPONDER, false, false, 1, 2, 3);
	struct path *other = WAY(TECHNIQUE_REMOTE_TRACE, true, true, 20, 3, 0, 5);
	struct path *merged = merge_paths(first, other, &merge);
	EXPECT(merged, 1, 2, 3, 0, 5, 99);
	assert_int_equal(merge.joined, 2);
	assert_true(merged->reached);
	assert_int_equal(merged->stop_reason, STOP_REACHED);
	assert_null(merged->vantage);
	for (int i = 0; i < 6; i++) {
		const struct hop *hop = &merged->hops[i];
		assert_int_equal(hop->ttl, i + 1);
		assert_int_equal(hop->technique, i < 3 ? TECHNIQUE_RESPONDER : TECHNIQUE_REMOTE_TRACE);
		assert_int_equal(hop->certainty, i < 3 ? CERTAINTY_MEASURED : CERTAINTY_INFERRED);
		assert_true(hop->age_s == (i < 3 ? 1 : 7));
	}
	/* What they were made of stays as it was. */
	assert_int_equal(first->hop_count, 3);
	assert_int_equal(other->hop_count, 5);
	path_free(merged);
	path_free(first);
	path_free(other);
}

/* Both start at the far host: nothing becomes less certain. Silent hops at the end are no obstacle. */
static void test_same_origin(void **state)
{
	struct merge merge;
	(void)state;
	struct path *first = WAY(TECHNIQUE_RECORD_ROUTE, false, false, 1, 2, 0);
	struct path *other = WAY(TECHNIQUE_RESPONDER, false, false, 1, 2, 3, 4);
	struct path *merged = merge_paths(first, other, &merge);
	EXPECT(merged, 1, 2, 3, 4);
	assert_int_equal(merged->hops[3].certainty, CERTAINTY_MEASURED);
	assert_false(merged->reached);
	path_free(merged);
	path_free(first);
	path_free(other);
}

/* The address that a router sends by, and the one at which the next router answers. */
static void test_joined_at_a_link(void **state)
{
	struct merge merge;
	(void)state;
	struct path *first = WAY(TECHNIQUE_RECORD_ROUTE, false, false, 1, 2);
	struct path *other = WAY(TECHNIQUE_REMOTE_TRACE, true, true, 20, 21, 22, 23);
	struct addr mate = addr_v4((uint32_t)router(2).low ^ 3); /* .1 and .2 of a /30 */
	other->hops[2].address = other->hops[2].addresses[0] = mate;
	struct path *merged = merge_paths(first, other, &merge);
	assert_non_null(merged);
	assert_int_equal(merged->hop_count, 5);
	assert_true(addr_equal(merged->hops[2].address, mate));
	assert_int_equal(merged->hops[2].ttl, 3);
	assert_true(addr_equal(merged->hops[3].address, router(23)));
	path_free(merged);
	/* Where links are numbered by two, these may be two links. */
	other->hops[0].address = addr_v4(0xc0000300);
	assert_null(merge_paths(first, other, &merge));
	/* And where the address is the one that a router answered from, it is the same router's or nobody's.
	 */
	other->hops[0].address = router(20);
	first->hops[1].technique = TECHNIQUE_RESPONDER;
	assert_null(merge_paths(first, other, &merge));
	path_free(first);
	path_free(other);
}

static void test_numbers(void **state)
{
	struct merge merge;
	(void)state;
	struct path *first = WAY(TECHNIQUE_RECORD_ROUTE, false, false, 1, 2);
	struct path *other = WAY(TECHNIQUE_REMOTE_TRACE, true, true, 20, 2, 3);
	first->hops[0].ttl = first->hops[1].ttl = -1;
	struct path *merged = merge_paths(first, other, &merge);
	EXPECT(merged, 1, 2, 3, 99);
	for (size_t i = 0; i < merged->hop_count; i++)
		assert_int_equal(merged->hops[i].ttl, -1);
	path_free(merged);
	path_free(first);
	path_free(other);
}

static void expect_nothing(struct path *first, struct path *other)
{
	struct merge merge;
	assert_null(merge_paths(first, other, &merge));
	path_free(first);
	path_free(other);
}

static void test_not_joined(void **state)
{
	(void)state;
	/* No router in common. */
	expect_nothing(WAY(TECHNIQUE_RESPONDER, false, false, 1, 2, 3),
		WAY(TECHNIQUE_REMOTE_TRACE, true, true, 20, 21));
	/* They part again: the other cannot tell what is behind the last router. */
	expect_nothing(WAY(TECHNIQUE_RESPONDER, false, false, 1, 2, 3),
		WAY(TECHNIQUE_REMOTE_TRACE, true, true, 1, 2, 21, 22));
	/* Whole already. */
	expect_nothing(WAY(TECHNIQUE_RESPONDER, true, false, 1, 2),
		WAY(TECHNIQUE_REMOTE_TRACE, true, true, 20, 2, 3));
	/* Nothing is known behind it. */
	expect_nothing(WAY(TECHNIQUE_RESPONDER, false, false, 1, 2),
		WAY(TECHNIQUE_REMOTE_TRACE, false, true, 1, 2, 0, 0));
	/* It would go round in a circle. */
	expect_nothing(WAY(TECHNIQUE_RESPONDER, false, false, 1, 2, 3),
		WAY(TECHNIQUE_REMOTE_TRACE, true, true, 20, 3, 1, 5));
	/* The other does. */
	expect_nothing(WAY(TECHNIQUE_RESPONDER, false, false, 1, 2, 3),
		WAY(TECHNIQUE_REMOTE_TRACE, false, true, 3, 4, 3, 4));
	/* Nobody is known at all. */
	expect_nothing(WAY(TECHNIQUE_INFERRED, false, false, 0, 0, 0),
		WAY(TECHNIQUE_REMOTE_TRACE, true, true, 20, 3));
}

static void test_gaps(void **state)
{
	struct merge merge;
	(void)state;
	struct path *first = WAY(TECHNIQUE_RESPONDER, true, false, 1, 0, 0, 4, 0, 6);
	struct path *other = WAY(TECHNIQUE_REMOTE_TRACE, true, true, 20, 1, 2, 0, 4, 30, 31, 6);
	struct path *merged = merge_paths(first, other, &merge);
	/* Between 4 and 6 the other has one more: another way. */
	EXPECT(merged, 1, 2, 0, 4, 0, 6, 99);
	assert_int_equal(merge.filled, 1);
	assert_int_equal(merge.joined, first->hop_count);
	assert_int_equal(merged->hops[1].ttl, 2);
	assert_int_equal(merged->hops[1].certainty, CERTAINTY_INFERRED);
	assert_int_equal(merged->hops[1].technique, TECHNIQUE_REMOTE_TRACE);
	path_free(merged);
	path_free(first);
	path_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_joined_at_a_router),
		cmocka_unit_test(test_same_origin),
		cmocka_unit_test(test_joined_at_a_link),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_not_joined),
		cmocka_unit_test(test_gaps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
