#include "revtr/result.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "path/words.h"

#define DIGITS 7 /* of numbers; a float has no more */

/* 1 the destination itself, 3 and 4 from the atlas, 5 and 6 Record Route, 7 and 8 Timestamp, 11 and 12
 * assumed inside a network and across a border. */
int revtr_hop_code(const struct revtr_hop *hop)
{
	switch ((enum technique)hop->technique) {
	case TECHNIQUE_ATLAS: return 3;
	case TECHNIQUE_ATLAS_INTERVAL: return 4;
	case TECHNIQUE_RECORD_ROUTE: return 5;
	case TECHNIQUE_RECORD_ROUTE_SPOOFED: return 6;
	case TECHNIQUE_TIMESTAMP: return 7;
	case TECHNIQUE_TIMESTAMP_SPOOFED: return 8;
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
	double age_s =
		hop->seen_ns > 0 && now_ns > hop->seen_ns ? (double)(now_ns - hop->seen_ns) / NS_PER_S : 0;
	return json_pack("{s:o, s:s, s:s, s:f, s:i, s:I, s:f, s:o*}", "address", address_json(address),
		"technique", technique_word((enum technique)hop->technique), "certainty",
		certainty_word((enum certainty)hop->certainty), "probability", (double)hop->probability,
		"type", revtr_hop_code(hop), "evidence", (json_int_t)hop->evidence, "age_s", age_s,
		"by_origin", hop->by_origin ? json_true() : NULL);
}

/* Hops are counted from 1 here, as people do. */
static json_t *gaps_json(const struct revtr_result *result)
{
	struct revtr_gap gaps[REVTR_HOPS_MAX];
	unsigned count = revtr_gaps(result, gaps, REVTR_HOPS_MAX);
	json_t *list = json_array();
	for (unsigned i = 0; i < count; i++)
		json_array_append_new(list,
			json_pack("{s:i, s:i, s:i}", "after", gaps[i].after + 1, "before", gaps[i].before + 1,
				"missing", (int)gaps[i].missing));
	return list;
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
	const char *status = result->stop == REVTR_REACHED ? "reached"
		: result->hop_count > 0			   ? "partial"
							   : "nothing";
	json_t *object = json_pack(
		"{s:I, s:I, s:o, s:o, s:s, s:s, s:o, s:o, s:{s:i, s:i}, s:i, s:o, s:f, s:o*}", "id",
		(json_int_t)id, "batch", (json_int_t)batch, "source", address_json(source), "destination",
		address_json(addr_v4(result->destination)), "status", status, "stop",
		revtr_stop_text(result->stop), "hops", hops, "suspected_gaps", gaps_json(result), "packets",
		"options", (int)result->option_packets, "traceroutes", (int)result->trace_packets, "rounds",
		(int)result->rounds, "started_at", time_json(started_ms), "duration_ms",
		(double)(result->finished_ns - result->started_ns) / NS_PER_MS, "elsewhere",
		result->elsewhere ? json_true() : NULL);
	char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS)) : NULL;
	json_decref(object);
	return text;
}
