/* A measurement for people: the verdict on top, then the two ways, then how it is known. Made to be pasted
 * into a ticket: it says when, from where, to where, with what, and what was tried. Everything that came from
 * the network is escaped. */
#ifndef RETOUR_REPORT_TEXT_H
#define RETOUR_REPORT_TEXT_H

#include <stdio.h>

#include "path/model.h"

#define REPORT_WIDTH_MIN       40
#define REPORT_WIDTH_TWO_LANES 110

struct report_options {
	int width;    /* columns; less than REPORT_WIDTH_MIN counts as that */
	bool utf8;    /* line drawing; else ASCII */
	bool colour;  /* SGR sequences */
	bool numeric; /* addresses only */
};

/* Two lanes side by side from REPORT_WIDTH_TWO_LANES columns on when both directions are there, else one
 * below the other. Returns 0, -ENOMEM, or -EIO when `out` failed. */
int report_text(
	FILE *out, const struct measurement *measurement, const struct report_options *options) MUST_USE;

#endif
