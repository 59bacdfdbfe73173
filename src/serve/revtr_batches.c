/* Batches: taken, looked at, cancelled. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "serve/revtr_api_inside.h"

#define DAY_MS		(24LL * 3600 * 1000)
#define INTERACTIVE_MAX 100 /* measurements of a batch that overtakes others */
#define RESULTS_USUAL	100
#define RESULTS_MAX	1000
#define REQUEST_MAX	200 /* bytes of a client's name for a batch */

/* ---- limits */

static int over(struct error *error, const struct store_key *key, const char *what, unsigned limit)
{
	return error_set(error, -EDQUOT, "the key '%s' may have %u measurements %s", key->name, limit, what);
}

static int check_parallel(const struct revtr_ask *ask, size_t count, struct error *error)
{
	size_t waiting;
	if (ask->key.parallel == 0)
		return 0;
	int result = store_waiting_of(ask->api->config.store, ask->key.name, &waiting, error);
	if (result == 0 && waiting + count > ask->key.parallel)
		return over(error, &ask->key, "under way at a time", ask->key.parallel);
	return result;
}

static int spend(const struct revtr_ask *ask, int64_t amount, struct error *error)
{
	char what[80];
	int64_t sum;
	struct store *store = ask->api->config.store;
	struct error second;
	snprintf(what, sizeof(what), "key:%s", ask->key.name);
	int result = store_spend(store, what, revtr_now_ms() / DAY_MS, amount, &sum, error);
	if (result < 0 || amount < 0 || ask->key.per_day == 0 || sum <= ask->key.per_day)
		return result;
	/* What cannot be given back now was spent: that is on the safe side. */
	(void)!store_spend(store, what, revtr_now_ms() / DAY_MS, -amount, &sum, &second);
	return over(error, &ask->key, "a day", ask->key.per_day);
}

/* *id 0: it is new. A part that is there already needs no budget. */
static int find_known(
	const struct revtr_ask *ask, const struct coordinator_batch *batch, int64_t *id, struct error *error)
{
	struct store_batch known = {0};
	int result = store_known_batch(ask->api->config.store, batch->key, batch->request, id, error);
	if (result == 0 && *id != 0)
		result = store_find_batch(ask->api->config.store, *id, &known, error);
	if (result == 0 && batch->part >= known.parts)
		*id = 0;
	return result;
}

int revtr_submit(const struct revtr_ask *ask, const struct coordinator_batch *batch,
	const struct coordinator_ask *asks, size_t count, int64_t *id)
{
	struct error error = {0}, second;
	int result = find_known(ask, batch, id, &error);
	bool known = result == 0 && *id != 0;
	if (result == 0 && !known && count > REVTR_BATCH_MAX)
		result = error_set(&error, -E2BIG,
			"%zu measurements; there are at most %d in a part of a batch: send several", count,
			REVTR_BATCH_MAX);
	if (result == 0 && !known)
		result = check_parallel(ask, count, &error);
	if (result == 0 && !known)
		result = spend(ask, (int64_t)count, &error);
	if (result == 0 && !known) {
		result = coordinator_submit(ask->api->config.coordinator, batch, asks, count, id, &error);
		if (result < 0)
			(void)!spend(ask, -(int64_t)count, &second);
	}
	if (result < 0)
		revtr_refuse(ask, &error);
	return result;
}

/* ---- taking */

static bool read_one(const json_t *entry, struct coordinator_ask *ask)
{
	const char *source = json_string_value(json_object_get(entry, "source"));
	const char *destination = json_string_value(json_object_get(entry, "destination"));
	ask->label = json_string_value(json_object_get(entry, "label"));
	if (!source || !destination || (ask->label && strlen(ask->label) > LABEL_MAX))
		return false;
	return addr_parse(source, &ask->source) && addr_parse(destination, &ask->destination);
}

static const char *state_of(const struct store_batch *batch)
{
	if (batch->reason[0])
		return batch->waiting > 0 ? "cancelling" : "cancelled";
	return batch->waiting > 0      ? "running"
		: batch->open	       ? "open"
		: batch->cancelled > 0 ? "cancelled"
				       : "done";
}

json_t *revtr_awaited_json(const struct coordinator_awaited *awaited)
{
	return json_pack("{s:s, s:o, s:o}", "agent", awaited->agent, "source", revtr_address(awaited->source),
		"until", revtr_time(awaited->until_ms));
}

static json_t *state_json(const struct revtr_api *api, const struct store_batch *batch)
{
	struct coordinator_awaited awaited;
	bool awaits = coordinator_awaits(api->config.coordinator, batch->id, &awaited);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:s, s:o, s:i, s:b, s:o, s:o}", "batch",
		(json_int_t)batch->id, "total", (json_int_t)(batch->waiting + batch->done + batch->cancelled),
		"waiting", (json_int_t)batch->waiting, "done", (json_int_t)batch->done, "cancelled",
		(json_int_t)batch->cancelled, "state", state_of(batch), "submitted_at",
		revtr_time(batch->submitted_ms), "parts", (int)batch->parts, "open", batch->open, "reason",
		batch->reason[0] ? json_string(batch->reason) : json_null(), "awaits",
		awaits ? revtr_awaited_json(&awaited) : json_null());
}

static void tell_state(const struct revtr_ask *ask, int64_t id, unsigned status)
{
	struct store_batch batch;
	struct error error = {0};
	if (store_find_batch(ask->api->config.store, id, &batch, &error) < 0)
		revtr_refuse(ask, &error);
	else
		api_send_json(ask->exchange, status, state_json(ask->api, &batch), 0);
}

static void take(
	const struct revtr_ask *ask, const json_t *body, const json_t *list, struct coordinator_ask *asks)
{
	const char *request = json_string_value(json_object_get(body, "request"));
	const char *header = httpd_header(ask->exchange, "Idempotency-Key");
	size_t count = json_array_size(list);
	struct coordinator_batch batch = {.key = ask->key.name,
		.request = request ? request : header,
		.priority = json_is_true(json_object_get(body, "interactive")),
		.more = json_is_true(json_object_get(body, "more"))};
	const json_t *part = json_object_get(body, "part");
	int64_t id;
	batch.part = (unsigned)json_integer_value(part);
	for (size_t i = 0; i < count; i++)
		if (!read_one(json_array_get(list, i), &asks[i])) {
			revtr_bad(ask,
				"measurements[%zu]: expected {\"source\": ADDRESS, \"destination\": ADDRESS, "
				"and a label of at most %d bytes}",
				i, LABEL_MAX);
			return;
		}
	if (part &&
		(!json_is_integer(part) || json_integer_value(part) < 0 ||
			json_integer_value(part) > INT32_MAX))
		revtr_bad(ask, "part: expected a number from 0 on");
	else if (batch.request && strlen(batch.request) > REQUEST_MAX)
		revtr_bad(ask, "request: expected at most %d bytes", REQUEST_MAX);
	else if (batch.priority > 0 && (count > INTERACTIVE_MAX || batch.part > 0 || batch.more))
		revtr_bad(ask,
			"interactive: a batch that overtakes others has one part of at most %d measurements",
			INTERACTIVE_MAX);
	else if (revtr_submit(ask, &batch, asks, count, &id) == 0)
		tell_state(ask, id, STATUS_CREATED);
}

void revtr_batches_post(const struct revtr_ask *ask)
{
	json_t *body = revtr_body(ask);
	if (!body)
		return;
	const json_t *list = json_object_get(body, "measurements");
	struct coordinator_ask *asks = calloc(MAX(json_array_size(list), (size_t)1), sizeof(*asks));
	if (!json_is_array(list) || json_array_size(list) == 0)
		revtr_bad(ask, "measurements: expected a list of {\"source\", \"destination\"}");
	else if (!asks)
		revtr_refuse(ask, &(struct error){-ENOMEM, "out of memory"});
	else
		take(ask, body, list, asks);
	free(asks);
	json_decref(body);
}

/* ---- looking */

bool revtr_batch(const struct revtr_ask *ask, const char *text, struct store_batch *batch)
{
	struct error error = {0};
	int64_t id = revtr_number(text);
	int result = id > 0 ? store_find_batch(ask->api->config.store, id, batch, &error)
			    : error_set(&error, -ENOENT, "no such batch");
	/* Whose it is is nobody else's business, not even that it is there. Of one that is not any more
	 * nobody knows whose it was: who asks is told that it was there. */
	if (result == 0 && !ask->key.admin && strcmp(batch->key, ask->key.name) != 0)
		result = error_set(&error, -ENOENT, "no such batch");
	if (result < 0)
		revtr_refuse(ask, &error);
	return result == 0;
}

void revtr_batch_get(const struct revtr_ask *ask)
{
	struct store_batch batch;
	if (revtr_batch(ask, ask->argument, &batch))
		api_send_json(ask->exchange, STATUS_OK, state_json(ask->api, &batch), 0);
}

void revtr_batch_delete(const struct revtr_ask *ask)
{
	struct store_batch batch;
	struct error error = {0};
	if (!revtr_batch(ask, ask->argument, &batch))
		return;
	if (coordinator_cancel(ask->api->config.coordinator, batch.id, &error) < 0) {
		revtr_refuse(ask, &error);
		return;
	}
	tell_state(ask, batch.id, STATUS_OK);
	revtr_stream_all_on(ask->api, batch.id);
}

const char *revtr_state_word(enum store_state state)
{
	switch (state) {
	case STORE_WAITING: return "waiting";
	case STORE_DONE: return "done";
	default: return "cancelled";
	}
}

struct search {
	int64_t id;
	struct addr address;
};

static void look_at_source(void *context, const struct store_source *source)
{
	struct search *search = context;
	if (source->id == search->id)
		search->address = source->address;
}

struct addr revtr_source_address(const struct revtr_api *api, int64_t source)
{
	struct search search = {.id = source};
	struct error error;
	return store_each_source(api->config.store, look_at_source, &search, &error) == 0 ? search.address
											  : ADDR_NONE;
}

/* The result's text is kept as it is; only its first brace is replaced. */
char *revtr_record(const struct revtr_api *api, const struct store_measurement *m)
{
	json_t *label = json_string(m->label), *reason = json_string(m->reason ? m->reason : "");
	char *quoted = label ? json_dumps(label, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
	char *why = reason ? json_dumps(reason, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
	char *text = NULL, from[ADDR_TEXT_SIZE], to[ADDR_TEXT_SIZE];
	/* Of a large batch that is being cancelled: its turn has not come yet. */
	const char *state =
		revtr_state_word(m->state == STORE_WAITING && m->reason ? STORE_CANCELLED : m->state);
	int length = -1;
	if (quoted && m->result && *m->result == '{')
		length = asprintf(&text, "{\"state\":\"%s\",\"label\":%s,%s", state, quoted, m->result + 1);
	else if (quoted && why)
		length = asprintf(&text,
			"{\"state\":\"%s\",\"label\":%s,\"id\":%lld,\"batch\":%lld,\"source\":\"%s\","
			"\"destination\":\"%s\"%s%s}",
			state, quoted, (long long)m->id, (long long)m->batch,
			addr_format(revtr_source_address(api, m->source), from),
			addr_format(m->destination, to), m->reason ? ",\"stop\":" : "", m->reason ? why : "");
	free(quoted);
	free(why);
	json_decref(label);
	json_decref(reason);
	return length < 0 ? NULL : text;
}

struct page {
	const struct revtr_api *api;
	FILE *out;
	size_t count;
	int64_t last;
};

static void print_one(void *context, const struct store_measurement *m)
{
	struct page *page = context;
	char *text = revtr_record(page->api, m);
	if (text)
		fprintf(page->out, "%s%s", page->count++ ? ",\n" : "", text);
	page->last = m->id;
	free(text);
}

void revtr_results_get(const struct revtr_ask *ask)
{
	struct store_batch batch;
	struct error error = {0};
	const char *limit_text = httpd_parameter(ask->exchange, "limit"),
		   *after_text = httpd_parameter(ask->exchange, "after");
	const char *label = httpd_parameter(ask->exchange, "label");
	int64_t limit = limit_text ? revtr_number(limit_text) : RESULTS_USUAL;
	char *text = NULL;
	size_t length;
	if (!revtr_batch(ask, ask->argument, &batch))
		return;
	if (limit < 1 || limit > RESULTS_MAX) {
		revtr_bad(ask, "limit: expected 1 to %d", RESULTS_MAX);
		return;
	}
	struct page page = {.api = ask->api, .out = open_memstream(&text, &length)};
	if (!page.out) {
		revtr_refuse(ask, &(struct error){-ENOMEM, "out of memory"});
		return;
	}
	fputs("{\"results\":[", page.out);
	struct store *store = ask->api->config.store;
	int64_t after = revtr_number(after_text);
	int result = label
		? store_each_labelled(store, batch.id, label, after, (size_t)limit, print_one, &page, &error)
		: store_each_measurement(store, batch.id, after, (size_t)limit, print_one, &page, &error);
	if (page.count == (size_t)limit)
		fprintf(page.out, "],\"next\":%lld}\n", (long long)page.last);
	else
		fputs("],\"next\":null}\n", page.out);
	bool good = fclose(page.out) == 0;
	if (result < 0) {
		free(text);
		revtr_refuse(ask, &error);
	} else if (!good) {
		free(text);
		api_send_text(ask->exchange, STATUS_SERVER_ERROR, NULL, NULL);
	} else {
		api_send_text(ask->exchange, STATUS_OK, NULL, text);
	}
}
