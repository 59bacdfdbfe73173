/* Reverse DNS for many addresses at once (c-ares), within a budget of time. */
#ifndef RETOUR_ANNOTATE_RDNS_H
#define RETOUR_ANNOTATE_RDNS_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"

/* Look up the names of `count` addresses in parallel. names[i] becomes a malloc'd name, or NULL when there is
 * none or it did not come within `budget_ns`. Names are as the network sent them: escape before printing. */
int rdns_names(const struct addr *addrs, size_t count, char **names, int64_t budget_ns, struct error *error) MUST_USE;

#endif
