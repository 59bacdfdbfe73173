/* The way back by source routing: a packet that travels to the far host, and from there on to us. Pure; a
 * `struct machine`.
 *
 * Theory of operation
 *
 * An IPv6 packet with a Segment Routing Header (routing type 4, RFC 8754) names two segments, the far host
 * and our own address. A host that allows it sends the packet on to the next segment instead of answering. So
 * one sweep of hop limits shows the routers on the way there, then the far host, then the routers on the way
 * back: each answers us where the hop limit runs out, and quotes the packet. The quoted destination tells on
 * which side of the far host that was. A packet with hop limit to spare comes home, and what is left of its
 * hop limit tells how long the whole way is.
 *
 * The first burst asks whether the far host sends on at all: one packet that should come home, and the hop
 * limits around the far host, or the first 16 where its distance is not known. Hosts that do not send on,
 * which is most of them, cost no more than that and one repetition. Then everything that is missing is asked
 * for at once.
 *
 * Where the far host sits: at the hop limit at which it answers by its own address; at its distance on the
 * way there, where that is known and fits; or an echo request without the header tells. A host that answers
 * with the old destination in the quote and one that answers with the new one both exist: RFC 8754 4.3.1.1
 * looks at the hop limit before it takes the next segment, Linux after.
 *
 * The packets are echo requests: where the header is ignored, the far host's echo reply says so, and at home
 * they do no harm. They carry our own address as their source all the way, so a network at the far end that
 * checks sources (BCP 38) drops them there.
 *
 * Routing type 0 (RFC 2460, taken back by RFC 5095) and IPv4's loose source route (RFC 791, RFC 7126 4.3)
 * work alike where anybody still lets them, and are tried only on request. */
#ifndef RETOUR_REVERSE_SOURCE_ROUTE_H
#define RETOUR_REVERSE_SOURCE_ROUTE_H

#include "reverse/ladder.h"

/* Of the task count: target, source, max_ttl (of the way back), probes_per_hop, rtt_hint_ns, seed. */
extern const struct reverse_method source_route_method;	     /* IPv6, routing type 4 */
extern const struct reverse_method source_route_rh0_method;  /* IPv6, routing type 0 */
extern const struct reverse_method source_route_lsrr_method; /* IPv4 */

#endif
