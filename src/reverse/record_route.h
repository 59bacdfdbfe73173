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

/* Of the task count: target, source, rtt_hint_ns, seed. Its runs are `struct record_route`. */
extern const struct reverse_method record_route_method;

/* What the list says, as far as it is known. false: no reply with a list. */
bool record_route_verdict(const struct record_route *run, struct rr_verdict *verdict);
/* Packets with options so far. */
unsigned record_route_sent(const struct record_route *run);

#endif
