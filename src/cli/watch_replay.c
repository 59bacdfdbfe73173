/* `retour watch --replay FILE`. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "cli/exit.h"
#include "cli/watch_inside.h"
#include "report/replay.h"

static void say_what_is_wrong(const struct replay *replay, const char *path)
{
	if (replay->bad_lines > 0)
		fprintf(stderr,
			"retour: %s: %zu of %zu lines cannot be read, the first is line %zu; the rest is "
			"used\n",
			path, replay->bad_lines, replay->lines, replay->first_bad);
	if (!replay->complete)
		fprintf(stderr, "retour: %s: the recording has no end: it was cut off, or still goes on\n",
			path);
}

static void view_at(const struct replay *replay, const struct watch_options *options, int64_t at_ns,
	const struct timeline *timeline, struct watch_view *view)
{
	const struct replay_back *back = replay_back_at(replay, at_ns);
	*view = (struct watch_view){
		.timeline = timeline,
		.book = &replay->book,
		.started_wall_ns = replay->started_wall_ns,
		.interval_ns = replay->interval_ns,
		.target_name = replay->target_name ? replay->target_name : "",
		.source = replay->source,
		.target = replay->target,
		.protocol = replay->protocol,
		.flow = replay->flow,
		.back = back ? &back->measurement : NULL,
		.back_at_ns = back ? back->at_ns : 0,
		.numeric = options->probe.numeric,
	};
}

static int report(const struct replay *replay, const struct watch_options *options)
{
	struct timeline timeline;
	struct watch_view view;
	int64_t end_ns = history_last_ns(&replay->history);
	if (history_at(&replay->history, end_ns, &timeline) < 0) {
		fputs("retour: out of memory\n", stderr);
		return EXIT_CANNOT_MEASURE;
	}
	view_at(replay, options, end_ns, &timeline, &view);
	int status = watch_result(&view, options, 0, replay->started_wall_ns + end_ns);
	timeline_deinit(&timeline);
	return status;
}

/* ---- on the screen ---- */

struct player {
	const struct replay *replay;
	const struct watch_options *options;
	struct screen screen;
	uv_signal_t signals[3];
	int signal;
};

static void view_for_screen(
	void *context, const struct timeline *timeline, int64_t at_ns, struct watch_view *view)
{
	struct player *player = context;
	view_at(player->replay, player->options, at_ns, timeline, view);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct player *player = handle->data;
	player->signal = number;
	uv_stop(player->screen.loop);
}

static void close_handle(uv_handle_t *handle, void *unused)
{
	(void)unused;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static int play(struct player *player, uv_loop_t *loop, struct error *error)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	for (int i = 0; i < 3; i++) {
		uv_signal_init(loop, &player->signals[i]);
		player->signals[i].data = player;
		uv_signal_start(&player->signals[i], on_signal, numbers[i]);
	}
	int result = screen_init(
		&player->screen, loop, &player->replay->history, NULL, player->options->speed, error);
	player->screen.view = view_for_screen;
	player->screen.context = player;
	player->screen.names = !player->options->probe.numeric;
	if (result == 0)
		uv_run(loop, UV_RUN_DEFAULT);
	screen_deinit(&player->screen);
	uv_walk(loop, close_handle, NULL);
	uv_run(loop, UV_RUN_DEFAULT);
	uv_loop_close(loop);
	return result;
}

static int show(const struct replay *replay, const struct watch_options *options)
{
	struct player player = {.replay = replay, .options = options};
	struct error error = {0};
	uv_loop_t loop;
	int result = uv_loop_init(&loop);
	if (result == 0)
		result = play(&player, &loop, &error);
	if (result < 0) {
		fprintf(stderr, "retour: %s\n", error.text[0] ? error.text : uv_strerror(result));
		return EXIT_CANNOT_MEASURE;
	}
	if (player.signal || player.screen.gone)
		return EXIT_INTERRUPTED;
	say_what_is_wrong(replay, options->replay);
	return report(replay, options);
}

int watch_replay(const struct watch_options *options)
{
	struct replay replay;
	struct error error = {0};
	bool pipe = strcmp(options->replay, "-") == 0;
	FILE *in = pipe ? stdin : fopen(options->replay, "re");
	if (!in) {
		fprintf(stderr, "retour: cannot read %s: %s\n", options->replay, strerror(errno));
		return EXIT_CANNOT_MEASURE;
	}
	int result = replay_read(&replay, in, &error);
	if (!pipe)
		fclose(in);
	int status = EXIT_CANNOT_MEASURE;
	if (result < 0)
		fprintf(stderr, "retour: %s: %s\n", options->replay, error.text);
	else if (!options->report)
		status = show(&replay, options);
	if (result == 0 && options->report) {
		say_what_is_wrong(&replay, options->replay);
		status = report(&replay, options);
	}
	replay_deinit(&replay);
	return status;
}
