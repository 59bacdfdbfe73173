#include "net/schedule.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#define ROOM_AT_FIRST 8

void schedule_deinit(struct schedule *schedule)
{
	free(schedule->entries);
	free(schedule->heap);
	*schedule = (struct schedule){0};
}

static void put(struct schedule *schedule, unsigned place, unsigned number)
{
	schedule->heap[place] = number;
	schedule->entries[number].place = place;
}

static int64_t time_at(const struct schedule *schedule, unsigned place)
{
	return schedule->entries[schedule->heap[place]].when_ns;
}

static void move_up(struct schedule *schedule, unsigned place)
{
	unsigned number = schedule->heap[place];
	while (place > 0 && schedule->entries[number].when_ns < time_at(schedule, (place - 1) / 2)) {
		put(schedule, place, schedule->heap[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	put(schedule, place, number);
}

static void move_down(struct schedule *schedule, unsigned place)
{
	unsigned number = schedule->heap[place];
	for (;;) {
		unsigned child = 2 * place + 1;
		if (child + 1 < schedule->heap_count &&
			time_at(schedule, child + 1) < time_at(schedule, child))
			child++;
		if (child >= schedule->heap_count ||
			schedule->entries[number].when_ns <= time_at(schedule, child))
			break;
		put(schedule, place, schedule->heap[child]);
		place = child;
	}
	put(schedule, place, number);
}

int schedule_add(struct schedule *schedule)
{
	if (schedule->count == schedule->room) {
		unsigned room = schedule->room ? 2 * schedule->room : ROOM_AT_FIRST;
		struct schedule_entry *entries = realloc(schedule->entries, room * sizeof(*entries));
		if (!entries)
			return -ENOMEM;
		schedule->entries = entries;
		unsigned *heap = realloc(schedule->heap, room * sizeof(*heap));
		if (!heap)
			return -ENOMEM;
		schedule->heap = heap;
		schedule->room = room;
	}
	unsigned number = schedule->count++;
	schedule->entries[number].when_ns = INT64_MIN;
	put(schedule, schedule->heap_count++, number);
	move_up(schedule, schedule->heap_count - 1);
	return (int)number;
}

void schedule_set(struct schedule *schedule, unsigned number, int64_t when_ns)
{
	struct schedule_entry *entry = &schedule->entries[number];
	if (entry->place == UINT_MAX)
		return;
	entry->when_ns = when_ns;
	move_up(schedule, entry->place);
	move_down(schedule, entry->place);
}

void schedule_remove(struct schedule *schedule, unsigned number)
{
	unsigned place = schedule->entries[number].place;
	if (place == UINT_MAX)
		return;
	schedule->entries[number].place = UINT_MAX;
	unsigned last = schedule->heap[--schedule->heap_count];
	if (place == schedule->heap_count)
		return;
	put(schedule, place, last);
	move_up(schedule, place);
	move_down(schedule, schedule->entries[last].place);
}

void schedule_restore(struct schedule *schedule, unsigned number)
{
	schedule->entries[number].when_ns = INT64_MIN;
	put(schedule, schedule->heap_count++, number);
	move_up(schedule, schedule->heap_count - 1);
}

bool schedule_first(const struct schedule *schedule, unsigned *number, int64_t *when_ns)
{
	if (schedule->heap_count == 0)
		return false;
	*number = schedule->heap[0];
	*when_ns = schedule->entries[*number].when_ns;
	return true;
}
