/* A seeded generator (xoshiro256**, Blackman and Vigna): jitter, virtual worlds. Same seed, same numbers, on
 * every machine. Not for secrets: those come from hash_key_random. */
#ifndef RETOUR_BASE_RNG_H
#define RETOUR_BASE_RNG_H

#include <stdint.h>

struct rng {
	uint64_t s[4];
};

struct rng rng_seed(uint64_t seed);
uint64_t rng_u64(struct rng *rng);
/* Uniform in [0, bound), bound > 0. */
uint64_t rng_below(struct rng *rng, uint64_t bound);
/* Uniform in [0, 1). */
double rng_unit(struct rng *rng);

#endif
