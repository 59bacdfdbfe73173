/* POST /api/v2/measurements/, then its results every two seconds until as many are there as probes were asked
 * for, or it has stopped. In between its status is asked for, since only that says that there are no suitable
 * probes. Where a place has none, the next one is tried. */
#include "reverse/atlas.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "reverse/atlas_result.h"
#include "reverse/platform.h"

#define PROBES	   3
#define TIMEOUT_NS (180 * NS_PER_S) /* it plans ahead: a minute is usual */
#define POLL_NS	   (2 * NS_PER_S)
#define SETTLE_NS  (20 * NS_PER_S) /* after the first result, for the others */

struct atlas {
	struct platform platform;
	bool stopped;
	json_int_t number;
	int64_t first_ns; /* when the first one was there, 0 = none */
};

static struct atlas *atlas_of(struct platform *platform)
{
	return (struct atlas *)platform; /* its first member */
}

static void ask(struct platform *platform, const char *path, json_t *body, platform_done *done)
{
	char line[300];
	int length = snprintf(line, sizeof(line), "Authorization: Key %s", platform->key);
	const char *headers[] = {line, NULL};
	if (length < (int)sizeof(line) && !strpbrk(line, "\r\n")) {
		platform_ask(platform, path, body, headers, false, done);
	} else {
		json_decref(body);
		platform_end(
			platform, ATTEMPT_UNAVAILABLE, NULL, "RIPE Atlas: the key of the settings is none");
	}
	explicit_bzero(line, sizeof(line));
}

/* ---- what there is */

static void end_with(struct atlas *run, bool over)
{
	struct platform *platform = &run->platform;
	struct path *path = atlas_best(platform->told, &platform->scene, platform->view.address,
		platform->asking.task.outside->data_dir);
	size_t count = atlas_count(platform->told);
	if (!path) {
		platform_end(platform, over ? ATTEMPT_FAILED : ATTEMPT_TIMEOUT, NULL,
			"RIPE Atlas %" JSON_INTEGER_FORMAT ", %s: %zu results, and none has a trace to us",
			run->number, platform->where, count);
		return;
	}
	platform_end(platform, path->reached ? ATTEMPT_OK : ATTEMPT_PARTIAL, path,
		"by the best of %zu results, %s (asked for: %s; measurement %" JSON_INTEGER_FORMAT ")", count,
		path->vantage ? vantage_phrase(path->vantage->distance) : "from the far host itself",
		platform->where, run->number);
}

static void late(struct platform *platform)
{
	end_with(atlas_of(platform), false);
}

/* ---- polling: results, status, results, ... */

static void poll_results(struct platform *platform);
static void poll_status(struct platform *platform);

static void on_results(struct platform *platform, const struct http_reply *reply, const json_t *json)
{
	struct atlas *run = atlas_of(platform);
	if (!platform_answered(platform, reply, json_is_array(json) ? json : NULL, true, poll_results))
		return;
	size_t count = atlas_count(json);
	if (count > 0 && run->first_ns == 0)
		run->first_ns = clock_monotonic_ns();
	asking_say(&platform->asking, "RIPE Atlas %" JSON_INTEGER_FORMAT ": %zu of %d results", run->number,
		count, PROBES);
	bool settled = run->first_ns && clock_monotonic_ns() - run->first_ns > SETTLE_NS;
	if (count >= PROBES || run->stopped || settled)
		end_with(run, true);
	else
		platform_wait(platform, POLL_NS, poll_status);
}

static void poll_results(struct platform *platform)
{
	char path[120];
	snprintf(path, sizeof(path), "/api/v2/measurements/%" JSON_INTEGER_FORMAT "/results/?format=json",
		atlas_of(platform)->number);
	ask(platform, path, NULL, on_results);
}

static void on_status(struct platform *platform, const struct http_reply *reply, const json_t *json)
{
	struct atlas *run = atlas_of(platform);
	if (!platform_answered(platform, reply, json, false, poll_status))
		return;
	const char *status = atlas_status(json);
	bool none = strcmp(status, "No suitable probes") == 0;
	if (none && platform_next_place(platform))
		return;
	if (none || strcmp(status, "Failed") == 0) {
		platform_end(platform, ATTEMPT_FAILED, NULL, "RIPE Atlas %" JSON_INTEGER_FORMAT ", %s: %s",
			run->number, platform->where, none ? "no suitable probes" : "the measurement failed");
	} else {
		run->stopped = strcmp(status, "Stopped") == 0;
		poll_results(platform);
	}
}

static void poll_status(struct platform *platform)
{
	char path[80];
	snprintf(path, sizeof(path), "/api/v2/measurements/%" JSON_INTEGER_FORMAT "/",
		atlas_of(platform)->number);
	ask(platform, path, NULL, on_status);
}

/* ---- ordering */

static void on_created(struct platform *platform, const struct http_reply *reply, const json_t *json)
{
	struct atlas *run = atlas_of(platform);
	char message[ATLAS_TEXT_SIZE];
	json_int_t number = reply->error == 0 && reply->status == 201 ? atlas_number(json) : 0;
	if (number == 0) {
		platform_refused(platform, reply, atlas_error(json, message));
		return;
	}
	run->number = number;
	asking_say(&platform->asking, "RIPE Atlas %" JSON_INTEGER_FORMAT ": ordered", number);
	platform_wait(platform, POLL_NS, poll_status);
}

static void order_from(struct platform *platform, const char *place)
{
	char why[ATLAS_TEXT_SIZE];
	json_t *probes = atlas_probes(place, PROBES, platform->view.address.family, why);
	if (!probes) {
		platform_end(platform, ATTEMPT_UNAVAILABLE, NULL, "%s", why);
		return;
	}
	json_t *body = atlas_order(platform->view.address, platform->asking.task.protocol, probes);
	if (body)
		ask(platform, "/api/v2/measurements/", body, on_created);
	else
		platform_end(platform, ATTEMPT_FAILED, NULL, "out of memory");
}

static void order(struct platform *platform)
{
	if (!platform->key) {
		platform_end(platform, ATTEMPT_UNAVAILABLE, NULL,
			"RIPE Atlas wants a key: make one at atlas.ripe.net that may schedule measurements, "
			"and name its "
			"environment variable in the settings (atlas: token_env)");
		return;
	}
	const char *place = platform->asking.task.parameter;
	if (platform_place(platform))
		order_from(platform, place ? place : platform->where);
}

/* ---- the method */

static const struct platform_ops ops = {
	.name = "atlas",
	.title = "RIPE Atlas",
	.url = "https://atlas.ripe.net",
	.timeout_ns = TIMEOUT_NS,
	.size = sizeof(struct atlas),
	.settings_at = offsetof(struct settings, atlas),
	.order = order,
	.late = late,
};

static void *start(const struct reverse_task *task)
{
	return platform_start(&ops, task);
}

static bool configured(const struct reverse_task *task)
{
	return platform_configured(&ops, task);
}

const struct reverse_method atlas_method = {.name = "atlas", .parameter = "PROBES", PLATFORM_METHOD};
