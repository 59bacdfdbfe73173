/* What a router does to a packet: screening, the way, the TTL, and the next link. */
#include "sim/core.h"

#include <string.h>

#include "packet/forward.h"

/* RFC 792, RFC 1812 5.2.7.1; RFC 4443 3.1. What the other family does not know becomes what is nearest. */
static const struct {
	uint8_t code4, code6;
} refusal_codes[] = {
	[REFUSE_NET] = {0, 0},
	[REFUSE_HOST] = {1, 3},
	[REFUSE_ADMIN] = {13, 1},
	[REFUSE_PROTOCOL] = {2, 4},
	[REFUSE_PORT] = {3, 4},
	[REFUSE_SOURCE_ROUTE] = {5, 0},
	[REFUSE_NET_UNKNOWN] = {6, 0},
	[REFUSE_HOST_UNKNOWN] = {7, 3},
	[REFUSE_ISOLATED] = {8, 0},
	[REFUSE_NET_ADMIN] = {9, 1},
	[REFUSE_HOST_ADMIN] = {10, 1},
	[REFUSE_NET_TOS] = {11, 0},
	[REFUSE_HOST_TOS] = {12, 3},
	[REFUSE_PRECEDENCE] = {14, 1},
	[REFUSE_CUTOFF] = {15, 1},
	[REFUSE_SCOPE] = {1, 2},
	[REFUSE_POLICY] = {13, 5},
	[REFUSE_REJECT] = {0, 6},
	[REFUSE_RESET] = {3, 4},
};

struct complaint refusal_complaint(enum refusal refusal)
{
	return (struct complaint){
		.type4 = ICMP4_UNREACHABLE,
		.code4 = refusal_codes[refusal].code4,
		.type6 = ICMP6_UNREACHABLE,
		.code6 = refusal_codes[refusal].code6,
	};
}

static void complain_refused(struct sim *sim, const struct transit *transit, enum refusal refusal)
{
	struct complaint complaint = refusal_complaint(refusal);
	complaint.by_route = true;
	answer_error(sim, transit->node, transit->in, transit->parcel, &complaint);
}

/* A packet whose label came off here is quoted with it (RFC 4950). */
static void complain_expired(struct sim *sim, const struct transit *transit)
{
	struct complaint complaint = {.type4 = ICMP4_TIME_EXCEEDED, .type6 = ICMP6_TIME_EXCEEDED};
	if (transit->popped) {
		complaint.tunnel = transit->popped;
		complaint.tunnel_at = transit->popped->count - 1;
		complaint.label_ttl = transit->parcel->label_ttl;
	}
	answer_error(sim, transit->node, transit->in, transit->parcel, &complaint);
}

/* RFC 1191 4, RFC 8201 4; of labelled packets, RFC 3032 3.5. */
void complain_too_big(
	struct sim *sim, const struct transit *transit, const struct world_tunnel *tunnel, uint32_t mtu)
{
	enum too_big habit = sim->world->nodes[transit->node].behaviour.too_big;
	sim->counts.too_big++;
	if (habit == TOO_BIG_SILENT)
		return;
	answer_error(sim, transit->node, transit->in, transit->parcel,
		&(struct complaint){
			.type4 = ICMP4_UNREACHABLE,
			.code4 = 4,
			.type6 = ICMP6_PACKET_TOO_BIG,
			.too_big = true,
			.mtu = habit == TOO_BIG_ZERO ? 0 : mtu,
			.tunnel = tunnel,
			.tunnel_at = tunnel ? transit->parcel->tunnel_at : 0,
			.label_ttl = transit->parcel->label_ttl,
		});
}

/* RFC 3168 5: the low two bits are ECN's, the others DSCP's (RFC 2474 3). */
static void bleach(const struct sim *sim, const struct transit *transit)
{
	static const uint8_t kept[] = {
		[BLEACH_NONE] = 0xff, [BLEACH_ECN] = 0xfc, [BLEACH_DSCP] = 0x03, [BLEACH_ALL] = 0x00};
	enum bleach habit = sim->world->nodes[transit->node].behaviour.bleach;
	if (habit != BLEACH_NONE)
		(void)forward_mask_tos(transit->parcel->bytes, transit->parcel->length, kept[habit]);
}

/* What only some routers do as a packet passes. False: it does not. */
static bool pass_boxes(struct sim *sim, struct transit *transit, uint32_t out)
{
	const struct behaviour *behaviour = &sim->world->nodes[transit->node].behaviour;
	if (behaviour->rule_count > 0 &&
		!screen_firewall(sim, transit->node, transit->in, transit->parcel, &transit->peek))
		return false;
	if (behaviour->nat)
		nat_leave(sim, transit, out);
	bleach(sim, transit);
	return true;
}

/* The tunnel of labels that begins here, or WORLD_NONE. */
static uint32_t tunnel_by(struct sim *sim, const struct transit *transit, const struct way *way, uint32_t out)
{
	return way->route.via_count == 1 ? way->tunnel
					 : mpls_tunnel(sim, transit->node, out, transit->peek.destination);
}

/* Out by one of the ways, with a label if a tunnel begins here. Takes the parcel. */
static void send_by(
	struct sim *sim, struct transit *transit, const struct way *way, uint32_t out, uint8_t ttl)
{
	uint32_t tunnel = tunnel_by(sim, transit, way, out);
	if (transit->peek.options)
		options_stamp(sim, transit->node, transit->in, out, transit->parcel);
	if (tunnel != WORLD_NONE)
		mpls_push(sim, transit->parcel, tunnel, ttl);
	sim_transmit(sim, out, transit->parcel);
}

/* Does the last router of a hidden tunnel send this on although its time is up, and does so untouched? Those
 * that take the label off themselves do. A router that forgets to look at the TTL lets it become zero. */
static bool lives_on(const struct sim *sim, const struct transit *transit, uint8_t *ttl)
{
	const struct world_tunnel *popped = transit->popped;
	*ttl = (uint8_t)(transit->peek.ttl - 1);
	if (transit->peek.ttl > 1)
		return true;
	if (transit->peek.ttl == 1 && popped && popped->hidden && popped->pop == POP_ULTIMATE) {
		*ttl = 1;
		return true;
	}
	return transit->peek.ttl == 1 && sim->world->nodes[transit->node].behaviour.zero_ttl;
}

/* How long a packet may be that leaves so; 0: any. */
static unsigned room_by(struct sim *sim, const struct transit *transit, const struct way *way, uint32_t out)
{
	unsigned mtu = sim->world->interfaces[out].mtu;
	return mtu && tunnel_by(sim, transit, way, out) != WORLD_NONE ? mtu - LABEL_BYTES : mtu;
}

/* On by one of the ways. True: the parcel was taken. */
static bool pass_on(struct sim *sim, struct transit *transit, const struct way *way, uint8_t ttl)
{
	const struct behaviour *behaviour = &sim->world->nodes[transit->node].behaviour;
	struct parcel *parcel = transit->parcel;
	uint32_t out = way_choose(sim, transit->node, &way->route, &transit->peek);
	unsigned room = room_by(sim, transit, way, out);
	if (room != 0 && parcel->length > room && transit->peek.dont_fragment) {
		complain_too_big(sim, transit, NULL, room);
		return false;
	}
	if (!behaviour->plain) {
		struct way kept = *way; /* what is looked up meanwhile may take its place */
		if (!pass_boxes(sim, transit, out))
			return false;
		(void)forward_set_ttl(parcel->bytes, parcel->length, ttl);
		if (!behaviour->detours || !detour_wrap(sim, transit))
			send_by(sim, transit, &kept, out, ttl);
		return true;
	}
	(void)forward_set_ttl(parcel->bytes, parcel->length, ttl);
	send_by(sim, transit, way, out, ttl);
	return true;
}

/* RFC 1812 5.2.1. Like Linux, a router that has no way says so before it looks at the TTL; a null route, on
 * the other hand, is at the end of the line, so the router before the hole still shows. */
static void forward(struct sim *sim, struct transit *transit)
{
	const struct way *way = way_find(sim, transit->node, transit->peek.destination);
	uint8_t ttl;
	if (way->route.kind == ROUTE_LOCAL && segments_take(sim, transit->node, transit->in, transit->parcel))
		return;
	if (way->route.kind == ROUTE_LOCAL)
		answer_local(sim, transit->node, transit->in, transit->parcel);
	else if (way->route.kind == ROUTE_REFUSE)
		complain_refused(sim, transit, way->route.refusal);
	else if (!lives_on(sim, transit, &ttl))
		complain_expired(sim, transit);
	else if (way->route.kind == ROUTE_VIA && pass_on(sim, transit, way, ttl))
		return;
	else
		sim->counts.blackholed += way->route.kind != ROUTE_VIA;
	parcel_drop(sim, transit->parcel);
}

/* From a false source, or into a network that is hidden behind its router? A TTL that ends at a translator is
 * said about the packet as it came. */
static bool enter_boxes(struct sim *sim, struct transit *transit)
{
	const struct behaviour *behaviour = &sim->world->nodes[transit->node].behaviour;
	if (behaviour->source_filter != SOURCE_ANY && !transit->unwrapped && !screen_source(sim, transit))
		return false;
	/* Only the first fragment knows of ports; a box that needs them waits for all. */
	if ((behaviour->nat || behaviour->stateful) &&
		(!fragments_gather(sim, transit->node, transit->parcel) ||
			!peek_read(transit->parcel->bytes, transit->parcel->length, false, &transit->peek)))
		return false;
	if (!behaviour->nat)
		return true;
	if (transit->peek.ttl <= 1 && nat_expects(sim, transit)) {
		complain_expired(sim, transit);
		return false;
	}
	return nat_enter(sim, transit);
}

/* False: the parcel was taken on its way inside a tunnel. */
static bool leave_tunnels(struct sim *sim, struct transit *transit)
{
	struct parcel *parcel = transit->parcel;
	if (parcel->tunnel != WORLD_NONE && !mpls_receive(sim, transit))
		return false;
	if (parcel->detour == WORLD_NONE)
		return true;
	transit->unwrapped = true;
	return detour_receive(sim, transit->node, parcel);
}

void router_receive(struct sim *sim, uint32_t interface, struct parcel *parcel)
{
	struct transit transit = {
		.node = sim->world->interfaces[interface].node, .in = interface, .parcel = parcel};
	if ((parcel->tunnel != WORLD_NONE || parcel->detour != WORLD_NONE) && !leave_tunnels(sim, &transit))
		return;
	if (!peek_read(parcel->bytes, parcel->length, false, &transit.peek))
		sim->counts.malformed++;
	else if ((!transit.peek.options || options_pass(sim, &transit)) &&
		(sim->world->nodes[transit.node].behaviour.plain || enter_boxes(sim, &transit))) {
		forward(sim, &transit);
		return;
	}
	parcel_drop(sim, parcel);
}

void node_send(struct sim *sim, uint32_t node, struct parcel *parcel)
{
	struct transit transit = {.node = node, .in = WORLD_NONE, .parcel = parcel};
	if (parcel->tunnel != WORLD_NONE) {
		mpls_forward(sim, node, parcel);
		return;
	}
	if (peek_read(parcel->bytes, parcel->length, false, &transit.peek)) {
		const struct way *way = way_find(sim, node, transit.peek.destination);
		if (way->route.kind == ROUTE_VIA) {
			send_by(sim, &transit, way, way_choose(sim, node, &way->route, &transit.peek),
				transit.peek.ttl);
			return;
		}
	}
	sim->counts.blackholed++;
	parcel_drop(sim, parcel);
}
