/* Looking glasses without a network: what is asked, and what is made of the answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reverse/lg.h"

static struct settings_looking_glass glass;
static struct lg_talk talk;
static enum lg_turn turn;

static void start(const char *type, const char *location, const char *to)
{
	struct addr address;
	glass = (struct settings_looking_glass){
		.name = (char *)"lab",
		.type = (char *)type,
		.url = (char *)"https://me:s3cret@lg.example/lg/?lang=en",
		.location = (char *)location,
	};
	assert_true(addr_parse(to, &address));
	assert_int_equal(lg_talk_init(&talk, &glass, address, NULL), 0);
	turn = lg_talk_turn(&talk, NULL);
}

static void reply(int status, const char *body)
{
	struct lg_reply with = {.status = status, .body = body, .length = strlen(body)};
	assert_int_equal(turn, LG_ASK);
	turn = lg_talk_turn(&talk, &with);
}

static void asks(const char *method, const char *url, const char *body)
{
	char whole[300];
	assert_int_equal(turn, LG_ASK);
	snprintf(whole, sizeof(whole), "https://me:s3cret@lg.example/lg%s", url);
	assert_string_equal(talk.request.method, method);
	assert_string_equal(talk.request.url, whole);
	if (body)
		assert_string_equal(talk.request.body, body);
	else
		assert_null(talk.request.body);
}

static void ends_with(const char *text)
{
	assert_int_equal(turn, LG_ANSWER);
	assert_string_equal(talk.text, text);
	assert_int_equal(talk.length, strlen(text));
	lg_talk_deinit(&talk);
}

static void fails_with(enum attempt_status status, const char *detail)
{
	assert_int_equal(turn, LG_FAILED);
	assert_string_equal(talk.detail, detail);
	assert_int_equal(talk.status, status);
	lg_talk_deinit(&talk);
}

/* ---- what is common */

static void test_common(void **state)
{
	struct lg_reply busy = {.status = 429, .body = "", .retry_after_s = 9};
	(void)state;
	start("bird-lg-proxy", NULL, "198.51.100.9");
	turn = lg_talk_turn(&talk, &busy);
	fails_with(ATTEMPT_REFUSED, "too busy (HTTP 429): ask again in 9 s");
	start("hybula", NULL, "198.51.100.9");
	reply(503, "");
	fails_with(ATTEMPT_REFUSED, "too busy (HTTP 503): ask again later");
	start("gmazoyer", NULL, "198.51.100.9");
	reply(403, "");
	fails_with(ATTEMPT_REFUSED, "refused (HTTP 403): it is not open to us");
	/* A password that is in the URL is in no message, whoever repeats it. */
	start("bird-lg-proxy", NULL, "198.51.100.9");
	reply(500, "you sent s3cret and <b>s3cret</b>\n");
	fails_with(ATTEMPT_FAILED, "it answered with HTTP 500: \"you sent ****** and ******\"");
	start("bird-lg-proxy", NULL, "198.51.100.9");
	glass.url = (char *)"http://me:a%20b%c@lg.example/";
	reply(500, "a b%c or a%20b%c, said me");
	fails_with(ATTEMPT_FAILED, "it answered with HTTP 500: \"***** or *******, said me\"");
	assert_null(lg_kind_find("no such"));
	assert_null(lg_kind_find(NULL));
}

/* ---- RFC 8522 */

#define WELL_KNOWN "/.well-known/looking-glass/v1/"

static void test_rfc8522(void **state)
{
	(void)state;
	start("rfc8522", NULL, "2001:db8::9");
	asks("GET", WELL_KNOWN "traceroute/2001:db8::9?protocol=2,1&runtime=50&format=application/json",
		NULL);
	reply(200,
		"{\"status\":\"success\",\"data\":{\"router\":\"edge1\",\"output\":[\"line 1\",\"line "
		"2\"]}}");
	assert_string_equal(talk.router, "edge1");
	ends_with("line 1\nline 2\n");
	start("rfc8522", NULL, "198.51.100.9");
	reply(200, "{\"status\":\"success\",\"data\":{\"output\":\"<pre>a\\nb &lt;1 ms</pre>\"}}");
	ends_with("\na\nb <1 ms\n");
	start("rfc8522", NULL, "198.51.100.9"); /* structured */
	reply(200, "{\"status\":\"success\",\"data\":{\"output\":{\"schema\":\"retour/1\"}}}");
	ends_with("{\"schema\": \"retour/1\"}");
	start("rfc8522", "edge 1&x", "198.51.100.9");
	asks("GET",
		WELL_KNOWN
		"traceroute/198.51.100.9?protocol=1,1&runtime=50&format=application/json&router=edge%201%26x",
		NULL);
	reply(501, "Not Implemented");
	asks("GET",
		WELL_KNOWN
		"traceroute/198.51.100.9?protocol=1,1&runtime=50&format=text/plain&router=edge%201%26x",
		NULL);
	reply(404, "{\"status\":\"fail\",\"data\":{\"router\":\"unknown\"}}");
	asks("GET", WELL_KNOWN "routers", NULL);
	reply(200, "{\"status\":\"success\",\"data\":{\"routers\":[\"edge1\",\"edge2\"]}}");
	fails_with(ATTEMPT_FAILED, "router 'edge 1&x' does not trace; it has: edge1, edge2");
}

static void test_rfc8522_refusals(void **state)
{
	(void)state;
	start("rfc8522", NULL, "198.51.100.9");
	reply(400, "{\"status\":\"fail\",\"data\":{}}");
	reply(400, "{\"status\":\"error\",\"message\":\"not   towards\\n198.51.100.0/24\"}");
	fails_with(ATTEMPT_REFUSED, "it does not trace: \"not towards 198.51.100.0/24\"");
	start("rfc8522", NULL, "198.51.100.9");
	reply(404, "<html>");
	reply(404, "<html>");
	asks("GET", WELL_KNOWN "cmd", NULL);
	reply(200,
		"{\"status\":\"success\",\"data\":{\"commands\":[{\"command\":\"ping\"},{\"command\":\"show "
		"route\"}]}}");
	fails_with(ATTEMPT_UNSUPPORTED, "it offers no traceroute; it has: ping, show route");
	start("rfc8522", NULL, "198.51.100.9");
	reply(200, "<html>hello</html>");
	fails_with(ATTEMPT_UNSUPPORTED, "its answer is not JSON: no looking glass of type rfc8522");
	start("rfc8522", NULL, "198.51.100.9");
	reply(200, "{\"status\":\"success\",\"data\":{}}");
	fails_with(ATTEMPT_FAILED, "its answer has no output");
	start("rfc8522", NULL, "198.51.100.9");
	turn = lg_talk_turn(&talk,
		&(struct lg_reply){.status = 200, .body = "{\"status\":", .length = 10, .partial = true});
	fails_with(ATTEMPT_FAILED, "its answer did not come to an end");
}

/* ---- hyperglass */

#define PAGE(devices)                                                                                        \
	"<script id=\"__NEXT_DATA__\" "                                                                      \
	"type=\"application/json\">{\"props\":{\"config\":{\"devices\":[{\"group\":\"g\","                   \
	"\"locations\":" devices "}]}}}</script>"
#define DIRECTIVES                                                                                           \
	"\"directives\":[{\"id\":\"p1\",\"name\":\"Ping\"},{\"id\":\"t1\",\"name\":\"Traceroute\"}]"

static void test_hyperglass(void **state)
{
	(void)state;
	start("hyperglass", NULL, "198.51.100.9");
	asks("GET", "/?lang=en", NULL);
	reply(200, PAGE("[{\"id\":\"fra\",\"name\":\"Frankfurt\"," DIRECTIVES "}]"));
	asks("POST", "/api/query",
		"{\"queryLocation\":\"fra\",\"queryTarget\":\"198.51.100.9\",\"queryType\":\"t1\"}");
	reply(200,
		"{\"output\":\""
		"1 a\\n"
		"\",\"level\":\"success\",\"format\":\"text/plain\"}");
	assert_string_equal(talk.router, "Frankfurt");
	ends_with("1 a\n");
	start("hyperglass", "paris", "198.51.100.9");
	reply(200, "no data here");
	asks("GET", "/ui/props/", NULL);
	reply(200,
		"{\"devices\":[{\"locations\":[{\"id\":\"x\",\"name\":\"Lyon\"," DIRECTIVES
		"},{\"id\":\"y\",\"name\":\"Paris\"," DIRECTIVES "}]}]}");
	asks("POST", "/api/query",
		"{\"queryLocation\":\"y\",\"queryTarget\":\"198.51.100.9\",\"queryType\":\"t1\"}");
	reply(400, "{\"output\":\"<strong>198.51.100.9</strong> is not allowed.\",\"level\":\"error\"}");
	fails_with(ATTEMPT_REFUSED, "it says: \"198.51.100.9 is not allowed.\"");
}

static void test_hyperglass_guesses(void **state)
{
	(void)state;
	start("hyperglass", NULL, "198.51.100.9");
	reply(200, "");
	reply(404, "");
	asks("GET", "/api/devices", NULL);
	reply(200, "[{\"id\":\"fra\",\"name\":\"Frankfurt\",\"group\":\"g\"}]");
	asks("POST", "/api/query",
		"{\"queryLocation\":\"fra\",\"queryTarget\":\"198.51.100.9\","
		"\"queryType\":\"__hyperglass_juniper_traceroute__\"}");
	reply(400, "{\"output\":\"does not exist\",\"level\":\"warning\"}");
	asks("POST", "/api/query",
		"{\"queryLocation\":\"fra\",\"queryTarget\":\"198.51.100.9\","
		"\"queryType\":\"__hyperglass_cisco_xr_traceroute__\"}");
	reply(200, "{\"output\":\"1 a\\n\",\"level\":\"success\"}");
	ends_with("1 a\n");
	start("hyperglass", NULL, "198.51.100.9");
	reply(200, "");
	reply(404, "");
	reply(200, "[{\"id\":\"fra\",\"name\":\"Frankfurt\"}]");
	for (unsigned i = 0; i < 13; i++)
		reply(400, "{\"output\":\"does not exist\",\"level\":\"warning\"}");
	fails_with(ATTEMPT_UNSUPPORTED, "how it calls its traceroute is not to be found out");
	start("hyperglass", "mars", "198.51.100.9");
	reply(200, PAGE("[{\"id\":\"fra\",\"name\":\"Frankfurt\"," DIRECTIVES "}]"));
	reply(404, "");
	reply(200, "[{\"id\":\"fra\",\"name\":\"Frankfurt\"}]");
	fails_with(ATTEMPT_FAILED, "it has no 'mars'; it has: Frankfurt");
	start("hyperglass", NULL, "198.51.100.9");
	reply(200, PAGE("[{\"id\":\"fra\",\"name\":\"Frankfurt\",\"directives\":[]}]"));
	fails_with(ATTEMPT_UNSUPPORTED, "it offers no traceroute there");
}

/* ---- bird-lg */

static void test_bird(void **state)
{
	(void)state;
	start("bird-lg", NULL, "198.51.100.9");
	asks("POST", "/api/", "{\"servers\":[],\"type\":\"server_list\",\"args\":\"\"}");
	reply(200, "{\"error\":\"\",\"result\":[{\"server\":\"fra1\",\"data\":\"\"},{\"server\":\"b\"}]}");
	asks("POST", "/api/", "{\"servers\":[\"fra1\"],\"type\":\"traceroute\",\"args\":\"198.51.100.9\"}");
	reply(200,
		"{\"error\":\"\",\"result\":[{\"server\":\"fra1\",\"data\":\"1 a\\n\\n2 hops not "
		"responding.\"}]}");
	assert_string_equal(talk.router, "fra1");
	ends_with("1 a\n\n2 hops not responding.");
	start("bird-lg", "ams", "198.51.100.9");
	asks("POST", "/api/", "{\"servers\":[\"ams\"],\"type\":\"traceroute\",\"args\":\"198.51.100.9\"}");
	reply(200, "{\"error\":\"invalid request type\",\"result\":null}");
	fails_with(ATTEMPT_FAILED, "it says: \"invalid request type\"");
	start("bird-lg", "ams", "198.51.100.9");
	reply(405, "no");
	fails_with(ATTEMPT_UNSUPPORTED, "it answered with HTTP 405");
	start("bird-lg-proxy", NULL, "2001:db8::9");
	asks("GET", "/traceroute6?q=2001:db8::9", NULL);
	reply(200, "1 a<br>2 b<br>");
	ends_with("1 a\n2 b\n");
	start("bird-lg-proxy", NULL, "198.51.100.9");
	asks("GET", "/traceroute?q=198.51.100.9", NULL);
	reply(200, "1 <1 ms\n");
	ends_with("1 <1 ms\n");
}

/* ---- gmazoyer and hybula */

static void test_gmazoyer(void **state)
{
	(void)state;
	start("gmazoyer", NULL, "198.51.100.9");
	asks("GET", "/?lang=en", NULL);
	reply(200, "<select name=\"routers\"><option value=\"r 1\" selected>Edge</option></select>");
	asks("POST", "/execute.php", "query=traceroute&routers=r%201&parameter=198.51.100.9&dontlook=");
	assert_string_equal(talk.request.content_type, "application/x-www-form-urlencoded");
	reply(200, "{\"result\":\"<p><kbd>x<\\/kbd><\\/p><pre>1 a\\n2 &lt;b<\\/pre>\"}");
	assert_string_equal(talk.router, "Edge");
	ends_with("\nx\n\n1 a\n2 <b\n");
	start("gmazoyer", NULL, "198.51.100.9");
	reply(200, "<select name=routers><option value=r></select>");
	reply(200, "{\"error\":\"Try again in 6 seconds.\"}");
	fails_with(ATTEMPT_REFUSED, "it says: \"Try again in 6 seconds.\"");
	start("gmazoyer", NULL, "198.51.100.9");
	reply(200, "<select name=routers><option value=r></select>");
	reply(200, "Spam detected");
	fails_with(ATTEMPT_REFUSED, "it says: \"Spam detected\"");
	start("gmazoyer", NULL, "198.51.100.9");
	reply(200, "<html>");
	fails_with(ATTEMPT_UNSUPPORTED, "its page offers no router: no looking glass of this type");
}

static void test_hybula(void **state)
{
	const char *page =
		"<input name=csrfToken value=t0k><select name=backendMethod><option>traceroute</select>";
	(void)state;
	start("hybula", NULL, "198.51.100.9");
	reply(200, page);
	asks("POST", "/?lang=en",
		"csrfToken=t0k&backendMethod=traceroute&targetHost=198.51.100.9&submitForm=&checkTerms=on");
	reply(200, page);
	asks("GET", "/backend.php", NULL);
	reply(200, "traceroute to x<br />      &nbsp;1  a  &lt;1 ms<br />");
	ends_with("traceroute to x\n       1  a  <1 ms\n");
	start("hybula", NULL, "198.51.100.9");
	reply(200, page);
	reply(200, "<div class=\"alert alert-danger mt-3\" role=\"alert\">No valid IPv4 provided.</div>");
	fails_with(ATTEMPT_REFUSED, "it says: \"No valid IPv4 provided.\"");
	start("hybula", NULL, "2001:db8::9");
	reply(200, page);
	fails_with(ATTEMPT_UNSUPPORTED, "it offers no traceroute6");
	start("hybula", NULL, "198.51.100.9");
	reply(200, "<html>");
	fails_with(ATTEMPT_UNSUPPORTED, "its page has no form with a token: no looking glass of this type");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_common),
		cmocka_unit_test(test_rfc8522),
		cmocka_unit_test(test_rfc8522_refusals),
		cmocka_unit_test(test_hyperglass),
		cmocka_unit_test(test_hyperglass_guesses),
		cmocka_unit_test(test_bird),
		cmocka_unit_test(test_gmazoyer),
		cmocka_unit_test(test_hybula),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
