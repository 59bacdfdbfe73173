/* The looking glass command set of RFC 8522: GET /.well-known/looking-glass/v1/COMMAND, answered in JSend. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reverse/lg_json.h"

#define ROOT "/.well-known/looking-glass/v1/"
/* Section 2.1: the server is asked to be done by then. */
#define RUNTIME_S 50

/* Servers need not know structured output (section 2.1, `format`): then plain text will do. */
enum { BEGIN, STRUCTURED, TEXT, ROUTERS, COMMANDS };

static enum lg_turn ask_trace(struct lg_talk *talk, unsigned step)
{
	char target[ADDR_TEXT_SIZE], *path = NULL;
	char *router = talk->glass->location ? lg_escape(talk->glass->location) : NULL;
	talk->step = step;
	int length = asprintf(&path, ROOT "traceroute/%s?protocol=%d,1&runtime=%d&format=%s%s%s",
		lg_target(talk, target), talk->to.family == 4 ? 1 : 2, RUNTIME_S,
		step == STRUCTURED ? "application/json" : "text/plain", router ? "&router=" : "",
		router ? router : "");
	enum lg_turn turn = length < 0 ? lg_fail(talk, ATTEMPT_FAILED, "out of memory") : lg_get(talk, path);
	if (length >= 0)
		free(path);
	free(router);
	return turn;
}

static enum lg_turn ask_list(struct lg_talk *talk, unsigned step, const char *path)
{
	talk->step = step;
	return lg_get(talk, path);
}

/* Names in a list of texts or of objects that have one. */
static void add_names(const json_t *list, const char *key, char *out, size_t size)
{
	size_t index, used = 0;
	json_t *entry;
	json_array_foreach(list, index, entry)
	{
		const char *name =
			json_is_string(entry) ? json_string_value(entry) : lg_json_text(entry, key);
		if (name && used < size)
			used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "", name);
	}
}

static enum lg_turn read_list(struct lg_talk *talk, const json_t *json)
{
	char names[160] = "";
	bool routers = talk->step == ROUTERS;
	const json_t *data = json_object_get(json, "data");
	const json_t *list =
		json_is_array(data) ? data : json_object_get(data, routers ? "routers" : "commands");
	add_names(list, routers ? "router" : "command", names, sizeof(names));
	if (routers && !names[0])
		add_names(list, "name", names, sizeof(names));
	if (routers && names[0])
		return lg_fail(talk, ATTEMPT_FAILED, "router '%s' does not trace; it has: %s",
			talk->glass->location, names);
	if (!routers && names[0])
		return lg_fail(talk, ATTEMPT_UNSUPPORTED, "it offers no traceroute; it has: %s", names);
	return lg_fail_saying(talk, ATTEMPT_FAILED, "it does not trace", talk->kept);
}

static enum lg_turn read_success(struct lg_talk *talk, const json_t *json)
{
	const json_t *data = json_object_get(json, "data");
	const char *router = lg_json_text(data, "router");
	if (router && !lg_keep(&talk->router, router))
		return lg_fail(talk, ATTEMPT_FAILED, "out of memory");
	return lg_answer_json(talk, json_object_get(data, "output"));
}

/* JSend: "error" has a message; "fail" has data that say what was wrong. */
static const char *words_of(const json_t *json)
{
	const json_t *data = json_object_get(json, "data"), *value;
	const char *words = lg_json_text(json, "message"), *key;
	if (words || json_is_string(data))
		return words ? words : json_string_value(data);
	if (lg_json_text(data, "message"))
		return lg_json_text(data, "message");
	const json_t *output = json_object_get(data, "output");
	if (json_is_array(output) && json_is_string(json_array_get(output, 0)))
		return json_string_value(json_array_get(output, 0));
	json_object_foreach((json_t *)data, key, value) if (json_is_string(value) &&
		strcmp(key, "router") != 0 && strcmp(key, "performed_at") != 0 &&
		strcmp(key, "format") != 0) return json_string_value(value);
	return NULL;
}

static enum lg_turn read_failure(struct lg_talk *talk, const struct lg_reply *reply, const json_t *json)
{
	const char *words = words_of(json);
	bool refused = reply->status == 401 || reply->status == 403;
	if (talk->step == STRUCTURED && !refused)
		return ask_trace(talk, TEXT);
	if (words && !lg_keep(&talk->kept, words))
		return lg_fail(talk, ATTEMPT_FAILED, "out of memory");
	/* Who names a router that is not there is told which there are. */
	if (talk->step == TEXT && (reply->status == 400 || reply->status == 404) && talk->glass->location)
		return ask_list(talk, ROUTERS, ROOT "routers");
	if (talk->step == TEXT && (reply->status == 404 || reply->status == 501))
		return ask_list(talk, COMMANDS, ROOT "cmd");
	return lg_fail_saying(talk, refused || reply->status == 400 ? ATTEMPT_REFUSED : ATTEMPT_FAILED,
		"it does not trace", words);
}

static enum lg_turn turn(struct lg_talk *talk, const struct lg_reply *reply)
{
	if (talk->step == BEGIN)
		return ask_trace(talk, STRUCTURED);
	json_t *json = lg_json(reply);
	const char *status = lg_json_text(json, "status");
	enum lg_turn next;
	if (talk->step == ROUTERS || talk->step == COMMANDS)
		next = read_list(talk, json);
	else if (status && strcmp(status, "success") == 0)
		next = read_success(talk, json);
	else if (status || (reply->status >= 400 && talk->step == STRUCTURED) || reply->status == 404)
		next = read_failure(talk, reply, json);
	else
		next = lg_fail_no_json(talk, reply);
	json_decref(json);
	return next;
}

const struct lg_kind lg_rfc8522 = {.type = "rfc8522", .turn = turn};
