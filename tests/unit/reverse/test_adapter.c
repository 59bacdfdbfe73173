/* Adapter files, and the forms that they fill in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reverse/adapter.h"
#include "reverse/lg.h"

#define HEAD "name: Harbour\nbase_url: https://lg.example/x/\ntarget_key: host\n"
#define FORM                                                                                                 \
	HEAD "cmd_key: cmd\ncmd_value: tr\ncmd_value6: tr6\nrouter_key: pop\nrouter_map:\n"                  \
	     "  - {id: lon, city: London, asn: 64510}\n  - {id: par, city: Paris}\n"                         \
	     "fields:\n  - {name: go, value: a&b}\n"

static struct lg_talk talk;
static struct settings_looking_glass glass;
static char file[] = "/tmp/retour-adapter-XXXXXX";

static void write_file(const char *text)
{
	FILE *out = fopen(file, "w");
	fputs(text, out);
	fclose(out);
}

static enum lg_turn start(const char *text, const char *location, struct addr to)
{
	struct error error = {0};
	write_file(text);
	glass = (struct settings_looking_glass){.name = (char *)"h",
		.type = (char *)"adapter",
		.adapter = file,
		.location = (char *)location};
	if (lg_talk_init(&talk, &glass, to, &error) < 0)
		fail_msg("%s", error.text);
	return lg_talk_turn(&talk, NULL);
}

static enum lg_turn reply(const char *body)
{
	return lg_talk_turn(&talk, &(struct lg_reply){.status = 200, .body = body, .length = strlen(body)});
}

static void test_by_hand(void **state)
{
	(void)state;
	assert_int_equal(start(FORM, "paris", addr_v4(0xc6336409)), LG_FAILED);
	assert_int_equal(talk.status, ATTEMPT_UNAVAILABLE);
	assert_string_equal(talk.detail,
		"it is not for programs; by hand: open https://lg.example/x/, choose Paris, "
		"traceroute to 198.51.100.9: what it prints is the way back");
	lg_talk_deinit(&talk);
	assert_int_equal(start(FORM "tos_allows_automation: true\n", "rome", addr_v4(0xc6336409)), LG_FAILED);
	assert_string_equal(talk.detail, "its adapter has no router 'rome'");
	lg_talk_deinit(&talk);
}

static void test_post(void **state)
{
	(void)state;
	assert_int_equal(
		start(FORM "tos_allows_automation: true\npath: /run\n", NULL, addr_v4(0xc6336409)), LG_ASK);
	assert_string_equal(talk.request.url, "https://lg.example/x/run");
	assert_string_equal(talk.request.body, "host=198.51.100.9&cmd=tr&pop=lon&go=a%26b");
	assert_int_equal(reply("<p>1</p><pre>1 a &lt;1 ms\n2 b\n</pre>"), LG_ANSWER);
	assert_string_equal(talk.text, "1 a <1 ms\n2 b\n");
	assert_string_equal(talk.router, "London");
	lg_talk_deinit(&talk);
}

static void test_get_with_token(void **state)
{
	(void)state;
	assert_int_equal(start(FORM "tos_allows_automation: true\nmethod: GET\npath: run?x=1\ntoken_page: /\n"
				    "token_field: csrf\nresult_extract: json:data.lines\n",
				 "PARIS", addr_v6(0x20010db800000000, 9)),
		LG_ASK);
	assert_string_equal(talk.request.url, "https://lg.example/x/");
	assert_int_equal(reply("<input name=csrf value='t&amp;1'>"), LG_ASK);
	assert_string_equal(talk.request.method, "GET");
	assert_string_equal(talk.request.url,
		"https://lg.example/x/run?x=1&host=2001%3Adb8%3A%3A9&cmd=tr6&pop=par&csrf=t%261&go=a%26b");
	assert_int_equal(reply("{\"data\":{\"lines\":[\"1 a\",\"2 b\"]}}"), LG_ANSWER);
	assert_string_equal(talk.text, "1 a\n2 b\n");
	lg_talk_deinit(&talk);
	start(FORM "tos_allows_automation: true\ntoken_page: /\ntoken_field: csrf\n", NULL, addr_v4(1));
	assert_int_equal(reply("<html>new design"), LG_FAILED);
	assert_string_equal(talk.detail, "its page has no field 'csrf': the adapter is out of date");
	lg_talk_deinit(&talk);
}

static void refused(const char *text, const char *why)
{
	struct adapter *adapter;
	struct error error = {0};
	assert_true(adapter_parse(&adapter, "a.yaml", text, &error) < 0);
	assert_null(adapter);
	if (!strstr(error.text, why))
		fail_msg("'%s' is not in: %s", why, error.text);
}

static void test_mistakes(void **state)
{
	struct adapter *adapter;
	struct error error = {0};
	(void)state;
	refused("", "nothing in it");
	refused("name: x\n", "base_url");
	refused(HEAD "colour: red\n", "colour");
	refused(HEAD "method: PUT\n", "method: expected GET or POST");
	refused(HEAD "cmd_key: x\n", "cmd_key and cmd_value");
	refused(HEAD "token_field: x\n", "token_page and token_field");
	refused(HEAD "router_key: x\n", "router_map");
	refused(HEAD "parser: swedish\n", "parser: expected one of the dialects");
	refused(HEAD "result_extract: magic\n", "result_extract");
	refused("name: x\ntarget_key: h\nbase_url: ftp://x\n", "base_url: expected https://");
	assert_true(adapter_load(&adapter, "/nowhere/at/all", &error) < 0);
	assert_string_equal(error.text, "adapter /nowhere/at/all: No such file or directory");
	assert_true(adapter_load(&adapter, NULL, &error) < 0);
	adapter_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_hand),
		cmocka_unit_test(test_post),
		cmocka_unit_test(test_get_with_token),
		cmocka_unit_test(test_mistakes),
	};
	int fd = mkstemp(file);
	int failed = fd < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
	close(fd);
	unlink(file);
	return failed;
}
