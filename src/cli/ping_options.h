/* The options of `retour ping`. */
#ifndef RETOUR_CLI_PING_OPTIONS_H
#define RETOUR_CLI_PING_OPTIONS_H

#include "cli/options.h"

#define PING_DATA_DEFAULT 56 /* bytes of an echo, since the first ping */

struct ping_options {
	struct options probe; /* `host` is in there; all protocols, so that all sockets are opened */
	bool only;	      /* one protocol, `protocol`, and no other */
	enum probe_protocol protocol;
	uint16_t port;	/* then its destination port, 0 = the usual one */
	unsigned count; /* 0 = without end */
	double interval_s, wait_s;
	unsigned size; /* of the data of an echo */
	bool size_given;
	bool quiet;
	uint16_t stamp_port; /* of a reflector, 0 = do not ask */
};

/* Returns -1 to go on, or the exit status with which to leave. */
int ping_options_parse(struct ping_options *options, int argc, char **argv);

#endif
