/* Names and origins for the hops of a measurement. Never delays or fails it: what cannot be learned stays
 * unknown. */
#ifndef RETOUR_ANNOTATE_ANNOTATE_H
#define RETOUR_ANNOTATE_ANNOTATE_H

#include <stdbool.h>

#include "path/model.h"

struct annotate_options {
	bool names;           /* ask reverse DNS */
	const char *data_dir; /* NULL: where annotate_data_dir looks */
};

/* The folder of local data: $RETOUR_DATA, else $XDG_DATA_HOME/retour, else ~/.local/share/retour. Writes into and
 * returns `path`. */
const char *annotate_data_dir(char *path, size_t size);
void annotate_measurement(struct measurement *measurement, const struct annotate_options *options);

#endif
