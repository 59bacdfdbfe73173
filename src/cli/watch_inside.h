/* Between the files of `retour watch`: watch.c measures, watch_screen.c shows it live, watch_replay.c shows
 * recordings, watch_result.c is what is left at the end. */
#ifndef RETOUR_CLI_WATCH_INSIDE_H
#define RETOUR_CLI_WATCH_INSIDE_H

#include <stdio.h>

#include "annotate/data.h"
#include "annotate/resolver.h"
#include "cli/session.h"
#include "cli/watch_options.h"
#include "cli/watch_screen.h"
#include "net/driver.h"
#include "path/book.h"
#include "path/history.h"
#include "report/watch_view.h"
#include "reverse/recheck.h"
#include "reverse/settings.h"
#include "trace/rounds.h"
#include "trace/stamp.h"

/* A measurement that is going on. */
struct watch {
	const struct watch_options *options;
	struct session session;
	struct driver driver;
	struct rounds rounds;
	struct settings *settings;
	struct outside outside;
	struct recheck recheck;
	struct history history; /* of the screen only */
	struct book book;
	struct data data;
	struct resolver *resolver; /* NULL = no names */
	FILE *record;
	bool record_failed, jsonl_failed, metrics_failed;
	bool over; /* no more names will come */
	bool rounds_over;
	int64_t started_wall_ns;
	struct screen screen;
	bool has_screen;
	uv_timer_t tick;
	uv_signal_t hangup;
	struct stamp stamp;
	bool asks_directions;
	struct directions directions; /* as of the last round */
	unsigned back_round;	      /* the round at which the way back was asked for last */
	bool back_blind;	      /* ... and the way there was not known then */
	int signal;
	int port_fds[TIMELINE_FLOWS]; /* keep the source ports of several flows ours; -1 = none */
};

void watch_view_of(const struct watch *watch, struct watch_view *view);
/* Names and origins of addresses that are new; waits for nobody. */
void watch_look_up(struct watch *watch);

/* Explore the ways, and let the rounds take a few flows that go over all of them. Says on standard error what
 * came of it that the user would not expect. Interrupted: `signal` is set. */
int watch_choose_flows(struct watch *watch, struct hash_key key, struct error *error) MUST_USE;

/* Ask the far end for directions, where that can be sent. 0 or -ENOMEM. */
int watch_directions_start(struct watch *watch);
void watch_directions_update(struct watch *watch);
/* Send no more; true: something is left to wait for. */
bool watch_directions_finish(struct watch *watch);
/* NULL = not asked. */
const struct directions *watch_directions(const struct watch *watch);

/* The result at the end, from a view: text, document, exit status. */
int watch_result(const struct watch_view *view, const struct watch_options *options, int signal,
	int64_t finished_wall_ns);

int watch_replay(const struct watch_options *options);

#endif
