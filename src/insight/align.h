/* Lining the two directions up: which hops of the way there and of the way back are the same router.
 *
 * A time-exceeded message normally carries the address of the interface by which the probe came in. So on the
 * way there router F[k] shows its end of the link F[k-1]-F[k], and on the way back, over that same link in
 * the other direction, it is F[k-1] that shows its end. Two consequences:
 *
 *   equal addresses   are the same router, F[k] = R[j]: a router that always answers from one address, or a
 *                     link that both directions enter at the same end.
 *
 *   link mates        (the two ends of a /31 or /30, a /127 or /126) are two *neighbouring* routers on one
 *                     link that both directions cross. R[j] is the router before F[k] on the way there, and
 *                     F[k] the router before R[j] on the way back:
 *
 *                     there:   F[k-1] --------> F[k]     F[k] shows its end
 *                     back:    R[j]   <-------- R[j-1]   R[j] shows its end
 *
 *                     F[k-1] = R[j] and F[k] = R[j-1], also when one of them did not answer itself.
 *
 *   names             of two interfaces of one router, where its operator names them so (router_name.h): by
 *                     "alias". Weaker than an address or a link.
 *
 * Entries of `shared` therefore always pair one ROUTER with itself, by "address", "subnet" or
 * "alias"; entries by "as" only say that the two hops stand in the same network, and are used where nothing
 * better is known. Entries keep the order of both ways (one runs against the other): of all orderings the one
 * with the most evidence is taken.
 *
 * Where /31 links are numbered in a row, neighbouring addresses of two links look like one
 * /30; chain.c tells them apart.
 *
 * What this assumes: routers that answer from another interface than the one the probe came in by can make a
 * pair of mates one router wrong. The order and equal addresses, which weigh more, correct most of those. */
#ifndef RETOUR_INSIGHT_ALIGN_H
#define RETOUR_INSIGHT_ALIGN_H

#include "base/compiler.h"
#include "path/model.h"

/* The two usable ends of a point-to-point link: /31 or /30, /127 or /126. */
bool addr_is_link_mate(struct addr a, struct addr b);

/* NULL: out of memory. Both paths must be there. */
struct alignment *align_paths(const struct path *forward, const struct path *reverse) MUST_USE;

#endif
