/* POST of a batch of one, then its stream of JSON lines, until the one line with the result. */
#include "reverse/revtr.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "reverse/asking.h"
#include "reverse/http.h"
#include "reverse/public_address.h"
#include "reverse/revtr_result.h"
#include "reverse/revtr_server.h"
#include "reverse/settings.h"

#define TIMEOUT_NS  (60 * NS_PER_S)
#define REPLY_BYTES (1u << 20)

struct revtr {
	struct asking asking;
	struct revtr_server server;
	struct http *http;
	struct public_inquiry *inquiry;
	bool open;
	char *line; /* the part of the stream that is not whole yet */
	size_t length;
};

static struct revtr *revtr_of(struct asking *asking)
{
	return (struct revtr *)asking; /* its first member */
}

static void on_http_closed(void *context)
{
	asking_drop(&((struct revtr *)context)->asking);
}

static void close_all(struct revtr *run)
{
	if (!run->open)
		return;
	run->open = false;
	public_address_cancel(run->inquiry);
	run->inquiry = NULL;
	http_free(run->http, on_http_closed, run);
}

static void end(struct revtr *run, enum attempt_status status, struct path *path, const char *text)
{
	asking_finish(&run->asking, status, path, "%s", text);
	close_all(run);
}

/* ---- the result */

/* "; 2 routers more do not show", or nothing. */
static const char *missing_text(const struct path *path, char *text, size_t size)
{
	unsigned missing = 0;
	for (size_t i = 0; i < path->gap_count; i++)
		missing += path->gaps[i].missing;
	*text = '\0';
	if (missing > 0)
		snprintf(text, size,
			missing == 1 ? "; %u router more does not show" : "; %u routers more do not show",
			missing);
	return text;
}

static void take_result(struct revtr *run, const char *text, size_t length)
{
	json_t *record = json_loadb(text, length, 0, NULL);
	const char *state = json_string_value(json_object_get(record, "state"));
	const char *stop = json_string_value(json_object_get(record, "stop"));
	const json_t *packets = json_object_get(json_object_get(record, "packets"), "options");
	const json_t *awaited = json_object_get(record, "awaits");
	const char *agent = json_string_value(json_object_get(awaited, "agent"));
	char detail[ASKING_DETAIL_SIZE], missing[60];
	if (agent)
		asking_say(&run->asking, "waiting for agent %.64s, which is not connected", agent);
	if (!state) {
		json_decref(record);
		return; /* that, a sign of life, or the end of the batch */
	}
	struct path *path = revtr_result_path(text, length);
	size_t hops = path ? path->hop_count : 0;
	if (hops == 0) {
		path_free(path);
		snprintf(detail, sizeof(detail), "nothing of the way back is known%s%.150s", stop ? ": " : "",
			stop ? stop : "");
		end(run, ATTEMPT_FAILED, NULL, detail);
	} else if (path->reached) {
		snprintf(detail, sizeof(detail), "the whole way, %zu hops, by %lld packets with options%s",
			hops, (long long)json_integer_value(packets),
			missing_text(path, missing, sizeof(missing)));
		end(run, ATTEMPT_OK, path, detail);
	} else {
		snprintf(detail, sizeof(detail), "the first %zu hops; then %.150s%s", hops,
			stop ? stop : "nothing", missing_text(path, missing, sizeof(missing)));
		end(run, ATTEMPT_PARTIAL, path, detail);
	}
	json_decref(record);
}

static void on_part(void *context, const char *bytes, size_t length)
{
	struct revtr *run = context;
	if (run->length + length > REPLY_BYTES)
		return;
	char *longer = realloc(run->line, run->length + length);
	if (!longer)
		return;
	run->line = longer;
	memcpy(run->line + run->length, bytes, length);
	run->length += length;
	for (char *end_of_line;
		!run->asking.finished && (end_of_line = memchr(run->line, '\n', run->length));) {
		size_t whole = (size_t)(end_of_line - run->line);
		take_result(run, run->line, whole);
		run->length -= whole + 1;
		memmove(run->line, end_of_line + 1, run->length);
	}
}

static void on_stream(void *context, const struct http_reply *reply)
{
	char detail[ASKING_DETAIL_SIZE];
	snprintf(detail, sizeof(detail), "the coordinator has taken it, but its answer was cut off%s%.150s",
		reply->error ? ": " : "", reply->error ? reply->reason : "");
	end(context, ATTEMPT_FAILED, NULL, detail);
}

/* ---- the order */

static const char *ca_of(const struct revtr *run)
{
	return run->server.ca[0] ? run->server.ca : NULL;
}

static void refused(struct revtr *run, const struct http_reply *reply, const json_t *json)
{
	const char *message = json_string_value(json_object_get(json_object_get(json, "error"), "message"));
	char detail[ASKING_DETAIL_SIZE];
	if (reply->status == 0)
		snprintf(detail, sizeof(detail), "no coordinator answers at %.100s: %.150s", run->server.url,
			reply->reason);
	else
		snprintf(detail, sizeof(detail), "%.200s (%d)",
			message ? message : "the coordinator does not say why", reply->status);
	end(run, reply->status == 0 ? ATTEMPT_UNAVAILABLE : ATTEMPT_REFUSED, NULL, detail);
}

static void on_created(void *context, const struct http_reply *reply)
{
	struct revtr *run = context;
	json_t *json = reply->body ? json_loadb(reply->body, reply->length, 0, NULL) : NULL;
	json_int_t batch = reply->error == 0 && reply->status == 201
		? json_integer_value(json_object_get(json, "batch"))
		: 0;
	const char *headers[] = {run->server.header, NULL};
	char url[640];
	if (batch <= 0) {
		refused(run, reply, json);
	} else {
		snprintf(
			url, sizeof(url), "%s/api/v2/batches/%lld/stream", run->server.url, (long long)batch);
		asking_say(&run->asking, "batch %lld: taken", (long long)batch);
		if (!http_start(run->http,
			    &(struct http_ask){.url = url,
				    .headers = headers,
				    .ca_file = ca_of(run),
				    .limit_bytes = REPLY_BYTES,
				    .timeout_ns = TIMEOUT_NS,
				    .part = on_part},
			    on_stream, run))
			end(run, ATTEMPT_FAILED, NULL, "out of memory");
	}
	json_decref(json);
}

static void order(struct revtr *run, struct addr source)
{
	char from[ADDR_TEXT_SIZE], to[ADDR_TEXT_SIZE];
	const char *headers[] = {run->server.header, NULL};
	json_t *body = json_pack("{s:b, s:[{s:s, s:s}]}", "interactive", 1, "measurements", "source",
		addr_format(source, from), "destination", addr_format(run->asking.task.target, to));
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL, url[640];
	snprintf(url, sizeof(url), "%s/api/v2/batches", run->server.url);
	if (!text ||
		!http_start(run->http,
			&(struct http_ask){.method = "POST",
				.url = url,
				.body = text,
				.headers = headers,
				.ca_file = ca_of(run)},
			on_created, run))
		end(run, ATTEMPT_FAILED, NULL, "out of memory");
	free(text);
	json_decref(body);
}

static void on_address(struct asking *asking, const struct public_view *view)
{
	struct revtr *run = revtr_of(asking);
	run->inquiry = NULL;
	/* Where nothing better is known: it is the coordinator that knows its sources. */
	order(run, view->source == PUBLIC_NOT_KNOWN ? asking->task.source : view->address);
}

/* ---- the method */

static const struct settings *settings_of(const struct reverse_task *task)
{
	return task->outside ? task->outside->settings : NULL;
}

static void begin(struct asking *asking)
{
	struct revtr *run = revtr_of(asking);
	struct error error = {0};
	if (revtr_server_find(&run->server, settings_of(&asking->task), asking->task.parameter, &error) < 0 ||
		!(run->http = http_new(asking->task.outside->loop, &error))) {
		asking_finish(asking, ATTEMPT_UNAVAILABLE, NULL, "%s", error.text);
		return;
	}
	asking_hold(asking);
	run->open = true;
	if (public_address_ask(&run->inquiry, asking, on_address) < 0)
		end(run, ATTEMPT_FAILED, NULL, "out of memory");
}

static void cancel(struct asking *asking)
{
	close_all(revtr_of(asking));
}

static void destroy(struct asking *asking)
{
	struct revtr *run = revtr_of(asking);
	explicit_bzero(&run->server, sizeof(run->server));
	free(run->line);
	free(run);
}

static void *start(const struct reverse_task *task)
{
	static const struct asking_ops ops = {begin, cancel, destroy};
	struct revtr *run = calloc(1, sizeof(*run));
	if (run)
		asking_init(&run->asking, &ops, task, TIMEOUT_NS);
	return run;
}

static bool configured(const struct reverse_task *task)
{
	const struct settings *settings = settings_of(task);
	return settings && settings->revtr.use;
}

const struct reverse_method revtr_method = {
	.name = "revtr",
	.parameter = "URL",
	.ipv4 = true,
	.configured = configured,
	.start = start,
	ASKING_METHOD,
};
