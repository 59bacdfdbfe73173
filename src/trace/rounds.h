/* The continuous measurement: every interval one probe to each hop of the way, for a number of rounds or
 * without end. Pure; a `struct machine`.
 *
 * Theory of operation
 *
 * All probes of a round take one flow, and so do all rounds, unless several flows were given: then rounds
 * take them in turn, as many packets a second, and each flow has a timeline of its own that says where its
 * way ends and who skips answers to it. Those of a round go out spread over most of the interval, in the
 * order of their hop limits and with jitter, so that no router, and no link on the way back, sees a burst:
 * Linux routers refill one ICMP error a second for each destination (net.ipv4.icmp_ratelimit). The first
 * round alone goes out at once, within a small window beyond the last answer, so that there is something to
 * look at after a round trip or two.
 *
 * Length: a round covers the way up to its end. Where the end stays silent, the next rounds look a little
 * further, one hop more each, in case the way has grown; where a router answers instead of the end, the same
 * round goes on behind it at once. While no end is known, one of the silent hops behind the last answer is
 * tried each round.
 *
 * Waiting: while rounds follow, a probe has time enough (seconds) to be answered before it counts as lost,
 * and later answers still take that back. After the last round the wait is a small multiple of the round
 * trips seen, so that N rounds take N intervals and one round trip.
 *
 * Limits on replies: when a hop leaves more probes unanswered than those behind it do, it is asked alone and
 * slower for a while, and only its own hop limit. If that brings the answers back, it limits replies.
 *
 * A driver that calls late by more than the plan allows was suspended, or starved: what was in flight then is
 * not judged unless its answer turns up, and the schedule starts anew. */
#ifndef RETOUR_TRACE_ROUNDS_H
#define RETOUR_TRACE_ROUNDS_H

#include "base/rng.h"
#include "path/timeline.h"
#include "probe/engine.h"
#include "probe/machine.h"

#define ROUNDS_INTERVAL_MIN_NS (20 * 1000000LL)
#define ROUNDS_PROBES	       4096 /* whose answers still count; a power of two */

struct rounds_config {
	struct engine_config engine;
	unsigned first_ttl, max_ttl;
	unsigned gap_limit;  /* silent hops in a row beyond which nobody is asked */
	unsigned rounds;     /* 0 = without end */
	int64_t interval_ns; /* from round to round */
	bool no_retest;	     /* do not ask hops that skip answers more slowly */
};

/* Everything but what depends on the host. */
struct rounds_config rounds_defaults(void);

/* Called for every event, after the timeline has taken it in. `changed`: with it the way changed. */
typedef void rounds_observer(void *context, const struct watch_event *event, bool changed);

struct rounds_probe {
	uint32_t number; /* 0 = unused */
	uint32_t round;
	uint32_t token;
	uint8_t ttl, flow;
	bool test, pending, lost;
	bool shaky;	 /* was in flight when the driver fell silent */
	int64_t sent_ns; /* absolute */
};

/* A slower re-ask of one hop. */
struct rounds_test {
	uint8_t ttl;  /* 0 = none */
	uint8_t flow; /* with which it is asked */
	unsigned asked, answered, settled;
	int64_t next_ns;
};

#define ROUNDS_TESTS 2 /* at a time */

struct rounds {
	struct rounds_config config;
	struct engine engine;
	struct timeline timeline;
	rounds_observer *observer; /* or NULL */
	void *observer_context;
	struct rng rng;
	int64_t started_ns; /* TIME_NEVER before the first call of next() */
	int64_t finished_ns;
	int64_t expected_ns; /* when the driver was to call again */
	int64_t rtt_max_ns;  /* over all answers, RTT_NONE */
	bool stopping;	     /* no new probes */
	bool paused;
	/* The present round. */
	uint32_t round;
	bool round_open;
	int64_t round_started_ns;
	unsigned plan_last; /* hop limits up to this one belong to the round */
	unsigned next_ttl;  /* of them, to be sent next */
	int64_t next_send_ns, gap_ns;
	unsigned answered_to, ended_at; /* highest TTL that answered, least that ended the way; 0 = none */
	int64_t last_sent_ns;
	/* Probes in the order of sending; settled in that order. */
	uint32_t last_number, settle_next;
	uint32_t rounds_settled;
	struct rounds_test tests[ROUNDS_TESTS];
	int64_t tested_ns[TIMELINE_FLOWS][TIMELINE_TTL_MAX + 1]; /* when a re-ask ended, 0 = never */
	unsigned probes_sent;
	int send_error;	      /* the last send that failed, negative errno */
	unsigned send_errors; /* sends in a row that failed */
	struct rounds_probe probes[ROUNDS_PROBES];
};

/* The caller owns `rounds`; rounds_deinit frees what the timeline allocated. */
void rounds_init(struct rounds *rounds, const struct rounds_config *config);
/* Before the first call of next(): rounds take these flows in turn; the engine's own is not used. 0 or
 * -ENOMEM. */
int rounds_take_flows(struct rounds *rounds, const struct flow *flows, unsigned count) MUST_USE;
void rounds_deinit(struct rounds *rounds);
void rounds_observe(struct rounds *rounds, rounds_observer *observer, void *context);
struct machine rounds_machine(struct rounds *rounds);
/* Send nothing more; DONE when what is in flight is settled. */
void rounds_stop(struct rounds *rounds);
/* No new round starts while it is paused. */
void rounds_pause(struct rounds *rounds, bool paused);

#endif
