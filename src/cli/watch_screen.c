#include "cli/watch_screen.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define DRAW_MS	 250		    /* a few times a second */
#define NEWS_MS	 2		    /* ... but at first with the answers, those that come together at once */
#define FIRST_NS (1000 * NS_PER_MS) /* that long */

static bool is_live(const struct screen *screen)
{
	return screen->live && !screen->paused;
}

int64_t screen_time_ns(const struct screen *screen)
{
	return is_live(screen) ? screen->live->now_ns : screen->cursor_ns;
}

/* The state at the cursor. */
static const struct timeline *shown_timeline(struct screen *screen)
{
	if (is_live(screen))
		return screen->live;
	bool same = screen->past_ns == screen->cursor_ns && screen->past_count == screen->history->count;
	if (same)
		return &screen->past;
	if (screen->past_ns >= 0)
		timeline_deinit(&screen->past);
	screen->past_ns = -1;
	if (history_at(screen->history, screen->cursor_ns, &screen->past) < 0)
		return screen->live ? screen->live : &screen->history->base;
	screen->past_ns = screen->cursor_ns;
	screen->past_count = screen->history->count;
	return &screen->past;
}

static void draw(struct screen *screen)
{
	struct watch_view view;
	const struct timeline *timeline = shown_timeline(screen);
	int64_t at_ns = screen_time_ns(screen);
	screen->view(screen->context, timeline, at_ns, &view);
	view.numeric = !screen->names;
	struct tui_frame frame = {
		.view = &view,
		.shown_ns = at_ns,
		.first_ns = history_first_ns(screen->history),
		.last_ns = history_last_ns(screen->history),
		.live = is_live(screen),
		.paused = screen->paused,
		.replay = !screen->live,
		.speed = screen->speed,
	};
	screen->drawn_ns = clock_monotonic_ns();
	tui_draw(screen->tui, &frame);
}

static void move_to(struct screen *screen, int64_t at_ns)
{
	int64_t first_ns = history_first_ns(screen->history), last_ns = history_last_ns(screen->history);
	screen->cursor_ns = MAX(first_ns, MIN(at_ns, last_ns));
}

static void pause_or_go_on(struct screen *screen)
{
	if (!screen->paused)
		move_to(screen, screen_time_ns(screen));
	/* At its end a replay begins anew. */
	else if (!screen->live && screen->cursor_ns >= history_last_ns(screen->history))
		move_to(screen, 0);
	screen->paused = !screen->paused;
}

static void leave(struct screen *screen)
{
	uv_stop(screen->loop);
}

static void obey(struct screen *screen, const struct tui_command *command)
{
	switch (command->wish) {
	case TUI_NOTHING: break;
	case TUI_QUIT: leave(screen); break;
	case TUI_PAUSE: pause_or_go_on(screen); break;
	case TUI_MOVE:
		move_to(screen, screen_time_ns(screen) + command->by_ns);
		screen->paused |= screen->live != NULL;
		break;
	case TUI_FIRST:
		move_to(screen, 0);
		screen->paused |= screen->live != NULL;
		break;
	case TUI_LIVE:
		screen->paused = false;
		move_to(screen, INT64_MAX);
		break;
	case TUI_FASTER: screen->speed = MIN(screen->speed * 2, 4096); break;
	case TUI_SLOWER: screen->speed = MAX(screen->speed / 2, 1.0 / 64); break;
	case TUI_NAMES: screen->names = !screen->names; break;
	case TUI_GONE: break;
	}
}

/* The terminal was closed: its descriptor is readable for ever and has nothing. */
static bool is_hung_up(void)
{
	struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
	return poll(&fd, 1, 0) > 0 && fd.revents & (POLLHUP | POLLERR | POLLNVAL);
}

static void on_keys(uv_poll_t *handle, int status, int events)
{
	struct screen *screen = handle->data;
	struct tui_command command;
	bool any = false;
	(void)events;
	while (tui_input(screen->tui, &command)) {
		obey(screen, &command);
		any = true;
	}
	if ((status < 0 || !any) && is_hung_up()) {
		screen->gone = true;
		uv_poll_stop(handle);
		leave(screen);
		return;
	}
	if (any)
		draw(screen);
}

static void on_draw(uv_timer_t *timer)
{
	struct screen *screen = timer->data;
	if (!screen->live && !screen->paused) {
		int64_t elapsed_ns = clock_monotonic_ns() - screen->drawn_ns;
		/* A process that was stopped does not leap. */
		elapsed_ns = MIN(elapsed_ns, 4 * DRAW_MS * NS_PER_MS);
		move_to(screen, screen->cursor_ns + (int64_t)((double)elapsed_ns * screen->speed));
		screen->paused = screen->cursor_ns >= history_last_ns(screen->history);
	}
	screen->news = false;
	draw(screen);
}

void screen_news(struct screen *screen)
{
	if (!screen->tui || screen->news || clock_monotonic_ns() > screen->started_ns + FIRST_NS)
		return;
	screen->news = true;
	uv_update_time(screen->loop);
	uv_timer_start(&screen->timer, on_draw, NEWS_MS, DRAW_MS);
}

static void on_resize(uv_signal_t *handle, int number)
{
	struct screen *screen = handle->data;
	(void)number;
	tui_resize(screen->tui);
	draw(screen);
}

int screen_check(struct error *error)
{
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return 0;
	return error_set(error, -ENOTTY,
		"no terminal for the live table; `retour watch -r HOST` prints one at the end");
}

static int open_terminal(struct screen *screen, struct error *error)
{
	const char *no_colour = getenv("NO_COLOR");
	int result = screen_check(error);
	if (result < 0)
		return result;
	setlocale(LC_CTYPE, "");
	struct tui_options options = {
		.in = stdin,
		.out = stdout,
		.colour = !(no_colour && *no_colour),
		.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
	};
	return tui_new(&screen->tui, &options, error);
}

int screen_init(struct screen *screen, uv_loop_t *loop, const struct history *history,
	const struct timeline *live, double speed, struct error *error)
{
	*screen = (struct screen){
		.loop = loop, .history = history, .live = live, .speed = speed, .names = true, .past_ns = -1};
	int result = open_terminal(screen, error);
	if (result < 0)
		return result;
	uv_timer_init(loop, &screen->timer);
	uv_poll_init(loop, &screen->keys, STDIN_FILENO);
	uv_signal_init(loop, &screen->resized);
	uv_signal_init(loop, &screen->resumed);
	screen->timer.data = screen->keys.data = screen->resized.data = screen->resumed.data = screen;
	uv_timer_start(&screen->timer, on_draw, 0, DRAW_MS);
	uv_poll_start(&screen->keys, UV_READABLE, on_keys);
	uv_signal_start(&screen->resized, on_resize, SIGWINCH);
	/* The window may have changed while we were stopped. */
	uv_signal_start(&screen->resumed, on_resize, SIGCONT);
	screen->started_ns = screen->drawn_ns = clock_monotonic_ns();
	return 0;
}

void screen_deinit(struct screen *screen)
{
	if (!screen->tui)
		return;
	tui_free(screen->tui);
	screen->tui = NULL;
	if (screen->past_ns >= 0)
		timeline_deinit(&screen->past);
}
