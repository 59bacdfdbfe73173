/* The strategy of Linux traceroute: probes in order, a window of them at once, each result told in order.
 * Pure; a `struct machine`.
 *
 * Theory of operation
 *
 * The probes of all hops stand in one row, hop by hop. The first that was not told yet is the head. Up to
 * `window` probes from the head on are on their way at once. Only the head may run out of time; how long it
 * may take is judged, in this order, by an answer of the same hop, by an answer of a later hop, and by the
 * longest wait.
 *
 * An answer other than "hop limit exceeded in transit" is final: the row ends behind its hop. A host that
 * refuses (as opposed to one that answers) often does so for the last few of a burst only; then the refusal
 * belongs to an earlier place in the row, and is moved to the head that ran out of time when something says
 * so: another refusal of the same hop, an earlier answer of the same address, or the distance that the
 * refusal itself travelled. */
#ifndef RETOUR_TRACE_CLASSIC_H
#define RETOUR_TRACE_CLASSIC_H

#include <stdbool.h>
#include <stdint.h>

#include "path/model.h"
#include "probe/engine.h"
#include "probe/machine.h"

#define CLASSIC_PER_HOP_MAX 10
#define CLASSIC_TTL_MAX	    255

struct classic_config {
	struct engine_config engine;
	unsigned first_ttl, max_ttl, per_hop;
	unsigned window;     /* probes on their way at once, 0 counts as 1 */
	int64_t wait_max_ns; /* for an answer, in any case */
	double wait_here;    /* times the round trip of an answer of the same hop; 0 = does not count */
	double wait_near;    /* the same for an answer of a later hop */
	int64_t gap_ns;	     /* the least time between two probes */
	bool port_grows;     /* each probe goes to the next destination port */
	bool find_mtu;	     /* start with engine.size, shrink where somebody says so, and mark it */
	uint16_t link_mtu;   /* what the first link takes; said where the kernel refuses a probe as too big */
};

enum classic_state { CLASSIC_UNSENT, CLASSIC_ON_ITS_WAY, CLASSIC_DONE };

struct classic_probe {
	enum classic_state state;
	bool final;
	uint8_t attempt; /* shrunk and sent again so often */
	int64_t sent_ns;
	struct probe_result result;
};

struct classic;
/* A probe is done and everything before it was told: its place in the row. */
typedef void classic_tell(void *context, const struct classic *classic, unsigned index);

struct classic {
	struct classic_config config;
	struct engine engine;
	classic_tell *tell;
	void *tell_context;
	int64_t reset_ns;     /* when the kernel has ended the connection that a port accepted */
	unsigned told;	      /* everything in the row before this one was told */
	unsigned end;	      /* behind the last that matters */
	bool head_late;	      /* its time is over; the sockets get one more look before it counts as lost */
	int64_t last_sent_ns; /* TIME_NEVER before the first */
	unsigned sent, last_sent; /* how many; which was the last */
	uint16_t size;		  /* of probes now, when looking for the MTU */
	int send_error;		  /* negative errno that ended the run */
	struct classic_probe probes[CLASSIC_TTL_MAX * CLASSIC_PER_HOP_MAX];
};

/* `tell` is called from within the machine. */
void classic_init(
	struct classic *classic, const struct classic_config *config, classic_tell *tell, void *context);
void classic_deinit(struct classic *classic);
struct machine classic_machine(struct classic *classic);
/* Did the destination, or somebody in its stead, end the row? */
bool classic_ended(const struct classic *classic);

static inline unsigned classic_ttl(const struct classic *classic, unsigned index)
{
	return index / classic->config.per_hop + 1;
}

#endif
