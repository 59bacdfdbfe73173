/* hyperglass: POST /api/query wants the id of a directive, which its own API does not tell. It is found
 *
 *   - in the page itself, which is built with all devices and their directives in it (__NEXT_DATA__),
 *   - or in /ui/props/, from where earlier versions fetched them,
 *   - or by trying the names that the built-in directives have: a wrong one is refused before anything is
 * run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reverse/lg_json.h"

#define DEPTH_MAX 12 /* to which data of a page are looked through */

enum { BEGIN, PAGE, PROPS, DEVICES, QUERY, GUESS };

static const char *const platforms[] = {"juniper", "cisco_xr", "cisco_ios", "cisco_nxos", "arista_eos",
	"mikrotik", "huawei", "nokia_sros", "frr", "bird", "vyos", "tnsr", "openbgpd"};

static enum lg_turn ask(struct lg_talk *talk, unsigned step, const char *path)
{
	talk->step = step;
	return lg_get(talk, path);
}

static enum lg_turn query(struct lg_talk *talk, const char *location, const char *directive)
{
	char target[ADDR_TEXT_SIZE];
	json_t *question = json_pack("{s:s,s:s,s:s}", "queryLocation", location, "queryTarget",
		lg_target(talk, target), "queryType", directive);
	char *body = question ? json_dumps(question, JSON_COMPACT) : NULL;
	json_decref(question);
	return lg_post(talk, "api/query", "application/json", body);
}

/* ---- what the page is built with */

static bool wanted(const struct lg_talk *talk, const char *id, const char *name)
{
	const char *location = talk->glass->location;
	return !location || (id && strcasecmp(id, location) == 0) ||
		(name && strcasecmp(name, location) == 0);
}

static const char *traceroute_of(const json_t *directives)
{
	size_t index;
	json_t *directive;
	json_array_foreach(directives, index, directive)
	{
		const char *id = lg_json_text(directive, "id"), *name = lg_json_text(directive, "name");
		if (id && (strcasestr(id, "traceroute") || (name && strcasestr(name, "traceroute"))))
			return id;
	}
	return NULL;
}

/* The device that is wanted, anywhere in the data; NULL: it is not there. */
static const json_t *find_device(const struct lg_talk *talk, const json_t *data, unsigned depth)
{
	const json_t *found = NULL;
	const char *key;
	json_t *value;
	size_t index;
	if (depth > DEPTH_MAX)
		return NULL;
	if (json_is_array(json_object_get(data, "directives")) && lg_json_text(data, "id") &&
		wanted(talk, lg_json_text(data, "id"), lg_json_text(data, "name")))
		return data;
	json_object_foreach((json_t *)data, key, value) if (!found && !json_is_string(value)) found =
		find_device(talk, value, depth + 1);
	json_array_foreach(data, index, value) if (!found && !json_is_string(value)) found =
		find_device(talk, value, depth + 1);
	return found;
}

static json_t *page_data(const struct lg_reply *reply)
{
	const char *mark = memmem(reply->body, reply->length, "__NEXT_DATA__", 13);
	const char *start = mark ? strchr(mark, '>') : NULL;
	const char *end = start ? strstr(start, "</script") : NULL;
	return end ? json_loadb(start + 1, (size_t)(end - start - 1), 0, NULL) : NULL;
}

static enum lg_turn read_data(struct lg_talk *talk, const json_t *data)
{
	const json_t *device = find_device(talk, data, 0);
	const char *name = lg_json_text(device, "name");
	const char *directive = traceroute_of(json_object_get(device, "directives"));
	if (!device)
		return talk->step == PAGE ? ask(talk, PROPS, "ui/props/") : ask(talk, DEVICES, "api/devices");
	if (!directive)
		return lg_fail(talk, ATTEMPT_UNSUPPORTED, "it offers no traceroute there");
	if (name && !lg_keep(&talk->router, name))
		return lg_fail(talk, ATTEMPT_FAILED, "out of memory");
	talk->step = QUERY;
	return query(talk, lg_json_text(device, "id"), directive);
}

/* ---- guessing */

static enum lg_turn guess(struct lg_talk *talk)
{
	char directive[64];
	if (talk->tries >= ARRAY_LEN(platforms))
		return lg_fail(
			talk, ATTEMPT_UNSUPPORTED, "how it calls its traceroute is not to be found out");
	snprintf(directive, sizeof(directive), "__hyperglass_%s_traceroute__", platforms[talk->tries++]);
	talk->step = GUESS;
	return query(talk, talk->kept, directive);
}

static enum lg_turn read_devices(struct lg_talk *talk, const json_t *devices)
{
	char names[160] = "";
	size_t index, used = 0;
	json_t *device;
	json_array_foreach(devices, index, device)
	{
		const char *id = lg_json_text(device, "id"), *name = lg_json_text(device, "name");
		if (id && wanted(talk, id, name)) {
			bool kept = lg_keep(&talk->kept, id) && (!name || lg_keep(&talk->router, name));
			return kept ? guess(talk) : lg_fail(talk, ATTEMPT_FAILED, "out of memory");
		}
		if (name && used < sizeof(names))
			used += (size_t)snprintf(
				names + used, sizeof(names) - used, "%s%s", used > 0 ? ", " : "", name);
	}
	if (!names[0])
		return lg_fail(
			talk, ATTEMPT_UNSUPPORTED, "it has no devices: no looking glass of type hyperglass");
	return lg_fail(talk, ATTEMPT_FAILED, "it has no '%s'; it has: %s", talk->glass->location, names);
}

/* ---- the answer */

static enum lg_turn read_answer(struct lg_talk *talk, const struct lg_reply *reply, const json_t *json)
{
	const char *level = lg_json_text(json, "level"), *words = lg_json_text(json, "output");
	bool good = reply->status == 200 && (!level || strcmp(level, "success") == 0);
	if (good)
		return lg_answer_json(talk, json_object_get(json, "output"));
	/* A name that it does not know is refused as a mistake of the question. */
	if (talk->step == GUESS && reply->status >= 400 && reply->status < 500)
		return guess(talk);
	return lg_fail_saying(
		talk, reply->status >= 500 ? ATTEMPT_FAILED : ATTEMPT_REFUSED, "it says", words);
}

static enum lg_turn turn(struct lg_talk *talk, const struct lg_reply *reply)
{
	if (talk->step == BEGIN)
		return ask(talk, PAGE, "");
	json_t *json = talk->step == PAGE ? page_data(reply) : lg_json(reply);
	enum lg_turn next;
	if (talk->step == PAGE || talk->step == PROPS)
		next = read_data(talk, json);
	else if (talk->step == DEVICES)
		next = json_is_array(json) ? read_devices(talk, json) : lg_fail_no_json(talk, reply);
	else
		next = json_is_object(json) ? read_answer(talk, reply, json) : lg_fail_no_json(talk, reply);
	json_decref(json);
	return next;
}

const struct lg_kind lg_hyperglass = {.type = "hyperglass", .turn = turn};
