/* The command lines of Windows' tracert and pathping. */
#ifndef RETOUR_CLI_WINDOWS_ARGS_H
#define RETOUR_CLI_WINDOWS_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "path/model.h"

#define WINDOWS_FAILED 1 /* their exit status for all that goes wrong */

enum windows_program { TRACERT, PATHPING };

struct windows_args {
	const char *host;
	uint8_t family;
	bool numeric;
	unsigned max_ttl, timeout_ms;
	unsigned queries, period_ms; /* pathping's statistics */
	struct addr source;
};

/* -1 to go on, or the exit status with which to leave. */
int windows_args_parse(struct windows_args *args, enum windows_program program, int argc, char **argv);

#endif
