#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "path/json.h"
#include "report/text.h"
#include "serve/api_inside.h"

#define REPORT_WIDTH 100

/* ---- saying it */

void api_send_text(struct httpd_exchange *exchange, unsigned status, const char *type, char *body)
{
	struct httpd_answer answer = {
		.status = body ? status : STATUS_SERVER_ERROR, .type = type, .body = body};
	answer.length = body ? strlen(body) : 0;
	httpd_answer(exchange, answer);
}

void api_send_json(struct httpd_exchange *exchange, unsigned status, json_t *json, unsigned retry_after_s)
{
	char *text = json ? json_dumps(json, JSON_INDENT(2) | JSON_ENSURE_ASCII) : NULL;
	json_decref(json);
	struct httpd_answer answer = {
		.status = text ? status : STATUS_SERVER_ERROR,
		.body = text,
		.length = text ? strlen(text) : 0,
		.retry_after_s = retry_after_s,
	};
	httpd_answer(exchange, answer);
}

void api_fail(struct httpd_exchange *exchange, const struct api_failure *failure)
{
	api_send_json(exchange, failure->status,
		json_pack("{s:{s:s,s:s}}", "error", "code", failure->code, "message", failure->text),
		failure->retry_after_s);
}

char *api_print(
	int (*print)(FILE *out, const struct measurement *measurement), const struct measurement *measurement)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	if (!out)
		return NULL;
	int result = print(out, measurement);
	if (fclose(out) != 0 || result < 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* ---- traces */

static int print_report(FILE *out, const struct measurement *measurement)
{
	return report_text(out, measurement, &(struct report_options){.width = REPORT_WIDTH, .utf8 = true});
}

static void answer_trace(const struct pending *pending, const struct measurement *measurement)
{
	if (pending->text)
		api_send_text(pending->exchange, STATUS_OK, TYPE_TEXT, api_print(print_report, measurement));
	else
		api_send_text(pending->exchange, STATUS_OK, NULL, measurement_to_text(measurement));
}

static void on_traced(void *context, const struct measurement *measurement)
{
	struct pending *pending = context;
	pending->done = true;
	if (!measurement)
		api_send_text(pending->exchange, STATUS_SERVER_ERROR, NULL, NULL);
	else if (pending->route == ROUTE_TRACE)
		answer_trace(pending, measurement);
	else
		looking_glass_answer(pending, measurement);
}

static void on_end(void *context)
{
	struct pending *pending = context;
	if (!pending->done)
		tracing_cancel(pending->api->config.tracing, pending->number);
	free(pending);
}

static struct api_failure failure_of(int error, unsigned retry_after_s)
{
	switch (error) {
	case -EBUSY:
		return (struct api_failure){STATUS_TOO_MANY, "busy",
			"a path to you is being traced already, or too many others are", retry_after_s};
	case -EDQUOT:
		return (struct api_failure){STATUS_TOO_MANY, "rate",
			"your network has used up what it may ask for in a minute", retry_after_s};
	case -ENETUNREACH:
		return (struct api_failure){
			STATUS_UNAVAILABLE, "no-route", "this host has no way to that address", 0};
	default: return (struct api_failure){STATUS_SERVER_ERROR, "failed", "the trace could not start", 0};
	}
}

bool api_trace(struct api *api, struct httpd_exchange *exchange, enum route route, bool text,
	const struct trace_ask *ask, struct api_failure *failure)
{
	const struct httpd_peer *peer = httpd_peer(exchange);
	struct trace_order order = {
		.asker = peer->address,
		.target = addr_is_set(ask->target) ? ask->target : peer->address,
		.source = peer->proxied ? ADDR_NONE : peer->local,
		.protocol = ask->protocol,
		.flow = ask->flow,
		.ping = route == ROUTE_LG_PING,
	};
	unsigned retry_after_s = 0;
	if (!tracing_allows(api->config.tracing, order.asker, order.target)) {
		*failure = (struct api_failure){STATUS_FORBIDDEN, "target-not-allowed",
			"paths are traced to the address that asks, and to no other", 0};
		return false;
	}
	struct pending *pending = calloc(1, sizeof(*pending));
	int result = pending ? tracing_start(api->config.tracing, &order, on_traced, pending, &retry_after_s)
			     : -ENOMEM;
	if (result < 0) {
		free(pending);
		*failure = failure_of(result, retry_after_s);
		return false;
	}
	*pending = (struct pending){.api = api,
		.exchange = exchange,
		.route = route,
		.text = text,
		.number = result,
		.started_ns = clock_monotonic_ns(),
		.started_wall_ns = clock_wall_ns()};
	httpd_on_end(exchange, on_end, pending);
	return true;
}

static void handle_trace(struct api *api, struct httpd_exchange *exchange)
{
	struct trace_ask ask;
	struct api_failure failure = {STATUS_BAD_REQUEST, "bad-parameter", NULL, 0};
	failure.text = trace_ask_read(&ask, httpd_parameter(exchange, "protocol"),
		httpd_parameter(exchange, "flow"), httpd_parameter(exchange, "target"));
	if (failure.text ||
		!api_trace(api, exchange, ROUTE_TRACE, accepts_text(httpd_header(exchange, "Accept")), &ask,
			&failure))
		api_fail(exchange, &failure);
}

/* ---- the rest */

static void handle_address(struct httpd_exchange *exchange)
{
	const struct httpd_peer *peer = httpd_peer(exchange);
	char address[ADDR_TEXT_SIZE];
	api_send_json(exchange, STATUS_OK,
		json_pack("{s:s,s:o}", "address", addr_format(peer->address, address), "port",
			peer->port ? json_integer(peer->port) : json_null()),
		0);
}

static void handle_health(const struct api *api, struct httpd_exchange *exchange)
{
	api_send_json(exchange, STATUS_OK,
		json_pack("{s:s,s:s,s:I,s:b,s:b}", "status", "ok", "version", RETOUR_VERSION, "uptime_s",
			(json_int_t)((clock_monotonic_ns() - api->started_ns) / NS_PER_S), "responder",
			api->config.responder != NULL, "inband", api->config.inband != NULL),
		0);
}

struct inband_turn {
	struct turns *turns;
	int turn;
};

static void give_turn_back(void *context)
{
	const struct inband_turn *turn = context;
	turns_give_back(turn->turns, turn->turn);
	free(context);
}

/* 0, or what turns_take says. */
static int take_inband_turn(struct api *api, struct httpd_exchange *exchange, unsigned *retry_after_s)
{
	struct addr peer = httpd_peer(exchange)->address;
	struct inband_turn *turn = malloc(sizeof(*turn));
	int number = turn ? turns_take(api->config.turns, peer, peer, clock_monotonic_ns(), retry_after_s)
			  : -ENOMEM;
	if (number < 0) {
		free(turn);
		return number;
	}
	*turn = (struct inband_turn){.turns = api->config.turns, .turn = number};
	httpd_on_end(exchange, give_turn_back, turn);
	return 0;
}

static void handle_inband(struct api *api, struct httpd_exchange *exchange)
{
	struct api_failure failure = {STATUS_NOT_IMPLEMENTED, "no-inband",
		"this daemon does not trace inside connections; /api/v1/trace gives an ordinary trace", 0};
	unsigned retry_after_s = 0;
	int result = 0;
	if (!api->config.inband) {
		api_fail(exchange, &failure);
	} else if (httpd_peer(exchange)->proxied) {
		failure.text = "this connection ends at a proxy, so a trace inside it would not reach you";
		api_fail(exchange, &failure);
	} else if ((result = take_inband_turn(api, exchange, &retry_after_s)) < 0) {
		failure = failure_of(result, retry_after_s);
		api_fail(exchange, &failure);
	} else {
		api->config.inband(api->config.inband_context, exchange);
	}
}

static void handle(struct api *api, struct httpd_exchange *exchange, enum route route, const char *argument)
{
	static const struct api_failure nothing = {
		STATUS_NOT_FOUND, "not-found", "nothing is served here; / tells what is", 0};
	switch (route) {
	case ROUTE_PAGE:
		api_send_text(exchange, STATUS_OK, "text/html; charset=utf-8", strdup(page_html));
		return;
	case ROUTE_ADDRESS: handle_address(exchange); return;
	case ROUTE_TRACE: handle_trace(api, exchange); return;
	case ROUTE_INBAND: handle_inband(api, exchange); return;
	case ROUTE_HEALTH: handle_health(api, exchange); return;
	case ROUTE_METRICS:
		api_send_text(exchange, STATUS_OK, "text/plain; version=0.0.4", metrics_text(api));
		return;
	case ROUTE_NONE: api_fail(exchange, &nothing); return;
	default: looking_glass_handle(api, exchange, route, argument);
	}
}

static bool may_ask(const struct api *api, struct addr asker)
{
	bool allowed = api->config.allow_count == 0;
	for (size_t i = 0; i < api->config.allow_count; i++)
		allowed = allowed || prefix_contains(api->config.allow[i], asker);
	return allowed;
}

void api_handle(void *context, struct httpd_exchange *exchange)
{
	static const struct api_failure stranger = {STATUS_FORBIDDEN, "not-allowed",
		"this host answers to some networks only, and not to yours", 0};
	static const struct api_failure measures = {
		STATUS_NOT_ALLOWED, "method", "a measurement is made for GET only", 0};
	const char *argument;
	enum route route = route_of(httpd_path(exchange), &argument);
	if (!may_ask(context, httpd_peer(exchange)->address))
		api_fail(exchange, &stranger);
	else if (httpd_is_head(exchange) && route_measures(route))
		api_fail(exchange, &measures);
	else
		handle(context, exchange, route, argument);
}

struct api *api_new(const struct api_config *config)
{
	struct api *api = calloc(1, sizeof(*api));
	if (!api)
		return NULL;
	api->config = *config;
	api->started_ns = clock_monotonic_ns();
	/* Both read a file the first time, which is not allowed later. */
	json_object_seed(0);
	tzset();
	if (gethostname(api->name, sizeof(api->name) - 1) < 0)
		snprintf(api->name, sizeof(api->name), "retour");
	return api;
}

void api_free(struct api *api)
{
	free(api);
}
