#include "trace/stamp_delay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"

#define DRIFT_SAMPLES_MIN 20
#define DRIFT_SPAN_MIN_NS (2 * NS_PER_S)
#define DRIFT_MAX	  500e-6 /* what Linux corrects clocks by at most (adjtimex(2)) */

void stamp_samples_add(struct stamp_samples *samples, struct stamp_sample sample)
{
	samples->ring[samples->count++ % STAMP_SAMPLES] = sample;
}

static int compare_samples(const void *a, const void *b)
{
	const struct stamp_sample *x = a, *y = b;
	return x->place < y->place ? -1 : x->place > y->place;
}

static int compare_times(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

/* The kept ones in the order of sending; valid until the next call of anybody with the same room. */
static size_t in_order(const struct stamp_samples *samples, struct stamp_sample *room)
{
	size_t count = (size_t)MIN(samples->count, (uint64_t)STAMP_SAMPLES);
	memcpy(room, samples->ring, count * sizeof(*room));
	qsort(room, count, sizeof(*room), compare_samples);
	return count;
}

/* ---- drift ---- */

struct point {
	double at, delay; /* ns since the first, less the first */
};

/* Does b lie on or above the line from a to c? Then it is no corner of the lower hull. */
static bool above(struct point a, struct point b, struct point c)
{
	return (b.delay - a.delay) * (c.at - a.at) >= (c.delay - a.delay) * (b.at - a.at);
}

/* The slope of the lower hull at the mean time; `distance` of the points above that line, on average. */
static double hull_slope(const struct point *points, size_t count, double *distance)
{
	struct point hull[STAMP_SAMPLES], mean = {0};
	size_t corners = 0;
	for (size_t i = 0; i < count; i++) {
		mean.at += points[i].at / (double)count;
		mean.delay += points[i].delay / (double)count;
		/* At one time the lower one counts. */
		if (corners > 0 && points[i].at <= hull[corners - 1].at) {
			hull[corners - 1].delay = MIN(hull[corners - 1].delay, points[i].delay);
			continue;
		}
		while (corners > 1 && above(hull[corners - 2], hull[corners - 1], points[i]))
			corners--;
		hull[corners++] = points[i];
	}
	size_t edge = 1;
	while (edge + 1 < corners && hull[edge].at < mean.at)
		edge++;
	if (corners < 2) {
		*distance = INFINITY;
		return 0;
	}
	double slope = (hull[edge].delay - hull[edge - 1].delay) / (hull[edge].at - hull[edge - 1].at);
	*distance = mean.delay - hull[edge - 1].delay - slope * (mean.at - hull[edge - 1].at);
	return slope;
}

/* Of the far clock against ours. false: cannot be told, or beyond what clocks do (one was set meanwhile). */
static bool find_drift(const struct stamp_sample *samples, size_t count, double *drift)
{
	struct point there[STAMP_SAMPLES], back[STAMP_SAMPLES];
	double there_distance, back_distance;
	if (count < DRIFT_SAMPLES_MIN || samples[count - 1].at_ns - samples[0].at_ns < DRIFT_SPAN_MIN_NS)
		return false;
	for (size_t i = 0; i < count; i++) {
		double at = (double)(samples[i].at_ns - samples[0].at_ns);
		there[i] = (struct point){at, (double)(samples[i].forward_ns - samples[0].forward_ns)};
		back[i] = (struct point){at, (double)(samples[i].back_ns - samples[0].back_ns)};
	}
	double of_there = hull_slope(there, count, &there_distance);
	double of_back = -hull_slope(back, count, &back_distance);
	*drift = there_distance <= back_distance ? of_there : of_back;
	return fabs(*drift) <= DRIFT_MAX;
}

/* ---- delays ---- */

static struct spread spread_of(int64_t *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare_times);
	return (struct spread){values[0], values[(count - 1) / 2], values[count - 1]};
}

static void set_variation(struct way *way, int64_t *values, size_t count)
{
	struct spread spread = spread_of(values, count);
	size_t rank = (size_t)ceil(0.95 * (double)count);
	way->variation_median_ns = spread.median_ns - spread.min_ns;
	way->variation_p95_ns = values[MAX(rank, (size_t)1) - 1] - spread.min_ns;
	way->variation_max_ns = spread.max_ns - spread.min_ns;
}

/* Of packets that were sent one after the other. */
static int64_t jitter_of(const struct stamp_sample *samples, const int64_t *values, size_t count)
{
	double sum = 0;
	size_t pairs = 0;
	for (size_t i = 1; i < count; i++)
		if (samples[i].place == samples[i - 1].place + 1) {
			sum += fabs((double)(values[i] - values[i - 1]));
			pairs++;
		}
	return pairs > 0 ? (int64_t)(sum / (double)pairs) : RTT_NONE;
}

static void set_ways(const struct stamp_sample *samples, size_t count, struct directions *directions)
{
	int64_t there[STAMP_SAMPLES], back[STAMP_SAMPLES];
	for (size_t i = 0; i < count; i++) {
		int64_t drifted =
			(int64_t)(directions->drift * (double)(samples[i].at_ns - samples[0].at_ns));
		there[i] = samples[i].forward_ns - drifted;
		back[i] = samples[i].back_ns + drifted;
	}
	directions->forward.jitter_ns = jitter_of(samples, there, count);
	directions->reverse.jitter_ns = jitter_of(samples, back, count);
	set_variation(&directions->forward, there, count);
	set_variation(&directions->reverse, back, count);
}

static void set_one_way(const struct stamp_sample *samples, size_t count, struct directions *directions)
{
	int64_t there[STAMP_SAMPLES], back[STAMP_SAMPLES], error = directions->clock_error_ns;
	for (size_t i = 0; i < count; i++) {
		there[i] = samples[i].forward_ns;
		back[i] = samples[i].back_ns;
	}
	struct spread forward = spread_of(there, count), reverse = spread_of(back, count);
	directions->contradicted = forward.min_ns + error < 0 || reverse.min_ns + error < 0;
	if (directions->contradicted)
		return;
	directions->forward.delay = forward;
	directions->reverse.delay = reverse;
}

void stamp_samples_delays(const struct stamp_samples *samples, struct directions *directions)
{
	struct stamp_sample room[STAMP_SAMPLES];
	int64_t trips[STAMP_SAMPLES], stays[STAMP_SAMPLES];
	size_t count = in_order(samples, room);
	directions->delay_samples = (unsigned)count;
	if (count == 0)
		return;
	for (size_t i = 0; i < count; i++) {
		trips[i] = room[i].forward_ns + room[i].back_ns;
		stays[i] = room[i].residence_ns;
	}
	directions->rtt = spread_of(trips, count);
	directions->residence_ns = spread_of(stays, count).median_ns;
	directions->drift_known = find_drift(room, count, &directions->drift);
	if (!directions->drift_known)
		directions->drift = 0;
	set_ways(room, count, directions);
	if (directions->clock_error_ns != RTT_NONE)
		set_one_way(room, count, directions);
}
