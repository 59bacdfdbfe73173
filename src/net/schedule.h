/* Who is to be woken when: a heap of numbers ordered by time. */
#ifndef RETOUR_NET_SCHEDULE_H
#define RETOUR_NET_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct schedule_entry {
	int64_t when_ns;
	unsigned place; /* in the heap; UINT_MAX = not in it */
};

struct schedule {
	struct schedule_entry *entries; /* by number */
	unsigned *heap;			/* numbers; the earliest first */
	unsigned count, room;		/* entries; the heap has room for all */
	unsigned heap_count;
};

void schedule_deinit(struct schedule *schedule);
/* The next number, from 0 on, due at once. -ENOMEM. */
int schedule_add(struct schedule *schedule) MUST_USE;
void schedule_set(struct schedule *schedule, unsigned number, int64_t when_ns);
void schedule_remove(struct schedule *schedule, unsigned number);
/* A number that was removed is due at once. */
void schedule_restore(struct schedule *schedule, unsigned number);
/* false: nobody is to be woken. */
bool schedule_first(const struct schedule *schedule, unsigned *number, int64_t *when_ns);

#endif
