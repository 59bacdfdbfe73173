/* What a screen, a report or an exposition shows of a continuous measurement. Everything is borrowed. */
#ifndef RETOUR_REPORT_WATCH_VIEW_H
#define RETOUR_REPORT_WATCH_VIEW_H

#include "path/book.h"
#include "path/directions.h"
#include "path/timeline.h"

struct watch_view {
	const struct timeline *timeline;
	const struct book *book;
	int64_t started_wall_ns;
	int64_t interval_ns;
	const char *target_name; /* as the user wrote it */
	struct addr source, target;
	enum probe_protocol protocol;
	struct flow flow;
	/* The way back: attempts and path as last measured; NULL = not measured. */
	const struct measurement *back;
	int64_t back_at_ns; /* when, since the start */
	bool back_running;
	bool numeric;			     /* no names */
	const struct directions *directions; /* NULL = not asked for */
};

/* "name" or the address; escaped. Into `text`, which is returned. */
const char *watch_name(const struct watch_view *view, struct addr address, char *text, size_t size);
/* "AS64500" or "". */
const char *watch_as(const struct watch_view *view, struct addr address, char *text, size_t size);
/* "14:03:12" UTC, of a time since the start. */
const char *watch_clock(const struct watch_view *view, int64_t at_ns, char *text, size_t size);
/* "port 33434", "ports 33434, 33440", of ICMP "checksum 4660": what is particular about flows of the
 * timeline, a bit each. */
const char *watch_flows(const struct watch_view *view, unsigned flows, char *text, size_t size);
/* "3 routers" where flows meet several, each on a row of its own; "" otherwise. */
const char *watch_together(const struct watch_view *view, unsigned ttl, char *text, size_t size);
/* One line about the way back, e.g. "5 hops by responder, 14:03:12; complete". */
void watch_back_line(const struct watch_view *view, char *text, size_t size);
/* One line about a change of the way. */
void watch_change_line(
	const struct watch_view *view, const struct timeline_change *change, char *text, size_t size);
/* Why answers of this hop are missing that are not loss, or what it refuses; "" = nothing to say. */
void watch_remark(const struct watch_view *view, unsigned ttl, char *text, size_t size);

#endif
