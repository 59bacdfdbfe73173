/* The cleaner: what terminals, telnet, pagers and web pages put around the lines. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "import/import.h"
#include "import/text.h"

/* The lines, with a bar between them. */
static void expect(const char *bytes, size_t length, const char *lines)
{
	struct text text;
	char got[512] = "";
	assert_int_equal(text_init(&text, (const uint8_t *)bytes, length), 0);
	for (size_t i = 0; i < text.count; i++) {
		strcat(got, i > 0 ? "|" : "");
		strcat(got, text.lines[i]);
	}
	assert_string_equal(got, lines);
	text_deinit(&text);
}
#define EXPECT(bytes, lines) expect(bytes, sizeof(bytes) - 1, lines)

static void test_line_ends(void **state)
{
	(void)state;
	EXPECT("", "");
	EXPECT("a\nb", "a|b");
	EXPECT("a\r\nb\r\n", "a|b|");
	EXPECT("a\r\0\nb", "a|b"); /* telnet: RFC 854 */
	EXPECT("a\r\0b", "a|b");
	EXPECT("a\rb", "a|b");
	EXPECT("a\tb\vc", "a b c");
	EXPECT("a\0b\x07\x7f", "ab");
}

static void test_terminals(void **state)
{
	(void)state;
	EXPECT("\x1b[1;32mgreen\x1b[0m", "green");
	EXPECT("abc\b\bd", "ad");
	EXPECT("\b\bx\n\b\by", "x|y"); /* never into the line before */
	EXPECT("abcd\x1b[2Dx", "abx");
	EXPECT("a\x1b[3Ab", "a|b");
	EXPECT("a\x1b[", "a");
	EXPECT("a\x1b", "a");
	EXPECT("--More-- \b\b\b\b\b\b\b\b\b 1 x", " 1 x");
	EXPECT("a\n ---- More ----\x1b[42D          \x1b[42D 4 x", "a| 4 x");
	EXPECT("---(more 45%)--- 4 x", " 4 x");
}

static void test_web_pages(void **state)
{
	(void)state;
	EXPECT("<pre>a<br>b<br/>c</pre>", "|a|b|c|");
	EXPECT("&lt;1 ms&nbsp;&amp;&#39;", "<1 ms &'");
	EXPECT("<a href=\"x\">r1</a> y", " r1  y");
	/* These are no tags. */
	EXPECT("<1 ms", "<1 ms");
	EXPECT("<MPLS:L=1,E=0>", "<MPLS:L=1,E=0>");
	EXPECT("<HUAWEI>x &unknown; <a", "<HUAWEI>x &unknown; <a");
}

static void test_marks_of_encodings(void **state)
{
	(void)state;
	EXPECT("\xef\xbb\xbf"
	       "a",
		"a");
	EXPECT("\xff\xfe"
	       "a\0b\0\r\0\n\0c\0",
		"ab|c");
	EXPECT("a\xc2\xa0"
	       "b",
		"a b");
}

static void test_bound(void **state)
{
	(void)state;
	struct text text;
	uint8_t *bytes = malloc(IMPORT_TEXT_MAX + 1);
	memset(bytes, 'x', IMPORT_TEXT_MAX + 1);
	assert_int_equal(text_init(&text, bytes, IMPORT_TEXT_MAX), 0);
	assert_false(text.cut);
	text_deinit(&text);
	assert_int_equal(text_init(&text, bytes, IMPORT_TEXT_MAX + 1), 0);
	assert_true(text.cut);
	assert_int_equal(strlen(text.lines[0]), IMPORT_TEXT_MAX);
	text_deinit(&text);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_ends),
		cmocka_unit_test(test_terminals),
		cmocka_unit_test(test_web_pages),
		cmocka_unit_test(test_marks_of_encodings),
		cmocka_unit_test(test_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
