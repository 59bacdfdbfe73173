#include "serve/http.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/clock.h"
#include "net/sockaddr.h"
#include "serve/clients.h"
#include "serve/mhd.h"
#include "serve/proxy.h"

#define CONNECTION_BYTES   16384u /* request line, headers and what is being sent */
#define INACTIVITY_S	   15u
#define SWEEP_MS	   1000
#define STREAM_BYTES_MAX   65536
#define STREAM_BLOCK_BYTES 4096
#define CLIENTS_CLOSING    64u /* on top, for libmicrohttpd's own limit */

enum stage {
	STAGE_ASKED,	/* the handler is running, or the connection sleeps until there is an answer */
	STAGE_ANSWERED, /* not yet handed to libmicrohttpd */
	STAGE_STREAMING,
	STAGE_LEAVING, /* the response is libmicrohttpd's */
};

struct httpd_exchange {
	struct httpd *httpd;
	struct listener *listener;
	struct httpd_exchange *previous, *next;
	struct MHD_Connection *connection;
	struct client *client;
	char *path;
	struct httpd_peer peer;
	enum stage stage;
	bool head, asked, asleep, ended;
	struct httpd_answer answer;
	const char *stream_type;
	char *stream;
	size_t stream_start, stream_length;
	struct {
		void (*ended)(void *context);
		void *context;
	} ends[HTTPD_ENDS];
	size_t end_count;
};

struct listener {
	struct httpd *httpd;
	struct MHD_Daemon *daemon;
	uv_poll_t poll;
	uv_timer_t timer;
};

struct httpd {
	struct mhd mhd;
	struct httpd_config config;
	struct listener listeners[HTTPD_LISTENERS_MAX];
	size_t listener_count;
	struct clients clients;
	struct httpd_exchange *exchanges;
	uv_timer_t sweep;
	struct httpd_counters counters;
	char log[200]; /* the last that libmicrohttpd had to say */
};

/* ---- the loop */

static void run(struct listener *listener);

static void on_timer(uv_timer_t *timer)
{
	run(timer->data);
}

static void run(struct listener *listener)
{
	const struct mhd *mhd = &listener->httpd->mhd;
	MHD_UNSIGNED_LONG_LONG wait_ms;
	mhd->run(listener->daemon);
	if (mhd->timeout(listener->daemon, &wait_ms) == MHD_YES)
		uv_timer_start(&listener->timer, on_timer, wait_ms, 0);
	else
		uv_timer_stop(&listener->timer);
}

static void on_readable(uv_poll_t *poll, int status, int events UNUSED)
{
	if (status < 0)
		uv_poll_start(poll, UV_READABLE, on_readable);
	run(poll->data);
}

static void on_sweep(uv_timer_t *timer)
{
	struct httpd *httpd = timer->data;
	clients_sweep(&httpd->clients, clock_monotonic_ns());
}

/* ---- connections */

static struct addr read_address(const struct sockaddr *from, size_t length, uint16_t *port)
{
	struct sockaddr_storage storage = {0};
	memcpy(&storage, from, MIN(length, sizeof(storage)));
	return sockaddr_read(&storage, port);
}

static enum MHD_Result on_accept(void *context, const struct sockaddr *from, socklen_t length)
{
	struct httpd *httpd = context;
	struct addr address = read_address(from, length, NULL);
	return addr_is_set(address) && clients_admit(&httpd->clients, address, clock_monotonic_ns()) ? MHD_YES
												      : MHD_NO;
}

static struct addr client_address(const struct httpd *httpd, struct MHD_Connection *connection, uint16_t *port)
{
	const struct sockaddr *from =
		httpd->mhd.connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
	if (!from)
		return ADDR_NONE;
	return read_address(from,
		from->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in), port);
}

static int descriptor(const struct httpd *httpd, struct MHD_Connection *connection)
{
	return httpd->mhd.connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **slot,
	enum MHD_ConnectionNotificationCode code)
{
	struct httpd *httpd = context;
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		*slot = clients_add(&httpd->clients, client_address(httpd, connection, NULL),
			descriptor(httpd, connection), clock_monotonic_ns());
	else if (*slot)
		clients_remove(&httpd->clients, *slot);
}

/* ---- exchanges */

static void find_peer(struct httpd_exchange *exchange)
{
	const struct httpd *httpd = exchange->httpd;
	struct httpd_peer *peer = &exchange->peer;
	struct sockaddr_storage local = {0};
	socklen_t length = sizeof(local);
	peer->address = client_address(httpd, exchange->connection, &peer->port);
	if (getsockname(httpd_fd(exchange), (struct sockaddr *)&local, &length) == 0)
		peer->local = sockaddr_read(&local, &peer->local_port);
	peer->tls = httpd->config.certificate != NULL;
	struct addr told = proxy_client(httpd->config.proxies, httpd->config.proxy_count, peer->address,
		httpd_header(exchange, "X-Forwarded-For"));
	if (addr_is_set(told)) {
		peer->address = told;
		peer->port = 0;
		peer->proxied = true;
	}
}

static struct httpd_exchange *begin(
	struct listener *listener, struct MHD_Connection *connection, const char *path)
{
	struct httpd *httpd = listener->httpd;
	struct httpd_exchange *exchange = calloc(1, sizeof(*exchange));
	if (!exchange || !(exchange->path = strdup(path))) {
		free(exchange);
		return NULL;
	}
	exchange->httpd = httpd;
	exchange->listener = listener;
	exchange->connection = connection;
	exchange->client = httpd->mhd.connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
				   ->socket_context;
	exchange->next = httpd->exchanges;
	if (exchange->next)
		exchange->next->previous = exchange;
	httpd->exchanges = exchange;
	httpd->counters.requests++;
	find_peer(exchange);
	return exchange;
}

static void on_completed(void *context, struct MHD_Connection *connection UNUSED, void **slot,
	enum MHD_RequestTerminationCode code UNUSED)
{
	struct httpd *httpd = context;
	struct httpd_exchange *exchange = *slot;
	if (!exchange)
		return;
	*slot = NULL;
	*(exchange->previous ? &exchange->previous->next : &httpd->exchanges) = exchange->next;
	if (exchange->next)
		exchange->next->previous = exchange->previous;
	if (exchange->client)
		clients_set_busy(&httpd->clients, exchange->client, false, clock_monotonic_ns());
	for (size_t i = 0; i < exchange->end_count; i++)
		exchange->ends[i].ended(exchange->ends[i].context);
	if (exchange->stage != STAGE_LEAVING)
		free(exchange->answer.body);
	free(exchange->stream);
	free(exchange->path);
	free(exchange);
}

/* ---- responses */

static void add_headers(const struct mhd *mhd, struct MHD_Response *response, const char *type, unsigned status,
	unsigned retry_after_s)
{
	char seconds[16];
	mhd->add_header(response, "Content-Type", type ? type : "application/json");
	mhd->add_header(response, "Cache-Control", "no-store");
	mhd->add_header(response, "X-Content-Type-Options", "nosniff");
	mhd->add_header(response, "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		mhd->add_header(response, "Allow", "GET, HEAD");
	if (retry_after_s) {
		snprintf(seconds, sizeof(seconds), "%u", retry_after_s);
		mhd->add_header(response, "Retry-After", seconds);
	}
}

static enum MHD_Result queue(struct httpd_exchange *exchange, struct MHD_Response *response, unsigned status)
{
	const struct mhd *mhd = &exchange->httpd->mhd;
	exchange->stage = STAGE_LEAVING;
	exchange->httpd->counters.answers[MIN(status / 100, 5u)]++;
	enum MHD_Result result = mhd->queue(exchange->connection, status, response);
	mhd->destroy(response);
	return result;
}

static enum MHD_Result send_answer(struct httpd_exchange *exchange)
{
	const struct mhd *mhd = &exchange->httpd->mhd;
	struct httpd_answer *answer = &exchange->answer;
	struct MHD_Response *response = mhd->from_buffer(answer->length, answer->body, MHD_RESPMEM_MUST_FREE);
	if (!response)
		return MHD_NO;
	add_headers(mhd, response, answer->type, answer->status, answer->retry_after_s);
	return queue(exchange, response, answer->status);
}

static ssize_t read_stream(void *context, uint64_t position UNUSED, char *bytes, size_t room)
{
	struct httpd_exchange *exchange = context;
	size_t length = MIN(room, exchange->stream_length);
	if (length > 0) {
		memcpy(bytes, exchange->stream + exchange->stream_start, length);
		exchange->stream_start += length;
		exchange->stream_length -= length;
		return (ssize_t)length;
	}
	if (exchange->ended)
		return MHD_CONTENT_READER_END_OF_STREAM;
	exchange->asleep = true;
	exchange->httpd->mhd.suspend(exchange->connection);
	return 0;
}

static enum MHD_Result send_stream(struct httpd_exchange *exchange)
{
	const struct mhd *mhd = &exchange->httpd->mhd;
	struct MHD_Response *response =
		mhd->from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, read_stream, exchange, NULL);
	if (!response)
		return MHD_NO;
	add_headers(mhd, response, exchange->stream_type, MHD_HTTP_OK, 0);
	return queue(exchange, response, MHD_HTTP_OK);
}

static enum MHD_Result proceed(struct httpd_exchange *exchange)
{
	if (exchange->stage == STAGE_ANSWERED)
		return send_answer(exchange);
	if (exchange->stage == STAGE_STREAMING)
		return send_stream(exchange);
	if (exchange->stage == STAGE_ASKED && !exchange->asleep) {
		exchange->asleep = true;
		exchange->httpd->mhd.suspend(exchange->connection);
	}
	return MHD_YES;
}

static void refuse_method(struct httpd_exchange *exchange)
{
	char *body = strdup("{\"error\": {\"code\": \"method\", \"message\": \"only GET and HEAD are served\"}}");
	httpd_answer(exchange,
		(struct httpd_answer){.status = MHD_HTTP_METHOD_NOT_ALLOWED,
			.body = body,
			.length = body ? strlen(body) : 0});
}

static void ask(struct httpd_exchange *exchange)
{
	struct httpd *httpd = exchange->httpd;
	exchange->asked = true;
	if (exchange->client)
		clients_set_busy(&httpd->clients, exchange->client, true, clock_monotonic_ns());
	httpd->config.handler(httpd->config.context, exchange);
}

/* Called when the headers are complete, for each part of a body, which nobody wants, and when all is there; and again
 * after the connection has slept. Who answers at once, without waiting for the body, closes the connection. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version UNUSED, const char *data UNUSED, size_t *size, void **slot)
{
	struct httpd_exchange *exchange = *slot;
	if (!exchange) {
		*slot = exchange = begin(context, connection, url);
		if (!exchange)
			return MHD_NO;
		exchange->head = strcmp(method, "HEAD") == 0;
		if (exchange->head || strcmp(method, "GET") == 0)
			return MHD_YES;
		refuse_method(exchange);
		return proceed(exchange);
	}
	if (*size > 0) {
		*size = 0;
		return MHD_YES;
	}
	if (!exchange->asked)
		ask(exchange);
	return proceed(exchange);
}

const char *httpd_path(const struct httpd_exchange *exchange)
{
	return exchange->path;
}

const char *httpd_parameter(const struct httpd_exchange *exchange, const char *name)
{
	const char *value = NULL;
	size_t length;
	if (exchange->httpd->mhd.value_n(exchange->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name), &value,
		    &length) != MHD_YES)
		return NULL;
	return value ? value : "";
}

struct search {
	const char *name, *value;
};

static enum MHD_Result match_header(
	void *context, enum MHD_ValueKind kind UNUSED, const char *name, const char *value)
{
	struct search *search = context;
	if (strcasecmp(name, search->name) == 0)
		search->value = value;
	return MHD_YES;
}

const char *httpd_header(const struct httpd_exchange *exchange, const char *name)
{
	struct search search = {.name = name};
	exchange->httpd->mhd.values(exchange->connection, MHD_HEADER_KIND, match_header, &search);
	return search.value;
}

bool httpd_is_head(const struct httpd_exchange *exchange)
{
	return exchange->head;
}

const struct httpd_peer *httpd_peer(const struct httpd_exchange *exchange)
{
	return &exchange->peer;
}

int httpd_fd(const struct httpd_exchange *exchange)
{
	return descriptor(exchange->httpd, exchange->connection);
}

static void wake(struct httpd_exchange *exchange)
{
	if (!exchange->asleep)
		return;
	struct httpd *httpd = exchange->httpd;
	exchange->asleep = false;
	httpd->mhd.resume(exchange->connection);
	/* Without threads nobody tells the library of that: it is to be run, soon, as this may be inside of it. */
	for (size_t i = 0; i < httpd->listener_count; i++)
		uv_timer_start(&httpd->listeners[i].timer, on_timer, 0, 0);
}

void httpd_answer(struct httpd_exchange *exchange, struct httpd_answer answer)
{
	if (exchange->stage != STAGE_ASKED) {
		free(answer.body);
		return;
	}
	exchange->stage = STAGE_ANSWERED;
	exchange->answer = answer;
	wake(exchange);
}

void httpd_on_end(struct httpd_exchange *exchange, void (*ended)(void *context), void *context)
{
	if (exchange->end_count == HTTPD_ENDS)
		return;
	exchange->ends[exchange->end_count].ended = ended;
	exchange->ends[exchange->end_count++].context = context;
}

void httpd_stream(struct httpd_exchange *exchange, const char *type)
{
	if (exchange->stage != STAGE_ASKED)
		return;
	exchange->stage = STAGE_STREAMING;
	exchange->stream_type = type;
}

int httpd_write(struct httpd_exchange *exchange, const char *bytes, size_t length)
{
	if (exchange->ended)
		return -EPIPE;
	if (exchange->stream_length + length > STREAM_BYTES_MAX)
		return -ENOBUFS;
	if (!exchange->stream && !(exchange->stream = malloc(STREAM_BYTES_MAX)))
		return -ENOMEM;
	memmove(exchange->stream, exchange->stream + exchange->stream_start, exchange->stream_length);
	exchange->stream_start = 0;
	memcpy(exchange->stream + exchange->stream_length, bytes, length);
	exchange->stream_length += length;
	wake(exchange);
	return 0;
}

void httpd_end(struct httpd_exchange *exchange)
{
	exchange->ended = true;
	wake(exchange);
}

size_t httpd_unsent(const struct httpd_exchange *exchange)
{
	return exchange->stream_length;
}

/* ---- begin and end */

static PRINTF_LIKE(2, 0) void on_log(void *context, const char *format, va_list arguments)
{
	struct httpd *httpd = context;
	vsnprintf(httpd->log, sizeof(httpd->log), format, arguments);
	httpd->log[strcspn(httpd->log, "\n")] = '\0';
}

static int start_daemon(struct httpd *httpd, struct listener *listener, int fd)
{
	const struct httpd_config *config = &httpd->config;
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | (config->certificate ? MHD_USE_TLS : 0u);
	const struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)config->certificate},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)config->key},
		{MHD_OPTION_END, 0, NULL},
	};
	const struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
	listener->httpd = httpd;
	listener->daemon = httpd->mhd.start(flags, 0, on_accept, httpd, on_request, listener,
		MHD_OPTION_EXTERNAL_LOGGER, on_log, httpd, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, CLIENTS_MAX + CLIENTS_CLOSING,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
		INACTIVITY_S, MHD_OPTION_NOTIFY_CONNECTION, on_connection, httpd, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, httpd, MHD_OPTION_ARRAY, config->certificate ? tls : plain, MHD_OPTION_END);
	return listener->daemon ? 0 : -EINVAL;
}

static int start_listener(struct httpd *httpd, uv_loop_t *loop, int fd, struct error *error)
{
	struct listener *listener = &httpd->listeners[httpd->listener_count];
	if (start_daemon(httpd, listener, fd) < 0)
		return error_set(error, -EINVAL, "cannot serve HTTP%s: %s",
			httpd->config.certificate ? " with this certificate and key" : "", httpd->log);
	httpd->listener_count++;
	int epoll = httpd->mhd.daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	listener->poll.data = listener->timer.data = listener;
	uv_timer_init(loop, &listener->timer);
	int code = uv_poll_init(loop, &listener->poll, epoll);
	if (code == 0)
		code = uv_poll_start(&listener->poll, UV_READABLE, on_readable);
	return code < 0 ? error_set(error, code, "cannot watch HTTP: %s", uv_strerror(code)) : 0;
}

int httpd_start(struct httpd **made, struct uv_loop_s *loop, const struct httpd_config *config, struct error *error)
{
	struct httpd *httpd = *made = calloc(1, sizeof(*httpd));
	if (!httpd || clients_init(&httpd->clients, hash_key_random()) < 0)
		return error_set(error, -ENOMEM, "out of memory");
	httpd->config = *config;
	int code = mhd_load(&httpd->mhd, error);
	for (size_t i = 0; i < MIN(config->listener_count, (size_t)HTTPD_LISTENERS_MAX) && code == 0; i++)
		code = start_listener(httpd, loop, config->listeners[i], error);
	httpd->sweep.data = httpd;
	if (code == 0)
		code = uv_timer_init(loop, &httpd->sweep);
	if (code == 0)
		code = uv_timer_start(&httpd->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	return code;
}

/* What sleeps must wake before libmicrohttpd stops. */
void httpd_stop(struct httpd *httpd)
{
	for (struct httpd_exchange *exchange = httpd->exchanges; exchange; exchange = exchange->next) {
		if (exchange->stage == STAGE_ASKED)
			httpd_answer(exchange, (struct httpd_answer){.status = MHD_HTTP_SERVICE_UNAVAILABLE});
		httpd_end(exchange);
	}
	for (size_t i = 0; i < httpd->listener_count; i++) {
		struct listener *listener = &httpd->listeners[i];
		httpd->mhd.run(listener->daemon);
		uv_poll_stop(&listener->poll);
		uv_timer_stop(&listener->timer);
		httpd->mhd.stop(listener->daemon);
	}
	httpd->listener_count = 0;
}

void httpd_free(struct httpd *httpd)
{
	if (!httpd)
		return;
	clients_deinit(&httpd->clients);
	free(httpd);
}

struct httpd_counters httpd_counters(const struct httpd *httpd)
{
	struct httpd_counters counters = httpd->counters;
	counters.connections = httpd->clients.accepted;
	counters.refused_connections = httpd->clients.refused;
	counters.evicted_connections = httpd->clients.evicted;
	counters.open = httpd->clients.count;
	return counters;
}
