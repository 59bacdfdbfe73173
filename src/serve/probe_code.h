/* What a probe carries so that the responder can forget it.
 *
 * The answer to a probe brings back part of it: an ICMP error quotes at least the IP header and 8 bytes more
 * (RFC 792), mostly far more (RFC 1812 4.3.2.3; RFC 4443 2.4 (c): all that fits); an echo reply has the whole
 * payload; a TCP answer has the sequence number plus one. The requester's address is the probe's destination.
 * The request's id, the time of sending and a keyed tag are hidden as follows, in fields that routers do not
 * hash when they spread flows:
 *
 *          in the first 8 bytes and the IPv4 id                   farther in
 *   UDP    checksum = request id, IPv4 id = stamp                 cookie in the payload
 *   ICMP   sequence = request id, IPv4 id = stamp                 cookie in the payload
 *   TCP    sequence = request id : stamp, IPv4 id = 16-bit tag    acknowledgement = 14-bit tag : fine time
 *
 * cookie  request id (16 bits), time in ns (48), tag (48), and 16 bits that make the checksum come out
 * stamp   time in ticks of 2^18 ns (262 us), XORed with a keyed hash of addresses, request id and flow. Only
 * the last 2^14 ticks (4.29 s, the most a response can express) of 2^16 are believed, so an invented stamp
 *         passes once in four times; this alone protects answers with short quotes and direct TCP answers.
 * fine    the time below a tick, in ns
 * tag     SipHash of addresses, request id, protocol, flow and time
 */
#ifndef RETOUR_SERVE_PROBE_CODE_H
#define RETOUR_SERVE_PROBE_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/hash.h"
#include "packet/packet.h"

/* All probes are equally long above the IP header: UDP or ICMP header and cookie; TCP header and MSS option.
 */
#define PROBE_TRANSPORT_SIZE 24
#define PROBE_COOKIE_SIZE    16

/* Defaults of the deployed protocol for flow 0. */
#define FLOW_DEFAULT_UDP  53
#define FLOW_DEFAULT_TCP  80
#define FLOW_DEFAULT_ICMP 0xbeaf

struct probe_code {
	struct hash_key key;
	uint16_t port;	     /* source of UDP and TCP probes */
	uint8_t icmp_prefix; /* upper half of the ICMP id; the lower depends on the flow */
};

/* What is asked for: the probe's own view of a request. */
struct probe_order {
	struct addr server;    /* source of the probe */
	struct addr requester; /* its destination */
	bool errand;	       /* the destination is a third party, and `id` that of errands.h */
	uint16_t id;
	uint8_t ttl;
	uint8_t protocol; /* an enum ip_protocol that fits the family */
	uint16_t flow;	  /* not 0 */
	uint8_t tos;
	uint32_t flow_label;
};

/* What an answer told. */
struct probe_answer {
	struct addr server, requester;
	bool errand;
	uint16_t id;
	struct addr hop;
	int64_t rtt_ns;
	bool strong; /* the full tag was there, and the time to the nanosecond */
};

/* 0, or a negative error of packet_write. */
int probe_encode(const struct probe_code *code, const struct probe_order *order, int64_t now_ns,
	struct writer *writer) MUST_USE;
/* Is this the answer to one of our probes, and to which request? */
bool probe_decode(const struct probe_code *code, const struct packet *packet, int64_t received_ns,
	struct probe_answer *answer);
/* The same for probes to third parties, whose tags are others. */
bool probe_decode_errand(const struct probe_code *code, const struct packet *packet, int64_t received_ns,
	struct probe_answer *answer);

#endif
