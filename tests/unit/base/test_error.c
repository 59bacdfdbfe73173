#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/error.h"

static void test_set(void **state)
{
	(void)state;
	struct error error = {0};
	assert_int_equal(error_set(&error, -EPERM, "cannot open %s: %d", "raw socket", 7), -EPERM);
	assert_int_equal(error.code, -EPERM);
	assert_string_equal(error.text, "cannot open raw socket: 7");
	assert_int_equal(error_set(NULL, -EINVAL, "nobody listens"), -EINVAL);
}

static void test_long_text_is_cut(void **state)
{
	(void)state;
	struct error error;
	char text[1000];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	error_set(&error, -EINVAL, "%s", text);
	assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_long_text_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
