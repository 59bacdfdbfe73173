/* By which router each network sends packets to one source on, as far as it was seen. Pure.
 *
 * A network that was seen to hand packets for the source to one neighbour only, most likely hands all of them to
 * it. So a way back that got stuck inside that network goes on from its exit: not measured, and said so. */
#ifndef RETOUR_REVTR_EXITS_H
#define RETOUR_REVTR_EXITS_H

#include <stdint.h>

#include "base/compiler.h"

struct exit_of {
	uint32_t asn;	   /* 0: free */
	uint32_t next_asn; /* to which it was seen to go on first */
	uint32_t address;  /* the last router of it that was seen on the way */
	unsigned votes, against;
};

struct exits {
	struct exit_of *table;
	uint32_t count, room; /* a power of two, or 0 */
};

void exits_deinit(struct exits *exits);
/* A way to the source: addresses and their networks (0 = not known), as packets travel. 0 or -ENOMEM. */
int exits_learn(struct exits *exits, const uint32_t *addresses, const uint32_t *asns, unsigned count) MUST_USE;
/* NULL: nothing is known, or it was seen to go on to several networks. */
const struct exit_of *exits_find(const struct exits *exits, uint32_t asn);

#endif
