/* The way back, again and again: each time somebody asks for it, the ladder is climbed anew. Pure; a
 * `struct machine`. */
#ifndef RETOUR_REVERSE_RECHECK_H
#define RETOUR_REVERSE_RECHECK_H

#include <stdbool.h>

#include "base/error.h"
#include "path/model.h"
#include "reverse/climb.h"

struct recheck {
	struct reverse_task task;
	const char *names;   /* as for climb_new; borrowed */
	struct climb *climb; /* going on, or NULL */
	bool wanted, stopping;
	int64_t started_ns;
	unsigned runs;	   /* finished */
	int64_t others_ns; /* when third parties were asked last; 0 = never */
	/* What the last finished climb gave: the path and the attempts of a measurement. */
	struct measurement latest;
	int64_t latest_ns;	     /* when it began, on the driver's clock; 0 = none yet */
	void (*done)(void *context); /* or NULL; after each */
	struct path *(*forward)(
		void *context); /* the way there as known now, for the climb to own; may give NULL */
	void *context;
};

void recheck_init(struct recheck *recheck, const struct reverse_task *task, const char *names);
void recheck_deinit(struct recheck *recheck);
struct machine recheck_machine(struct recheck *recheck);
/* Measure it as soon as possible; while a climb goes on, another follows. */
void recheck_request(struct recheck *recheck);
/* As climb_hint, for this climb and those to come. */
void recheck_hint(struct recheck *recheck, int64_t rtt_ns);
/* The way there has become known, or better known: a climb that goes on asks for it. */
void recheck_known(struct recheck *recheck);
/* No more: what is not finished counts as it is, and the machine is DONE. */
void recheck_stop(struct recheck *recheck);

#endif
