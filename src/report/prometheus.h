/* A continuous measurement in Prometheus' text exposition format (version 0.0.4). Labels are bounded: the
 * target, and hop numbers; addresses appear as one number that names the way. */
#ifndef RETOUR_REPORT_PROMETHEUS_H
#define RETOUR_REPORT_PROMETHEUS_H

#include <stdio.h>

#include "base/error.h"
#include "report/watch_view.h"

/* 0, or -EIO when `out` failed. */
int prometheus_write(FILE *out, const struct watch_view *view) MUST_USE;
/* Into a file that appears whole: readers see the old one or the new one. */
int prometheus_file(const char *path, const struct watch_view *view, struct error *error) MUST_USE;

#endif
