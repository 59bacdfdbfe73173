#include "serve/revtr_api.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "serve/revtr_api_inside.h"
#include "serve/sha256.h"

/* ---- saying it */

int64_t revtr_now_ms(void)
{
	return clock_wall_ns() / NS_PER_MS;
}

json_t *revtr_time(int64_t ms)
{
	char text[TIME_TEXT_SIZE];
	return ms > 0 ? json_string(clock_format(ms * NS_PER_MS, text)) : json_null();
}

json_t *revtr_address(struct addr address)
{
	char text[ADDR_TEXT_SIZE];
	return addr_is_set(address) ? json_string(addr_format(address, text)) : json_null();
}

static struct api_failure failure_of(int code)
{
	switch (code) {
	case -EINVAL: return (struct api_failure){STATUS_BAD_REQUEST, "bad-request", NULL, 0};
	case -EPERM: return (struct api_failure){STATUS_FORBIDDEN, "not-allowed", NULL, 0};
	case -ENOENT: return (struct api_failure){STATUS_NOT_FOUND, "not-found", NULL, 0};
	case -ESTALE: return (struct api_failure){STATUS_GONE, "gone", NULL, 0};
	case -E2BIG: return (struct api_failure){STATUS_TOO_LARGE, "too-large", NULL, 0};
	case -EBUSY:
	case -EDQUOT: return (struct api_failure){STATUS_TOO_MANY, "over-limit", NULL, 0};
	case -ENOTCONN: return (struct api_failure){STATUS_UNAVAILABLE, "nobody-there", NULL, 0};
	case -ENOSPC: return (struct api_failure){STATUS_NO_ROOM, "disk-full", NULL, 0};
	default: return (struct api_failure){STATUS_SERVER_ERROR, "failed", NULL, 0};
	}
}

void revtr_refuse(const struct revtr_ask *ask, const struct error *error)
{
	struct api_failure failure = failure_of(error->code);
	failure.text = error->text;
	api_fail(ask->exchange, &failure);
}

void revtr_bad(const struct revtr_ask *ask, const char *format, ...)
{
	struct error error = {.code = -EINVAL};
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error.text, sizeof(error.text), format, arguments);
	va_end(arguments);
	revtr_refuse(ask, &error);
}

json_t *revtr_body(const struct revtr_ask *ask)
{
	size_t length;
	json_error_t error;
	const char *text = httpd_body(ask->exchange, &length);
	json_t *json = text ? json_loadb(text, length, JSON_REJECT_DUPLICATES, &error) : NULL;
	if (!text)
		revtr_bad(ask, "expected a JSON object as the body");
	else if (!json)
		revtr_bad(ask, "the body is not JSON: line %d, %.100s", error.line, error.text);
	else if (!json_is_object(json))
		revtr_bad(ask, "expected a JSON object as the body");
	if (json && !json_is_object(json)) {
		json_decref(json);
		return NULL;
	}
	return json;
}

int64_t revtr_number(const char *text)
{
	char *end = NULL;
	errno = 0;
	long long value = text && *text >= '0' && *text <= '9' ? strtoll(text, &end, 10) : 0;
	return value > 0 && errno == 0 && end && *end == '\0' ? value : 0;
}

/* ---- keys */

int revtr_api_new_key(
	struct store *store, struct store_key *key, char text[static REVTR_KEY_SIZE], struct error *error)
{
	uint8_t random[32];
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return error_set(error, -EIO, "no random numbers: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(text + 2 * i, 3, "%02x", random[i]);
	int result = sha256(text, strlen(text), key->hash, error);
	return result == 0 ? store_put_key(store, key, error) : result;
}

static const char *shown_key(const struct httpd_exchange *exchange)
{
	const char *key = httpd_header(exchange, "Revtr-Key"),
		   *bearer = httpd_header(exchange, "Authorization");
	if (key)
		return key;
	return bearer && strncmp(bearer, "Bearer ", 7) == 0 ? bearer + 7 : NULL;
}

/* -ENOENT: it is unknown, or none is shown. */
static int find_key(const struct revtr_api *api, const char *text, struct store_key *key, struct error *error)
{
	uint8_t hash[32];
	int result = text ? sha256(text, strlen(text), hash, error) : -ENOENT;
	return result == 0 ? store_find_key(api->config.store, hash, key, error) : result;
}

bool revtr_api_may_send(void *context, const struct httpd_exchange *exchange)
{
	struct store_key key;
	struct error error;
	return find_key(context, shown_key(exchange), &key, &error) == 0;
}

static bool may_ask(struct revtr_ask *ask, bool admin)
{
	static const struct api_failure none = {STATUS_UNAUTHORIZED, "no-key",
						"a key is needed: header Revtr-Key", 0},
					unknown = {STATUS_UNAUTHORIZED, "bad-key",
						"this key is not known here", 0},
					not_admin = {STATUS_FORBIDDEN, "not-allowed",
						"this needs an administrator's key", 0};
	struct error error = {0};
	const char *key = shown_key(ask->exchange);
	int result = find_key(ask->api, key, &ask->key, &error);
	if (result == -ENOENT)
		api_fail(ask->exchange, key ? &unknown : &none);
	else if (result < 0)
		revtr_refuse(ask, &error);
	else if (admin && !ask->key.admin)
		api_fail(ask->exchange, &not_admin);
	else
		return true;
	return false;
}

/* ---- paths */

enum who { ANYBODY, CLIENTS, ADMINISTRATORS };

static const struct route_entry {
	const char *method, *path; /* {} stands for one part */
	enum who who;
	revtr_handler *handle;
} routes[] = {
	{"POST", "/api/v2/batches", CLIENTS, revtr_batches_post},
	{"GET", "/api/v2/batches/{}", CLIENTS, revtr_batch_get},
	{"DELETE", "/api/v2/batches/{}", CLIENTS, revtr_batch_delete},
	{"GET", "/api/v2/batches/{}/results", CLIENTS, revtr_results_get},
	{"GET", "/api/v2/batches/{}/stream", CLIENTS, revtr_stream_get},
	{"GET", "/api/v2/sources", CLIENTS, revtr_sources_get},
	{"POST", "/api/v2/sources", ADMINISTRATORS, revtr_sources_post},
	{"GET", "/api/v2/agents", CLIENTS, revtr_agents_get},
	{"POST", "/api/v2/agents/{}/test", ADMINISTRATORS, revtr_agent_test_post},
	{"GET", "/api/v2/atlas/{}", CLIENTS, revtr_atlas_get},
	{"POST", "/api/v2/atlas/{}", CLIENTS, revtr_atlas_post},
	{"DELETE", "/api/v2/atlas/{}", ADMINISTRATORS, revtr_atlas_delete},
	{"POST", "/api/v2/atlas/{}/traceroutes", ADMINISTRATORS, revtr_atlas_traces_post},
	{"GET", "/api/v2/aliases", CLIENTS, revtr_aliases_get},
	{"POST", "/api/v2/aliases", ADMINISTRATORS, revtr_aliases_post},
	{"GET", "/api/v2/aliases/probe", CLIENTS, revtr_probed_get},
	{"POST", "/api/v2/aliases/probe", ADMINISTRATORS, revtr_probed_post},
	{"GET", "/api/v2/budget", CLIENTS, revtr_budget_get},
	{"POST", "/api/v2/keys", ADMINISTRATORS, revtr_keys_post},
	{"GET", "/api/v2/health", ANYBODY, revtr_health_get},
	{"GET", "/api/v2/health/live", ANYBODY, revtr_live_get},
	{"GET", "/api/v2/health/ready", ANYBODY, revtr_ready_get},
	{"GET", "/metrics", ANYBODY, revtr_metrics_get},
	{"POST", "/api/v1/revtr", CLIENTS, revtr_published_post},
	{"GET", "/api/v1/revtr", CLIENTS, revtr_published_get},
	{"GET", "/api/v1/sources", CLIENTS, revtr_published_sources},
	{"POST", "/api/v1/atlas/run", CLIENTS, revtr_published_atlas_run},
	{"POST", "/api/v1/atlas/clean", ADMINISTRATORS, revtr_published_atlas_clean},
};

/* Does `path` fit? What stands for {} goes into `argument`. */
static bool fits(const char *pattern, const char *path, char *argument, size_t size)
{
	const char *hole = strstr(pattern, "{}");
	if (!hole)
		return strcmp(pattern, path) == 0;
	size_t before = (size_t)(hole - pattern), part;
	if (strncmp(pattern, path, before) != 0)
		return false;
	part = strcspn(path + before, "/");
	if (part == 0 || part >= size || strcmp(hole + 2, path + before + part) != 0)
		return false;
	memcpy(argument, path + before, part);
	argument[part] = '\0';
	return true;
}

void revtr_api_handle(void *context, struct httpd_exchange *exchange)
{
	static const struct api_failure none = {STATUS_NOT_FOUND, "not-found",
						"there is nothing here; docs/revtr.md tells what is", 0},
					method = {STATUS_NOT_ALLOWED, "method",
						"this method is not served here", 0};
	char argument[64];
	struct revtr_ask ask = {.api = context, .exchange = exchange, .argument = argument};
	bool there = false;
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		const struct route_entry *route = &routes[i];
		if (!fits(route->path, httpd_path(exchange), argument, sizeof(argument)))
			continue;
		there = true;
		if (strcmp(route->method, httpd_method(exchange)) != 0)
			continue;
		if (route->who == ANYBODY || may_ask(&ask, route->who == ADMINISTRATORS))
			route->handle(&ask);
		return;
	}
	api_fail(exchange, there ? &method : &none);
}

/* ---- life */

static void on_told(
	void *context, int64_t batch, int64_t measurement UNUSED, const char *json UNUSED, bool last UNUSED)
{
	revtr_stream_told(context, batch);
}

struct revtr_api *revtr_api_new(const struct revtr_api_config *config)
{
	struct revtr_api *api = calloc(1, sizeof(*api));
	if (!api)
		return NULL;
	api->config = *config;
	api->started_ns = clock_monotonic_ns();
	api->listener = coordinator_listen(config->coordinator, 0, on_told, api);
	if (!api->listener) {
		free(api);
		return NULL;
	}
	uv_timer_init(config->loop, &api->timer);
	api->timer.data = api;
	return api;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void revtr_api_free(struct revtr_api *api)
{
	if (!api)
		return;
	coordinator_unlisten(api->listener);
	uv_close((uv_handle_t *)&api->timer, on_closed);
}
