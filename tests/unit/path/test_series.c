/* Statistics over time, against numbers worked out by hand or known from the literature. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>

#include "base/clock.h"
#include "path/series.h"

static void assert_near(double got, double expected, double tolerance)
{
	if (fabs(got - expected) > tolerance)
		fail_msg("%.9g is not %.9g", got, expected);
}

/* 10, 20, 40, 10 ms: mean 20, sum of squared deviations 600, differences 10, 20, 30. */
static void test_sums(void **state)
{
	(void)state;
	struct series series;
	series_init(&series);
	assert_int_equal(series.best_ns, RTT_NONE);
	assert_true(series_deviation_ns(&series) == 0 && series_geometric_mean_ns(&series) == 0);
	static const int64_t times[] = {10, 20, 40, 10};
	for (size_t i = 0; i < 4; i++)
		series_answer(&series, times[i] * NS_PER_MS);
	assert_int_equal(series.received, 4);
	assert_int_equal(series.last_ns, 10 * NS_PER_MS);
	assert_int_equal(series.best_ns, 10 * NS_PER_MS);
	assert_int_equal(series.worst_ns, 40 * NS_PER_MS);
	assert_near(series.mean_ns, 20e6, 1);
	assert_near(series_deviation_ns(&series), sqrt(600.0 / 3) * 1e6, 1);
	assert_near(series_geometric_mean_ns(&series), pow(10.0 * 20 * 40 * 10, 0.25) * 1e6, 10);
	assert_int_equal(series.jitter_ns, 30 * NS_PER_MS);
	assert_int_equal(series.jitter_worst_ns, 30 * NS_PER_MS);
	assert_near(series_jitter_mean_ns(&series), 60e6 / 4, 1);
	/* RFC 3550 A.8: ((0 + 10/16) * 15/16 + 20/16) * 15/16 + 30/16 */
	assert_near(
		series.interarrival_ns, ((10.0 / 16 * 15 / 16 + 20.0 / 16) * 15 / 16 + 30.0 / 16) * 1e6, 1);
}

static void test_late_answers_take_losses_back(void **state)
{
	(void)state;
	struct series series;
	series_init(&series);
	series_loss(&series);
	series_loss(&series);
	series_late(&series, NS_PER_MS);
	assert_int_equal(series.lost, 1);
	assert_int_equal(series.received, 1);
	assert_int_equal(series_settled(&series), 2);
	series_late(&series, NS_PER_MS);
	series_late(&series, NS_PER_MS);
	assert_int_equal(series.lost, 0);
}

/* Newcombe, Statistics in Medicine 17 (1998), table I, score method: 81/263, 15/148, 0/20, 1/29. */
static void test_wilson(void **state)
{
	(void)state;
	static const struct {
		unsigned part, whole;
		double low, high;
	} cases[] = {{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611},
		{1, 29, 0.0061, 0.1718}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct share share = share_of(cases[i].part, cases[i].whole);
		assert_near(share.low, cases[i].low, 0.00006);
		assert_near(share.high, cases[i].high, 0.00006);
	}
	assert_true(share_of(0, 0).low == 0 && share_of(0, 0).high == 1);
	assert_true(share_of(5, 5).high == 1);
}

static void test_quantiles_of_the_last(void **state)
{
	(void)state;
	static struct samples samples;
	assert_int_equal(samples_quantile_ns(&samples, 0.5, 0), RTT_NONE);
	for (int64_t i = 1; i <= SAMPLES_KEPT + 100; i++)
		samples_add(&samples, (struct sample){.at_ns = i, .rtt_ns = i});
	assert_int_equal(samples_kept(&samples), SAMPLES_KEPT);
	assert_int_equal(samples_get(&samples, 0).rtt_ns, SAMPLES_KEPT + 100);
	assert_int_equal(samples_get(&samples, SAMPLES_KEPT - 1).rtt_ns, 101);
	assert_int_equal(samples_quantile_ns(&samples, 0.5, 0), 100 + SAMPLES_KEPT / 2);
	assert_int_equal(samples_quantile_ns(&samples, 1, 0), 100 + SAMPLES_KEPT);
	assert_int_equal(samples_quantile_ns(&samples, 0, 0), 101);
	assert_int_equal(samples_quantile_ns(&samples, 0.5, SAMPLES_KEPT + 100), SAMPLES_KEPT + 100);
	samples_add(&samples, (struct sample){.at_ns = 9999, .rtt_ns = RTT_NONE});
	samples_late(&samples, (struct sample){.at_ns = 9999, .rtt_ns = 7});
	assert_int_equal(samples_get(&samples, 0).rtt_ns, 7);
	assert_int_equal(samples_kept(&samples), SAMPLES_KEPT);
}

/* A day of seconds in 256 parts: nothing that was counted is forgotten. */
static void test_buckets_forget_nothing(void **state)
{
	(void)state;
	static struct buckets buckets;
	unsigned received = 0, lost = 0;
	double sum = 0;
	buckets_init(&buckets, 4 * NS_PER_S);
	for (int64_t i = 0; i < 86400; i++)
		buckets_add(&buckets,
			(struct sample){i * NS_PER_S, i % 10 == 3 ? RTT_NONE : (i % 7 + 1) * NS_PER_MS});
	buckets_late(&buckets, (struct sample){3 * NS_PER_S, 9 * NS_PER_MS});
	for (size_t i = 0; i < buckets.count; i++) {
		received += buckets.parts[i].received;
		lost += buckets.parts[i].lost;
		sum += buckets.parts[i].sum_ns;
	}
	assert_int_equal(received, 77761);
	assert_int_equal(lost, 8639);
	assert_true(buckets.count <= BUCKETS_KEPT && buckets.count > BUCKETS_KEPT / 2 - 1);
	assert_int_equal(buckets.width_ns, 512 * NS_PER_S);
	assert_int_equal(buckets.parts[0].worst_ns, 9 * NS_PER_MS);
	assert_int_equal(buckets.parts[1].best_ns, NS_PER_MS);
	assert_near(sum / received / 1e6, 4, 0.01);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_late_answers_take_losses_back),
		cmocka_unit_test(test_wilson),
		cmocka_unit_test(test_quantiles_of_the_last),
		cmocka_unit_test(test_buckets_forget_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
