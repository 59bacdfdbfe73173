/* What agents are asked to do, and what comes back. Typed and bounded: never text for a shell. */
#ifndef RETOUR_REVTR_TASK_H
#define RETOUR_REVTR_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "packet/packet.h"

enum revtr_probe {
	REVTR_RR_PING,	  /* an echo request with Record Route */
	REVTR_TRACEROUTE, /* by echo requests, one probe a hop */
	REVTR_CHALLENGE,  /* an echo request that only who stands at the target can tell of */
	REVTR_RR_UDP,  /* a UDP packet with Record Route to a port that is hardly open: its refusal quotes the
			  list */
	REVTR_TS_PING, /* an echo request with Timestamp, the addresses that shall stamp prespecified */
	REVTR_TRIAL, /* an echo request whose fate is told by all who see it: a test of agents (capability.h)
		      */
	REVTR_PING,  /* an echo request without options */
};

/* REVTR_TRIAL: what has become of it. */
enum revtr_seen {
	REVTR_SEEN_NOTHING,
	REVTR_SEEN_SENT,     /* by its sender: it has left */
	REVTR_SEEN_FAILED,   /* it has not: `error` */
	REVTR_SEEN_REQUEST,  /* at its target */
	REVTR_SEEN_REPLY,    /* at the address in whose name it was sent */
	REVTR_SEEN_EXCEEDED, /* there: a router's word that its hop limit was reached */
};

#define REVTR_TRACE_MAX 32 /* hops of a traceroute */
#define REVTR_LISTED_MAX                                                                                     \
	4 /* 40 octets of options: 4 of header, 8 for an address and its time (RFC 791 3.1) */

struct revtr_task {
	uint32_t id; /* never 0 */
	enum revtr_probe probe;
	uint32_t agent;	    /* who sends, by index */
	uint32_t source;    /* for whom, by index: who gets the replies of spoofed packets */
	bool spoofed;	    /* sent in the source's name */
	struct addr target; /* IPv4: there is no Record Route in IPv6 */
	/* REVTR_TS_PING: each stamps only after those before it have. At least one. */
	struct addr listed[REVTR_LISTED_MAX];
	unsigned listed_count;
	/* REVTR_TRIAL */
	uint8_t ttl;
	bool options; /* Record Route */
};

struct revtr_answer {
	uint32_t task;
	bool answered;
	struct addr from;
	struct route_option
		reply; /* REVTR_RR_PING: the list as it came home; REVTR_RR_UDP: as it arrived there */
	int reply_ttl; /* of the packet that came, 0 = not known */
	struct timestamp_option times; /* REVTR_TS_PING: as it came home */
	/* REVTR_TRACEROUTE: the routers, none = silent; the target is the last where it was reached. */
	struct addr trace[REVTR_TRACE_MAX];
	uint8_t trace_ttl[REVTR_TRACE_MAX]; /* hop limits that their answers came home with, 0 = not known */
	unsigned trace_count;
	bool reached;
	uint64_t nonce; /* REVTR_CHALLENGE: what was in it */
	enum revtr_seen
		seen; /* REVTR_TRIAL: with `from`, `reply_ttl` and `reply` of the packet that tells it */
	int error;    /* REVTR_SEEN_FAILED: negative errno */
};

#endif
