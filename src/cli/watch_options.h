/* The options of `retour watch`. */
#ifndef RETOUR_CLI_WATCH_OPTIONS_H
#define RETOUR_CLI_WATCH_OPTIONS_H

#include "cli/options.h"

struct watch_options {
	struct options probe; /* what is sent, and common wishes; `host` is in there */
	bool report;	      /* a table at the end instead of the live one */
	bool wide;
	unsigned rounds; /* 0 = without end */
	double interval_s;
	unsigned flows;	     /* that rounds take in turn at most, 0 = one flow */
	unsigned back_every; /* rounds after which the way back is measured again, 0 = never */
	const char *record, *replay, *prometheus; /* files, NULL = none */
	double speed;				  /* of a replay */
};

/* Returns -1 to go on, or the exit status with which to leave. */
int watch_options_parse(struct watch_options *options, int argc, char **argv);

#endif
