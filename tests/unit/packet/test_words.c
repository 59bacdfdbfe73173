#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "packet/packet.h"

static void test_kinds(void **state)
{
	(void)state;
	static const struct {
		uint8_t family, type, code;
		enum icmp_kind kind;
	} cases[] = {
		{4, 0, 0, ICMP_ECHO_REPLY},
		{4, 8, 0, ICMP_ECHO_REQUEST},
		{4, 8, 1, ICMP_ECHO_REQUEST},
		{4, 3, 3, ICMP_UNREACHABLE},
		{4, 3, 4, ICMP_PACKET_TOO_BIG},
		{4, 11, 0, ICMP_TIME_EXCEEDED},
		{4, 11, 1, ICMP_TIME_EXCEEDED},
		{4, 12, 0, ICMP_PARAMETER_PROBLEM},
		{4, 5, 0, ICMP_OTHER},
		{4, 128, 0, ICMP_OTHER},
		{6, 128, 0, ICMP_ECHO_REQUEST},
		{6, 129, 0, ICMP_ECHO_REPLY},
		{6, 1, 4, ICMP_UNREACHABLE},
		{6, 2, 0, ICMP_PACKET_TOO_BIG},
		{6, 3, 0, ICMP_TIME_EXCEEDED},
		{6, 4, 1, ICMP_PARAMETER_PROBLEM},
		{6, 135, 0, ICMP_OTHER},
		{6, 11, 0, ICMP_OTHER},
		{0, 0, 0, ICMP_OTHER},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(icmp_kind_of(cases[i].family, cases[i].type, cases[i].code), cases[i].kind);
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(icmp_code_word(4, 3, 0), "net-unreachable");
	assert_string_equal(icmp_code_word(4, 3, 1), "host-unreachable");
	assert_string_equal(icmp_code_word(4, 3, 3), "port-unreachable");
	assert_string_equal(icmp_code_word(4, 3, 4), "fragmentation-needed");
	assert_string_equal(icmp_code_word(4, 3, 13), "admin-prohibited");
	assert_string_equal(icmp_code_word(4, 3, 15), "precedence-cutoff");
	assert_null(icmp_code_word(4, 3, 16));
	assert_string_equal(icmp_code_word(4, 11, 0), "ttl-exceeded");
	assert_string_equal(icmp_code_word(6, 1, 0), "no-route");
	assert_string_equal(icmp_code_word(6, 1, 1), "admin-prohibited");
	assert_string_equal(icmp_code_word(6, 1, 4), "port-unreachable");
	assert_string_equal(icmp_code_word(6, 3, 0), "hop-limit-exceeded");
	assert_string_equal(icmp_code_word(6, 2, 0), "packet-too-big");
	assert_null(icmp_code_word(6, 200, 0));
	assert_null(icmp_code_word(4, 8, 1));
}

/* None is missing among the unreachable codes that RFC 1812 5.2.7.1 and RFC 4443 3.1 define. */
static void test_all_unreachable_codes(void **state)
{
	(void)state;
	for (uint8_t code = 0; code <= 15; code++)
		assert_non_null(icmp_code_word(4, ICMP4_UNREACHABLE, code));
	for (uint8_t code = 0; code <= 6; code++)
		assert_non_null(icmp_code_word(6, ICMP6_UNREACHABLE, code));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_all_unreachable_codes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
