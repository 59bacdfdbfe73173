/* A trace inside a TCP connection that exists already, from the end that serves to the end that asked.
 * Pure; a `struct machine`, which is to be handed the packets of the connection in both directions besides
 * ICMP errors.
 *
 * Theory of operation
 *
 * A probe is one byte that the far end has acknowledged long ago, sent again with a small hop limit. To
 * everything on the way it is a retransmission within the connection: it takes the way of the connection's
 * packets, and translators and stateful firewalls let it pass. To the far end's kernel it is old data,
 * which it throws away unread (RFC 9293 3.10.7.4) and acknowledges; a receiver says with that which bytes
 * came twice (RFC 2883).
 *
 *   number     Each probe repeats another byte, so its sequence number is its name: within the 8 bytes
 *              that every router quotes (RFC 792). Nothing that is hashed to choose a way changes, neither
 *              ports nor the flow label. No number is used twice: firewalls shorten the life of
 *              connections that repeat themselves (Linux: three equal segments), and receivers choose
 *              another flow label then.
 *   safe       At most INBAND_PROBES_MAX bytes back, which lies in any window that firewalls keep.
 *              Everything else is copied from the last segment of the connection: acknowledgement, window,
 *              timestamps (RFC 7323 5: not older than what the receiver knows, or it is dropped), traffic
 *              class but for its ECN bits (RFC 3168 6.1.5). Nothing is sent that could close, reset or
 *              move the connection.
 *   proof      A stranger who wants to forge a hop must guess the sequence number (32 bits, of which the
 *              probes outstanding make 23 or more) and for IPv4 the packet's ID (16 bits); whoever quotes
 *              the acknowledgement number, as all of IPv6 does, must have that right, too (32 bits).
 *   end        A duplicate that is acknowledged by its number reached the far end. An end that does not
 *              name it (no SACK) is asked with one probe at a time, so that there is but one that it can
 *              mean.
 *
 * What to probe and when is the forward trace's business: the probes that it makes are sent in this
 * clothing, and answers are shown to it in its own. */
#ifndef RETOUR_TRACE_INBAND_H
#define RETOUR_TRACE_INBAND_H

#include "trace/forward.h"
#include "trace/inband_flow.h"

#define INBAND_PROBES_MAX 512 /* bytes that the far end must have acknowledged before it begins */
#define INBAND_PROBES_MIN 96  /* with fewer it makes do when no more come */

struct inband_config {
	struct addr local, remote;
	uint16_t local_port, remote_port;
	unsigned max_ttl, probes_per_hop; /* 0 = the usual */
	int64_t wait_ns;		  /* for the connection to show itself; 0 = the usual */
	struct hash_key key;
};

enum inband_phase {
	INBAND_WATCHING, /* until the connection has shown itself */
	INBAND_TRACING,
	INBAND_SEARCHING, /* the end, one probe at a time */
	INBAND_OVER,
};

struct inband {
	struct inband_config config;
	struct inband_flow flow;
	enum inband_phase phase;
	int64_t watched_ns; /* since when; TIME_NEVER = not yet */
	struct trace trace, search;
	uint32_t anchor;	/* probe number n repeats the byte at anchor - n */
	unsigned room, numbers; /* numbers that there are, and that are in use */
	unsigned searched_from; /* the first number of the search, 0 = there was none */
	unsigned unnamed;	/* duplicates acknowledged without their number */
	struct packet_spec mould;
	struct {
		uint32_t sequence, token; /* of the trace's own probe */
	} probes[INBAND_PROBES_MAX + 1];  /* by number, from 1 */
};

void inband_init(struct inband *inband, const struct inband_config *config);
void inband_deinit(struct inband *inband);
struct machine inband_machine(struct inband *inband);
/* Why there is no path, or not a whole one: one line, or NULL. */
const char *inband_trouble(const struct inband *inband);
/* As known now. `wall_ns` is when the machine was first asked. NULL: nothing was probed, or out of memory. */
struct path *inband_path(const struct inband *inband, int64_t wall_ns, int64_t now_ns);

#endif
