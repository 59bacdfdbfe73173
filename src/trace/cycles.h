/* The strategy of mtr: one probe after the other, hop by hop, cycle after cycle, evenly over the interval.
 * Pure; a `struct machine`. (trace/rounds.h is our own way to do the same.)
 *
 * Theory of operation
 *
 * A cycle ends behind the hop at which the destination was seen, behind too many hops that nobody answered
 * for, or at the last hop limit. What was seen is what is known at the moment of sending, so the first cycle
 * may overshoot. The pause between two probes is the interval shared by the hops of the cycle before. After
 * the last cycle the rest is waited for: no longer than `grace_ns`, and no longer than the round trips seen
 * make sensible. */
#ifndef RETOUR_TRACE_CYCLES_H
#define RETOUR_TRACE_CYCLES_H

#include <stdbool.h>
#include <stdint.h>

#include "path/model.h"
#include "path/series.h"
#include "probe/engine.h"
#include "probe/machine.h"

#define CYCLES_TTL_MAX	  255
#define CYCLES_RESPONDERS 8 /* addresses kept per hop */

struct cycles_config {
	struct engine_config engine;
	unsigned first_ttl, max_ttl;
	unsigned max_unknown; /* hops without an answer that end a cycle, when there are more */
	unsigned cycles;
	int64_t interval_ns; /* of a cycle */
	int64_t pause_ns;    /* between two probes; 0: the interval shared by the hops */
	int64_t grace_ns;
	int64_t timeout_ns; /* who answers later has not answered; 0: however late */
	bool fixed;	    /* every cycle goes to max_ttl */
	bool port_grows;    /* each probe has the next destination port */
};

struct cycles_responder {
	struct addr address;
	uint8_t mpls_count;
	struct mpls_entry mpls[MPLS_STACK_MAX];
};

struct cycles_hop {
	unsigned sent;
	bool reached;	     /* the destination answered, */
	bool refused;	     /* or somebody said that he does not go on */
	struct addr address; /* who answered last, none = nobody */
	struct series series;
	struct cycles_responder responders[CYCLES_RESPONDERS]; /* in the order in which they showed up */
	unsigned responder_count;
};

enum cycles_event_kind { CYCLES_SENT, CYCLES_NEW_RESPONDER, CYCLES_ANSWER };

struct cycles_event {
	enum cycles_event_kind kind;
	unsigned ttl;
	unsigned number;			  /* of the probe, from 0 on */
	int64_t rtt_ns;				  /* CYCLES_ANSWER */
	const struct cycles_responder *responder; /* CYCLES_NEW_RESPONDER; borrowed */
};

typedef void cycles_observer(void *context, const struct cycles_event *event);

struct cycles {
	struct cycles_config config;
	struct engine engine;
	cycles_observer *observer; /* or NULL */
	void *context;
	unsigned next_ttl, cycles_done, sent, answered;
	unsigned hosts; /* hops of the cycle before */
	int64_t next_send_ns, last_sent_ns, rtt_max_ns;
	int send_error;				    /* negative errno that ended the run */
	struct cycles_hop hops[CYCLES_TTL_MAX + 1]; /* by hop limit */
};

void cycles_init(
	struct cycles *cycles, const struct cycles_config *config, cycles_observer *observer, void *context);
void cycles_deinit(struct cycles *cycles);
struct machine cycles_machine(struct cycles *cycles);
/* The last hop to show: the destination's, the refusal's, or the one behind the last that answered; 0 = none.
 */
unsigned cycles_last(const struct cycles *cycles);

#endif
