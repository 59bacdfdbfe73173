/* The result of a measurement as plain data: the `retour/1` document before it is JSON (docs/schema/).
 *
 * Ownership: every `char *` and array below belongs to the struct that holds it and is freed by
 * measurement_deinit / path_deinit. Unknown is said, never guessed: addresses with family 0, -1 in the
 * integer fields that say so, RTT_NONE, NULL strings. */
#ifndef RETOUR_PATH_MODEL_H
#define RETOUR_PATH_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "packet/packet.h"

#define RTT_NONE (-1)

enum direction { DIRECTION_FORWARD, DIRECTION_REVERSE, DIRECTION_BOTH, DIRECTION_UNKNOWN };
enum probe_protocol { PROBE_ICMP, PROBE_UDP, PROBE_TCP, PROBE_UDPLITE, PROBE_IP };
enum stop_reason {
	STOP_REACHED,
	STOP_GAP_LIMIT,
	STOP_MAX_HOPS,
	STOP_UNREACHABLE,
	STOP_LOOP,
	STOP_INTERRUPTED,
	STOP_PARTIAL,
};
/* How a hop is known. */
enum technique {
	TECHNIQUE_TTL,
	TECHNIQUE_RESPONDER,
	TECHNIQUE_INBAND,
	TECHNIQUE_RECORD_ROUTE,
	TECHNIQUE_RECORD_ROUTE_SPOOFED,
	TECHNIQUE_TIMESTAMP,
	TECHNIQUE_TIMESTAMP_SPOOFED,
	TECHNIQUE_ATLAS,
	TECHNIQUE_ATLAS_INTERVAL,
	TECHNIQUE_SOURCE_ROUTE,
	TECHNIQUE_REMOTE_TRACE,
	TECHNIQUE_SYMMETRIC_INTRA,
	TECHNIQUE_SYMMETRIC_INTER,
	TECHNIQUE_INFERRED,
};
enum certainty { CERTAINTY_MEASURED, CERTAINTY_INFERRED, CERTAINTY_ASSUMED };
enum attempt_status {
	ATTEMPT_OK,
	ATTEMPT_PARTIAL,
	ATTEMPT_UNSUPPORTED,
	ATTEMPT_REFUSED,
	ATTEMPT_TIMEOUT,
	ATTEMPT_UNAVAILABLE,
	ATTEMPT_FAILED,
};
enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_PROBLEM };
enum confidence { CONFIDENCE_CERTAIN, CONFIDENCE_LIKELY, CONFIDENCE_POSSIBLE };

/* The five numbers that load balancers hash; 0 where the protocol has no such field. */
struct flow {
	uint16_t source_port;
	uint16_t destination_port;
	uint32_t flow_label;
	uint16_t icmp_id;
	uint16_t icmp_checksum;
};

/* What the answer's own IP header said; -1: not known. */
struct reply_header {
	int ttl, tos;
	int id;	  /* IPv4 */
	int size; /* of the whole packet, bytes */
};

/* The probe as it was when it expired, by the quote in an ICMP error. What differs from the probe that was
 * sent was changed on the way. -1 and no address: not known. */
struct quoted_header {
	int ttl, tos;
	int id;	  /* IPv4 */
	int size; /* as the quoted IP header claims */
	struct addr source, destination;
	int source_port, destination_port; /* or -1 where the protocol has none */
	int checksum;			   /* of UDP and ICMP */
	bool checksum_changed; /* it is not the one that was sent, nor one that translation explains */
};

/* One probe and its answer. */
struct probe_result {
	int64_t sent_ns; /* since the start of the path's measurement; order of sending */
	int64_t rtt_ns;	 /* RTT_NONE: no answer */
	struct addr address;
	int icmp_type, icmp_code; /* -1: not ICMP, or no answer */
	uint8_t tcp_flags;	  /* of a TCP answer: SYN+ACK or RST; 0 = none */
	char mark[12];		  /* traceroute's "!H" and friends; "" = none */
	uint32_t mtu;		  /* said by a "too big", 0 = not said */
	struct reply_header reply;
	struct quoted_header quoted;
	uint16_t source_port, destination_port,
		icmp_checksum; /* of this probe where not the path's, else 0 */
	uint16_t size;	       /* of the probe where it is not the smallest, else 0 */
	uint8_t mpls_count;
	struct mpls_entry mpls[MPLS_STACK_MAX];
	bool has_interface;
	struct interface_info interface;
};

struct hop {
	int ttl;		/* -1 where a reverse method does not count hops */
	struct addr address;	/* the one to show; none = nobody answered */
	struct addr *addresses; /* all that answered, the shown one first */
	size_t address_count;
	char *name;
	uint32_t asn; /* who announces the address; the first of several; 0 = unknown */
	char *as_name;
	uint32_t *origins; /* all that announce it, where there are several */
	size_t origin_count;
	uint32_t operator_asn; /* whose router it probably is, where there is a reason to tell; 0 = no reason
				*/
	char *operator_reason; /* that reason, one line; NULL = none */
	char *ixp;
	char country[3]; /* "" = unknown */
	enum technique technique;
	enum certainty certainty;
	int protocol;	    /* enum probe_protocol of its probes where not the path's, else -1 */
	double age_s;	    /* 0 = measured just now */
	double probability; /* that it is on this way, where the method knows; 0 = not said */
	bool by_origin; /* it was seen to forward its own packets by another way than those that pass it */
	int64_t rtt_min_ns, rtt_median_ns, rtt_max_ns; /* RTT_NONE */
	unsigned sent, received;
	/* Only where several flows were explored: */
	bool by_packet;	 /* one and the same flow was seen at several routers here */
	bool incomplete; /* too few answers to be sure that no router was overlooked */
	struct probe_result *probes;
	size_t probe_count;
};

/* A link that one and the same flow was seen at both ends of. */
/* Two of several ways behind a router asked again, in turns and slowly. */
struct branch_test {
	unsigned sent, received;	       /* by this way; sent 0 = it was not asked again */
	unsigned others_sent, others_received; /* by another */
	int64_t rtt_ns, others_rtt_ns;	       /* medians over the same hops, RTT_NONE without answers */
};

struct edge {
	struct addr from, to;
	int ttl;		   /* at which `to` answers */
	unsigned flows;		   /* that were seen on it */
	unsigned sent, received;   /* probes of these flows to `to` */
	int64_t rtt_ns;		   /* the median of the answers of `to` to them */
	uint16_t source_port;	   /* of a flow that takes it; 0 = none, or its protocol has no ports */
	uint16_t destination_port; /* the same where flows differ in that */
	uint16_t icmp_checksum;	   /* the same for ICMP */
	struct branch_test test;
};

/* A place where packets become too large for the rest of the way. */
struct mtu_step {
	unsigned bytes;	     /* of the largest packet that gets beyond */
	int ttl;	     /* of the last router that larger packets reach; 0 = ourselves; -1 = not known */
	struct addr said_by; /* who said "too big"; none = nobody: they vanish */
	unsigned said_bytes; /* what it said fits, 0 = nothing */
};

/* How large packets may be that are not cut, header included. */
struct path_mtu {
	bool measured;
	unsigned bytes; /* of the largest that got to the end, or as far as small ones do; 0 = none did */
	unsigned sent, received; /* probes of this measurement, which the path's own counts do not have */
	struct mtu_step *steps;	 /* as packets meet them */
	size_t step_count;
};

/* What one protocol did for a path on which several were tried. */
struct path_try {
	enum probe_protocol protocol;
	uint16_t destination_port; /* 0 = none */
	int first_ttl, last_ttl;   /* hop limits it traced; 0 = it asked for the destination only */
	unsigned sent, received;
	bool reached; /* the destination answered it */
};

/* Routers on the way that the path does not show, where their number is known: between two of its hops,
 * counted from 1. 0 is the end that packets leave, one more than there are hops the other one. */
struct path_gap {
	unsigned after, before, missing;
};

/* How near to the far host somebody stands who traced in its stead. */
enum vantage_distance {
	VANTAGE_SAME_PREFIX, /* of the same announced prefix */
	VANTAGE_SAME_AS,
	VANTAGE_UPSTREAM, /* in an AS through which the far host is reached */
	VANTAGE_ELSEWHERE,
	VANTAGE_UNKNOWN,
};

/* Who traced, where it was not the far host itself: its path is not quite that of the far host. */
struct vantage {
	char *name;	     /* of the looking glass and its place, for a person */
	struct addr address; /* none = not known */
	uint32_t asn;	     /* 0 = not known */
	enum vantage_distance distance;
};

struct path {
	enum direction direction;
	char *method; /* "ttl", "responder", ... */
	enum probe_protocol protocol;
	struct addr source, destination; /* as the packets travel */
	struct flow flow;
	int tos; /* type of service or traffic class of the probes as sent; -1: not known */
	bool reached;
	enum stop_reason stop_reason;
	int64_t started_wall_ns;
	int64_t duration_ns;
	unsigned probes_sent, replies_received;
	struct hop *hops;
	size_t hop_count;
	double confidence;   /* with which several flows were explored, 0 = one flow was traced */
	unsigned flow_count; /* then how many */
	struct edge *edges;
	size_t edge_count;
	struct path_mtu mtu;
	struct path_try *tries; /* in order; none where one protocol was enough */
	size_t try_count;
	struct path_gap *gaps; /* suspected, in order */
	size_t gap_count;
	struct vantage *vantage; /* NULL = it starts where `source` says */
};

struct attempt {
	char *method;
	enum attempt_status status;
	char *detail; /* one line for a person */
	int64_t duration_ns;
};

struct shared_hop {
	int forward_ttl, reverse_ttl; /* as path_hop_number() counts */
	enum shared_by { SHARED_BY_ADDRESS, SHARED_BY_ALIAS, SHARED_BY_SUBNET, SHARED_BY_AS } by;
};

/* Three-valued: the document has null for "cannot be said". */
enum ternary { TERNARY_UNKNOWN = -1, TERNARY_FALSE = 0, TERNARY_TRUE = 1 };

struct alignment {
	struct shared_hop *shared; /* in forward order */
	size_t shared_count;
	bool diverges;
	int divergence_forward_ttl, divergence_reverse_ttl; /* where the ways first part; -1 = not counted */
	uint32_t *as_path_forward, *as_path_reverse; /* each as its packets travel, no repeats in a row */
	size_t as_path_forward_count, as_path_reverse_count;
	enum ternary router_symmetric, as_symmetric;
};

struct finding {
	char *id; /* one of docs/findings/ */
	enum severity severity;
	enum confidence confidence;
	enum direction direction;
	int *hops; /* TTLs in `direction` (forward when it is both) */
	size_t hop_count;
	char *summary;
	char **evidence;
	size_t evidence_count;
	char *disproof; /* what would show it wrong, and whether that was tried; NULL = none */
	char *advice;	/* NULL = none */
};

struct timeline;
struct directions;

struct measurement {
	const char *command; /* static: both trace back watch ping explain */
	int64_t started_wall_ns, finished_wall_ns;
	struct addr source, public_address;
	char *source_name;
	struct addr target;
	char *target_name;    /* as the user wrote it */
	struct path *forward; /* NULL = not measured */
	struct path *reverse;
	struct attempt *attempts;
	size_t attempt_count;
	struct alignment *alignment;
	struct finding *findings;
	size_t finding_count;
	const struct timeline
		*timeline; /* borrowed: what the forward path was drawn from, over time; or NULL */
	const struct directions
		*directions; /* borrowed: what a far end that reflects test packets shows; or NULL */
};

void measurement_init(struct measurement *measurement);
void measurement_deinit(struct measurement *measurement);

struct path *path_new(enum direction direction, const char *method);
void path_free(struct path *path);
/* A deep one. NULL: out of memory. */
struct path *path_copy(const struct path *path);
/* `name` is copied. 0 or -ENOMEM. */
int path_set_vantage(struct path *path, const char *name, struct addr address, uint32_t asn,
	enum vantage_distance distance) MUST_USE;
/* A new hop at the end, zeroed but for "unknown" marks; valid until the next call. NULL: out of memory. */
struct hop *path_add_hop(struct path *path, int ttl, enum technique technique);
/* A probe that nobody answered yet: every field unknown. */
struct probe_result probe_result_none(void);
/* A new probe of the hop: no answer yet. NULL: out of memory. */
struct probe_result *hop_add_probe(struct hop *hop);
struct edge *path_add_edge(struct path *path);
struct mtu_step *path_add_mtu_step(struct path *path);
struct path_gap *path_add_gap(struct path *path);
struct path_try *path_add_try(struct path *path);
/* The first `kept` hops stay, and those of `rest` follow, which has none then. 0 or -ENOMEM. */
int path_join(struct path *path, size_t kept, struct path *rest) MUST_USE;
/* The hop itself was seen: an address that is not merely assumed. What was assumed proves nothing. */
bool hop_known(const struct hop *hop);
/* Something came back for this probe. */
bool probe_answered(const struct probe_result *probe);
/* Another address that answered, unless it is listed already. Returns 0 or -ENOMEM. */
int hop_add_address(struct hop *hop, struct addr address) MUST_USE;
/* How findings, alignment and reports call a hop: its TTL, or its place from 1 on in a path that has hops
 * without a TTL. */
int path_hop_number(const struct path *path, size_t index);
/* Set address, addresses, counts and round-trip summary from the probes. The shown address is the one most
 * probes saw, the earliest among equals. A hop without probes keeps what it says. */
int hop_summarise(struct hop *hop) MUST_USE;
/* hop_summarise for all hops, and the path's own counts. */
int path_summarise(struct path *path) MUST_USE;

struct attempt *measurement_add_attempt(
	struct measurement *measurement, const char *method, enum attempt_status status, const char *detail);
/* A new finding at the end; summary is printf-like. NULL: out of memory. */
struct finding *measurement_add_finding(struct measurement *measurement, const char *id,
	enum severity severity, enum confidence confidence, enum direction direction, const char *summary,
	...) PRINTF_LIKE(6, 7);
void finding_deinit(struct finding *finding);
void finding_add_hop(struct finding *finding, int ttl);
void finding_add_evidence(struct finding *finding, const char *format, ...) PRINTF_LIKE(2, 3);
void alignment_free(struct alignment *alignment);

/* The words of the document. */
const char *direction_word(enum direction direction);
const char *protocol_word(enum probe_protocol protocol);
const char *stop_reason_word(enum stop_reason reason);
const char *technique_word(enum technique technique);
const char *certainty_word(enum certainty certainty);
const char *attempt_status_word(enum attempt_status status);
const char *severity_word(enum severity severity);
const char *confidence_word(enum confidence confidence);

#endif
