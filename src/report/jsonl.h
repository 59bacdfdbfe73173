/* A measurement as events, one JSON object a line. Each has "event" and "target"; what else is in it is a
 * part of the retour/1 document under the names it has there:
 *
 *   start        schema, tool, command, started_at, source, target_name: before the first packet leaves
 *   probe        direction, ttl, and an element of that hop's probes: when its answer came
 *   path         direction and the other members of a path but its hops: when all is measured, as those below
 *   hop          direction, and a hop of it
 *   attempt      an element of reverse_attempts
 *   alignment    the alignment
 *   finding      a finding
 *   done         finished_at
 *
 * Without the probe events, which repeat what is in the hops, the events together hold the whole document. Of
 * one of many targets there is one event:
 *
 *   measurement  the document: when that target is done
 */
#ifndef RETOUR_REPORT_JSONL_H
#define RETOUR_REPORT_JSONL_H

#include <jansson.h>
#include <stdio.h>

#include "path/model.h"

/* What was told while it was measured. All zeros but `out` at first. */
struct jsonl_live {
	FILE *out;
	struct addr target;
	bool started;
	struct jsonl_told *told; /* answers */
	size_t count, room;
	int code; /* 0, or the first failure, after which nothing more is told */
};

void jsonl_live_start(struct jsonl_live *live, const struct measurement *measurement);
/* Tell those answers of a path, as far as it is known, that were not told yet. */
void jsonl_live_answers(struct jsonl_live *live, const struct path *path);
void jsonl_live_deinit(struct jsonl_live *live);

/* All events, or those that follow what was told live (else NULL). 0, or the negative errno of the first failure. */
int report_jsonl(FILE *out, const struct measurement *measurement, const struct jsonl_live *live) MUST_USE;
/* The one event of one of many targets. */
int report_jsonl_whole(FILE *out, const struct measurement *measurement) MUST_USE;
/* One event: its word, its target, then the members of `body`, whose reference it takes (NULL: memory was
 * out). */
int jsonl_event(FILE *out, const char *event, struct addr target, json_t *body) MUST_USE;

#endif
