#include "revtr/result.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "path/words.h"

#define HOPS_MAX 256

/* 1 the destination itself, 3 and 4 from the atlas, 5 and 6 Record Route, 11 and 12 assumed inside a network and
 * across a border. What is none of these was assumed inside one. */
int revtr_hop_code(const struct revtr_hop *hop)
{
	switch ((enum technique)hop->technique) {
	case TECHNIQUE_ATLAS: return 3;
	case TECHNIQUE_ATLAS_INTERVAL: return 4;
	case TECHNIQUE_RECORD_ROUTE: return 5;
	case TECHNIQUE_RECORD_ROUTE_SPOOFED: return 6;
	case TECHNIQUE_SYMMETRIC_INTER: return 12;
	default: return 11;
	}
}

static json_t *address_json(struct addr address)
{
	char text[ADDR_TEXT_SIZE];
	return addr_is_set(address) ? json_string(addr_format(address, text)) : json_null();
}

static json_t *hop_json(const struct revtr_hop *hop, int64_t now_ns)
{
	struct addr address = hop->address ? addr_v4(hop->address) : ADDR_NONE;
	double age_s = hop->seen_ns > 0 && now_ns > hop->seen_ns ? (double)(now_ns - hop->seen_ns) / NS_PER_S : 0;
	return json_pack("{s:o, s:s, s:s, s:f, s:i, s:I, s:f}", "address", address_json(address), "technique",
		technique_word((enum technique)hop->technique), "certainty",
		certainty_word((enum certainty)hop->certainty), "probability", (double)hop->probability, "type",
		revtr_hop_code(hop), "evidence", (json_int_t)hop->evidence, "age_s", age_s);
}

static json_t *time_json(int64_t ms)
{
	char text[40];
	time_t seconds = ms / 1000;
	struct tm tm;
	gmtime_r(&seconds, &tm);
	size_t used = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + used, sizeof(text) - used, ".%03d000Z", (int)(ms % 1000));
	return json_string(text);
}

char *revtr_result_to_json(
	const struct revtr_result *result, int64_t id, int64_t batch, struct addr source, int64_t started_ms)
{
	json_t *hops = json_array();
	for (unsigned i = 0; i < result->hop_count; i++)
		json_array_append_new(hops, hop_json(&result->hops[i], result->finished_ns));
	const char *status = result->stop == REVTR_REACHED ? "reached" : result->hop_count > 0 ? "partial" : "nothing";
	json_t *object = json_pack("{s:I, s:I, s:o, s:o, s:s, s:s, s:o, s:{s:i, s:i}, s:i, s:o, s:f}", "id", (json_int_t)id,
		"batch", (json_int_t)batch, "source", address_json(source), "destination",
		address_json(addr_v4(result->destination)), "status", status, "stop", revtr_stop_text(result->stop), "hops",
		hops, "packets", "options", (int)result->option_packets, "traceroutes", (int)result->trace_packets, "rounds",
		(int)result->rounds, "started_at", time_json(started_ms), "duration_ms",
		(double)(result->finished_ns - result->started_ns) / NS_PER_MS);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}

/* ---- and back */

static struct addr address_of(const json_t *value)
{
	struct addr address;
	return json_is_string(value) && addr_parse(json_string_value(value), &address) ? address : ADDR_NONE;
}

static int word_of(const json_t *object, const char *key, const struct word_table *table)
{
	const char *word = json_string_value(json_object_get(object, key));
	return word ? word_value(table, word) : -1;
}

static bool read_hop(const json_t *object, struct path *path)
{
	int technique = word_of(object, "technique", &technique_words);
	int certainty = word_of(object, "certainty", &certainty_words);
	struct hop *hop = technique >= 0 && certainty >= 0 ? path_add_hop(path, -1, (enum technique)technique) : NULL;
	if (!hop)
		return false;
	struct addr address = address_of(json_object_get(object, "address"));
	hop->certainty = (enum certainty)certainty;
	hop->age_s = json_number_value(json_object_get(object, "age_s"));
	hop->probability = json_number_value(json_object_get(object, "probability"));
	hop->address = address;
	return !addr_is_set(address) || hop_add_address(hop, address) == 0;
}

static struct path *read_path(const json_t *object)
{
	const json_t *hops = json_object_get(object, "hops");
	const char *status = json_string_value(json_object_get(object, "status"));
	if (!json_is_array(hops) || json_array_size(hops) > HOPS_MAX || !status)
		return NULL;
	struct path *path = path_new(DIRECTION_REVERSE, "revtr");
	bool good = path != NULL;
	for (size_t i = 0; i < json_array_size(hops) && good; i++)
		good = read_hop(json_array_get(hops, i), path);
	if (!good) {
		path_free(path);
		return NULL;
	}
	path->protocol = PROBE_ICMP;
	path->source = address_of(json_object_get(object, "destination"));
	path->destination = address_of(json_object_get(object, "source"));
	path->reached = strcmp(status, "reached") == 0;
	path->stop_reason = path->reached ? STOP_REACHED : STOP_PARTIAL;
	return path;
}

struct path *revtr_result_path(const char *text, size_t length)
{
	json_error_t error;
	json_t *object = json_loadb(text, length, 0, &error);
	struct path *path = json_is_object(object) ? read_path(object) : NULL;
	json_decref(object);
	return path;
}
