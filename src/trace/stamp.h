/* A STAMP session (RFC 8762) as its sender: tells loss and delay of the way there from those of the way back,
 * where the far end reflects. Pure; a `struct machine`.
 *
 * It asks with one packet, or a few, and is DONE when nobody answers. Then it sends at the interval, which
 * carries a quarter of jitter, and at the end a few packets more if the last ones were not answered:
 * stamp_count.h tells what for.
 *
 * An answer is believed when it comes from where we asked, to our port, and repeats our session identifier
 * and the timestamp of the packet it answers to the last bit; of the timestamp eight bits are random, and the
 * rest is unknown to whoever has not seen the packet. */
#ifndef RETOUR_TRACE_STAMP_H
#define RETOUR_TRACE_STAMP_H

#include "base/hash.h"
#include "base/rng.h"
#include "path/directions.h"
#include "probe/machine.h"
#include "trace/stamp_count.h"
#include "trace/stamp_delay.h"

struct stamp_config {
	struct addr source, destination;
	uint16_t source_port, destination_port;
	uint32_t flow_label;
	uint8_t tos;
	uint16_t size;		/* of the UDP payload; 0 = as small as it gets */
	unsigned asks;		/* packets without any answer after which it gives up, */
	bool dormant;		/* but is not DONE: stamp_ask_again() */
	unsigned count;		/* packets, 0 = without end */
	int64_t interval_ns;	/* from packet to packet */
	int64_t wait_ns;	/* for an answer, at most */
	int64_t wall_offset_ns; /* wall clock less monotonic clock */
	bool synchronised;	/* our clock is said to be right, */
	int64_t clock_error_ns; /* with this error at most */
	struct hash_key key;	/* secret, fresh for every measurement */
};

/* Everything but what depends on the host. */
struct stamp_config stamp_defaults(void);

/* The first answer to a packet. */
typedef void stamp_observer(void *context, const struct stamp_sample *sample);

enum stamp_phase { STAMP_ASKING, STAMP_RUNNING, STAMP_CLOSING, STAMP_DONE };

struct stamp {
	struct stamp_config config;
	struct rng rng;
	stamp_observer *observer; /* or NULL */
	void *observer_context;
	enum stamp_phase phase;
	bool answered, refused, stopping;
	bool silent; /* dormant */
	uint16_t session;
	uint8_t ttl; /* with which our packets arrive there */
	int64_t next_send_ns, last_sent_ns, rtt_max_ns;
	unsigned closers, send_errors;
	bool far_synchronised; /* in its last answer */
	bool far_ptp;
	int64_t far_error_ns;
	struct stamp_count count;
	struct stamp_samples samples;
};

void stamp_init(struct stamp *stamp, const struct stamp_config *config);
void stamp_observe(struct stamp *stamp, stamp_observer *observer, void *context);
struct machine stamp_machine(struct stamp *stamp);
/* Send nothing more but what settles what was sent; DONE soon. */
void stamp_stop(struct stamp *stamp);
/* The same, and wait no longer than that. */
void stamp_hurry(struct stamp *stamp, int64_t wait_ns);
/* A dormant one asks with one packet more: the one before may have been lost. */
void stamp_ask_again(struct stamp *stamp);
struct directions stamp_directions(const struct stamp *stamp);

#endif
