/* The HTTP client against a server on the same loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/clock.h"
#include "http_server.h"
#include "reverse/http.h"

struct bench {
	uv_loop_t loop;
	struct http_server server;
	struct http *http;
	struct http_request *request; /* the one that goes on */
	struct http_reply reply;      /* the last one; its body and reason are copied */
	char body[8192], reason[256], header[256];
	const char *wanted_header;
	unsigned replies, parts;
	size_t part_bytes;
	bool cancel_in_part, free_in_part, free_in_done, closed;
};

static void answer(struct http_peer *peer, const char *path, const char *text)
{
	static char block[65536], line[1024];
	char more[256];
	unsigned port = peer->server->port;
	memset(block, 'x', sizeof(block));
	if (strcmp(path, "/echo") == 0)
		http_server_reply(peer, "200 OK", "X-One: first\r\n", text);
	else if (strcmp(path, "/chunked") == 0) {
		http_server_say(
			peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
		http_server_say(peer, "5\r\nhello\r\n1\r\n \r\n");
		http_server_drip(peer, "5\r\nworld\r\n0\r\n\r\n", 15, 20, 1);
	} else if (strcmp(path, "/drip") == 0) {
		http_server_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
		http_server_drip(peer, "d", 1, 10, 0);
	} else if (strcmp(path, "/truncated") == 0) {
		http_server_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nonly this");
		http_server_end(peer);
	} else if (strcmp(path, "/big") == 0) {
		http_server_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n");
		http_server_drip(peer, block, sizeof(block), 1, 0);
	} else if (strcmp(path, "/headers") == 0) {
		http_server_say(peer, "HTTP/1.1 200 OK\r\n");
		memset(line, 'h', sizeof(line));
		memcpy(line, "X-H: ", 5);
		memcpy(line + sizeof(line) - 2, "\r\n", 2);
		http_server_drip(peer, line, sizeof(line), 1, 0);
	} else if (strcmp(path, "/garbage") == 0) {
		http_server_say(peer, "\x01\x02 what is this?\n\n");
		http_server_end(peer);
	} else if (strcmp(path, "/empty") == 0) {
		http_server_end(peer);
	} else if (strcmp(path, "/missing") == 0) {
		http_server_reply(peer, "404 Not Found", "Retry-After: 7\r\n", "no such thing");
	} else if (strcmp(path, "/here") == 0) {
		http_server_reply(
			peer, "302 Found", "Location: /echo\r\nSet-Cookie: session=s3\r\n", "a page");
	} else if (strcmp(path, "/loop") == 0) {
		http_server_reply(peer, "302 Found", "Location: /loop\r\n", "");
	} else if (strcmp(path, "/file") == 0) {
		http_server_reply(peer, "302 Found", "Location: file:///etc/passwd\r\n", "");
	} else if (strcmp(path, "/elsewhere") == 0 || strcmp(path, "/elsewhere307") == 0) {
		snprintf(more, sizeof(more), "Location: http://localhost:%u/echo\r\n", port);
		http_server_reply(peer, path[10] ? "307 Temporary Redirect" : "302 Found", more, "");
	} else if (strcmp(path, "/here307") == 0) {
		http_server_reply(peer, "307 Temporary Redirect", "Location: /echo\r\n", "");
	} /* and /never */
}

static void on_closed(void *context)
{
	struct bench *bench = context;
	bench->closed = true;
}

static void on_done(void *context, const struct http_reply *reply)
{
	struct bench *bench = context;
	bench->reply = *reply;
	bench->replies++;
	assert_int_equal(strnlen(reply->body, reply->length), reply->length);
	assert_int_equal(reply->body[reply->length], '\0');
	snprintf(bench->body, sizeof(bench->body), "%s", reply->body);
	snprintf(bench->reason, sizeof(bench->reason), "%s", reply->reason);
	const char *header = bench->wanted_header ? reply->header(reply, bench->wanted_header) : NULL;
	snprintf(bench->header, sizeof(bench->header), "%s", header ? header : "(none)");
	if (bench->free_in_done)
		http_free(bench->http, on_closed, bench);
	uv_stop(&bench->loop);
}

static void on_part(void *context, const char *bytes, size_t length)
{
	struct bench *bench = context;
	(void)bytes;
	bench->parts++;
	bench->part_bytes += length;
	if (bench->cancel_in_part)
		http_cancel(bench->request);
	if (bench->free_in_part)
		http_free(bench->http, on_closed, bench);
}

static void open_bench(struct bench *bench)
{
	struct error error = {0};
	*bench = (struct bench){0};
	uv_loop_init(&bench->loop);
	http_server_open(&bench->server, &bench->loop, answer);
	bench->http = http_new(&bench->loop, &error);
	if (!bench->http)
		fail_msg("%s", error.text);
}

/* Everything closes, and nothing is left on the loop. */
static void close_bench(struct bench *bench)
{
	if (!bench->free_in_done && !bench->free_in_part)
		http_free(bench->http, on_closed, bench);
	http_server_close(&bench->server);
	assert_int_equal(uv_run(&bench->loop, UV_RUN_DEFAULT), 0);
	assert_true(bench->closed);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
}

static void begin(struct bench *bench, const char *path, struct http_ask ask)
{
	char url[256];
	if (path[0] == '/')
		snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", bench->server.port, path);
	else
		snprintf(url, sizeof(url), "%s", path);
	ask.url = url;
	bench->request = http_start(bench->http, &ask, on_done, bench);
	assert_non_null(bench->request);
	assert_int_equal(bench->replies, 0);
}

static void ask_for(struct bench *bench, const char *path, struct http_ask ask)
{
	bench->replies = 0;
	begin(bench, path, ask);
	uv_run(&bench->loop, UV_RUN_DEFAULT);
	assert_int_equal(bench->replies, 1);
}

static bool sent(const struct bench *bench, const char *text)
{
	return strstr(bench->body, text) != NULL;
}

static void test_plain(void **state)
{
	struct bench bench;
	(void)state;
	open_bench(&bench);
	bench.wanted_header = "x-ONE";
	ask_for(&bench, "/echo", (struct http_ask){0});
	assert_int_equal(bench.reply.error, 0);
	assert_int_equal(bench.reply.status, 200);
	assert_string_equal(bench.header, "first");
	assert_true(sent(&bench, "GET /echo HTTP/1.1\r\n"));
	assert_true(sent(&bench, "User-Agent: retour/" RETOUR_VERSION "\r\n"));
	assert_true(bench.reply.peer.family == 4 && bench.reply.peer.low == 0x7f000001);
	assert_true(bench.reply.local.family == 4 && bench.reply.local.low == 0x7f000001);
	assert_false(bench.reply.cut);
	const char *const headers[] = {"X-Mine: 1", NULL};
	ask_for(&bench, "/echo",
		(struct http_ask){.body = "{\"a\":1}", .bearer = "k3y", .headers = headers, .family = 4});
	assert_true(sent(&bench, "POST /echo HTTP/1.1\r\n"));
	assert_true(sent(&bench, "Content-Type: application/json\r\n"));
	assert_true(sent(&bench, "Authorization: Bearer k3y\r\n"));
	assert_true(sent(&bench, "X-Mine: 1\r\n"));
	assert_true(sent(&bench, "\r\n\r\n{\"a\":1}"));
	bench.wanted_header = "Retry-After";
	ask_for(&bench, "/missing", (struct http_ask){0});
	assert_int_equal(bench.reply.error, 0);
	assert_int_equal(bench.reply.status, 404);
	assert_string_equal(bench.header, "7");
	assert_string_equal(bench.body, "no such thing");
	close_bench(&bench);
}

static void test_streams(void **state)
{
	struct bench bench;
	(void)state;
	open_bench(&bench);
	ask_for(&bench, "/chunked", (struct http_ask){.part = on_part});
	assert_int_equal(bench.reply.error, 0);
	assert_string_equal(bench.body, "hello world");
	assert_true(bench.parts >= 2);
	assert_int_equal(bench.part_bytes, 11);
	ask_for(&bench, "/drip", (struct http_ask){.timeout_ns = 200 * NS_PER_MS});
	assert_int_equal(bench.reply.error, -ETIMEDOUT);
	assert_string_equal(bench.reason, "the answer did not end in time");
	assert_true(bench.reply.length > 3 && bench.reply.length < 30);
	ask_for(&bench, "/truncated", (struct http_ask){0});
	assert_int_equal(bench.reply.error, -ECONNRESET);
	assert_string_equal(bench.body, "only this");
	close_bench(&bench);
}

static void test_limits(void **state)
{
	struct bench bench;
	(void)state;
	open_bench(&bench);
	ask_for(&bench, "/big", (struct http_ask){0});
	assert_int_equal(bench.reply.error, 0);
	assert_true(bench.reply.cut);
	assert_int_equal(bench.reply.length, 1024 * 1024);
	ask_for(&bench, "/big", (struct http_ask){.limit_bytes = 10, .part = on_part});
	assert_true(bench.reply.cut);
	assert_string_equal(bench.body, "xxxxxxxxxx");
	assert_int_equal(bench.part_bytes, 10);
	ask_for(&bench, "/missing", (struct http_ask){.limit_bytes = 13});
	assert_false(bench.reply.cut);
	ask_for(&bench, "/headers", (struct http_ask){0});
	assert_int_equal(bench.reply.error, -E2BIG);
	assert_string_equal(bench.reason, "too many headers");
	close_bench(&bench);
}

static void test_bad(void **state)
{
	struct bench bench;
	char url[64];
	(void)state;
	open_bench(&bench);
	ask_for(&bench, "/never", (struct http_ask){.timeout_ns = 100 * NS_PER_MS});
	assert_int_equal(bench.reply.error, -ETIMEDOUT);
	assert_string_equal(bench.reason, "no answer in time");
	ask_for(&bench, "/garbage", (struct http_ask){0});
	assert_int_not_equal(bench.reply.error, 0);
	assert_true(bench.reason[0]);
	ask_for(&bench, "/empty", (struct http_ask){0});
	assert_int_equal(bench.reply.error, -ECONNRESET);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/echo", bench.server.port);
	ask_for(&bench, url, (struct http_ask){.bearer = "k3y"});
	assert_int_equal(bench.reply.error, -EPROTO);
	assert_null(strstr(bench.reason, "k3y"));
	ask_for(&bench, "file:///etc/passwd", (struct http_ask){0});
	assert_int_equal(bench.reply.error, -EINVAL);
	assert_int_equal(bench.reply.length, 0);
	ask_for(&bench, "no url at all", (struct http_ask){0});
	assert_int_equal(bench.reply.error, -EINVAL);
	ask_for(&bench, "http://127.0.0.1:1/", (struct http_ask){0});
	assert_int_equal(bench.reply.error, -ECONNREFUSED);
	close_bench(&bench);
}

static void test_redirects(void **state)
{
	struct bench bench;
	static const char *const headers[] = {"Authorization: Key s3cret", "X-Key: s3cret", NULL};
	char url[64];
	(void)state;
	open_bench(&bench);
	ask_for(&bench, "/here", (struct http_ask){.body = "form", .headers = headers, .part = on_part});
	assert_int_equal(bench.reply.status, 200);
	assert_true(sent(&bench, "GET /echo") && !sent(&bench, "form"));
	assert_true(sent(&bench, "X-Key: s3cret") && sent(&bench, "Cookie: session=s3"));
	assert_int_equal(bench.part_bytes, bench.reply.length);
	ask_for(&bench, "/here307", (struct http_ask){.body = "form", .bearer = "s3cret"});
	assert_true(sent(&bench, "POST /echo") && sent(&bench, "form") && sent(&bench, "Bearer s3cret"));
	ask_for(&bench, "/elsewhere", (struct http_ask){.body = "form", .headers = headers});
	assert_int_equal(bench.reply.status, 200);
	assert_true(sent(&bench, "GET /echo") && sent(&bench, "Host: localhost"));
	assert_true(!sent(&bench, "s3cret") && !sent(&bench, "session=") && !sent(&bench, "form"));
	ask_for(&bench, "/elsewhere", (struct http_ask){.bearer = "s3cret"});
	assert_true(sent(&bench, "Host: localhost") && !sent(&bench, "s3cret"));
	snprintf(url, sizeof(url), "http://me:s3cret@127.0.0.1:%u/echo", bench.server.port);
	ask_for(&bench, url, (struct http_ask){0});
	assert_true(sent(&bench, "Authorization: Basic "));
	snprintf(url, sizeof(url), "http://me:s3cret@127.0.0.1:%u/elsewhere", bench.server.port);
	ask_for(&bench, url, (struct http_ask){0});
	assert_true(sent(&bench, "Host: localhost") && !sent(&bench, "Authorization"));
	ask_for(&bench, "/elsewhere307", (struct http_ask){.body = "form"});
	assert_int_equal(bench.reply.error, -ELOOP);
	bench.server.requests = 0;
	ask_for(&bench, "/loop", (struct http_ask){0});
	assert_int_equal(bench.reply.error, -ELOOP);
	assert_int_equal(bench.server.requests, 6);
	ask_for(&bench, "/file", (struct http_ask){0});
	assert_int_equal(bench.reply.error, -EINVAL);
	assert_int_equal(bench.reply.length, 0);
	close_bench(&bench);
}

static void test_cancel(void **state)
{
	struct bench bench;
	(void)state;
	open_bench(&bench);
	begin(&bench, "/never", (struct http_ask){0});
	http_cancel(bench.request); /* before anything was sent */
	begin(&bench, "/never", (struct http_ask){0});
	while (bench.server.requests == 0)
		uv_run(&bench.loop, UV_RUN_ONCE);
	http_cancel(bench.request);
	bench.cancel_in_part = true;
	begin(&bench, "/big", (struct http_ask){.part = on_part});
	while (bench.parts == 0)
		uv_run(&bench.loop, UV_RUN_ONCE);
	for (unsigned i = 0; i < 20; i++)
		uv_run(&bench.loop, UV_RUN_NOWAIT);
	assert_int_equal(bench.parts, 1);
	assert_int_equal(bench.replies, 0);
	begin(&bench, "/drip", (struct http_ask){0}); /* goes on at the end */
	begin(&bench, "/never", (struct http_ask){0});
	close_bench(&bench);
	assert_int_equal(bench.replies, 0);
}

static void test_free_inside(void **state)
{
	struct bench bench;
	(void)state;
	open_bench(&bench);
	bench.free_in_done = true;
	begin(&bench, "/never", (struct http_ask){0});
	ask_for(&bench, "/echo", (struct http_ask){0});
	close_bench(&bench);
	assert_int_equal(bench.replies, 1);
	open_bench(&bench);
	bench.free_in_part = true;
	begin(&bench, "/drip", (struct http_ask){.part = on_part});
	while (!bench.closed)
		uv_run(&bench.loop, UV_RUN_ONCE);
	close_bench(&bench);
	assert_int_equal(bench.replies, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_redirects),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_free_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
