/* What can be read on pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "reverse/lg_html.h"

static void text_is(const char *html, const char *expected)
{
	size_t length, end = strlen(html);
	/* On the heap and without a NUL, so that whoever reads beyond the end is caught. */
	char *copy = malloc(end);
	memcpy(copy, html, end);
	char *text = lg_html_text(copy, end, &length);
	assert_string_equal(text, expected);
	assert_int_equal(length, strlen(expected));
	free(text);
	free(copy);
}

static void pre_is(const char *html, const char *expected)
{
	size_t length;
	char *text = lg_html_pre(html, strlen(html), &length);
	assert_string_equal(text, expected);
	free(text);
}

static void test_text(void **state)
{
	(void)state;
	text_is("a<b>c</b>d", "acd");
	text_is("1 &lt;1 ms &amp;amp; &quot;x&quot; &#39;y&#x27;", "1 <1 ms &amp; \"x\" 'y'");
	text_is("&nbsp;1&#160;2", " 1 2");
	text_is("&euro; &#xe9; &#0; &#xd800; &#99999999; & &;",
		"&euro; \xc3\xa9 &#0; &#xd800; &#99999999; & &;");
	text_is("one<br>two<br />\nthree<BR/>\r\nfour", "one\ntwo\nthree\nfour");
	text_is("<p>a</p><table><tr><td>b</td><td>c</td></tr></table>", "\na\n\n\n b c\n\n");
	text_is("x<!-- <b> > -->y<script>if (a<b) z</script>w<style>q</style>", "xyw");
	text_is("  1  <1 ms  < 2 ms  a<5", "  1  <1 ms  < 2 ms  a<5");
	text_is("tail <unfinished", "tail <unfinished");
	text_is("tail <!-- never", "tail <!-- never");
	text_is("<script>never", "");
	text_is("", "");
}

static void test_padding(void **state)
{
	char page[5000] = "a<br />";
	(void)state;
	memset(page + 7, ' ', 4096);
	strcpy(page + 7 + 4096, "b   c");
	text_is(page, "a\n b   c");
}

static void test_pre(void **state)
{
	(void)state;
	pre_is("<html><pre>x</pre><PRE class='r'>1 a\n2 <a href=x>b</a>\n</PRE>z", "1 a\n2 b\n");
	pre_is("<textarea>t &lt; u</textarea>", "t < u");
	pre_is("<pre>cut off", "cut off");
	pre_is("no pre <b>at</b> all", "no pre at all");
}

static void test_forms(void **state)
{
	const char *page =
		"<input type=hidden name=other value=1><INPUT type=\"hidden\" name=\"csrfToken\" "
		"value=\"a&amp;b\" /><select name='routers' size=3><option value=''>choose</option>"
		"<option value='r1' selected> Edge 1 </option>\n<option>r2</select>"
		"<select name=x><option value=no></select>";
	size_t length = strlen(page);
	char *label = NULL, *value = lg_html_input(page, length, "csrfToken");
	(void)state;
	assert_string_equal(value, "a&b");
	free(value);
	assert_null(lg_html_input(page, length, "value"));
	value = lg_html_option(page, length, "routers", NULL, &label);
	assert_string_equal(value, "r1");
	assert_string_equal(label, "Edge 1");
	free(value);
	free(label);
	value = lg_html_option(page, length, "routers", "edge 1", NULL);
	assert_string_equal(value, "r1");
	free(value);
	value = lg_html_option(page, length, "routers", "R2", NULL);
	assert_string_equal(value, "r2");
	free(value);
	assert_null(lg_html_option(page, length, "routers", "no", NULL));
	assert_null(lg_html_option(page, length, "nobody", NULL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_pre),
		cmocka_unit_test(test_forms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
