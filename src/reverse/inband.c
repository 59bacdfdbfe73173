#include "reverse/inband.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "path/json.h"
#include "reverse/asking.h"
#include "reverse/http.h"
#include "reverse/remote_path.h"

#define TIMEOUT_NS (40 * NS_PER_S)
#define REQUEST_NS (18 * NS_PER_S) /* twice: in-band, then the ordinary trace */
#define URL_SIZE   512

enum http_status {
	HTTP_OK = 200,
	HTTP_FORBIDDEN = 403,
	HTTP_NOT_FOUND = 404,
	HTTP_TOO_MANY = 429,
	HTTP_NOT_IMPLEMENTED = 501,
	HTTP_UNAVAILABLE = 503,
};

struct inband_run {
	struct asking asking;
	struct http *http;
	char why[160]; /* the trace is an ordinary one */
};

static bool is_url(const char *text)
{
	return text && (strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0);
}

/* Scheme, host and port of `url`, and then `path`. False: too long. */
static bool service_url(const char *url, const char *path, char *out)
{
	const char *host = strstr(url, "://") + 3;
	size_t length = (size_t)(host - url) + strcspn(host, "/?#");
	int written = snprintf(out, URL_SIZE, "%.*s%s", (int)MIN(length, (size_t)URL_SIZE), url, path);
	return written > 0 && written < URL_SIZE;
}

static bool inband_configured(const struct reverse_task *task)
{
	return task->url != NULL;
}

/* ---- opening and closing */

static void on_closed(void *context)
{
	struct inband_run *run = context;
	asking_drop(&run->asking);
}

static void close_http(struct inband_run *run)
{
	if (run->http)
		http_free(run->http, on_closed, run);
	run->http = NULL;
}

static void finish(struct inband_run *run, enum attempt_status status, struct path *path, const char *format,
	...) PRINTF_LIKE(4, 5);
static void finish(
	struct inband_run *run, enum attempt_status status, struct path *path, const char *format, ...)
{
	char text[ASKING_DETAIL_SIZE];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	asking_finish(&run->asking, status, path, "%s", text);
	close_http(run);
}

static void ask(struct inband_run *run, const char *path, http_done *done)
{
	char url[URL_SIZE];
	const struct reverse_task *task = &run->asking.task;
	const char *service = is_url(task->parameter) ? task->parameter : task->url;
	if (!service_url(service, path, url)) {
		finish(run, ATTEMPT_UNAVAILABLE, NULL, "the URL is too long");
		return;
	}
	struct http_ask request = {.url = url, .timeout_ns = REQUEST_NS, .family = task->target.family};
	if (!http_start(run->http, &request, done, run))
		finish(run, ATTEMPT_FAILED, NULL, "out of memory");
}

/* ---- what came */

/* Was it surely the far host itself that we were connected to? A proxy of ours may lie between (then neither
 * end of the connection is told), or the name has other addresses. */
static bool is_direct(const struct inband_run *run, const struct http_reply *reply)
{
	return addr_equal(reply->peer, run->asking.task.target);
}

/* The end of the way as the far host sees it. */
static const char *end_text(struct inband_run *run, const struct path *path, const struct http_reply *reply,
	char *text, size_t size)
{
	char address[ADDR_TEXT_SIZE], peer[ADDR_TEXT_SIZE];
	bool plain = path->hop_count > 0 && path->hops[0].technique == TECHNIQUE_REMOTE_TRACE;
	addr_format(path->destination, address);
	if (!is_direct(run, reply)) {
		if (addr_is_set(reply->peer))
			snprintf(text, size, "to %s; the connection was to %s, not to the address measured",
				address, addr_format(reply->peer, peer));
		else
			snprintf(text, size, "to %s; the connection was made through a proxy, it seems",
				address);
		return text;
	}
	if (addr_is_set(reply->local) && addr_equal(path->destination, reply->local)) {
		snprintf(text, size, "%s", path->reached ? "to this host" : "the end did not answer");
		return text;
	}
	run->asking.public_address = path->destination;
	if (!path->reached)
		snprintf(text, size, "the end, %s, did not answer", address);
	else if (plain)
		snprintf(text, size, "to %s, your public address: reached your NAT", address);
	else
		snprintf(text, size, "to this host, through your NAT, %s", address);
	return text;
}

/* The whole way from the far host to us. */
static enum attempt_status status_of(
	const struct inband_run *run, const struct path *path, const struct http_reply *reply)
{
	return path->reached && is_direct(run, reply) ? ATTEMPT_OK : ATTEMPT_PARTIAL;
}

/* The reply's document, for as long as it is one. 0 or negative errno; then it is told. */
static int read_document(
	struct inband_run *run, const struct http_reply *reply, struct measurement *measurement)
{
	struct error error = {0};
	int code = reply->cut ? -EMSGSIZE
			      : measurement_from_text(reply->body, reply->length, measurement, &error);
	if (code < 0)
		finish(run, ATTEMPT_FAILED, NULL, "the far host's answer is no measurement: %.120s",
			reply->cut ? "too long" : error.text);
	return code;
}

/* True: there is a response to be read. Otherwise the end has been told. */
static bool is_answer(struct inband_run *run, const struct http_reply *reply)
{
	if (reply->error) {
		enum attempt_status status = reply->error == -ETIMEDOUT ? ATTEMPT_TIMEOUT
			: reply->error == -ECONNREFUSED			? ATTEMPT_UNAVAILABLE
									: ATTEMPT_FAILED;
		finish(run, status, NULL, "%.200s", reply->reason);
		return false;
	}
	if (reply->status == HTTP_OK)
		return true;
	const char *retry = reply->header(reply, "Retry-After");
	bool busy = reply->status == HTTP_TOO_MANY || reply->status == HTTP_UNAVAILABLE;
	if (busy)
		finish(run, ATTEMPT_REFUSED, NULL, "the far host is busy with traces: try again%s%.10s%s",
			retry ? " in " : " later", retry ? retry : "", retry ? " s" : "");
	else
		finish(run, reply->status == HTTP_FORBIDDEN ? ATTEMPT_REFUSED : ATTEMPT_UNSUPPORTED, NULL,
			"no service of retour there (HTTP status %d)", reply->status);
	return false;
}

/* ---- the ordinary trace, from there to the address that it sees */

static void on_trace(void *context, const struct http_reply *reply)
{
	struct inband_run *run = context;
	struct measurement measurement;
	char end[200];
	if (!is_answer(run, reply) || read_document(run, reply, &measurement) < 0)
		return;
	struct path *path = measurement.forward;
	measurement.forward = NULL;
	if (path && path->hop_count > 0) {
		struct remote_view view = {.method = "inband",
			.from = run->asking.task.target,
			.to = path->destination,
			.far_host = true};
		path = remote_path_turn(path, &view);
	}
	if (!path || path->hop_count == 0) {
		path_free(path);
		finish(run, ATTEMPT_FAILED, NULL, "%s, and its ordinary trace has no hops", run->why);
	} else {
		end_text(run, path, reply, end, sizeof(end));
		size_t count = path->hop_count;
		finish(run, status_of(run, path, reply), path,
			"%s; an ordinary trace from there: %zu hops %s", run->why, count, end);
	}
	measurement_deinit(&measurement);
}

/* ---- inside the connection */

/* What is known by this way; the document is somebody else's. */
static void claim(struct path *path, bool direct)
{
	path->direction = DIRECTION_REVERSE;
	for (size_t i = 0; i < path->hop_count; i++) {
		path->hops[i].technique = TECHNIQUE_INBAND;
		path->hops[i].certainty = direct ? CERTAINTY_MEASURED : CERTAINTY_INFERRED;
	}
	if (path->reached && !direct) {
		path->reached = false;
		path->stop_reason = STOP_PARTIAL;
	}
}

static void use_path(struct inband_run *run, struct path *path, const struct http_reply *reply)
{
	char end[200], *method = strdup("inband");
	if (!method) {
		path_free(path);
		finish(run, ATTEMPT_FAILED, NULL, "out of memory");
		return;
	}
	free(path->method);
	path->method = method;
	claim(path, is_direct(run, reply));
	end_text(run, path, reply, end, sizeof(end));
	size_t count = path->hop_count;
	finish(run, status_of(run, path, reply), path, "%zu hops, inside the connection: %s", count, end);
}

static void ask_for_trace(struct inband_run *run, const char *why)
{
	snprintf(run->why, sizeof(run->why), "%s", why);
	ask(run, "/api/v1/trace", on_trace);
}

static void on_inband(void *context, const struct http_reply *reply)
{
	struct inband_run *run = context;
	struct measurement measurement;
	if (!reply->error && (reply->status == HTTP_NOT_FOUND || reply->status == HTTP_NOT_IMPLEMENTED)) {
		ask_for_trace(run, "the far host does not trace inside connections");
		return;
	}
	if (!is_answer(run, reply) || read_document(run, reply, &measurement) < 0)
		return;
	struct path *path = measurement.reverse;
	measurement.reverse = NULL;
	if (path && path->hop_count > 0) {
		use_path(run, path, reply);
	} else {
		path_free(path);
		ask_for_trace(run, "the trace inside the connection found nothing");
	}
	measurement_deinit(&measurement);
}

/* ---- for the ladder */

static void inband_begin(struct asking *asking)
{
	struct inband_run *run = (struct inband_run *)asking; /* its first member */
	struct error error = {0};
	if (asking->task.parameter && !is_url(asking->task.parameter)) {
		asking_finish(asking, ATTEMPT_FAILED, NULL, "not a URL of http or https: %.200s",
			asking->task.parameter);
		return;
	}
	if (!is_url(asking->task.parameter) && !asking->task.url) {
		asking_finish(asking, ATTEMPT_UNAVAILABLE, NULL,
			"needs the URL of a retour serve: retour back --via inband https://HOST/");
		return;
	}
	run->http = http_new(asking->task.outside->loop, &error);
	if (!run->http) {
		asking_finish(asking, ATTEMPT_UNAVAILABLE, NULL, "%s", error.text);
		return;
	}
	asking_hold(asking);
	ask(run, "/api/v1/inband", on_inband);
}

static void inband_cancel(struct asking *asking)
{
	close_http((struct inband_run *)asking);
}

static void inband_destroy(struct asking *asking)
{
	free(asking);
}

static void *inband_start(const struct reverse_task *task)
{
	static const struct asking_ops ops = {inband_begin, inband_cancel, inband_destroy};
	struct inband_run *run = calloc(1, sizeof(*run));
	if (run)
		asking_init(&run->asking, &ops, task, TIMEOUT_NS);
	return run;
}

const struct reverse_method inband_method = {
	.name = "inband",
	.parameter = "URL",
	.ipv4 = true,
	.ipv6 = true,
	.configured = inband_configured,
	.start = inband_start,
	ASKING_METHOD,
};
