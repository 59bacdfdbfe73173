/* The engine: turns "probe this hop limit" into a packet, and a packet that came in into "the answer to that
 * probe, after so long". Pure: no sockets, no clocks.
 *
 * Every probe belongs to a flow, that of the engine unless the request names another: addresses, ports, flow
 * label and (for ICMP) identifier and checksum. Load balancers that hash flows send all probes of a flow the
 * same way (Paris traceroute, Augustin et al., IMC 2006). What tells probes apart travels where balancers do
 * not look:
 *
 *   UDP, UDP-Lite  the checksum is the token (two payload bytes make it come true)
 *   ICMP           the sequence number is the token; two payload bytes keep the checksum constant
 *   these          16 payload bytes: token, hop limit, 64-bit keyed tag
 *   TCP            the sequence number: 16 bits of the tag, then the token; no payload, as a real SYN
 *   other IP       8 payload bytes: token, hop limit, 32 bits of the tag
 *   all            IPv4 ID: 16 bits of the tag
 *
 * A router must quote 8 bytes behind the IP header (RFC 792), so the token always comes back; the IPv4 ID
 * comes with it and is checked. Routers that quote more (RFC 1812 4.3.2.3, all of IPv6) return the whole tag,
 * and then a stranger cannot forge an answer without having seen the probe. A TCP answer of the destination
 * acknowledges our sequence number. A service that answers by UDP is believed when it gives our bytes or our
 * number back (a name server does), or when only one probe can be meant. */
#ifndef RETOUR_PROBE_ENGINE_H
#define RETOUR_PROBE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "packet/packet.h"
#include "path/model.h"
#include "probe/machine.h"

#define ENGINE_SLOTS 4096 /* probes that can still be matched, at most */

/* As hosts that connect send them; all zeros: none. */
struct tcp_options {
	uint16_t mss; /* with SYN only */
	bool sack, timestamps, window_scale;
};

struct engine_config {
	enum probe_protocol protocol;
	uint8_t ip_protocol; /* PROBE_IP: its IANA number */
	struct addr source, destination;
	struct flow flow;
	uint8_t tos;
	uint8_t tcp_flags; /* 0 = SYN */
	struct tcp_options tcp_options;
	bool dns;	     /* UDP: probes are questions that a name server answers */
	uint16_t size;	     /* of the whole IP packet; 0 = as small as it gets */
	bool dont_fragment;  /* IPv4 */
	struct hash_key key; /* secret, fresh for every measurement */
};

struct probe_request {
	uint8_t ttl;
	uint32_t user; /* comes back in the reply */
	const struct flow
		*flow;	    /* borrowed; NULL = the engine's own. ICMP: its identifier stays the engine's */
	uint16_t size;	    /* 0 = the engine's own */
	bool dont_fragment; /* even where the engine's own says no */
};

struct engine_slot {
	uint16_t token; /* 0: never used */
	uint8_t ttl;
	bool answered;
	uint16_t source_port, destination_port; /* 0 without ports */
	uint32_t user;
	int64_t sent_ns;
};

struct engine {
	struct engine_config config;
	uint16_t last_token;
	unsigned sent, received, late_or_duplicate, foreign;
	struct engine_slot *slots; /* grow with the number of probes */
	unsigned slot_count;
};

/* The answer to one probe. */
struct reply {
	uint32_t user; /* as given to engine_probe */
	uint8_t ttl;   /* of the probe */
	struct addr from;
	enum icmp_kind kind;	  /* ICMP_ECHO_REPLY, or the kind of error; ICMP_OTHER: TCP answered */
	int icmp_type, icmp_code; /* -1: not ICMP */
	uint8_t tcp_flags;	  /* of a TCP answer, 0 = none */
	int64_t rtt_ns;
	uint32_t mtu;
	bool reached; /* the destination itself answered: by the kind of answer, not by its source */
	struct reply_header header;
	struct quoted_header quoted;
	struct icmp_extensions extensions;
};

void engine_init(struct engine *engine, const struct engine_config *config);
void engine_deinit(struct engine *engine);
/* The least size of a whole IP packet that can be told from other probes. */
uint16_t engine_size_min(const struct engine_config *config);
/* Build the next probe. 0, -EINVAL when the flow or the size cannot be expressed, -ENOMEM. */
int engine_probe(struct engine *engine, const struct probe_request *request, int64_t now_ns,
	struct outgoing *outgoing) MUST_USE;
/* The time a probe left, better known than when it was built. */
void engine_sent(struct engine *engine, uint32_t token, int64_t sent_ns);
/* Is this packet the first answer to one of our probes? Everything else is counted and refused: other
 * programs' traffic, forgeries, duplicates. */
bool engine_match(
	struct engine *engine, int64_t received_ns, const struct packet *packet, struct reply *reply);

#endif
