/* A program of this machine, run on an event loop: its output is collected, bounded, and it can be ended at
 * any time with all that it has started. It has no terminal, so it can ask nobody for anything. */
#ifndef RETOUR_REVERSE_PROCESS_H
#define RETOUR_REVERSE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/compiler.h"

#define PROCESS_ERRORS_MAX 4096 /* bytes of standard error that are kept, the first ones */

struct process;

struct process_ops {
	void (*output)(struct process *process); /* there is more of it; NULL: of no interest */
	/* The end, told once: nothing of the process is in use any more, so its memory may go. */
	void (*ended)(struct process *process);
};

struct process {
	void *context; /* the caller's */
	int error;     /* negative: why it could not be started, or read */
	int64_t exit_status;
	int exit_signal;
	bool killed;
	bool cut;     /* more output than the limit: it was killed */
	char *output; /* ends with a NUL that `length` does not count */
	size_t length;
	char errors[PROCESS_ERRORS_MAX + 1]; /* a text */
	size_t errors_length;

	/* inside */
	const struct process_ops *ops;
	size_t limit;
	uv_process_t handle;
	uv_pipe_t out, err;
	uv_timer_t linger;
	unsigned open;
	bool tried, spawned;
};

/* Start `argv` (NULL at the end; the first is looked for in PATH). It reads `input`, a text, or nothing where
 * that is NULL. `ended` comes from the loop, also when it cannot be started. */
void process_start(struct process *process, uv_loop_t *loop, char **argv, const char *input,
	size_t output_limit, const struct process_ops *ops, void *context);
/* End it and all of its group now; `ended` follows. */
void process_kill(struct process *process);
/* Frees the output; after `ended`. */
void process_deinit(struct process *process);

#endif
