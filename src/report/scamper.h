/* A path in the JSON that scamper prints for a trace (Debian's 20211212, `scamper -O json`), for tools that
 * read that: one object a line for each path that was measured. A way back is a trace from the far host to
 * us. Fields that have no counterpart here (userid, wait, wait_probe) are 0. */
#ifndef RETOUR_REPORT_SCAMPER_H
#define RETOUR_REPORT_SCAMPER_H

#include <stdio.h>

#include "path/model.h"

struct scamper_options {
	unsigned tos;  /* of the probes */
	unsigned size; /* of the probes, whole packets; 0 = as small as they get */
};

/* 0, -ENOMEM, or -EIO when `out` failed. */
int report_scamper(
	FILE *out, const struct measurement *measurement, const struct scamper_options *options) MUST_USE;

#endif
