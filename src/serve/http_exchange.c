#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "net/sockaddr.h"
#include "serve/http_inside.h"
#include "serve/proxy.h"

#define STREAM_BYTES_MAX   65536
#define STREAM_BLOCK_BYTES 4096
#define BODIES_BYTES_MAX   (64u << 20) /* at a time */

/* ---- exchanges */

static void find_peer(struct httpd_exchange *exchange)
{
	const struct httpd *httpd = exchange->httpd;
	struct httpd_peer *peer = &exchange->peer;
	struct sockaddr_storage local = {0};
	socklen_t length = sizeof(local);
	peer->address = httpd_client_address(httpd, exchange->connection, &peer->port);
	if (getsockname(httpd_fd(exchange), (struct sockaddr *)&local, &length) == 0)
		peer->local = sockaddr_read(&local, &peer->local_port);
	peer->tls = httpd->config.certificate_file != NULL;
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
	exchange->client =
		httpd->mhd.connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	exchange->next = httpd->exchanges;
	if (exchange->next)
		exchange->next->previous = exchange;
	httpd->exchanges = exchange;
	httpd->counters.requests++;
	find_peer(exchange);
	return exchange;
}

void exchange_on_completed(void *context, struct MHD_Connection *connection UNUSED, void **slot,
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
	httpd->body_bytes -= exchange->body_room;
	free(exchange->body);
	free(exchange->path);
	free(exchange);
}

/* ---- responses */

static void add_headers(const struct httpd *httpd, struct MHD_Response *response, const char *type,
	unsigned status, unsigned retry_after_s)
{
	const struct mhd *mhd = &httpd->mhd;
	char seconds[16];
	mhd->add_header(response, "Content-Type", type ? type : "application/json");
	mhd->add_header(response, "Cache-Control", "no-store");
	mhd->add_header(response, "X-Content-Type-Options", "nosniff");
	mhd->add_header(response, "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		mhd->add_header(
			response, "Allow", httpd->config.body_max ? "GET, HEAD, POST, DELETE" : "GET, HEAD");
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
	add_headers(exchange->httpd, response, answer->type, answer->status, answer->retry_after_s);
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
	add_headers(exchange->httpd, response, exchange->stream_type, MHD_HTTP_OK, 0);
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

/* At once, whatever comes behind the headers: the connection is closed with it. */
static enum MHD_Result refuse(struct httpd_exchange *exchange, struct httpd_answer answer, const char *error)
{
	answer.body = strdup(error);
	answer.length = answer.body ? strlen(error) : 0;
	httpd_answer(exchange, answer);
	return proceed(exchange);
}

#define TOO_LARGE                                                                                            \
	"{\"error\": {\"code\": \"too-large\", \"message\": \"the request is too large; send several\"}}"

static const char *known_method(const char *method, bool writes)
{
	static const char *const methods[] = {"GET", "POST", "DELETE"};
	if (strcmp(method, "HEAD") == 0)
		return methods[0];
	for (size_t i = 0; i < (writes ? ARRAY_LEN(methods) : 1); i++)
		if (strcmp(method, methods[i]) == 0)
			return methods[i];
	return NULL;
}

static uint64_t announced_bytes(const struct httpd_exchange *exchange)
{
	const char *text = httpd_header(exchange, "Content-Length");
	return text ? strtoull(text, NULL, 10) : 0;
}

static enum MHD_Result look_at(struct httpd_exchange *exchange, const char *method)
{
	const struct httpd_answer too_fast = {.status = MHD_HTTP_TOO_MANY_REQUESTS, .retry_after_s = 1};
	const struct httpd_answer too_large = {.status = MHD_HTTP_CONTENT_TOO_LARGE};
	const struct httpd_answer not_allowed = {.status = MHD_HTTP_METHOD_NOT_ALLOWED};
	exchange->head = strcmp(method, "HEAD") == 0;
	if (!clients_ask(&exchange->httpd->clients, exchange->peer.address, clock_monotonic_ns()))
		return refuse(exchange, too_fast,
			"{\"error\": {\"code\": \"rate\", \"message\": \"too many requests a second\"}}");
	exchange->method = known_method(method, exchange->httpd->config.body_max > 0);
	if (!exchange->method)
		return refuse(exchange, not_allowed,
			"{\"error\": {\"code\": \"method\", \"message\": \"this method is not served\"}}");
	/* A client that still writes may not read: what is not far too much is heard out. */
	if (announced_bytes(exchange) > 2 * exchange->httpd->config.body_max &&
		exchange->httpd->config.body_max > 0)
		return refuse(exchange, too_large, TOO_LARGE);
	const struct httpd_config *config = &exchange->httpd->config;
	bool sends = exchange->method[0] == 'P' &&
		(!config->may_send || config->may_send(config->context, exchange));
	exchange->body_most = sends ? config->body_max : 0;
	return MHD_YES;
}

static bool make_room(struct httpd_exchange *exchange, size_t length)
{
	struct httpd *httpd = exchange->httpd;
	if (length <= exchange->body_room)
		return true;
	size_t room = MIN(MAX(2 * exchange->body_room, length), exchange->body_most);
	exchange->crowded = httpd->body_bytes - exchange->body_room + room > BODIES_BYTES_MAX;
	char *larger = exchange->crowded ? NULL : realloc(exchange->body, room);
	if (!larger)
		return false;
	httpd->body_bytes += room - exchange->body_room;
	exchange->body = larger;
	exchange->body_room = room;
	return true;
}

/* More than is taken is read and thrown away up to twice the limit; who goes on then is let go. */
static enum MHD_Result take_part(struct httpd_exchange *exchange, const char *data, size_t length)
{
	size_t most = exchange->body_most;
	if (exchange->crowded)
		return MHD_YES;
	if (exchange->body_length + length > most) {
		exchange->body_long = most > 0;
		exchange->body_length = MIN(exchange->body_length + length, 2 * most + 1);
		return most == 0 || exchange->body_length <= 2 * most ? MHD_YES : MHD_NO;
	}
	if (!make_room(exchange, exchange->body_length + length))
		return exchange->crowded ? MHD_YES : MHD_NO;
	memcpy(exchange->body + exchange->body_length, data, length);
	exchange->body_length += length;
	return MHD_YES;
}

static void ask(struct httpd_exchange *exchange)
{
	struct httpd *httpd = exchange->httpd;
	exchange->asked = true;
	if (exchange->client)
		clients_set_busy(&httpd->clients, exchange->client, true, clock_monotonic_ns());
	httpd->config.handler(httpd->config.context, exchange);
}

/* Called when the headers are complete, for each part of a body, and when all is there;
 * and again after the connection has slept. Who answers at once, without waiting for the body, closes the
 * connection. */
enum MHD_Result exchange_on_request(void *context, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version UNUSED, const char *data, size_t *size, void **slot)
{
	struct httpd_exchange *exchange = *slot;
	if (!exchange) {
		*slot = exchange = begin(context, connection, url);
		if (!exchange)
			return MHD_NO;
		return look_at(exchange, method);
	}
	if (*size > 0) {
		enum MHD_Result result = take_part(exchange, data, *size);
		*size = 0;
		return result;
	}
	if (exchange->body_long && exchange->stage == STAGE_ASKED)
		return refuse(
			exchange, (struct httpd_answer){.status = MHD_HTTP_CONTENT_TOO_LARGE}, TOO_LARGE);
	if (exchange->crowded && exchange->stage == STAGE_ASKED)
		return refuse(exchange,
			(struct httpd_answer){.status = MHD_HTTP_SERVICE_UNAVAILABLE, .retry_after_s = 2},
			"{\"error\": {\"code\": \"busy\", \"message\": \"others send much just now; come "
			"again\"}}");
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
	if (exchange->httpd->mhd.value_n(exchange->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name),
		    &value, &length) != MHD_YES)
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

const char *httpd_method(const struct httpd_exchange *exchange)
{
	return exchange->method;
}

const char *httpd_body(const struct httpd_exchange *exchange, size_t *length)
{
	*length = exchange->body ? exchange->body_length : 0;
	return exchange->body;
}

const struct httpd_peer *httpd_peer(const struct httpd_exchange *exchange)
{
	return &exchange->peer;
}

int httpd_fd(const struct httpd_exchange *exchange)
{
	return httpd_descriptor(exchange->httpd, exchange->connection);
}

static void wake(struct httpd_exchange *exchange)
{
	if (!exchange->asleep)
		return;
	exchange->asleep = false;
	exchange->httpd->mhd.resume(exchange->connection);
	/* Nobody tells the library of that. It is to be run soon, not now, as this may be inside of it. */
	httpd_run_soon(exchange->listener);
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

void httpd_keep(struct httpd_exchange *exchange)
{
	if (exchange->client)
		clients_set_busy(&exchange->httpd->clients, exchange->client, true, clock_monotonic_ns());
}
