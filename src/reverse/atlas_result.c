#include "reverse/atlas_result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/import.h"
#include "reverse/platform.h"
#include "reverse/remote_path.h"

#define RESULTS_MAX 500

static const char *member(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* ---- the order */

json_t *atlas_probes(const char *text, unsigned wanted, uint8_t family, char why[static ATLAS_TEXT_SIZE])
{
	static const char *const types[] = {"asn", "prefix", "country", "area", "probes", "msm"};
	const char *equals = strchr(text, '='), *value = equals ? equals + 1 : text;
	const char *type = equals ? NULL : "asn";
	for (size_t i = 0; equals && i < ARRAY_LEN(types); i++)
		if (strlen(types[i]) == (size_t)(equals - text) &&
			strncmp(text, types[i], strlen(types[i])) == 0)
			type = types[i];
	bool number = type && (strcmp(type, "asn") == 0 || strcmp(type, "msm") == 0);
	if (!type || !*value || (number && platform_asn(value) == 0)) {
		snprintf(why, ATLAS_TEXT_SIZE,
			"expected --via atlas:AS64500, or asn=, prefix=, country=, area=, probes= or msm= "
			"and a value");
		return NULL;
	}
	/* It tags by itself those whose IPv4 or IPv6 works. */
	json_t *probes = json_pack("{s:i, s:s, s:{s:[s], s:[]}}", "requested", (int)wanted, "type", type,
		"tags", "include", family == 4 ? "system-ipv4-works" : "system-ipv6-works", "exclude");
	json_t *json = number ? json_integer((json_int_t)platform_asn(value)) : json_string(value);
	if (json_object_set_new(probes, "value", json) == 0)
		return probes;
	snprintf(why, ATLAS_TEXT_SIZE, "the place is not UTF-8, or out of memory");
	json_decref(probes);
	return NULL;
}

json_t *atlas_order(struct addr to, enum probe_protocol protocol, json_t *probes)
{
	char text[ADDR_TEXT_SIZE];
	const char *word = protocol == PROBE_TCP ? "TCP" : protocol == PROBE_UDP ? "UDP" : "ICMP";
	json_t *definition = json_pack("{s:s, s:i, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:b, s:b}",
		"type", "traceroute", "af", (int)to.family, "target", addr_format(to, text), "description",
		"way back, by retour", "protocol", word, "packets", 3, "paris", 16, "first_hop", 1,
		"max_hops", 32, "size", 48, "response_timeout", 4000, "resolve_on_probe", 0, "is_public", 0);
	if (definition && protocol == PROBE_TCP)
		json_object_set_new(definition, "port", json_integer(80));
	return json_pack("{s:[o], s:[o], s:b}", "definitions", definition, "probes", probes, "is_oneoff", 1);
}

/* ---- the answers */

json_int_t atlas_number(const json_t *created)
{
	json_int_t number = json_integer_value(json_array_get(json_object_get(created, "measurements"), 0));
	return number > 0 ? number : 0;
}

const char *atlas_error(const json_t *root, char text[static ATLAS_TEXT_SIZE])
{
	const json_t *error = json_object_get(root, "error");
	const char *more = member(json_array_get(json_object_get(error, "errors"), 0), "detail");
	const char *detail = member(error, "detail"), *title = member(error, "title");
	snprintf(text, ATLAS_TEXT_SIZE, "%s", more ? more : detail ? detail : title ? title : "");
	return text;
}

const char *atlas_status(const json_t *measurement)
{
	const char *name = member(json_object_get(measurement, "status"), "name");
	return name ? name : "";
}

size_t atlas_count(const json_t *results)
{
	return json_array_size(results);
}

static int set_vantage(
	struct path *path, const json_t *result, const struct vantage_scene *scene, const char *dir)
{
	char name[64];
	struct addr address = path->source;
	uint32_t asn = addr_is_set(address) ? vantage_asn(address, dir) : 0;
	if (addr_is_set(address) && addr_equal(address, scene->target))
		return 0;
	snprintf(name, sizeof(name), "RIPE Atlas probe %" JSON_INTEGER_FORMAT,
		json_integer_value(json_object_get(result, "prb_id")));
	return path_set_vantage(path, name, address, asn, vantage_distance_of(scene, address, asn));
}

/* `from` is the probe as the platform sees it. Where that is the far host, it is its own path. */
static struct path *take(
	const json_t *result, const struct vantage_scene *scene, struct addr to, const char *dir)
{
	struct remote_view view = {.method = "atlas", .dialect = "atlas", .to = to};
	const char *from = member(result, "from"), *traced = member(result, "dst_addr");
	struct addr address;
	char note[IMPORT_NOTE_SIZE];
	if (!traced || !addr_parse(traced, &address) || !addr_equal(address, to))
		return NULL;
	if (from && addr_parse(from, &address) && address.family == to.family)
		view.from = address;
	view.far_host = addr_is_set(view.from) && addr_equal(view.from, scene->target);
	char *bytes = json_dumps(result, JSON_COMPACT);
	struct path *path = bytes ? remote_path(bytes, strlen(bytes), &view, note) : NULL;
	free(bytes);
	if (path && !addr_is_set(view.from))
		path->source = ADDR_NONE; /* its own idea of it is of the inside of its NAT */
	if (!path || set_vantage(path, result, scene, dir) == 0)
		return path;
	path_free(path);
	return NULL;
}

static int distance_of(const struct path *path)
{
	return path->vantage ? (int)path->vantage->distance : -1;
}

static bool better(const struct path *path, const struct path *than)
{
	if (path->reached != than->reached)
		return path->reached;
	if (distance_of(path) != distance_of(than))
		return distance_of(path) < distance_of(than);
	return path->hop_count > than->hop_count;
}

struct path *atlas_best(
	const json_t *results, const struct vantage_scene *scene, struct addr to, const char *dir)
{
	struct path *best = NULL;
	size_t i;
	json_t *result;
	json_array_foreach(results, i, result)
	{
		struct path *path = i < RESULTS_MAX ? take(result, scene, to, dir) : NULL;
		bool wins = path && (!best || better(path, best));
		path_free(wins ? best : path);
		best = wins ? path : best;
	}
	return best;
}
