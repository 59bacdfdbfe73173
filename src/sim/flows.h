/* The flows that a box has let through: a table that grows, with entries that expire. */
#ifndef RETOUR_SIM_FLOWS_H
#define RETOUR_SIM_FLOWS_H

#include "packet/packet.h"

/* As seen from inside: `port` is that of UDP or TCP, or the id of an ICMP echo, whose remote port is 0. */
struct flow_key {
	struct addr local, remote;
	uint16_t local_port, remote_port;
	uint8_t protocol;
};

struct flow {
	struct flow_key inside, outside; /* the same, where nothing is translated */
	int64_t expires_ns;
	uint32_t next_inside, next_outside;
};

struct flows;

struct flows *flows_new(void) MUST_USE;
void flows_free(struct flows *flows);
/* A flow that has not expired, which lasts longer now; NULL when there is none. Good until the next flow is
 * added. */
const struct flow *flows_by_inside(struct flows *flows, const struct flow_key *key, int64_t now_ns);
const struct flow *flows_by_outside(struct flows *flows, const struct flow_key *key, int64_t now_ns);
/* NULL without memory. */
const struct flow *flows_add(
	struct flows *flows, const struct flow_key *inside, const struct flow_key *outside, int64_t now_ns);

/* The flow of a packet that its source began, seen from there. False: it has none (later fragments, errors).
 */
bool flow_key_of(const struct ip_header *ip, const struct transport *transport, struct flow_key *key);
/* The same flow, seen from the other end. */
struct flow_key flow_key_reverse(const struct flow_key *key);

#endif
