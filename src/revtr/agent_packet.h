/* What the probes of agents look like, and what an answer to one says of itself. Pure.
 *
 * A ping carries its mark in its payload. What refuses a UDP packet need not quote more than eight bytes
 * behind the IP header (RFC 792), so there the mark is in the headers: the tag is cut to 30 bits. The
 * formats are in docs/protocol/revtr-agents.md. */
#ifndef RETOUR_REVTR_AGENT_PACKET_H
#define RETOUR_REVTR_AGENT_PACKET_H

#include "packet/packet.h"
#include "revtr/agent.h"

/* Of tasks that are sent by UDP. */
#define AGENT_UDP_TASK_MAX 0x7fffffffu

/* The bytes of a probe or a challenge, `own` is the sender's address. 0: there is no such packet. */
size_t agent_packet_write(const struct agent_order *order, struct addr own, uint8_t *bytes, size_t size);

struct agent_mark {
	uint32_t task;
	struct addr target;
	uint64_t tag; /* what there is of it */
	bool by_udp;
	/* Of the ping as it came home, of the UDP packet as it was refused; borrowed. */
	const struct route_option *list;
};
/* false: it is no answer to a probe of anybody's. */
bool agent_packet_mark(const struct packet *packet, struct agent_mark *mark) MUST_USE;
/* Is it the tag that the probe got? */
bool agent_mark_true(const struct agent_mark *mark, uint64_t tag) MUST_USE;
/* The nonce of a challenge; false: it is none. */
bool agent_packet_challenge(const struct packet *packet, uint32_t *task, uint64_t *nonce) MUST_USE;

#endif
