/* A measurement as CSV (RFC 4180) for spreadsheets and statistics: a head line, then a row for each probe of
 * each hop, there before back, and one row for a hop that has none. Unknown is empty. What came from the
 * network is escaped: bytes that are not printable ASCII are \xHH, and so is a first character that
 * spreadsheets take for a formula. */
#ifndef RETOUR_REPORT_CSV_H
#define RETOUR_REPORT_CSV_H

#include <stdio.h>

#include "path/model.h"

/* The names of the columns, once for all measurements that follow. 0 or -EIO, as below. */
int report_csv_head(FILE *out) MUST_USE;
int report_csv(FILE *out, const struct measurement *measurement) MUST_USE;

#endif
