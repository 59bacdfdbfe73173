/* The engine: turns "probe this hop limit" into a packet, and a packet that came in into "the answer to that
 * probe, after so long". Pure: no sockets, no clocks.
 *
 * One engine holds one flow: every probe has the same addresses, ports, flow label and (for ICMP) identifier and
 * checksum, so every load balancer that hashes flows sends all of them the same way (Paris traceroute, Augustin
 * et al., IMC 2006). What tells probes apart travels where balancers do not look:
 *
 *   UDP   the checksum is the token (two payload bytes make it come true)
 *   ICMP  the sequence number is the token; two payload bytes keep the checksum constant
 *   both  16 payload bytes: token, hop limit, 64-bit keyed tag; IPv4 ID: 16 bits of the tag
 *
 * A router must quote 8 bytes behind the IP header (RFC 792), so the token always comes back; the IPv4 ID comes
 * with it and is checked. Routers that quote more (RFC 1812 4.3.2.3, all of IPv6) return the whole tag, and then
 * a stranger cannot forge an answer without having seen the probe. */
#ifndef RETOUR_PROBE_ENGINE_H
#define RETOUR_PROBE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "packet/packet.h"
#include "path/model.h"
#include "probe/machine.h"

#define ENGINE_SLOTS 4096 /* probes that can still be matched; a power of two */

struct engine_config {
	enum probe_protocol protocol; /* ICMP or UDP */
	struct addr source, destination;
	struct flow flow;
	uint8_t tos;
	struct hash_key key; /* secret, fresh for every measurement */
};

struct engine_slot {
	uint16_t token; /* 0: never used */
	uint8_t ttl;
	bool answered;
	uint32_t user;
	int64_t sent_ns;
};

struct engine {
	struct engine_config config;
	uint16_t last_token;
	unsigned sent, received, late_or_duplicate, foreign;
	struct engine_slot slots[ENGINE_SLOTS];
};

/* The answer to one probe. */
struct reply {
	uint32_t user; /* as given to engine_probe */
	uint8_t ttl;   /* of the probe */
	struct addr from;
	enum icmp_kind kind; /* ICMP_ECHO_REPLY, or the kind of error */
	uint8_t icmp_type, icmp_code;
	int64_t rtt_ns;
	int reply_ttl;  /* -1: not known */
	int quoted_ttl; /* -1: not known */
	uint32_t mtu;
	bool reached; /* the destination itself answered: by the kind of answer, not by its source */
	struct icmp_extensions extensions;
};

void engine_init(struct engine *engine, const struct engine_config *config);
/* Build the next probe. `user` comes back in the reply. 0, or -EINVAL when the flow cannot be expressed. */
int engine_probe(struct engine *engine, uint8_t ttl, uint32_t user, int64_t now_ns, struct outgoing *outgoing) MUST_USE;
/* The time a probe left, better known than when it was built. */
void engine_sent(struct engine *engine, uint32_t token, int64_t sent_ns);
/* Is this packet the first answer to one of our probes? Everything else is counted and refused: other
 * programs' traffic, forgeries, duplicates. */
bool engine_match(struct engine *engine, int64_t received_ns, const struct packet *packet, struct reply *reply);

#endif
