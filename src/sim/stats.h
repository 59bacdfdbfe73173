/* What a world is like, beside what was published about the Internet (docs/statistics.md). */
#ifndef RETOUR_SIM_STATS_H
#define RETOUR_SIM_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "sim/world.h"

struct stats_row {
	const char *what;
	double value;	  /* NAN: the world has nothing to measure it with */
	double low, high; /* what was published, with the tolerance of a sample; both 0: nothing was */
	const char *source;
};

#define STATS_ROWS_MAX 32

struct stats {
	struct stats_row rows[STATS_ROWS_MAX];
	unsigned count;
};

/* Sample the world: truth for the paths, and pings in virtual time from the hosts whose names begin with "vp"
 * to those that begin with "d". The same seed gives the same numbers. */
int stats_of(const struct world *world, uint64_t seed, struct stats *stats, struct error *error) MUST_USE;

/* stats_survey.c: what pings from all vantage points to all of `targets` find. */
struct survey_target {
	uint32_t host;
	bool answers_ping, answers_options;
	unsigned slot; /* the first, seen from the nearest vantage point, that holds its stamp; 0: none */
};
int stats_survey(const struct world *world, uint64_t seed, const uint32_t *vantage_points,
	unsigned vantage_count, struct survey_target *targets, unsigned target_count) MUST_USE;

#endif
