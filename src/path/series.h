/* Statistics over time of round trips to one place. Pure, bounded memory: running sums for what was counted
 * since the beginning, which never forget; the last samples for medians and screens; and buckets that cover
 * all time, ever coarser, for charts. */
#ifndef RETOUR_PATH_SERIES_H
#define RETOUR_PATH_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "path/model.h"

/* Probes whose fate is known: answered, or given up. All times in nanoseconds, RTT_NONE before the first
 * answer. */
struct series {
	unsigned received, lost;
	int64_t last_ns, best_ns, worst_ns;
	double mean_ns;
	double deviations; /* sum of squared deviations from the mean (Welford, 1962) */
	double log_sum;	   /* of ln(rtt in ns) */
	/* The difference of two round trips that follow each other; the first has none. */
	int64_t jitter_ns, jitter_worst_ns;
	double jitter_sum_ns;
	double interarrival_ns; /* RFC 3550 A.8's estimate: J += (|D| - J) / 16 */
};

void series_init(struct series *series);
void series_answer(struct series *series, int64_t rtt_ns);
void series_loss(struct series *series);
/* A probe that was given up is answered after all. */
void series_late(struct series *series, int64_t rtt_ns);
/* Two series of different probes as one. What was last is not known: it stays, where there was anything. */
void series_add(struct series *series, const struct series *other);

static inline unsigned series_settled(const struct series *series)
{
	return series->received + series->lost;
}
/* All 0 without samples. The deviation is that of a sample (n - 1). */
double series_deviation_ns(const struct series *series);
double series_geometric_mean_ns(const struct series *series);
/* Mean of the jitter, counting the first answer as 0, as mtr does. */
double series_jitter_mean_ns(const struct series *series);

/* Wilson's 95 % score interval (Wilson, 1927) of a share of `part` in `whole`; 0..1 where nothing was
 * counted. */
struct share {
	double low, high;
};
struct share share_of(unsigned part, unsigned whole);

/* Fisher's exact test, one-sided: the chance that, were there no difference, so many or more of all that are
 * counted in either `part` fall to the first. */
double share_chance(unsigned part, unsigned whole, unsigned other_part, unsigned other_whole);

/* One probe in time. */
struct sample {
	int64_t at_ns;	/* sent, since the start */
	int64_t rtt_ns; /* RTT_NONE: no answer */
};

#define SAMPLES_KEPT 512

/* The last samples, in the order in which their fate became known. */
struct samples {
	struct sample ring[SAMPLES_KEPT];
	uint64_t count; /* ever added */
};

void samples_add(struct samples *samples, struct sample sample);
size_t samples_kept(const struct samples *samples);
/* `back` 0 is the newest, up to samples_kept() - 1. */
struct sample samples_get(const struct samples *samples, size_t back);
/* A given-up probe that was sent at `at_ns` has been answered. */
void samples_late(struct samples *samples, struct sample sample);
/* The round trip below which `share` (0..1) of the kept answers to probes since then lie; RTT_NONE without
 * any. */
int64_t samples_quantile_ns(const struct samples *samples, double share, int64_t since_ns);

#define BUCKETS_KEPT 256 /* even */

struct bucket {
	unsigned received, lost;
	int64_t best_ns, worst_ns; /* RTT_NONE */
	double sum_ns;
};

/* All time from 0 on in equal parts. When the last is full, neighbours join and all become twice as wide. */
struct buckets {
	int64_t width_ns;
	struct bucket parts[BUCKETS_KEPT];
	size_t count; /* the parts in use */
};

void buckets_init(struct buckets *buckets, int64_t width_ns);
void buckets_add(struct buckets *buckets, struct sample sample);
/* As samples_late. */
void buckets_late(struct buckets *buckets, struct sample sample);

#endif
