/* A world in the layouts of the Internet's own data, and its names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "sim/dns.h"
#include "sim/export.h"
#include "sim/generate.h"
#include "sim/names.h"

static const char text[] =
	"ases:\n"
	"  - {asn: 70001, name: One, country: DE, prefixes: [192.0.2.0/24, 198.51.100.0/25, "
	"\"2001:db8:1::/48\"]}\n"
	"  - {asn: 70002, name: Two, country: NL, prefix: 203.0.113.0/24, prefix6: \"2001:db8:2::/48\"}\n"
	"hosts:\n"
	"  - {name: a, as: 70001, router: r1}\n"
	"  - {name: b, as: 70002, router: r2}\n"
	"  - {name: any-1, as: 70001, router: r1, address: 203.0.114.1, address6: \"2001:db8:a::1\"}\n"
	"  - {name: any-2, as: 70002, router: r3, address: 203.0.114.1, address6: \"2001:db8:a::1\"}\n"
	"routers:\n"
	"  - {name: r1, as: 70001, dns: cr1.fra1.one.lab}\n"
	"  - {name: r2, as: 70002, dns: none}\n"
	"  - {name: r3, as: 70002}\n"
	"links:\n"
	"  - {from: r1, to: r2}\n"
	"  - {from: r3, to: r2}\n"
	"relations:\n"
	"  - {provider: 70001, customer: 70002}\n"
	"ixps:\n"
	"  - {name: EX-1, country: DE, prefix: 198.18.0.0/24, prefix6: \"2001:db8:f::/64\", members: [r1, "
	"r3]}\n";

static struct world *small_world(void)
{
	struct world *world;
	struct error error = {0};
	if (world_parse("w", text, &world, &error) < 0)
		fail_msg("%s", error.text);
	return world;
}

static void check(char *got, const char *expected)
{
	assert_non_null(got);
	assert_string_equal(got, expected);
	free(got);
}

static void test_layouts(void **state)
{
	struct world *world = small_world();
	(void)state;
	check(export_prefixes(world),
		"192.0.2.0\t24\t70001\n198.51.100.0\t25\t70001\n203.0.113.0\t24\t70002\n"
		"203.0.114.0\t24\t70001_70002\n"
		"2001:db8:1::\t48\t70001\n2001:db8:2::\t48\t70002\n2001:db8:a::\t48\t70001_70002\n");
	char *ranges = export_ranges(world);
	assert_non_null(strstr(ranges, "\n198.51.100.0\t198.51.100.127\t70001\tDE\tOne\n"));
	assert_non_null(strstr(ranges, "\n203.0.114.0\t203.0.114.255\t70001\tDE\tOne\n"));
	free(ranges);
	check(export_relations(world), "# provider|customer|-1, peer|peer|0\n70001|70002|-1\n");
	char *places = export_places(world);
	assert_non_null(strstr(places, "\nsao\tBR\t-23.6\t-46.6\n"));
	assert_non_null(strstr(places, "lon\tGB\t51.5\t-0.1\n"));
	free(places);
	world_free(world);
}

static void test_exchanges(void **state)
{
	struct world *world = small_world();
	char *dump = export_exchanges(world);
	json_t *root = json_loads(dump, 0, NULL);
	const char *name, *prefix4, *prefix6, *address4, *address6;
	int id, lan, on_lan, at, asn;
	(void)state;
	assert_int_equal(
		json_unpack(root, "{s:{s:[{s:i,s:s}!]}, s:{s:[{s:i,s:i}!]}, s:{s:[{s:i,s:s},{s:s}!]}}", "ix",
			"data", "id", &id, "name", &name, "ixlan", "data", "id", &lan, "ix_id", &id, "ixpfx",
			"data", "ixlan_id", &on_lan, "prefix", &prefix4, "prefix", &prefix6),
		0);
	/* The second of two members, of the other AS. */
	assert_int_equal(
		json_unpack(root, "{s:{s:[{}, {s:i,s:i,s:i,s:s,s:s}!]}}", "netixlan", "data", "ix_id", &at,
			"ixlan_id", &at, "asn", &asn, "ipaddr4", &address4, "ipaddr6", &address6),
		0);
	assert_int_equal(at, lan);
	assert_int_equal(asn, 70002);
	struct addr parsed;
	assert_true(addr_parse(address4, &parsed));
	/* As at every exchange here: the second address that is not the network's own. */
	assert_int_equal(parsed.low, 198U << 24 | 18U << 16 | 2);
	assert_true(addr_parse(address6, &parsed));
	assert_int_equal(parsed.low, 2);
	assert_string_equal(name, "EX-1");
	assert_int_equal(lan, on_lan);
	assert_string_equal(prefix4, "198.18.0.0/24");
	assert_string_equal(prefix6, "2001:db8:f::/64");
	json_decref(root);
	free(dump);
	world_free(world);
}

/* The response code, and the answer's bytes after the question. */
static unsigned ask(
	const struct world *world, const char *name, uint16_t type, uint8_t *answer, size_t *length)
{
	uint8_t query[300], reply[512];
	struct writer q = writer_init(query, sizeof(query)), r = writer_init(reply, sizeof(reply));
	writer_u16(&q, 1);
	writer_u16(&q, 0x0100);
	writer_u16(&q, 1);
	writer_zeros(&q, 6);
	while (*name) {
		size_t label = strcspn(name, ".");
		writer_u8(&q, (uint8_t)label);
		writer_bytes(&q, name, label);
		name += label + (name[label] == '.');
	}
	writer_u8(&q, 0);
	writer_u16(&q, type);
	writer_u16(&q, 1);
	struct cursor c = cursor_init(query, q.length);
	assert_true(names_resolve(world, &c, &r));
	*length = r.length - q.length;
	memcpy(answer, reply + q.length, *length);
	return reply[3] & 15;
}

static void test_names(void **state)
{
	struct world *world = small_world();
	uint8_t answer[512];
	size_t length;
	(void)state;
	uint32_t link = world_interface_to(world, world_find_node(world, "r1"), world_find_node(world, "r2"));
	uint32_t one = (uint32_t)world->interfaces[link].address[0].low;
	uint32_t two = (uint32_t)world->interfaces[link ^ 1].address[0].low;
	char name[100];
	assert_int_equal(ask(world, "ae0.cr1.fra1.one.lab", DNS_A, answer, &length), DNS_OK);
	assert_int_equal(length, 16);
	assert_int_equal((uint32_t)answer[12] << 24 | answer[13] << 16 | answer[14] << 8 | answer[15], one);
	assert_int_equal(ask(world, "r3.lab", DNS_AAAA, answer, &length), DNS_OK);
	assert_int_equal(ask(world, "ae9.cr1.fra1.one.lab", DNS_A, answer, &length), DNS_NO_NAME);
	snprintf(name, sizeof(name), "%u.%u.%u.%u.in-addr.arpa", one & 255, one >> 8 & 255, one >> 16 & 255,
		one >> 24);
	assert_int_equal(ask(world, name, DNS_PTR, answer, &length), DNS_OK);
	/* A router without names has none, for either direction. */
	snprintf(name, sizeof(name), "%u.%u.%u.%u.in-addr.arpa", two & 255, two >> 8 & 255, two >> 16 & 255,
		two >> 24);
	assert_int_equal(ask(world, name, DNS_PTR, answer, &length), DNS_NO_NAME);
	assert_int_equal(ask(world, "none", DNS_A, answer, &length), DNS_NO_NAME);
	world_free(world);
}

/* The origin is that of the longest prefix, in both families; and a big world answers, too. */
static void test_origins(void **state)
{
	struct world *world = small_world();
	uint8_t answer[512];
	size_t length;
	(void)state;
	assert_int_equal(ask(world, "9.100.51.198.origin.asn.lab", DNS_TXT, answer, &length), DNS_OK);
	answer[length] = 0;
	assert_non_null(strstr((char *)answer + 13, "70001 | 198.51.100.0/25 | DE | lab | "));
	assert_int_equal(ask(world, "200.100.51.198.origin.asn.lab", DNS_TXT, answer, &length), DNS_NO_NAME);
	assert_int_equal(ask(world, "as70002.asn.lab", DNS_TXT, answer, &length), DNS_OK);
	answer[length] = 0;
	assert_non_null(strstr((char *)answer + 13, "70002 | NL | lab | | Two, NL"));
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_exchanges),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_origins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
