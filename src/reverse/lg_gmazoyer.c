/* The PHP looking glass of G. Mazoyer: a form whose answer is JSON with HTML in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reverse/lg_html.h"
#include "reverse/lg_json.h"

enum { BEGIN, PAGE, TRACE };

static enum lg_turn ask_trace(struct lg_talk *talk, const char *router)
{
	char target[ADDR_TEXT_SIZE];
	/* `dontlook` catches robots: whoever leaves it out, or fills it in, counts as one for a long time. */
	const char *const pairs[] = {"query", "traceroute", "routers", router, "parameter",
		lg_target(talk, target), "dontlook", "", NULL};
	talk->step = TRACE;
	return lg_post(talk, "execute.php", "application/x-www-form-urlencoded", lg_form(pairs));
}

static enum lg_turn read_page(struct lg_talk *talk, const struct lg_reply *reply)
{
	char *label = NULL;
	char *router = lg_html_option(reply->body, reply->length, "routers", talk->glass->location, &label);
	enum lg_turn turn;
	if (router)
		turn = ask_trace(talk, router);
	else if (talk->glass->location)
		turn = ask_trace(talk, talk->glass->location); /* who hides it may know it all the same */
	else
		turn = lg_fail(talk, ATTEMPT_UNSUPPORTED,
			"its page offers no router: no looking glass of this type");
	free(talk->router);
	talk->router = label;
	free(router);
	return turn;
}

static enum lg_turn read_trace(struct lg_talk *talk, const struct lg_reply *reply)
{
	json_t *json = lg_json(reply);
	const char *result = lg_json_text(json, "result"), *error = lg_json_text(json, "error");
	enum lg_turn turn;
	if (error)
		turn = lg_fail_saying(talk, ATTEMPT_REFUSED, "it says", error);
	else if (result)
		turn = lg_answer_html(talk, result, strlen(result));
	else if (!json && strcasestr(reply->body, "spam"))
		turn = lg_fail_saying(talk, ATTEMPT_REFUSED, "it says", reply->body);
	else
		turn = lg_fail_no_json(talk, reply);
	json_decref(json);
	return turn;
}

static enum lg_turn turn(struct lg_talk *talk, const struct lg_reply *reply)
{
	if (talk->step == BEGIN) {
		talk->step = PAGE;
		return lg_get(talk, "");
	}
	if (reply->status >= 400)
		return lg_fail_no_json(talk, reply);
	return talk->step == PAGE ? read_page(talk, reply) : read_trace(talk, reply);
}

const struct lg_kind lg_gmazoyer = {.type = "gmazoyer", .turn = turn};
