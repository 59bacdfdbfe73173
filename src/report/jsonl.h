/* A measurement as events, one JSON object a line. Each has "event" and "target"; what else is in it is a
 * part of the retour/1 document under the names it has there:
 *
 *   start      schema, tool, command, started_at, source, target_name
 *   path       direction and the other members of a path but its hops
 *   hop        direction, and a hop of it
 *   attempt    an element of reverse_attempts
 *   alignment  the alignment
 *   finding    a finding
 *   done       finished_at
 *
 * Together the events hold the whole document. */
#ifndef RETOUR_REPORT_JSONL_H
#define RETOUR_REPORT_JSONL_H

#include <jansson.h>
#include <stdio.h>

#include "path/model.h"

/* 0, -ENOMEM, or -EIO when `out` failed. */
int report_jsonl(FILE *out, const struct measurement *measurement) MUST_USE;
/* One event: its word, its target, then the members of `body`, whose reference it takes (NULL: memory was
 * out). */
int jsonl_event(FILE *out, const char *event, struct addr target, json_t *body) MUST_USE;

#endif
