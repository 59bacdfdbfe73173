/* How the two loops meet: libcurl tells which sockets it waits for (on_curl_socket) and how long
 * (on_curl_timer); libuv tells libcurl what has happened to them (drive). libcurl must not be changed from
 * inside of its own callbacks, so what a caller cancels there is only marked, and swept when libcurl has
 * returned. */
#include "reverse/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "reverse/http_inside.h"

#define BODY_BYTES    (1024 * 1024)
#define REDIRECTS_MAX 5
#define TIMEOUT_NS    (30 * NS_PER_S)

struct http_socket {
	uv_poll_t poll;
	struct http *http;
	curl_socket_t fd;
};

/* ---- the end of requests and of all */

static void free_request(struct http_request *request)
{
	struct http *http = request->http;
	if (request->easy) {
		http->curl.multi_remove_handle(http->multi, request->easy);
		http->curl.easy_cleanup(request->easy);
	}
	http->curl.slist_free_all(request->headers);
	free(request->body);
	free(request);
}

static void unlink_request(struct http_request *request)
{
	struct http_request **link = &request->http->requests;
	while (*link && *link != request)
		link = &(*link)->next;
	if (*link)
		*link = request->next;
}

static void on_handle_closed(struct http *http)
{
	if (--http->handles > 0)
		return;
	void (*closed)(void *context) = http->closed;
	void *context = http->closed_context;
	free(http);
	if (closed)
		closed(context);
}

static void on_timer_closed(uv_handle_t *handle)
{
	on_handle_closed(handle->data);
}

/* Outside of libcurl only. */
static void tear_down(struct http *http)
{
	while (http->requests) {
		struct http_request *request = http->requests;
		http->requests = request->next;
		free_request(request);
	}
	/* Closes its connections, and tells their sockets to on_curl_socket. */
	http->curl.multi_cleanup(http->multi);
	http->curl.share_cleanup(http->share);
	uv_close((uv_handle_t *)&http->timer, on_timer_closed);
}

/* What was put off while libcurl, or the caller, was at work. False: nothing is left of it. */
static bool sweep(struct http *http)
{
	if (http->freed) {
		tear_down(http);
		return false;
	}
	for (struct http_request **link = &http->requests; *link;) {
		struct http_request *request = *link;
		if (!request->cancelled) {
			link = &request->next;
			continue;
		}
		*link = request->next;
		free_request(request);
	}
	return true;
}

void http_free(struct http *http, void (*closed)(void *context), void *context)
{
	if (http->freed)
		return;
	http->freed = true;
	http->closed = closed;
	http->closed_context = context;
	if (!http->inside)
		tear_down(http);
}

void http_cancel(struct http_request *request)
{
	request->cancelled = true;
	if (request->http->inside)
		return;
	unlink_request(request);
	free_request(request);
}

/* ---- redirects */

static bool follow(struct http_request *request, const char *url, long status)
{
	struct http *http = request->http;
	const struct http_curl *curl = &http->curl;
	const char *from = NULL;
	curl->easy_getinfo(request->easy, CURLINFO_EFFECTIVE_URL, &from);
	bool same = from && http_same_origin(curl, from, url);
	/* RFC 9110, sections 15.4.3 to 15.4.9: 307 and 308 repeat the request as it was; after the others, a
	 * form that was posted is answered by a page to get. */
	bool again = status == 307 || status == 308;
	if (again && request->has_body && !same) {
		request->not_followed = "redirected to another host, which is not for what was asked";
		return false;
	}
	if (++request->redirects > REDIRECTS_MAX) {
		request->not_followed = "redirected too often";
		return false;
	}
	if (!again)
		curl->easy_setopt(request->easy, CURLOPT_HTTPGET, 1L);
	if (!again || !same)
		curl->easy_setopt(request->easy, CURLOPT_CUSTOMREQUEST, NULL);
	if (!same) {
		curl->easy_setopt(request->easy, CURLOPT_XOAUTH2_BEARER, NULL);
		curl->easy_setopt(request->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_NONE);
		curl->easy_setopt(request->easy, CURLOPT_HTTPHEADER, NULL);
	}
	int64_t left_ms = MAX((request->deadline_ns - clock_monotonic_ns()) / NS_PER_MS, 1);
	curl->easy_setopt(request->easy, CURLOPT_TIMEOUT_MS, (long)left_ms);
	request->length = request->header_bytes = 0;
	curl->multi_remove_handle(http->multi, request->easy);
	if (curl->easy_setopt(request->easy, CURLOPT_URL, url) != CURLE_OK ||
		curl->multi_add_handle(http->multi, request->easy) != CURLM_OK)
		request->no_memory = true;
	return !request->no_memory;
}

/* True: the request goes on elsewhere. */
static bool redirected(struct http_request *request, CURLcode code)
{
	const struct http_curl *curl = &request->http->curl;
	char *url = NULL;
	long status = 0;
	curl->easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	curl->easy_getinfo(request->easy, CURLINFO_REDIRECT_URL, &url);
	if (code != CURLE_OK || status < 300 || status > 399 || !url)
		return false;
	char *copy = strdup(url);
	bool going = copy && follow(request, copy, status);
	free(copy);
	return going;
}

/* ---- the end of one */

static const char *reply_header(const struct http_reply *reply, const char *name)
{
	const struct http_request *request = reply->inside;
	struct curl_header *header;
	if (request->http->curl.easy_header(request->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return NULL;
	return header->value;
}

static int error_of(const struct http_request *request, CURLcode code)
{
	if (request->no_memory)
		return -ENOMEM;
	if (request->too_many_headers)
		return -E2BIG;
	switch (code) {
	case CURLE_OK: return request->not_followed ? -ELOOP : 0;
	case CURLE_OPERATION_TIMEDOUT: return -ETIMEDOUT;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY: return -EHOSTUNREACH;
	case CURLE_COULDNT_CONNECT: return -ECONNREFUSED;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL: return -EINVAL;
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR: return -ECONNRESET;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_WEIRD_SERVER_REPLY: return -EPROTO;
	default: return -EIO;
	}
}

static const char *reason_of(const struct http_request *request, CURLcode code)
{
	if (request->no_memory)
		return "out of memory";
	if (request->too_many_headers)
		return "too many headers";
	if (code == CURLE_OPERATION_TIMEDOUT)
		return request->length > 0 ? "the answer did not end in time" : "no answer in time";
	if (code == CURLE_OK)
		return request->not_followed ? request->not_followed : "";
	if (request->reason[0])
		return request->reason;
	return request->http->curl.easy_strerror(code);
}

/* The connection may be one with a proxy: libcurl goes by these (curl(1), ENVIRONMENT). */
static bool proxy_wanted(void)
{
	static const char *const names[] = {
		"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = getenv(names[i]);
		if (value && *value)
			return true;
	}
	return false;
}

static struct addr address_of(const struct http_request *request, CURLINFO info)
{
	struct addr address = ADDR_NONE;
	char *text = NULL;
	request->http->curl.easy_getinfo(request->easy, info, &text);
	if (!text || proxy_wanted() || !addr_parse(text, &address))
		return ADDR_NONE;
	return address;
}

static void finish(struct http_request *request, CURLcode code)
{
	long status = 0;
	if (request->cut && code == CURLE_WRITE_ERROR)
		code = CURLE_OK;
	request->http->curl.easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	struct http_reply reply = {
		.error = error_of(request, code),
		.reason = reason_of(request, code),
		.status = (int)status,
		.body = request->body ? request->body : "",
		.length = request->length,
		.cut = request->cut,
		.local = address_of(request, CURLINFO_LOCAL_IP),
		.peer = address_of(request, CURLINFO_PRIMARY_IP),
		.header = reply_header,
		.inside = request,
	};
	unlink_request(request);
	if (!request->cancelled)
		request->done(request->context, &reply);
	free_request(request);
}

static struct http_request *request_of(struct http *http, CURL *easy)
{
	struct http_request *request = http->requests;
	while (request && request->easy != easy)
		request = request->next;
	return request;
}

/* ---- the two loops */

static void drive(struct http *http, curl_socket_t fd, int events)
{
	int running, left;
	CURLMsg *message;
	http->inside = true;
	http->curl.multi_socket_action(http->multi, fd, events, &running);
	while (!http->freed && (message = http->curl.multi_info_read(http->multi, &left))) {
		struct http_request *request = request_of(http, message->easy_handle);
		CURLcode code = message->data.result;
		if (message->msg == CURLMSG_DONE && request && !redirected(request, code))
			finish(request, code);
	}
	http->inside = false;
	sweep(http);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	const struct http_socket *socket = poll->data;
	int what = status < 0 ? CURL_CSELECT_ERR : 0;
	if (events & UV_READABLE)
		what |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		what |= CURL_CSELECT_OUT;
	drive(socket->http, socket->fd, what);
}

static void on_timer(uv_timer_t *timer)
{
	drive(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *context)
{
	struct http *http = context;
	(void)multi;
	if (timeout_ms < 0)
		return uv_timer_stop(&http->timer);
	return uv_timer_start(&http->timer, on_timer, (uint64_t)timeout_ms, 0);
}

static void on_socket_closed(uv_handle_t *handle)
{
	struct http_socket *socket = handle->data;
	struct http *http = socket->http;
	free(socket);
	on_handle_closed(http);
}

static struct http_socket *watch_socket(struct http *http, curl_socket_t fd)
{
	struct http_socket *socket = calloc(1, sizeof(*socket));
	if (!socket || uv_poll_init_socket(http->loop, &socket->poll, fd) < 0) {
		free(socket);
		return NULL;
	}
	socket->http = http;
	socket->fd = fd;
	socket->poll.data = socket;
	http->handles++;
	http->curl.multi_assign(http->multi, fd, socket);
	return socket;
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *of_socket)
{
	struct http *http = context;
	struct http_socket *socket = of_socket;
	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (socket) {
			uv_poll_stop(&socket->poll);
			uv_close((uv_handle_t *)&socket->poll, on_socket_closed);
			http->curl.multi_assign(http->multi, fd, NULL);
		}
		return 0;
	}
	if (!socket)
		socket = watch_socket(http, fd);
	if (!socket)
		return -1;
	return uv_poll_start(&socket->poll,
		(what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0), on_poll);
}

struct http *http_new(uv_loop_t *loop, struct error *error)
{
	struct http *http = calloc(1, sizeof(*http));
	if (!http) {
		error_set(error, -ENOMEM, "out of memory");
		return NULL;
	}
	http->loop = loop;
	if (http_curl_load(&http->curl, error) < 0) {
		free(http);
		return NULL;
	}
	const struct http_curl *curl = &http->curl;
	http->multi = curl->multi_init();
	http->share = curl->share_init();
	if (!http->multi || !http->share) {
		curl->multi_cleanup(http->multi);
		curl->share_cleanup(http->share);
		free(http);
		error_set(error, -ENOMEM, "out of memory");
		return NULL;
	}
	uv_timer_init(loop, &http->timer);
	http->timer.data = http;
	http->handles = 1;
	curl->share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
	curl->multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl->multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl->multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl->multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	return http;
}

/* ---- the beginning of one */

struct http_request *http_start(struct http *http, const struct http_ask *ask, http_done *done, void *context)
{
	struct http_request *request = calloc(1, sizeof(*request));
	int64_t timeout_ns = ask->timeout_ns ? ask->timeout_ns : TIMEOUT_NS;
	if (!request)
		return NULL;
	*request = (struct http_request){.http = http,
		.part = ask->part,
		.done = done,
		.context = context,
		.limit = ask->limit_bytes ? ask->limit_bytes : BODY_BYTES,
		.has_body = ask->body != NULL,
		.deadline_ns = clock_monotonic_ns() + timeout_ns,
		.easy = http->curl.easy_init()};
	if (request->easy)
		http_set_manners(request, timeout_ns);
	if (!request->easy || !http_set_ask(request, ask) ||
		http->curl.multi_add_handle(http->multi, request->easy) != CURLM_OK) {
		free_request(request);
		return NULL;
	}
	request->next = http->requests;
	http->requests = request;
	return request;
}
