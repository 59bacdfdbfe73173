/* The events of a continuous measurement, kept so that any moment of it can be seen again. Memory is bounded:
 * beyond its limit the oldest half becomes the state from which everything later is folded; nothing that was
 * counted is forgotten, but a moment before that cannot be seen any more. */
#ifndef RETOUR_PATH_HISTORY_H
#define RETOUR_PATH_HISTORY_H

#include "path/timeline.h"

#define HISTORY_LIVE   65536   /* events kept of a measurement that goes on */
#define HISTORY_REPLAY 1000000 /* and of a recording */

/* A watch_event without what no screen shows. */
struct history_entry {
	int64_t at_ns, sent_ns, rtt_ns;
	struct addr address;
	uint32_t probe, round;
	uint16_t asked, answered;
	int16_t error, reply_ttl, icmp_type, icmp_code;
	uint8_t kind, ttl, flow, limit;
	bool test, late, reached, refused;
	char mark[12];
};

struct history {
	struct timeline base; /* before the first entry */
	struct history_entry *entries;
	size_t count, capacity, limit;
};

void history_init(struct history *history, int64_t interval_ns, size_t limit);
void history_deinit(struct history *history);
/* Without memory the event is folded into the base, if everything before it can be. */
void history_add(struct history *history, const struct watch_event *event);
/* The state as it was at `at_ns`; the caller deinits it. 0 or -ENOMEM. */
int history_at(const struct history *history, int64_t at_ns, struct timeline *timeline) MUST_USE;
/* The time of the first and of the last entry that can be seen. */
int64_t history_first_ns(const struct history *history);
int64_t history_last_ns(const struct history *history);

#endif
