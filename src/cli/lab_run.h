#ifndef RETOUR_CLI_LAB_RUN_H
#define RETOUR_CLI_LAB_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/world.h"

#define RECORDINGS_MAX 16

struct lab_run_arguments {
	const char *host;
	uint64_t seed;
	bool no_services;			/* of the world are started */
	const char *recordings[RECORDINGS_MAX]; /* [PLACE:]FILE */
	unsigned recording_count;
};

/* The exit status: that of the command, or why there was none. */
int cli_lab_run(const struct world *world, const struct lab_run_arguments *arguments, char *const *command);
/* `retour lab link A B STATE`, inside a running lab. */
int cli_lab_link(char **operands, int count);

#endif
