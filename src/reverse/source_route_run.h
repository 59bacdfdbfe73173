/* What a source route measurement holds. For reverse/source_route*.c only. */
#ifndef RETOUR_REVERSE_SOURCE_ROUTE_RUN_H
#define RETOUR_REVERSE_SOURCE_ROUTE_RUN_H

#include "reverse/source_route.h"

enum source_route_kind {
	SOURCE_ROUTE_SEGMENTS, /* IPv6, routing type 4 */
	SOURCE_ROUTE_TYPE0,    /* IPv6 */
	SOURCE_ROUTE_LOOSE,    /* IPv4 */
};

#define HELLO_TTL	 64 /* of the packet that should come home */
#define SWEEP_TTL_MAX	 (HELLO_TTL - 1)
#define TRIES_MAX	 3 /* for each hop limit */
#define PLAIN_WINDOW_MAX 8
#define SR_PROBES_MAX	 ((HELLO_TTL + PLAIN_WINDOW_MAX) * TRIES_MAX)

struct sr_probe {
	uint8_t ttl;
	bool plain; /* without the header, to learn how far the far host is */
	bool answered;
	int error; /* of the send */
	int64_t sent_ns;
};

/* What is known at a hop limit. */
struct sr_slot {
	unsigned sent, received;
	struct addr from; /* of the first answer; none = no answer */
	bool beyond;	  /* the packet was on its way back */
};

enum plain_answer { PLAIN_UNKNOWN, PLAIN_EXPIRED, PLAIN_REACHED };

struct sr_plain {
	unsigned sent;
	enum plain_answer answer;
};

/* The first that said that it does not like the header. */
struct sr_refusal {
	struct addr from; /* none: nobody did */
	enum icmp_kind kind;
	uint8_t type, code;
	uint32_t pointer;
	bool beyond;
};

struct source_route {
	struct reverse_task task;
	enum source_route_kind kind;
	unsigned forward_length; /* hop limit of the far host, 0 = not known */
	uint64_t tag;
	struct flow flow;		     /* of all packets */
	struct sr_slot slots[HELLO_TTL + 1]; /* by hop limit */
	struct sr_plain plain[HELLO_TTL + 1];
	bool home;    /* a packet came home */
	unsigned end; /* the least hop limit with which it does, 0 = not known */
	bool echoed;  /* the far host answers instead of sending on */
	struct sr_refusal refusal;
	struct sr_probe probes[SR_PROBES_MAX];
	unsigned planned, sent, burst; /* probes that exist, that went out, first of the current burst */
	unsigned rounds;
	unsigned replies;
	bool started, done;
	int64_t started_ns, ended_ns, burst_sent_ns, slowest_ns;
};

struct sr_view {
	bool proof;	       /* the far host sends on */
	unsigned last_there;   /* the highest hop limit that ran out before the far host; 0 = none */
	unsigned first_beyond; /* the lowest that ran out after it; 0 = none */
	unsigned highest;      /* that was answered */
	unsigned far_low,
		far;  /* the far host is not before, and not after; equal: it is there. 0 = not known */
	unsigned end; /* where we are; 0 = not known */
};

void source_route_look(const struct source_route *run, struct sr_view *view);

/* Of the methods. */
struct path *source_route_path(const void *self, int64_t started_wall_ns);
enum attempt_status source_route_status(const void *self, char *detail, size_t size);
int64_t source_route_duration_ns(const void *self);

#endif
