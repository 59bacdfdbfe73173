/* Hand-made measurements whose truth is known, for the schema and for the pictures. */
#ifndef RETOUR_TESTS_SAMPLES_H
#define RETOUR_TESTS_SAMPLES_H

#include "path/model.h"

struct sample {
	const char *name;
	void (*build)(struct measurement *measurement); /* of an initialised measurement */
};

extern const struct sample samples[];
extern const unsigned sample_count;

#endif
