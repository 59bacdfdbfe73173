#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "path/model.h"

static void answer(struct hop *hop, uint32_t address, int64_t rtt_ns)
{
	struct probe_result *probe = hop_add_probe(hop);
	assert_non_null(probe);
	if (address != 0)
		probe->address = addr_v4(address);
	probe->rtt_ns = rtt_ns;
}

static void test_new_things_are_unknown(void **state)
{
	(void)state;
	struct path *path = path_new(DIRECTION_REVERSE, "responder");
	struct hop *hop = path_add_hop(path, 3, TECHNIQUE_RESPONDER);
	struct probe_result *probe = hop_add_probe(hop);
	assert_int_equal(hop->rtt_min_ns, RTT_NONE);
	assert_int_equal(hop->rtt_median_ns, RTT_NONE);
	assert_false(addr_is_set(hop->address));
	assert_int_equal(probe->rtt_ns, RTT_NONE);
	assert_int_equal(probe->icmp_type, -1);
	assert_int_equal(probe->icmp_code, -1);
	assert_int_equal(probe->reply.ttl, -1);
	assert_int_equal(probe->quoted.ttl, -1);
	assert_false(probe_answered(probe));
	assert_int_equal(path->stop_reason, STOP_PARTIAL);
	path_free(path);
	path_free(NULL);
	alignment_free(NULL);
}

static void test_summary_counts_and_orders(void **state)
{
	(void)state;
	struct path *path = path_new(DIRECTION_FORWARD, "ttl");
	struct hop *hop = path_add_hop(path, 1, TECHNIQUE_TTL);
	answer(hop, 10, 5000);
	answer(hop, 20, 1000);
	answer(hop, 0, RTT_NONE);
	answer(hop, 20, 3000);
	answer(hop, 30, 9000);
	assert_int_equal(path_summarise(path), 0);
	assert_int_equal(hop->sent, 5);
	assert_int_equal(hop->received, 4);
	assert_int_equal(hop->rtt_min_ns, 1000);
	assert_int_equal(hop->rtt_median_ns, 4000); /* of 1000 3000 5000 9000 */
	assert_int_equal(hop->rtt_max_ns, 9000);
	assert_int_equal(hop->address_count, 3);
	assert_true(addr_equal(hop->address, addr_v4(20)));
	assert_true(addr_equal(hop->addresses[0], addr_v4(20)));
	assert_true(addr_equal(hop->addresses[1], addr_v4(10)));
	assert_true(addr_equal(hop->addresses[2], addr_v4(30)));
	assert_int_equal(path->probes_sent, 5);
	assert_int_equal(path->replies_received, 4);
	path_free(path);
}

static void test_earliest_wins_among_equals(void **state)
{
	(void)state;
	struct path *path = path_new(DIRECTION_FORWARD, "ttl");
	struct hop *hop = path_add_hop(path, 1, TECHNIQUE_TTL);
	answer(hop, 7, 1);
	answer(hop, 5, 2);
	answer(hop, 5, 3);
	answer(hop, 7, 4);
	assert_int_equal(hop_summarise(hop), 0);
	assert_true(addr_equal(hop->address, addr_v4(7)));
	/* And again: a summary is not an input of itself. */
	answer(hop, 5, 5);
	assert_int_equal(hop_summarise(hop), 0);
	assert_true(addr_equal(hop->address, addr_v4(5)));
	assert_int_equal(hop->address_count, 2);
	path_free(path);
}

static void test_hop_without_probes_keeps_its_address(void **state)
{
	(void)state;
	struct path *path = path_new(DIRECTION_REVERSE, "record-route");
	struct hop *hop = path_add_hop(path, -1, TECHNIQUE_RECORD_ROUTE);
	hop->address = addr_v4(99);
	assert_int_equal(path_summarise(path), 0);
	assert_true(addr_equal(hop->address, addr_v4(99)));
	assert_int_equal(hop->address_count, 1);
	assert_int_equal(hop->sent, 0);
	path_free(path);
}

static void test_numbers_of_hops(void **state)
{
	(void)state;
	struct path *path = path_new(DIRECTION_FORWARD, "ttl");
	path_add_hop(path, 4, TECHNIQUE_TTL);
	path_add_hop(path, 5, TECHNIQUE_TTL);
	assert_int_equal(path_hop_number(path, 1), 5);
	path_add_hop(path, -1, TECHNIQUE_TTL);
	assert_int_equal(path_hop_number(path, 1), 2);
	assert_int_equal(path_hop_number(path, 2), 3);
	path_free(path);
}

static void test_growth_keeps_everything(void **state)
{
	(void)state;
	struct measurement m;
	measurement_init(&m);
	for (int i = 0; i < 100; i++) {
		struct finding *finding = measurement_add_finding(
			&m, "loop", SEVERITY_PROBLEM, CONFIDENCE_LIKELY, DIRECTION_FORWARD, "number %d", i);
		for (int j = 0; j < i; j++)
			finding_add_hop(finding, j);
		finding_add_evidence(finding, "evidence %d", i);
		assert_non_null(
			measurement_add_attempt(&m, "responder", ATTEMPT_TIMEOUT, i % 2 ? "late" : NULL));
	}
	assert_int_equal(m.finding_count, 100);
	assert_string_equal(m.findings[63].summary, "number 63");
	assert_string_equal(m.findings[63].evidence[0], "evidence 63");
	assert_int_equal(m.findings[99].hop_count, 99);
	assert_int_equal(m.findings[99].hops[98], 98);
	assert_null(m.attempts[0].detail);
	assert_string_equal(m.attempts[99].detail, "late");
	measurement_deinit(&m);
	assert_int_equal(m.finding_count, 0);
	measurement_deinit(&m); /* twice does no harm */
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(direction_word(DIRECTION_UNKNOWN), "unknown");
	assert_string_equal(protocol_word(PROBE_TCP), "tcp");
	assert_string_equal(stop_reason_word(STOP_GAP_LIMIT), "gap-limit");
	assert_string_equal(stop_reason_word(STOP_PARTIAL), "partial");
	assert_string_equal(technique_word(TECHNIQUE_ATLAS_INTERVAL), "atlas-interval");
	assert_string_equal(technique_word(TECHNIQUE_INFERRED), "inferred");
	assert_string_equal(certainty_word(CERTAINTY_ASSUMED), "assumed");
	assert_string_equal(attempt_status_word(ATTEMPT_FAILED), "failed");
	assert_string_equal(severity_word(SEVERITY_PROBLEM), "problem");
	assert_string_equal(confidence_word(CONFIDENCE_CERTAIN), "certain");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_things_are_unknown),
		cmocka_unit_test(test_summary_counts_and_orders),
		cmocka_unit_test(test_earliest_wins_among_equals),
		cmocka_unit_test(test_hop_without_probes_keeps_its_address),
		cmocka_unit_test(test_numbers_of_hops),
		cmocka_unit_test(test_growth_keeps_everything),
		cmocka_unit_test(test_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
