#include "build.h"

#include "insight/align.h"
#include "insight/router_name.h"

#define SOURCE "192.0.2.10"
#define TARGET "198.51.100.80"

struct fixture {
	struct path *forward, *reverse;
	struct alignment *alignment;
};

static struct fixture align_v(
	const char *source, const char *target, const char *const *there, const char *const *back)
{
	struct fixture f;
	f.forward = build_path(DIRECTION_FORWARD, source, target, there);
	f.reverse = build_path(DIRECTION_REVERSE, target, source, back);
	build_finish(f.forward);
	build_finish(f.reverse);
	f.alignment = align_paths(f.forward, f.reverse);
	assert_non_null(f.alignment);
	return f;
}

#define THERE(...)	   ((const char *const[]){__VA_ARGS__, NULL})
#define align(there, back) align_v(SOURCE, TARGET, there, back)

static void done(struct fixture *f)
{
	alignment_free(f->alignment);
	path_free(f->forward);
	path_free(f->reverse);
}

static void expect(const struct fixture *f, size_t index, int forward, int reverse, enum shared_by by)
{
	assert_true(index < f->alignment->shared_count);
	assert_int_equal(f->alignment->shared[index].forward_ttl, forward);
	assert_int_equal(f->alignment->shared[index].reverse_ttl, reverse);
	assert_int_equal(f->alignment->shared[index].by, by);
}

static void test_mates(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		bool mate;
	} cases[] = {
		{"10.0.0.0", "10.0.0.1", true},
		{"10.0.0.2", "10.0.0.3", true}, /* /31 */
		{"10.0.0.1", "10.0.0.2", true},
		{"10.0.0.6", "10.0.0.5", true}, /* /30 */
		{"10.0.0.0", "10.0.0.3", false},
		{"10.0.0.0", "10.0.0.2", false},
		{"10.0.0.1", "10.0.0.3", false},
		{"10.0.0.3", "10.0.0.4", false},
		{"10.0.0.1", "10.0.0.1", false},
		{"10.0.0.1", "10.1.0.2", false},
		{"2001:db8::", "2001:db8::1", true},
		{"2001:db8::1", "2001:db8::2", true},
		{"2001:db8::1", "2001:db9::2", false},
		{"0.0.0.1", "::2", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr a = build_address(cases[i].a), b = build_address(cases[i].b);
		assert_int_equal(addr_is_link_mate(a, b), cases[i].mate);
		assert_int_equal(addr_is_link_mate(b, a), cases[i].mate);
	}
	assert_false(addr_is_link_mate(ADDR_NONE, ADDR_NONE));
}

/* S -A- R1 -B- R2 -C- R3 -D- T, links numbered as /31: even end nearer to S. Each way shows the far ends. */
static void test_symmetric_by_links(void **state)
{
	(void)state;
	struct fixture f = align(THERE("10.0.0.1", "10.0.0.3", "10.0.0.5", TARGET),
		THERE("198.51.100.81", "10.0.0.4", "10.0.0.2", SOURCE));
	/* R1 is hop 1 there and hop 3 back: 10.0.0.3 (R2) and 10.0.0.2 (R1) are the link R1-R2. */
	assert_int_equal(f.alignment->shared_count, 3);
	expect(&f, 0, 1, 3, SHARED_BY_SUBNET);
	expect(&f, 1, 2, 2, SHARED_BY_SUBNET);
	expect(&f, 2, 3, 1, SHARED_BY_SUBNET);
	assert_int_equal(f.alignment->router_symmetric, TERNARY_TRUE);
	assert_false(f.alignment->diverges);
	done(&f);
}

/* The middle router shows a link of network 1 on the way there and one of network 2 on the way back. */
static void test_numbering_of_links_does_not_make_ways_differ(void **state)
{
	(void)state;
	struct fixture f = align(THERE("10.0.0.1/1", "10.0.0.3/1", "10.0.0.5/3", TARGET "/3"),
		THERE("198.51.100.81/3", "10.0.0.4/2", "10.0.0.2/1", SOURCE "/1"));
	assert_int_equal(f.alignment->router_symmetric, TERNARY_TRUE);
	assert_int_equal(f.alignment->as_symmetric, TERNARY_TRUE);
	done(&f);
}

static void test_symmetric_by_address(void **state)
{
	(void)state;
	struct fixture f = align(THERE("10.1.0.1/1", "10.2.0.1/1", "10.3.0.1/2", TARGET "/2"),
		THERE("10.3.0.1/2", "10.2.0.1/1", "10.1.0.1/1", SOURCE "/1"));
	assert_int_equal(f.alignment->shared_count, 3);
	expect(&f, 0, 1, 3, SHARED_BY_ADDRESS);
	expect(&f, 2, 3, 1, SHARED_BY_ADDRESS);
	assert_int_equal(f.alignment->router_symmetric, TERNARY_TRUE);
	assert_int_equal(f.alignment->as_symmetric, TERNARY_TRUE);
	assert_int_equal(f.alignment->as_path_forward_count, 2);
	assert_int_equal(f.alignment->as_path_forward[0], 1);
	assert_int_equal(f.alignment->as_path_reverse[0], 2);
	done(&f);
}

/* R1 and R5 are on both ways; R2,R3 there, R6,R7,R8 back. R5's address shows over the link to T only. */
static void test_partly_shared(void **state)
{
	(void)state;
	struct fixture f = align(THERE("10.0.0.1", "10.0.1.1/7", "10.0.2.1/7", "10.0.3.1", TARGET),
		THERE("198.51.100.81", "10.0.4.1/8", "10.0.5.1/8", "10.0.6.1/8", "10.0.7.1", "192.0.2.10"));
	assert_int_equal(f.alignment->shared_count, 1);
	expect(&f, 0, 4, 1, SHARED_BY_SUBNET);
	assert_int_equal(f.alignment->router_symmetric, TERNARY_FALSE);
	assert_int_equal(f.alignment->divergence_forward_ttl, 1);
	assert_int_equal(f.alignment->divergence_reverse_ttl, 5);
	done(&f);
}

static void test_disjoint(void **state)
{
	(void)state;
	struct fixture f = align(THERE("10.0.0.1/1", "10.0.1.1/2", TARGET "/3"),
		THERE("10.8.0.1/3", "10.9.0.1/4", SOURCE "/1"));
	assert_int_equal(f.alignment->shared_count, 0);
	assert_int_equal(f.alignment->router_symmetric, TERNARY_FALSE); /* other networks */
	assert_int_equal(f.alignment->as_symmetric, TERNARY_FALSE);
	assert_int_equal(f.alignment->divergence_forward_ttl, 1);
	assert_int_equal(f.alignment->divergence_reverse_ttl, 2);
	done(&f);
}

/* Unequal addresses alone prove nothing: each way may show another face of the same routers. */
static void test_unequal_addresses_are_undecided(void **state)
{
	(void)state;
	struct fixture f =
		align(THERE("10.0.0.1", "10.0.1.1", TARGET), THERE("10.8.0.1", "10.9.0.1", SOURCE));
	assert_int_equal(f.alignment->router_symmetric, TERNARY_UNKNOWN);
	assert_int_equal(f.alignment->as_symmetric, TERNARY_UNKNOWN);
	assert_false(f.alignment->diverges);
	done(&f);
	/* Another number of routers does prove it. */
	f = align(THERE("10.0.0.1", "10.0.1.1", TARGET), THERE("10.8.0.1", "10.9.0.1", "10.10.0.1", SOURCE));
	assert_int_equal(f.alignment->router_symmetric, TERNARY_FALSE);
	done(&f);
}

static void test_silence_leaves_it_open(void **state)
{
	(void)state;
	struct fixture f = align(THERE("10.1.0.1/1", "*", "10.3.0.1/2", TARGET "/2"),
		THERE("10.3.0.1/2", "10.2.0.1/1", "10.1.0.1/1", SOURCE "/1"));
	assert_int_equal(f.alignment->shared_count, 2);
	assert_int_equal(f.alignment->router_symmetric, TERNARY_UNKNOWN);
	assert_int_equal(
		f.alignment->as_symmetric, TERNARY_UNKNOWN); /* the silent one stands at the border */
	assert_false(f.alignment->diverges);
	done(&f);
}

/* A silent router is named by the link that follows it. */
static void test_mate_names_a_silent_hop(void **state)
{
	(void)state;
	struct fixture f = align(THERE("10.0.0.1", "*", "10.0.0.5", TARGET),
		THERE("198.51.100.81", "10.0.0.4", "10.0.0.2", SOURCE));
	/* 10.0.0.5 is R3's end of R2-R3 and 10.0.0.4 is R2's: the silent hop 2 is return hop 2. */
	bool found = false;
	for (size_t i = 0; i < f.alignment->shared_count; i++)
		found |= f.alignment->shared[i].forward_ttl == 2 && f.alignment->shared[i].reverse_ttl == 2;
	assert_true(found);
	done(&f);
}

/* /31 links in a row: 10.0.0.1 there and 10.0.0.2 back are ends of two links, not of one /30. */
static void test_links_in_a_row(void **state)
{
	(void)state;
	struct fixture f =
		align(THERE("10.0.0.1", "10.0.0.7", TARGET), THERE("10.0.0.2", "10.0.0.12", SOURCE));
	assert_int_equal(f.alignment->shared_count, 0);
	done(&f);
	/* Without a sign of that plan it is a /30. */
	f = align(THERE("10.0.0.1", "10.0.0.6", TARGET), THERE("10.0.0.2", "10.0.0.13", SOURCE));
	assert_int_equal(f.alignment->shared_count,
		0); /* hop 1 is the router before return hop 1: the target's place */
	done(&f);
	f = align(THERE("10.0.0.6", "10.0.0.1", TARGET), THERE("10.0.0.13", "10.0.0.2", SOURCE));
	assert_int_equal(f.alignment->shared_count, 2);
	expect(&f, 0, 1, 2, SHARED_BY_SUBNET);
	expect(&f, 1, 2, 1, SHARED_BY_SUBNET);
	done(&f);
}

static void test_incomplete_ways_are_never_symmetric(void **state)
{
	(void)state;
	struct fixture f =
		align(THERE("10.1.0.1", "10.2.0.1", "*"), THERE("10.3.0.1", "10.2.0.1", "10.1.0.1", SOURCE));
	assert_int_equal(f.alignment->shared_count, 2);
	assert_int_equal(f.alignment->router_symmetric, TERNARY_UNKNOWN);
	done(&f);
	/* The way back breaks off before it comes near us. */
	f = align(THERE("10.1.0.1", "10.2.0.1", "10.3.0.1", TARGET), THERE("10.3.0.1", "*", "*"));
	assert_int_equal(f.alignment->shared_count, 1);
	assert_int_equal(f.alignment->router_symmetric, TERNARY_UNKNOWN);
	done(&f);
}

static void test_order_is_kept(void **state)
{
	(void)state;
	/* Both routers are on both ways, but in the same order: only one can be lined up. */
	struct fixture f =
		align(THERE("10.1.0.1", "10.2.0.1", TARGET), THERE("10.1.0.1", "10.2.0.1", SOURCE));
	assert_int_equal(f.alignment->shared_count, 1);
	assert_int_equal(f.alignment->router_symmetric, TERNARY_FALSE);
	done(&f);
}

static void test_ipv6(void **state)
{
	(void)state;
	struct fixture f = align_v("2001:db8:1::2", "2001:db8:9::2",
		THERE("2001:db8:1::1", "2001:db8:12::2", "2001:db8:9::2"),
		THERE("2001:db8:9::1", "2001:db8:12::1", "2001:db8:1::2"));
	assert_int_equal(f.alignment->shared_count, 2);
	expect(&f, 0, 1, 2, SHARED_BY_SUBNET);
	expect(&f, 1, 2, 1, SHARED_BY_SUBNET);
	assert_int_equal(f.alignment->router_symmetric, TERNARY_TRUE);
	done(&f);
}

static void test_same_network_is_weak(void **state)
{
	(void)state;
	struct fixture f =
		align(THERE("10.1.0.1/5", "10.2.0.1/5", TARGET), THERE("10.7.0.1/5", "10.2.0.1/5", SOURCE));
	/* One router by address outweighs any number of networks. */
	assert_int_equal(f.alignment->shared_count, 1);
	expect(&f, 0, 2, 2, SHARED_BY_ADDRESS);
	assert_int_equal(f.alignment->as_symmetric, TERNARY_TRUE);
	assert_int_equal(f.alignment->router_symmetric, TERNARY_FALSE);
	done(&f);
}

static void test_assumed_hops_prove_nothing(void **state)
{
	(void)state;
	struct fixture f;
	f.forward = build_path(DIRECTION_FORWARD, SOURCE, TARGET, THERE("10.1.0.1", "10.2.0.1", TARGET));
	f.reverse = build_path(DIRECTION_REVERSE, TARGET, SOURCE, THERE("10.2.0.1", "10.1.0.1", SOURCE));
	f.reverse->hops[0].certainty = f.reverse->hops[1].certainty = CERTAINTY_ASSUMED;
	build_finish(f.forward);
	build_finish(f.reverse);
	f.alignment = align_paths(f.forward, f.reverse);
	assert_int_equal(f.alignment->shared_count, 0);
	assert_int_equal(f.alignment->router_symmetric, TERNARY_UNKNOWN);
	done(&f);
}

static void test_names_of_one_router(void **state)
{
	(void)state;
	assert_string_equal(router_of_name("ae-3.core1.example.net"), "core1.example.net");
	assert_string_equal(router_of_name("xe0-1-2.r1.example.net"), "r1.example.net");
	assert_null(router_of_name("core1.example.net")); /* no interface */
	assert_null(router_of_name("ae1.net"));		  /* no router left */
	assert_null(router_of_name("aerial1.r1.example.net"));
	assert_null(router_of_name("ae.r1.example.net"));
	struct fixture f;
	f.forward = build_path(DIRECTION_FORWARD, SOURCE, TARGET, THERE("10.1.0.1", "10.2.0.1", TARGET));
	f.reverse = build_path(DIRECTION_REVERSE, TARGET, SOURCE, THERE("10.7.0.9", "10.1.0.1", SOURCE));
	f.forward->hops[1].name = strdup("ae0.core1.example.net");
	f.reverse->hops[0].name = strdup("AE2.core1.example.net");
	build_finish(f.forward);
	build_finish(f.reverse);
	f.alignment = align_paths(f.forward, f.reverse);
	assert_int_equal(f.alignment->shared_count, 2);
	expect(&f, 1, 2, 1, SHARED_BY_ALIAS);
	assert_int_equal(f.alignment->router_symmetric, TERNARY_TRUE);
	done(&f);
}

/* 198.18.16.5 there and .6 back look like one /30, but the link before the first hop back starts at the
 * target. */
static void test_mates_that_contradict_the_ends(void **state)
{
	(void)state;
	struct fixture f = align(THERE("10.1.0.1", "203.0.113.17", "198.18.16.5", TARGET),
		THERE("198.18.16.6", "198.18.16.2", "10.1.0.1", SOURCE));
	assert_int_equal(f.alignment->shared_count, 1);
	expect(&f, 0, 1, 3, SHARED_BY_ADDRESS);
	done(&f);
}

/* After a change by hand. */
static void align_anew(struct fixture *f)
{
	alignment_free(f->alignment);
	f->alignment = align_paths(f->forward, f->reverse);
	assert_non_null(f->alignment);
}

/* Record Route: a router that did not write itself down is missing, not elsewhere. */
static void test_uncounted_hops_prove_no_difference(void **state)
{
	(void)state;
	struct fixture f = align(THERE("10.0.0.1", "10.0.1.1", "10.0.2.1", "10.0.3.1", TARGET),
		THERE("10.0.3.1", "10.0.1.1", "10.0.0.1", SOURCE));
	assert_int_equal(f.alignment->router_symmetric, TERNARY_FALSE);
	for (size_t i = 0; i < f.reverse->hop_count; i++)
		f.reverse->hops[i].ttl = -1;
	align_anew(&f);
	assert_int_equal(f.alignment->shared_count, 3);
	assert_int_equal(f.alignment->router_symmetric, TERNARY_UNKNOWN);
	assert_false(f.alignment->diverges);
	done(&f);
}

/* The target was asked by one address and answers from another: it is no router on the way. */
static void test_target_answers_from_another_address(void **state)
{
	(void)state;
	struct fixture f = align(THERE("10.0.0.1", "10.0.1.1"), THERE("10.0.0.1", SOURCE));
	f.forward->reached = true;
	align_anew(&f);
	assert_false(f.alignment->diverges);
	assert_int_equal(f.alignment->router_symmetric, TERNARY_TRUE);
	done(&f);
}

/* r4 is next to r3, which answers from its loopback whatever the link, and to the target: nobody shows the other end of
 * a link of r4's, so that its two addresses may be one router's. */
static void test_beside_a_loopback_nothing_shows(void **state)
{
	(void)state;
	struct fixture f = align(THERE("10.0.0.1", "10.0.0.3", "10.9.9.9", "10.0.0.7", TARGET),
		THERE("10.0.0.8", "10.9.9.9", "10.0.0.4", "10.0.0.2", SOURCE));
	assert_int_equal(f.alignment->shared_count, 3);
	assert_false(f.alignment->diverges);
	assert_int_equal(f.alignment->router_symmetric, TERNARY_UNKNOWN);
	done(&f);
}

/* Nor beside a silent router, on both ways. */
static void test_beside_silence_nothing_shows(void **state)
{
	(void)state;
	struct fixture f = align(THERE("10.0.0.1", "10.0.0.3", "*", "10.0.0.7", TARGET),
		THERE("10.0.0.8", "*", "10.0.0.4", "10.0.0.2", SOURCE));
	assert_false(f.alignment->diverges);
	done(&f);
}

/* r2 answers once as a router that passes packets on, and once more to refuse them. */
static void test_who_refuses_stands_there_once(void **state)
{
	(void)state;
	struct fixture f = align(THERE("10.0.0.1", "10.0.0.3", "10.0.0.3"),
		THERE("10.0.0.6", "10.0.0.4", "10.0.0.2", SOURCE));
	assert_false(f.alignment->diverges);
	done(&f);
}

/* A border router shows a link of one neighbour's numbering there, and of the other's back. */
static void test_one_pair_in_two_networks_is_no_difference(void **state)
{
	(void)state;
	struct fixture f = align(THERE("10.0.0.1/1", "10.0.1.1/1", "10.9.9.9/3", TARGET "/3"),
		THERE("10.7.0.1/2", "10.0.1.1/1", "10.0.0.1/1", SOURCE "/1"));
	assert_false(f.alignment->diverges);
	done(&f);
}

/* The target's network is on both ways, even where its border shows the provider's link. */
static void test_networks_of_the_ends_are_on_both_ways(void **state)
{
	(void)state;
	struct fixture f = align(THERE("10.0.0.1/1", "10.0.2.1/2", "10.0.2.5/2", TARGET "/3"),
		THERE("10.9.9.9/3", "10.0.2.9/2", "10.0.0.9/1", SOURCE "/1"));
	assert_int_equal(f.alignment->as_symmetric, TERNARY_TRUE);
	done(&f);
}

/* Loopbacks are numbered in a row; what both ways show is no link's end. */
static void test_loopbacks_in_a_row_are_no_link(void **state)
{
	(void)state;
	struct fixture f = align(THERE("10.0.0.1", "10.9.9.3", "10.9.9.2", "10.0.0.7", TARGET),
		THERE("10.0.0.20", "10.9.9.2", "10.9.9.3", "10.0.0.2", SOURCE));
	for (size_t i = 0; i < f.alignment->shared_count; i++)
		assert_int_equal(f.alignment->shared[i].forward_ttl + f.alignment->shared[i].reverse_ttl, 5);
	assert_true(f.alignment->shared_count >= 2);
	done(&f);
}

/* b answers by the interface that its answer leaves by, towards d on the way back: that a and d were one router is
 * denied by their names. */
static void test_names_of_two_routers(void **state)
{
	(void)state;
	struct fixture f;
	f.forward = build_path(DIRECTION_FORWARD, SOURCE, TARGET, THERE("10.0.0.1", "10.3.0.2", TARGET));
	f.reverse = build_path(DIRECTION_REVERSE, TARGET, SOURCE, THERE("10.5.0.1", "10.3.0.3", SOURCE));
	build_finish(f.forward);
	build_finish(f.reverse);
	f.forward->hops[0].name = strdup("ae1.a.example.net");
	f.forward->hops[1].name = strdup("ae1.b.example.net");
	f.reverse->hops[0].name = strdup("ae2.b.example.net");
	f.reverse->hops[1].name = strdup("ae1.d.example.net");
	f.alignment = align_paths(f.forward, f.reverse);
	assert_non_null(f.alignment);
	assert_int_equal(f.alignment->shared_count, 1);
	expect(&f, 0, 2, 1, SHARED_BY_SUBNET);
	done(&f);
}

static void test_empty_paths(void **state)
{
	(void)state;
	struct fixture f = align(((const char *const[]){NULL}), ((const char *const[]){NULL}));
	assert_int_equal(f.alignment->shared_count, 0);
	assert_int_equal(f.alignment->router_symmetric, TERNARY_UNKNOWN);
	assert_int_equal(f.alignment->as_symmetric, TERNARY_UNKNOWN);
	done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mates),
		cmocka_unit_test(test_symmetric_by_links),
		cmocka_unit_test(test_numbering_of_links_does_not_make_ways_differ),
		cmocka_unit_test(test_symmetric_by_address),
		cmocka_unit_test(test_partly_shared),
		cmocka_unit_test(test_disjoint),
		cmocka_unit_test(test_unequal_addresses_are_undecided),
		cmocka_unit_test(test_silence_leaves_it_open),
		cmocka_unit_test(test_mate_names_a_silent_hop),
		cmocka_unit_test(test_links_in_a_row),
		cmocka_unit_test(test_incomplete_ways_are_never_symmetric),
		cmocka_unit_test(test_order_is_kept),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_same_network_is_weak),
		cmocka_unit_test(test_assumed_hops_prove_nothing),
		cmocka_unit_test(test_names_of_one_router),
		cmocka_unit_test(test_mates_that_contradict_the_ends),
		cmocka_unit_test(test_uncounted_hops_prove_no_difference),
		cmocka_unit_test(test_target_answers_from_another_address),
		cmocka_unit_test(test_beside_a_loopback_nothing_shows),
		cmocka_unit_test(test_beside_silence_nothing_shows),
		cmocka_unit_test(test_who_refuses_stands_there_once),
		cmocka_unit_test(test_one_pair_in_two_networks_is_no_difference),
		cmocka_unit_test(test_networks_of_the_ends_are_on_both_ways),
		cmocka_unit_test(test_loopbacks_in_a_row_are_no_link),
		cmocka_unit_test(test_names_of_two_routers),
		cmocka_unit_test(test_empty_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
