#include "path/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void series_init(struct series *series)
{
	*series = (struct series){
		.last_ns = RTT_NONE,
		.best_ns = RTT_NONE,
		.worst_ns = RTT_NONE,
		.jitter_ns = RTT_NONE,
		.jitter_worst_ns = RTT_NONE,
	};
}

static void add_jitter(struct series *series, int64_t rtt_ns)
{
	int64_t jitter = series->last_ns == RTT_NONE ? 0 : llabs(rtt_ns - series->last_ns);
	series->jitter_ns = jitter;
	series->jitter_worst_ns = MAX(series->jitter_worst_ns, jitter);
	series->jitter_sum_ns += (double)jitter;
	series->interarrival_ns += ((double)jitter - series->interarrival_ns) / 16;
}

void series_answer(struct series *series, int64_t rtt_ns)
{
	double delta = (double)rtt_ns - series->mean_ns;
	add_jitter(series, rtt_ns);
	series->received++;
	series->mean_ns += delta / series->received;
	series->deviations += delta * ((double)rtt_ns - series->mean_ns);
	series->log_sum += log((double)MAX(rtt_ns, 1));
	series->last_ns = rtt_ns;
	series->best_ns = series->best_ns == RTT_NONE ? rtt_ns : MIN(series->best_ns, rtt_ns);
	series->worst_ns = MAX(series->worst_ns, rtt_ns);
}

void series_loss(struct series *series)
{
	series->lost++;
}

void series_late(struct series *series, int64_t rtt_ns)
{
	if (series->lost > 0)
		series->lost--;
	series_answer(series, rtt_ns);
}

/* Sums of squares: Chan, Golub and LeVeque, 1979. */
void series_add(struct series *series, const struct series *other)
{
	unsigned lost = series->lost + other->lost, count = series->received + other->received;
	if (series->received == 0 || other->received == 0) {
		if (series->received == 0)
			*series = *other;
		series->lost = lost;
		return;
	}
	double share = (double)other->received / count, delta = other->mean_ns - series->mean_ns;
	series->deviations += other->deviations + delta * delta * share * series->received;
	series->mean_ns += delta * share;
	series->interarrival_ns += (other->interarrival_ns - series->interarrival_ns) * share;
	series->log_sum += other->log_sum;
	series->best_ns = MIN(series->best_ns, other->best_ns);
	series->worst_ns = MAX(series->worst_ns, other->worst_ns);
	series->jitter_worst_ns = MAX(series->jitter_worst_ns, other->jitter_worst_ns);
	series->jitter_sum_ns += other->jitter_sum_ns;
	series->received = count;
	series->lost = lost;
}

double series_deviation_ns(const struct series *series)
{
	return series->received > 1 ? sqrt(series->deviations / (series->received - 1)) : 0;
}

double series_geometric_mean_ns(const struct series *series)
{
	return series->received > 0 ? exp(series->log_sum / series->received) : 0;
}

double series_jitter_mean_ns(const struct series *series)
{
	return series->received > 0 ? series->jitter_sum_ns / series->received : 0;
}

struct share share_of(unsigned part, unsigned whole)
{
	if (whole == 0)
		return (struct share){0, 1};
	const double z = 1.959964; /* 95 %, both sides */
	double n = whole, p = part / n;
	double centre = p + z * z / (2 * n);
	double spread = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
	double scale = 1 + z * z / n;
	/* Rounding may leave a trace where the bound is exact. */
	return (struct share){
		part == 0 ? 0 : (centre - spread) / scale, part == whole ? 1 : (centre + spread) / scale};
}

static double log_choose(unsigned n, unsigned k)
{
	return lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0);
}

double share_chance(unsigned part, unsigned whole, unsigned other_part, unsigned other_whole)
{
	unsigned all = whole + other_whole, parts = part + other_part;
	double chance = 0;
	for (unsigned k = part; k <= MIN(parts, whole); k++)
		if (parts - k <= other_whole)
			chance += exp(log_choose(whole, k) + log_choose(other_whole, parts - k) -
				log_choose(all, parts));
	return chance;
}

void samples_add(struct samples *samples, struct sample sample)
{
	samples->ring[samples->count++ % SAMPLES_KEPT] = sample;
}

size_t samples_kept(const struct samples *samples)
{
	return (size_t)MIN(samples->count, (uint64_t)SAMPLES_KEPT);
}

struct sample samples_get(const struct samples *samples, size_t back)
{
	return samples->ring[(samples->count - 1 - back) % SAMPLES_KEPT];
}

void samples_late(struct samples *samples, struct sample sample)
{
	for (size_t i = 0; i < samples_kept(samples); i++) {
		struct sample *kept = &samples->ring[(samples->count - 1 - i) % SAMPLES_KEPT];
		if (kept->at_ns != sample.at_ns || kept->rtt_ns != RTT_NONE)
			continue;
		kept->rtt_ns = sample.rtt_ns;
		return;
	}
}

static int compare_times(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

int64_t samples_quantile_ns(const struct samples *samples, double share, int64_t since_ns)
{
	int64_t times[SAMPLES_KEPT];
	size_t count = 0;
	for (size_t i = 0; i < samples_kept(samples); i++)
		if (samples->ring[i].rtt_ns != RTT_NONE && samples->ring[i].at_ns >= since_ns)
			times[count++] = samples->ring[i].rtt_ns;
	if (count == 0)
		return RTT_NONE;
	qsort(times, count, sizeof(*times), compare_times);
	size_t rank = (size_t)ceil(share * (double)count);
	return times[rank == 0 ? 0 : MIN(rank, count) - 1];
}

void buckets_init(struct buckets *buckets, int64_t width_ns)
{
	buckets->width_ns = MAX(width_ns, 1);
	buckets->count = 0;
}

static const struct bucket empty_bucket = {.best_ns = RTT_NONE, .worst_ns = RTT_NONE};

static void join(struct bucket *into, const struct bucket *from)
{
	into->received += from->received;
	into->lost += from->lost;
	into->sum_ns += from->sum_ns;
	into->worst_ns = MAX(into->worst_ns, from->worst_ns);
	if (from->best_ns != RTT_NONE)
		into->best_ns = into->best_ns == RTT_NONE ? from->best_ns : MIN(into->best_ns, from->best_ns);
}

static void widen(struct buckets *buckets)
{
	for (size_t i = 0; i < buckets->count; i += 2) {
		struct bucket both = buckets->parts[i];
		if (i + 1 < buckets->count)
			join(&both, &buckets->parts[i + 1]);
		buckets->parts[i / 2] = both;
	}
	buckets->count = (buckets->count + 1) / 2;
	buckets->width_ns *= 2;
}

static struct bucket *bucket_at(struct buckets *buckets, int64_t at_ns)
{
	at_ns = MAX(at_ns, 0);
	while (at_ns / buckets->width_ns >= BUCKETS_KEPT)
		widen(buckets);
	size_t index = (size_t)(at_ns / buckets->width_ns);
	while (buckets->count <= index)
		buckets->parts[buckets->count++] = empty_bucket;
	return &buckets->parts[index];
}

void buckets_add(struct buckets *buckets, struct sample sample)
{
	bool answered = sample.rtt_ns != RTT_NONE;
	join(bucket_at(buckets, sample.at_ns),
		&(struct bucket){
			.received = answered,
			.lost = !answered,
			.best_ns = sample.rtt_ns,
			.worst_ns = sample.rtt_ns,
			.sum_ns = answered ? (double)sample.rtt_ns : 0,
		});
}

void buckets_late(struct buckets *buckets, struct sample sample)
{
	struct bucket *bucket = bucket_at(buckets, sample.at_ns);
	if (bucket->lost > 0)
		bucket->lost--;
	buckets_add(buckets, sample);
}
