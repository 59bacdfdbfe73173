/* The looking glass command set of RFC 8522: answers in the form of JSend, `output` being the lines that a
 * traceroute or ping prints, or the document when format=application/json. What only a router knows is not
 * implemented. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "path/json.h"
#include "report/layout_traceroute.h"
#include "serve/api_inside.h"
#include "trace/forward.h"

#define PREFIX "/.well-known/looking-glass/v1/"

/* ---- lines */

static int print_traceroute(FILE *out, const struct measurement *measurement)
{
	const struct path *path = measurement->forward;
	const struct traceroute_style style = {.numeric = true};
	const struct traceroute_label label = {0};
	char target[ADDR_TEXT_SIZE];
	addr_format(measurement->target, target);
	fprintf(out, "traceroute to %s (%s), %u hops max", target, target, trace_defaults().max_ttl);
	for (size_t i = 0; i < path->hop_count; i++) {
		const struct hop *hop = &path->hops[i];
		const struct probe_result *probes[TRACE_PROBES_MAX];
		unsigned count = (unsigned)MIN(hop->probe_count, (size_t)TRACE_PROBES_MAX);
		for (unsigned p = 0; p < count; p++)
			probes[p] = &hop->probes[p];
		for (unsigned p = 0; p < count; p++)
			layout_traceroute_probe(out, &style, (unsigned)hop->ttl, probes, p, &label);
	}
	layout_traceroute_end(out);
	return 0;
}

static int print_ping(FILE *out, const struct measurement *measurement)
{
	const struct path *path = measurement->forward;
	const struct hop *hop = path->hop_count > 0 ? &path->hops[path->hop_count - 1] : NULL;
	unsigned sent = 0, received = 0;
	char target[ADDR_TEXT_SIZE];
	addr_format(measurement->target, target);
	fprintf(out, "PING %s (%s)\n", target, target);
	for (size_t i = 0; hop && i < hop->probe_count; i++) {
		const struct probe_result *probe = &hop->probes[i];
		bool answered = addr_equal(probe->address, measurement->target);
		sent++;
		received += answered;
		if (answered)
			fprintf(out, "answer from %s: seq=%zu ttl=%d time=%.3f ms\n", target, i + 1,
				probe->reply.ttl, ns_to_ms(probe->rtt_ns));
	}
	fprintf(out, "%u packets transmitted, %u received, %.0f%% packet loss\n", sent, received,
		sent ? 100.0 * (sent - received) / sent : 0.0);
	return 0;
}

/* An array with each line of the text, which is freed. */
static json_t *lines_of(char *text)
{
	json_t *lines = text ? json_array() : NULL;
	char *rest = text;
	for (char *line; lines && (line = strsep(&rest, "\n"));)
		if (*line || rest)
			json_array_append_new(lines, json_string(line));
	free(text);
	return lines;
}

/* ---- JSend */

static void succeed(
	struct httpd_exchange *exchange, json_t *data, int64_t started_ns, int64_t started_wall_ns)
{
	char when[TIME_TEXT_SIZE];
	double runtime_s = (double)(clock_monotonic_ns() - started_ns) / (double)NS_PER_S;
	json_object_set_new(data, "performed_at", json_string(clock_format(started_wall_ns, when)));
	json_object_set_new(data, "runtime", json_real(runtime_s));
	api_send_json(exchange, STATUS_OK, json_pack("{s:s,s:o}", "status", "success", "data", data), 0);
}

static void fail(struct httpd_exchange *exchange, const struct api_failure *failure)
{
	api_send_json(exchange, failure->status,
		json_pack("{s:s,s:s,s:{s:s}}", "status", failure->status < 500 ? "fail" : "error", "message",
			failure->text, "data", "code", failure->code),
		failure->retry_after_s);
}

void looking_glass_answer(const struct pending *pending, const struct measurement *measurement)
{
	bool ping = pending->route == ROUTE_LG_PING;
	json_t *output = pending->text
		? lines_of(api_print(ping ? print_ping : print_traceroute, measurement))
		: measurement_to_json(measurement);
	json_t *data = json_pack("{s:s,s:o,s:s}", "router", pending->api->name, "output", output, "format",
		pending->text ? "text/plain" : "application/json");
	succeed(pending->exchange, data, pending->started_ns, pending->started_wall_ns);
}

static json_t *commands(void)
{
	static const struct {
		const char *href, *arguments, *command, *description;
	} list[] = {
		{PREFIX "traceroute", "{host}", "traceroute", "the path from here to the address that asks"},
		{PREFIX "ping", "{host}", "ping", "round trips from here to the address that asks"},
		{PREFIX "routers", "", "routers", "the one vantage point there is"},
		{PREFIX "cmd", "", "cmd", "this list"},
	};
	json_t *array = json_array();
	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		json_array_append_new(array,
			json_pack("{s:s,s:s,s:s,s:s}", "href", list[i].href, "arguments", list[i].arguments,
				"command", list[i].command, "description", list[i].description));
	return json_pack("{s:o}", "commands", array);
}

/* RFC 8522 3.1: parameters that name something else than what there is. */
static const char *bad_parameter(struct httpd_exchange *exchange, struct addr host)
{
	const char *protocol = httpd_parameter(exchange, "protocol");
	const char *format = httpd_parameter(exchange, "format");
	const char *index = httpd_parameter(exchange, "routerindex");
	if (protocol && strcmp(protocol, "1,1") != 0 && strcmp(protocol, "2,1") != 0)
		return "protocol: expected 1,1 (IPv4) or 2,1 (IPv6)";
	if (protocol && addr_is_set(host) && (host.family == 4) != (protocol[0] == '1'))
		return "protocol: it is not that of the address";
	if (format && strcmp(format, "text/plain") != 0 && strcmp(format, "application/json") != 0)
		return "format: expected text/plain or application/json";
	if (index && strcmp(index, "1") != 0)
		return "routerindex: there is router 1 only";
	return NULL;
}

static void measure(struct api *api, struct httpd_exchange *exchange, enum route route, const char *host)
{
	const char *format = httpd_parameter(exchange, "format");
	struct trace_ask ask = {.protocol = route == ROUTE_LG_PING ? PROBE_ICMP : PROBE_UDP};
	struct api_failure failure = {STATUS_BAD_REQUEST, "bad-parameter", NULL, 0};
	if (!addr_parse(host, &ask.target))
		failure.text = "host: expected an IPv4 or IPv6 address; names are not looked up";
	else
		failure.text = bad_parameter(exchange, ask.target);
	bool text = !format || strcmp(format, "text/plain") == 0;
	if (failure.text || !api_trace(api, exchange, route, text, &ask, &failure))
		fail(exchange, &failure);
}

void looking_glass_handle(
	struct api *api, struct httpd_exchange *exchange, enum route route, const char *argument)
{
	static const struct api_failure no_routes = {STATUS_NOT_IMPLEMENTED, "not-implemented",
		"this is a host and not a router: it knows paths, not routes", 0};
	static const struct api_failure no_router = {
		STATUS_NOT_FOUND, "not-found", "there is router 1 only", 0};
	int64_t now_ns = clock_monotonic_ns(), wall_ns = clock_wall_ns();
	if (route == ROUTE_LG_PING || route == ROUTE_LG_TRACEROUTE)
		measure(api, exchange, route, argument);
	else if (route == ROUTE_LG_COMMANDS)
		succeed(exchange, commands(), now_ns, wall_ns);
	else if (route == ROUTE_LG_ROUTERS)
		succeed(exchange, json_pack("{s:[s]}", "routers", api->name), now_ns, wall_ns);
	else if (route == ROUTE_LG_ROUTER && strcmp(argument, "1") == 0)
		succeed(exchange, json_pack("{s:{s:s}}", "router", "name", api->name), now_ns, wall_ns);
	else
		fail(exchange, route == ROUTE_LG_ROUTER ? &no_router : &no_routes);
}
