/* The command line of Linux traceroute: its grammar and its complaints. */
#ifndef RETOUR_CLI_TRACEROUTE_ARGS_H
#define RETOUR_CLI_TRACEROUTE_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "path/model.h"

#define TRACEROUTE_REFUSED 2 /* its exit status for arguments that make no sense */

struct traceroute_args {
	const char *host;
	struct addr address; /* of the host */
	uint8_t family;	     /* 0 = any, IPv4 first */
	enum probe_protocol protocol;
	uint8_t ip_protocol;
	bool constant_port; /* -U */
	bool dont_fragment, find_mtu, numeric, origins, extensions, backwards, bypass_routing, debug;
	bool tcp_info;
	uint8_t tcp_flags;
	bool tcp_sack, tcp_timestamps, tcp_window_scaling, tcp_sysctl;
	unsigned tcp_mss; /* 0 = as the interface allows */
	unsigned first_ttl, max_ttl, window, per_hop, tos, flow_label, mark;
	unsigned port; /* 0 = as the method has it */
	unsigned source_port;
	unsigned size; /* 0 = the default */
	double wait_max_s, wait_here, wait_near, gap_s;
	struct addr source;
	const char *interface;
};

/* -1 to go on, or the exit status with which to leave; what there is to say was said. */
int traceroute_args_parse(struct traceroute_args *args, int argc, char **argv);

#endif
