/* POST /v1/measurements, then GET of what became of it, half a second after each answer, until all probes
 * have finished. Where a place has no probes (422), the next one is tried. */
#include "reverse/globalping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "reverse/globalping_result.h"
#include "reverse/platform.h"

#define PROBES	   3
#define TIMEOUT_NS (75 * NS_PER_S)
#define POLL_NS	   (500 * NS_PER_MS) /* "after each reply", as its documentation asks */

struct globalping {
	struct platform platform;
	char id[72];
	char etag[160];
	char left[80]; /* what the user may still ask for, for a person */
};

static struct globalping *globalping_of(struct platform *platform)
{
	return (struct globalping *)platform; /* its first member */
}

/* ---- what there is */

static void end_with(struct globalping *run, bool over)
{
	struct platform *platform = &run->platform;
	struct globalping_summary summary = {0};
	char note[GLOBALPING_NOTE_SIZE] = "";
	struct path *path = NULL;
	if (platform->told && globalping_summary_read(platform->told, &summary))
		path = globalping_best(platform->told, &platform->scene, platform->view.address, note);
	if (!path) {
		platform_end(platform, over ? ATTEMPT_FAILED : ATTEMPT_TIMEOUT, NULL,
			"%s: %u probes, %u of them failed, and none has a trace to us", platform->where,
			summary.probes, summary.failed);
		return;
	}
	enum attempt_status status = path->reached ? ATTEMPT_OK : ATTEMPT_PARTIAL;
	platform_end(platform, status, path, "by the best of %u probes, %s (asked for: %s)%s%s%s",
		summary.probes, vantage_phrase(path->vantage->distance), platform->where, run->left,
		*note ? "; " : "", note);
}

static void late(struct platform *platform)
{
	end_with(globalping_of(platform), false);
}

static void poll(struct platform *platform);

static void on_measurement(struct platform *platform, const struct http_reply *reply, const json_t *json)
{
	struct globalping *run = globalping_of(platform);
	struct globalping_summary summary;
	if (reply->error == 0 && reply->status == 304) {
		platform->failures = 0;
		platform_wait(platform, POLL_NS, poll);
		return;
	}
	if (!platform_answered(
		    platform, reply, globalping_summary_read(json, &summary) ? json : NULL, true, poll))
		return;
	const char *etag = reply->header(reply, "ETag");
	bool fits = etag && strlen(etag) + sizeof("If-None-Match: ") <= sizeof(run->etag);
	snprintf(run->etag, sizeof(run->etag), "%s%s", fits ? "If-None-Match: " : "", fits ? etag : "");
	asking_say(&platform->asking, "Globalping %s: %u of %u probes have finished", run->id,
		summary.finished, summary.probes);
	if (summary.over)
		end_with(run, true);
	else
		platform_wait(platform, POLL_NS, poll);
}

static void poll(struct platform *platform)
{
	struct globalping *run = globalping_of(platform);
	const char *headers[] = {*run->etag ? run->etag : NULL, NULL};
	char path[120];
	snprintf(path, sizeof(path), "/v1/measurements/%s", run->id);
	platform_ask(platform, path, NULL, headers, true, on_measurement);
}

/* ---- ordering */

/* What is free, by the hour, and what was bought. */
static void note_limits(struct globalping *run, const struct http_reply *reply)
{
	long tests = platform_header_number(reply, "X-RateLimit-Remaining"),
	     credits = platform_header_number(reply, "X-Credits-Remaining");
	if (credits >= 0)
		snprintf(run->left, sizeof(run->left), "; %ld free tests and %ld credits left", MAX(tests, 0),
			credits);
	else if (tests >= 0)
		snprintf(run->left, sizeof(run->left), "; %ld free tests left", tests);
}

static void on_created(struct platform *platform, const struct http_reply *reply, const json_t *json)
{
	struct globalping *run = globalping_of(platform);
	const char *type = globalping_error_type(json);
	const char *id = reply->error == 0 && reply->status == 202 ? globalping_id(json) : NULL;
	bool none = reply->error == 0 && reply->status == 422 && strcmp(type, "no_probes_found") == 0;
	if (none && platform_next_place(platform))
		return;
	if (id) {
		snprintf(run->id, sizeof(run->id), "%s", id);
		note_limits(run, reply);
		asking_say(&platform->asking, "Globalping %s: ordered", run->id);
		platform_wait(platform, POLL_NS, poll);
	} else if (reply->error == 0 && strcmp(type, "insufficient_credits") == 0) {
		platform_end(platform, ATTEMPT_REFUSED, NULL, "Globalping: not enough credits");
	} else {
		platform_refused(platform, reply, globalping_error_message(json));
	}
}

static json_t *body_of(const struct globalping *run, json_t *location)
{
	const struct reverse_task *task = &run->platform.asking.task;
	char to[ADDR_TEXT_SIZE];
	const char *protocol = task->protocol == PROBE_TCP ? "TCP"
		: task->protocol == PROBE_UDP		   ? "UDP"
							   : "ICMP";
	return json_pack("{s:s, s:s, s:[o], s:i, s:{s:s}}", "type", "traceroute", "target",
		addr_format(run->platform.view.address, to), "locations", location, "limit", PROBES,
		"measurementOptions", "protocol", protocol);
}

static void order_from(struct globalping *run, json_t *location)
{
	json_t *body = location ? body_of(run, location) : NULL;
	if (!body)
		platform_end(&run->platform, ATTEMPT_FAILED, NULL,
			"the order cannot be written: the place is not UTF-8, or out of memory");
	else
		platform_ask(&run->platform, "/v1/measurements", body, NULL, true, on_created);
}

static void order(struct platform *platform)
{
	struct globalping *run = globalping_of(platform);
	const char *place = platform->asking.task.parameter;
	if (platform_place(platform))
		order_from(run,
			place ? json_pack("{s:s}", "magic", place)
			      : json_pack("{s:I}", "asn", (json_int_t)platform->asn));
}

/* ---- the method */

static const struct platform_ops ops = {
	.name = "globalping",
	.title = "Globalping",
	.url = "https://api.globalping.io",
	.timeout_ns = TIMEOUT_NS,
	.size = sizeof(struct globalping),
	.settings_at = offsetof(struct settings, globalping),
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

const struct reverse_method globalping_method = {.name = "globalping", .parameter = "PLACE", PLATFORM_METHOD};
