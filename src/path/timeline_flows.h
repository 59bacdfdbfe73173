/* Several flows in turn, inside path/: the timeline that is the sum of those of its flows. See timeline.h. */
#ifndef RETOUR_PATH_TIMELINE_FLOWS_H
#define RETOUR_PATH_TIMELINE_FLOWS_H

#include "path/timeline.h"

void flows_deinit(struct timeline *timeline);
/* The flows of `copy` are pointers to nothing yet. 0 or -ENOMEM. */
int flows_copy(struct timeline *copy, const struct timeline *timeline) MUST_USE;
/* A flow and the sum have taken in an event, with which the flow's way `changed`. True: that is news. */
bool flows_applied(struct timeline *timeline, const struct watch_event *event, bool changed);
unsigned flows_last(const struct timeline *timeline);
struct loss flows_loss(const struct timeline *timeline, unsigned ttl);

#endif
