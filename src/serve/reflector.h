/* A STAMP Session-Reflector (RFC 8762 4.3, stateful): sends test packets back with its own timestamps and its
 * own count, from which the sender tells loss on the way here from loss on the way back. Pure;
 * reflector_socket.h is its network. docs/protocol/stamp.md describes the exchange.
 *
 * An answer is as long as its question and goes to where that came from, so that nobody gains a byte by
 * forging an address. Memory is bounded: a session is a few octets in a table of fixed size, where a newcomer
 * takes the place of the session of its set that has counted least, or was idle for longest among those that
 * have counted some. Half of the total rate is kept for the latter, so that a flood of invented sessions does
 * not stop those that are under way. What a limit refuses the sender cannot tell from loss on the way here;
 * so limits are high above what retour sends. */
#ifndef RETOUR_SERVE_REFLECTOR_H
#define RETOUR_SERVE_REFLECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/hash.h"

#define REFLECTOR_RATE_DEFAULT	      10000 /* packets per second */
#define REFLECTOR_PREFIX_RATE_DEFAULT 400
#define REFLECTOR_PACKET_MAX	      9000 /* longer ones are not reflected */

struct reflector_config {
	struct hash_key key;
	unsigned rate, prefix_rate; /* 0 = default */
	const struct prefix *allow; /* borrowed for the reflector's life; none = everyone */
	size_t allow_count;
};

/* A test packet as it came. */
struct reflector_packet {
	struct addr from, to;
	uint16_t from_port, to_port;
	uint8_t ttl; /* 0 = not known */
	int64_t received_wall_ns;
	const uint8_t *payload;
	size_t length;
};

struct reflector_counters {
	uint64_t questions, answers; /* well-formed; reflected */
	uint64_t malformed, refused_source, refused_allow, over_prefix, over_total;
	uint64_t sessions, replaced; /* begun; and those that had to make room */
	uint64_t send_failed;
};

struct reflector;

/* NULL: out of memory. */
struct reflector *reflector_new(const struct reflector_config *config);
void reflector_free(struct reflector *reflector);
/* What is known of this host's clock. */
void reflector_set_clock(struct reflector *reflector, bool synchronised, int64_t error_ns);
/* The answer's length, which is the packet's, or 0: there is none. `answer` has room for that. `now_wall_ns`
 * is when it will leave. */
size_t reflector_answer(struct reflector *reflector, const struct reflector_packet *packet, int64_t now_ns,
	int64_t now_wall_ns, uint8_t *answer) MUST_USE;
/* An answer could not be sent. */
void reflector_send_failed(struct reflector *reflector);
struct reflector_counters reflector_counters(const struct reflector *reflector);

#endif
