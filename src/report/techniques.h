/* How the hops of a way are known, in words. */
#ifndef RETOUR_REPORT_TECHNIQUES_H
#define RETOUR_REPORT_TECHNIQUES_H

#include "report/style.h"

/* What is said of a hop; 37 columns at most. */
const char *technique_phrase(enum technique technique);
/* Put together from what vantage points and earlier measurements tell: its hops are known in ways of their
 * own. */
bool techniques_composed(const struct path *path);
/* For such a path: a line for each run of hops that are known the same way. */
void print_techniques(FILE *out, const struct path *path, const struct report_options *options);

#endif
