/* Worlds out of a seed: an Internet of a given size, as the text of a world file. */
#ifndef RETOUR_SIM_GENERATE_H
#define RETOUR_SIM_GENERATE_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "sim/profile.h"

#define GENERATE_ASES_MIN 10
#define GENERATE_ASES_MAX 40000

struct generate_options {
	unsigned ases; /* GENERATE_ASES_MIN ... GENERATE_ASES_MAX */
	uint64_t seed;
	const struct profile *profile;
};

/* The same options give the same bytes on every machine. *text is heap text; -EINVAL, -ENOMEM. */
int generate_world(const struct generate_options *options, char **text, struct error *error) MUST_USE;

#endif
