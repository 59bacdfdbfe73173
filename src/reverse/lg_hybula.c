/* Hybula's looking glass, which shows a host what its own form is for: a page with a token against forgery,
 * the form with that token and the session's cookie (which http.h keeps), a redirect back to the page, and
 * then the output as a stream from another place. */
#include <stdlib.h>
#include <string.h>

#include "reverse/lg.h"
#include "reverse/lg_html.h"

enum { BEGIN, PAGE, FORM, STREAM };

static bool offers(const struct lg_reply *reply, const char *method)
{
	char *option = lg_html_option(reply->body, reply->length, "backendMethod", method, NULL);
	bool found = option != NULL;
	free(option);
	return found;
}

static enum lg_turn ask_trace(struct lg_talk *talk, const char *method, const char *token)
{
	char target[ADDR_TEXT_SIZE];
	const char *const pairs[] = {"csrfToken", token, "backendMethod", method, "targetHost",
		lg_target(talk, target), "submitForm", "", "checkTerms", "on", NULL};
	talk->step = FORM;
	return lg_post(talk, "", "application/x-www-form-urlencoded", lg_form(pairs));
}

static enum lg_turn read_page(struct lg_talk *talk, const struct lg_reply *reply)
{
	const char *method = talk->to.family == 6 ? "traceroute6" : "traceroute";
	char *token = lg_html_input(reply->body, reply->length, "csrfToken");
	enum lg_turn turn;
	if (!token)
		turn = lg_fail(talk, ATTEMPT_UNSUPPORTED,
			"its page has no form with a token: no looking glass of this type");
	else if (!offers(reply, method))
		turn = lg_fail(talk, ATTEMPT_UNSUPPORTED, "it offers no %s", method);
	else
		turn = ask_trace(talk, method, token);
	free(token);
	return turn;
}

/* The page after the form says what was wrong with it. */
static enum lg_turn read_form(struct lg_talk *talk, const struct lg_reply *reply)
{
	const char *alert = memmem(reply->body, reply->length, "alert-danger", 12);
	const char *words = alert ? strchr(alert, '>') : NULL;
	if (words) {
		char *said = strndup(words + 1, strcspn(words + 1, "<"));
		enum lg_turn turn = lg_fail_saying(talk, ATTEMPT_REFUSED, "it says", said);
		free(said);
		return turn;
	}
	talk->step = STREAM;
	return lg_get(talk, "backend.php");
}

static enum lg_turn turn(struct lg_talk *talk, const struct lg_reply *reply)
{
	if (talk->step == BEGIN) {
		talk->step = PAGE;
		return lg_get(talk, "");
	}
	if (reply->status >= 400)
		return lg_fail(talk, ATTEMPT_FAILED, "it answered with HTTP %d", reply->status);
	if (talk->step == PAGE)
		return read_page(talk, reply);
	if (talk->step == FORM)
		return read_form(talk, reply);
	if (reply->length == 0)
		return lg_fail(talk, ATTEMPT_FAILED, "it printed nothing");
	return lg_answer_html(talk, reply->body, reply->length);
}

const struct lg_kind lg_hybula = {.type = "hybula", .peer_traces = true, .turn = turn};
