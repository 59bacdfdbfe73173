/* A small HTTP server on the loop of the test, which misbehaves on request. What a path means is up to the
 * test: it is called with the whole request and answers with http_server_write and its kind. */
#ifndef RETOUR_TESTS_HTTP_SERVER_H
#define RETOUR_TESTS_HTTP_SERVER_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct http_peer;

/* `path` is what is asked for; `text` the request as far as it came, with its body. */
typedef void http_answer(struct http_peer *peer, const char *path, const char *text);

struct http_server {
	uv_tcp_t tcp;
	http_answer *answer;
	unsigned port, requests;
};

struct http_peer {
	uv_tcp_t tcp;
	uv_timer_t timer;
	struct http_server *server;
	char text[8192];
	size_t length;
	unsigned round; /* of the timer */
	const char *piece;
	size_t piece_length;
	unsigned rounds; /* 0 = without end */
	bool closing;
	unsigned open;
};

static inline void http_peer_closed(uv_handle_t *handle)
{
	struct http_peer *peer = handle->data;
	if (--peer->open == 0)
		free(peer);
}

static inline void http_server_hang_up(struct http_peer *peer)
{
	if (peer->closing)
		return;
	peer->closing = true;
	uv_close((uv_handle_t *)&peer->tcp, http_peer_closed);
	uv_close((uv_handle_t *)&peer->timer, http_peer_closed);
}

static inline void http_peer_shut(uv_shutdown_t *request, int status)
{
	(void)status;
	http_server_hang_up(request->handle->data);
	free(request);
}

/* After what was written. */
static inline void http_server_end(struct http_peer *peer)
{
	uv_shutdown_t *request = malloc(sizeof(*request));
	if (peer->closing || uv_shutdown(request, (uv_stream_t *)&peer->tcp, http_peer_shut) < 0)
		free(request);
}

static inline void http_peer_wrote(uv_write_t *request, int status)
{
	struct http_peer *peer = request->handle->data;
	free(request);
	if (status < 0)
		http_server_hang_up(peer);
}

static inline void http_server_write(struct http_peer *peer, const char *bytes, size_t length)
{
	uv_write_t *request = malloc(sizeof(*request) + length);
	char *copy = (char *)(request + 1);
	uv_buf_t buffer = uv_buf_init(copy, (unsigned)length);
	memcpy(copy, bytes, length);
	if (peer->closing || uv_write(request, (uv_stream_t *)&peer->tcp, &buffer, 1, http_peer_wrote) < 0)
		free(request);
}

static inline void http_server_say(struct http_peer *peer, const char *text)
{
	http_server_write(peer, text, strlen(text));
}

/* A whole response; `more` are further header lines that end with CR LF, "" = none. */
static inline void http_server_reply(
	struct http_peer *peer, const char *status, const char *more, const char *body)
{
	char head[1024];
	snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n",
		status, strlen(body), more);
	http_server_say(peer, head);
	http_server_say(peer, body);
	http_server_end(peer);
}

static inline void http_peer_tick(uv_timer_t *timer)
{
	struct http_peer *peer = timer->data;
	http_server_write(peer, peer->piece, peer->piece_length);
	if (peer->rounds && ++peer->round == peer->rounds) {
		uv_timer_stop(timer);
		http_server_end(peer);
	}
}

/* The same piece, which must last, again and again; 0 rounds: for ever. */
static inline void http_server_drip(
	struct http_peer *peer, const char *piece, size_t length, uint64_t every_ms, unsigned rounds)
{
	peer->piece = piece;
	peer->piece_length = length;
	peer->rounds = rounds;
	uv_timer_start(&peer->timer, http_peer_tick, 0, every_ms);
}

static inline bool http_peer_whole(const struct http_peer *peer)
{
	const char *end = strstr(peer->text, "\r\n\r\n");
	const char *length = strstr(peer->text, "Content-Length: ");
	size_t body = length ? strtoul(length + 16, NULL, 10) : 0;
	return end && strlen(end + 4) >= body;
}

static inline void http_peer_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
	struct http_peer *peer = stream->data;
	char path[1024] = "";
	if (count < 0) {
		http_server_hang_up(peer);
		return;
	}
	(void)buffer;
	peer->length += (size_t)count;
	peer->text[peer->length] = '\0';
	/* A TLS client opens with a record that is no text. */
	if (peer->text[0] == 0x16)
		http_server_reply(peer, "400 Bad Request", "", "");
	if (!http_peer_whole(peer) || sscanf(peer->text, "%*s %1023s", path) != 1)
		return;
	peer->length = 0;
	peer->server->requests++;
	peer->server->answer(peer, path, peer->text);
}

static inline void http_peer_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct http_peer *peer = handle->data;
	(void)suggested;
	*buffer = uv_buf_init(peer->text + peer->length, (unsigned)(sizeof(peer->text) - 1 - peer->length));
}

static inline void http_server_accept(uv_stream_t *stream, int status)
{
	struct http_server *server = stream->data;
	struct http_peer *peer = calloc(1, sizeof(*peer));
	(void)status;
	peer->server = server;
	peer->open = 2;
	uv_tcp_init(stream->loop, &peer->tcp);
	uv_timer_init(stream->loop, &peer->timer);
	peer->tcp.data = peer->timer.data = peer;
	uv_accept(stream, (uv_stream_t *)&peer->tcp);
	uv_read_start((uv_stream_t *)&peer->tcp, http_peer_room, http_peer_read);
}

/* On 127.0.0.1 at a free port. */
static inline void http_server_open(struct http_server *server, uv_loop_t *loop, http_answer *answer)
{
	struct sockaddr_in address;
	int size = sizeof(address);
	*server = (struct http_server){.answer = answer};
	uv_ip4_addr("127.0.0.1", 0, &address);
	uv_tcp_init(loop, &server->tcp);
	server->tcp.data = server;
	uv_tcp_bind(&server->tcp, (struct sockaddr *)&address, 0);
	uv_listen((uv_stream_t *)&server->tcp, 16, http_server_accept);
	uv_tcp_getsockname(&server->tcp, (struct sockaddr *)&address, &size);
	server->port = ntohs(address.sin_port);
}

static inline void http_server_close_one(uv_handle_t *handle, void *server)
{
	if (!uv_is_closing(handle) && handle != (uv_handle_t *)&((struct http_server *)server)->tcp &&
		handle->type == UV_TCP)
		http_server_hang_up(handle->data);
}

/* With all its connections: every TCP handle of the loop is taken to be one. */
static inline void http_server_close(struct http_server *server)
{
	uv_walk(server->tcp.loop, http_server_close_one, server);
	uv_close((uv_handle_t *)&server->tcp, NULL);
}

#endif
