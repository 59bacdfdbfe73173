/* What `retour ping` prints: in the manner of ping where users, and their scripts, expect it. */
#ifndef RETOUR_REPORT_PING_H
#define RETOUR_REPORT_PING_H

#include "report/directions.h"
#include "trace/ping.h"
#include "trace/stamp_delay.h"

struct ping_view {
	const struct pinger *ping;
	const struct directions *directions; /* NULL = not asked */
	const char *target_name;	     /* as the user wrote it */
	struct addr source, target;
	unsigned size; /* of the data of an echo */
	int64_t started_wall_ns, now_wall_ns;
	bool numeric;
};

/* Text: the line before the first probe, one for an event ("" = none), the statistics at the end. */
void ping_head(FILE *out, const struct ping_view *view);
void ping_line(FILE *out, const struct ping_view *view, const struct ping_event *event);
int ping_statistics(FILE *out, const struct ping_view *view, const struct report_options *options) MUST_USE;

/* Events, one JSON object a line: start, answer, refusal, lost, void, protocol, reflected, done. 0 or
 * negative errno. */
int ping_jsonl_start(FILE *out, const struct ping_view *view) MUST_USE;
int ping_jsonl_event(FILE *out, const struct ping_view *view, const struct ping_event *event) MUST_USE;
int ping_jsonl_reflected(FILE *out, const struct ping_view *view, const struct stamp_sample *sample) MUST_USE;

/* The retour/1 document: `measurement` (initialised here; the caller deinits it) is filled from the view, and
 * as JSON it has the member "ping" beside. 0 or negative errno. */
int ping_measurement(struct measurement *measurement, const struct ping_view *view) MUST_USE;
int ping_json(FILE *out, const struct ping_view *view, const struct measurement *measurement) MUST_USE;
int ping_jsonl_done(FILE *out, const struct ping_view *view, const struct measurement *measurement) MUST_USE;

#endif
