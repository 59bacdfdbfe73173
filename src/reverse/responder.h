/* The client of the cooperative reverse-traceroute protocol: asks a responder on the far host for the path
 * from there to here (docs/protocol/responder.md). Pure; a `struct machine`.
 *
 * Theory of operation
 *
 * The first burst asks everything at once: the hello, which tells a responder from a host that merely echoes,
 * and one probe for each of the first 16 hop limits. So a short path is complete after one round trip and the
 * slowest hop. When the hello is answered, the repetitions that make statistics follow, as far as the hop
 * limit of that answer says the way is; they carry its cookie, which lifts them out of the crowd of
 * strangers. The second burst asks for what is missing and for the rest of a longer path. Later bursts repeat
 * what is missing, as long as a hop has been asked for less often than wanted.
 *
 * Every request is padded to the most that it can cause, so that no responder has a reason to refuse it.
 * A burst waits a multiple of the slowest answer so far, not a fixed time.
 *
 * A host without responder echoes the hello, body and all. A responder whose kernel could not be silenced
 * sends both, so the echo counts only when nothing better has come for a while. */
#ifndef RETOUR_REVERSE_RESPONDER_H
#define RETOUR_REVERSE_RESPONDER_H

#include "reverse/ladder.h"

#define RESPONDER_TTL_MAX    64
#define RESPONDER_PROBES_MAX 10

/* Of the task count: target, source, public_address, protocol, flow, max_ttl, probes_per_hop, confidence,
 * rtt_hint_ns, seed. The parameter names another responder, as a vantage point: what it tells of its own way
 * to us is inferred. */
extern const struct reverse_method responder_method;

#endif
