/* bird-lg-go: its front end, and the proxy that it has on each router (which Python's bird-lg has, too). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reverse/lg_json.h"

enum { BEGIN, SERVERS, TRACE };

/* ---- front end: POST /api/, the slash is required */

static enum lg_turn post(struct lg_talk *talk, json_t *question)
{
	char *body = question ? json_dumps(question, JSON_COMPACT) : NULL;
	json_decref(question);
	return lg_post(talk, "api/", "application/json", body);
}

static enum lg_turn ask_servers(struct lg_talk *talk)
{
	talk->step = SERVERS;
	return post(talk, json_pack("{s:[],s:s,s:s}", "servers", "type", "server_list", "args", ""));
}

static enum lg_turn ask_trace(struct lg_talk *talk, const char *server)
{
	char target[ADDR_TEXT_SIZE];
	talk->step = TRACE;
	if (!lg_keep(&talk->router, server))
		return lg_fail(talk, ATTEMPT_FAILED, "out of memory");
	return post(talk,
		json_pack("{s:[s],s:s,s:s}", "servers", server, "type", "traceroute", "args",
			lg_target(talk, target)));
}

static enum lg_turn read_front(struct lg_talk *talk, const json_t *json)
{
	const char *error = lg_json_text(json, "error");
	const json_t *first = json_array_get(json_object_get(json, "result"), 0);
	const char *server = lg_json_text(first, "server"), *data = lg_json_text(first, "data");
	if (error && *error)
		return lg_fail_saying(talk, ATTEMPT_FAILED, "it says", error);
	if (talk->step == SERVERS && server)
		return ask_trace(talk, server);
	if (talk->step == SERVERS)
		return lg_fail(talk, ATTEMPT_FAILED, "it has no servers");
	return lg_answer_json(talk, data ? json_object_get(first, "data") : NULL);
}

static enum lg_turn front_turn(struct lg_talk *talk, const struct lg_reply *reply)
{
	if (talk->step == BEGIN)
		return talk->glass->location ? ask_trace(talk, talk->glass->location) : ask_servers(talk);
	json_t *json = reply->status == 200 ? lg_json(reply) : NULL;
	enum lg_turn next = json_is_object(json) ? read_front(talk, json) : lg_fail_no_json(talk, reply);
	json_decref(json);
	return next;
}

const struct lg_kind lg_bird = {.type = "bird-lg", .turn = front_turn};

/* ---- proxy: GET /traceroute?q=ADDRESS, plain text; Python's has <br> instead of line breaks */

static enum lg_turn proxy_turn(struct lg_talk *talk, const struct lg_reply *reply)
{
	char target[ADDR_TEXT_SIZE], path[ADDR_TEXT_SIZE + 32], what[40];
	if (talk->step++ == 0) {
		/* An address needs no escape: its colons may stand in a query (RFC 3986, section 3.4). */
		snprintf(path, sizeof(path), "traceroute%s?q=%s", talk->to.family == 6 ? "6" : "",
			lg_target(talk, target));
		return lg_get(talk, path);
	}
	snprintf(what, sizeof(what), "it answered with HTTP %d", reply->status);
	if (reply->status != 200)
		return lg_fail_saying(
			talk, reply->status == 404 ? ATTEMPT_UNSUPPORTED : ATTEMPT_FAILED, what, reply->body);
	return strcasestr(reply->body, "<br") ? lg_answer_html(talk, reply->body, reply->length)
					      : lg_answer(talk, reply->body, reply->length);
}

const struct lg_kind lg_bird_proxy = {.type = "bird-lg-proxy", .peer_traces = true, .turn = proxy_turn};
