/* Both directions together. */
#ifndef RETOUR_REPORT_LANES_H
#define RETOUR_REPORT_LANES_H

#include "report/style.h"

/* Side by side: the way there reads downwards, the way back upwards, one router on one row. Returns 0 or
 * -ENOMEM. */
int lanes_side_by_side(
	FILE *out, const struct measurement *measurement, const struct report_options *options) MUST_USE;
/* One below the other, each in the order its packets travel. */
void lanes_stacked(FILE *out, const struct measurement *measurement, const struct report_options *options);

#endif
