/* The options that `retour HOST`, `retour trace` and `retour back` share: one table for parsing and for help.
 */
#ifndef RETOUR_CLI_OPTIONS_H
#define RETOUR_CLI_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "path/model.h"

#define OPTION_NOT_GIVEN UINT_MAX

struct options {
	const char *host; /* or the URL of a service there; NULL with `targets` */
	uint8_t family;	  /* 0 = as an application would choose */
	enum probe_protocol protocol;
	bool automatic; /* no protocol was asked for: others are tried where this one does not get through */
	uint8_t ip_protocol; /* of PROBE_IP */
	bool dns;	     /* UDP probes are questions to a name server */
	bool classic_port;   /* each UDP probe has a destination port of its own */
	unsigned first_ttl, max_ttl, probes_per_hop, gap_limit;
	double wait_max_s, wait_here, wait_near; /* 0 = as the trace sees fit */
	double pause_s;				 /* between probes of a trace */
	unsigned simultaneous; /* probes of a trace that may be unanswered at once; 0 = as the trace sees fit
				*/
	uint16_t destination_port; /* 0 = the default */
	uint16_t source_port;	   /* 0 = any free one */
	struct addr source;
	const char *interface; /* NULL = by the routing table */
	unsigned mark;	       /* firewall mark, 0 = none */
	unsigned tos;
	unsigned flow_label; /* or OPTION_NOT_GIVEN */
	bool dont_fragment;
	bool broadcast;	     /* the target may be a broadcast or multicast address */
	unsigned size;	     /* of the whole packet; 0 = as small as it gets */
	unsigned rate;	     /* packets per second at most; 0 = the default */
	double multipath;    /* confidence with which every way is explored; 0 = one flow */
	bool mtu;	     /* and how large packets may be */
	const char *targets; /* file of many targets, "-" = standard input; NULL = one host */
	const char *methods; /* ways back to try, comma separated; NULL = all, in order */
	const char *config;  /* the file of settings; NULL = the usual one */
	struct addr
		public_address; /* ours as the Internet sees it; none = to be found out where it matters */
	const char *data_dir;
	const char *as_source; /* "online" or "online=ZONE"; NULL = local data only */
	bool numeric;
	bool json, jsonl, csv, dot;
	const char *format; /* of another program; NULL = none */
	bool check;
	bool plain_will_do; /* ordinary sockets show all that is of interest */
	unsigned width;	    /* 0 = of the terminal */
};

/* Parse the arguments of `command` ("" for the main job). Returns -1 to go on, or the exit status with which
 * to leave: help was printed, or a usage error with its reason. */
int options_parse(struct options *options, const char *command, int argc, char **argv);
/* The zone to ask for AS numbers, NULL = none. */
const char *options_as_zone(const struct options *options);

#endif
