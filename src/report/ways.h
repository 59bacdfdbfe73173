/* The ways that flows take, and how large packets may be, as text; inside report/. */
#ifndef RETOUR_REPORT_WAYS_H
#define RETOUR_REPORT_WAYS_H

#include "report/style.h"

/* For either direction: a table of the hops at which ways part and join; nothing where one flow was traced.
 */
void print_ways(FILE *out, const struct path *path, const struct report_options *options);
/* One line, or nothing where it was not measured. */
void print_mtu(FILE *out, const struct path *path, const struct report_options *options);

#endif
