/* What tracert and pathping do alike. */
#ifndef RETOUR_CLI_WINDOWS_RUN_H
#define RETOUR_CLI_WINDOWS_RUN_H

#include "cli/persona.h"
#include "cli/windows_args.h"
#include "trace/classic.h"

struct windows_run {
	const struct windows_args *args;
	struct addr target;
	char target_name[PERSONA_NAME_SIZE]; /* "" = it is called by its address */
	struct engine_config engine;
	struct persona_session session;
};

/* Resolves, opens. -1 to go on, or the exit status with which to leave; windows_run_close either way. */
int windows_run_open(struct windows_run *run, const struct windows_args *args);
void windows_run_close(struct windows_run *run);
/* The way with so many probes for each hop. 0 or the exit status. */
int windows_run_trace(struct windows_run *run, unsigned per_hop, classic_tell *tell, void *context);
/* The name of an address, as the user wants it; NULL = none. */
const char *windows_run_name(
	const struct windows_run *run, struct addr address, char name[static PERSONA_NAME_SIZE]);
int windows_run_fail(int code);

#endif
