/* Recordings of `retour watch`: any input is read or refused, and every moment of what was read can be shown.
 */
#include <stdio.h>

#include "fuzz.h"
#include "report/replay.h"
#include "report/watch_text.h"

static void show(const struct replay *replay, int64_t at_ns)
{
	struct timeline timeline;
	CHECK(history_at(&replay->history, at_ns, &timeline) == 0);
	const struct replay_back *back = replay_back_at(replay, at_ns);
	struct watch_view view = {
		.timeline = &timeline,
		.book = &replay->book,
		.started_wall_ns = replay->started_wall_ns,
		.interval_ns = replay->interval_ns,
		.target_name = replay->target_name ? replay->target_name : "",
		.target = replay->target,
		.back = back ? &back->measurement : NULL,
	};
	struct watch_text_options options = {.report = {.width = 100}, .wide = true};
	for (unsigned ttl = 1; ttl <= timeline_last(&timeline); ttl++) {
		struct loss loss = timeline_loss(&timeline, ttl);
		CHECK(loss.lost <= loss.sent);
		CHECK(loss.share.low <= loss.share.high);
	}
	FILE *out = fopen("/dev/null", "w");
	CHECK(out && watch_text(out, &view, NULL, &options) == 0);
	fclose(out);
	struct path *path = timeline_path(&timeline, replay->started_wall_ns);
	CHECK(path);
	path_free(path);
	timeline_deinit(&timeline);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct replay replay;
	struct error error;
	FILE *in = size > 0 ? fmemopen((void *)data, size, "r") : NULL;
	if (!in)
		return 0;
	int result = replay_read(&replay, in, &error);
	fclose(in);
	if (result == 0) {
		CHECK(replay.bad_lines <= replay.lines);
		show(&replay, 0);
		show(&replay, INT64_MAX);
	}
	replay_deinit(&replay);
	return 0;
}
