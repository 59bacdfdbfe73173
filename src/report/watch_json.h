/* The retour/1 document of a continuous measurement: that of the measurement, and what rounds add. */
#ifndef RETOUR_REPORT_WATCH_JSON_H
#define RETOUR_REPORT_WATCH_JSON_H

#include <jansson.h>

#include "report/watch_view.h"

/* A new reference, NULL when memory is out. */
json_t *watch_json(const struct watch_view *view, const struct measurement *measurement) MUST_USE;

#endif
