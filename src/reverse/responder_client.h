/* What the client of the responder holds, and how its answers are read. For reverse/responder*.c only. */
#ifndef RETOUR_REVERSE_RESPONDER_CLIENT_H
#define RETOUR_REVERSE_RESPONDER_CLIENT_H

#include <stdbool.h>

#include "packet/responder.h"
#include "reverse/responder.h"
#include "trace/multipath.h"

#define HELLO_TRIES  3
#define REQUESTS_MAX (HELLO_TRIES + RESPONDER_TTL_MAX * RESPONDER_PROBES_MAX)

struct request {
	uint8_t ttl; /* 0 = hello */
	int64_t sent_ns;
	bool failed; /* never left */
	bool answered;
	struct addr hop;
	int64_t rtt_ns;
};

enum phase { PHASE_START, PHASE_BURST, PHASE_WAYS, PHASE_DONE };

struct responder_client {
	struct reverse_task task; /* with what it leaves open filled in */
	struct addr server; /* the target, or a vantage point that the user named; none while its name is
			       looked up */
	char *vantage;	    /* as the user named it; NULL = none */
	char trouble[200];  /* with that name; "" = none */
	struct responder_lookup *lookup; /* NULL = none is going on */
	uint16_t first_id;
	struct request requests[REQUESTS_MAX];
	unsigned planned; /* requests that exist */
	unsigned sent;	  /* of those, how many went out */
	unsigned burst;	  /* the first of the current burst */
	enum phase phase;
	int64_t started_ns, ended_ns;
	int64_t burst_sent_ns; /* the last packet of the current burst */
	int64_t slowest_ns;    /* request to response, the longest so far; 0 = nothing yet */
	int64_t hello_ns;      /* the same of the hello */
	unsigned hello_tries;
	unsigned repetitions;  /* the first of those of the first burst; 0 = not asked for */
	int64_t first_sent_ns; /* then the last packet before them */
	bool confirmed;	       /* a responder answered */
	uint64_t cookie;
	struct addr seen;   /* our address as the responder saw it; none = it did not say */
	int64_t echoed_ns;  /* first echo of one of our requests; TIME_NEVER = none */
	int refused_status; /* error status of a request that was no hello; 0 = none */
	int send_error;	    /* of the last send that failed */
	unsigned hops_home; /* that a response travelled: responders send with hop limit 64; 0 = not known */
	struct responder_ways *ways; /* NULL = not asked for, or not begun */
};

/* What is known about the path. */
struct slot {
	unsigned sent, answered;
	struct addr hop; /* of the first answer */
};

/* Per TTL, [1] to [max_ttl]. */
struct overview {
	struct slot slots[RESPONDER_TTL_MAX + 1];
	unsigned highest_answered;
	unsigned spare; /* requests of the current burst beyond the end that may yet be answered */
	unsigned end;	/* where the path ends as far as is known; 0 = not known */
	bool reached;	/* it ends at our own address */
	bool inferred;	/* its length is that of the responses' way: the hops right before the end kept silent
			 */
	bool behind_nat; /* it ends at an address that answers for everything behind it */
};

/* Spare answers counted for the last hop. */
void responder_look(const struct responder_client *client, struct overview *overview);
/* The requests alone, without the spare ones. */
void responder_look_at_requests(const struct responder_client *client, struct overview *overview);
/* Is this a spare answer that the last hop still lacks? */
bool responder_counts_for_end(const struct responder_client *client, const struct overview *overview,
	const struct request *request);
/* Nothing but echoes has come back. */
bool responder_only_echoes(const struct responder_client *client);
/* Not one request could be sent. */
bool responder_all_failed(const struct responder_client *client);

/* Our address as the Internet sees it, by the user's word or the responder's; none = not known. */
struct addr responder_public_address(const struct responder_client *client);
/* A path whose end answered in our place is whole where that is our NAT. */
bool responder_is_our_nat(const struct responder_client *client, const struct overview *overview);
/* A request, padded to the most that it can cause. */
int responder_write_request(const struct responder_client *client, uint8_t ttl, uint16_t flow, uint16_t id,
	struct outgoing *outgoing) MUST_USE;
/* The number, counted from the first request on, that the response belongs to; false: it is none of ours. */
bool responder_is_response(
	const struct responder_client *client, const struct packet *packet, unsigned *index);
/* What it says: true where that is a hop. */
bool responder_read_hop(const struct responder_client *client, const struct packet *packet,
	struct responder_response *response);

/* Who is asked: sets server, or begins to look it up, or says what the trouble is. false: out of memory. */
bool responder_choose_server(struct responder_client *client);
/* Somebody else than the far host is asked. */
bool responder_at_vantage(const struct responder_client *client);
/* The look-up is not needed any more. */
void responder_forget_lookup(struct responder_client *client);
/* Marks the path as one of a vantage point's, where it is. 0 or -ENOMEM. */
int responder_mark_vantage(const struct responder_client *client, struct path *path) MUST_USE;

/* Every way back, flow by flow, when the client has found the end of one. For responder_ways.c. */
struct responder_ways *responder_ways_new(struct responder_client *client, int64_t now_ns);
void responder_ways_free(struct responder_ways *ways);
struct machine responder_ways_machine(struct responder_ways *ways);
/* NULL: out of memory. */
struct path *responder_ways_path(const struct responder_ways *ways, int64_t started_wall_ns);
struct multipath_status responder_ways_status(const struct responder_ways *ways);

/* Of the method. */
struct path *responder_path(const void *self, int64_t started_wall_ns);
enum attempt_status responder_status(const void *self, char *detail, size_t size);
int64_t responder_duration_ns(const void *self);
struct addr responder_learned_address(const void *self);

#endif
