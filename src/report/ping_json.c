#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "path/json.h"
#include "report/jsonl.h"
#include "report/ping.h"
#include "trace/result.h"

/* Whole microseconds are as exact as the stamps are. */
static json_t *ms(double ns)
{
	return ns < 0 ? json_null() : json_real((double)(int64_t)(ns / 1000 + 0.5) / 1000);
}

static json_t *address_of(struct addr address)
{
	char text[ADDR_TEXT_SIZE];
	return addr_is_set(address) ? json_string(addr_format(address, text)) : json_null();
}

static json_t *name_of(const char *name)
{
	/* A name that is not UTF-8 cannot be in JSON: the address is there. */
	json_t *json = json_string(name);
	return json ? json : json_null();
}

/* ---- events ---- */

int ping_jsonl_start(FILE *out, const struct ping_view *view)
{
	char when[TIME_TEXT_SIZE];
	return jsonl_event(out, "start", view->target,
		json_pack("{s:s, s:{s:s, s:s}, s:s, s:s, s:o, s:o, s:s, s:I}", "schema", "retour/1", "tool",
			"name", "retour", "version", RETOUR_VERSION, "command", "ping", "started_at",
			clock_format(view->started_wall_ns, when), "source", address_of(view->source),
			"target_name", name_of(view->target_name), "protocol",
			protocol_word(ping_way(view->ping)->protocol), "interval_ns",
			(json_int_t)view->ping->config.interval_ns));
}

static json_t *reply_json(const struct reply *reply)
{
	json_t *body =
		json_pack("{s:o, s:o}", "from", address_of(reply->from), "rtt_ms", ms((double)reply->rtt_ns));
	if (reply->header.ttl > 0)
		json_object_set_new(body, "reply_ttl", json_integer(reply->header.ttl));
	if (reply->icmp_type >= 0)
		json_object_set_new(body, "icmp",
			json_pack("{s:i, s:i}", "type", reply->icmp_type, "code", reply->icmp_code));
	return body;
}

int ping_jsonl_event(FILE *out, const struct ping_view *view, const struct ping_event *event)
{
	static const char *const words[] = {"answer", "refusal", "lost", "void", "protocol"};
	const struct engine_config *way = ping_way(view->ping);
	bool answered = event->kind == PING_ANSWER || event->kind == PING_REFUSAL;
	json_t *body = answered ? reply_json(event->reply) : json_object();
	json_object_set_new(body, "number", json_integer(event->number));
	json_object_set_new(body, "sent_ms", ms((double)(event->sent_ns - view->ping->started_ns)));
	if (event->late)
		json_object_set_new(body, "late", json_true());
	if (event->kind == PING_VOID)
		json_object_set_new(body, "error", json_string(strerror(-event->error)));
	if (event->kind == PING_OTHER) {
		json_object_set_new(body, "protocol", json_string(protocol_word(way->protocol)));
		json_object_set_new(body, "destination_port", json_integer(way->flow.destination_port));
	}
	return jsonl_event(out, words[event->kind], view->target, body);
}

int ping_jsonl_reflected(FILE *out, const struct ping_view *view, const struct stamp_sample *sample)
{
	/* The clocks' difference is in the ways, once with each sign. */
	return jsonl_event(out, "reflected", view->target,
		json_pack("{s:i, s:o, s:f, s:f, s:f}", "number", (int)sample->place, "sent_ms",
			ms((double)(sample->at_ns - view->ping->started_ns)), "forward_raw_ms",
			ns_to_ms(sample->forward_ns), "reverse_raw_ms", ns_to_ms(sample->back_ns),
			"residence_ms", ns_to_ms(sample->residence_ns)));
}

/* ---- the document ---- */

static int add_probes(struct hop *hop, const struct ping_view *view)
{
	const struct samples *samples = &view->ping->samples;
	for (size_t back = samples_kept(samples); back > 0; back--) {
		struct sample sample = samples_get(samples, back - 1);
		struct probe_result *probe = hop_add_probe(hop);
		if (!probe)
			return -ENOMEM;
		probe->sent_ns = sample.at_ns;
		probe->rtt_ns = sample.rtt_ns;
		if (sample.rtt_ns != RTT_NONE)
			probe->address = view->target;
	}
	return 0;
}

static int fill_path(struct path *path, const struct ping_view *view)
{
	const struct pinger *ping = view->ping;
	const struct series *series = &ping->series;
	const struct engine_config *way = ping_way(ping);
	path->protocol = way->protocol;
	path->source = view->source;
	path->destination = view->target;
	path->flow = way->flow;
	path->started_wall_ns = view->started_wall_ns;
	path->duration_ns = view->now_wall_ns - view->started_wall_ns;
	path->reached = series->received > 0;
	path->stop_reason = path->reached ? STOP_REACHED : STOP_GAP_LIMIT;
	struct hop *hop = path_add_hop(path, -1, TECHNIQUE_TTL);
	if (!hop || add_probes(hop, view) < 0 || hop_summarise(hop) < 0)
		return -ENOMEM;
	/* All of them, not only those kept. */
	hop->sent = path->probes_sent = series_settled(series);
	hop->received = path->replies_received = series->received;
	if (series->received > 0) {
		hop->rtt_min_ns = series->best_ns;
		hop->rtt_max_ns = series->worst_ns;
	}
	return 0;
}

int ping_measurement(struct measurement *measurement, const struct ping_view *view)
{
	measurement_init(measurement);
	measurement->command = "ping";
	measurement->started_wall_ns = view->started_wall_ns;
	measurement->finished_wall_ns = view->now_wall_ns;
	measurement->source = view->source;
	measurement->target = view->target;
	measurement->target_name = strdup(view->target_name);
	measurement->forward = path_new(DIRECTION_FORWARD, "ping");
	measurement->directions = view->directions;
	return measurement->forward ? fill_path(measurement->forward, view) : -ENOMEM;
}

static json_t *numbers(const struct ping_view *view)
{
	const struct pinger *ping = view->ping;
	const struct series *series = &ping->series;
	unsigned settled = series_settled(series);
	bool any = series->received > 0;
	struct share share = share_of(series->lost, settled);
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:o, s:o, s:i}", "sent", (int)settled, "received",
		(int)series->received, "lost", (int)series->lost, "late", (int)ping->late, "refusals",
		(int)ping->refusals, "send_errors", (int)ping->send_errors, "loss",
		settled ? json_pack("{s:f, s:[f, f]}", "share", (double)series->lost / settled, "interval_95",
				  share.low, share.high)
			: json_null(),
		"rtt_ms",
		any ? json_pack("{s:o, s:o, s:o, s:o, s:o}", "min", ms((double)series->best_ns), "mean",
			      ms(series->mean_ns), "max", ms((double)series->worst_ns), "deviation",
			      ms(series_deviation_ns(series)), "jitter", ms(series->interarrival_ns))
		    : json_null(),
		"unanswered_before", (int)ping->earlier_sent);
}

static json_t *document(const struct ping_view *view, const struct measurement *measurement)
{
	json_t *json = measurement_to_json(measurement);
	if (json)
		json_object_set_new(json, "ping", numbers(view));
	return json;
}

int ping_json(FILE *out, const struct ping_view *view, const struct measurement *measurement)
{
	json_t *json = document(view, measurement);
	int code = json ? json_dumpf(json, out, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15))
			: -1;
	json_decref(json);
	return code < 0 || fputc('\n', out) == EOF || fflush(out) != 0 ? -EIO : 0;
}

int ping_jsonl_done(FILE *out, const struct ping_view *view, const struct measurement *measurement)
{
	static const char *const kept[] = {"finished_at", "ping", "directions", "findings"};
	json_t *json = document(view, measurement), *body = json_object();
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (json_object_get(json, kept[i]))
			json_object_set(body, kept[i], json_object_get(json, kept[i]));
	json_decref(json);
	return jsonl_event(out, "done", view->target, body);
}
