/* Two ways that part behind one router, asked once more: does one really lose packets, or did limits on
 * replies look like it? Pure; a machine.
 *
 * Theory of operation
 *
 * A flow that takes the suspected way and one that takes another leave in turns, one probe at a time, to the
 * hop limits behind the place where the ways meet again, one after the other. So each router is asked twice a
 * second at most, by one flow as often as by the other: whatever limits its replies meets both alike, and
 * only what happens on the ways themselves tells them apart. It ends as soon as the difference is beyond
 * chance (Fisher's exact test), or there is none. */
#ifndef RETOUR_TRACE_BRANCH_H
#define RETOUR_TRACE_BRANCH_H

#include "path/model.h"
#include "probe/engine.h"
#include "probe/machine.h"

#define BRANCH_TTLS_MAX	  8
#define BRANCH_PROBES_MAX 96

struct branch_config {
	struct engine_config probe; /* its flow is not used */
	struct flow flows[2];	    /* of the suspected way, of another */
	uint8_t ttls[BRANCH_TTLS_MAX];
	unsigned ttl_count;
	int64_t rtt_ns; /* the longest of the trace before */
};

struct branch_probe {
	int64_t sent_ns, rtt_ns; /* RTT_NONE = no answer (yet) */
};

struct branch {
	struct branch_config config;
	struct engine engine;
	struct branch_probe probes[BRANCH_PROBES_MAX]; /* in the order of sending */
	unsigned sent, received;
	bool done;
};

void branch_init(struct branch *branch, const struct branch_config *config);
void branch_deinit(struct branch *branch);
struct machine branch_machine(struct branch *branch);
/* What was found out by now. */
struct branch_test branch_result(const struct branch *branch);

#endif
