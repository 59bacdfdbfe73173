#include "reverse/lg_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "import/import.h"
#include "reverse/adapter.h"
#include "reverse/http.h"
#include "reverse/lg_pace.h"
#include "reverse/remote_path.h"
#include "reverse/telnet_run.h"

#define TIMEOUT_NS (60 * NS_PER_S)

struct lg_run {
	struct lg_ask ask;
	struct lg_talk talk;
	uv_loop_t *loop;
	uv_timer_t timer; /* the beginning is on the loop */
	struct http *http;
	struct telnet_run *telnet;
	struct addr local, peer;
	bool same_family; /* as what is traced: many trace to who asks only, and who answers may be who traces
			   */
	int64_t deadline_ns;
	lg_done *done;
	void *context;
	void (*closed)(void *context);
	void *closed_context;
	unsigned open; /* parts that are still on the loop */
};

/* ---- the end */

static void part_closed(void *context)
{
	struct lg_run *run = context;
	if (--run->open > 0)
		return;
	void (*closed)(void *context) = run->closed;
	void *closed_context = run->closed_context;
	lg_talk_deinit(&run->talk);
	free(run);
	if (closed)
		closed(closed_context);
}

static void timer_closed(uv_handle_t *handle)
{
	part_closed(handle->data);
}

void lg_run_free(struct lg_run *run, void (*closed)(void *context), void *context)
{
	run->done = NULL;
	run->closed = closed;
	run->closed_context = context;
	run->open = 1 + (run->http != NULL) + (run->telnet != NULL);
	if (run->http)
		http_free(run->http, part_closed, run);
	if (run->telnet)
		telnet_run_free(run->telnet, part_closed, run);
	uv_close((uv_handle_t *)&run->timer, timer_closed);
}

static void tell(struct lg_run *run, struct lg_result *result)
{
	lg_done *done = run->done;
	run->done = NULL;
	result->detail = run->talk.detail;
	result->text = run->talk.text;
	result->length = run->talk.length;
	result->local = run->local;
	result->peer = run->peer;
	if (done)
		done(run->context, result);
	path_free(result->path);
}

/* ---- the answer */

/* The machine that traced; none = not known. */
static struct addr tracer(const struct lg_run *run)
{
	struct addr address = ADDR_NONE;
	if (run->ask.glass->address && addr_parse(run->ask.glass->address, &address))
		return address;
	return run->talk.kind->peer_traces && run->peer.family == run->ask.to.family ? run->peer : ADDR_NONE;
}

static uint32_t asn_of(const struct lg_run *run)
{
	const struct settings_looking_glass *glass = run->ask.glass;
	const struct adapter_router *router =
		run->talk.adapter ? adapter_router(run->talk.adapter, glass->location) : NULL;
	return glass->asn == 0 && router ? router->asn : glass->asn;
}

static int set_vantage(const struct lg_run *run, struct path *path, struct addr from)
{
	char name[200];
	const char *router = run->talk.router ? run->talk.router : run->ask.glass->location;
	snprintf(name, sizeof(name), "%s%s%s%s", run->ask.glass->name, router ? " (" : "",
		router ? router : "", router ? ")" : "");
	return path_set_vantage(path, name, from, asn_of(run), VANTAGE_UNKNOWN);
}

static struct path *path_of(struct lg_run *run, char *note)
{
	struct addr from = tracer(run);
	struct remote_view view = {
		.method = run->ask.method ? run->ask.method : "lg",
		.dialect = run->talk.dialect,
		.from = from,
		.to = run->ask.to,
		.far_host = addr_is_set(from) && addr_equal(from, run->ask.target),
	};
	struct path *path = remote_path(run->talk.text, run->talk.length, &view, note);
	if (path && !view.far_host && set_vantage(run, path, from) < 0) {
		path_free(path);
		path = NULL;
	}
	return path;
}

static void tell_answer(struct lg_run *run)
{
	char note[IMPORT_NOTE_SIZE];
	struct lg_talk *talk = &run->talk;
	struct lg_result result = {.path = path_of(run, note)};
	if (!result.path) {
		lg_fail_saying(talk, ATTEMPT_FAILED, "its answer is no traceroute", talk->text);
		result.status = talk->status;
	} else {
		result.status = result.path->reached ? ATTEMPT_OK : ATTEMPT_PARTIAL;
		snprintf(talk->detail, sizeof(talk->detail), "%s%s%s", note,
			note[0] && talk->partial ? "; " : "", talk->partial ? "the answer ended early" : "");
	}
	tell(run, &result);
}

/* ---- carrying */

static void act(struct lg_run *run, enum lg_turn turn);

static int64_t time_left_ns(const struct lg_run *run)
{
	return MAX(run->deadline_ns - clock_monotonic_ns(), NS_PER_MS);
}

static unsigned retry_after_s(const struct http_reply *reply)
{
	const char *text = reply->header(reply, "Retry-After");
	unsigned long seconds = text ? strtoul(text, NULL, 10) : 0;
	return seconds <= 86400 * 30 ? (unsigned)seconds : 0;
}

static bool send_request(struct lg_run *run);

static void on_reply(void *context, const struct http_reply *reply)
{
	struct lg_run *run = context;
	if (run->same_family && (reply->error == -EHOSTUNREACH || reply->error == -ECONNREFUSED)) {
		run->same_family = false;
		if (!send_request(run))
			act(run, LG_FAILED);
		return;
	}
	bool ended_early = reply->cut || reply->error == -ETIMEDOUT || reply->error == -ECONNRESET;
	run->local = reply->local;
	run->peer = reply->peer;
	if (reply->error && !(ended_early && reply->length > 0)) {
		act(run,
			lg_fail(&run->talk,
				reply->error == -ETIMEDOUT ? ATTEMPT_TIMEOUT : ATTEMPT_UNAVAILABLE, "%s",
				reply->reason));
		return;
	}
	struct lg_reply for_kind = {
		.status = reply->status,
		.body = reply->body,
		.length = reply->length,
		.partial = ended_early,
		.retry_after_s = retry_after_s(reply),
	};
	act(run, lg_talk_turn(&run->talk, &for_kind));
}

static bool send_request(struct lg_run *run)
{
	const struct lg_request *request = &run->talk.request;
	struct error error = {0};
	struct http_ask ask = {
		.method = request->method,
		.url = request->url,
		.body = request->body,
		.content_type = request->content_type,
		.timeout_ns = time_left_ns(run),
		.family = run->same_family ? run->ask.to.family : 0,
	};
	if (!run->http)
		run->http = http_new(run->loop, &error);
	if (run->http && http_start(run->http, &ask, on_reply, run))
		return true;
	lg_fail(&run->talk, ATTEMPT_UNAVAILABLE, "%s", error.code ? error.text : "out of memory");
	return false;
}

static void act(struct lg_run *run, enum lg_turn turn)
{
	if (turn == LG_ASK && send_request(run))
		return;
	if (turn == LG_ANSWER) {
		tell_answer(run);
		return;
	}
	struct lg_result result = {.status = run->talk.status};
	tell(run, &result);
}

static void on_telnet(void *context, enum lg_turn turn)
{
	struct lg_run *run = context;
	run->peer = telnet_run_peer(run->telnet);
	act(run, turn);
}

/* Seconds for which it wants to be left alone. */
static unsigned must_wait_s(const struct lg_run *run)
{
	const struct adapter *adapter = run->talk.adapter;
	return adapter && adapter->automation ? lg_pace(adapter->name, adapter->min_interval_s) : 0;
}

static void on_begin(uv_timer_t *timer)
{
	struct lg_run *run = timer->data;
	unsigned wait_s = must_wait_s(run);
	if (wait_s > 0) {
		act(run,
			lg_fail(&run->talk, ATTEMPT_REFUSED,
				"it was asked a moment ago; it may be again in %u s", wait_s));
		return;
	}
	if (!run->talk.kind->telnet) {
		act(run, lg_talk_turn(&run->talk, NULL));
		return;
	}
	run->telnet = telnet_run_new(run->loop, &run->talk, time_left_ns(run), on_telnet, run);
	if (!run->telnet)
		act(run, lg_fail(&run->talk, ATTEMPT_FAILED, "out of memory"));
}

struct lg_run *lg_run_new(
	uv_loop_t *loop, const struct lg_ask *ask, lg_done *done, void *context, struct error *error)
{
	struct lg_run *run = malloc(sizeof(*run));
	if (!run) {
		error_set(error, -ENOMEM, "out of memory");
		return NULL;
	}
	*run = (struct lg_run){.ask = *ask,
		.loop = loop,
		.done = done,
		.context = context,
		.deadline_ns = clock_monotonic_ns() + (ask->timeout_ns ? ask->timeout_ns : TIMEOUT_NS)};
	if (lg_talk_init(&run->talk, ask->glass, ask->to, error) < 0) {
		free(run);
		return NULL;
	}
	run->same_family = true;
	uv_timer_init(loop, &run->timer);
	run->timer.data = run;
	uv_timer_start(&run->timer, on_begin, 0, 0);
	return run;
}
