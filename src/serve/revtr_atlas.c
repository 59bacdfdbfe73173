/* The atlas of a source and alias sets: what is known, what others bring, what is forgotten. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "revtr/aliases.h"
#include "serve/revtr_api_inside.h"

#define LISTED_MAX 1000 /* traceroutes in one answer, those of most use */
#define TRACES_MAX 2000 /* in one request */
#define SETS_MAX   50000

static bool parse_source(const struct revtr_ask *ask, struct addr *address)
{
	if (addr_parse(ask->argument, address))
		return true;
	revtr_bad(ask, "expected the address of a source");
	return false;
}

/* ---- telling */

struct listed {
	struct coordinator_trace *traces;
	size_t count, room, imported, used, doubted;
	bool failed;
};

static void list_trace(void *context, const struct coordinator_trace *trace)
{
	struct listed *listed = context;
	if (listed->count == listed->room) {
		size_t room = listed->room ? 2 * listed->room : 64;
		struct coordinator_trace *longer = realloc(listed->traces, room * sizeof(*longer));
		listed->failed |= !longer;
		if (!longer)
			return;
		listed->traces = longer;
		listed->room = room;
	}
	listed->traces[listed->count++] = *trace;
	listed->imported += trace->imported;
	listed->used += trace->uses > 0;
	listed->doubted += trace->doubted;
}

static int by_use(const void *a, const void *b)
{
	const struct coordinator_trace *first = a, *second = b;
	if (first->saved != second->saved)
		return first->saved < second->saved ? 1 : -1;
	return first->seen_ms != second->seen_ms ? first->seen_ms < second->seen_ms ? 1 : -1
						 : strcmp(first->origin, second->origin);
}

static json_t *trace_json(const struct coordinator_trace *trace)
{
	return json_pack("{s:s, s:b, s:i, s:o, s:i, s:f, s:o, s:b}", "origin", trace->origin, "imported",
		trace->imported, "hops", (int)trace->hops, "seen_at", revtr_time(trace->seen_ms), "uses",
		(int)trace->uses, "hops_saved", trace->saved, "used_at", revtr_time(trace->used_ms),
		"doubted", trace->doubted);
}

static json_t *atlas_json(struct addr source, struct listed *listed)
{
	int64_t oldest_ms = 0, newest_ms = 0;
	json_t *list = json_array();
	for (size_t i = 0; i < listed->count; i++) {
		oldest_ms = i == 0 ? listed->traces[i].seen_ms : MIN(oldest_ms, listed->traces[i].seen_ms);
		newest_ms = MAX(newest_ms, listed->traces[i].seen_ms);
	}
	if (listed->count > 0)
		qsort(listed->traces, listed->count, sizeof(*listed->traces), by_use);
	for (size_t i = 0; i < MIN(listed->count, (size_t)LISTED_MAX); i++)
		json_array_append_new(list, trace_json(&listed->traces[i]));
	return json_pack("{s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "source", revtr_address(source),
		"traceroutes", (json_int_t)listed->count, "imported", (json_int_t)listed->imported, "used",
		(json_int_t)listed->used, "doubted", (json_int_t)listed->doubted, "oldest_at",
		revtr_time(oldest_ms), "newest_at", revtr_time(newest_ms), "list", list);
}

void revtr_atlas_get(const struct revtr_ask *ask)
{
	struct error error = {0};
	struct addr address;
	struct listed listed = {0};
	if (!parse_source(ask, &address))
		return;
	int result =
		coordinator_each_trace(ask->api->config.coordinator, address, list_trace, &listed, &error);
	if (result == 0 && listed.failed)
		result = error_set(&error, -ENOMEM, "out of memory");
	if (result < 0)
		revtr_refuse(ask, &error);
	else
		api_send_json(ask->exchange, STATUS_OK, atlas_json(address, &listed), 0);
	free(listed.traces);
}

/* ---- asking, forgetting */

void revtr_atlas_post(const struct revtr_ask *ask)
{
	struct error error = {0};
	struct addr address;
	if (!parse_source(ask, &address))
		return;
	if (coordinator_refresh_atlas(ask->api->config.coordinator, address, &error) < 0)
		revtr_refuse(ask, &error);
	else
		api_send_json(ask->exchange, STATUS_ACCEPTED,
			json_pack("{s:o, s:s}", "source", revtr_address(address), "state", "asked"), 0);
}

void revtr_atlas_delete(const struct revtr_ask *ask)
{
	struct error error = {0};
	struct addr address;
	if (!parse_source(ask, &address))
		return;
	if (coordinator_clean_atlas(ask->api->config.coordinator, address, &error) < 0)
		revtr_refuse(ask, &error);
	else
		api_send_json(ask->exchange, STATUS_OK,
			json_pack("{s:o, s:s}", "source", revtr_address(address), "state", "clean"), 0);
}

/* ---- what others bring */

static bool read_hop(const json_t *value, uint32_t *address)
{
	struct addr parsed;
	*address = 0;
	if (json_is_null(value))
		return true;
	if (!json_is_string(value) || !addr_parse(json_string_value(value), &parsed) || parsed.family != 4)
		return false;
	*address = (uint32_t)parsed.low;
	return true;
}

static bool read_trace(const json_t *entry, struct atlas_trace *trace)
{
	const json_t *hops = json_object_get(entry, "hops"), *from = json_object_get(entry, "from"), *hop;
	const json_t *seen = json_object_get(entry, "seen_ms");
	size_t i;
	*trace = (struct atlas_trace){.seen_ms = json_integer_value(seen), .count = 1};
	if (!json_is_array(hops) || json_array_size(hops) > ATLAS_HOPS_MAX || !json_is_integer(seen) ||
		(from && !read_hop(from, &trace->addresses[0])))
		return false;
	json_array_foreach(hops, i, hop) if (!read_hop(hop, &trace->addresses[trace->count++])) return false;
	return true;
}

static json_t *counts_json(const size_t counts[static ATLAS_REFUSALS])
{
	json_t *refused = json_object();
	for (int i = ATLAS_TAKEN + 1; i < ATLAS_REFUSALS; i++)
		if (counts[i] > 0)
			json_object_set_new(refused, atlas_refusal_word((enum atlas_refusal)i),
				json_integer((json_int_t)counts[i]));
	return json_pack("{s:I, s:o}", "taken", (json_int_t)counts[ATLAS_TAKEN], "refused", refused);
}

static void take_traces(
	const struct revtr_ask *ask, struct addr source, const json_t *list, struct atlas_trace *traces)
{
	struct error error = {0};
	size_t count = json_array_size(list), counts[ATLAS_REFUSALS] = {0};
	for (size_t i = 0; i < count; i++)
		if (!read_trace(json_array_get(list, i), &traces[i])) {
			revtr_bad(ask,
				"traceroutes[%zu]: expected {\"from\": ADDRESS or null, \"seen_ms\": NUMBER, "
				"\"hops\": [ADDRESS or null,"
				" ...]}, at most %d",
				i, ATLAS_HOPS_MAX);
			return;
		}
	if (coordinator_import_traces(ask->api->config.coordinator, source, traces, count, counts, &error) <
		0)
		revtr_refuse(ask, &error);
	else
		api_send_json(ask->exchange, STATUS_OK, counts_json(counts), 0);
}

void revtr_atlas_traces_post(const struct revtr_ask *ask)
{
	struct addr address;
	json_t *body = parse_source(ask, &address) ? revtr_body(ask) : NULL;
	if (!body)
		return;
	const json_t *list = json_object_get(body, "traceroutes");
	size_t count = json_array_size(list);
	struct atlas_trace *traces =
		count <= TRACES_MAX ? calloc(MAX(count, (size_t)1), sizeof(*traces)) : NULL;
	if (!json_is_array(list) || count == 0)
		revtr_bad(ask, "traceroutes: expected a list");
	else if (count > TRACES_MAX)
		revtr_refuse(ask, &(struct error){-E2BIG, "more than 2000 traceroutes in one request"});
	else if (!traces)
		revtr_refuse(ask, &(struct error){-ENOMEM, "out of memory"});
	else
		take_traces(ask, address, list, traces);
	free(traces);
	json_decref(body);
}

/* ---- aliases */

static json_t *aliases_json(const struct revtr_ask *ask)
{
	size_t sets, addresses;
	coordinator_count_aliases(ask->api->config.coordinator, &sets, &addresses);
	return json_pack("{s:I, s:I}", "sets", (json_int_t)sets, "addresses", (json_int_t)addresses);
}

void revtr_aliases_get(const struct revtr_ask *ask)
{
	api_send_json(ask->exchange, STATUS_OK, aliases_json(ask), 0);
}

/* -1: it is no set. */
static int read_set(const json_t *set, uint32_t *addresses)
{
	size_t i;
	const json_t *value;
	if (!json_is_array(set) || json_array_size(set) < 2 || json_array_size(set) > ALIASES_SET_MAX)
		return -1;
	json_array_foreach(set, i, value) if (!read_hop(value, &addresses[i]) || addresses[i] == 0) return -1;
	return (int)i;
}

static void take_sets(const struct revtr_ask *ask, const json_t *list, uint32_t *addresses, unsigned *counts)
{
	struct error error = {0};
	size_t count = json_array_size(list), used = 0;
	for (size_t i = 0; i < count; i++) {
		int length = read_set(json_array_get(list, i), addresses + used);
		if (length < 0) {
			revtr_bad(ask, "sets[%zu]: expected a list of 2 to %d IPv4 addresses", i,
				ALIASES_SET_MAX);
			return;
		}
		counts[i] = (unsigned)length;
		used += (size_t)length;
	}
	if (coordinator_import_aliases(ask->api->config.coordinator, addresses, counts, count, &error) < 0)
		revtr_refuse(ask, &error);
	else
		api_send_json(ask->exchange, STATUS_OK, aliases_json(ask), 0);
}

void revtr_aliases_post(const struct revtr_ask *ask)
{
	json_t *body = revtr_body(ask);
	if (!body)
		return;
	const json_t *list = json_object_get(body, "sets"), *set;
	size_t i, room = 1, count = json_array_size(list);
	json_array_foreach(list, i, set) room += json_array_size(set);
	uint32_t *addresses = malloc(room * sizeof(*addresses));
	unsigned *counts = malloc(MAX(count, (size_t)1) * sizeof(*counts));
	if (!json_is_array(list) || count == 0)
		revtr_bad(ask, "sets: expected a list of lists of addresses");
	else if (count > SETS_MAX)
		revtr_refuse(ask, &(struct error){-E2BIG, "more than 50000 sets in one request"});
	else if (!addresses || !counts)
		revtr_refuse(ask, &(struct error){-ENOMEM, "out of memory"});
	else
		take_sets(ask, list, addresses, counts);
	free(addresses);
	free(counts);
	json_decref(body);
}

static json_t *probed_json(const struct coordinator_probed *probed)
{
	static const char *const words[] = {[ALIAS_WAITING] = "waiting",
		[ALIAS_FOUND] = "alias",
		[ALIAS_ITSELF] = "itself",
		[ALIAS_ELSEWHERE] = "elsewhere",
		[ALIAS_SILENT] = "silent",
		[ALIAS_NOT_ASKED] = "not-asked"};
	json_t *others = json_array();
	for (unsigned i = 0; i < probed->other_count; i++)
		json_array_append_new(others, revtr_address(addr_v4(probed->others[i])));
	return json_pack("{s:o, s:s, s:o, s:o, s:s*}", "address", revtr_address(probed->address), "state",
		words[probed->state], "from", revtr_address(probed->from), "others", others, "why",
		probed->why);
}

static void list_probed(void *context, const struct coordinator_probed *probed)
{
	json_array_append_new(context, probed_json(probed));
}

static void tell_probed(const struct revtr_ask *ask, unsigned status)
{
	bool done;
	json_t *list = json_array();
	unsigned round = coordinator_each_probed(ask->api->config.coordinator, list_probed, list, &done);
	api_send_json(ask->exchange, status,
		json_pack("{s:i, s:b, s:o}", "round", (int)round, "done", done, "addresses", list), 0);
}

void revtr_probed_get(const struct revtr_ask *ask)
{
	tell_probed(ask, STATUS_OK);
}

void revtr_probed_post(const struct revtr_ask *ask)
{
	uint32_t addresses[COORDINATOR_PROBED_MAX];
	struct error error = {0};
	unsigned round;
	size_t i, count = 0;
	bool good = true;
	json_t *body = revtr_body(ask);
	if (!body)
		return;
	const json_t *list = json_object_get(body, "addresses"), *value;
	json_array_foreach(list, i, value)
	{
		if (i >= ARRAY_LEN(addresses))
			break;
		good = good && read_hop(value, &addresses[i]) && addresses[i] != 0;
	}
	count = json_array_size(list);
	if (count == 0 || !good)
		revtr_bad(ask, "addresses: expected a list of IPv4 addresses");
	else if (coordinator_probe_aliases(ask->api->config.coordinator, addresses, count, &round, &error) <
		0)
		revtr_refuse(ask, &error);
	else
		tell_probed(ask, STATUS_ACCEPTED);
	json_decref(body);
}
