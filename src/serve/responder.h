/* The cooperative reverse-traceroute responder as a machine: requests and answers to probes go in, probes and
 * responses come out. It keeps nothing about a request; what it must know later travels in the probe
 * (probe_code.h). What it holds is of fixed size: token buckets, its own addresses, a short queue of packets
 * that are about to leave. docs/protocol/responder.md describes the exchange. */
#ifndef RETOUR_SERVE_RESPONDER_H
#define RETOUR_SERVE_RESPONDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/hash.h"
#include "probe/machine.h"

#define RESPONDER_RATE_DEFAULT	      10000 /* probes per second */
#define RESPONDER_PREFIX_RATE_DEFAULT 200

struct responder_config {
	struct hash_key key;	    /* secret, for this run only */
	uint16_t port;		    /* source port of UDP and TCP probes: nobody else's */
	uint8_t icmp_prefix;	    /* upper half of the id of ICMP probes */
	unsigned rate;		    /* 0 = default; half of it is kept for proven requesters */
	unsigned prefix_rate;	    /* per /24 or /48; 0 = default */
	const struct prefix *allow; /* borrowed for the responder's life; none = everyone */
	size_t allow_count;
	const struct prefix
		*targets; /* third parties that may be probed for others; borrowed likewise; none = nobody */
	size_t target_count;
};

struct responder_counters {
	uint64_t requests; /* that were addressed to us and well-formed */
	uint64_t hellos;
	uint64_t probes, responses, notices; /* sent */
	uint64_t refused_source, refused_allow, refused_target;
	uint64_t over_prefix, over_total, over_first_contact, over_notice, over_answer;
	uint64_t queue_full, send_failed;
};

struct responder;

/* NULL: out of memory. */
struct responder *responder_new(const struct responder_config *config);
void responder_free(struct responder *responder);
/* The unicast addresses at which requests are answered; copied. */
int responder_set_addresses(struct responder *responder, const struct addr *addresses, size_t count) MUST_USE;
/* Never DONE. */
struct machine responder_machine(struct responder *responder);
struct responder_counters responder_counters(const struct responder *responder);

#endif
