/* The ways that flows take, as text and as a graph for Graphviz: a diamond built by hand, with loss, a silent hop and a
 * hostile name. Expected is what a reader needs to find in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/dot.h"
#include "report/ways.h"

static struct measurement m;
static struct path *path;
static char *text; /* what was printed last */
static size_t size;

static const struct report_options options = {.width = 110, .utf8 = true};

static struct addr address(const char *literal)
{
	struct addr addr;
	assert_true(addr_parse(literal, &addr));
	return addr;
}

static void add_hop(int ttl, const char *first, const char *second)
{
	struct hop *hop = path_add_hop(path, ttl, TECHNIQUE_TTL);
	hop->sent = 3;
	if (!first)
		return;
	hop->received = 3;
	hop->address = address(first);
	assert_int_equal(hop_add_address(hop, address(first)), 0);
	if (second)
		assert_int_equal(hop_add_address(hop, address(second)), 0);
}

static struct edge *add_edge(int ttl, const char *from, const char *to, unsigned flows, uint16_t port)
{
	struct edge *edge = path_add_edge(path);
	*edge = (struct edge){.from = address(from), .to = address(to), .ttl = ttl, .flows = flows, .sent = flows,
		.received = flows, .rtt_ns = 12340000, .source_port = port};
	return edge;
}

/* 10.0.0.1, then 10.0.1.1 or 10.0.1.2, then 10.0.2.1, then silence, then the destination. */
static int set_up(void **state)
{
	(void)state;
	measurement_init(&m);
	path = m.forward = path_new(DIRECTION_FORWARD, "ttl");
	path->protocol = PROBE_UDP;
	path->source = address("192.0.2.10");
	path->destination = address("198.51.100.80");
	path->confidence = 0.95;
	path->flow_count = 16;
	add_hop(1, "10.0.0.1", NULL);
	add_hop(2, "10.0.1.1", "10.0.1.2");
	add_hop(3, "10.0.2.1", NULL);
	add_hop(4, NULL, NULL);
	add_hop(5, "198.51.100.80", NULL);
	add_edge(2, "10.0.0.1", "10.0.1.1", 7, 40001);
	struct edge *lossy = add_edge(2, "10.0.0.1", "10.0.1.2", 9, 40002);
	lossy->received = 6;
	lossy->rtt_ns = RTT_NONE;
	add_edge(3, "10.0.1.1", "10.0.2.1", 4, 40001);
	add_edge(3, "10.0.1.2", "10.0.2.1", 4, 40002);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	measurement_deinit(&m);
	free(text);
	text = NULL;
	return 0;
}

static void print(void (*what)(FILE *out))
{
	free(text);
	FILE *out = open_memstream(&text, &size);
	what(out);
	fclose(out);
}

static void ways(FILE *out)
{
	print_ways(out, path, &options);
}

static void dot(FILE *out)
{
	assert_int_equal(report_dot(out, &m), 0);
}

static void assert_says(const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is missing in:\n%s", part, text);
}

static void assert_silent_about(const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" is in:\n%s", part, text);
}

static void test_branches_with_share_loss_and_port(void **state)
{
	(void)state;
	print(ways);
	assert_says("hop 2  behind 10.0.0.1");
	assert_says("10.0.1.1            7/16      0/7     12.3     40001");
	assert_says("10.0.1.2            9/16      3/9        -     40002");
	assert_says("hop 3  10.0.2.1 joins the ways behind 10.0.1.1, 10.0.1.2");
}

static void test_how_sure_and_where_less(void **state)
{
	(void)state;
	print(ways);
	assert_says("16 flows were tried; 95 % sure");
	assert_says("or beside others");
	assert_silent_about("All flows take one way");
}

static void test_one_way(void **state)
{
	(void)state;
	path->edge_count = 0;
	path->hops[1].address_count = 1;
	print(ways);
	assert_says("All flows take one way. 16 flows were tried; 95 % sure");
	assert_says("right before the destination");
	assert_silent_about("beside others");
	assert_silent_about("WAYS");
}

static void test_one_flow_says_nothing(void **state)
{
	(void)state;
	path->confidence = 0;
	print(ways);
	assert_int_equal(size, 0);
}

static void test_kinds_of_branching(void **state)
{
	(void)state;
	path->hops[1].by_packet = path->hops[1].incomplete = true;
	print(ways);
	assert_says("packet by packet: no flow keeps to one");
	assert_says("answers are limited, there may be more");
}

static void mtu(FILE *out)
{
	print_mtu(out, path, &options);
}

static void test_sizes(void **state)
{
	(void)state;
	print(mtu);
	assert_int_equal(size, 0);
	struct mtu_step steps[] = {{.bytes = 1400, .ttl = 3, .said_by = address("10.0.2.1"), .said_bytes = 1400},
		{.bytes = 1300, .ttl = -1}};
	path->mtu = (struct path_mtu){.measured = true, .bytes = 1300, .step_count = 2, .steps = malloc(sizeof(steps))};
	assert_non_null(path->mtu.steps);
	memcpy(path->mtu.steps, steps, sizeof(steps));
	print(mtu);
	assert_says("up to 1300 bytes get through; hop 3 (10.0.2.1) says 1400");
	assert_says("larger ones VANISH behind a hop");
	path->mtu.bytes = 0;
	print(mtu);
	assert_says("not known: not even small packets");
}

static void test_graph(void **state)
{
	(void)state;
	print(dot);
	assert_says("digraph retour {");
	assert_says("\"192.0.2.10\" -> \"10.0.0.1\";");
	assert_says("\"10.0.0.1\" -> \"10.0.1.1\" [label=\"7 flows, 12.34 ms\\nfrom port 40001\"];");
	assert_says("\"10.0.0.1\" -> \"10.0.1.2\" [label=\"9 flows\\nlost 3 of 9\\nfrom port 40002\"];");
	assert_says("\"198.51.100.80\" [label=\"198.51.100.80\\nhop 5\", shape=doublecircle];");
}

/* A dashed edge over a silent hop, once for each pair that one and the same flow was seen at. */
static void test_silence_is_dashed(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct hop *before = &path->hops[2], *behind = &path->hops[4];
		struct probe_result *left = hop_add_probe(before), *right = hop_add_probe(behind);
		left->address = address("10.0.2.1");
		right->address = path->destination;
		left->rtt_ns = right->rtt_ns = 1000000;
		left->source_port = right->source_port = (uint16_t)(40001 + i);
	}
	print(dot);
	const char *dashed = "\"10.0.2.1\" -> \"198.51.100.80\" [style=dashed, label=\"1 silent\"];";
	assert_says(dashed);
	assert_null(strstr(strstr(text, dashed) + 1, dashed));
}

static void test_flows_that_differ_are_no_link(void **state)
{
	(void)state;
	struct probe_result *left = hop_add_probe(&path->hops[2]), *right = hop_add_probe(&path->hops[4]);
	left->address = address("10.0.2.1");
	right->address = path->destination;
	left->rtt_ns = right->rtt_ns = 1000000;
	left->source_port = 40001;
	right->source_port = 40002;
	print(dot);
	assert_silent_about("dashed");
}

static void test_hostile_name_stays_in_its_quotes(void **state)
{
	(void)state;
	path->hops[0].name = strdup("a\"];evil\\\x1b[31m\n");
	print(dot);
	assert_says("label=\"a\\\"];evil\\\\");
	assert_silent_about("\x1b");
	assert_silent_about("evil\\\\\n");
}

static void test_way_back_is_blue_and_shares_nodes(void **state)
{
	(void)state;
	struct path *forward = path;
	path = m.reverse = path_new(DIRECTION_REVERSE, "responder");
	path->source = forward->destination;
	path->destination = forward->source;
	add_hop(1, "10.0.2.1", NULL);
	print(dot);
	assert_says("\"198.51.100.80\" -> \"10.0.2.1\" [color=blue];");
	const char *node = strstr(text, "\n  \"10.0.2.1\" [label");
	assert_non_null(node);
	assert_null(strstr(node + 1, "\n  \"10.0.2.1\" [label"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_branches_with_share_loss_and_port, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_how_sure_and_where_less, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_flow_says_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kinds_of_branching, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sizes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_graph, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_silence_is_dashed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_flows_that_differ_are_no_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hostile_name_stays_in_its_quotes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_way_back_is_blue_and_shares_nodes, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
