/* Whose router a hop is. The paths are drawn by hand: AS64500 provides for AS64510; AS64520 is a peer of
 * AS64500. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "annotate/border.h"

static struct data data;

static void fill(enum table table, const char *text)
{
	data.files[0].text[table] = (struct text){text, strlen(text)};
	data.count = 1;
}

static int set_up(void **state)
{
	(void)state;
	memset(&data, 0, sizeof(data));
	fill(TABLE_RELATIONS, "64500|64510|-1\n64500|64520|0\n");
	fill(TABLE_MEMBERS, "192.0.2.7\t192.0.2.7\t64530\t\tMember\t32\n");
	return 0;
}

static struct hop *add(struct path *path, const char *address, uint32_t asn)
{
	struct hop *hop = path_add_hop(path, (int)path->hop_count + 1, TECHNIQUE_TTL);
	if (address)
		assert_true(addr_parse(address, &hop->address));
	hop->asn = asn;
	return hop;
}

static void expect(const struct path *path, size_t index, uint32_t asn, const char *needle)
{
	assert_int_equal(path->hops[index].operator_asn, asn);
	if (asn == 0)
		assert_null(path->hops[index].operator_reason);
	else if (!strstr(path->hops[index].operator_reason, needle))
		fail_msg("'%s' does not say '%s'", path->hops[index].operator_reason, needle);
}

static void test_customer(void **state)
{
	(void)state;
	struct path *path = path_new(DIRECTION_FORWARD, "ttl");
	add(path, "203.0.113.1", 64500);
	add(path, "203.0.113.9", 64500);
	add(path, "198.51.100.1", 64510);
	border_operators(path, &data);
	expect(path, 0, 0, NULL);
	expect(path, 1, 64510, "customer AS64510");
	expect(path, 2, 0, NULL);
	path_free(path);
}

/* Nothing is said of peers, of the way up to a provider, with a silent hop, or without a router of A before.
 */
static void test_no_reason(void **state)
{
	(void)state;
	static const struct {
		const char *addresses[3];
		uint32_t asns[3];
	} cases[] = {
		{{"203.0.113.1", "203.0.113.9", "198.51.100.1"}, {64500, 64500, 64520}},
		{{"198.51.100.1", "198.51.100.2", "203.0.113.1"}, {64510, 64510, 64500}},
		{{"203.0.113.1", NULL, "198.51.100.1"}, {64500, 0, 64510}},
		{{"198.51.100.1", "203.0.113.9", "198.51.100.2"}, {64520, 64500, 64510}},
		{{"203.0.113.9", "203.0.113.9", "198.51.100.2"}, {64500, 64500, 64510}},
		{{"203.0.113.1", "203.0.113.9", "198.51.100.2"}, {64500, 64500, 0}},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct path *path = path_new(DIRECTION_FORWARD, "ttl");
		for (int k = 0; k < 3; k++)
			add(path, cases[i].addresses[k], cases[i].asns[k]);
		border_operators(path, &data);
		for (int k = 0; k < 3; k++)
			expect(path, (size_t)k, 0, NULL);
		path_free(path);
	}
}

static void test_exchange(void **state)
{
	(void)state;
	struct path *path = path_new(DIRECTION_FORWARD, "ttl");
	add(path, "203.0.113.1", 64500);
	add(path, "192.0.2.7", 0)->ixp = strdup("Example IX");
	add(path, "198.51.100.1", 64510);
	border_operators(path, &data);
	expect(path, 1, 64530, "LAN of Example IX");
	path_free(path);
	/* an address that the member list does not have: the next hop tells */
	path = path_new(DIRECTION_FORWARD, "ttl");
	add(path, "203.0.113.1", 64500);
	add(path, "192.0.2.8", 0)->ixp = strdup("Example IX");
	add(path, "198.51.100.1", 64510);
	border_operators(path, &data);
	expect(path, 1, 64510, "before a hop of AS64510");
	path_free(path);
	path = path_new(DIRECTION_FORWARD, "ttl");
	add(path, "192.0.2.8", 0)->ixp = strdup("Example IX");
	add(path, NULL, 0);
	border_operators(path, &data);
	expect(path, 0, 0, NULL);
	path_free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_customer, set_up),
		cmocka_unit_test_setup(test_no_reason, set_up),
		cmocka_unit_test_setup(test_exchange, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
