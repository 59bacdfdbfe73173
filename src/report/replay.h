/* Recordings of continuous measurements, read again. Any input is safe: what is readable is used, and what is
 * not is counted. */
#ifndef RETOUR_REPORT_REPLAY_H
#define RETOUR_REPORT_REPLAY_H

#include <stdio.h>

#include "base/error.h"
#include "path/book.h"
#include "path/history.h"

#define REPLAY_BACKS_MAX 256

/* The way back as measured at some time. */
struct replay_back {
	int64_t at_ns;
	struct measurement measurement;
};

struct replay {
	struct history history;
	struct book book;
	struct replay_back *backs; /* in the order of the file */
	size_t back_count;
	char *target_name;
	struct addr source, target;
	enum probe_protocol protocol;
	struct flow flow;
	int64_t started_wall_ns, interval_ns;
	bool complete; /* it has a "done" */
	size_t lines, bad_lines;
	size_t first_bad; /* its number from 1 on */
};

void replay_deinit(struct replay *replay);
/* Fills `replay`, which needs no initialisation and is always to be deinitialised. 0; -EINVAL: no recording,
 * since it does not begin with a "start"; -ENOMEM. */
int replay_read(struct replay *replay, FILE *in, struct error *error) MUST_USE;
/* The way back as it was known then; NULL = not measured yet. */
const struct replay_back *replay_back_at(const struct replay *replay, int64_t at_ns);

#endif
