/* Suspected gaps, counted by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "revtr/engine.h"

/* `left` of the hops 0, 1, ...; the last hop is the source. */
static unsigned gaps_of(int16_t destination, const int16_t *left, unsigned count, struct revtr_gap *gaps)
{
	struct revtr_hop hops[8] = {0};
	for (unsigned i = 0; i < count; i++) {
		hops[i].address = i + 1;
		hops[i].left = left[i];
	}
	struct revtr_result result = {.stop = REVTR_REACHED, .hops = hops, .hop_count = count, .left = destination};
	return revtr_gaps(&result, gaps, 8);
}

/* Destination, three routers, source. */
static void test_nothing_is_missing(void **state)
{
	struct revtr_gap gaps[8];
	(void)state;
	assert_int_equal(gaps_of(3, (int16_t[]){-1, -1, -1, -1}, 4, gaps), 0);
	assert_int_equal(gaps_of(3, (int16_t[]){2, 1, 0, -1}, 4, gaps), 0);
	/* Nobody told. */
	assert_int_equal(gaps_of(-1, (int16_t[]){-1, -1, -1, -1}, 4, gaps), 0);
}

static void test_somewhere(void **state)
{
	struct revtr_gap gaps[8];
	(void)state;
	assert_int_equal(gaps_of(5, (int16_t[]){-1, -1, -1, -1}, 4, gaps), 1);
	assert_int_equal(gaps[0].after, -1);
	assert_int_equal(gaps[0].before, 3);
	assert_int_equal(gaps[0].missing, 2);
}

/* Five routers from the destination on, of which three show: four from the first shown one, so nothing before it; one
 * from the second, so two between them. */
static void test_where_it_is(void **state)
{
	struct revtr_gap gaps[8];
	(void)state;
	assert_int_equal(gaps_of(5, (int16_t[]){4, 1, -1, -1}, 4, gaps), 1);
	assert_int_equal(gaps[0].after, 0);
	assert_int_equal(gaps[0].before, 1);
	assert_int_equal(gaps[0].missing, 2);
	/* And one in front of the source. */
	assert_int_equal(gaps_of(6, (int16_t[]){5, 2, -1, -1}, 4, gaps), 2);
	assert_int_equal(gaps[1].after, 1);
	assert_int_equal(gaps[1].before, 3);
	assert_int_equal(gaps[1].missing, 1);
}

/* More show than hop limits allow: they are not to be believed. */
static void test_too_many_show(void **state)
{
	struct revtr_gap gaps[8];
	(void)state;
	assert_int_equal(gaps_of(1, (int16_t[]){-1, -1, -1, -1}, 4, gaps), 0);
}

static void test_next_to_the_source(void **state)
{
	struct revtr_gap gaps[8];
	(void)state;
	assert_int_equal(gaps_of(0, (int16_t[]){-1}, 1, gaps), 0);
	assert_int_equal(gaps_of(2, (int16_t[]){-1}, 1, gaps), 1);
	assert_int_equal(gaps[0].missing, 2);
	assert_int_equal(gaps_of(2, NULL, 0, gaps), 0);
}

/* It breaks off behind two hops: four routers from the destination on, three from the first one. */
static void test_what_is_missing_behind_the_end(void **state)
{
	struct revtr_hop hops[2] = {{.address = 1, .left = 3}, {.address = 2, .left = -1}};
	struct revtr_result result = {.stop = REVTR_INTERDOMAIN, .hops = hops, .hop_count = 2, .left = 4};
	struct revtr_gap gaps[8];
	(void)state;
	assert_int_equal(revtr_gaps(&result, gaps, 8), 1);
	assert_int_equal(gaps[0].after, 0);
	assert_int_equal(gaps[0].before, 2);
	assert_int_equal(gaps[0].missing, 2);
	/* Nothing shows, and four are on the way. */
	result.hop_count = 0;
	assert_int_equal(revtr_gaps(&result, gaps, 8), 1);
	assert_int_equal(gaps[0].after, -1);
	assert_int_equal(gaps[0].before, 0);
	assert_int_equal(gaps[0].missing, 4);
	/* All that there are show; only the source does not. */
	result = (struct revtr_result){.stop = REVTR_UNRESPONSIVE, .hops = hops, .hop_count = 1, .left = 1};
	hops[0].left = 0;
	assert_int_equal(revtr_gaps(&result, gaps, 8), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_missing),
		cmocka_unit_test(test_somewhere),
		cmocka_unit_test(test_where_it_is),
		cmocka_unit_test(test_too_many_show),
		cmocka_unit_test(test_next_to_the_source),
		cmocka_unit_test(test_what_is_missing_behind_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
