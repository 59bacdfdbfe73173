/* The virtual Internet: real packets through a world, in virtual time.
 *
 * Pure: no clock, no socket. Time is what the caller says (sim_advance), or jumps from event to event
 * (sim_run). The same world, seed and machines give the same run, on every machine. */
#ifndef RETOUR_SIM_SIM_H
#define RETOUR_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "probe/machine.h"
#include "sim/world.h"

struct sim;

/* The world is borrowed. NULL: out of memory. */
struct sim *sim_new(const struct world *world, uint64_t seed) MUST_USE;
void sim_free(struct sim *sim);
const struct world *sim_world(const struct sim *sim);
int64_t sim_now(const struct sim *sim);

enum sim_attach_flags {
	/* The machine answers ICMP echo with code 1: the host does not do so itself, as its kernel would not
	 * when a responder has installed its rule. */
	SIM_RESPONDER = 1,
	/* sim_run does not wait for it. */
	SIM_BACKGROUND = 2,
};

/* Run `machine` at a host: from now on it may send, and it sees every packet that arrives there. It is
 * borrowed until sim_free. 0, -EINVAL when `host` is not one, -ENOMEM. */
int sim_attach(struct sim *sim, uint32_t host, const struct machine *machine, unsigned flags) MUST_USE;
/* Run until every machine that is not in the background is DONE (true), or until `until_ns` (false). */
bool sim_run(struct sim *sim, int64_t until_ns);

/* The seam for a front end in real time: packets that arrive at a host go to `deliver`, and where that
 * returns true, neither to machines nor to the host's own stack; packets that come from a host are handed to
 * sim_send. */
typedef bool sim_deliver(void *context, uint32_t host, const uint8_t *bytes, size_t length);
void sim_set_deliver(struct sim *sim, sim_deliver *deliver, void *context);
/* A packet leaves a host at sim_now(). 0, -EMSGSIZE, -EBADMSG (not an IP packet), -ENETUNREACH, -ENOMEM. */
int sim_send(struct sim *sim, uint32_t host, const uint8_t *bytes, size_t length);
/* The time of the next event, or TIME_NEVER. */
int64_t sim_next(const struct sim *sim);
/* Is it a packet's arrival at a host? (What happens at routers nobody sees, and may be done a little later.)
 */
bool sim_next_is_visible(const struct sim *sim);
/* Do all that is due until `now_ns`, and make it now. */
void sim_advance(struct sim *sim, int64_t now_ns);

/* Look at every packet that leaves by an interface, before its link may lose it, and that arrives by one. */
typedef void sim_tap(void *context, uint32_t interface, bool arrives, const uint8_t *bytes, size_t length);
void sim_set_tap(struct sim *sim, sim_tap *tap, void *context);

/* A link broken by hand, on top of the faults of the world: it loses everything, and routers go on sending
 * there or use other ways. */
enum link_state { LINK_UP, LINK_DOWN, LINK_AVOIDED };
void sim_set_link(struct sim *sim, uint32_t link, enum link_state state);

/* Where packets went that never arrived; counted since sim_new. */
struct sim_counts {
	uint64_t sent, delivered, lost, blackholed, rate_limited, errors, answered;
	uint64_t malformed; /* not IP, shorter than they say, or with a bad header checksum */
	uint64_t filtered;  /* by firewalls, source filters and translators */
	uint64_t too_big;   /* for a link */
};
struct sim_counts sim_counts(const struct sim *sim);

#endif
