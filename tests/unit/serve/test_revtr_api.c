/* The coordinator's interface with agents in the world `revtr-demo`: what clients get by HTTP is the world's truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <jansson.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "../revtr/lab.h"
#include "reverse/http.h"
#include "reverse/revtr.h"
#include "reverse/settings.h"
#include "serve/revtr_api.h"
#include "serve/sha256.h"

struct front {
	struct lab lab;
	struct revtr_api *api;
	struct httpd *httpd;
	struct http *http;
	char url[64], key[REVTR_KEY_SIZE], header[100];
	bool done;
	int status;
	char *body;
};

static int open_socket(char url[static 64])
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	snprintf(url, 64, "http://127.0.0.1:%u", ntohs(address.sin_port));
	return fd;
}

static void front_init(struct front *front)
{
	struct error error = {0};
	struct store_key key = {.name = "test", .admin = true};
	memset(front, 0, sizeof(*front));
	lab_init(&front->lab, true);
	struct lab *lab = &front->lab;
	front->api = revtr_api_new(&(struct revtr_api_config){&lab->loop, lab->store, lab->coordinator, &front->httpd});
	assert_non_null(front->api);
	int fd = open_socket(front->url);
	struct httpd_config config = {.listeners = &fd, .listener_count = 1, .body_max = REVTR_BODY_BYTES,
		.handler = revtr_api_handle, .context = front->api};
	if (httpd_start(&front->httpd, &lab->loop, &config, &error) < 0 ||
		revtr_api_new_key(lab->store, &key, front->key, &error) < 0 || !(front->http = http_new(&lab->loop, &error)))
		fail_msg("%s", error.text);
	snprintf(front->header, sizeof(front->header), "Revtr-Key: %s", front->key);
	assert_int_equal(coordinator_refresh_atlas(lab->coordinator, lab->source, &error), 0);
	for (int i = 0; i < 20; i++)
		turn(lab);
}

static void close_one(uv_handle_t *handle, void *context)
{
	(void)context;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void front_deinit(struct front *front)
{
	struct lab *lab = &front->lab;
	http_free(front->http, NULL, NULL);
	for (int i = 0; i < 5; i++)
		turn(lab);
	httpd_stop(front->httpd);
	revtr_api_free(front->api);
	stop(lab);
	bus_free(lab->bus, NULL, NULL);
	uv_walk(&lab->loop, close_one, NULL);
	uv_run(&lab->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&lab->loop), 0);
	httpd_free(front->httpd);
	free(front->body);
	front->body = NULL;
	virtual_free(lab->virtual);
	sim_free(lab->sim);
	world_free(lab->world);
	remove_folder(lab->folder);
}

/* ---- asking */

static void on_done(void *context, const struct http_reply *reply)
{
	struct front *front = context;
	front->done = true;
	front->status = reply->status;
	free(front->body);
	front->body = strdup(reply->body ? reply->body : "");
}

static json_t *ask(struct front *front, const char *method, const char *path, const char *body, int status)
{
	char url[300];
	const char *headers[] = {front->header, NULL};
	snprintf(url, sizeof(url), "%s%s", front->url, path);
	front->done = false;
	assert_non_null(http_start(front->http,
		&(struct http_ask){.method = method, .url = url, .body = body, .headers = headers, .timeout_ns = PATIENCE_NS},
		on_done, front));
	int64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
	while (!front->done && clock_monotonic_ns() < until_ns)
		turn(&front->lab);
	assert_true(front->done);
	if (front->status != status)
		fail_msg("%s %s: %d: %s", method, path, front->status, front->body);
	return json_loads(front->body, 0, NULL);
}

static int64_t submit_one(struct front *front)
{
	char body[300], source[ADDR_TEXT_SIZE], target[ADDR_TEXT_SIZE];
	snprintf(body, sizeof(body), "{\"measurements\": [{\"source\": \"%s\", \"destination\": \"%s\", \"label\": \"a \\\"label\\\"\"}]}",
		addr_format(front->lab.source, source), addr_format(front->lab.target, target));
	json_t *answer = ask(front, "POST", "/api/v2/batches", body, 201);
	int64_t batch = json_integer_value(json_object_get(answer, "batch"));
	assert_true(batch > 0);
	json_decref(answer);
	return batch;
}

/* ---- tests */

static void test_stream_tells_the_truth(void **state)
{
	struct front *front = calloc(1, sizeof(*front));
	char path[80];
	(void)state;
	assert_non_null(front);
	front_init(front);
	snprintf(path, sizeof(path), "/api/v2/batches/%lld/stream", (long long)submit_one(front));
	json_decref(ask(front, "GET", path, NULL, 200));
	char *end = strchr(front->body, '\n');
	assert_non_null(end);
	assert_non_null(strstr(end, "\"end\":true"));
	*end = '\0';
	snprintf(front->lab.result, sizeof(front->lab.result), "%s", front->body);
	assert_true_way(&front->lab);
	json_t *record = json_loads(front->body, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(record, "label")), "a \"label\"");
	assert_string_equal(json_string_value(json_object_get(record, "state")), "done");
	json_decref(record);
	front_deinit(front);
	free(front);
}

/* The published interface: path from the destination on, with codes; 5 and 6 Record Route, 3 and 4 atlas. */
static void test_published(void **state)
{
	static struct truth truth;
	struct front *front = calloc(1, sizeof(*front));
	char path[80], target[ADDR_TEXT_SIZE];
	(void)state;
	assert_non_null(front);
	front_init(front);
	struct lab *lab = &front->lab;
	int64_t batch = submit_one(front);
	snprintf(path, sizeof(path), "/api/v2/batches/%lld/stream", (long long)batch);
	json_decref(ask(front, "GET", path, NULL, 200));
	snprintf(path, sizeof(path), "/api/v1/revtr?batchid=%lld", (long long)batch);
	json_t *answer = ask(front, "GET", path, NULL, 200);
	const json_t *one = json_array_get(json_object_get(answer, "revtrs"), 0), *hops = json_object_get(one, "path");
	assert_string_equal(json_string_value(json_object_get(one, "status")), "COMPLETED");
	assert_string_equal(json_string_value(json_object_get(one, "stopReason")), "REACHES");
	assert_int_equal(sim_truths(lab->sim, world_find_node(lab->world, "server"), lab->source, &truth, 1), 1);
	assert_int_equal(json_array_size(hops), truth.hop_count + 1);
	const json_t *first = json_array_get(hops, 0);
	assert_string_equal(json_string_value(json_object_get(first, "hop")), addr_format(lab->target, target));
	assert_int_equal(json_integer_value(json_object_get(first, "type")), 1);
	for (unsigned i = 0; i < truth.hop_count; i++) {
		const json_t *hop = json_array_get(hops, i + 1);
		json_int_t type = json_integer_value(json_object_get(hop, "type"));
		struct addr address;
		assert_true(addr_parse(json_string_value(json_object_get(hop, "hop")), &address));
		assert_true(world_has_address(lab->world, truth.hops[i].node, address));
		assert_true(type >= 3 && type <= 6);
	}
	json_decref(answer);
	front_deinit(front);
	free(front);
}

static json_t *send_part(struct front *front, unsigned part, bool more, int status)
{
	char body[400], source[ADDR_TEXT_SIZE], target[ADDR_TEXT_SIZE];
	snprintf(body, sizeof(body),
		"{\"request\": \"in parts\", \"part\": %u, \"more\": %s, \"measurements\": [{\"source\": \"%s\", \"destination\": \"%s\"}]}",
		part, more ? "true" : "false", addr_format(front->lab.source, source), addr_format(front->lab.target, target));
	return ask(front, "POST", "/api/v2/batches", body, status);
}

static void assert_state(json_t *state, json_int_t parts, json_int_t total, bool open)
{
	assert_int_equal(json_integer_value(json_object_get(state, "parts")), parts);
	assert_int_equal(json_integer_value(json_object_get(state, "total")), total);
	assert_int_equal(json_is_true(json_object_get(state, "open")), open);
	json_decref(state);
}

static unsigned count_of(const char *text, const char *what)
{
	unsigned count = 0;
	for (; (text = strstr(text, what)); text += strlen(what))
		count++;
	return count;
}

/* One batch of several parts, each of which may come twice; and a stream that goes on where another was cut off. */
static void test_parts(void **state)
{
	struct front *front = calloc(1, sizeof(*front));
	(void)state;
	assert_non_null(front);
	front_init(front);
	assert_state(send_part(front, 0, true, 201), 1, 1, true);
	assert_state(send_part(front, 0, true, 201), 1, 1, true);
	json_decref(send_part(front, 2, true, 400));
	assert_non_null(strstr(front->body, "the next is part 1"));
	assert_state(send_part(front, 1, false, 201), 2, 2, false);
	assert_state(send_part(front, 1, false, 201), 2, 2, false);
	json_decref(send_part(front, 2, false, 400));
	assert_non_null(strstr(front->body, "complete"));
	json_decref(ask(front, "GET", "/api/v2/batches/1/stream", NULL, 200));
	assert_int_equal(count_of(front->body, "\"state\":\"done\""), 2);
	assert_int_equal(count_of(front->body, "\"end\":true"), 1);
	json_decref(ask(front, "GET", "/api/v2/batches/1/stream?after=1", NULL, 200));
	assert_int_equal(count_of(front->body, "\"state\":\"done\""), 1);
	assert_int_equal(count_of(front->body, "\"end\":true"), 1);
	front_deinit(front);
	free(front);
}

static void nothing(void *context)
{
	(void)context;
}

/* `--via revtr`: the same path as a rung of the ladder. */
static void test_the_rung(void **state)
{
	struct front *front = calloc(1, sizeof(*front));
	struct outgoing *outgoing = calloc(1, sizeof(*outgoing));
	struct settings *settings;
	struct error error = {0};
	char text[200], detail[300];
	(void)state;
	assert_non_null(front);
	front_init(front);
	struct lab *lab = &front->lab;
	snprintf(text, sizeof(text), "revtr: {use: true, url: \"%s/\", token: %s}\n", front->url, front->key);
	if (settings_parse(&settings, "test", text, &error) < 0)
		fail_msg("%s", error.text);
	struct outside outside = {.loop = &lab->loop, .wake = nothing, .settings = settings};
	struct reverse_task task = {.target = lab->target, .source = lab->source, .public_address = lab->source, .outside = &outside};
	assert_true(revtr_method.configured(&task));
	void *run = revtr_method.start(&task);
	struct machine machine = revtr_method.machine(run);
	int64_t wake_ns, until_ns = clock_monotonic_ns() + PATIENCE_NS;
	while (machine.ops->next(machine.self, clock_monotonic_ns(), outgoing, &wake_ns) != MACHINE_DONE &&
		clock_monotonic_ns() < until_ns)
		turn(lab);
	if (revtr_method.status(run, detail, sizeof(detail)) != ATTEMPT_OK)
		fail_msg("%s", detail);
	static struct truth truth;
	struct path *path = revtr_method.path(run, 0);
	assert_non_null(path);
	assert_int_equal(sim_truths(lab->sim, world_find_node(lab->world, "server"), lab->source, &truth, 1), 1);
	assert_int_equal(path->hop_count, truth.hop_count);
	for (unsigned i = 0; i < truth.hop_count; i++)
		assert_true(world_has_address(lab->world, truth.hops[i].node, path->hops[i].address));
	path_free(path);
	revtr_method.free(run);
	settings_free(settings);
	front_deinit(front);
	free(outgoing);
	free(front);
}

/* FIPS 180-2, appendix B.1. */
static void test_sha256(void **state)
{
	static const uint8_t abc[32] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22,
		0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
	uint8_t hash[32];
	(void)state;
	assert_int_equal(sha256("abc", 3, hash, NULL), 0);
	assert_memory_equal(hash, abc, sizeof(hash));
}

/* What a router's far interface is found to be one router's with, is. */
static void test_aliases_probed(void **state)
{
	struct front front;
	char body[200], text[ADDR_TEXT_SIZE];
	(void)state;
	front_init(&front);
	const struct world *world = front.lab.world;
	uint32_t node = world_find_node(world, "nw2");
	const struct world_node *router = &world->nodes[node];
	struct addr far = world->interfaces[router->interfaces[router->interface_count - 1]].address[0], found;
	snprintf(body, sizeof(body), "{\"addresses\": [\"%s\", \"10.0.0.1\"]}", addr_format(far, text));
	json_t *answer = ask(&front, "POST", "/api/v2/aliases/probe", body, 202);
	json_int_t round = json_integer_value(json_object_get(answer, "round"));
	for (int64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
		!json_is_true(json_object_get(answer, "done")) && clock_monotonic_ns() < until_ns;) {
		json_decref(answer);
		for (int i = 0; i < 300; i++) /* at the pace of clients */
			turn(&front.lab);
		answer = ask(&front, "GET", "/api/v2/aliases/probe", NULL, 200);
	}
	assert_int_equal(json_integer_value(json_object_get(answer, "round")), round);
	const json_t *list = json_object_get(answer, "addresses"), *one = json_array_get(list, 0);
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_string_value(json_object_get(one, "state")), "alias");
	assert_int_equal(json_array_size(json_object_get(one, "others")), 1);
	assert_true(addr_parse(json_string_value(json_array_get(json_object_get(one, "others"), 0)), &found));
	assert_true(world_has_address(world, node, found) && !addr_equal(found, far));
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "state")), "not-asked");
	json_decref(answer);
	answer = ask(&front, "GET", "/api/v2/aliases", NULL, 200);
	assert_int_equal(json_integer_value(json_object_get(answer, "addresses")), 2);
	json_decref(answer);
	front_deinit(&front);
}

/* What an agent says of itself is cut where there is no more room, be it within a character: it is listed all the same. */
static void test_long_words_of_an_agent(void **state)
{
	struct front front;
	char text[400] = "{\"online\":true,\"trouble\":\"";
	(void)state;
	front_init(&front);
	for (size_t i = strlen(text); i < 300; i += 2)
		memcpy(text + i, "\xc3\xa4", 3);
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "\"}");
	say(&front.lab, "vp1", "status", strdup(text));
	turn(&front.lab);
	json_t *answer = ask(&front, "GET", "/api/v2/agents", NULL, 200), *agent;
	const char *note = NULL;
	size_t index;
	assert_int_equal(json_array_size(json_object_get(answer, "agents")), AGENTS);
	json_array_foreach (json_object_get(answer, "agents"), index, agent)
		if (strcmp(json_string_value(json_object_get(agent, "name")), "vp1") == 0)
			note = json_string_value(json_object_get(agent, "note"));
	assert_non_null(note);
	assert_non_null(strstr(note, "\xc3\xa4\xc3\xa4"));
	json_decref(answer);
	front_deinit(&front);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aliases_probed),
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_stream_tells_the_truth),
		cmocka_unit_test(test_published),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_the_rung),
		cmocka_unit_test(test_long_words_of_an_agent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
