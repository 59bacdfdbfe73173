/* Lists of one target by several ways there, drawn by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "revtr/differ.h"

static struct route_option list(const uint32_t *stamps, unsigned count)
{
	struct route_option option = {.present = true, .type = 7, .slots = 9, .used = (uint8_t)count};
	for (unsigned i = 0; i < count; i++)
		option.addrs[i] = stamps[i] ? addr_v4(stamps[i]) : ADDR_NONE;
	return option;
}

#define LIST(...) list((uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* 30 and 40 are the end of both ways there, 41 and 42 the way back: whoever needs fewer places there sees more of it. */
static void test_which_got_farther(void **state)
{
	struct route_option far = LIST(1, 2, 3, 4, 5, 30, 40, 41), near = LIST(11, 12, 30, 40, 41, 42);
	struct differ differ;
	(void)state;
	assert_true(differ_compare(&far, &near, &differ));
	assert_int_equal(differ.first, 5);
	assert_int_equal(differ.second, 2);
	assert_int_equal(differ.shared, 3);
	assert_int_equal(differ_ahead(&far, &near, &differ), -1);
	assert_true(differ_compare(&near, &far, &differ));
	assert_int_equal(differ.first, 2);
	assert_int_equal(differ.second, 5);
	assert_int_equal(differ_ahead(&near, &far, &differ), 1);
}

/* A way there that is the end of the other one. */
static void test_one_begins_on_the_others_way(void **state)
{
	struct route_option far = LIST(1, 2, 30, 40), near = LIST(30, 40, 41);
	struct differ differ;
	(void)state;
	assert_true(differ_compare(&far, &near, &differ));
	assert_int_equal(differ.first, 2);
	assert_int_equal(differ.second, 0);
	assert_int_equal(differ_ahead(&near, &far, &(struct differ){0, 2, 2}), 1);
}

static void test_what_has_not_come_together(void **state)
{
	struct route_option one = LIST(1, 2, 3), other = LIST(4, 5, 6), none = list(NULL, 0);
	/* They pass one router each, and go apart again: that is not where they come together. */
	struct route_option crossing = LIST(7, 2, 8);
	struct differ differ;
	(void)state;
	assert_false(differ_compare(&one, &other, &differ));
	assert_false(differ_compare(&one, &none, &differ));
	assert_false(differ_compare(&one, &crossing, &differ));
	/* Never apart: the same way there says nothing. */
	assert_false(differ_compare(&one, &one, &differ));
}

/* Slots with nothing in them are not alike, and what claims to hold more than it can is cut. */
static void test_strange_lists(void **state)
{
	struct route_option one = LIST(1, 0, 0), other = LIST(2, 0, 0), wrong = LIST(1, 2, 3);
	struct differ differ;
	(void)state;
	assert_false(differ_compare(&one, &other, &differ));
	wrong.used = 255;
	wrong.slots = 255;
	assert_false(differ_compare(&wrong, &wrong, &differ));
	wrong.slots = 2;
	other = LIST(9, 1, 2);
	assert_true(differ_compare(&wrong, &other, &differ));
	assert_int_equal(differ.shared, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which_got_farther),
		cmocka_unit_test(test_one_begins_on_the_others_way),
		cmocka_unit_test(test_what_has_not_come_together),
		cmocka_unit_test(test_strange_lists),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
