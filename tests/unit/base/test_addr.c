#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/addr.h"

static struct addr parse(const char *text)
{
	struct addr addr;
	assert_true(addr_parse(text, &addr));
	return addr;
}

static struct prefix parse_prefix(const char *text)
{
	struct prefix prefix;
	assert_true(prefix_parse(text, &prefix));
	return prefix;
}

static void test_parse(void **state)
{
	(void)state;
	assert_true(addr_equal(parse("192.0.2.1"), addr_v4(0xc0000201)));
	assert_true(addr_equal(parse("2001:db8::1"), addr_v6(0x20010db800000000, 1)));
	assert_true(addr_equal(parse("::ffff:192.0.2.1"), addr_v6(0, 0xffffc0000201)));
	static const char *const bad[] = {
		"",
		"192.0.2",
		"192.0.2.256",
		"192.0.2.1 ",
		"0xc0000201",
		"2001:db8::1::2",
		"fe80::1%eth0",
		"name",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct addr addr = addr_v4(1);
		assert_false(addr_parse(bad[i], &addr));
		assert_false(addr_is_set(addr));
	}
}

/* RFC 5952: lower case, the longest run of zeros is shortened. */
static void test_format(void **state)
{
	(void)state;
	char text[ADDR_TEXT_SIZE];
	assert_string_equal(addr_format(parse("2001:0DB8:0:0:1:0:0:1"), text), "2001:db8::1:0:0:1");
	assert_string_equal(addr_format(parse("203.0.113.255"), text), "203.0.113.255");
	assert_string_equal(addr_format(addr_v6(0, 0), text), "::");
	assert_string_equal(addr_format(ADDR_NONE, text), "");
	static const char longest[] = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
	assert_string_equal(addr_format(parse(longest), text), longest);
}

static void test_wire(void **state)
{
	(void)state;
	const uint8_t v4[4] = {192, 0, 2, 1};
	const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
	uint8_t out[16];
	assert_true(addr_equal(addr_from_bytes(4, v4), addr_v4(0xc0000201)));
	assert_true(addr_equal(addr_from_bytes(6, v6), addr_v6(0x20010db800000000, 1)));
	addr_to_bytes(addr_v4(0xc0000201), out);
	assert_memory_equal(out, v4, 4);
	addr_to_bytes(addr_v6(0x20010db800000000, 1), out);
	assert_memory_equal(out, v6, 16);
}

static void test_compare(void **state)
{
	(void)state;
	static const char *const ordered[] = {
		"0.0.0.0", "9.0.0.0", "10.0.0.0", "255.0.0.0", "::", "::1", "1::", "ff::"};
	for (size_t i = 0; i < ARRAY_LEN(ordered); i++)
		for (size_t j = 0; j < ARRAY_LEN(ordered); j++) {
			int order = addr_compare(parse(ordered[i]), parse(ordered[j]));
			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
	assert_true(addr_compare(ADDR_NONE, parse("0.0.0.0")) < 0);
}

static void test_prefix_parse(void **state)
{
	(void)state;
	char text[PREFIX_TEXT_SIZE];
	static const char *const good[] = {"0.0.0.0/0", "192.0.2.0/24", "192.0.2.1/32", "::/0",
		"2001:db8::/32", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"};
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_string_equal(prefix_format(parse_prefix(good[i]), text), good[i]);
	static const char *const bad[] = {"", "/", "192.0.2.0", "192.0.2.0/", "192.0.2.1/24", "192.0.2.0/33",
		"192.0.2.0/24 ", "192.0.2.0/-1", "192.0.2.0/+1", "192.0.2.0/ 1", "::1/127", "::/129", "x/8",
		"192.0.2.0/99999999999999999999", "192.0.2.0/24/24"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct prefix prefix;
		assert_false(prefix_parse(bad[i], &prefix));
	}
}

static void test_prefix_contains(void **state)
{
	(void)state;
	static const struct {
		const char *prefix, *addr;
		bool inside;
	} cases[] = {
		{"192.0.2.0/24", "192.0.2.0", true},
		{"192.0.2.0/24", "192.0.2.255", true},
		{"192.0.2.0/24", "192.0.3.0", false},
		{"0.0.0.0/0", "255.255.255.255", true},
		{"0.0.0.0/0", "::", false},
		{"192.0.2.1/32", "192.0.2.1", true},
		{"192.0.2.1/32", "192.0.2.2", false},
		{"2001:db8::/32", "2001:db8:ffff::", true},
		{"2001:db8::/32", "2001:db9::", false},
		{"2001:db8::/64", "2001:db8::ffff:0:0:0", true},
		{"2001:db8::/65", "2001:db8::8000:0:0:0", false},
		{"2001:db8::4/126", "2001:db8::7", true},
		{"2001:db8::4/126", "2001:db8::8", false},
		{"::1/128", "::1", true},
		{"::/0", "ff::", true},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(prefix_contains(parse_prefix(cases[i].prefix), parse(cases[i].addr)),
			cases[i].inside);
}

/* Both ends of a link share the /31 or /30. */
static void test_link_mates(void **state)
{
	(void)state;
	char text[PREFIX_TEXT_SIZE];
	assert_string_equal(prefix_format(prefix_of(parse("192.0.2.7"), 31), text), "192.0.2.6/31");
	assert_string_equal(prefix_format(prefix_of(parse("192.0.2.7"), 30), text), "192.0.2.4/30");
	assert_string_equal(prefix_format(prefix_of(parse("2001:db8::3"), 127), text), "2001:db8::2/127");
	assert_string_equal(prefix_format(prefix_of(parse("2001:db8::7"), 126), text), "2001:db8::4/126");
	assert_string_equal(prefix_format(prefix_of(parse("192.0.2.7"), 99), text), "192.0.2.7/32");
}

static void test_add(void **state)
{
	(void)state;
	assert_true(addr_equal(addr_add(parse("192.0.2.255"), 1), parse("192.0.3.0")));
	assert_true(addr_equal(addr_add(parse("255.255.255.255"), 1), parse("0.0.0.0")));
	assert_true(addr_equal(addr_add(parse("2001:db8::ffff:ffff:ffff:ffff"), 1), parse("2001:db8:0:1::")));
}

static void test_kinds(void **state)
{
	(void)state;
	static const struct {
		const char *addr;
		bool is_private, is_loopback, is_link_local, is_unicast;
	} cases[] = {
		{"10.1.2.3", true, false, false, true},
		{"172.16.0.1", true, false, false, true},
		{"172.32.0.1", false, false, false, true},
		{"192.168.255.255", true, false, false, true},
		{"100.64.0.1", true, false, false, true},
		{"100.128.0.1", false, false, false, true},
		{"127.0.0.1", true, true, false, true},
		{"169.254.1.1", true, false, true, true},
		{"8.8.8.8", false, false, false, true},
		{"0.0.0.0", false, false, false, false},
		{"224.0.0.1", false, false, false, false},
		{"255.255.255.255", false, false, false, false},
		{"240.0.0.1", false, false, false, false},
		{"::", false, false, false, false},
		{"::1", true, true, false, true},
		{"fe80::1", true, false, true, true},
		{"fec0::1", false, false, false, true},
		{"fc00::1", true, false, false, true},
		{"fdff::1", true, false, false, true},
		{"2001:db8::1", false, false, false, true},
		{"ff02::1", false, false, false, false},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr addr = parse(cases[i].addr);
		assert_int_equal(addr_is_private(addr), cases[i].is_private);
		assert_int_equal(addr_is_loopback(addr), cases[i].is_loopback);
		assert_int_equal(addr_is_link_local(addr), cases[i].is_link_local);
		assert_int_equal(addr_is_unicast(addr), cases[i].is_unicast);
	}
	assert_false(addr_is_unicast(ADDR_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_wire),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_prefix_parse),
		cmocka_unit_test(test_prefix_contains),
		cmocka_unit_test(test_link_mates),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_kinds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
