/* The result of a continuous measurement as a table: one line a hop, further addresses of the hop below it,
 * the ways before marked. */
#ifndef RETOUR_REPORT_WATCH_TEXT_H
#define RETOUR_REPORT_WATCH_TEXT_H

#include <stdio.h>

#include "report/text.h"
#include "report/watch_view.h"

struct watch_text_options {
	struct report_options report;
	bool wide; /* names in full, every column */
};

/* `measurement` has the findings; NULL = none. 0, or -EIO when `out` failed. */
int watch_text(FILE *out, const struct watch_view *view, const struct measurement *measurement,
	const struct watch_text_options *options) MUST_USE;

#endif
