/* Whether the way has changed, inside path/. See timeline.h. */
#ifndef RETOUR_PATH_TIMELINE_CHANGE_H
#define RETOUR_PATH_TIMELINE_CHANGE_H

#include "path/timeline.h"

/* Both true: the way changed, and changes[] has a new entry. */
bool change_by_answer(struct timeline *timeline, struct timeline_hop *hop, struct responder *responder,
	const struct watch_event *event);
bool change_by_round(struct timeline *timeline, const struct timeline_round *round, int64_t at_ns);

/* The newest entry of changes[], which is a copy of `change`. */
struct timeline_change *change_add(struct timeline *timeline, const struct timeline_change *change);

/* In timeline.c. */
unsigned timeline_carried(const struct timeline *timeline, const struct timeline_hop *hop);

#endif
