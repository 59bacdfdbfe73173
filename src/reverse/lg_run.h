/* One question to one looking glass, asked and answered on the run's loop. */
#ifndef RETOUR_REVERSE_LG_RUN_H
#define RETOUR_REVERSE_LG_RUN_H

#include <stdint.h>

#include "reverse/lg.h"

struct uv_loop_s;
struct lg_run;

struct lg_ask {
	const struct settings_looking_glass *glass; /* borrowed for the life of the run */
	struct addr to;				    /* what is to be traced: our public address */
	struct addr target; /* the far host: who traces there itself is no vantage point; none = there is no
			       such host */
	const char *method; /* of the path; static; NULL = "lg" */
	int64_t timeout_ns; /* 0 = 60 s */
};

/* Valid during the call. */
struct lg_result {
	enum attempt_status status; /* OK: the path is whole; PARTIAL: it is not */
	const char *detail;	    /* one line for a person; not escaped */
	struct path *path;	    /* with its vantage; whoever wants it takes it and sets this to NULL */
	const char *text;	    /* what the looking glass printed, hostile; NULL = nothing */
	size_t length;
	struct addr local, peer; /* of the connection */
};

typedef void lg_done(void *context, struct lg_result *result);

/* `done` is called once, from the loop, never from here. NULL with `error` set: it makes no sense. */
struct lg_run *lg_run_new(
	struct uv_loop_s *loop, const struct lg_ask *ask, lg_done *done, void *context, struct error *error);
/* At any time, from `done`, too, which is not called any more. `closed` (may be NULL) is called from the loop
 * when nothing of it is left there. */
void lg_run_free(struct lg_run *run, void (*closed)(void *context), void *context);

#endif
