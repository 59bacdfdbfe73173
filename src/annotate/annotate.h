/* Names, origins, exchanges, countries and operators for the hops of a measurement that is over. Never fails,
 * and waits for nobody for more than a moment: what cannot be learned stays unknown. */
#ifndef RETOUR_ANNOTATE_ANNOTATE_H
#define RETOUR_ANNOTATE_ANNOTATE_H

#include <stdbool.h>

#include "annotate/data.h"
#include "annotate/early.h"
#include "path/model.h"

struct annotate_options {
	bool names;		 /* ask reverse DNS */
	const struct data *data; /* open; NULL: those of data_dir are opened */
	const char *data_dir;	 /* NULL: where data_dir() looks */
	/* Ask DNS below this zone for origins that local data does not know; NULL: do not. */
	const char *as_zone;
	struct early *early; /* what was asked for while the measurement ran; NULL: nothing */
};

void annotate_measurement(struct measurement *measurement, const struct annotate_options *options);

#endif
