/* From measured paths to statements about them. */
#ifndef RETOUR_INSIGHT_INSIGHT_H
#define RETOUR_INSIGHT_INSIGHT_H

#include "base/compiler.h"
#include "path/model.h"

/* Aligns the two directions (an alignment from before is replaced) and adds the findings of all rules; all
 * findings are then in order of severity. The same measurement gives the same findings, always. Returns 0 or
 * -ENOMEM. */
int insight_run(struct measurement *measurement) MUST_USE;

/* Only the findings that test packets allow, which were sent each way and counted there. 0 or -ENOMEM. */
int insight_directions(struct measurement *measurement) MUST_USE;

/* Of a path whose ways were explored: the way behind a router that seems to lose packets, and one beside it
 * that does not. Both point into the path. Asked again (struct branch_test), the one is found bad or cleared.
 */
bool insight_suspect(const struct path *path, const struct edge **bad, const struct edge **other);

#endif
