#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/escape.h"

static void test_plain_and_hostile(void **state)
{
	(void)state;
	char out[100];
	assert_string_equal(escape_text("ae-1.r20.example.net", out, sizeof(out)), "ae-1.r20.example.net");
	assert_string_equal(escape_text("\x1b]0;x\x07", out, sizeof(out)), "\\x1b]0;x\\x07");
	assert_string_equal(escape_text("a\nb\x7f\xff", out, sizeof(out)), "a\\x0ab\\x7f\\xff");
	assert_string_equal(escape_text("\\x41", out, sizeof(out)), "\\x5cx41"); /* cannot be forged */
	assert_string_equal(escape_text(NULL, out, sizeof(out)), "");
}

/* Cut at whole escapes, always terminated, never beyond the size. */
static void test_every_size(void **state)
{
	(void)state;
	static const char *const expected[] = {"", "", "a", "a", "a", "a", "a\\x01", "a\\x01b", "a\\x01b"};
	for (size_t size = 1; size < sizeof(expected) / sizeof(expected[0]); size++) {
		char out[16];
		memset(out, '#', sizeof(out));
		assert_string_equal(escape_text("a\x01"
						"b",
					    out, size),
			expected[size]);
		assert_int_equal(out[size], '#');
	}
	char untouched = '#';
	escape_text("a", &untouched, 0);
	assert_int_equal(untouched, '#');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_and_hostile),
		cmocka_unit_test(test_every_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
