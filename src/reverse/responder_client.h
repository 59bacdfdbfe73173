/* What the client of the responder holds, and how its answers are read. For reverse/responder*.c only. */
#ifndef RETOUR_REVERSE_RESPONDER_CLIENT_H
#define RETOUR_REVERSE_RESPONDER_CLIENT_H

#include <stdbool.h>

#include "reverse/responder.h"

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

enum phase { PHASE_START, PHASE_BURST, PHASE_DONE };

struct responder_client {
	struct reverse_task task; /* with what it leaves open filled in */
	uint16_t first_id;
	struct request requests[REQUESTS_MAX];
	unsigned planned; /* requests that exist */
	unsigned sent;    /* of those, how many went out */
	unsigned burst;   /* the first of the current burst */
	enum phase phase;
	int64_t started_ns, ended_ns;
	int64_t burst_sent_ns; /* the last packet of the current burst */
	int64_t slowest_ns;    /* request to response, the longest so far; 0 = nothing yet */
	int64_t hello_ns;      /* the same of the hello */
	unsigned hello_tries;
	bool confirmed; /* a responder answered */
	uint64_t cookie;
	int64_t echoed_ns;  /* first echo of one of our requests; TIME_NEVER = none */
	int refused_status; /* error status of a request that was no hello; 0 = none */
	int send_error;     /* of the last send that failed */
	unsigned hops_home; /* that a response travelled: responders send with hop limit 64; 0 = not known */
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
	unsigned spare;  /* requests of the current burst beyond the end that may yet be answered */
	unsigned end;    /* where the path ends as far as is known; 0 = not known */
	bool reached;    /* it ends at our own address */
	bool inferred;   /* its length is that of the responses' way: the hops right before the end kept silent */
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

/* Of the method. */
struct path *responder_path(const void *self, int64_t started_wall_ns);
enum attempt_status responder_status(const void *self, char *detail, size_t size);
int64_t responder_duration_ns(const void *self);

#endif
