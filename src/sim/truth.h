/* The way that packets really take: what measurements are compared with. */
#ifndef RETOUR_SIM_TRUTH_H
#define RETOUR_SIM_TRUTH_H

#include "sim/sim.h"

#define TRUTH_HOPS_MAX 64

enum truth_end {
	TRUTH_REACHED,
	TRUTH_DROPPED, /* a null route, at the last hop */
	TRUTH_REFUSED, /* the last hop answers that it cannot or must not deliver */
	TRUTH_LOOP,    /* the last hop is one that was there before; it goes on like that */
};

/* Why a node does not show in a traceroute. */
enum truth_hidden { HIDDEN_NOT, HIDDEN_SILENT, HIDDEN_MPLS, HIDDEN_RATE_LIMITED, HIDDEN_TUNNEL };

struct truth_hop {
	int ttl; /* at which a probe expires here; -1: TTLs do not count here (inside a hidden tunnel) */
	uint32_t node;
	uint32_t interface;  /* where packets come in */
	struct addr address; /* that an answer to the sender shows */
	int64_t delay_ns;    /* from the sender to here, without queues and faults */
	enum truth_hidden hidden;
	uint32_t label; /* with which packets arrive here; 0 = none */
	struct addr
		recorded; /* that it writes into the Record Route option of what it forwards; may be none */
	/* What packets are in as they arrive: a tunnel of labels (which leads to its router of this number),
	 * or one that plain routing does not know; WORLD_NONE: in none. */
	uint32_t tunnel, detour;
	unsigned tunnel_at;
};

struct truth {
	struct truth_hop hops[TRUTH_HOPS_MAX]; /* the target is the last when it is reached */
	unsigned hop_count;
	enum truth_end end;
};

/* The way of one packet from a host, at this moment. Its TTL does not matter. 0, -EBADMSG, -EINVAL. */
int sim_truth(
	struct sim *sim, uint32_t host, const uint8_t *bytes, size_t length, struct truth *truth) MUST_USE;
/* The same for any packet of a flow (`bytes` may be NULL: of any flow), at most `capacity` ways, and with
 * what faults do to links at this moment: their delay counts, and a link that is down and not routed around
 * drops. The number of ways. */
unsigned sim_truths_now(struct sim *sim, uint32_t host, struct addr destination, const uint8_t *bytes,
	size_t length, struct truth *truths, unsigned capacity);
/* How long a packet takes from a node to an address, by the first of equal ways; -1 when it does not arrive.
 */
int64_t sim_delay(struct sim *sim, uint32_t node, struct addr destination);
/* Every way that packets of any flow from `host` to `destination` may take: at most `capacity`; the number.
 */
unsigned sim_truths(
	struct sim *sim, uint32_t host, struct addr destination, struct truth *truths, unsigned capacity);

const char *truth_end_word(enum truth_end end);
/* NULL for HIDDEN_NOT. */
const char *truth_hidden_word(enum truth_hidden hidden);

#endif
