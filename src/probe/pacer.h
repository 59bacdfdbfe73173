/* How fast packets may leave: a token bucket with jitter, in force for everything a driver sends. */
#ifndef RETOUR_PROBE_PACER_H
#define RETOUR_PROBE_PACER_H

#include <stdint.h>

#include "base/rng.h"

struct pacer {
	double per_second; /* the cap */
	double burst;	   /* packets that may leave at once after a rest */
	double tokens;
	int64_t updated_ns;
	struct rng rng;
};

void pacer_init(struct pacer *pacer, double per_second, double burst, uint64_t seed);
/* When the next packet may leave: `now_ns` or later. The gap carries up to a quarter of jitter, so that
 * several programs on one machine do not march in step. */
int64_t pacer_ready_ns(struct pacer *pacer, int64_t now_ns);
/* A packet leaves now. */
void pacer_take(struct pacer *pacer, int64_t now_ns);

#endif
