/* Loss and delay of each direction, for people. */
#ifndef RETOUR_REPORT_DIRECTIONS_H
#define RETOUR_REPORT_DIRECTIONS_H

#include "path/directions.h"
#include "report/text.h"

/* A line for each direction, and what is to be said of both; or the one line that says why they cannot be
 * told apart, and what would change that. */
void directions_text(FILE *out, const struct report_options *options, const struct directions *directions);
/* One line for both, e.g. "→ 3 of 100 lost (1.0..8.5 %), +0.4 ms; ← 0 of 97 lost (0.0..3.8 %), +7.1 ms";
 * where `columns` are too few for that, without the intervals. */
const char *directions_line(
	const struct directions *directions, bool utf8, int columns, char *text, size_t size);

#endif
