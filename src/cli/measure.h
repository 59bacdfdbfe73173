/* One measurement on the kernel's sockets, from options to a filled `struct measurement`. */
#ifndef RETOUR_CLI_MEASURE_H
#define RETOUR_CLI_MEASURE_H

#include <stdbool.h>

#include "annotate/data.h"
#include "annotate/early.h"
#include "base/error.h"
#include "cli/options.h"
#include "path/model.h"
#include "report/jsonl.h"

struct wanted {
	bool forward, reverse;
	struct jsonl_live *live; /* is told how it goes; NULL: nobody is */
	/* Made while answers are on their way, for the caller to free; NULL: not wanted. */
	struct data **data;   /* local data, open */
	struct early **early; /* who asks for names meanwhile */
};

/* Fills `measurement` (initialised here; the caller deinits it) with what was wanted. `signal` becomes the
 * number of the signal that cut it short, else 0. Negative errno: nothing could be measured, and `error` says
 * why. */
int measure(struct measurement *measurement, const struct options *options, struct wanted wanted, int *signal,
	struct error *error) MUST_USE;

#endif
