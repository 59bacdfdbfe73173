/* World files: what they mean, and what is said about mistakes in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/export.h"
#include "sim/names.h"
#include "sim/world.h"

/* Lines 1 to 13; tests add to it or change a line. */
static const char *const plain[] = {
	"ases:",
	"  - {asn: 64496, name: One, country: DE, prefix: 192.0.2.0/24, prefix6: \"2001:db8:1::/48\"}",
	"hosts:",
	"  - {name: a, as: 64496}",
	"  - {name: b, as: 64496, address: 192.0.2.99, address6: \"2001:db8:1:b::99\"}",
	"routers:",
	"  - {name: r1, as: 64496}",
	"  - name: r2",
	"    as: 64496",
	"    dns: core.one.lab",
	"links:",
	"  - {from: r1, to: a}",
	"  - {from: r1, to: r2, delay_ms: 2.5, delay_back_ms: 4, loss: 0.5, cost: 7}",
	"  - from: r2",
	"    to: b",
};

/* The plain world with line `number` (from 1; 0: none) replaced, and `rest` after it. */
static void make(char *text, size_t size, unsigned number, const char *line, const char *rest)
{
	size_t used = 0;
	for (unsigned i = 0; i < ARRAY_LEN(plain); i++)
		used += (size_t)snprintf(text + used, size - used, "%s\n", i + 1 == number ? line : plain[i]);
	snprintf(text + used, size - used, "%s", rest);
}

static void refused(unsigned number, const char *line, const char *rest, const char *message)
{
	char text[4000];
	struct world *world;
	struct error error = {0};
	make(text, sizeof(text), number, line, rest);
	if (world_parse("w.yaml", text, &world, &error) == 0)
		fail_msg("accepted: %s%s", line, rest);
	assert_null(world);
	if (!strstr(error.text, message) || strchr(error.text, '\n'))
		fail_msg("'%s' does not say '%s'", error.text, message);
}

static void test_mistakes_of_form(void **state)
{
	(void)state;
	refused(7, "  - {name: r1, as: many}", "", "w.yaml:7: as: ");
	refused(7, "  - {name: r1, as: 64496, colour: red}", "",
		"w.yaml:7: Unexpected key: colour; expected one of: "
		"name, as, dns, place, loopback, loopback6, behaviour");
	refused(7, "  - {as: 64496}", "", "w.yaml:7: Missing required mapping field: name");
	refused(7, "  - {name: r1, as: 64496, behaviour: {silent: perhaps}}", "",
		"expected one of: false, true");
	refused(7, "  - {name: r1, as: 64496, behaviour: {balance: flows}}", "",
		"expected one of: none, flow, packet");
	refused(13, "  - {from: r1, to: r2, delay_ms: slow}", "", "w.yaml:13: delay_ms: ");
	refused(13, "  - {from: r1, to: r2, cost: -1}", "", "w.yaml:13: cost: ");
	refused(11, "links: 7", "", "w.yaml:1");
	refused(3, "\thosts:", "",
		"w.yaml:2: libyaml: found character that cannot start any token (on this line or "
		"the next ones); expected blanks, there is a tab");
	refused(0, "", "weather: fine\n", "w.yaml:16: Unexpected key: weather");
	refused(12, "  - {from: r1, to: a", "", "w.yaml:1");
}

static void test_mistakes_of_meaning(void **state)
{
	(void)state;
	refused(13, "  - {from: r1, to: r9}", "",
		"w.yaml:13: link from 'r1' to 'r9': no host or router is called 'r9'");
	refused(15, "    to: nowhere", "", "w.yaml:15: link from 'r2' to 'nowhere'");
	refused(13, "  - {from: r1, to: r2, loss: 2}", "", "w.yaml:13: ");
	refused(13, "  - {from: r1, to: r2, delay_ms: nan}", "", "w.yaml:13: ");
	refused(13, "  - {from: r1, to: r2, delay_back_ms: -1}", "", "w.yaml:13: ");
	refused(7, "  - {name: r1, as: 64496, behaviour: {reply_delay_ms: -3}}", "",
		"w.yaml:7: 'r1': reply_delay_ms: expected");
	refused(13, "  - {from: r1, to: r1}", "", "w.yaml:13: link from 'r1' to itself");
	refused(7, "  - {name: a, as: 64496}", "", "w.yaml:7: a second node called 'a'");
	refused(7, "  - {name: R1, as: 64496}", "", "w.yaml:7: 'R1' cannot be a name");
	refused(9, "    as: 65000", "", "w.yaml:8: 'r2' is in AS 65000, which is not in 'ases'");
	refused(2,
		"  - {asn: 64496, name: O, country: DE, prefix: 192.0.2.1/24, prefix6: \"2001:db8:1::/48\"}",
		"", "w.yaml:2: '192.0.2.1/24' is not an IPv4 prefix");
	refused(2, "  - {asn: 64496, name: O, country: DE, prefix: 192.0.2.0/24, prefix6: \"2001:db8::/64\"}",
		"", "w.yaml:2: '2001:db8::/64' is not an IPv6 prefix of at most 48 bits");
	refused(5, "  - {name: b, as: 64496, address: 192.0.2.256}", "",
		"w.yaml:5: '192.0.2.256' is not an IPv4 address");
	refused(13, "  - {from: r1, to: r2, to_address: 192.0.2.99}", "",
		"w.yaml:5: 'b' and 'r2' both have the address 192.0.2.99");
	refused(15, "    to: a", "", "w.yaml:5: no link leads to 'b'");
	refused(0, "", "routes:\n  - {at: r1, to: b, via: [b]}\n",
		"w.yaml:17: via 'b': no link leads there from 'r1'");
	refused(0, "", "routes:\n  - {at: r1, to: b, drop: true}\n  - {at: r1, to: c, drop: true}\n",
		"w.yaml:18: 'c': expected a host, a router, an AS");
	refused(0, "", "routes:\n  - {at: r1, to: b}\n", "w.yaml:17: route at 'r1': expected one of via");
	refused(0, "", "tunnels:\n  - {routers: [r1, r2]}\n", "w.yaml:17: expected at least 3 routers");
	refused(0, "", "services:\n  - {host: r1, run: x}\n", "w.yaml:17: no host is called 'r1'");
	refused(0, "", "faults:\n  - {link: [r1, b], down: true}\n",
		"w.yaml:17: no link between 'r1' and 'b'");
}

/* What is told, one line after the other. */
struct told {
	char text[4000];
	unsigned count;
};

static void note(void *context, const char *line)
{
	struct told *told = context;
	size_t used = strlen(told->text);
	assert_null(strchr(line, '\n'));
	snprintf(told->text + used, sizeof(told->text) - used, "%s\n", line);
	told->count++;
}

static void told(
	unsigned number, const char *line, const char *rest, const char *const *expected, unsigned count)
{
	char text[4000];
	struct world *world;
	struct error error = {0};
	struct told told = {0};
	make(text, sizeof(text), number, line, rest);
	assert_true(world_parse_telling("w.yaml", text, note, &told, &world, &error) < 0);
	assert_null(world);
	const char *at = told.text;
	for (unsigned i = 0; i < count; i++) {
		const char *found = strstr(at, expected[i]);
		if (!found)
			fail_msg("'%s' is not told after the others in:\n%s", expected[i], told.text);
		at = found;
	}
	if (told.count != count)
		fail_msg("%u mistakes, expected %u:\n%s", told.count, count, told.text);
}

/* By rising line, each once, and nothing that only follows from another. */
static void test_all_mistakes_at_once(void **state)
{
	static const char *const meaning[] = {"w.yaml:7: 'r1' is in AS 7", "w.yaml:17: route at 'r9'",
		"w.yaml:18: 'nobody': expected a host", "w.yaml:20: no host is called 'c'",
		"w.yaml:21: no host is called 'd'"};
	static const char *const form[] = {"w.yaml:7: as: ", "w.yaml:17: Unexpected key: port",
		"w.yaml:18: Missing required mapping field: run"};
	(void)state;
	told(7, "  - {name: r1, as: 7}",
		"routes:\n  - {at: r9, to: b, drop: true}\n  - {at: r1, to: nobody, drop: true}\n"
		"services:\n  - {host: c, run: x}\n  - {host: d, run: x}\n",
		meaning, ARRAY_LEN(meaning));
	told(7, "  - {name: r1, as: many}",
		"services:\n  - {host: a, run: x, port: 7}\n  - {host: b}\n  - {host: a, run: x}\n", form,
		ARRAY_LEN(form));
}

#define SECOND_AS                                                                                            \
	"  - {asn: 64497, name: Two, country: DE, prefix: 198.51.100.0/24, prefix6: \"2001:db8:2::/48\"}\n"

/* Relations and what goes with them, in a world of one router in each of two ASes (and one more relation). */
static void policy_refused(const char *rest, const char *message)
{
	char text[4000];
	struct world *world;
	struct error error = {0};
	snprintf(text, sizeof(text),
		"%s\n%s\n" SECOND_AS
		"hosts:\n  - {name: a, as: 64496, router: r1}\n  - {name: b, as: 64497, router: r2}\n"
		"routers:\n  - {name: r1, as: 64496}\n  - {name: r2, as: 64497}\n"
		"%s",
		plain[0], plain[1], rest);
	if (world_parse("w.yaml", text, &world, &error) == 0)
		fail_msg("accepted: %s", rest);
	if (!strstr(error.text, message))
		fail_msg("'%s' does not say '%s'", error.text, message);
}

#define LINKED "links:\n  - {from: r1, to: r2}\n"

static void test_mistakes_of_policy(void **state)
{
	(void)state;
	policy_refused("links: []\nrelations:\n  - {peers: [64496, 64497]}\n",
		"w.yaml:12: AS64496 and AS64497 have a relation, but no link");
	policy_refused(LINKED "  - {from: a, to: r2}\nrelations:\n  - {peers: [64496, 64497]}\n",
		"w.yaml:12: 'a' is in AS64496, but 'r2' in AS64497");
	policy_refused(
		LINKED "relations:\n  - {peers: [64496, 64499]}\n", "w.yaml:13: AS64499 is not in 'ases'");
	policy_refused(LINKED "relations:\n  - {provider: 64496}\n",
		"w.yaml:13: expected either provider and customer, or peers");
	policy_refused(LINKED
		"relations:\n  - {provider: 64496, customer: 64497}\n  - {peers: [64496, 64497]}\n",
		"w.yaml:14: AS64496 and AS64497 have two relations that contradict each other");
	policy_refused(LINKED "relations:\n  - {provider: 64496, customer: 64497}\n"
			      "policies:\n  - {as: 64496, neighbour: 64497}\n",
		"w.yaml:15: expected local_preference, prepend or export");
	policy_refused(LINKED "relations:\n  - {provider: 64496, customer: 64497}\n"
			      "policies:\n  - {as: 64496, neighbour: 64496, prepend: 1}\n",
		"w.yaml:15: AS64496 and AS64496 are no neighbours");
	policy_refused(LINKED
		"relations:\n  - {provider: 64496, customer: 64497}\n"
		"policies:\n  - {as: 64496, neighbour: 64497, prepend: 1, prefix: 203.0.113.0/24}\n",
		"w.yaml:15: '203.0.113.0/24': no AS announces it");
	policy_refused(LINKED
		"relations:\n  - {provider: 64496, customer: 64497}\n"
		"policies:\n  - {as: 64496, neighbour: 64497, prepend: 1, family: 4}\n"
		"  - {as: 64496, neighbour: 64497, prepend: 1, prefix: 192.0.2.0/25, family: 6}\n",
		"w.yaml:16: family 6 and the prefix '192.0.2.0/25' contradict each other; expected one of "
		"them");
	policy_refused(LINKED "relations:\n  - {provider: 64496, customer: 64497}\n  - {provider: 64497, "
			      "customer: 64496}\n",
		"w.yaml:14: AS64496 and AS64497 have two relations that contradict each other");
	policy_refused("links: []\nrelations:\n  - {peers: [64496, 64497], ixp: X}\n",
		"w.yaml:12: no exchange is called 'X'");
	policy_refused(
		"links: []\nservices:\n  - {host: b, run: x}\n", "w.yaml:12: no other host has a way to 'b'");
	policy_refused("  - {name: r3, as: 64496}\n" LINKED
		       "  - {from: r3, to: r2}\nrelations:\n  - {peers: [64496, 64497]}\n",
		"w.yaml:10: AS64496 falls apart: no way inside it from 'a' to 'r3'");
}

/* Nobody may be his own provider, and preferences must let everybody settle. */
static void test_impossible_policies(void **state)
{
	static const char circle[] =
		"ases:\n%s"
		"hosts: []\n"
		"routers:\n  - {name: r0, as: 1}\n  - {name: r1, as: 2}\n  - {name: r2, as: 3}\n"
		"  - {name: r3, as: 4}\n"
		"links:\n  - {from: r1, to: r2}\n  - {from: r2, to: r3}\n  - {from: r3, to: r1}\n"
		"  - {from: r0, to: r1}\n  - {from: r0, to: r2}\n  - {from: r0, to: r3}\n"
		"relations:\n%s";
	char ases[1000], text[4000];
	size_t used = 0;
	struct world *world;
	struct error error = {0};
	(void)state;
	for (unsigned i = 1; i <= 4; i++)
		used += (size_t)snprintf(ases + used, sizeof(ases) - used,
			"  - {asn: %u, name: A, country: DE, prefix: 198.18.%u.0/24, prefix6: "
			"\"2001:db8:%u::/48\"}\n",
			i, i, i);
	snprintf(text, sizeof(text), circle, ases,
		"  - {provider: 2, customer: 3}\n  - {provider: 3, customer: 4}\n  - {provider: 4, customer: "
		"2}\n"
		"  - {provider: 2, customer: 1}\n  - {provider: 3, customer: 1}\n  - {provider: 4, customer: "
		"1}\n");
	assert_int_not_equal(world_parse("w.yaml", text, &world, &error), 0);
	/* at an entry of the circle, and nothing that follows from it */
	assert_string_equal(error.text,
		"w.yaml:20: AS2 is its own provider, by way of AS3; expected providers without a circle");
	snprintf(text, sizeof(text), circle, ases,
		"  - {provider: 2, customer: 3}\n  - {peers: [3, 4]}\n  - {peers: [2, 4]}\n"
		"  - {provider: 2, customer: 1}\n  - {provider: 3, customer: 1}\n  - {provider: 4, customer: "
		"1}\n  - {peers: [3, 2]}\n");
	assert_int_not_equal(world_parse("w.yaml", text, &world, &error), 0);
	assert_string_equal(error.text,
		"w.yaml:26: AS2 and AS3 have two relations that contradict each other; expected one");
	/* three peers around a customer, each of whom likes the way by the next one best ("bad gadget") */
	snprintf(text, sizeof(text), circle, ases,
		"  - {peers: [2, 3]}\n  - {peers: [3, 4]}\n  - {peers: [4, 2]}\n"
		"  - {provider: 2, customer: 1}\n  - {provider: 3, customer: 1}\n  - {provider: 4, customer: "
		"1}\n"
		"policies:\n  - {as: 2, neighbour: 3, local_preference: 900}\n"
		"  - {as: 3, neighbour: 4, local_preference: 900}\n"
		"  - {as: 4, neighbour: 2, local_preference: 900}\n");
	assert_int_not_equal(world_parse("w.yaml", text, &world, &error), 0);
	assert_non_null(strstr(error.text, "contradict each other: no choice of routes lasts"));
	const char *restless = strstr(error.text, "lasts for AS");
	unsigned line = 0, asn = 0;
	assert_non_null(restless);
	assert_int_equal(sscanf(error.text, "w.yaml:%u: ", &line), 1);
	assert_int_equal(sscanf(restless, "lasts for AS%u;", &asn), 1);
	assert_in_range(asn, 2, 4);
	assert_int_equal(line, 25 + asn); /* AS2's policy is on line 27 */
}

static void test_files(void **state)
{
	struct world *world;
	struct error error = {0};
	(void)state;
	assert_int_not_equal(world_load("no-such-world", &world, &error), 0);
	assert_non_null(strstr(error.text, "no world is called 'no-such-world'"));
	assert_int_not_equal(world_load("./no-such-file.yaml", &world, &error), 0);
	assert_non_null(strstr(error.text, "./no-such-file.yaml: No such file"));
	assert_int_not_equal(world_parse("empty", "", &world, &error), 0);
	assert_non_null(strstr(error.text, "empty:1: "));
}

static void assert_address(struct addr address, const char *expected)
{
	char text[ADDR_TEXT_SIZE];
	assert_string_equal(addr_format(address, text), expected);
}

static struct world *plain_world(void)
{
	char text[4000];
	struct world *world;
	struct error error = {0};
	make(text, sizeof(text), 0, "", "");
	if (world_parse("w.yaml", text, &world, &error) < 0)
		fail_msg("%s", error.text);
	return world;
}

static void test_numbering(void **state)
{
	struct world *w = plain_world();
	(void)state;
	/* links in order from the second /31 and the second /64 on; loopbacks from the other end */
	assert_address(w->interfaces[0].address[0], "192.0.2.2");
	assert_address(w->interfaces[1].address[0], "192.0.2.3");
	assert_address(w->interfaces[2].address[0], "192.0.2.4");
	assert_address(w->interfaces[0].address[1], "2001:db8:1:1::a");
	assert_address(w->interfaces[1].address[1], "2001:db8:1:1::b");
	assert_address(world_node_address(w, world_find_node(w, "a"), 4), "192.0.2.3");
	assert_address(world_node_address(w, world_find_node(w, "b"), 4), "192.0.2.99");
	assert_address(world_node_address(w, world_find_node(w, "b"), 6), "2001:db8:1:b::99");
	assert_address(world_node_address(w, world_find_node(w, "r1"), 4), "192.0.2.254");
	assert_address(world_node_address(w, world_find_node(w, "r2"), 6), "2001:db8:1::2");
	world_free(w);
}

static void test_links(void **state)
{
	struct world *w = plain_world();
	const struct world_interface *there = &w->interfaces[2], *back = &w->interfaces[3];
	(void)state;
	assert_int_equal(there->delay_ns, 2500000);
	assert_int_equal(back->delay_ns, 4000000);
	assert_true(there->loss == 0.5 && back->loss == 0);
	assert_int_equal(there->cost, 7);
	assert_int_equal(back->cost, 7);
	assert_int_equal(w->interfaces[4].cost, 10);
	assert_string_equal(w->interfaces[0].name, "ae0.r1.lab");
	assert_string_equal(w->interfaces[1].name, "a.lab");
	assert_string_equal(w->interfaces[4].name, "ae1.core.one.lab");
	world_free(w);
}

static void test_as_table(void **state)
{
	struct world *w = plain_world();
	char *text = export_ranges(w);
	(void)state;
	assert_string_equal(text,
		"192.0.2.0\t192.0.2.255\t64496\tDE\tOne\n"
		"2001:db8:1::\t2001:db8:1:ffff:ffff:ffff:ffff:ffff\t64496\tDE\tOne\n");
	free(text);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mistakes_of_form),
		cmocka_unit_test(test_mistakes_of_meaning),
		cmocka_unit_test(test_all_mistakes_at_once),
		cmocka_unit_test(test_mistakes_of_policy),
		cmocka_unit_test(test_impossible_policies),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_numbering),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_as_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
