#include <string.h>

#include "path/json.h"
#include "path/json_out.h"

static json_t *attempts_to_json(struct out *out, const struct measurement *measurement)
{
	json_t *attempts = json_array();
	for (size_t i = 0; i < measurement->attempt_count; i++) {
		const struct attempt *attempt = &measurement->attempts[i];
		json_t *object = json_object();
		out_set(out, object, "method", out_text(attempt->method));
		out_set(out, object, "status", out_word(&attempt_status_words, (int)attempt->status));
		out_set(out, object, "detail", out_text(attempt->detail));
		out_set(out, object, "duration_ms", out_milliseconds(attempt->duration_ns));
		out_append(out, attempts, object);
	}
	return attempts;
}

static json_t *ternary(enum ternary value)
{
	return value == TERNARY_UNKNOWN ? json_null() : json_boolean(value == TERNARY_TRUE);
}

static json_t *numbers(struct out *out, const uint32_t *values, size_t count)
{
	json_t *array = json_array();
	for (size_t i = 0; i < count; i++)
		out_append(out, array, json_integer(values[i]));
	return array;
}

static json_t *alignment_to_json(struct out *out, const struct alignment *alignment)
{
	if (!alignment)
		return json_null();
	json_t *shared = json_array();
	for (size_t i = 0; i < alignment->shared_count; i++) {
		const struct shared_hop *hop = &alignment->shared[i];
		json_t *entry = json_object();
		out_set(out, entry, "forward_ttl", json_integer(hop->forward_ttl));
		out_set(out, entry, "reverse_ttl", json_integer(hop->reverse_ttl));
		out_set(out, entry, "by", out_word(&shared_by_words, (int)hop->by));
		out_append(out, shared, entry);
	}
	json_t *divergence = json_null();
	if (alignment->diverges) {
		int forward = alignment->divergence_forward_ttl, reverse = alignment->divergence_reverse_ttl;
		divergence = json_object();
		out_set(out, divergence, "forward_ttl", out_known_if(forward >= 0, forward));
		out_set(out, divergence, "reverse_ttl", out_known_if(reverse >= 0, reverse));
	}
	json_t *symmetric = json_object();
	out_set(out, symmetric, "router", ternary(alignment->router_symmetric));
	out_set(out, symmetric, "as", ternary(alignment->as_symmetric));
	json_t *object = json_object();
	out_set(out, object, "shared", shared);
	out_set(out, object, "first_divergence", divergence);
	out_set(out, object, "as_path_forward",
		numbers(out, alignment->as_path_forward, alignment->as_path_forward_count));
	out_set(out, object, "as_path_reverse",
		numbers(out, alignment->as_path_reverse, alignment->as_path_reverse_count));
	out_set(out, object, "symmetric", symmetric);
	return object;
}

static json_t *finding_to_json(struct out *out, const struct finding *finding)
{
	json_t *hops = json_array();
	for (size_t i = 0; i < finding->hop_count; i++)
		out_append(out, hops, json_integer(finding->hops[i]));
	json_t *evidence = json_array();
	for (size_t i = 0; i < finding->evidence_count; i++)
		out_append(out, evidence, out_text(finding->evidence[i]));
	json_t *object = json_object();
	out_set(out, object, "id", out_text(finding->id));
	out_set(out, object, "severity", out_word(&severity_words, (int)finding->severity));
	out_set(out, object, "confidence", out_word(&confidence_words, (int)finding->confidence));
	out_set(out, object, "direction", out_word(&direction_words, (int)finding->direction));
	out_set(out, object, "hops", hops);
	out_set(out, object, "summary", out_text(finding->summary));
	out_set(out, object, "evidence", evidence);
	out_set(out, object, "disproof", out_text(finding->disproof));
	out_set(out, object, "advice", out_text(finding->advice));
	return object;
}

static void set_ends(struct out *out, json_t *document, const struct measurement *measurement)
{
	json_t *tool = json_object();
	out_set(out, tool, "name", json_string("retour"));
	out_set(out, tool, "version", json_string(RETOUR_VERSION));
	out_set(out, document, "tool", tool);
	out_set(out, document, "command", out_text(measurement->command));
	out_set(out, document, "started_at", out_wall_time(measurement->started_wall_ns));
	out_set(out, document, "finished_at", out_wall_time(measurement->finished_wall_ns));
	json_t *source = json_object();
	out_set(out, source, "address", out_address(measurement->source));
	out_set(out, source, "name", out_text(measurement->source_name));
	out_set(out, source, "public_address", out_address(measurement->public_address));
	out_set(out, document, "source", source);
	json_t *target = json_object();
	out_set(out, target, "address", out_address(measurement->target));
	out_set(out, target, "name", out_text(measurement->target_name));
	out_set(out, document, "target", target);
}

json_t *measurement_to_json(const struct measurement *measurement)
{
	struct out out = {0};
	json_t *document = json_object();
	out_set(&out, document, "schema", json_string("retour/1"));
	set_ends(&out, document, measurement);
	out_set(&out, document, "forward", path_to_json(&out, measurement->forward));
	out_set(&out, document, "reverse", path_to_json(&out, measurement->reverse));
	out_set(&out, document, "reverse_attempts", attempts_to_json(&out, measurement));
	out_set(&out, document, "alignment", alignment_to_json(&out, measurement->alignment));
	json_t *findings = json_array();
	for (size_t i = 0; i < measurement->finding_count; i++)
		out_append(&out, findings, finding_to_json(&out, &measurement->findings[i]));
	out_set(&out, document, "findings", findings);
	if (measurement->directions)
		out_set(&out, document, "directions", directions_to_json(measurement->directions));
	if (!out.bad)
		return document;
	json_decref(document);
	return NULL;
}

static char *to_text(const struct measurement *measurement, size_t layout)
{
	json_t *document = measurement_to_json(measurement);
	/* 15 digits: no noise in the last places, and still nanoseconds for measurements of days. */
	char *text_form =
		document ? json_dumps(document, layout | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15)) : NULL;
	json_decref(document);
	return text_form;
}

char *measurement_to_text(const struct measurement *measurement)
{
	return to_text(measurement, JSON_INDENT(2));
}

char *measurement_to_line(const struct measurement *measurement)
{
	return to_text(measurement, JSON_COMPACT);
}
