/* The statistics that mtr can show, each by a letter. */
#ifndef RETOUR_REPORT_LAYOUT_MTR_FIELDS_H
#define RETOUR_REPORT_LAYOUT_MTR_FIELDS_H

#include "report/layout_mtr.h"

const char *mtr_field_title(char letter);
int mtr_field_width(char letter);
/* Milliseconds or a percentage, as opposed to a count. */
bool mtr_field_is_real(char letter);
double mtr_field_value(char letter, const struct mtr_row *row);
/* Padded, never wider than its column: a whole hundred loses its percent sign. */
const char *mtr_field_column(char letter, const struct mtr_row *row, char *text, size_t size);
/* Padded, with everything. */
const char *mtr_field_text(char letter, const struct mtr_row *row, char *text, size_t size);
/* Two decimals, not padded; the blank field has the number of lost probes there. */
const char *mtr_field_number(char letter, const struct mtr_row *row, char *text, size_t size);

#endif
