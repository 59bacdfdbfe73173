/* Team Cymru's records, as the service documents them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "annotate/origin_dns.h"

static bool read_record(const char *record, const char *address, struct origin *origin)
{
	struct addr addr;
	assert_true(addr_parse(address, &addr));
	return origin_dns_read((struct text){record, strlen(record)}, addr, origin);
}

static void test_names(void **state)
{
	(void)state;
	char name[ORIGIN_DNS_NAME_SIZE], zone[300];
	assert_true(origin_dns_name(addr_v4(0xc6336402), "asn.cymru.com", name));
	assert_string_equal(name, "2.100.51.198.origin.asn.cymru.com");
	assert_true(origin_dns_name(addr_v6(0x20010db800000000, 0x1), "asn.lab", name));
	assert_string_equal(
		name, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.origin6.asn.lab");
	memset(zone, 'a', sizeof(zone) - 1);
	zone[sizeof(zone) - 1] = '\0';
	assert_false(origin_dns_name(addr_v4(1), zone, name));
}

static void test_origins(void **state)
{
	(void)state;
	struct origin origin;
	assert_true(
		read_record("64500 | 203.0.113.0/24 | DE | ripencc | 2010-01-01", "203.0.113.9", &origin));
	assert_int_equal(origin.count, 1);
	assert_int_equal(origin.asns[0], 64500);
	assert_int_equal(origin.length, 24);
	assert_string_equal(origin.country, "DE");
	assert_true(
		read_record("64500 64501 64500 | 203.0.113.0/24 | DE | ripencc |", "203.0.113.9", &origin));
	assert_int_equal(origin.count, 2);
	assert_int_equal(origin.asns[1], 64501);
	assert_true(read_record("64500 | 2001:db8::/32 | DE | ripencc |", "2001:db8::1", &origin));
	/* about another address; nonsense */
	assert_false(read_record("64500 | 203.0.113.0/24 | DE | ripencc |", "203.0.114.9", &origin));
	assert_false(read_record("NA | 203.0.113.0/24 | DE | ripencc |", "203.0.113.9", &origin));
	assert_false(read_record("64500 | 203.0.113.0 | DE", "203.0.113.9", &origin));
	assert_false(read_record("64500", "203.0.113.9", &origin));
	assert_false(read_record("", "203.0.113.9", &origin));
	assert_false(read_record("0 | 203.0.113.0/24 |", "203.0.113.9", &origin));
}

static void test_as_names(void **state)
{
	(void)state;
	char name[16];
	struct text record = {"64500 | DE | ripencc | 2010-01-01 | EXAMPLE-AS, DE", 50};
	assert_true(origin_dns_read_as(record, 64500, name, sizeof(name)));
	assert_string_equal(name, "EXAMPLE-AS");
	assert_false(origin_dns_read_as(record, 64501, name, sizeof(name)));
	record = (struct text){"64500 | DE | ripencc | 2010-01-01 |", 35};
	assert_false(origin_dns_read_as(record, 64500, name, sizeof(name)));
	record = (struct text){"64500 | DE | ripencc | 2010-01-01 | A-NAME-THAT-IS-TOO-LONG, DE", 63};
	assert_true(origin_dns_read_as(record, 64500, name, sizeof(name)));
	assert_string_equal(name, "A-NAME-THAT-IS-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_as_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
