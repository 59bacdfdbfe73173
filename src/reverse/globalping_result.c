#include "reverse/globalping_result.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/import.h"
#include "reverse/remote_path.h"

#define PROBES_MAX 500 /* as many as a measurement may have */
#define ID_MAX	   64

static const char *member(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static bool member_is(const json_t *object, const char *key, const char *word)
{
	const char *text = member(object, key);
	return text && strcmp(text, word) == 0;
}

bool globalping_summary_read(const json_t *measurement, struct globalping_summary *summary)
{
	const json_t *results = json_object_get(measurement, "results");
	size_t i;
	json_t *entry;
	*summary = (struct globalping_summary){0};
	if (!json_is_array(results) || !member(measurement, "status"))
		return false;
	json_array_foreach(results, i, entry)
	{
		const json_t *result = json_object_get(entry, "result");
		summary->probes++;
		summary->finished += member_is(result, "status", "finished");
		summary->failed +=
			member_is(result, "status", "failed") || member_is(result, "status", "offline");
	}
	summary->over = !member_is(measurement, "status", "in-progress");
	return true;
}

const char *globalping_id(const json_t *created)
{
	const char *id = member(created, "id");
	size_t length = id ? strlen(id) : 0;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)id[i]) && id[i] != '-' && id[i] != '_')
			return NULL;
	return length > 0 && length <= ID_MAX ? id : NULL;
}

const char *globalping_error_type(const json_t *error)
{
	const char *type = member(json_object_get(error, "error"), "type");
	return type ? type : "";
}

const char *globalping_error_message(const json_t *error)
{
	return member(json_object_get(error, "error"), "message");
}

/* ---- one probe's result */

/* The measurement with this result alone, read as import/ reads it. Without the text, as the platform reads
 * it. */
static struct path *read_entry(const json_t *measurement, json_t *entry, bool text, struct addr to)
{
	struct remote_view view = {.method = "globalping", .dialect = "globalping", .to = to};
	char note[IMPORT_NOTE_SIZE];
	json_t *document = json_copy((json_t *)measurement), *copy = json_deep_copy(entry),
	       *results = json_array();
	if (copy && !text)
		json_object_del(json_object_get(copy, "result"), "rawOutput");
	json_array_append_new(results, copy);
	json_object_set_new(document, "results", results);
	char *bytes = json_dumps(document, JSON_COMPACT);
	struct path *path = bytes ? remote_path(bytes, strlen(bytes), &view, note) : NULL;
	free(bytes);
	json_decref(document);
	return path;
}

static bool answers(const struct hop *hop, struct addr address)
{
	for (size_t i = 0; i < hop->address_count; i++)
		if (addr_equal(hop->addresses[i], address))
			return true;
	return false;
}

/* It shows one router a hop, which should be one of those in the text. */
static void cross_check(
	const struct path *path, const struct path *other, char note[static GLOBALPING_NOTE_SIZE])
{
	for (size_t i = 0; other && i < other->hop_count; i++) {
		const struct hop *theirs = &other->hops[i];
		bool found = !addr_is_set(theirs->address);
		for (size_t k = 0; k < path->hop_count; k++)
			found |= path->hops[k].ttl == theirs->ttl && answers(&path->hops[k], theirs->address);
		if (!found) {
			snprintf(note, GLOBALPING_NOTE_SIZE,
				"the text and the platform's reading of it differ at hop %d", theirs->ttl);
			return;
		}
	}
}

static uint32_t asn_of(const json_t *probe)
{
	json_int_t asn = json_integer_value(json_object_get(probe, "asn"));
	return asn > 0 && asn <= UINT32_MAX ? (uint32_t)asn : 0;
}

/* It never tells its address (or any name that stays). */
static int set_vantage(struct path *path, const json_t *probe, const struct vantage_scene *scene)
{
	char name[200];
	uint32_t asn = asn_of(probe);
	const char *city = member(probe, "city"), *country = member(probe, "country"),
		   *network = member(probe, "network");
	snprintf(name, sizeof(name), "Globalping probe, %.60s, %.8s, %.80s", city ? city : "?",
		country ? country : "?", network ? network : "?");
	return path_set_vantage(path, name, ADDR_NONE, asn, vantage_distance_of(scene, ADDR_NONE, asn));
}

static struct path *take(const json_t *measurement, json_t *entry, const struct vantage_scene *scene,
	struct addr to, char note[static GLOBALPING_NOTE_SIZE])
{
	const json_t *result = json_object_get(entry, "result");
	const char *traced = member(result, "resolvedAddress");
	struct addr address;
	note[0] = '\0';
	/* A trace to somebody else is none of ours. */
	if (!member_is(result, "status", "finished") ||
		(traced && (!addr_parse(traced, &address) || !addr_equal(address, to))))
		return NULL;
	struct path *path = read_entry(measurement, entry, true, to);
	if (!path)
		return NULL;
	struct path *other = read_entry(measurement, entry, false, to);
	cross_check(path, other, note);
	path_free(other);
	if (set_vantage(path, json_object_get(entry, "probe"), scene) == 0)
		return path;
	path_free(path);
	return NULL;
}

static bool better(const struct path *path, const struct path *than)
{
	if (path->reached != than->reached)
		return path->reached;
	if (path->vantage->distance != than->vantage->distance)
		return path->vantage->distance < than->vantage->distance;
	return path->hop_count > than->hop_count;
}

struct path *globalping_best(const json_t *measurement, const struct vantage_scene *scene, struct addr to,
	char note[static GLOBALPING_NOTE_SIZE])
{
	struct path *best = NULL;
	char own_note[GLOBALPING_NOTE_SIZE];
	size_t i;
	json_t *entry;
	note[0] = '\0';
	json_array_foreach(json_object_get(measurement, "results"), i, entry)
	{
		struct path *path = i < PROBES_MAX ? take(measurement, entry, scene, to, own_note) : NULL;
		if (path && (!best || better(path, best))) {
			path_free(best);
			best = path;
			memcpy(note, own_note, sizeof(own_note));
		} else {
			path_free(path);
		}
	}
	return best;
}
