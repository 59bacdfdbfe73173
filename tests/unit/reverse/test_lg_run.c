/* One question to one looking glass over a real connection: what comes late, slowly, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "http_server.h"
#include "reverse/lg_run.h"

#define ME  0xc6336409u /* 198.51.100.9 */
#define YOU 0x7f000001u /* where the server is */

struct bench {
	uv_loop_t loop;
	struct http_server server;
	struct settings_looking_glass glass;
	struct lg_run *run;
	unsigned results;
	bool closed, free_in_done;
	enum attempt_status status;
	char detail[LG_DETAIL_SIZE];
	struct path *path;
	int64_t took_ns;
};

static void answer(struct http_peer *peer, const char *path, const char *text)
{
	(void)text;
	if (strncmp(path, "/good/", 6) == 0)
		http_server_reply(peer, "200 OK", "",
			"traceroute to 198.51.100.9 (198.51.100.9), 30 hops max, 60 byte packets\n"
			" 1  192.0.2.1  1.0 ms\n 2  198.51.100.9  2.0 ms\n");
	else if (strncmp(path, "/slow/", 6) == 0) {
		http_server_say(peer,
			"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"
			"traceroute to 198.51.100.9 (198.51.100.9), 30 hops max, 60 byte packets\n"
			" 1  192.0.2.1  1.0 ms\n");
		http_server_drip(peer, " ", 1, 10, 0);
	} else if (strncmp(path, "/drip/", 6) == 0) {
		http_server_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n");
		http_server_drip(peer, "x", 1, 10, 0);
	} else if (strncmp(path, "/away/", 6) == 0) {
		http_server_end(peer);
	} /* and /never/ */
}

static void on_closed(void *context)
{
	((struct bench *)context)->closed = true;
}

static void on_done(void *context, struct lg_result *result)
{
	struct bench *bench = context;
	bench->results++;
	bench->status = result->status;
	snprintf(bench->detail, sizeof(bench->detail), "%s", result->detail);
	bench->path = result->path;
	result->path = NULL;
	if (bench->free_in_done)
		lg_run_free(bench->run, on_closed, bench);
	uv_stop(&bench->loop);
}

static void begin(struct bench *bench, const char *path, const char *type, int64_t timeout_ns)
{
	static char url[100];
	*bench = (struct bench){.free_in_done = bench->free_in_done};
	uv_loop_init(&bench->loop);
	http_server_open(&bench->server, &bench->loop, answer);
	snprintf(url, sizeof(url), "%s://127.0.0.1:%u/%s", strcmp(type, "telnet") == 0 ? type : "http",
		bench->server.port, path);
	bench->glass = (struct settings_looking_glass){
		.name = (char *)"lab", .type = (char *)type, .url = url, .asn = 64500};
	struct lg_ask ask = {.glass = &bench->glass,
		.to = addr_v4(ME),
		.target = addr_v4(0xc0000263),
		.timeout_ns = timeout_ns};
	bench->run = lg_run_new(&bench->loop, &ask, on_done, bench, NULL);
	assert_non_null(bench->run);
	assert_int_equal(bench->results, 0);
}

static void finish(struct bench *bench)
{
	if (!bench->free_in_done || bench->results == 0)
		lg_run_free(bench->run, on_closed, bench);
	http_server_close(&bench->server);
	assert_int_equal(uv_run(&bench->loop, UV_RUN_DEFAULT), 0);
	assert_true(bench->closed);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	path_free(bench->path);
	bench->path = NULL;
}

static void ask(struct bench *bench, const char *path, const char *type)
{
	begin(bench, path, type, 300 * NS_PER_MS);
	int64_t start_ns = clock_monotonic_ns();
	uv_run(&bench->loop, UV_RUN_DEFAULT);
	bench->took_ns = clock_monotonic_ns() - start_ns;
	assert_int_equal(bench->results, 1);
	assert_true(bench->took_ns < 5 * NS_PER_S);
}

static void test_good(void **state)
{
	struct bench bench = {0};
	(void)state;
	for (int i = 0; i < 2; i++) {
		bench.free_in_done = i == 1;
		ask(&bench, "good/", "bird-lg-proxy");
		assert_int_equal(bench.status, ATTEMPT_OK);
		assert_true(bench.path->reached);
		assert_int_equal(bench.path->direction, DIRECTION_REVERSE);
		assert_int_equal(bench.path->hop_count, 2);
		assert_int_equal(bench.path->hops[0].certainty, CERTAINTY_INFERRED);
		assert_string_equal(bench.path->vantage->name, "lab");
		assert_true(addr_equal(bench.path->vantage->address, addr_v4(YOU)));
		assert_int_equal(bench.path->vantage->asn, 64500);
		finish(&bench);
	}
}

static void test_late(void **state)
{
	struct bench bench = {0};
	(void)state;
	ask(&bench, "never/", "bird-lg-proxy");
	assert_int_equal(bench.status, ATTEMPT_TIMEOUT);
	assert_string_equal(bench.detail, "no answer in time");
	assert_null(bench.path);
	finish(&bench);
	ask(&bench, "slow/", "bird-lg-proxy"); /* what came is of use */
	assert_int_equal(bench.status, ATTEMPT_PARTIAL);
	assert_non_null(strstr(bench.detail, "the answer ended early"));
	assert_int_equal(bench.path->hop_count, 1);
	finish(&bench);
	ask(&bench, "drip/", "bird-lg-proxy"); /* and this is not */
	assert_int_equal(bench.status, ATTEMPT_FAILED);
	assert_non_null(strstr(bench.detail, "no traceroute"));
	finish(&bench);
	ask(&bench, "drip/", "rfc8522");
	assert_string_equal(bench.detail, "its answer did not come to an end");
	finish(&bench);
	ask(&bench, "away/", "rfc8522");
	assert_int_equal(bench.status, ATTEMPT_UNAVAILABLE);
	finish(&bench);
	ask(&bench, "", "telnet"); /* the web server waits for us to say something */
	assert_int_equal(bench.status, ATTEMPT_TIMEOUT);
	assert_string_equal(bench.detail, "no answer in time");
	finish(&bench);
}

static void test_abandoned(void **state)
{
	struct bench bench = {0};
	static const char *const types[] = {"rfc8522", "telnet"};
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		begin(&bench, "never/", types[i], 0);
		finish(&bench); /* before anything is on its way */
		assert_int_equal(bench.results, 0);
		begin(&bench, "never/", types[i], 0);
		for (unsigned turn = 0; turn < 10; turn++)
			uv_run(&bench.loop, UV_RUN_NOWAIT);
		finish(&bench);
		assert_int_equal(bench.results, 0);
	}
}

static void test_nonsense(void **state)
{
	struct bench bench = {0};
	struct error error = {0};
	struct settings_looking_glass glass = {.name = (char *)"lab", .type = (char *)"crystal ball"};
	struct lg_ask question = {.glass = &glass, .to = addr_v4(ME)};
	(void)state;
	assert_null(lg_run_new(&bench.loop, &question, on_done, &bench, &error));
	assert_string_equal(error.text, "looking glass lab: type 'crystal ball' is not known");
	glass.type = (char *)"rfc8522";
	assert_null(lg_run_new(&bench.loop, &question, on_done, &bench, &error));
	assert_string_equal(error.text, "looking glass lab: there is no url");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_abandoned),
		cmocka_unit_test(test_nonsense),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
