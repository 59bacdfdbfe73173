/* Counters in Prometheus' text exposition format (version 0.0.4). No label has anything of a client in it. */
#include <inttypes.h>
#include <stdlib.h>

#include "serve/api_inside.h"

static void family(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP retour_%s %s\n# TYPE retour_%s %s\n", name, help, name, type);
}

static void counter(FILE *out, const char *name, const char *help, uint64_t value)
{
	family(out, name, "counter", help);
	fprintf(out, "retour_%s %" PRIu64 "\n", name, value);
}

static void gauge(FILE *out, const char *name, const char *help, uint64_t value)
{
	family(out, name, "gauge", help);
	fprintf(out, "retour_%s %" PRIu64 "\n", name, value);
}

static void labelled(FILE *out, const char *name, const char *label, const char *value, uint64_t count)
{
	fprintf(out, "retour_%s{%s=\"%s\"} %" PRIu64 "\n", name, label, value, count);
}

static void print_responder(FILE *out, const struct responder_counters *c)
{
	const struct {
		const char *reason;
		uint64_t count;
	} refused[] = {
		{"source", c->refused_source},
		{"not-allowed", c->refused_allow},
		{"target", c->refused_target},
		{"prefix-rate", c->over_prefix},
		{"rate", c->over_total},
		{"first-contact", c->over_first_contact},
		{"notice", c->over_notice},
		{"answer", c->over_answer},
	};
	counter(out, "responder_requests_total", "Well-formed requests.", c->requests);
	counter(out, "responder_hellos_total", "Requests that only ask whether somebody is there.",
		c->hellos);
	counter(out, "responder_probes_total", "Probes sent.", c->probes);
	counter(out, "responder_responses_total", "Responses that name a hop.", c->responses);
	counter(out, "responder_notices_total", "Responses without a probe.", c->notices);
	counter(out, "responder_failed_total", "Packets that could not be sent.",
		c->queue_full + c->send_failed);
	family(out, "responder_refused_total", "counter", "What was not done, by reason.");
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		labelled(out, "responder_refused_total", "reason", refused[i].reason, refused[i].count);
}

void metrics_print_http(FILE *out, const struct httpd_counters *c)
{
	static const char *const classes[] = {"0xx", "1xx", "2xx", "3xx", "4xx", "5xx"};
	counter(out, "http_connections_total", "Connections that came in.", c->connections);
	counter(out, "http_connections_refused_total", "Connections turned away.", c->refused_connections);
	counter(out, "http_connections_evicted_total", "Idle connections pushed out by newer ones.",
		c->evicted_connections);
	gauge(out, "http_connections", "Connections now.", c->open);
	counter(out, "http_requests_total", "Requests whose headers were complete.", c->requests);
	counter(out, "http_requests_refused_total", "Requests that came too fast.", c->refused_requests);
	family(out, "http_responses_total", "counter", "Responses by class of status.");
	for (size_t i = 2; i < ARRAY_LEN(classes); i++)
		labelled(out, "http_responses_total", "status", classes[i], c->answers[i]);
}

char *metrics_text(const struct api *api)
{
	const struct turns *turns = api->config.turns;
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	if (!out)
		return NULL;
	if (api->config.responder) {
		struct responder_counters responder = responder_counters(api->config.responder);
		print_responder(out, &responder);
	}
	struct httpd_counters http = httpd_counters(*api->config.httpd);
	metrics_print_http(out, &http);
	counter(out, "traces_total", "Traces begun for clients.", turns->granted);
	family(out, "traces_refused_total", "counter", "Traces not begun, by reason.");
	labelled(out, "traces_refused_total", "reason", "busy", turns->refused_busy);
	labelled(out, "traces_refused_total", "reason", "rate", turns->refused_rate);
	gauge(out, "traces_running", "Traces now.", tracing_running(api->config.tracing));
	counter(out, "trace_packets_total", "Packets sent for traces.", api->config.driver->send_count);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
