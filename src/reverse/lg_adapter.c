/* A form that an adapter file describes. Where its owner does not let programs fill it in, the user is told
 * how to, and that is all. */
#include <stdlib.h>
#include <string.h>

#include "reverse/adapter.h"
#include "reverse/lg_html.h"
#include "reverse/lg_json.h"

#define PAIRS_MAX 64

enum { BEGIN, TOKEN, FORM };

static enum lg_turn instruct(struct lg_talk *talk, const struct adapter_router *router)
{
	char target[ADDR_TEXT_SIZE];
	const struct adapter *adapter = talk->adapter;
	const char *where = router ? router->city ? router->city : router->id : NULL;
	return lg_fail(talk, ATTEMPT_UNAVAILABLE,
		"it is not for programs; by hand: open %s, %s%s%straceroute to %s: what it prints is the way "
		"back",
		adapter->base_url, where ? "choose " : "", where ? where : "", where ? ", " : "",
		lg_target(talk, target));
}

/* The fields of the form, in an order that does not matter. */
static char *fill_in(const struct lg_talk *talk, const char *target, const char *token)
{
	const char *pairs[PAIRS_MAX + 1] = {0};
	size_t count = 0;
	const struct adapter *adapter = talk->adapter;
	const struct adapter_router *router = adapter_router(adapter, talk->glass->location);
	bool six = talk->to.family == 6 && adapter->cmd_value6;
	const struct adapter_pair known[] = {
		{adapter->target_key, (char *)target},
		{adapter->cmd_key, six ? adapter->cmd_value6 : adapter->cmd_value},
		{adapter->router_key, router ? router->id : NULL},
		{adapter->token_field, (char *)token},
	};
	for (size_t i = 0; i < ARRAY_LEN(known) + adapter->field_count && count < PAIRS_MAX; i++) {
		const struct adapter_pair *pair =
			i < ARRAY_LEN(known) ? &known[i] : &adapter->fields[i - ARRAY_LEN(known)];
		if (pair->name && pair->value) {
			pairs[count++] = pair->name;
			pairs[count++] = pair->value;
		}
	}
	return lg_form(pairs);
}

static enum lg_turn submit(struct lg_talk *talk, const char *token)
{
	char target[ADDR_TEXT_SIZE], *url = NULL;
	const struct adapter *adapter = talk->adapter;
	const char *path = adapter->path ? adapter->path : "";
	char *form = fill_in(talk, lg_target(talk, target), token);
	talk->step = FORM;
	if (!adapter->method || strcmp(adapter->method, "POST") == 0)
		return lg_post(talk, path, "application/x-www-form-urlencoded", form);
	bool good = form && asprintf(&url, "%s%c%s", path, strchr(path, '?') ? '&' : '?', form) >= 0;
	enum lg_turn turn = good ? lg_get(talk, url) : lg_fail(talk, ATTEMPT_FAILED, "out of memory");
	if (good)
		free(url);
	free(form);
	return turn;
}

static enum lg_turn begin(struct lg_talk *talk)
{
	const struct adapter *adapter = talk->adapter;
	const struct adapter_router *router = adapter_router(adapter, talk->glass->location);
	if (talk->glass->location && adapter->router_key && !router)
		return lg_fail(talk, ATTEMPT_FAILED, "its adapter has no router '%s'", talk->glass->location);
	if (router && !lg_keep(&talk->router, router->city ? router->city : router->id))
		return lg_fail(talk, ATTEMPT_FAILED, "out of memory");
	if (!adapter->automation)
		return instruct(talk, router);
	talk->dialect = adapter->parser;
	if (!adapter->token_page)
		return submit(talk, NULL);
	talk->step = TOKEN;
	return lg_get(talk, adapter->token_page);
}

static enum lg_turn read_token(struct lg_talk *talk, const struct lg_reply *reply)
{
	char *token = lg_html_input(reply->body, reply->length, talk->adapter->token_field);
	enum lg_turn turn = token
		? submit(talk, token)
		: lg_fail(talk, ATTEMPT_UNSUPPORTED, "its page has no field '%s': the adapter is out of date",
			  talk->adapter->token_field);
	free(token);
	return turn;
}

/* json:KEY.KEY... */
static enum lg_turn read_json(struct lg_talk *talk, const struct lg_reply *reply, const char *keys)
{
	json_t *json = lg_json(reply);
	const json_t *value = json;
	char key[64];
	while (*keys && value) {
		size_t length = strcspn(keys, ".");
		memcpy(key, keys, MIN(length, sizeof(key) - 1));
		key[MIN(length, sizeof(key) - 1)] = '\0';
		value = json_object_get(value, key);
		keys += length + (keys[length] == '.');
	}
	enum lg_turn turn = json ? lg_answer_json(talk, value) : lg_fail_no_json(talk, reply);
	json_decref(json);
	return turn;
}

static enum lg_turn read_result(struct lg_talk *talk, const struct lg_reply *reply)
{
	const char *how = talk->adapter->result;
	if (reply->status >= 400)
		return lg_fail(talk, ATTEMPT_FAILED, "it answered with HTTP %d", reply->status);
	if (how && strncmp(how, "json:", 5) == 0)
		return read_json(talk, reply, how + 5);
	if (how && strcmp(how, "text") == 0)
		return lg_answer(talk, reply->body, reply->length);
	size_t length;
	char *text = lg_html_pre(reply->body, reply->length, &length);
	enum lg_turn turn =
		text ? lg_answer(talk, text, length) : lg_fail(talk, ATTEMPT_FAILED, "out of memory");
	free(text);
	return turn;
}

static enum lg_turn turn(struct lg_talk *talk, const struct lg_reply *reply)
{
	switch (talk->step) {
	case BEGIN: return begin(talk);
	case TOKEN: return read_token(talk, reply);
	default: return read_result(talk, reply);
	}
}

const struct lg_kind lg_adapter = {.type = "adapter", .turn = turn};
