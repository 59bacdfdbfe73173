/* The ways that flows take, as a graph for Graphviz. */
#ifndef RETOUR_REPORT_DOT_H
#define RETOUR_REPORT_DOT_H

#include <stdio.h>

#include "path/model.h"

/* One digraph. A solid edge is a link that one and the same flow was seen at both ends of; a dashed one leads
 * over hops that did not answer. Returns 0, or -EIO when `out` failed. */
int report_dot(FILE *out, const struct measurement *measurement) MUST_USE;

#endif
