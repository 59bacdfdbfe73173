/* The habits of nodes and links: as a world file writes them, and ready for use. */
#ifndef RETOUR_SIM_BEHAVIOUR_FILE_H
#define RETOUR_SIM_BEHAVIOUR_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"

/* Which of its addresses a router shows; also how it treats the Record Route option. */
enum stamp {
	STAMP_INBOUND,
	STAMP_OUTBOUND,
	STAMP_LOOPBACK,
	STAMP_PRIVATE, /* one that nobody can reach */
	STAMP_LINUX,   /* of errors: IPv4 as outbound, IPv6 as inbound; about its own ports what was asked */
	STAMP_NONE,
	STAMP_DROP,  /* IPv4 packets with options are dropped ... */
	STAMP_STRIP, /* ... or go on without them */
};
enum balance { BALANCE_NONE, BALANCE_FLOW, BALANCE_PACKET, BALANCE_OPTIONS };
/* TIME_CARELESS: of prespecified addresses the next is taken for one's own, whoever's it is. TIME_LINUX:
 * beside the time goes the address that faces the sender. */
enum time_habit { TIME_STANDARD, TIME_NONE, TIME_CARELESS, TIME_LINUX };
/* What the target of an echo request writes into its options. */
enum own_stamps { OWN_TWICE, OWN_ONCE, OWN_ALIAS, OWN_NONE };
enum ping { PING_ALL, PING_PLAIN, PING_NONE };
/* IPv6 segment routing: dropped without a word, as by Linux; sent on as by Linux where it is enabled, or
 * strictly by RFC 8754; or refused as unknown (RFC 8200 4.4). */
enum srv6 { SRV6_OFF, SRV6_ON, SRV6_STRICT, SRV6_REFUSE };
enum limits { LIMITS_ROUTER, LIMITS_LINUX };
enum bleach { BLEACH_NONE, BLEACH_ECN, BLEACH_DSCP, BLEACH_ALL };
enum too_big { TOO_BIG_SAID, TOO_BIG_ZERO, TOO_BIG_SILENT };
enum source_filter { SOURCE_ANY, SOURCE_HOSTS, SOURCE_STRICT, SOURCE_OWN, SOURCE_LOOSE };

/* Words for the unreachable codes of both families; the code itself depends on the family. */
enum refusal {
	REFUSE_NET,
	REFUSE_HOST,
	REFUSE_ADMIN,
	REFUSE_PROTOCOL,
	REFUSE_PORT,
	REFUSE_SOURCE_ROUTE,
	REFUSE_NET_UNKNOWN,
	REFUSE_HOST_UNKNOWN,
	REFUSE_ISOLATED,
	REFUSE_NET_ADMIN,
	REFUSE_HOST_ADMIN,
	REFUSE_NET_TOS,
	REFUSE_HOST_TOS,
	REFUSE_PRECEDENCE,
	REFUSE_CUTOFF,
	REFUSE_SCOPE,
	REFUSE_POLICY,
	REFUSE_REJECT,
	REFUSE_RESET, /* TCP is reset, the rest refused like a port; only by firewalls */
};

enum rule_action { RULE_ALLOW, RULE_DROP, RULE_REFUSE };

struct file_limit {
	unsigned burst;
	double per_second;
};

struct file_ttls {
	unsigned *error, *echo, *reset;
};

struct file_nat {
	char *inside;
	int *quotes;		     /* flag */
	struct prefix inside_prefix; /* set by behaviour_load */
};

struct file_rule {
	int action;   /* enum rule_action */
	int protocol; /* 0: any; ICMP stands for that of both families */
	char *from, *to;
	unsigned *port, *port_end;
	int established;		      /* flag */
	int *refuse;			      /* enum refusal, for RULE_REFUSE */
	struct prefix from_prefix, to_prefix; /* set by behaviour_load; family 0: any */
};

struct file_queue {
	double peak_ms, hour, width_h, noise_ms, loss;
	double *period_h;
};

/* Pointers, so that what is not in the file is known: an AS may set it for its nodes. */
struct file_behaviour {
	int *error_source; /* enum stamp, the first five */
	int *record_route; /* enum stamp */
	int *timestamp;
	int *own_stamps;
	int *ping;
	int *balance;
	int *silent, *zero_ttl;
	int *srv6;
	int *limits, *bleach, *too_big, *source_filter;
	unsigned *quote_bytes;
	double *reply_delay_ms, *reply_jitter_ms;
	struct file_limit *error_limit, *error_limit6, *error_limit_all, *options_limit;
	struct file_ttls *initial_ttl;
	struct file_nat *nat;
	struct file_rule *firewall;
	unsigned firewall_count;
};

/* A token bucket. */
struct limit {
	unsigned burst;
	double per_second; /* < 0: no limit */
};

struct behaviour {
	enum stamp error_source;
	enum stamp record_route;
	enum time_habit timestamp;
	enum own_stamps own_stamps;
	enum ping ping;
	enum balance balance;
	enum srv6 srv6;
	enum limits limits;
	enum bleach bleach;
	enum too_big too_big;
	enum source_filter source_filter;
	bool plain;		 /* forwards without looking further than the header */
	bool silent;		 /* sends no ICMP errors */
	bool zero_ttl;		 /* forwards what should have expired */
	bool limit_given;	 /* the file limits the errors of this router, beyond the default */
	bool detours;		 /* some packets leave in tunnels that plain routing does not know */
	unsigned quote_bytes;	 /* at most, of the packet that an error is about */
	struct limit errors[2];	 /* to one destination, by family */
	struct limit all_errors; /* of both families together */
	struct limit options;	 /* of packets with IPv4 options that are forwarded */
	uint8_t ttl_error, ttl_echo, ttl_reset;
	int64_t reply_delay_ns, reply_jitter_ns; /* of errors and echo replies */
	const struct file_nat *nat;		 /* NULL: none */
	const struct file_rule *rules;
	unsigned rule_count;
	bool stateful; /* one of the rules is about established flows */
};

/* What is waiting on a link, by the time of day. */
struct queue {
	int64_t peak_ns, noise_ns; /* at the worst hour; 0, 0: no queue */
	int64_t hour_ns, width_ns, period_ns;
	double loss;
};

/* The habits that `own` gives, else `common` (those of its AS), else the defaults; both may be NULL, and must
 * live as long as the behaviour. Returns NULL, or what is wrong and what was expected. */
const char *behaviour_load(struct file_behaviour *common, struct file_behaviour *own, bool is_host,
	struct behaviour *behaviour) MUST_USE;
const char *queue_load(const struct file_queue *file, struct queue *queue) MUST_USE;

#endif
