/* The client of the cooperative reverse-traceroute protocol: asks a responder on the far host for the path
 * from there to here (docs/protocol/responder.md). Pure; a `struct machine`.
 *
 * Theory of operation
 *
 * The first burst asks everything at once: the hello, which tells a responder from a host that merely echoes,
 * and one probe for each of the first 16 hop limits. So a short path is complete after one round trip and the
 * slowest hop. The second burst asks for what is missing, for the rest of a longer path, and for the
 * repetitions that make statistics; it carries the cookie from the hello's response, which lifts it out of
 * the crowd of strangers. Later bursts repeat what is missing, as long as a hop has been asked for less often
 * than wanted.
 *
 * Every request is padded to the most that it can cause, so that no responder has a reason to refuse it.
 * A burst waits a multiple of the slowest answer so far, not a fixed time.
 *
 * A host without responder echoes the hello, body and all. A responder whose kernel could not be silenced
 * sends both, so the echo counts only when nothing better has come for a while. */
#ifndef RETOUR_REVERSE_RESPONDER_H
#define RETOUR_REVERSE_RESPONDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "path/model.h"
#include "probe/machine.h"

#define RESPONDER_TTL_MAX    64
#define RESPONDER_PROBES_MAX 10

struct responder_client_config {
	struct addr target; /* the far host */
	struct addr source; /* our address towards it */
	enum probe_protocol protocol;
	uint16_t flow;    /* destination port, or checksum of ICMP probes; 0 = the responder's default */
	unsigned max_ttl; /* 0 = 30 */
	unsigned probes_per_hop; /* 0 = 3 */
	int64_t rtt_hint_ns;     /* round-trip time to the target, if known from elsewhere; 0 = not */
	uint64_t seed;           /* where request ids start: unpredictable, different for every run */
};

struct responder_client;

/* NULL: out of memory, or target and source are not of one family. */
struct responder_client *responder_client_new(const struct responder_client_config *config);
void responder_client_free(struct responder_client *client);
struct machine responder_client_machine(struct responder_client *client);
/* As rtt_hint_ns, learned while it runs. */
void responder_client_hint(struct responder_client *client, int64_t rtt_ns);

/* At any time, also in mid-run. A new path, or NULL when not one hop is known (or out of memory). */
struct path *responder_client_path(const struct responder_client *client, int64_t started_wall_ns);
/* How it went, with one line for a person. */
enum attempt_status responder_client_status(const struct responder_client *client, char *detail, size_t size);
int64_t responder_client_duration_ns(const struct responder_client *client);

#endif
