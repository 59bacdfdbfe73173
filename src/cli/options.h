/* The options that `retour HOST`, `retour trace` and `retour back` share: one table for parsing and for help. */
#ifndef RETOUR_CLI_OPTIONS_H
#define RETOUR_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "path/model.h"

struct options {
	const char *host;
	uint8_t family; /* 0 = as an application would choose */
	enum probe_protocol protocol;
	unsigned first_ttl, max_ttl, probes_per_hop, gap_limit;
	uint16_t destination_port; /* 0 = the default */
	uint16_t source_port;      /* 0 = any free one */
	struct addr source;
	uint8_t tos;
	const char *methods; /* ways back to try, comma separated; NULL = all, in order */
	const char *data_dir;
	bool numeric;
	bool json;
	bool check;
	int width; /* 0 = of the terminal */
};

/* Parse the arguments of `command` ("" for the main job). Returns -1 to go on, or the exit status with which to
 * leave: help was printed, or a usage error with its reason. */
int options_parse(struct options *options, const char *command, int argc, char **argv);

#endif
