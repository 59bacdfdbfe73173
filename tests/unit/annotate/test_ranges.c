#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "annotate/ranges.h"

static const char good[] = "192.0.2.0\t192.0.2.127\t64496\tDE\tEXAMPLE-ONE\n"
			   "192.0.2.128\t192.0.2.255\t0\tNone\tNot routed\n"
			   "198.51.100.0\t198.51.100.255\t64497\tFR\tExample Two, with words\n"
			   "203.0.113.8\t203.0.113.8\t65551\tUS\tONE-ADDRESS\n"
			   "2001:db8::\t2001:db8:0:ffff:ffff:ffff:ffff:ffff\t64496\tDE\tEXAMPLE-ONE\n"
			   "2001:db8:2::\t2001:db8:2:ffff:ffff:ffff:ffff:ffff\t64498\tNL\tLAST";

static struct text map;

/* A copy of exact size: reading beyond it is seen by the address sanitizer. */
static void open_text(const char *text, size_t length)
{
	char *copy = malloc(length);
	assert_non_null(copy);
	memcpy(copy, text, length);
	map = (struct text){copy, length};
}

static void close_text(void)
{
	free((void *)map.start);
}

static uint32_t asn_of(const char *text)
{
	struct addr addr;
	struct origin origin;
	assert_true(addr_parse(text, &addr));
	return ranges_find(map, addr, &origin) && origin.count > 0 ? origin.asns[0] : 0;
}

static void test_find(void **state)
{
	(void)state;
	struct origin origin;
	open_text(good, strlen(good));
	assert_int_equal(asn_of("192.0.2.0"), 64496);
	assert_int_equal(asn_of("192.0.2.127"), 64496);
	assert_int_equal(asn_of("192.0.2.128"), 0);
	assert_int_equal(asn_of("198.51.100.77"), 64497);
	assert_int_equal(asn_of("203.0.113.8"), 65551);
	assert_int_equal(asn_of("203.0.113.9"), 0);
	assert_int_equal(asn_of("0.0.0.0"), 0);
	assert_int_equal(asn_of("255.255.255.255"), 0);
	assert_int_equal(asn_of("2001:db8::1"), 64496);
	assert_int_equal(asn_of("2001:db8:1::1"), 0);
	assert_int_equal(asn_of("2001:db8:2::1"), 64498);
	assert_true(ranges_find(map, addr_v4(0xc6336401), &origin));
	assert_string_equal(origin.country, "FR");
	assert_string_equal(origin.name, "Example Two, with words");
	close_text();
}

/* Any prefix of the file, and garbage: no answer or a true one, never a crash. */
static void test_damaged(void **state)
{
	(void)state;
	for (size_t length = 0; length < strlen(good); length += 3) {
		open_text(good, length);
		uint32_t asn = asn_of("192.0.2.1");
		assert_true(asn == 0 || asn == 64496);
		asn_of("2001:db8:2::1");
		close_text();
	}
	open_text("\n\n\t\t\n", 5);
	assert_int_equal(asn_of("192.0.2.1"), 0);
	close_text();
}

static void test_missing_file(void **state)
{
	(void)state;
	struct error error;
	struct file_bytes bytes;
	assert_int_equal(file_map(&bytes, "/nonexistent/retour", 100, &error), -ENOENT);
	assert_non_null(strstr(error.text, "/nonexistent/retour"));
	assert_int_equal(file_map(&bytes, "/", 100, &error), -EISDIR);
	assert_int_equal(file_map(&bytes, "/bin/sh", 100, &error), -EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_missing_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
