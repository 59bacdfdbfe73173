/* What test packets that were counted at the far end make of a loss. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "insight/insight.h"
#include "path/directions.h"

static struct directions counted(unsigned sent, unsigned lost_there, unsigned lost_back)
{
	struct directions directions = directions_none();
	directions.status = DIRECTIONS_APART;
	directions.port = 862;
	directions.forward.sent = sent;
	directions.forward.lost = lost_there;
	directions.reverse.sent = sent - lost_there;
	directions.reverse.lost = lost_back;
	return directions;
}

static struct measurement measured(const struct directions *directions, bool with_loss)
{
	struct measurement measurement;
	measurement_init(&measurement);
	measurement.directions = directions;
	if (with_loss) {
		struct finding *finding = measurement_add_finding(&measurement, "loss-undirected",
			SEVERITY_WARNING, CONFIDENCE_LIKELY, DIRECTION_FORWARD, "somewhere");
		assert_non_null(finding);
		finding_add_hop(finding, 4);
		finding_add_evidence(finding, "seen before");
	}
	assert_int_equal(insight_directions(&measurement), 0);
	return measurement;
}

static const struct finding *find(const struct measurement *measurement, const char *id)
{
	for (size_t i = 0; i < measurement->finding_count; i++)
		if (strcmp(measurement->findings[i].id, id) == 0)
			return &measurement->findings[i];
	return NULL;
}

/* What was merely supposed of another trace goes where the loss was counted. */
static void test_counted_loss_leaves_no_supposition(void **state)
{
	(void)state;
	struct directions directions = counted(100, 0, 7);
	struct measurement measurement;
	measurement_init(&measurement);
	measurement.directions = &directions;
	assert_non_null(measurement_add_finding(&measurement, "silent-hop", SEVERITY_INFO, CONFIDENCE_POSSIBLE,
		DIRECTION_FORWARD, "kept"));
	assert_non_null(measurement_add_finding(&measurement, "loss-undirected", SEVERITY_WARNING, CONFIDENCE_LIKELY,
		DIRECTION_FORWARD, "there"));
	assert_non_null(measurement_add_finding(&measurement, "loss-undirected", SEVERITY_WARNING, CONFIDENCE_POSSIBLE,
		DIRECTION_REVERSE, "back"));
	assert_int_equal(insight_directions(&measurement), 0);
	assert_int_equal(measurement.finding_count, 2);
	assert_non_null(find(&measurement, "silent-hop"));
	assert_non_null(find(&measurement, "loss-reverse"));
	measurement_deinit(&measurement);
}

static void test_one_way(void **state)
{
	(void)state;
	for (int with_loss = 0; with_loss < 2; with_loss++) {
		struct directions directions = counted(100, 7, 0);
		struct measurement measurement = measured(&directions, with_loss);
		const struct finding *finding = find(&measurement, "loss-forward");
		assert_int_equal(measurement.finding_count, 1);
		assert_non_null(finding);
		assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
		assert_int_equal(finding->direction, DIRECTION_FORWARD);
		assert_non_null(strstr(finding->summary, "7 of 100"));
		/* Wilson's interval of 7 in 100, and of 0 in 93. */
		assert_non_null(strstr(finding->summary, "3.4 to 13.7 %"));
		assert_non_null(strstr(finding->summary, "0.0 to 4.0 %"));
		assert_int_equal(finding->hop_count, with_loss);
		assert_int_equal(finding->evidence_count, 1 + with_loss);
		measurement_deinit(&measurement);
	}
	struct directions directions = counted(100, 0, 7);
	struct measurement measurement = measured(&directions, true);
	const struct finding *finding = find(&measurement, "loss-reverse");
	assert_int_equal(measurement.finding_count, 1);
	assert_non_null(finding);
	/* Hops of the way there say nothing about the way back. */
	assert_int_equal(finding->direction, DIRECTION_REVERSE);
	assert_int_equal(finding->hop_count, 0);
	measurement_deinit(&measurement);
}

static void test_both_ways(void **state)
{
	(void)state;
	struct directions directions = counted(100, 5, 9);
	struct measurement measurement = measured(&directions, true);
	assert_int_equal(measurement.finding_count, 2);
	assert_non_null(find(&measurement, "loss-forward"));
	assert_non_null(find(&measurement, "loss-reverse"));
	assert_null(find(&measurement, "loss-undirected"));
	measurement_deinit(&measurement);
}

/* The test packets lose nothing: what was found before stands, with that said. */
static void test_nothing_lost(void **state)
{
	(void)state;
	struct directions directions = counted(100, 0, 0);
	struct measurement measurement = measured(&directions, true);
	const struct finding *finding = find(&measurement, "loss-undirected");
	assert_non_null(finding);
	assert_int_equal(finding->confidence, CONFIDENCE_LIKELY);
	assert_int_equal(finding->evidence_count, 2);
	measurement_deinit(&measurement);
	measurement = measured(&directions, false);
	assert_int_equal(measurement.finding_count, 0);
	measurement_deinit(&measurement);
}

/* A reflector that does not count, or none, changes nothing. */
static void test_no_count(void **state)
{
	(void)state;
	static const enum directions_status others[] = {DIRECTIONS_NOT_ASKED, DIRECTIONS_ASKED, DIRECTIONS_SILENT,
		DIRECTIONS_REFUSED, DIRECTIONS_ROUND_TRIP};
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct directions directions = counted(100, 5, 5);
		directions.status = others[i];
		struct measurement measurement = measured(&directions, true);
		assert_int_equal(measurement.finding_count, 1);
		assert_non_null(find(&measurement, "loss-undirected"));
		assert_int_equal(measurement.findings[0].evidence_count, 1);
		measurement_deinit(&measurement);
	}
	struct measurement measurement = measured(NULL, false);
	assert_int_equal(measurement.finding_count, 0);
	measurement_deinit(&measurement);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counted_loss_leaves_no_supposition),
		cmocka_unit_test(test_one_way),
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_nothing_lost),
		cmocka_unit_test(test_no_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
