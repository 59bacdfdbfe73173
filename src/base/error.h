/* An error for a person: a code for the program and one line of text saying what failed, why, what to do.
 *
 * Functions return 0 or a negative errno. Those that set things up also take a `struct error *`, filled once,
 * where the cause is known, and printed once, in cli/. A library function never prints and never exits. */
#ifndef RETOUR_BASE_ERROR_H
#define RETOUR_BASE_ERROR_H

#include "base/compiler.h"

struct error {
	int code;	/* negative errno, 0 while there is none */
	char text[400]; /* one line, no trailing newline */
};

/* Fill `error` (which may be NULL) and return `code`, so that a caller can `return error_set(...)`. */
int error_set(struct error *error, int code, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
