/* Going up the ladder: one way back after the other until one gives a whole path. A way that is harmless
 * starts before the one above it has given up, when that one has heard nothing for a while. Pure; a `struct
 * machine`. */
#ifndef RETOUR_REVERSE_CLIMB_H
#define RETOUR_REVERSE_CLIMB_H

#include "base/error.h"
#include "path/model.h"
#include "probe/machine.h"
#include "reverse/ladder.h"

#define CLIMB_RUNGS_MAX 16

struct climb;

/* `names` lists methods separated by commas, to be tried in that order; NULL = the ladder of the user's
 * settings, or where that is empty all. -EINVAL: an unknown name. */
int climb_new(struct climb **climb, const struct reverse_task *task, const char *names,
	struct error *error) MUST_USE;
void climb_free(struct climb *climb);
/* Are these names that climb_new would take? 0 or -EINVAL. */
int climb_check(const char *names, struct error *error) MUST_USE;
/* 4 or 6 where none of these methods can do with the other family, else 0. */
uint8_t climb_family(const char *names);
/* No way back that these names, and what the user has set up, lead to can do without packets of our own
 * making. */
bool climb_needs_packets(const struct reverse_task *task, const char *names);
struct machine climb_machine(struct climb *climb);
/* A round-trip time to the target has become known, see ladder.h. */
void climb_hint(struct climb *climb, int64_t rtt_ns);
/* The way there has become known; it belongs to the climb from now on. */
void climb_known(struct climb *climb, struct path *forward);
/* At any time: add the attempts so far and the path, if there is one, to the measurement, whose way there is
 * used where it is set. 0 or -ENOMEM. */
int climb_collect(struct climb *climb, struct measurement *measurement) MUST_USE;

#endif
