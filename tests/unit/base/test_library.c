#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/library.h"

static void test_functions_are_found(void **state)
{
	(void)state;
	double (*cosine)(double) = NULL;
	const struct library_symbol symbols[] = {{"cos", &cosine}};
	struct error error = {0};
	assert_int_equal(library_load("libm.so.6", "libc6", symbols, 1, &error), 0);
	assert_true(cosine(0) > 0.999 && cosine(3.14159265) < -0.999);
}

static void test_what_is_missing_is_named(void **state)
{
	(void)state;
	void (*nothing)(void) = NULL;
	const struct library_symbol symbols[] = {{"retour_no_such_function", &nothing}};
	struct error error = {0};
	assert_int_equal(library_load("libretour-none.so.1", "libretour-none1", symbols, 1, &error), -ENOENT);
	assert_non_null(strstr(error.text, "install libretour-none1"));
	assert_int_equal(library_load("libm.so.6", "libc6", symbols, 1, &error), -ENOENT);
	assert_non_null(strstr(error.text, "retour_no_such_function"));
	assert_null(nothing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions_are_found),
		cmocka_unit_test(test_what_is_missing_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
