/* What the nodes of a way reveal to probes: found out by giving each of them some, as it stands there. */
#ifndef RETOUR_SIM_REVEAL_H
#define RETOUR_SIM_REVEAL_H

#include "packet/packet.h"
#include "sim/truth.h"

#define REVEAL_STAMPS 4 /* places in the Timestamp options that are asked with */

/* An answer to one probe. */
struct reaction {
	bool answers; /* the rest counts only if so */
	struct addr source;
	uint8_t ttl; /* as it leaves */
	uint8_t type, code;
};

enum treatment { OPTIONS_UNKNOWN, OPTIONS_PASS, OPTIONS_STRIPPED, OPTIONS_DROPPED };

struct endpoint {
	struct addr addr;
	uint16_t port; /* of UDP or TCP, or the id of an ICMP echo */
};

struct reveal {
	struct addr asked;	/* one of the node's own: the one it shows, if that is one */
	struct reaction error;	/* to a packet whose time is up; of the target: to one for a closed port */
	struct reaction echo;	/* to a ping of `asked` */
	struct reaction reset;	/* to a SYN for a port that nobody listens at */
	enum treatment options; /* of IPv4 packets that pass through */
	struct addr stamped;	/* beside the time, as a Timestamp option passes through; or none */
	/* A ping of `asked` with options. Answered means: the option came back. All that stands in it was
	 * written by this node. */
	struct reaction route, time;
	uint8_t route_count, time_count;
	struct addr routes[RECORD_ROUTE_SLOTS_MAX], times[REVEAL_STAMPS];
	/* With prespecified addresses, REVEAL_STAMPS in number: how many it stamps when all are `asked`, and
	 * when all are nobody's. */
	struct reaction own, others;
	uint8_t own_count, others_count;
	/* What packets of the flow that pass through come from, and go to, before and after. */
	bool translates;
	struct endpoint before[2], after[2];
};

/* For each hop of `truth`, found for this packet of the host's. Each node is asked as if nothing had been
 * asked of it before, and links lose nothing. `scratch` is a simulator for this alone, without machines: what
 * its nodes remember is forgotten. */
void sim_reveal(struct sim *scratch, const struct truth *truth, const uint8_t *bytes, size_t length,
	struct reveal reveals[TRUTH_HOPS_MAX]);

const char *treatment_word(enum treatment treatment); /* NULL: unknown */

#endif
