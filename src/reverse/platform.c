#include "reverse/platform.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define REPLY_BYTES   (4 * 1024 * 1024)
#define REQUEST_NS    (20 * NS_PER_S)
#define LAST_CALL_NS  (5 * NS_PER_S) /* before the time is up */
#define NOTE_SIZE     200
#define PAUSE_NS      (1 * NS_PER_S) /* after a failure; doubled each time */
#define RETRY_MOST_NS (15 * NS_PER_S)
#define WAIT_NS	      (4 * NS_PER_S) /* for the way there, where it is not known yet */

static struct platform *platform_of(struct asking *asking)
{
	return (struct platform *)asking; /* its first member */
}

/* ---- places */

static void look(struct platform *platform)
{
	const struct reverse_task *task = &platform->asking.task;
	vantage_scene_open(&platform->scene, task->target, platform->asking.forward, task->outside->data_dir);
}

static void look_and_order(struct platform *platform)
{
	look(platform);
	platform->ops->order(platform);
}

static uint32_t asn_to_try(const struct platform *platform)
{
	const struct vantage_scene *scene = &platform->scene;
	if (platform->place < scene->origin_count)
		return scene->origins[platform->place];
	unsigned upstream = platform->place - scene->origin_count;
	return upstream < scene->upstream_count ? scene->upstreams[upstream] : 0;
}

static void nowhere(struct platform *platform)
{
	const struct vantage_scene *scene = &platform->scene;
	const struct platform_ops *ops = platform->ops;
	if (!platform->waited) {
		platform->waited = true;
		platform_wait(platform, platform->asking.forward ? 0 : WAIT_NS, look_and_order);
	} else if (scene->origin_count + scene->upstream_count > 0) {
		platform_end(platform, ATTEMPT_UNAVAILABLE, NULL,
			"%s has no probe in the networks near the far host; name a place: --via %s:AS64500",
			ops->title, ops->name);
	} else {
		platform_end(platform, ATTEMPT_UNAVAILABLE, NULL,
			"the far host's AS is not known (retour data import tells it); name a place: --via "
			"%s:AS64500",
			ops->name);
	}
}

bool platform_place(struct platform *platform)
{
	const char *named = platform->asking.task.parameter;
	platform->asn = named ? 0 : asn_to_try(platform);
	if (named)
		snprintf(platform->where, sizeof(platform->where), "%.60s", named);
	else
		snprintf(platform->where, sizeof(platform->where), "AS%u", platform->asn);
	if (!named && !platform->asn)
		nowhere(platform);
	return named || platform->asn;
}

bool platform_next_place(struct platform *platform)
{
	if (platform->asking.task.parameter)
		return false;
	platform->place++;
	platform->ops->order(platform);
	return true;
}

/* ---- opening and closing */

static void on_closed(uv_handle_t *handle)
{
	asking_drop(&((struct platform *)handle->data)->asking);
}

static void on_http_closed(void *context)
{
	asking_drop(&((struct platform *)context)->asking);
}

static void close_all(struct platform *platform)
{
	if (!platform->open)
		return;
	platform->open = false;
	public_address_cancel(platform->inquiry);
	platform->inquiry = NULL;
	http_free(platform->http, on_http_closed, platform);
	uv_close((uv_handle_t *)&platform->wait, on_closed);
	uv_close((uv_handle_t *)&platform->last_call, on_closed);
}

static void on_last_call(uv_timer_t *timer)
{
	struct platform *platform = timer->data;
	if (!platform->inquiry)
		platform->ops->late(platform);
}

static bool open_all(struct platform *platform)
{
	struct error error = {0};
	uv_loop_t *loop = platform->asking.task.outside->loop;
	platform->http = http_new(loop, &error);
	if (!platform->http) {
		asking_finish(&platform->asking, ATTEMPT_UNAVAILABLE, NULL, "%s", error.text);
		return false;
	}
	uv_timer_init(loop, &platform->wait);
	uv_timer_init(loop, &platform->last_call);
	platform->wait.data = platform->last_call.data = platform;
	for (int i = 0; i < 3; i++)
		asking_hold(&platform->asking);
	platform->open = true;
	uv_timer_start(&platform->last_call, on_last_call,
		(uint64_t)((platform->asking.timeout_ns - LAST_CALL_NS) / NS_PER_MS), 0);
	return true;
}

static void on_address(struct asking *asking, const struct public_view *view)
{
	struct platform *platform = platform_of(asking);
	platform->inquiry = NULL;
	platform->view = *view;
	/* The user's own word holds, whatever it is. */
	bool usable = view->source == PUBLIC_SAID ||
		(view->source != PUBLIC_NOT_KNOWN && !addr_is_private(view->address));
	if (!usable) {
		platform->view = (struct public_view){0}; /* nothing to ask for again */
		platform_end(platform, ATTEMPT_UNAVAILABLE, NULL, "%s", view->note);
		return;
	}
	look_and_order(platform);
}

static void begin(struct asking *asking)
{
	struct platform *platform = platform_of(asking);
	if (!open_all(platform))
		return;
	if (public_address_ask(&platform->inquiry, asking, on_address) < 0)
		platform_end(platform, ATTEMPT_FAILED, NULL, "out of memory");
}

static void cancel(struct asking *asking)
{
	close_all(platform_of(asking));
}

static void destroy(struct asking *asking)
{
	struct platform *platform = platform_of(asking);
	path_free(platform->end.path);
	json_decref(platform->told);
	free(platform);
}

/* NULL: there are no settings. */
static const struct settings_platform *settings_of(
	const struct platform_ops *ops, const struct reverse_task *task)
{
	if (!task->outside || !task->outside->settings)
		return NULL;
	return (const void *)((const char *)task->outside->settings + ops->settings_at);
}

void *platform_start(const struct platform_ops *ops, const struct reverse_task *task)
{
	static const struct asking_ops asking_ops = {begin, cancel, destroy};
	struct platform *platform = calloc(1, ops->size);
	if (!platform)
		return NULL;
	asking_init(&platform->asking, &asking_ops, task, ops->timeout_ns);
	platform->ops = ops;
	platform->settings = settings_of(ops, task);
	platform->key = platform->settings ? settings_token(platform->settings) : NULL;
	return platform;
}

bool platform_configured(const struct platform_ops *ops, const struct reverse_task *task)
{
	const struct settings_platform *settings = settings_of(ops, task);
	return settings && settings->use;
}

/* ---- the end */

static void finish(struct platform *platform, const char *more)
{
	struct path *path = platform->end.path;
	platform->end.path = NULL;
	asking_finish(&platform->asking, platform->end.status, path, "%s%s%s", platform->end.text,
		*more ? "; " : "", more);
	close_all(platform);
}

/* What is to be minded about our address. */
static const char *note_of(
	const struct platform *platform, const struct path *path, char note[static NOTE_SIZE])
{
	char text[ADDR_TEXT_SIZE];
	snprintf(note, NOTE_SIZE, "%.*s", NOTE_SIZE - 1, platform->view.note);
	if (platform->view.translated && path->reached)
		snprintf(note, NOTE_SIZE, "reached your NAT, %s: what is behind it is not seen",
			addr_format(platform->view.address, text));
	return note;
}

static void on_address_again(struct asking *asking, const struct public_view *view)
{
	struct platform *platform = platform_of(asking);
	char then[ADDR_TEXT_SIZE], now[ADDR_TEXT_SIZE], text[ASKING_DETAIL_SIZE], note[NOTE_SIZE];
	platform->inquiry = NULL;
	if (view->source == PUBLIC_NOT_KNOWN || addr_equal(view->address, platform->view.address)) {
		finish(platform, note_of(platform, platform->end.path, note));
		return;
	}
	asking->public_address = platform->view.address; /* the one that was traced to */
	if (platform->end.status == ATTEMPT_OK)
		platform->end.status = ATTEMPT_PARTIAL;
	snprintf(text, sizeof(text),
		"your public address changed meanwhile, from %s to %s: this is the way to the old one",
		addr_format(platform->view.address, then), addr_format(view->address, now));
	finish(platform, text);
}

void platform_end(
	struct platform *platform, enum attempt_status status, struct path *path, const char *format, ...)
{
	char note[NOTE_SIZE];
	va_list arguments;
	if (platform->asking.finished || platform->ended) {
		path_free(path);
		return;
	}
	va_start(arguments, format);
	vsnprintf(platform->end.text, sizeof(platform->end.text), format, arguments);
	va_end(arguments);
	platform->ended = true;
	platform->end.status = status;
	platform->end.path = path;
	platform->done = NULL;
	uv_timer_stop(&platform->wait);
	if (path && public_address_may_change(&platform->view) &&
		public_address_ask(&platform->inquiry, &platform->asking, on_address_again) == 0)
		return;
	finish(platform, path ? note_of(platform, path, note) : "");
}

const char *platform_clean(
	const struct platform *platform, const char *text, char out[static PLATFORM_MESSAGE_SIZE])
{
	bool secret = text && platform->key && *platform->key && strstr(text, platform->key);
	snprintf(out, PLATFORM_MESSAGE_SIZE, "%s",
		secret	       ? "(not shown: the key is in it)"
			: text ? text
			       : "");
	return out;
}

long platform_header_number(const struct http_reply *reply, const char *name)
{
	const char *text = reply->header ? reply->header(reply, name) : NULL;
	if (!text || !isdigit((unsigned char)*text)) /* a date begins with a letter */
		return -1;
	return (long)MIN(strtoul(text, NULL, 10), 1000000000ul);
}

/* Seconds until it may be asked again; -1 = it does not say. */
static long retry_s(const struct http_reply *reply)
{
	long seconds = platform_header_number(reply, "Retry-After");
	return seconds < 0 ? platform_header_number(reply, "X-RateLimit-Reset") : seconds;
}

static const char *key_remedy(const struct platform *platform)
{
	return platform->key ? "the key is not accepted"
			     : "it wants a key: name one in the settings (token_env)";
}

void platform_refused(struct platform *platform, const struct http_reply *reply, const char *message)
{
	char clean[PLATFORM_MESSAGE_SIZE];
	const char *title = platform->ops->title;
	platform_clean(platform, message, clean);
	clean[120] = '\0';
	if (reply->error < 0)
		platform_end(platform, reply->error == -ETIMEDOUT ? ATTEMPT_TIMEOUT : ATTEMPT_FAILED, NULL,
			"%s: %s", title, platform_clean(platform, reply->reason, clean));
	else if (reply->status == 401)
		platform_end(platform, ATTEMPT_REFUSED, NULL, "%s: %s", title, key_remedy(platform));
	else if (reply->status == 429 && retry_s(reply) >= 0)
		platform_end(platform, ATTEMPT_REFUSED, NULL, "%s: no more for now, again in %ld s%s%s",
			title, retry_s(reply), *clean ? ": " : "", clean);
	else if (reply->status == 429)
		platform_end(platform, ATTEMPT_REFUSED, NULL, "%s: no more for now%s%s", title,
			*clean ? ": " : "", clean);
	else if (reply->status >= 400 && reply->status < 500)
		platform_end(platform, ATTEMPT_REFUSED, NULL, "%s refuses (%d)%s%s", title, reply->status,
			*clean ? ": " : "", clean);
	else if (reply->status >= 500)
		platform_end(platform, ATTEMPT_FAILED, NULL, "%s is out of order (%d)", title, reply->status);
	else
		platform_end(platform, ATTEMPT_FAILED, NULL, "%s: an answer that nobody understands", title);
}

/* ---- asking */

static void on_reply(void *context, const struct http_reply *reply)
{
	struct platform *platform = context;
	platform_done *done = platform->done;
	bool whole = reply->error == 0 && !reply->cut;
	json_t *json = whole ? json_loadb(reply->body, reply->length, 0, NULL) : NULL;
	platform->done = NULL;
	if (done)
		done(platform, reply, json);
	json_decref(json);
}

void platform_ask(struct platform *platform, const char *path, json_t *body, const char *const *headers,
	bool bearer, platform_done *done)
{
	const char *base =
		platform->settings && platform->settings->url ? platform->settings->url : platform->ops->url;
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL, *url = NULL;
	size_t length = strlen(base);
	while (length > 0 && base[length - 1] == '/')
		length--;
	bool good = asprintf(&url, "%.*s%s", (int)length, base, path) >= 0;
	struct http_ask ask = {.url = url,
		.body = text,
		.bearer = bearer ? platform->key : NULL,
		.headers = headers,
		.limit_bytes = REPLY_BYTES,
		.timeout_ns = REQUEST_NS};
	platform->done = done;
	if (!good || (body && !text) || !http_start(platform->http, &ask, on_reply, platform))
		platform_end(platform, ATTEMPT_FAILED, NULL, "out of memory");
	json_decref(body);
	free(text);
	if (good)
		free(url);
}

static void on_wait(uv_timer_t *timer)
{
	struct platform *platform = timer->data;
	platform->after(platform);
}

void platform_wait(struct platform *platform, int64_t ns, void (*after)(struct platform *platform))
{
	platform->after = after;
	uv_timer_start(&platform->wait, on_wait, (uint64_t)(ns / NS_PER_MS), 0);
}

static void ask_again(
	struct platform *platform, const struct http_reply *reply, void (*after)(struct platform *platform))
{
	bool throttled = reply->error == 0 && reply->status == 429;
	bool passing = reply->error < 0 || throttled || reply->status >= 500 ||
		(reply->status >= 200 && reply->status < 300); /* and no JSON */
	if (!passing || ++platform->failures > PLATFORM_FAILURES_MAX) {
		platform_refused(platform, reply, NULL);
		return;
	}
	long seconds = retry_s(reply);
	int64_t pause_ns = seconds < 0 ? PAUSE_NS << (platform->failures - 1) : seconds * NS_PER_S;
	platform_wait(platform, MIN(pause_ns, RETRY_MOST_NS), after);
}

bool platform_answered(struct platform *platform, const struct http_reply *reply, const json_t *json,
	bool keep, void (*after)(struct platform *platform))
{
	if (reply->error < 0 || reply->status != 200 || !json) {
		ask_again(platform, reply, after);
		return false;
	}
	platform->failures = 0;
	if (keep) {
		json_decref(platform->told);
		platform->told = json_deep_copy(json);
	}
	return true;
}

uint32_t platform_asn(const char *text)
{
	char *end;
	if (strncasecmp(text, "AS", 2) == 0)
		text += 2;
	if (!isdigit((unsigned char)*text))
		return 0;
	unsigned long long asn = strtoull(text, &end, 10);
	return *end == '\0' && asn <= UINT32_MAX ? (uint32_t)asn : 0;
}
