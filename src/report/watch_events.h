/* A continuous measurement as events, one JSON object a line: what `--jsonl` prints and `--record` keeps.
 * Each has "event" and "target". Times in a recording are nanoseconds since its start.
 *
 *   start    schema "retour-watch/1", tool, started_at, source, target_name, protocol, interval_ns, flow;
 *            flows where rounds take several in turn: then what follows has "flow", which of them, from 0 on
 *   sent     at_ns, probe, round, ttl; test
 *   answer   the same and sent_ns, rtt_ns, from; icmp {type, code}, mark, reply_ttl, mpls, reached, refused,
 *            late
 *   lost     like sent, and sent_ns; may be taken back by an answer that is late
 *   void     like lost: cannot be judged; error
 *   round    round: every probe of it is settled
 *   limit    ttl, replies (testing, limits-replies, loses-answers, undecided), asked, answered
 *   changed  first_ttl, before, after: for the reader; a replay finds out itself
 *   name     address, name, asn, as_name
 *   back     at_ns, measurement: a retour/1 document with the way back
 *   done     at_ns
 */
#ifndef RETOUR_REPORT_WATCH_EVENTS_H
#define RETOUR_REPORT_WATCH_EVENTS_H

#include <stdio.h>

#include "report/watch_view.h"

/* All return 0, -ENOMEM, or -EIO when `out` failed; each line is handed to the system at once. */
int watch_events_start(FILE *out, const struct watch_view *view) MUST_USE;
int watch_events_event(FILE *out, const struct watch_view *view, const struct watch_event *event) MUST_USE;
/* The last change of the way. */
int watch_events_changed(FILE *out, const struct watch_view *view) MUST_USE;
int watch_events_name(FILE *out, const struct watch_view *view, const struct book_entry *entry) MUST_USE;
int watch_events_back(FILE *out, const struct watch_view *view) MUST_USE;
int watch_events_done(FILE *out, const struct watch_view *view) MUST_USE;

#endif
