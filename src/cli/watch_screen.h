/* The screen of `retour watch`, for a measurement and for a recording: when to draw, what time to show, what
 * keys do. */
#ifndef RETOUR_CLI_WATCH_SCREEN_H
#define RETOUR_CLI_WATCH_SCREEN_H

#include <stdbool.h>
#include <uv.h>

#include "base/error.h"
#include "path/history.h"
#include "report/tui.h"

struct screen {
	struct tui *tui;
	uv_loop_t *loop; /* stopped when the user leaves */
	uv_timer_t timer;
	uv_poll_t keys;
	uv_signal_t resized, resumed;
	const struct history *history;
	const struct timeline *live; /* NULL in a replay */
	struct timeline past;	     /* what is shown when that is not the present */
	int64_t past_ns;	     /* of `past`, -1 = none */
	size_t past_count;	     /* entries of the history when it was made */
	bool paused, names;
	int64_t cursor_ns; /* the time shown, unless it is the present */
	double speed;
	int64_t started_ns, drawn_ns; /* on the monotonic clock */
	bool news;		      /* to be drawn soon */
	bool gone;		      /* the terminal is */
	/* Fills in the rest of what is shown, as it was at `at_ns`. */
	void (*view)(void *context, const struct timeline *timeline, int64_t at_ns, struct watch_view *view);
	void *context;
};

/* Is there a terminal? 0, or -ENOTTY. */
int screen_check(struct error *error) MUST_USE;
/* `live`: NULL = a replay. */
int screen_init(struct screen *screen, uv_loop_t *loop, const struct history *history,
	const struct timeline *live, double speed, struct error *error) MUST_USE;
void screen_deinit(struct screen *screen);
/* There is something new to see: in the beginning it is drawn soon, later with everything else. */
void screen_news(struct screen *screen);
/* The time that was shown last. */
int64_t screen_time_ns(const struct screen *screen);

#endif
