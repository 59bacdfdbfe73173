/* Names and origins for the hops of a measurement. Never delays or fails it: what cannot be learned stays
 * unknown. */
#ifndef RETOUR_ANNOTATE_ANNOTATE_H
#define RETOUR_ANNOTATE_ANNOTATE_H

#include <stdbool.h>

#include "path/model.h"

struct annotate_options {
	bool names;           /* ask reverse DNS */
	const char *data_dir; /* NULL: where data_dir() looks */
};

void annotate_measurement(struct measurement *measurement, const struct annotate_options *options);

#endif
