/* What publishers' files become: expectations are worked out by hand from the prefixes in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "annotate/ranges.h"
#include "annotate/relations.h"
#include "annotate/source.h"

static struct tables tables;
static struct error error;

static struct text text_of(const char *text)
{
	return (struct text){text, strlen(text)};
}

/* Recognised as `kind` and read. */
static void read_good(const char *text, enum source_kind kind)
{
	enum source_kind found;
	assert_int_equal(source_recognise(text_of(text), &found, &error), 0);
	assert_int_equal(found, kind);
	if (source_read(kind, text_of(text), &tables, &error) < 0)
		fail_msg("%s", error.text);
}

/* Recognised or not, it is refused, and the text says so with `needle`. */
static void refuse(const char *text, const char *needle)
{
	enum source_kind kind;
	memset(&tables, 0, sizeof(tables));
	int code = source_recognise(text_of(text), &kind, &error);
	if (code == 0)
		code = source_read(kind, text_of(text), &tables, &error);
	assert_true(code < 0);
	if (!strstr(error.text, needle))
		fail_msg("'%s' does not say '%s'", error.text, needle);
	tables_free(&tables);
}

static struct origin look_up(enum table table, const char *address)
{
	struct addr addr;
	struct origin origin = {0};
	assert_true(addr_parse(address, &addr));
	if (!tables.text[table] ||
		!ranges_find((struct text){tables.text[table], tables.length[table]}, addr, &origin))
		return (struct origin){.length = 999};
	return origin;
}

static void expect_origins(
	enum table table, const char *address, unsigned length, unsigned count, uint32_t first)
{
	struct origin origin = look_up(table, address);
	assert_int_equal(origin.length, length);
	assert_int_equal(origin.count, count);
	if (count > 0)
		assert_int_equal(origin.asns[0], first);
}

/* Nested, unsorted, with several origins, an AS set, both families, a comment and a carriage return. */
static void test_pfx2as(void **state)
{
	(void)state;
	read_good("# a comment\n"
		  "198.51.100.0\t24\t64500_64501\r\n"
		  "10.0.0.0\t8\t64496\n"
		  "\n"
		  "10.128.0.0\t9\t64497\n"
		  "10.200.0.0\t16\t64498,64499\n"
		  "2001:db8::\t32\t65550\n"
		  "2001:db8:ffff:ffff::\t64\t65551\n"
		  "255.255.255.0\t24\t64511\n"
		  "255.255.255.255\t32\t64512\n",
		SOURCE_PFX2AS);
	expect_origins(TABLE_ORIGINS4, "10.0.0.0", 8, 1, 64496);
	expect_origins(TABLE_ORIGINS4, "10.127.255.255", 8, 1, 64496);
	expect_origins(TABLE_ORIGINS4, "10.128.0.0", 9, 1, 64497);
	expect_origins(TABLE_ORIGINS4, "10.199.255.255", 9, 1, 64497);
	expect_origins(TABLE_ORIGINS4, "10.200.0.0", 16, 2, 64498);
	expect_origins(TABLE_ORIGINS4, "10.200.255.255", 16, 2, 64498);
	expect_origins(TABLE_ORIGINS4, "10.201.0.0", 9, 1, 64497);
	expect_origins(TABLE_ORIGINS4, "10.255.255.255", 9, 1, 64497);
	assert_int_equal(look_up(TABLE_ORIGINS4, "11.0.0.0").length, 999);
	assert_int_equal(look_up(TABLE_ORIGINS4, "9.255.255.255").length, 999);
	expect_origins(TABLE_ORIGINS4, "198.51.100.7", 24, 2, 64500);
	expect_origins(TABLE_ORIGINS4, "255.255.255.254", 24, 1, 64511);
	expect_origins(TABLE_ORIGINS4, "255.255.255.255", 32, 1, 64512);
	expect_origins(TABLE_ORIGINS6, "2001:db8::1", 32, 1, 65550);
	expect_origins(TABLE_ORIGINS6, "2001:db8:ffff:ffff::1", 64, 1, 65551);
	expect_origins(TABLE_ORIGINS6, "2001:db8:ffff:fffe:ffff::", 32, 1, 65550);
	assert_int_equal(look_up(TABLE_ORIGINS4, "10.200.1.1").asns[1], 64499);
	tables_free(&tables);
}

/* The same prefix twice: all origins are kept, each once. */
static void test_same_prefix(void **state)
{
	(void)state;
	read_good(
		"192.0.2.0\t24\t64500\n192.0.2.0\t24\t64501_64500_0\n192.0.2.0\t24\t64500\n", SOURCE_PFX2AS);
	expect_origins(TABLE_ORIGINS4, "192.0.2.9", 24, 2, 64500);
	assert_int_equal(tables.entries[TABLE_ORIGINS4], 1);
	tables_free(&tables);
}

static void test_iptoasn(void **state)
{
	(void)state;
	read_good("192.0.2.0\t192.0.2.127\t64496\tDE\tONE\n"
		  "192.0.2.128\t192.0.2.255\t0\tNone\tNot routed\n"
		  "198.51.100.0\t198.51.101.255\t64497\tFR\tTwo, with words\n"
		  "2001:db8::\t2001:db8:ffff:ffff:ffff:ffff:ffff:ffff\t64498\tNL\tTHREE\n",
		SOURCE_IPTOASN);
	struct origin origin = look_up(TABLE_ORIGINS4, "198.51.101.7");
	assert_int_equal(origin.length, 23);
	assert_string_equal(origin.country, "FR");
	assert_string_equal(origin.name, "Two, with words");
	expect_origins(TABLE_ORIGINS4, "192.0.2.127", 25, 1, 64496);
	assert_int_equal(look_up(TABLE_ORIGINS4, "192.0.2.128").length, 999);
	expect_origins(TABLE_ORIGINS6, "2001:db8::", 32, 1, 64498);
	tables_free(&tables);
}

static void test_exchanges(void **state)
{
	(void)state;
	read_good("# LANs\n192.0.2.0/24 Example IX\n198.51.100.0/25,\"Other, IX\"\n2001:db8:1::/64\tSix IX\n",
		SOURCE_EXCHANGES);
	assert_string_equal(look_up(TABLE_EXCHANGES, "192.0.2.200").name, "Example IX");
	assert_string_equal(look_up(TABLE_EXCHANGES, "198.51.100.3").name, "Other, IX");
	assert_string_equal(look_up(TABLE_EXCHANGES, "2001:db8:1::7").name, "Six IX");
	assert_int_equal(look_up(TABLE_EXCHANGES, "198.51.100.128").length, 999);
	tables_free(&tables);
}

static void test_relations(void **state)
{
	(void)state;
	read_good("# inferred\n64500|64499|-1\n64496|64497|0|bgp\n64496|64500|-1|bgp\n64500|64510|-1\n",
		SOURCE_RELATIONS);
	struct text text = {tables.text[TABLE_RELATIONS], tables.length[TABLE_RELATIONS]};
	assert_true(relations_provides(text, 64500, 64499));
	assert_true(relations_provides(text, 64496, 64500));
	assert_true(relations_provides(text, 64500, 64510));
	assert_false(relations_provides(text, 64510, 64500));
	assert_false(relations_provides(text, 64496, 64497));
	assert_false(relations_provides(text, 1, 2));
	assert_false(relations_provides((struct text){"", 0}, 1, 2));
	tables_free(&tables);
}

static const char peeringdb[] =
	"{\"meta\": {}, \"ix\": {\"data\": [{\"id\": 26, \"name\": \"Example IX\", \"country\": \"DE\"},"
	"  {\"id\": 4, \"name\": \"No LAN\"}]},"
	" \"ixlan\": {\"data\": [{\"id\": 31, \"ix_id\": 26}, {\"id\": 5, \"ix_id\": 99}]},"
	" \"ixpfx\": {\"data\": [{\"id\": 1, \"ixlan_id\": 31, \"protocol\": \"IPv4\", \"prefix\": "
	"\"192.0.2.0/24\"},"
	"  {\"id\": 2, \"ixlan_id\": 31, \"protocol\": \"IPv6\", \"prefix\": \"2001:db8:1::/64\"},"
	"  {\"id\": 3, \"ixlan_id\": 5, \"protocol\": \"IPv4\", \"prefix\": \"198.51.100.0/24\"}]},"
	" \"net\": [{\"id\": 7, \"asn\": 64500, \"name\": \"Example Net\"}],"
	" \"netixlan\": [{\"asn\": 64500, \"ipaddr4\": \"192.0.2.9\", \"ipaddr6\": null, \"ixlan_id\": 31},"
	"  {\"asn\": 64501, \"ipaddr4\": \"192.0.2.10\", \"ipaddr6\": \"2001:db8:1::10\"}]}";

static void test_peeringdb(void **state)
{
	(void)state;
	read_good(peeringdb, SOURCE_PEERINGDB);
	struct origin exchange = look_up(TABLE_EXCHANGES, "192.0.2.9");
	assert_string_equal(exchange.name, "Example IX");
	assert_string_equal(exchange.country, "DE");
	assert_int_equal(exchange.count, 0);
	assert_string_equal(look_up(TABLE_EXCHANGES, "2001:db8:1::10").name, "Example IX");
	/* nobody knows whose LAN it is */
	assert_int_equal(look_up(TABLE_EXCHANGES, "198.51.100.1").length, 999);
	struct origin member = look_up(TABLE_MEMBERS, "192.0.2.9");
	assert_int_equal(member.asns[0], 64500);
	assert_string_equal(member.name, "Example Net");
	expect_origins(TABLE_MEMBERS, "192.0.2.10", 32, 1, 64501);
	expect_origins(TABLE_MEMBERS, "2001:db8:1::10", 128, 1, 64501);
	assert_int_equal(look_up(TABLE_MEMBERS, "192.0.2.11").length, 999);
	tables_free(&tables);
}

static void test_refused(void **state)
{
	(void)state;
	refuse("", "nothing in it");
	refuse("\n# only a comment\n", "nothing in it");
	refuse("\x1f\x8b\x08", "compressed");
	refuse("<html><body>404 not found</body></html>\n", "not data that retour knows");
	refuse("192.0.2.0\t24\t64500\n192.0.2.0\t33\t64500\n", "line 2: the second column");
	refuse("192.0.2.0\t24\t64500\nrubbish\n", "line 2: expected three columns");
	refuse("192.0.2.0\t24\t64500\n192.0.3.0\t24\t64500_x\n", "line 2: the third column");
	refuse("192.0.2.0\t24\t64500\n192.0.3.0\t24\t4294967296\n", "line 2: the third column");
	refuse("192.0.2.0\t24\t64500\n192.0.3.0\t24\t645", "cut off");
	refuse("192.0.2.0\t192.0.2.9\t64500\tDE\tX\n192.0.2.9\t192.0.2.0\t1\tDE\tX\n",
		"line 2: the range ends");
	refuse("192.0.2.0\t2001:db8::\t64500\tDE\tX\n", "line 1: the range ends");
	refuse("192.0.2.0/24 A\n192.0.3.0/24\n", "line 2: the exchange has no name");
	refuse("1|2|-1\n1|2|7\n", "line 2: the third column");
	refuse("{\"ix\": ", "line 1");
	refuse("{\"report\": {\"mtr\": {}}}", "not PeeringDB");
	refuse("{\"ix\": 7}", "not a list");
	refuse("{\"ixpfx\": [{\"prefix\": \"192.0.2.0\"}]}", "ixpfx, object 1");
	refuse("{\"netixlan\": [{\"asn\": \"64500\", \"ipaddr4\": \"192.0.2.1\"}]}", "netixlan, object 1");
	refuse("{\"netixlan\": [{\"asn\": 64500, \"ipaddr4\": \"192.0.2.1/24\"}]}", "netixlan, object 1");
}

/* Any beginning of an installed table: no answer or a true one. */
static void test_truncated_table(void **state)
{
	(void)state;
	read_good("10.0.0.0\t8\t64496\n10.128.0.0\t9\t64497\n192.0.2.0\t24\t64498\n", SOURCE_PFX2AS);
	for (size_t length = 0; length < tables.length[TABLE_ORIGINS4]; length++) {
		char *copy = malloc(length);
		struct origin origin = {0};
		memcpy(copy, tables.text[TABLE_ORIGINS4], length);
		if (ranges_find((struct text){copy, length}, addr_v4(0x0a800001), &origin))
			assert_int_equal(origin.asns[0], 64497);
		if (ranges_find((struct text){copy, length}, addr_v4(0xc0000201), &origin))
			assert_int_equal(origin.asns[0], 64498);
		free(copy);
	}
	tables_free(&tables);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pfx2as),
		cmocka_unit_test(test_same_prefix),
		cmocka_unit_test(test_iptoasn),
		cmocka_unit_test(test_exchanges),
		cmocka_unit_test(test_relations),
		cmocka_unit_test(test_peeringdb),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_truncated_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
