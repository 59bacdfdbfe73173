/* Columns, colours and line drawing, inside report/. */
#ifndef RETOUR_REPORT_STYLE_H
#define RETOUR_REPORT_STYLE_H

#include <stdio.h>

#include "report/text.h"

#define TEXT_MAX 512

enum role { ROLE_PLAIN, ROLE_STRONG, ROLE_DIM, ROLE_SHARED, ROLE_WARNING, ROLE_PROBLEM };

/* Symbols that exist in UTF-8 and in ASCII. */
struct glyphs {
	const char *rails, *rails_top, *rails_bottom; /* the two ways between the lanes, five columns */
	/* By shared_by, for address, alias and subnet: */
	const char *same[3]; /* the two ways through one router, five columns */
	const char *mark[3]; /* the same in one column */
	const char *down, *up;
};

const struct glyphs *glyphs_of(const struct report_options *options);
/* Columns on a terminal of text that is ASCII or our own line drawing. */
int text_columns(const char *text);
/* The text in its colour, filled with spaces up to `columns` (0: as it is). */
void paint(FILE *out, const struct report_options *options, enum role role, const char *text, int columns);
/* Words of hostile text after `prefix`, broken into lines of the width; all but the first are indented. */
void print_wrapped(FILE *out, const struct report_options *options, enum role prefix_role, const char *prefix,
	int indent, const char *text);
void print_newline(FILE *out);

#endif
