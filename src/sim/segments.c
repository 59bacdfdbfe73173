/* Packets that name more stations than their destination: IPv6 routing headers (RFC 8200 4.4, RFC 8754). */
#include "sim/core.h"

#include "packet/forward.h"

#define NEXT_HEADER	     6	/* in the IPv6 header */
#define POINTER_ROUTING_TYPE 42 /* in a header right behind the IPv6 header */

/* RFC 8200 4.4: of a type that is not known. As RFC 5095 demands, type 0 is known to nobody. */
static void complain_unknown(struct sim *sim, uint32_t node, uint32_t in, const struct parcel *parcel)
{
	static const struct complaint unknown = {
		.type4 = ICMP4_PARAMETER_PROBLEM,
		.type6 = ICMP6_PARAMETER_PROBLEM,
		.pointer = POINTER_ROUTING_TYPE,
	};
	answer_error(sim, node, in, parcel, &unknown);
}

/* Linux takes the next segment before it looks at the hop limit, so that is what its errors quote. Takes the
 * parcel. */
static void send_on(struct sim *sim, uint32_t node, uint32_t in, struct parcel *parcel, uint8_t ttl)
{
	static const struct complaint expired = {.type4 = ICMP4_TIME_EXCEEDED, .type6 = ICMP6_TIME_EXCEEDED};
	bool strict = sim->world->nodes[node].behaviour.srv6 == SRV6_STRICT;
	if ((strict && ttl <= 1) || forward_next_segment(parcel->bytes, parcel->length)) {
		if (ttl > 1) {
			(void)forward_set_ttl(parcel->bytes, parcel->length, (uint8_t)(ttl - 1));
			node_send(sim, node, parcel);
			return;
		}
		answer_error(sim, node, in, parcel, &expired);
	}
	parcel_drop(sim, parcel);
}

bool segments_take(struct sim *sim, uint32_t node, uint32_t in, struct parcel *parcel)
{
	struct packet packet;
	enum srv6 habit = sim->world->nodes[node].behaviour.srv6;
	if (parcel->bytes[0] >> 4 != 6 || parcel->bytes[NEXT_HEADER] != PROTOCOL_ROUTING ||
		packet_read(parcel->bytes, parcel->length, &packet) < 0 || !packet.ip.routing.present ||
		packet.ip.routing.segments_left == 0)
		return false;
	if (packet.ip.routing.type != 4 || habit == SRV6_REFUSE)
		complain_unknown(sim, node, in, parcel);
	else if (habit == SRV6_ON || habit == SRV6_STRICT) {
		send_on(sim, node, in, parcel, packet.ip.ttl);
		return true;
	}
	parcel_drop(sim, parcel);
	return true;
}

bool segments_welcome(const struct sim *sim, uint32_t node, const struct packet *packet)
{
	enum srv6 habit = sim->world->nodes[node].behaviour.srv6;
	return !packet->ip.routing.present || packet->ip.routing.type != 4 || habit != SRV6_OFF;
}
