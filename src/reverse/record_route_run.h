/* What a Record Route measurement holds. For reverse/record_route*.c only. */
#ifndef RETOUR_REVERSE_RECORD_ROUTE_RUN_H
#define RETOUR_REVERSE_RECORD_ROUTE_RUN_H

#include "reverse/record_route.h"

enum rr_question { RR_ECHO, RR_UDP, RR_EXPIRING };

struct rr_probe {
	enum rr_question question;
	uint8_t ttl;
	uint16_t id, checksum; /* IPv4 identification; layer 4, as sent */
	int64_t sent_ns;
	int error; /* of the send */
	bool answered;
	/* The answer: an echo reply, or an ICMP error. */
	enum icmp_kind kind;
	int icmp_code;
	struct addr from;
	int reply_ttl;
	struct route_option list; /* of the reply, or in the quote; not present: it came without */
};

struct record_route {
	struct reverse_task task;
	const struct path *forward; /* borrowed, or NULL */
	int forward_length;	    /* hop limit of the target, 0 = not known; outlives `forward` */
	uint16_t icmp_id, source_port;
	uint64_t tag;
	struct rr_probe probes[OPTION_PACKETS_MAX];
	unsigned count;
	bool done;
	int64_t started_ns, ended_ns, rtt_ns; /* rtt_ns: of the first answer, 0 = none */
};

/* The first answered probe of a kind that serves its purpose; NULL = none. */
const struct rr_probe *record_route_answer(const struct record_route *run, enum rr_question question);

/* Of record_route_method. */
struct path *record_route_path(const void *self, int64_t started_wall_ns);
enum attempt_status record_route_status(const void *self, char *detail, size_t size);
int64_t record_route_duration_ns(const void *self);

#endif
