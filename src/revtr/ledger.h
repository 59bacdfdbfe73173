/* What an agent has sent, for its owner: of which kind, for whom, to which networks. Bounded; pure. */
#ifndef RETOUR_REVTR_LEDGER_H
#define RETOUR_REVTR_LEDGER_H

#include "base/addr.h"
#include "revtr/task.h"

#define LEDGER_KINDS	64
#define LEDGER_NETWORKS 256
#define LEDGER_BITS	24 /* of a network */

struct ledger_kind {
	enum revtr_probe probe;
	bool spoofed;	    /* in the source's name */
	struct addr source; /* for whom */
	uint64_t packets;
};

struct ledger_network {
	uint32_t network; /* its first address */
	uint64_t packets;
};

struct ledger {
	struct ledger_kind kinds[LEDGER_KINDS];
	struct ledger_network networks[LEDGER_NETWORKS];
	unsigned kind_count, network_count;
	uint64_t other_kinds, elsewhere; /* that there was no room for */
};

void ledger_note(
	struct ledger *ledger, enum revtr_probe probe, bool spoofed, struct addr source, struct addr target);
/* The networks with the most packets, `most` of them; how many there are. */
unsigned ledger_busiest(const struct ledger *ledger, struct ledger_network *networks, unsigned most);

#endif
