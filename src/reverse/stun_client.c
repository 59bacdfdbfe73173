/* Look the name up, then ask three times in growing distances (RFC 8489 6.2.1; that would wait for 39 s, and
 * nobody here can). The socket is connected: only that server's packets come in, and its "port unreachable",
 * too. */
#include "reverse/stun_client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/hash.h"
#include "net/sockaddr.h"

#define RTO_MS	  500 /* RFC 8489 6.2.1; doubled each time */
#define QUESTIONS 3
#define BYTES_MAX 1280
#define HOST_SIZE 256

struct stun_client {
	uv_udp_t udp;
	uv_timer_t timer;
	uv_getaddrinfo_t lookup;
	struct addr source;
	struct stun_id id;
	unsigned questions;
	unsigned open; /* handles and look-ups that will call back */
	bool ended;
	stun_done *done;
	void *context;
	char host[HOST_SIZE], port[8];
	struct sockaddr_storage server;
	uint8_t room[BYTES_MAX];
};

static void let_go(struct stun_client *client)
{
	if (--client->open == 0)
		free(client);
}

static void on_closed(uv_handle_t *handle)
{
	let_go(handle->data);
}

static void close_all(struct stun_client *client)
{
	client->ended = true;
	uv_cancel((uv_req_t *)&client->lookup); /* fails harmlessly when it is done */
	uv_close((uv_handle_t *)&client->udp, on_closed);
	uv_close((uv_handle_t *)&client->timer, on_closed);
}

/* The handles close later: the client lives on until then. */
static void end(struct stun_client *client, const struct stun_answer *answer, const char *why)
{
	if (client->ended)
		return;
	close_all(client);
	client->done(client->context, answer, why);
}

static void fail(struct stun_client *client, const char *format, ...) PRINTF_LIKE(2, 3);
static void fail(struct stun_client *client, const char *format, ...)
{
	char what[160], why[HOST_SIZE + 200];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	snprintf(why, sizeof(why), "STUN server %s: %s", client->host, what);
	end(client, NULL, why);
}

void stun_client_cancel(struct stun_client *client)
{
	if (!client->ended)
		close_all(client);
}

/* ---- asking */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct stun_client *client = handle->data;
	(void)suggested;
	*buffer = uv_buf_init((char *)client->room, sizeof(client->room));
}

static void on_packet(
	uv_udp_t *udp, ssize_t length, const uv_buf_t *buffer, const struct sockaddr *from, unsigned flags)
{
	struct stun_client *client = udp->data;
	struct stun_answer answer;
	(void)buffer;
	if (length < 0)
		fail(client, "%s", uv_strerror((int)length));
	if (length <= 0 || !from || flags & UV_UDP_PARTIAL)
		return;
	struct cursor cursor = cursor_init(client->room, (size_t)length);
	if (stun_answer_read(&cursor, &client->id, &answer) < 0)
		return; /* somebody else's, or forged: the true one may still come */
	if (answer.refused)
		fail(client, "refuses to answer (%u)", answer.refused);
	else if (answer.address.family != client->source.family)
		fail(client, "answers with an address of the other family");
	else
		end(client, &answer, "");
}

static void ask(uv_timer_t *timer)
{
	struct stun_client *client = timer->data;
	uint8_t bytes[STUN_QUESTION_SIZE];
	struct writer writer = writer_init(bytes, sizeof(bytes));
	if (client->questions == QUESTIONS) {
		fail(client, "no answer");
		return;
	}
	stun_question_write(&writer, &client->id);
	uv_buf_t buffer = uv_buf_init((char *)bytes, sizeof(bytes));
	int sent = uv_udp_try_send(&client->udp, &buffer, 1, NULL);
	if (sent < 0 && sent != UV_EAGAIN) {
		fail(client, "%s", uv_strerror(sent));
		return;
	}
	uv_timer_start(timer, ask, (uint64_t)RTO_MS << client->questions++, 0);
}

static void connect_to(struct stun_client *client, const struct sockaddr *server)
{
	struct sockaddr_storage own;
	sockaddr_from(client->source, 0, &own);
	int result = uv_udp_bind(&client->udp, (const struct sockaddr *)&own, 0);
	if (result == 0)
		result = uv_udp_connect(&client->udp, server);
	if (result == 0)
		result = uv_udp_recv_start(&client->udp, on_room, on_packet);
	if (result < 0)
		fail(client, "%s", uv_strerror(result));
	else
		ask(&client->timer);
}

static void on_name(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
	struct stun_client *client = lookup->data;
	if (!client->ended && status < 0)
		fail(client, "%s", uv_strerror(status));
	else if (!client->ended)
		connect_to(client, found->ai_addr);
	uv_freeaddrinfo(found);
	let_go(client);
}

/* ---- the server's name and port */

static bool copy(char *out, size_t size, const char *text, size_t length)
{
	return (size_t)snprintf(out, size, "%.*s", (int)length, text) < size && length > 0;
}

static bool split(struct stun_client *client, const char *server)
{
	struct addr address;
	const char *host = server, *end = server + strcspn(server, ":"), *port = "";
	if (addr_parse(server, &address)) {
		end = server + strlen(server);
	} else if (*server == '[') {
		host = server + 1;
		end = host + strcspn(host, "]");
		port = *end ? end + 1 : "";
	} else {
		port = end;
	}
	if (*port == ':')
		port++;
	if (!*port)
		snprintf(client->port, sizeof(client->port), "%d", STUN_PORT);
	return copy(client->host, sizeof(client->host), host, (size_t)(end - host)) &&
		(!*port || copy(client->port, sizeof(client->port), port, strlen(port)));
}

static void on_address(uv_timer_t *timer)
{
	struct stun_client *client = timer->data;
	connect_to(client, (const struct sockaddr *)&client->server);
}

/* From the loop, also where there is nothing to look up. */
static int look_up(struct stun_client *client)
{
	struct addr address;
	struct addrinfo hints = {.ai_family = client->source.family == 4 ? AF_INET : AF_INET6,
		.ai_socktype = SOCK_DGRAM,
		.ai_flags = AI_NUMERICSERV};
	if (addr_parse(client->host, &address)) {
		if (address.family != client->source.family)
			return -EAFNOSUPPORT;
		sockaddr_from(address, (uint16_t)strtoul(client->port, NULL, 10), &client->server);
		return uv_timer_start(&client->timer, on_address, 0, 0);
	}
	int result = uv_getaddrinfo(
		client->timer.loop, &client->lookup, on_name, client->host, client->port, &hints);
	if (result == 0)
		client->open++;
	return result;
}

static void on_no_lookup(uv_timer_t *timer)
{
	fail(timer->data, "has no address of our family");
}

struct stun_client *stun_client_ask(
	uv_loop_t *loop, const char *server, struct addr source, stun_done *done, void *context)
{
	struct stun_client *client = calloc(1, sizeof(*client));
	struct hash_key random[2] = {hash_key_random(), hash_key_random()};
	if (!client)
		return NULL;
	client->source = source;
	client->done = done;
	client->context = context;
	memcpy(client->id.bytes, random, sizeof(client->id.bytes));
	client->udp.data = client->timer.data = client->lookup.data = client;
	if (uv_udp_init(loop, &client->udp) < 0) {
		free(client);
		return NULL;
	}
	uv_timer_init(loop, &client->timer);
	client->open = 2;
	if (!split(client, server) || look_up(client) < 0)
		uv_timer_start(&client->timer, on_no_lookup, 0, 0);
	return client;
}
