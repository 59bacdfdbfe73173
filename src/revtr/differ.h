/* Record Route lists in the replies of one target to one source, from agents with different ways there.
 * Pure.
 *
 * Theory of operation
 *
 * Ways to one target run together the nearer they come to it, for forwarding goes by destination; behind the
 * target the replies have one way. So two lists that begin differently and agree from somewhere on have come
 * together, on the way there or at the target, and what they share is the end of the way there and the
 * beginning of the way back. Where the one ends and the other begins, they do not tell. Nor is it likely
 * that they hold the target at all: one that does not write itself down is rare, and one that is too far
 * away is not. In worlds whose truth is known, of 2,384 targets whose lists agree from where the survey
 * expects them, none had its way back in them (docs/revtr.md). So what lists share is never given out as the
 * way back.
 *
 * What they do tell is which of them got farther. If any of them holds the target, that one does, and it is
 * the one whose asking is worth a packet more (REVTR_RR_UDP). */
#ifndef RETOUR_REVTR_DIFFER_H
#define RETOUR_REVTR_DIFFER_H

#include <stdbool.h>

#include "packet/packet.h"

struct differ {
	unsigned first, second; /* where they come together: a place in each */
	unsigned shared;	/* stamps that both have from there on */
};

/* false: they have not come together, or never were apart. */
bool differ_compare(
	const struct route_option *first, const struct route_option *second, struct differ *differ);
/* By how many stamps the first has got farther than the second. */
int differ_ahead(
	const struct route_option *first, const struct route_option *second, const struct differ *differ);

#endif
