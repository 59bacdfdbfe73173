/* One probe to a host every interval: what ping does. Pure; a `struct machine`.
 *
 * Where nobody answers the first probes, the other protocols send one each, one after the other. The first
 * that is answered takes over, and the statistics begin with that probe: what came before says nothing but
 * that this protocol does not get through. */
#ifndef RETOUR_TRACE_PING_H
#define RETOUR_TRACE_PING_H

#include "path/series.h"
#include "probe/engine.h"
#include "probe/machine.h"

#define PING_WAYS_MAX 4
#define PING_PROBES   4096 /* whose answers still count; a power of two */

struct ping_config {
	struct engine_config ways[PING_WAYS_MAX]; /* protocols in order of preference */
	unsigned way_count;
	uint8_t ttl;
	unsigned count; /* 0 = without end */
	int64_t interval_ns, wait_ns;
};

enum ping_event_kind {
	PING_ANSWER,
	PING_REFUSAL, /* somebody says that it does not get there */
	PING_LOST,
	PING_VOID,  /* it could not be sent: `error` */
	PING_OTHER, /* from now on with another protocol: the one that answered just now */
};

struct ping_event {
	enum ping_event_kind kind;
	uint32_t number; /* of the probe, from 1 on */
	int64_t at_ns, sent_ns;
	const struct reply *reply; /* PING_ANSWER, PING_REFUSAL */
	int error;
	bool late; /* PING_ANSWER: it had been given up */
};
typedef void ping_observer(void *context, const struct ping_event *event);

struct ping_probe {
	uint32_t number; /* 0 = unused */
	bool pending;
	int64_t sent_ns;
};

struct pinger {
	struct ping_config config;
	struct engine engines[PING_WAYS_MAX];
	unsigned way;	 /* of the config's */
	unsigned knocks; /* of the others that were sent */
	bool knocked;
	int64_t next_knock_ns;
	uint32_t knock_number;
	ping_observer *observer;
	void *context;
	struct series series; /* answers, and what was given up */
	unsigned sent, refusals, late, send_errors;
	unsigned earlier_sent; /* with the protocol that nobody answered */
	int send_error;
	uint32_t last_number, settle_next;
	int64_t started_ns, next_send_ns, last_sent_ns, rtt_max_ns;
	bool stopping, done;
	struct samples samples; /* the last */
	struct ping_probe probes[PING_PROBES];
};

/* The caller owns `ping`; ping_deinit frees what the engines allocated. */
void ping_init(struct pinger *ping, const struct ping_config *config, ping_observer *observer, void *context);
void ping_deinit(struct pinger *ping);
struct machine ping_machine(struct pinger *ping);
/* Send nothing more; DONE when what is in flight is settled. */
void ping_stop(struct pinger *ping);
/* The protocol in use. */
const struct engine_config *ping_way(const struct pinger *ping);

#endif
