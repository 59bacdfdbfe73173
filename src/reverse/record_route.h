/* The way back by Record Route: an echo request that asks every router to write down its address, on the way
 * there and, in the reply, on the way back (RFC 791 3.1). Pure; a `struct machine`. IPv6 has no such option.
 *
 * Theory of operation
 *
 * One echo request is enough where the target writes its own address (rr_evidence.h). It is repeated once
 * when nothing comes back. Where the list does not show the target, a UDP packet with the same option goes to
 * a port where nobody listens: the port unreachable quotes the list as it arrived, and that is the way there
 * alone. Where UDP is not answered either, and the length of the way there is known, an echo request that
 * runs out at the last router before the target fetches the list from there.
 *
 * Routers treat packets with options on their slow path and limit them, some to ten a second. So there are
 * few: one or two as a rule, never more than OPTION_PACKETS_MAX, and one at a time. */
#ifndef RETOUR_REVERSE_RECORD_ROUTE_H
#define RETOUR_REVERSE_RECORD_ROUTE_H

#include <stdbool.h>

#include "path/model.h"
#include "probe/machine.h"
#include "reverse/ladder.h"
#include "reverse/rr_evidence.h"

#define OPTION_PACKETS_MAX 5

struct record_route;

/* Of the task counts: target, source, rtt_hint_ns, seed. NULL: out of memory, or not IPv4. */
struct record_route *record_route_new(const struct reverse_task *task);
void record_route_free(struct record_route *run);
struct machine record_route_machine(struct record_route *run);
void record_route_hint(struct record_route *run, int64_t rtt_ns);
/* The way there; borrowed, until it is given anew (NULL: take it away). */
void record_route_known(struct record_route *run, const struct path *forward);

/* What the list says, as far as it is known. false: no reply with a list. */
bool record_route_verdict(const struct record_route *run, struct rr_verdict *verdict);
struct path *record_route_path(const struct record_route *run, int64_t started_wall_ns);
enum attempt_status record_route_status(const struct record_route *run, char *detail, size_t size);
int64_t record_route_duration_ns(const struct record_route *run);
/* Packets with options so far. */
unsigned record_route_sent(const struct record_route *run);

#endif
