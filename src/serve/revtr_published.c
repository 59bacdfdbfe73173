/* The interface of the published service, version 1: its paths and fields, so that its clients work here.
 * What it tells and this one does not know (round-trip times of hops, caches) is left at its zero values. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "serve/revtr_api_inside.h"

#define CODE_DESTINATION 1

/* ---- taking */

static bool read_one(const json_t *entry, struct coordinator_ask *ask)
{
	const char *source = json_string_value(json_object_get(entry, "src"));
	const char *destination = json_string_value(json_object_get(entry, "dst"));
	ask->label = json_string_value(json_object_get(entry, "label"));
	if (!source || !destination || (ask->label && strlen(ask->label) > LABEL_MAX))
		return false;
	return addr_parse(source, &ask->source) && addr_parse(destination, &ask->destination);
}

static void take(const struct revtr_ask *ask, const json_t *list, struct coordinator_ask *asks)
{
	const char *host = httpd_header(ask->exchange, "Host");
	struct coordinator_batch batch = {
		.key = ask->key.name, .request = httpd_header(ask->exchange, "Idempotency-Key")};
	size_t count = json_array_size(list);
	char uri[300];
	int64_t id;
	for (size_t i = 0; i < count; i++)
		if (!read_one(json_array_get(list, i), &asks[i])) {
			revtr_bad(ask,
				"revtrs[%zu]: expected {\"src\": ADDRESS, \"dst\": ADDRESS, "
				"and a label of at most %d bytes}",
				i, LABEL_MAX);
			return;
		}
	if (revtr_submit(ask, &batch, asks, count, &id) < 0)
		return;
	snprintf(uri, sizeof(uri), "%s://%.200s/api/v1/revtr?batchid=%lld",
		httpd_peer(ask->exchange)->tls ? "https" : "http", host ? host : "localhost", (long long)id);
	api_send_json(ask->exchange, STATUS_OK, json_pack("{s:s}", "result_uri", uri), 0);
}

void revtr_published_post(const struct revtr_ask *ask)
{
	json_t *body = revtr_body(ask);
	if (!body)
		return;
	const json_t *list = json_object_get(body, "revtrs");
	struct coordinator_ask *asks = calloc(MAX(json_array_size(list), (size_t)1), sizeof(*asks));
	if (!json_is_array(list) || json_array_size(list) == 0)
		revtr_bad(ask, "revtrs: expected a list of {\"src\", \"dst\"}");
	else if (!asks)
		revtr_refuse(ask, &(struct error){-ENOMEM, "out of memory"});
	else
		take(ask, list, asks);
	free(asks);
	json_decref(body);
}

/* ---- telling */

static json_t *hop_json(const char *address, json_int_t code, json_int_t evidence, bool known)
{
	return json_pack("{s:s, s:I, s:I, s:b, s:i, s:i, s:i}", "hop", address ? address : "0.0.0.0", "type",
		code, "measurementId", evidence, "fromCache", known, "rtt", 0, "rttMeasurementId", 0,
		"destBasedRoutingType", 0);
}

/* Seen before this measurement began: another one had asked. */
static bool was_known(const json_t *hop, const json_t *result)
{
	return 1000 * json_number_value(json_object_get(hop, "age_s")) >
		json_number_value(json_object_get(result, "duration_ms"));
}

static json_t *path_json(const json_t *result, const char *destination)
{
	json_t *path = json_array();
	const json_t *hop;
	size_t i;
	json_array_append_new(path, hop_json(destination, CODE_DESTINATION, 0, false));
	json_array_foreach(json_object_get(result, "hops"), i, hop) json_array_append_new(path,
		hop_json(json_string_value(json_object_get(hop, "address")),
			json_integer_value(json_object_get(hop, "type")),
			json_integer_value(json_object_get(hop, "evidence")), was_known(hop, result)));
	return path;
}

static const char *stop_reason(const struct store_measurement *m, const json_t *result)
{
	const char *status = json_string_value(json_object_get(result, "status"));
	if (m->state == STORE_WAITING)
		return "";
	if (m->state != STORE_DONE)
		return "CANCELED";
	return status && strcmp(status, "reached") == 0 ? "REACHES" : "FAILED";
}

char *revtr_published_record(const struct revtr_api *api, const struct store_measurement *m)
{
	static const char *const states[] = {"RUNNING", "COMPLETED", "CANCELED"};
	json_t *result = m->result ? json_loads(m->result, 0, NULL) : NULL;
	const char *stop = json_string_value(json_object_get(result, "stop"));
	const char *started = json_string_value(json_object_get(result, "started_at"));
	const json_t *packets = json_object_get(result, "packets");
	const char *reason = stop_reason(m, result), *why = m->state == STORE_CANCELLED ? m->reason : stop;
	char source[ADDR_TEXT_SIZE], destination[ADDR_TEXT_SIZE], date[TIME_TEXT_SIZE];
	addr_format(m->destination, destination);
	json_t *object = json_pack(
		"{s:I, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:{s:I, s:I, s:I}, s:o}", "id",
		(json_int_t)m->id, "status", states[m->state], "src",
		addr_format(revtr_source_address(api, m->source), source), "dst", destination, "runtime",
		(json_int_t)(json_number_value(json_object_get(result, "duration_ms")) * NS_PER_MS),
		"stopReason", reason, "failReason", strcmp(reason, "REACHES") == 0 || !why ? "" : why, "date",
		clock_format(m->submitted_ms * NS_PER_MS, date), "startTime", started ? started : "", "label",
		m->label, "stats", "recordRoutePackets",
		json_integer_value(json_object_get(packets, "options")), "traceroutes",
		json_integer_value(json_object_get(packets, "traceroutes")), "spoofedRounds",
		json_integer_value(json_object_get(result, "rounds")), "path",
		path_json(result, destination));
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	json_decref(result);
	return text;
}

void revtr_published_get(const struct revtr_ask *ask)
{
	struct store_batch batch;
	const char *id = httpd_parameter(ask->exchange, "batchid"),
		   *label = httpd_parameter(ask->exchange, "label");
	if (!id && !label)
		revtr_bad(ask, "batchid: expected the number of a batch; or label: that of measurements");
	else if (!id)
		revtr_stream_begin(ask, 0, REVTR_PUBLISHED, 0, label);
	else if (revtr_batch(ask, id, &batch))
		revtr_stream_begin(ask, batch.id, REVTR_PUBLISHED, 0, label);
}

static void add_source(void *context, const struct store_source *source)
{
	char text[ADDR_TEXT_SIZE];
	json_array_append_new(context,
		json_pack("{s:s, s:s, s:s}", "hostname", source->name, "ip",
			addr_format(source->address, text), "site", source->agent));
}

void revtr_published_sources(const struct revtr_ask *ask)
{
	struct error error = {0};
	json_t *list = json_array();
	if (store_each_source(ask->api->config.store, add_source, list, &error) < 0) {
		json_decref(list);
		revtr_refuse(ask, &error);
		return;
	}
	api_send_json(ask->exchange, STATUS_OK, json_pack("{s:o}", "srcs", list), 0);
}

static void for_header(const struct revtr_ask *ask, revtr_handler *handle)
{
	struct revtr_ask named = *ask;
	named.argument = httpd_header(ask->exchange, "source");
	if (named.argument)
		handle(&named);
	else
		revtr_bad(ask, "expected the source's address in the header source");
}

void revtr_published_atlas_run(const struct revtr_ask *ask)
{
	for_header(ask, revtr_atlas_post);
}

void revtr_published_atlas_clean(const struct revtr_ask *ask)
{
	for_header(ask, revtr_atlas_delete);
}
