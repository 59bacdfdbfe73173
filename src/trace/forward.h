/* Forward trace: which hop limit to probe next, and when to stop. Pure; a `struct machine`.
 *
 * Theory of operation
 *
 * All probes belong to one flow. Four kinds of probes, in this order of urgency:
 *
 *   distance  One probe with a large hop limit. The answer of the destination, or of the router that
 *             refuses to go on, tells how far it got (the quoted hop limit, exactly; an echo reply's hop
 *             limit, a guess), so that nothing is sent beyond it. It is a hint: the end is where a probe
 *             with a small hop limit ends.
 *   explore   One probe for each new hop limit, all at once within a window: up to the known distance, or
 *             a few hops beyond the last hop that answered.
 *   fill      The remaining probes of hops that have answered, and of silent hops behind which others
 *             answer.
 *   again     Missing answers only. A hop that stayed silent is asked once more at once; a hop that
 *             answered some and then fell silent is asked again after a pause longer than the usual refill
 *             of reply limiters (Linux: one a second), which shows whether it limits replies.
 *
 * Waiting is a multiple of the round-trip times seen so far, never a fixed time: a silent hop costs what
 * its neighbours cost. Only where the destination has not answered, the last round waits longer before the
 * verdict. An answer that comes after its time still counts, as long as the trace runs. */
#ifndef RETOUR_TRACE_FORWARD_H
#define RETOUR_TRACE_FORWARD_H

#include "path/model.h"
#include "probe/engine.h"
#include "probe/machine.h"

#define TRACE_PROBES_MAX 10 /* per hop and kind, as traceroute allows */
#define TRACE_TTL_MAX	 255

struct trace_config {
	enum probe_protocol protocol;
	struct addr source, destination;
	struct flow flow;
	uint8_t ip_protocol; /* of PROBE_IP */
	bool dns;	     /* UDP probes are questions to a name server */
	bool classic_port;   /* every probe has the next destination port, from that of the flow on */
	uint8_t tos;
	uint16_t size; /* of the whole packet; 0 = as small as it gets */
	bool dont_fragment;
	unsigned first_ttl, max_ttl;
	unsigned probes_per_hop; /* 1..TRACE_PROBES_MAX */
	unsigned window;	 /* hop limits probed at once before anything is known; 0 = the usual */
	unsigned sure;	     /* hop limits up to this one lie on the path: all their probes leave at once */
	unsigned gap_limit;  /* silent hops in a row that end the trace when the distance is not known */
	int64_t wait_max_ns; /* the longest wait for an answer; 0 = by what is seen, see above */
	double wait_here, wait_near; /* times the round trip of the same hop, of others; 0 = the usual */
	int64_t pause_ns;	     /* between two probes */
	unsigned simultaneous; /* probes that may wait for an answer at once; 0 = no limit but the window */
	int64_t rtt_hint_ns;   /* a round trip seen by others; 0 = none */
	bool knock;	       /* begin with the distance probe alone, and go on when released */
	struct hash_key key;
};

/* Everything but addresses, flow and key. */
struct trace_config trace_defaults(void);

struct trace_hop {
	uint8_t sent, answered, room; /* probes */
	bool asked_again;
	bool reached;	  /* the destination answered from here */
	bool unreachable; /* a refusal that ends the path */
	int64_t last_sent_ns;
	int64_t rtt_max_ns; /* RTT_NONE */
	struct probe_result *probes;
};

struct trace {
	struct trace_config config;
	struct engine engine;
	int64_t started_ns;  /* TIME_NEVER before the first call of next() */
	int64_t finished_ns; /* TIME_NEVER while it runs */
	int64_t rtt_max_ns;  /* over all hops, RTT_NONE */
	unsigned explored;   /* hop limits up to this one were probed */
	unsigned highest;    /* that answered */
	int64_t reset_ns;    /* when the kernel has ended the connection that a port accepted */
	unsigned end;	     /* hop limit of the end of the path, 0 = not known */
	unsigned distance;   /* hint from the distance probe, 0 = none */
	bool distance_sent;
	unsigned knocks;      /* distance probes sent so far */
	bool released;	      /* after knocking */
	bool yielding;	      /* the end is somebody else's to find */
	int64_t last_sent_ns; /* of all probes */
	int64_t distance_sent_ns;
	bool distance_answered;
	bool distance_through; /* the destination itself answered it */
	bool distance_exact;   /* the quoted hop limit said how far it got */
	bool distance_reached; /* to the destination; else to whoever refused it */
	struct probe_result distance_probe;
	bool looping;
	int send_error;	      /* the first send that failed, negative errno */
	unsigned send_errors; /* sends in a row that failed */
	unsigned probes_sent, replies_received;
	struct trace_hop hops[TRACE_TTL_MAX + 1]; /* by hop limit */
};

void trace_init(struct trace *trace, const struct trace_config *config);
void trace_deinit(struct trace *trace);
struct machine trace_machine(struct trace *trace);
/* The path as known now: complete when the machine is DONE, what there is when it was interrupted. `wall_ns`
 * is the wall-clock time at which the trace started. Caller owns. NULL: out of memory. */
struct path *trace_path(const struct trace *trace, int64_t wall_ns, int64_t now_ns);

/* A knocking trace whose distance probe was answered goes on, from this hop limit. */
void trace_release(struct trace *trace, unsigned first_ttl);
/* Another protocol got through: what stays silent beyond the last answer is not asked again. */
void trace_yield(struct trace *trace);
/* Beyond the last answer nothing came, even when asked again. */
bool trace_is_in_silence(const struct trace *trace);

/* For trace/ itself: forward.c decides, forward_path.c tells. */
/* A listening port that accepts keeps its answer for the one connection: until our reset comes, it says
 * nothing to other SYNs from the same port (RFC 9293 3.10.7.4; Linux acknowledges one in half a second).
 * These got there, and count as neither sent nor lost. Is it so with this probe? */
bool trace_swallowed(const struct trace *trace, unsigned ttl, unsigned index);
/* Did the port accept a probe with this hop limit? Then one at a time may ask. */
bool trace_accepted(const struct trace *trace, unsigned ttl);
bool trace_repeats(const struct trace *trace, unsigned last_ttl);

#endif
