/* The `retour/1` document on a stream. */
#ifndef RETOUR_REPORT_JSON_H
#define RETOUR_REPORT_JSON_H

#include <stdio.h>

#include "path/model.h"

/* One document and a newline. Returns 0, -ENOMEM, or -EIO when `out` failed. */
int report_json(FILE *out, const struct measurement *measurement) MUST_USE;

#endif
