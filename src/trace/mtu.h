/* How large packets may be on a path: path-MTU discovery. Pure; a machine.
 *
 * Theory of operation
 *
 * A probe that must not be cut either gets to the end of the path, which answers (with a small message:
 * probes are UDP, so that nothing large travels back), or is reported as too big by the router in front of
 * the narrow link, or vanishes. One question is a round: the large packet, and behind it a small one.
 *
 *   - An answer from the end: this size passes, and all smaller ones do.
 *   - "Too big": the router is noted, and the size that it names is asked next. What it names is not believed
 * but tried; where it names none, or nonsense, the sizes in between are searched.
 *   - Nothing, while the small packet of the round was answered: asked three times in all. A size that
 * vanishes three times beside small ones that pass is no ordinary loss. A round whose small packet is not
 * answered either says nothing; it is repeated after a pause longer than the usual refill of reply limiters.
 *
 * The search goes over sizes that links commonly have, then over whatever lies between what passed and what
 * did not. Where a size vanishes, one packet of that size to every hop limit shows how far it gets. From then
 * on the hops behind that place are asked in turns, so that their reply limits last, and the result is tried
 * at the end.
 *
 * The end is where small packets are answered: the destination, or the last hop that answers this protocol.
 * Too large for our own link is what the kernel refuses to send; that costs no packet. */
#ifndef RETOUR_TRACE_MTU_H
#define RETOUR_TRACE_MTU_H

#include "base/compiler.h"
#include "path/model.h"
#include "probe/engine.h"
#include "probe/machine.h"

#define MTU_SHOTS_MAX 512

struct mtu_config {
	struct engine_config probe;  /* UDP; its size does not matter */
	unsigned end_ttl;	     /* of the last hop that answered a trace */
	bool answers[UINT8_MAX + 1]; /* which hop limits did */
	int64_t rtt_ns;		     /* the longest round trip of that trace; RTT_NONE: not known */
};

enum mtu_fate {
	FATE_NONE,    /* nothing came */
	FATE_THERE,   /* answered from where it was to get to */
	FATE_TOO_BIG, /* a router said so */
	FATE_LOCAL,   /* the kernel did not send it */
};

struct mtu_shot {
	uint16_t size;
	uint8_t ttl;
	bool sent;
	uint32_t token;
	enum mtu_fate fate;
	struct addr from;
	unsigned said;
	int hop; /* of a router that said "too big", by the quoted hop limit; -1 = not known */
};

enum mtu_stage { MTU_SEARCH, MTU_LOCATE, MTU_DONE };

struct mtu {
	struct mtu_config config;
	struct engine engine;
	enum mtu_stage stage;
	int64_t started_ns, finished_ns, rtt_ns, last_sent_ns, not_before_ns;
	unsigned small;	     /* the least size */
	unsigned size;	     /* in question */
	unsigned low, high;  /* what passed, and what did not; 0 = none yet */
	unsigned local_high; /* that the kernel does not send, 0 = not known */
	enum mtu_fate high_fate;
	unsigned high_said;
	unsigned end;	   /* hop limit of the end */
	unsigned asked;	   /* the hop limit of this round: the end, or one before it */
	unsigned silences; /* rounds in which this size vanished */
	unsigned voids;	   /* rounds in a row whose small packet was not answered */
	bool black_hole;   /* a size vanished ... */
	unsigned located;  /* ... behind this hop limit */
	unsigned locating; /* rounds */
	bool proving;	   /* the result of a search behind a black hole is tried at the end */
	struct mtu_shot shots[MTU_SHOTS_MAX];
	unsigned shot_count;
	unsigned round; /* of questions; an answer to an earlier one is too late */
	unsigned sent, received;
	unsigned send_errors;
	int send_error;
	struct mtu_step steps[16];
	unsigned step_count;
};

void mtu_init(struct mtu *mtu, const struct mtu_config *config);
void mtu_deinit(struct mtu *mtu);
struct machine mtu_machine(struct mtu *mtu);
/* Put into `path`, whose hops it names, what is known by now. 0 or -ENOMEM. */
int mtu_tell(const struct mtu *mtu, struct path *path) MUST_USE;

#endif
