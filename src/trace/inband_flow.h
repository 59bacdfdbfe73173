/* A TCP connection of ours, as its packets show it to somebody who watches both directions: what was sent,
 * what the far end has acknowledged, and what a segment of it looks like. Pure.
 *
 * The kernel does not tell these numbers of a socket in use; its packets do. Outgoing segments may be as
 * large as the kernel hands them to the network card. */
#ifndef RETOUR_TRACE_INBAND_FLOW_H
#define RETOUR_TRACE_INBAND_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "packet/packet.h"

#define INBAND_STREAM_BYTES 8192 /* of what was sent, kept; a power of two */

struct inband_flow {
	struct addr local, remote;
	uint16_t local_port, remote_port;
	bool sent, acknowledged;     /* something was seen */
	bool closed;		     /* either end has finished or reset it */
	uint32_t kept_from, sent_to; /* bytes by sequence number that are in `stream`, [from, to) */
	uint32_t acked_to;	     /* the far end has everything before this */
	struct ip_header ip;	     /* of the last segment of ours that was not a repetition */
	struct transport tcp;
	int remote_ttl;			     /* of the far end's packets, as they arrive; 0 = not known */
	uint8_t stream[INBAND_STREAM_BYTES]; /* by sequence number modulo its size */
};

enum inband_side { INBAND_FOREIGN, INBAND_OURS, INBAND_THEIRS };

/* Both addresses and ports: ours, then the far end's. */
void inband_flow_init(struct inband_flow *flow, struct addr local, uint16_t local_port, struct addr remote,
	uint16_t remote_port);
enum inband_side inband_flow_side(const struct inband_flow *flow, const struct packet *packet);
/* Take note of one of its packets; what does not fit in is ignored. */
void inband_flow_note(struct inband_flow *flow, const struct packet *packet);
/* How many bytes right before `acked_to` are known. */
uint32_t inband_flow_history(const struct inband_flow *flow);
/* One of them. */
const uint8_t *inband_flow_byte(const struct inband_flow *flow, uint32_t sequence);

#endif
