/* Sources, the atlas, keys and what they may spend. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "revtr/message.h"
#include "serve/revtr_api_inside.h"

#define DAY_MS	     (24LL * 3600 * 1000)
#define NETWORKS_MAX 200 /* that are told of */

/* ---- sources */

static json_t *source_json(const struct store_source *source)
{
	return json_pack("{s:o, s:s, s:s, s:b, s:o}", "address", revtr_address(source->address), "name",
		source->name, "agent", source->agent, "consents", source->consents, "registered_at",
		revtr_time(source->registered_ms));
}

static void add_source(void *context, const struct store_source *source)
{
	json_array_append_new(context, source_json(source));
}

void revtr_sources_get(const struct revtr_ask *ask)
{
	struct error error = {0};
	json_t *list = json_array();
	if (store_each_source(ask->api->config.store, add_source, list, &error) < 0) {
		json_decref(list);
		revtr_refuse(ask, &error);
		return;
	}
	api_send_json(ask->exchange, STATUS_OK, json_pack("{s:o}", "sources", list), 0);
}

static bool read_key(const char *text, uint8_t key[static 16])
{
	if (strlen(text) != 32 || strspn(text, "0123456789abcdefABCDEF") != 32)
		return false;
	for (size_t i = 0; i < 16; i++) {
		char pair[3] = {text[2 * i], text[2 * i + 1], '\0'};
		key[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return true;
}

static const char *read_source(const json_t *body, struct store_source *source)
{
	const char *address = json_string_value(json_object_get(body, "address"));
	const char *agent = json_string_value(json_object_get(body, "agent"));
	const char *name = json_string_value(json_object_get(body, "name")),
		   *key = json_string_value(json_object_get(body, "key"));
	const json_t *consents = json_object_get(body, "consents");
	struct hash_key fresh = hash_key_random();
	if (!address || !addr_parse(address, &source->address) || source->address.family != 4 ||
		!addr_is_unicast(source->address))
		return "address: expected the IPv4 address of a host";
	if (addr_is_private(source->address))
		return "address: expected one that the Internet can answer to; this one is private";
	if (!agent || !agent_name_good(agent) || strlen(agent) >= sizeof(source->agent))
		return "agent: expected the name of the agent that stands there";
	if (name && strlen(name) >= sizeof(source->name))
		return "name: too long";
	memcpy(source->key, &fresh, sizeof(source->key));
	if (key && !read_key(key, source->key))
		return "key: expected 32 hexadecimal digits";
	snprintf(source->agent, sizeof(source->agent), "%s", agent);
	snprintf(source->name, sizeof(source->name), "%s", name ? name : address);
	source->consents = !json_is_false(consents);
	return NULL;
}

static void put_source(const struct revtr_ask *ask, struct store_source *source)
{
	struct error error = {0};
	char key[33];
	int result = store_put_source(ask->api->config.store, source, &error);
	if (result == 0)
		result = coordinator_add_source(ask->api->config.coordinator, source);
	if (result < 0 && error.code == 0)
		(void)error_set(&error, result, "there are too many agents, or too little memory");
	if (result < 0) {
		revtr_refuse(ask, &error);
		return;
	}
	for (size_t i = 0; i < sizeof(source->key); i++)
		snprintf(key + 2 * i, 3, "%02x", source->key[i]);
	json_t *json = source_json(source);
	json_object_set_new(json, "key", json_string(key));
	api_send_json(ask->exchange, STATUS_CREATED, json, 0);
}

void revtr_sources_post(const struct revtr_ask *ask)
{
	struct store_source source = {.registered_ms = revtr_now_ms()};
	json_t *body = revtr_body(ask);
	if (!body)
		return;
	const char *wrong = read_source(body, &source);
	if (wrong)
		revtr_bad(ask, "%s", wrong);
	else
		put_source(ask, &source);
	json_decref(body);
}

/* ---- keys and budgets */

static void add_network(void *context, const struct coordinator_network *network)
{
	if (json_array_size(context) < NETWORKS_MAX)
		json_array_append_new(context,
			json_pack("{s:s, s:I, s:I}", "network", network->name, "spent_today",
				(json_int_t)network->spent, "per_day", (json_int_t)network->per_day));
}

void revtr_budget_get(const struct revtr_ask *ask)
{
	struct error error = {0};
	char what[80];
	int64_t spent = 0;
	size_t waiting = 0;
	const struct store_key *key = &ask->key;
	snprintf(what, sizeof(what), "key:%s", key->name);
	int result = store_spend(ask->api->config.store, what, revtr_now_ms() / DAY_MS, 0, &spent, &error);
	if (result == 0)
		result = store_waiting_of(ask->api->config.store, key->name, &waiting, &error);
	if (result < 0) {
		revtr_refuse(ask, &error);
		return;
	}
	json_t *networks = json_array();
	coordinator_each_network(ask->api->config.coordinator, add_network, networks);
	api_send_json(ask->exchange, STATUS_OK,
		json_pack("{s:s, s:b, s:I, s:o, s:I, s:o, s:o}", "key", key->name, "admin", key->admin,
			"spent_today", (json_int_t)spent, "per_day",
			key->per_day ? json_integer(key->per_day) : json_null(), "waiting",
			(json_int_t)waiting, "parallel",
			key->parallel ? json_integer(key->parallel) : json_null(), "networks", networks),
		0);
}

static bool read_limit(const json_t *body, const char *name, unsigned *limit)
{
	const json_t *value = json_object_get(body, name);
	json_int_t number = json_integer_value(value);
	*limit = (unsigned)number;
	return !value || (json_is_integer(value) && number >= 0 && number <= INT32_MAX);
}

void revtr_keys_post(const struct revtr_ask *ask)
{
	struct store_key key = {0};
	struct error error = {0};
	char text[REVTR_KEY_SIZE];
	json_t *body = revtr_body(ask);
	if (!body)
		return;
	const char *name = json_string_value(json_object_get(body, "name"));
	key.admin = json_is_true(json_object_get(body, "admin"));
	if (!name || !agent_name_good(name) || strlen(name) >= sizeof(key.name))
		revtr_bad(ask, "name: expected letters, digits, '.', '-', '_'");
	else if (!read_limit(body, "per_day", &key.per_day) || !read_limit(body, "parallel", &key.parallel))
		revtr_bad(ask, "per_day, parallel: expected whole numbers; 0 = no limit");
	else {
		snprintf(key.name, sizeof(key.name), "%s", name);
		if (revtr_api_new_key(ask->api->config.store, &key, text, &error) < 0)
			revtr_refuse(ask, &error);
		else
			api_send_json(ask->exchange, STATUS_CREATED,
				json_pack("{s:s, s:s}", "name", key.name, "key", text), 0);
	}
	json_decref(body);
}
