#include "reverse/telnet_run.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "reverse/telnet.h"

#define QUIET_MS 400

struct telnet_run {
	struct lg_talk *talk;
	uv_loop_t *loop;
	uv_getaddrinfo_t lookup;
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_timer_t deadline, quiet;
	char *host, *port, *user, *password;
	struct addrinfo *addresses, *next;
	struct addr peer;
	telnet_done *done;
	void *context;
	void (*closed)(void *context);
	void *closed_context;
	unsigned open; /* handles and requests on the loop */
	bool others;   /* than those of the family that is traced */
	bool has_tcp, connected, freed;
	struct telnet telnet;
	char buffer[4096];
};

/* ---- the end */

static void part_closed(struct telnet_run *run)
{
	if (--run->open > 0)
		return;
	void (*closed)(void *context) = run->closed;
	void *context = run->closed_context;
	uv_freeaddrinfo(run->addresses);
	free(run->host);
	free(run->port);
	free(run->user);
	free(run->password);
	free(run);
	if (closed)
		closed(context);
}

static void handle_closed(uv_handle_t *handle)
{
	part_closed(handle->data);
}

void telnet_run_free(struct telnet_run *run, void (*closed)(void *context), void *context)
{
	run->done = NULL;
	run->freed = true;
	run->closed = closed;
	run->closed_context = context;
	uv_cancel((uv_req_t *)&run->lookup);
	if (run->has_tcp && !uv_is_closing((uv_handle_t *)&run->tcp))
		uv_close((uv_handle_t *)&run->tcp, handle_closed);
	uv_close((uv_handle_t *)&run->deadline, handle_closed);
	uv_close((uv_handle_t *)&run->quiet, handle_closed);
}

struct addr telnet_run_peer(const struct telnet_run *run)
{
	return run->peer;
}

static void finish(struct telnet_run *run, enum lg_turn turn)
{
	telnet_done *done = run->done;
	run->done = NULL;
	uv_timer_stop(&run->deadline);
	uv_timer_stop(&run->quiet);
	if (run->has_tcp)
		uv_read_stop((uv_stream_t *)&run->tcp);
	if (done)
		done(run->context, turn);
}

/* What there is, if there is something; else why there is nothing. */
static void end(struct telnet_run *run, enum attempt_status status, const char *reason)
{
	struct telnet *telnet = &run->telnet;
	bool early = telnet->state != TELNET_DONE;
	if (telnet->state == TELNET_FAILED) {
		finish(run, lg_fail(run->talk, ATTEMPT_REFUSED, "%s", telnet->reason));
	} else if (telnet_end(telnet)) {
		enum lg_turn turn = lg_answer(run->talk, telnet->text, telnet->length);
		run->talk->partial = early;
		finish(run, turn);
	} else {
		finish(run, lg_fail(run->talk, status, "%s", reason));
	}
}

/* ---- bytes */

static void on_written(uv_write_t *request, int status)
{
	(void)status;
	free(request);
}

static void flush(struct telnet_run *run)
{
	struct telnet *telnet = &run->telnet;
	uv_write_t *request = telnet->out_length > 0 ? malloc(sizeof(*request) + telnet->out_length) : NULL;
	if (!request)
		return;
	char *bytes = (char *)(request + 1);
	memcpy(bytes, telnet->out, telnet->out_length);
	uv_buf_t buffer = uv_buf_init(bytes, (unsigned)telnet->out_length);
	telnet->out_length = 0;
	if (uv_write(request, (uv_stream_t *)&run->tcp, &buffer, 1, on_written) < 0)
		free(request);
}

static void go_on(struct telnet_run *run)
{
	flush(run);
	if (run->telnet.state >= TELNET_DONE)
		end(run, ATTEMPT_FAILED, "");
}

static void on_quiet(uv_timer_t *timer)
{
	struct telnet_run *run = timer->data;
	telnet_quiet(&run->telnet);
	go_on(run);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct telnet_run *run = handle->data;
	(void)suggested;
	*buffer = uv_buf_init(run->buffer, sizeof(run->buffer));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
	struct telnet_run *run = stream->data;
	if (count < 0) {
		end(run, ATTEMPT_FAILED, "it hung up");
		return;
	}
	telnet_feed(&run->telnet, (const uint8_t *)buffer->base, (size_t)count);
	uv_timer_start(&run->quiet, on_quiet, QUIET_MS, 0);
	go_on(run);
}

/* ---- the connection */

static void connect_next(struct telnet_run *run);

static void tcp_closed_for_another(uv_handle_t *handle)
{
	struct telnet_run *run = handle->data;
	run->has_tcp = false;
	if (!run->freed)
		connect_next(run);
	part_closed(run);
}

static struct addr address_of(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return addr_from_bytes(
			4, (const uint8_t *)&((const struct sockaddr_in *)(const void *)address)->sin_addr);
	return addr_from_bytes(
		6, (const uint8_t *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static void on_connect(uv_connect_t *request, int status)
{
	struct telnet_run *run = request->data;
	if (run->freed)
		return;
	if (status < 0) {
		uv_close((uv_handle_t *)&run->tcp, tcp_closed_for_another);
		return;
	}
	run->connected = true;
	uv_read_start((uv_stream_t *)&run->tcp, on_room, on_read);
}

/* Those of the family that is traced come first: their router's address says something about the trace. */
static struct addrinfo *take_address(struct telnet_run *run)
{
	int family = run->talk->to.family == 6 ? AF_INET6 : AF_INET;
	while (run->next || !run->others) {
		struct addrinfo *info = run->next;
		if (!info) {
			run->others = true;
			run->next = run->addresses;
			continue;
		}
		run->next = info->ai_next;
		if ((info->ai_family == family) != run->others)
			return info;
	}
	return NULL;
}

static void connect_next(struct telnet_run *run)
{
	struct addrinfo *info = take_address(run);
	if (!info) {
		finish(run, lg_fail(run->talk, ATTEMPT_UNAVAILABLE, "nobody answers there"));
		return;
	}
	run->peer = address_of(info->ai_addr);
	uv_tcp_init(run->loop, &run->tcp);
	run->tcp.data = run;
	run->has_tcp = true;
	run->open++;
	run->connect.data = run;
	if (uv_tcp_connect(&run->connect, &run->tcp, info->ai_addr, on_connect) < 0)
		uv_close((uv_handle_t *)&run->tcp, tcp_closed_for_another);
}

static void on_lookup(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
	struct telnet_run *run = request->data;
	run->addresses = run->next = status == 0 ? addresses : NULL;
	if (!run->freed && status < 0)
		finish(run, lg_fail(run->talk, ATTEMPT_UNAVAILABLE, "its name is not known"));
	else if (!run->freed)
		connect_next(run);
	part_closed(run);
}

static void on_deadline(uv_timer_t *timer)
{
	struct telnet_run *run = timer->data;
	end(run, ATTEMPT_TIMEOUT, run->connected ? "no answer in time" : "no connection in time");
}

/* ---- the URL */

static int hex(char digit)
{
	return isdigit((unsigned char)digit) ? digit - '0' : tolower((unsigned char)digit) - 'a' + 10;
}

/* RFC 3986, section 2.1. NULL: out of memory, or a control character, which would be a line of its own. */
static char *decode(const char *text, size_t length)
{
	char *out = malloc(length + 1), *end = out;
	for (size_t i = 0; out && i < length; i++) {
		bool coded = text[i] == '%' && i + 2 < length && isxdigit((unsigned char)text[i + 1]) &&
			isxdigit((unsigned char)text[i + 2]);
		*end = coded ? (char)(16 * hex(text[i + 1]) + hex(text[i + 2])) : text[i];
		i += coded ? 2 : 0;
		if (iscntrl((unsigned char)*end++)) {
			free(out);
			return NULL;
		}
	}
	if (out)
		*end = '\0';
	return out;
}

static bool read_url(struct telnet_run *run, const char *url)
{
	if (strncasecmp(url, "telnet://", 9) != 0)
		return false;
	url += 9;
	const char *end = url + strcspn(url, "/?#"), *at = memrchr(url, '@', (size_t)(end - url));
	if (at) {
		const char *colon = memchr(url, ':', (size_t)(at - url));
		run->user = decode(url, (size_t)((colon ? colon : at) - url));
		run->password = colon ? decode(colon + 1, (size_t)(at - colon - 1)) : NULL;
		if (!run->user || (colon && !run->password))
			return false;
		url = at + 1;
	}
	bool literal = *url == '[';
	const char *close = literal ? memchr(url, ']', (size_t)(end - url)) : NULL;
	const char *colon = memchr(close ? close : url, ':', (size_t)(end - (close ? close : url)));
	const char *host_end = close ? close : colon ? colon : end;
	url += literal;
	run->host = strndup(url, (size_t)(host_end - url));
	run->port = colon ? strndup(colon + 1, (size_t)(end - colon - 1)) : strdup("23");
	return run->host && run->host[0] && run->port && (!literal || close);
}

static void on_begin(uv_timer_t *timer)
{
	struct telnet_run *run = timer->data;
	finish(run,
		lg_fail(run->talk, ATTEMPT_UNAVAILABLE,
			"its url is not telnet://[USER[:PASSWORD]@]HOST[:PORT]"));
}

struct telnet_run *telnet_run_new(
	uv_loop_t *loop, struct lg_talk *talk, int64_t timeout_ns, telnet_done *done, void *context)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct telnet_run *run = calloc(1, sizeof(*run));
	if (!run)
		return NULL;
	run->talk = talk;
	run->loop = loop;
	run->done = done;
	run->context = context;
	run->open = 2;
	uv_timer_init(loop, &run->deadline);
	uv_timer_init(loop, &run->quiet);
	run->deadline.data = run->quiet.data = run->lookup.data = run;
	bool good = read_url(run, talk->glass->url);
	telnet_init(&run->telnet, talk->to, run->user, run->password);
	if (good)
		good = uv_getaddrinfo(loop, &run->lookup, on_lookup, run->host, run->port, &hints) == 0;
	run->open += good;
	if (good)
		uv_timer_start(&run->deadline, on_deadline, (uint64_t)(timeout_ns / NS_PER_MS), 0);
	else
		uv_timer_start(&run->deadline, on_begin, 0, 0);
	return run;
}
