/* The pieces of a line. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "import/lex.h"

static struct token first(const char *text, const char *rest)
{
	struct token token;
	const char *at = text;
	lex_next(&at, &token);
	assert_string_equal(at, rest);
	return token;
}

static void test_times(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} times[] = {{"9.1 ms", 9100000}, {"12 msec", 12000000}, {"0 msec", 0}, {"<1 ms", 1000000},
		{"< 1 ms", 1000000}, {"1.2ms", 1200000}, {"850us", 850000}, {"2s", 2000000000},
		{"0,5 ms", 500000}, {"0.123456789123 ms", 123456}};
	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct token token = first(times[i].text, "");
		assert_int_equal(token.kind, TOKEN_TIME);
		assert_int_equal(token.rtt_ns, times[i].ns);
	}
	assert_int_equal(first("10ms.example", "").kind, TOKEN_WORD);
	assert_int_equal(first("12", "").kind, TOKEN_WORD);
	assert_int_equal(first("1234567890 ms", " ms").kind, TOKEN_WORD);
}

static void test_addresses(void **state)
{
	static const struct {
		const char *text, *name;
		uint8_t family;
	} addresses[] = {{"203.0.113.1", "", 4}, {"r1.ex (203.0.113.1)", "r1.ex", 4},
		{"r1.ex [203.0.113.1]", "r1.ex", 4}, {"r1.ex(203.0.113.1)", "r1.ex", 4},
		{"203.0.113.1 (203.0.113.1)", "", 4}, {"203.0.113.1 (r1.ex)", "r1.ex", 4},
		{"(203.0.113.1)", "", 4}, {"fe80::1%eth0", "", 6}, {"r (2001:db8::1)", "r", 6},
		{"2001:db8::", "", 6}};
	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct token token = first(addresses[i].text, "");
		assert_int_equal(token.kind, TOKEN_ADDRESS);
		assert_string_equal(token.name, addresses[i].name);
		assert_int_equal(token.address.family, addresses[i].family);
	}
	assert_int_equal(first("203.0.113.256", "").kind, TOKEN_WORD);
	assert_int_equal(first("(203.0.113.1", "").kind, TOKEN_ADDRESS);
}

static void test_origins(void **state)
{
	(void)state;
	struct token token = first("[AS64501/AS64502] 1", " 1");
	assert_int_equal(token.kind, TOKEN_AS);
	assert_int_equal(token.asn_count, 2);
	assert_int_equal(token.asns[1], 64502);
	assert_int_equal(first("[AS  64501, 64502]", "").asn_count, 2);
	assert_int_equal(first("[*]", "").asn_count, 0);
	assert_int_equal(first("[*]", "").kind, TOKEN_AS);
	assert_int_equal(first("AS=64501", "").asns[0], 64501);
	assert_int_equal(first("[AS4294967296]", "").asn_count, 0);
	assert_int_equal(first("AS64501.example", "").kind, TOKEN_WORD);
	assert_int_equal(first("203.0.113.5[AS64501]", "[AS64501]").kind, TOKEN_ADDRESS);
}

static void test_labels(void **state)
{
	(void)state;
	struct token token = first("<MPLS:L=24005,E=2,S=0,T=1/L=16001,E=0,S=1,T=255>", "");
	assert_int_equal(token.kind, TOKEN_LABELS);
	assert_int_equal(token.label_count, 2);
	assert_int_equal(token.labels[0].traffic_class, 2);
	assert_false(token.labels[0].bottom);
	assert_int_equal(token.labels[1].label, 16001);
	assert_int_equal(token.labels[1].ttl, 255);
	token = first("[MPLS: Labels 24001/16005 Exp 5]", "");
	assert_int_equal(token.label_count, 2);
	assert_int_equal(token.labels[0].traffic_class, 5);
	assert_int_equal(token.labels[1].traffic_class, 5);
	assert_true(token.labels[1].bottom);
	token = first("MPLS Label=299840 CoS=0 TTL=1 S=1", "");
	assert_int_equal(token.labels[0].label, 299840);
	/* RFC 3032: 20 bits. */
	assert_int_equal(first("[MPLS: Label 1048576 Exp 0]", "").label_count, 0);
	assert_int_equal(first("[MPLS: Label 1/2/3/4/5/6/7/8/9/10 Exp 0]", "").label_count, MPLS_STACK_MAX);
}

static void test_ends(void **state)
{
	(void)state;
	assert_int_equal(first("", "").kind, TOKEN_END);
	assert_int_equal(first("   ", "").kind, TOKEN_END);
	assert_int_equal(first("**", "*").kind, TOKEN_STAR);
	assert_string_equal(first("!F-1480*", "*").mark, "!F-1480");
	assert_int_equal(first("[AS64501", "").kind, TOKEN_WORD);
	assert_int_equal(first("<MPLS:L=1", "").kind, TOKEN_WORD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
