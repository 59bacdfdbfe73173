/* Every way that flows take to a destination: the multipath detection algorithm in parallel. Pure; a
 * machine.
 *
 * Theory of operation
 *
 * A cell is a flow at a hop limit: the question "which router does this flow meet there?". Balancers keep
 * a flow to one way, so a cell has one answer, and two cells of one flow at neighbouring hop limits are a
 * link. Whatever is not known that way is not said: a link is reported only when one and the same flow was
 * seen at both its ends.
 *
 *   first     One flow goes to all hop limits at once, as in a forward trace, with a probe that asks for
 *             the distance.
 *   widen     For every router seen, ever more flows known to pass it are asked at the next hop limit,
 *             until the stopping rule (trace/stopping.h) holds for the number of next hops seen. Flows
 *             known to pass it are those seen there; at a hop limit at which only one router was ever
 *             seen, all.
 *   steer     Where too few flows are known to pass a router, others are asked at its own hop limit first
 *             (node control), before all those that were asked behind it already.
 *   confirm   A next hop whose flows were not asked at the hop before: one of them is.
 *   repeat    Some flows are asked again at a hop that balances. If a flow is seen at two routers, packets
 *             are dealt out one by one there: no flow is stable, and all that answer form one class,
 *             behind which nothing is multiplied and no link is claimed until the ways have joined again.
 *   again     Missing answers. Once at once (it may be loss), then after a pause longer than the usual
 *             refill of reply limiters, and only as many as it gave before. Silence after that is a router
 *             that does not answer; it is no branch. A hop limit that goes on giving too few answers is
 *             marked as not complete.
 *
 * All hops and flows widen in the same round trip; a round waits for nothing but the answers it builds on.
 *
 * Routers are told by address, at whatever hop limit: on unequal branches a router stands at several, and
 * what is known of its next hops counts together. */
#ifndef RETOUR_TRACE_MULTIPATH_H
#define RETOUR_TRACE_MULTIPATH_H

#include "base/compiler.h"
#include "path/model.h"
#include "probe/engine.h"
#include "probe/machine.h"

#define MULTIPATH_FLOWS_MAX 256

/* Who puts the questions where we do not probe ourselves: somebody on the far end of the path does, and we
 * ask him. */
struct multipath_prober {
	void *context;
	int (*ask)(void *context, const struct probe_request *request, int64_t now_ns,
		struct outgoing *outgoing);
	void (*sent)(void *context, uint32_t token, int64_t sent_ns);
	/* As engine_match; *took_ns: from the question to the answer, of which the round trip is a part. */
	bool (*match)(void *context, int64_t received_ns, const struct packet *packet, struct reply *reply,
		int64_t *took_ns);
	unsigned distance; /* hops to the destination, 0 = not known; he is not asked for it */
};

struct multipath_config {
	struct engine_config probe; /* its flow is not used; of a prober's only protocol, addresses, type of
				       service, key */
	const struct multipath_prober *prober; /* copied; NULL = we probe */
	const struct flow *flows; /* read by multipath_new only; they must differ in what balancers hash */
	unsigned flow_count;	  /* 1..MULTIPATH_FLOWS_MAX */
	unsigned first_ttl, max_ttl;
	unsigned gap_limit;
	double confidence; /* that no next hop of a router is overlooked: 0.5 .. 0.9999 */
};

struct multipath;

/* NULL: out of memory. */
struct multipath *multipath_new(const struct multipath_config *config) MUST_USE;
void multipath_free(struct multipath *multipath);
struct machine multipath_machine(struct multipath *multipath);

/* How it stands. */
struct multipath_status {
	unsigned probes_sent, replies_received, routers, flows;
	unsigned explored;    /* hop limits up to this one */
	int send_error;	      /* the first send that failed, negative errno */
	unsigned send_errors; /* sends in a row that failed */
	int64_t rtt_max_ns;   /* RTT_NONE */
	bool finished;
};
struct multipath_status multipath_status(const struct multipath *multipath);

/* The path as known now, with edges. `wall_ns` is the wall-clock time at which it started. Caller owns. NULL:
 * out of memory. */
struct path *multipath_path(const struct multipath *multipath, int64_t wall_ns, int64_t now_ns) MUST_USE;

/* A few of the flows, at least one, that together meet as many as possible of the routers that were
 * found at each hop limit. How many; *missed: routers at hop limits that none of them meets. -ENOMEM. */
int multipath_choose(
	const struct multipath *multipath, struct flow *flows, unsigned most, unsigned *missed) MUST_USE;

#endif
