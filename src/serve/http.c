#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "net/sockaddr.h"
#include "serve/http_inside.h"
#include "serve/proxy.h"

#define CONNECTION_BYTES 16384u /* request line, headers and what is being sent */
#define INACTIVITY_S	 15u
#define SWEEP_MS	 1000
#define DESCRIPTORS_WANT 2048
#define CLIENTS_CLOSING	 64u /* on top, for libmicrohttpd's own limit */

/* ---- the loop */

static void run(struct listener *listener);

static void on_timer(uv_timer_t *timer)
{
	run(timer->data);
}

static void on_soon(uv_idle_t *soon)
{
	uv_idle_stop(soon);
	run(soon->data);
}

/* Not by a timer of 0 ms: libuv's turn of the timers does not end while one sets itself again, and as long as
 * there are requests nobody else would have a turn. */
void httpd_run_soon(struct listener *listener)
{
	uv_idle_start(&listener->soon, on_soon);
}

static void run(struct listener *listener)
{
	const struct mhd *mhd = &listener->httpd->mhd;
	MHD_UNSIGNED_LONG_LONG wait_ms;
	mhd->run(listener->daemon);
	uv_timer_stop(&listener->timer);
	if (mhd->timeout(listener->daemon, &wait_ms) != MHD_YES)
		return;
	if (wait_ms > 0)
		uv_timer_start(&listener->timer, on_timer, wait_ms, 0);
	else
		httpd_run_soon(listener);
}

static void on_readable(uv_poll_t *poll, int status, int events UNUSED)
{
	if (status < 0)
		uv_poll_start(poll, UV_READABLE, on_readable);
	run(poll->data);
}

/* ---- the end of a listener */

static void stop_daemon(struct listener *listener)
{
	const struct mhd *mhd = &listener->httpd->mhd;
	mhd->run(listener->daemon);
	uv_poll_stop(&listener->poll);
	uv_timer_stop(&listener->timer);
	uv_idle_stop(&listener->soon);
	mhd->stop(listener->daemon);
}

static void on_closed(uv_handle_t *handle)
{
	struct listener *listener = handle->data;
	if (--listener->closing == 0)
		free(listener);
}

/* Those whose last connection is gone. */
static void sweep_retired(struct httpd *httpd)
{
	for (struct listener **place = &httpd->listeners; *place;) {
		struct listener *listener = *place;
		if (!listener->retired ||
			httpd->mhd.daemon_info(listener->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
					->num_connections > 0) {
			place = &listener->next;
			continue;
		}
		*place = listener->next;
		stop_daemon(listener);
		listener->closing = 3;
		uv_close((uv_handle_t *)&listener->poll, on_closed);
		uv_close((uv_handle_t *)&listener->timer, on_closed);
		uv_close((uv_handle_t *)&listener->soon, on_closed);
	}
}

static void on_sweep(uv_timer_t *timer)
{
	struct httpd *httpd = timer->data;
	clients_sweep(&httpd->clients, clock_monotonic_ns());
	httpd_tls_sweep(httpd);
	sweep_retired(httpd);
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
	const struct httpd_config *config = &httpd->config;
	struct addr address = read_address(from, length, NULL);
	bool proxy = proxy_trusted(config->proxies, config->proxy_count, address);
	if (!addr_is_set(address) || !clients_admit(&httpd->clients, address, proxy, clock_monotonic_ns()))
		return MHD_NO;
	return MHD_YES;
}

struct addr httpd_client_address(const struct httpd *httpd, struct MHD_Connection *connection, uint16_t *port)
{
	const struct sockaddr *from =
		httpd->mhd.connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
	if (!from)
		return ADDR_NONE;
	return read_address(from,
		from->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in), port);
}

int httpd_descriptor(const struct httpd *httpd, struct MHD_Connection *connection)
{
	return httpd->mhd.connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **slot,
	enum MHD_ConnectionNotificationCode code)
{
	struct httpd *httpd = context;
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		*slot = clients_add(&httpd->clients, httpd_client_address(httpd, connection, NULL),
			httpd_descriptor(httpd, connection), clock_monotonic_ns());
	else if (*slot)
		clients_remove(&httpd->clients, *slot);
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
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
		(httpd->tls.certificate ? MHD_USE_TLS : 0u);
	const struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, httpd->tls.certificate},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, httpd->tls.key},
		{MHD_OPTION_END, 0, NULL},
	};
	const struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
	listener->httpd = httpd;
	listener->daemon = httpd->mhd.start(flags, 0, on_accept, httpd, exchange_on_request, listener,
		MHD_OPTION_EXTERNAL_LOGGER, on_log, httpd, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, CLIENTS_MAX + CLIENTS_CLOSING,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
		INACTIVITY_S, MHD_OPTION_NOTIFY_CONNECTION, on_connection, httpd, MHD_OPTION_NOTIFY_COMPLETED,
		exchange_on_completed, httpd, MHD_OPTION_ARRAY, httpd->tls.certificate ? tls : plain,
		MHD_OPTION_END);
	return listener->daemon ? 0 : -EINVAL;
}

int httpd_listen(struct httpd *httpd, int fd, struct error *error)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	if (!listener)
		return error_set(error, -ENOMEM, "out of memory");
	if (start_daemon(httpd, listener, fd) < 0) {
		free(listener);
		return error_set(error, -EINVAL, "cannot serve HTTP%s: %s",
			httpd->tls.certificate ? " with this certificate and key" : "", httpd->log);
	}
	int epoll = httpd->mhd.daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	int code = uv_poll_init(httpd->loop, &listener->poll, epoll);
	if (code < 0) {
		(void)httpd->mhd.quiesce(listener->daemon);
		httpd->mhd.stop(listener->daemon);
		free(listener);
		return error_set(error, code, "cannot watch HTTP: %s", uv_strerror(code));
	}
	listener->next = httpd->listeners;
	httpd->listeners = listener;
	listener->poll.data = listener->timer.data = listener->soon.data = listener;
	uv_timer_init(httpd->loop, &listener->timer);
	uv_idle_init(httpd->loop, &listener->soon);
	uv_poll_start(&listener->poll, UV_READABLE, on_readable);
	return 0;
}

/* Connections, sockets of the daemon, and what comes on top. The limit of the system may be lower; then fewer
 * connections are accepted at a time. */
static void want_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < DESCRIPTORS_WANT) {
		limit.rlim_cur = MIN((rlim_t)DESCRIPTORS_WANT, limit.rlim_max);
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int httpd_start(
	struct httpd **made, struct uv_loop_s *loop, const struct httpd_config *config, struct error *error)
{
	struct httpd *httpd = *made = calloc(1, sizeof(*httpd));
	if (!httpd || clients_init(&httpd->clients, hash_key_random()) < 0)
		return error_set(error, -ENOMEM, "out of memory");
	httpd->config = *config;
	httpd->loop = loop;
	want_descriptors();
	int code = mhd_load(&httpd->mhd, error);
	if (code == 0)
		code = httpd_tls_read(httpd, error);
	for (size_t i = 0; i < MIN(config->listener_count, (size_t)HTTPD_LISTENERS_MAX) && code == 0; i++)
		code = httpd_listen(httpd, config->listeners[i], error);
	httpd_tls_forget(httpd);
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
	for (struct listener *listener = httpd->listeners; listener; listener = listener->next)
		stop_daemon(listener);
}

void httpd_free(struct httpd *httpd)
{
	if (!httpd)
		return;
	while (httpd->listeners) {
		struct listener *listener = httpd->listeners;
		httpd->listeners = listener->next;
		free(listener);
	}
	clients_deinit(&httpd->clients);
	free(httpd);
}

struct httpd_counters httpd_counters(const struct httpd *httpd)
{
	struct httpd_counters counters = httpd->counters;
	counters.connections = httpd->clients.accepted;
	counters.refused_connections = httpd->clients.refused;
	counters.evicted_connections = httpd->clients.evicted;
	counters.refused_requests = httpd->clients.requests_refused;
	counters.open = httpd->clients.count;
	return counters;
}
