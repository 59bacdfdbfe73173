/* What was found out about an agent, as the store keeps it and the interface tells it. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "revtr/capability.h"

/* ---- writing */

static json_t *address_json(struct addr address)
{
	char text[ADDR_TEXT_SIZE];
	return addr_is_set(address) ? json_string(addr_format(address, text)) : json_null();
}

static json_t *can_json(enum agent_can can)
{
	return can == AGENT_CAN_UNKNOWN ? json_null() : json_boolean(can == AGENT_CAN);
}

static json_t *place_json(const struct capability_place *place)
{
	return place->hop == 0
		? json_null()
		: json_pack("{s:i, s:o}", "hop", (int)place->hop, "address", address_json(place->address));
}

static json_t *finding_json(enum capability_aspect aspect, const struct capability_finding *finding)
{
	char text[CAPABILITY_TEXT_SIZE];
	return json_pack("{s:o, s:s, s:i, s:o, s:o, s:o, s:s}", "can", can_json(finding->can), "cause",
		capability_cause_word(finding->cause), "errno", -finding->error, "last",
		place_json(&finding->last), "next", place_json(&finding->next), "seen_as",
		address_json(finding->seen_as), "text", capability_text(aspect, finding, text));
}

char *capability_to_json(const struct capability *capability)
{
	json_t *json =
		json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "tested_ms", (json_int_t)capability->tested_ms,
			"options", finding_json(ASPECT_OPTIONS, &capability->options), "spoof",
			finding_json(ASPECT_SPOOF, &capability->spoof), "receive",
			finding_json(ASPECT_RECEIVE, &capability->receive), "behind_nat",
			can_json(capability->behind_nat), "seen_as", address_json(capability->seen_as));
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	return text;
}

/* ---- reading; what is not understood is not known */

static struct addr address_of(const json_t *value)
{
	struct addr address;
	return json_is_string(value) && addr_parse(json_string_value(value), &address) ? address : ADDR_NONE;
}

static enum agent_can can_of(const json_t *value)
{
	return json_is_true(value) ? AGENT_CAN : json_is_false(value) ? AGENT_CANNOT : AGENT_CAN_UNKNOWN;
}

static struct capability_place place_of(const json_t *value)
{
	json_int_t hop = json_integer_value(json_object_get(value, "hop"));
	if (hop < 1 || hop > 255)
		return (struct capability_place){0};
	return (struct capability_place){(unsigned)hop, address_of(json_object_get(value, "address"))};
}

static struct capability_finding finding_of(const json_t *value)
{
	const char *word = json_string_value(json_object_get(value, "cause"));
	json_int_t error = json_integer_value(json_object_get(value, "errno"));
	struct capability_finding finding = {.can = can_of(json_object_get(value, "can")),
		.last = place_of(json_object_get(value, "last")),
		.next = place_of(json_object_get(value, "next")),
		.error = error > 0 && error < 4096 ? -(int)error : 0,
		.seen_as = address_of(json_object_get(value, "seen_as"))};
	for (unsigned i = 0; word && i < CAUSE_COUNT; i++)
		if (strcmp(word, capability_cause_word((enum capability_cause)i)) == 0)
			finding.cause = (enum capability_cause)i;
	return finding;
}

bool capability_from_json(const char *text, struct capability *capability)
{
	json_error_t error;
	json_t *json = json_loads(text, 0, &error);
	bool good = json_is_object(json);
	*capability = (struct capability){0};
	if (good)
		*capability = (struct capability){
			.tested_ms = json_integer_value(json_object_get(json, "tested_ms")),
			.options = finding_of(json_object_get(json, "options")),
			.spoof = finding_of(json_object_get(json, "spoof")),
			.receive = finding_of(json_object_get(json, "receive")),
			.behind_nat = can_of(json_object_get(json, "behind_nat")),
			.seen_as = address_of(json_object_get(json, "seen_as"))};
	json_decref(json);
	return good;
}
