/* What several flows show together: balancing, and a branch that is worse than its neighbours. */
#include "build.h"

#include "insight/insight.h"
#include "insight/rules.h"

#define SOURCE	  "192.0.2.10"
#define TARGET	  "198.51.100.80"
#define HOPS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct measurement m;
static struct branch_test asked_again; /* of the second branch */
static const char *const branches[] = {"10.2.0.1", "10.2.0.2", "10.2.0.3"};

/* 10.1.0.1 balances over three routers, behind which is the target: `flows` flows on each, of which each has one
 * answer from its router; `lost[i]` of branch i have none from the target. */
static void diamond(unsigned flows, const unsigned lost[3])
{
	measurement_init(&m);
	m.forward = build_path(DIRECTION_FORWARD, SOURCE, TARGET, HOPS("10.1.0.1", branches[0], TARGET));
	m.forward->confidence = 0.95;
	m.forward->flow_count = 3 * flows;
	for (size_t hop = 1; hop < 3; hop++)
		m.forward->hops[hop].probe_count = 0;
	for (uint16_t i = 0; i < 3; i++) {
		struct edge *edge = path_add_edge(m.forward);
		*edge = (struct edge){.from = build_address("10.1.0.1"), .to = build_address(branches[i]), .ttl = 2,
			.flows = flows, .sent = flows, .received = flows, .rtt_ns = 2000000, .source_port = (uint16_t)(40000 + i)};
		if (i == 1)
			edge->test = asked_again;
		for (unsigned flow = 0; flow < flows; flow++) {
			uint16_t port = (uint16_t)(40000 + i + 3 * flow);
			build_probe(&m.forward->hops[1], branches[i], 2)->source_port = port;
			build_probe(&m.forward->hops[2], flow < lost[i] ? NULL : TARGET, 3)->source_port = port;
		}
	}
	build_finish(m.forward);
	assert_int_equal(insight_run(&m), 0);
}

static void test_balanced(void **state)
{
	(void)state;
	diamond(10, (unsigned[]){0, 0, 0});
	const struct finding *finding = the_finding(&m, "load-balanced");
	assert_non_null(strstr(finding->summary, "3 routers"));
	assert_non_null(strstr(finding->evidence[0], "40000"));
	assert_int_equal(count_findings(&m, "bad-branch"), 0);
	measurement_deinit(&m);
}

static void test_bad_branch(void **state)
{
	(void)state;
	diamond(20, (unsigned[]){0, 8, 0});
	const struct finding *finding = the_finding(&m, "bad-branch");
	assert_non_null(strstr(finding->summary, branches[1]));
	bool port = false;
	for (size_t i = 0; i < finding->evidence_count; i++)
		port |= strstr(finding->evidence[i], "40001") != NULL;
	assert_true(port);
	measurement_deinit(&m);
}

/* Loss that all share is no branch's, and two of twenty lost among sixty prove nothing. */
static void test_no_bad_branch(void **state)
{
	(void)state;
	diamond(20, (unsigned[]){7, 8, 7});
	assert_int_equal(count_findings(&m, "bad-branch"), 0);
	measurement_deinit(&m);
	diamond(20, (unsigned[]){0, 2, 0});
	assert_int_equal(count_findings(&m, "bad-branch"), 0);
	measurement_deinit(&m);
}

/* Asked again before it is claimed: borne out or cleared; beside the one that was asked, nothing is claimed. */
static void test_bad_branch_asked_again(void **state)
{
	(void)state;
	const struct edge *bad = NULL, *other = NULL;
	diamond(20, (unsigned[]){0, 8, 0});
	assert_true(insight_suspect(m.forward, &bad, &other));
	assert_int_equal(bad->source_port, 40001);
	assert_int_not_equal(other->source_port, 40001);
	measurement_deinit(&m);
	asked_again = (struct branch_test){.sent = 20, .received = 12, .rtt_ns = 9000000, .others_sent = 20,
		.others_received = 20, .others_rtt_ns = 3000000};
	diamond(20, (unsigned[]){0, 8, 0});
	const struct finding *finding = the_finding(&m, "bad-branch");
	bool loss = false, delay = false;
	for (size_t i = 0; i < finding->evidence_count; i++) {
		loss |= strstr(finding->evidence[i], "8 of 20 lost by it, 0 of 20 by another way") != NULL;
		delay |= strstr(finding->evidence[i], "9.0 ms by it, 3.0 ms by the other") != NULL;
	}
	assert_true(loss && delay);
	assert_int_equal(finding->confidence, CONFIDENCE_LIKELY);
	measurement_deinit(&m);
	asked_again.received = 20;
	diamond(20, (unsigned[]){0, 8, 0});
	assert_int_equal(count_findings(&m, "bad-branch"), 0);
	measurement_deinit(&m);
	asked_again = (struct branch_test){0};
}

static void test_no_suspect(void **state)
{
	(void)state;
	const struct edge *bad = NULL, *other = NULL;
	diamond(20, (unsigned[]){0, 2, 0});
	assert_false(insight_suspect(m.forward, &bad, &other));
	measurement_deinit(&m);
}

/* Some flows reach the target a hop earlier: balancing, no loop and no fault. */
static void test_unequal(void **state)
{
	(void)state;
	measurement_init(&m);
	m.forward = build_path(DIRECTION_FORWARD, SOURCE, TARGET, HOPS("10.1.0.1", "10.2.0.1", "10.3.0.1", TARGET));
	m.forward->confidence = 0.95;
	build_probe(&m.forward->hops[2], TARGET, 3)->source_port = 40001;
	build_finish(m.forward);
	assert_int_equal(insight_run(&m), 0);
	bool unequal = false;
	for (size_t i = 0; i < m.finding_count; i++) {
		assert_string_not_equal(m.findings[i].id, "loop");
		unequal |= strstr(m.findings[i].summary, "unequal length") != NULL;
	}
	assert_true(unequal);
	measurement_deinit(&m);
}

static void test_by_packet(void **state)
{
	(void)state;
	measurement_init(&m);
	m.forward = build_path(DIRECTION_FORWARD, SOURCE, TARGET, HOPS("10.1.0.1", "10.2.0.1", TARGET));
	m.forward->confidence = 0.95;
	m.forward->hops[1].by_packet = true;
	build_probe(&m.forward->hops[1], "10.2.0.2", 2);
	build_finish(m.forward);
	assert_int_equal(insight_run(&m), 0);
	assert_non_null(strstr(the_finding(&m, "load-balanced")->summary, "one by one"));
	measurement_deinit(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_balanced),
		cmocka_unit_test(test_bad_branch),
		cmocka_unit_test(test_no_bad_branch),
		cmocka_unit_test(test_bad_branch_asked_again),
		cmocka_unit_test(test_no_suspect),
		cmocka_unit_test(test_unequal),
		cmocka_unit_test(test_by_packet),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
