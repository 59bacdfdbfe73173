#include "revtr/message.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const probe_words[] = {
	"rr-ping", "traceroute", "challenge", "rr-udp", "ts-ping", "trial", "ping"};
static const char *const seen_words[] = {"nothing", "sent", "failed", "request", "reply", "exceeded"};

const char *message_probe_word(enum revtr_probe probe)
{
	return probe_words[probe];
}

/* ---- topics */

const char *topic_of(char out[static TOPIC_SIZE], const char *agent, const char *kind)
{
	snprintf(out, TOPIC_SIZE, "retour/1/agent/%s/%s", agent, kind);
	return out;
}

bool agent_name_good(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
	return length > 0 && length < AGENT_NAME_SIZE && name[length] == '\0';
}

bool topic_agent(const char *topic, char name[static AGENT_NAME_SIZE])
{
	static const char head[] = "retour/1/agent/";
	if (strncmp(topic, head, sizeof(head) - 1) != 0)
		return false;
	topic += sizeof(head) - 1;
	size_t length = strcspn(topic, "/");
	if (length == 0 || length >= AGENT_NAME_SIZE || topic[length] != '/')
		return false;
	memcpy(name, topic, length);
	name[length] = '\0';
	return agent_name_good(name);
}

/* ---- JSON */

static json_t *address_json(struct addr address)
{
	char text[ADDR_TEXT_SIZE];
	return addr_is_set(address) ? json_string(addr_format(address, text)) : json_null();
}

static struct addr address_of(const json_t *value)
{
	struct addr address;
	return json_is_string(value) && addr_parse(json_string_value(value), &address) ? address : ADDR_NONE;
}

/* Within bounds; false otherwise. */
static bool number_of(const json_t *object, const char *key, json_int_t max, json_int_t *value)
{
	const json_t *member = json_object_get(object, key);
	*value = json_integer_value(member);
	return json_is_integer(member) && *value >= 0 && *value <= max;
}

static bool digits_from(const char *text, uint64_t *value)
{
	char part[17];
	snprintf(part, sizeof(part), "%.16s", text);
	*value = strtoull(part, NULL, 16);
	return strspn(part, "0123456789abcdef") == 16;
}

/* 16 of them, a number. */
static bool digits_of(const json_t *object, const char *key, uint64_t *value)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text && strlen(text) == 16 && digits_from(text, value);
}

static char *text_of(json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}

static json_t *object_from(const char *text, size_t length)
{
	json_error_t error;
	json_t *object = json_loadb(text, length, 0, &error);
	if (json_is_object(object))
		return object;
	json_decref(object);
	return NULL;
}

/* ---- orders */

static json_t *addresses_json(const struct addr *addresses, unsigned count)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < count; i++)
		json_array_append_new(list, address_json(addresses[i]));
	return list;
}

/* As many as the option has room for; 0: it is not such a list. */
static unsigned listed_from(const json_t *list, struct addr listed[static REVTR_LISTED_MAX])
{
	size_t count = json_array_size(list);
	if (count > REVTR_LISTED_MAX)
		return 0;
	for (size_t i = 0; i < count; i++) {
		listed[i] = address_of(json_array_get(list, i));
		if (listed[i].family != 4)
			return 0;
	}
	return (unsigned)count;
}

static json_t *trial_json(const struct agent_order *order)
{
	char tag[17], target_tag[17];
	snprintf(tag, sizeof(tag), "%016" PRIx64, order->tag);
	snprintf(target_tag, sizeof(target_tag), "%016" PRIx64, order->target_tag);
	return json_pack("{s:I, s:s, s:o, s:o, s:b, s:s, s:s, s:i, s:b}", "task", (json_int_t)order->task.id,
		"probe", probe_words[order->task.probe], "target", address_json(order->task.target), "source",
		address_json(order->source), "spoofed", order->task.spoofed, "tag", tag, "target_tag",
		target_tag, "ttl", order->task.ttl, "options", order->task.options);
}

static bool read_trial(const json_t *object, struct agent_order *order)
{
	json_int_t ttl;
	if (!number_of(object, "ttl", 255, &ttl) || ttl == 0 ||
		!digits_of(object, "target_tag", &order->target_tag))
		return false;
	order->task.ttl = (uint8_t)ttl;
	order->task.options = json_is_true(json_object_get(object, "options"));
	return true;
}

char *order_to_json(const struct agent_order *order)
{
	if (order->task.probe == REVTR_TRIAL)
		return text_of(trial_json(order));
	const struct revtr_task *task = &order->task;
	char tag[17];
	snprintf(tag, sizeof(tag), "%016" PRIx64, order->tag);
	return text_of(json_pack("{s:I, s:s, s:o, s:o, s:b, s:s, s:o*}", "task", (json_int_t)task->id,
		"probe", probe_words[task->probe], "target", address_json(task->target), "source",
		address_json(order->source), "spoofed", task->spoofed, "tag", tag, "listed",
		task->listed_count ? addresses_json(task->listed, task->listed_count) : NULL));
}

static bool read_order(const json_t *object, struct agent_order *order)
{
	json_int_t task;
	const char *probe = json_string_value(json_object_get(object, "probe"));
	*order = (struct agent_order){.source = address_of(json_object_get(object, "source")),
		.task = {.target = address_of(json_object_get(object, "target")),
			.spoofed = json_is_true(json_object_get(object, "spoofed"))}};
	if (!number_of(object, "task", UINT32_MAX, &task) || !probe || !digits_of(object, "tag", &order->tag))
		return false;
	order->task.id = (uint32_t)task;
	order->task.listed_count = listed_from(json_object_get(object, "listed"), order->task.listed);
	for (unsigned i = 0; i < ARRAY_LEN(probe_words); i++)
		if (strcmp(probe, probe_words[i]) == 0) {
			order->task.probe = (enum revtr_probe)i;
			return addr_is_set(order->task.target) && addr_is_set(order->source) &&
				(i != REVTR_TS_PING || order->task.listed_count > 0) &&
				(i != REVTR_TRIAL || read_trial(object, order));
		}
	return false;
}

bool order_from_json(const char *text, size_t length, struct agent_order *order)
{
	json_t *object = object_from(text, length);
	bool good = object && read_order(object, order);
	json_decref(object);
	return good;
}

/* ---- answers */

static json_t *list_json(const struct route_option *list)
{
	if (!list->present)
		return json_null();
	json_t *stamps = json_array();
	for (unsigned i = 0; i < MIN(list->used, RECORD_ROUTE_SLOTS_MAX); i++)
		json_array_append_new(stamps, address_json(list->addrs[i]));
	return json_pack("{s:i, s:o}", "slots", (int)list->slots, "stamps", stamps);
}

static json_t *times_json(const struct timestamp_option *times)
{
	unsigned slots = MIN(times->slots, REVTR_LISTED_MAX);
	json_t *stamps = json_array();
	for (unsigned i = 0; i < MIN(times->used, slots); i++)
		json_array_append_new(stamps, json_integer(times->times[i]));
	return json_pack("{s:o, s:o}", "listed", addresses_json(times->addrs, slots), "stamps", stamps);
}

static json_t *seen_json(const struct revtr_answer *answer)
{
	json_int_t task = answer->task;
	const char *word = seen_words[answer->seen];
	if (answer->seen == REVTR_SEEN_SENT || answer->seen == REVTR_SEEN_FAILED)
		return json_pack("{s:I, s:s, s:i}", "task", task, "seen", word, "errno", -answer->error);
	return json_pack("{s:I, s:s, s:o, s:i, s:o}", "task", task, "seen", word, "from",
		address_json(answer->from), "ttl", answer->reply_ttl, "list", list_json(&answer->reply));
}

char *answer_to_json(const struct revtr_answer *answer)
{
	if (answer->seen != REVTR_SEEN_NOTHING)
		return text_of(seen_json(answer));
	if (answer->times.present && answer->times.flag == 3)
		return text_of(json_pack("{s:I, s:o, s:i, s:o}", "task", (json_int_t)answer->task, "from",
			address_json(answer->from), "ttl", answer->reply_ttl, "times",
			times_json(&answer->times)));
	if (answer->trace_count == 0 && addr_is_set(answer->from))
		return text_of(json_pack("{s:I, s:o, s:i, s:o}", "task", (json_int_t)answer->task, "from",
			address_json(answer->from), "ttl", answer->reply_ttl, "list",
			list_json(&answer->reply)));
	if (answer->nonce) {
		char nonce[17];
		snprintf(nonce, sizeof(nonce), "%016" PRIx64, answer->nonce);
		return text_of(json_pack("{s:I, s:s}", "task", (json_int_t)answer->task, "nonce", nonce));
	}
	json_t *trace = json_array(), *ttls = json_array();
	for (unsigned i = 0; i < MIN(answer->trace_count, REVTR_TRACE_MAX); i++) {
		json_array_append_new(trace, address_json(answer->trace[i]));
		json_array_append_new(ttls, json_integer(answer->trace_ttl[i]));
	}
	return text_of(json_pack("{s:I, s:b, s:o, s:o}", "task", (json_int_t)answer->task, "reached",
		answer->reached, "trace", trace, "ttls", ttls));
}

char *refusal_to_json(uint32_t task, enum agent_verdict verdict)
{
	return text_of(
		json_pack("{s:I, s:s}", "task", (json_int_t)task, "refused", agent_verdict_text(verdict)));
}

static bool read_list(const json_t *value, struct route_option *list)
{
	json_int_t slots;
	const json_t *stamps = json_object_get(value, "stamps");
	if (!value || json_is_null(value))
		return true;
	if (!number_of(value, "slots", RECORD_ROUTE_SLOTS_MAX, &slots) || !json_is_array(stamps) ||
		json_array_size(stamps) > (size_t)slots)
		return false;
	list->present = true;
	list->type = 7; /* RFC 791 3.1 */
	list->slots = (uint8_t)slots;
	list->used = (uint8_t)json_array_size(stamps);
	for (size_t i = 0; i < list->used; i++)
		list->addrs[i] = address_of(json_array_get(stamps, i));
	return true;
}

static bool read_times(const json_t *value, struct timestamp_option *times)
{
	const json_t *stamps = json_object_get(value, "stamps");
	size_t count = json_array_size(stamps);
	if (!value)
		return true;
	*times = (struct timestamp_option){.present = true, .flag = 3};
	times->slots = (uint8_t)listed_from(json_object_get(value, "listed"), times->addrs);
	if (times->slots == 0 || !json_is_array(stamps) || count > times->slots)
		return false;
	times->used = (uint8_t)count;
	for (size_t i = 0; i < count; i++) {
		json_int_t ms = json_integer_value(json_array_get(stamps, i));
		if (!json_is_integer(json_array_get(stamps, i)) || ms < 0 || ms > UINT32_MAX)
			return false;
		times->times[i] = (uint32_t)ms;
	}
	return true;
}

/* `ttls` may be missing or shorter. */
static bool read_trace(const json_t *value, const json_t *ttls, struct revtr_answer *answer)
{
	size_t count = json_array_size(value);
	if (!json_is_array(value) || count > REVTR_TRACE_MAX)
		return false;
	answer->trace_count = (unsigned)count;
	for (size_t i = 0; i < count; i++) {
		json_int_t ttl = json_integer_value(json_array_get(ttls, i));
		answer->trace[i] = address_of(json_array_get(value, i));
		answer->trace_ttl[i] = (uint8_t)(ttl > 0 && ttl <= UINT8_MAX ? ttl : 0);
	}
	return true;
}

/* What is told of a trial; false: nothing that there is. */
static bool read_seen(const json_t *object, struct revtr_answer *answer)
{
	const char *word = json_string_value(json_object_get(object, "seen"));
	json_int_t number;
	for (unsigned i = REVTR_SEEN_SENT; word && i < ARRAY_LEN(seen_words); i++)
		if (strcmp(word, seen_words[i]) == 0)
			answer->seen = (enum revtr_seen)i;
	if (answer->seen == REVTR_SEEN_SENT)
		return true;
	if (answer->seen == REVTR_SEEN_FAILED) {
		bool good = number_of(object, "errno", 4095, &number);
		answer->error = -(int)number;
		return good && number > 0;
	}
	answer->from = address_of(json_object_get(object, "from"));
	if (answer->seen == REVTR_SEEN_NOTHING || answer->from.family != 4 ||
		!number_of(object, "ttl", 255, &number))
		return false;
	answer->reply_ttl = (int)number;
	return read_list(json_object_get(object, "list"), &answer->reply);
}

static bool read_answer(const json_t *object, struct revtr_answer *answer)
{
	json_int_t task, ttl;
	*answer = (struct revtr_answer){0};
	if (!number_of(object, "task", UINT32_MAX, &task) || task == 0)
		return false;
	answer->task = (uint32_t)task;
	if (json_object_get(object, "refused"))
		return true;
	answer->answered = true;
	answer->reached = json_is_true(json_object_get(object, "reached"));
	if (json_object_get(object, "seen"))
		return read_seen(object, answer);
	if (json_object_get(object, "nonce"))
		return digits_of(object, "nonce", &answer->nonce);
	if (json_object_get(object, "trace"))
		return read_trace(json_object_get(object, "trace"), json_object_get(object, "ttls"), answer);
	answer->from = address_of(json_object_get(object, "from"));
	if (!addr_is_set(answer->from) || !number_of(object, "ttl", 255, &ttl))
		return false;
	answer->reply_ttl = (int)ttl;
	return read_list(json_object_get(object, "list"), &answer->reply) &&
		read_times(json_object_get(object, "times"), &answer->times);
}

bool answer_from_json(const char *text, size_t length, struct revtr_answer *answer)
{
	json_t *object = object_from(text, length);
	bool good = object && read_answer(object, answer);
	json_decref(object);
	return good;
}

/* ---- status */

char *status_to_json(const struct agent_status *status)
{
	json_t *sources = json_array();
	for (size_t i = 0; i < status->source_count; i++)
		json_array_append_new(sources, address_json(status->sources[i]));
	json_t *options = status->sends_options == AGENT_CAN_UNKNOWN
		? json_null()
		: json_boolean(status->sends_options == AGENT_CAN);
	return text_of(json_pack("{s:b, s:o, s:b, s:o, s:o, s:s*, s:s}", "online", status->online, "address",
		address_json(status->address), "spoof", status->may_spoof, "sources", sources,
		"sends_options", options, "trouble", status->trouble[0] ? status->trouble : NULL, "version",
		RETOUR_VERSION));
}

/* As many characters as there is room for, whole ones: JSON has no others (RFC 8259 8.1). */
static void copy_text(char *out, size_t size, const char *text)
{
	size_t length = strnlen(text, size);
	if (length == size)
		for (length--; length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80;)
			length--;
	memcpy(out, text, length);
	out[length] = '\0';
}

bool status_from_json(const char *text, size_t length, struct agent_status *status)
{
	json_t *object = object_from(text, length);
	*status = (struct agent_status){0};
	if (!object)
		return false;
	status->online = json_is_true(json_object_get(object, "online"));
	status->may_spoof = json_is_true(json_object_get(object, "spoof"));
	status->address = address_of(json_object_get(object, "address"));
	const json_t *sources = json_object_get(object, "sources"),
		     *options = json_object_get(object, "sends_options");
	if (json_is_boolean(options))
		status->sends_options = json_is_true(options) ? AGENT_CAN : AGENT_CANNOT;
	const char *trouble = json_string_value(json_object_get(object, "trouble"));
	copy_text(status->trouble, sizeof(status->trouble), trouble ? trouble : "");
	for (size_t i = 0; i < json_array_size(sources) && status->source_count < STATUS_SOURCES_MAX; i++) {
		struct addr source = address_of(json_array_get(sources, i));
		if (addr_is_set(source))
			status->sources[status->source_count++] = source;
	}
	json_decref(object);
	return true;
}

/* ---- keys */

char *keys_to_json(const struct agent_keys *keys)
{
	json_t *list = json_array();
	for (size_t i = 0; i < keys->count; i++) {
		char digits[33];
		snprintf(digits, sizeof(digits), "%016" PRIx64 "%016" PRIx64, keys->keys[i].k0,
			keys->keys[i].k1);
		json_array_append_new(list,
			json_pack("{s:o, s:s}", "source", address_json(keys->sources[i]), "key", digits));
	}
	return text_of(json_pack("{s:o}", "keys", list));
}

static bool read_key(const json_t *entry, struct addr *source, struct hash_key *key)
{
	const char *digits = json_string_value(json_object_get(entry, "key"));
	*source = address_of(json_object_get(entry, "source"));
	return addr_is_set(*source) && digits && strlen(digits) == 32 && digits_from(digits, &key->k0) &&
		digits_from(digits + 16, &key->k1);
}

bool keys_from_json(const char *text, size_t length, struct agent_keys *keys)
{
	json_t *object = object_from(text, length);
	const json_t *list = json_object_get(object, "keys");
	bool good = json_is_array(list) && json_array_size(list) <= STATUS_SOURCES_MAX;
	*keys = (struct agent_keys){0};
	for (size_t i = 0; good && i < json_array_size(list); i++, keys->count++)
		good = read_key(json_array_get(list, i), &keys->sources[i], &keys->keys[i]);
	json_decref(object);
	return good;
}
