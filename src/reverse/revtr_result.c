#include "reverse/revtr_result.h"

#include <jansson.h>
#include <string.h>

#include "path/words.h"

#define HOPS_MAX 256

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
	struct hop *hop =
		technique >= 0 && certainty >= 0 ? path_add_hop(path, -1, (enum technique)technique) : NULL;
	if (!hop)
		return false;
	struct addr address = address_of(json_object_get(object, "address"));
	hop->certainty = (enum certainty)certainty;
	hop->age_s = json_number_value(json_object_get(object, "age_s"));
	hop->probability = json_number_value(json_object_get(object, "probability"));
	hop->by_origin = json_is_true(json_object_get(object, "by_origin"));
	hop->address = address;
	if (hop->age_s < 0 || hop->probability < 0 || hop->probability > 1)
		return false;
	return !addr_is_set(address) || hop_add_address(hop, address) == 0;
}

static bool read_gap(const json_t *object, struct path *path)
{
	json_int_t after = json_integer_value(json_object_get(object, "after"));
	json_int_t before = json_integer_value(json_object_get(object, "before"));
	json_int_t missing = json_integer_value(json_object_get(object, "missing"));
	if (after < 0 || before <= after || before > (json_int_t)path->hop_count + 1 || missing < 1 ||
		missing > UINT8_MAX)
		return false;
	struct path_gap *gap = path_add_gap(path);
	if (gap)
		*gap = (struct path_gap){(unsigned)after, (unsigned)before, (unsigned)missing};
	return gap;
}

static struct path *read_path(const json_t *object)
{
	const json_t *hops = json_object_get(object, "hops");
	const json_t *gaps = json_object_get(object, "suspected_gaps");
	const char *status = json_string_value(json_object_get(object, "status"));
	if (!json_is_array(hops) || json_array_size(hops) > HOPS_MAX || !status)
		return NULL;
	struct path *path = path_new(DIRECTION_REVERSE, "revtr");
	bool good = path != NULL;
	for (size_t i = 0; i < json_array_size(hops) && good; i++)
		good = read_hop(json_array_get(hops, i), path);
	for (size_t i = 0; i < MIN(json_array_size(gaps), HOPS_MAX) && good; i++)
		good = read_gap(json_array_get(gaps, i), path);
	if (!good) {
		path_free(path);
		return NULL;
	}
	const json_t *packets = json_object_get(json_object_get(object, "packets"), "options");
	double duration_ms = json_number_value(json_object_get(object, "duration_ms"));
	path->protocol = PROBE_ICMP;
	path->probes_sent = (unsigned)MIN(MAX(json_integer_value(packets), 0), UINT32_MAX);
	path->duration_ns = duration_ms > 0 && duration_ms < 1e9 ? (int64_t)(duration_ms * 1e6) : 0;
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
