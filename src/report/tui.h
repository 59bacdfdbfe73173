/* The live screen of a continuous measurement (ncursesw). It draws what it is given and says what the user
 * wants; time and measurement belong to the caller. */
#ifndef RETOUR_REPORT_TUI_H
#define RETOUR_REPORT_TUI_H

#include <stdio.h>

#include "base/error.h"
#include "report/watch_view.h"

struct tui;

struct tui_options {
	FILE *in, *out; /* a terminal */
	bool colour, utf8;
};

enum tui_wish {
	TUI_NOTHING,
	TUI_QUIT,
	TUI_PAUSE,  /* stop or go on */
	TUI_MOVE,   /* in time, by `by_ns` */
	TUI_FIRST,  /* to the beginning */
	TUI_LIVE,   /* to the end */
	TUI_FASTER, /* twice the speed of a replay */
	TUI_SLOWER,
	TUI_NAMES, /* names or numbers */
	TUI_GONE,  /* the terminal is */
};

struct tui_command {
	enum tui_wish wish;
	int64_t by_ns;
};

struct tui_frame {
	const struct watch_view *view;	     /* as things were at shown_ns */
	int64_t shown_ns, first_ns, last_ns; /* times that can be shown */
	bool live;			     /* it follows the measurement */
	bool paused;			     /* the time shown stands still */
	bool replay;
	double speed;
};

/* -ENOTTY: this terminal cannot show it; `error` says what to do instead. */
int tui_new(struct tui **tui, const struct tui_options *options, struct error *error) MUST_USE;
/* The terminal is as it was before. */
void tui_free(struct tui *tui);
/* The terminal has another size now. */
void tui_resize(struct tui *tui);
void tui_draw(struct tui *tui, const struct tui_frame *frame);
/* One key that was pressed; false: no more are waiting. Many keys concern the screen alone: then nothing is
 * wished. */
bool tui_input(struct tui *tui, struct tui_command *command);

#endif
