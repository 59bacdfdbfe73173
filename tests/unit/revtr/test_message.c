/* Messages there and back, and all that is not one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "revtr/message.h"

static void test_topics(void **state)
{
	char topic[TOPIC_SIZE], name[AGENT_NAME_SIZE];
	(void)state;
	assert_string_equal(topic_of(topic, "vp1", "task"), "retour/1/agent/vp1/task");
	assert_true(topic_agent("retour/1/agent/vp-1.lab/answer", name));
	assert_string_equal(name, "vp-1.lab");
	assert_false(topic_agent("retour/1/agent//answer", name));
	assert_false(topic_agent("retour/1/agent/vp1", name));
	assert_false(topic_agent("retour/2/agent/vp1/answer", name));
	assert_false(agent_name_good("a/b"));
	assert_false(agent_name_good("#"));
	assert_false(agent_name_good(""));
}

static void test_orders(void **state)
{
	struct agent_order order = {.task = {.id = 4000000000u, .probe = REVTR_TRACEROUTE, .spoofed = true,
					    .target = addr_v4(0xcb007101)},
		.source = addr_v4(0xc6336401), .tag = 0xfedcba9876543210};
	struct agent_order read;
	(void)state;
	char *text = order_to_json(&order);
	assert_non_null(text);
	assert_true(order_from_json(text, strlen(text), &read));
	assert_int_equal(read.task.id, 4000000000u);
	assert_int_equal(read.task.probe, REVTR_TRACEROUTE);
	assert_true(read.task.spoofed);
	assert_true(addr_equal(read.task.target, order.task.target));
	assert_true(addr_equal(read.source, order.source));
	assert_true(read.tag == order.tag);
	for (size_t length = 0; length < strlen(text); length++)
		assert_false(order_from_json(text, length, &read));
	free(text);
}

static void test_words_of_probes(void **state)
{
	static const char *const words[] = {[REVTR_RR_PING] = "\"rr-ping\"", [REVTR_TRACEROUTE] = "\"traceroute\"",
		[REVTR_CHALLENGE] = "\"challenge\"", [REVTR_RR_UDP] = "\"rr-udp\"", [REVTR_PING] = "\"ping\""};
	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!words[i])
			continue; /* those with more to say have their own tests */
		struct agent_order order = {.task = {.id = 1, .probe = (enum revtr_probe)i, .target = addr_v4(0xcb007101)},
			.source = addr_v4(0xc6336401)};
		struct agent_order read;
		char *text = order_to_json(&order);
		assert_non_null(text);
		assert_non_null(strstr(text, words[i]));
		assert_true(order_from_json(text, strlen(text), &read));
		assert_int_equal(read.task.probe, i);
		free(text);
	}
}

static void test_answers(void **state)
{
	struct revtr_answer list = {.task = 7, .answered = true, .from = addr_v4(1), .reply_ttl = 61,
		.reply = {.present = true, .type = 7, .slots = 9, .used = 2, .addrs = {addr_v4(0x01020304), addr_v4(5)}}};
	struct revtr_answer trace = {.task = 8, .answered = true, .reached = true, .trace_count = 3,
		.trace = {addr_v4(1), ADDR_NONE, addr_v4(3)}, .trace_ttl = {255, 0, 62}};
	struct revtr_answer read;
	(void)state;
	char *text = answer_to_json(&list);
	assert_true(answer_from_json(text, strlen(text), &read));
	assert_int_equal(read.reply.used, 2);
	assert_int_equal(read.reply.addrs[0].low, 0x01020304);
	assert_int_equal(read.reply_ttl, 61);
	free(text);
	text = answer_to_json(&trace);
	assert_true(answer_from_json(text, strlen(text), &read));
	assert_int_equal(read.trace_count, 3);
	assert_false(addr_is_set(read.trace[1]));
	assert_int_equal(read.trace_ttl[0], 255);
	assert_int_equal(read.trace_ttl[1], 0);
	assert_int_equal(read.trace_ttl[2], 62);
	assert_true(read.reached);
	free(text);
	text = refusal_to_json(9, AGENT_VETO);
	assert_true(answer_from_json(text, strlen(text), &read));
	assert_int_equal(read.task, 9);
	assert_false(read.answered);
	free(text);
}

static void test_timestamps(void **state)
{
	struct agent_order order = {.task = {.id = 5, .probe = REVTR_TS_PING, .target = addr_v4(0xcb007101), .listed_count = 2,
					    .listed = {addr_v4(0xcb007101), addr_v4(0xc6336409)}},
		.source = addr_v4(0xc6336401)};
	struct revtr_answer answer = {.task = 5, .answered = true, .from = addr_v4(0xcb007101), .reply_ttl = 61,
		.times = {.present = true, .flag = 3, .slots = 2, .used = 1, .addrs = {addr_v4(0xcb007101), addr_v4(0xc6336409)},
			.times = {0x80000001}}};
	static const char *const bad[] = {
		"{\"task\":1,\"probe\":\"ts-ping\",\"target\":\"1.2.3.4\",\"source\":\"1.2.3.5\",\"tag\":\"0123456789abcdef\"}",
		"{\"task\":1,\"probe\":\"ts-ping\",\"target\":\"1.2.3.4\",\"source\":\"1.2.3.5\",\"tag\":\"0123456789abcdef\","
		"\"listed\":[\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\",\"1.1.1.1\"]}",
		"{\"task\":1,\"probe\":\"ts-ping\",\"target\":\"1.2.3.4\",\"source\":\"1.2.3.5\",\"tag\":\"0123456789abcdef\","
		"\"listed\":[\"::1\"]}"};
	static const char *const bad_answers[] = {
		"{\"task\":1,\"from\":\"1.2.3.4\",\"ttl\":1,\"times\":{\"listed\":[\"1.1.1.1\"],\"stamps\":[1,2]}}",
		"{\"task\":1,\"from\":\"1.2.3.4\",\"ttl\":1,\"times\":{\"listed\":[\"1.1.1.1\"],\"stamps\":[-1]}}",
		"{\"task\":1,\"from\":\"1.2.3.4\",\"ttl\":1,\"times\":{\"listed\":[],\"stamps\":[]}}",
		"{\"task\":1,\"from\":\"1.2.3.4\",\"ttl\":1,\"times\":{\"listed\":[\"1.1.1.1\"]}}"};
	struct agent_order read;
	struct revtr_answer heard;
	(void)state;
	char *text = order_to_json(&order);
	assert_true(order_from_json(text, strlen(text), &read));
	assert_int_equal(read.task.probe, REVTR_TS_PING);
	assert_int_equal(read.task.listed_count, 2);
	assert_true(addr_equal(read.task.listed[1], order.task.listed[1]));
	free(text);
	text = answer_to_json(&answer);
	assert_true(answer_from_json(text, strlen(text), &heard));
	assert_true(heard.times.present && heard.times.slots == 2 && heard.times.used == 1);
	assert_int_equal(heard.times.flag, 3);
	assert_int_equal(heard.times.times[0], 0x80000001);
	assert_true(addr_equal(heard.times.addrs[1], order.task.listed[1]));
	assert_int_equal(heard.reply_ttl, 61);
	free(text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(order_from_json(bad[i], strlen(bad[i]), &read));
	for (size_t i = 0; i < sizeof(bad_answers) / sizeof(*bad_answers); i++)
		assert_false(answer_from_json(bad_answers[i], strlen(bad_answers[i]), &heard));
}

static void test_nonsense(void **state)
{
	static const char *const texts[] = {"", "[]", "{}", "null", "{\"task\":0}", "{\"task\":-1,\"trace\":[]}",
		"{\"task\":1}", "{\"task\":1,\"from\":\"x\",\"ttl\":1}", "{\"task\":1,\"from\":\"1.2.3.4\",\"ttl\":256}",
		"{\"task\":1,\"from\":\"1.2.3.4\",\"ttl\":1,\"list\":{\"slots\":10,\"stamps\":[]}}",
		"{\"task\":1,\"from\":\"1.2.3.4\",\"ttl\":1,\"list\":{\"slots\":1,\"stamps\":[\"1.1.1.1\",\"2.2.2.2\"]}}",
		"{\"task\":1,\"trace\":\"long\"}", "{\"task\":4294967296,\"trace\":[]}"};
	struct revtr_answer answer;
	struct agent_order order;
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (answer_from_json(texts[i], strlen(texts[i]), &answer))
			fail_msg("taken: %s", texts[i]);
		assert_false(order_from_json(texts[i], strlen(texts[i]), &order));
	}
}

static void test_status(void **state)
{
	struct agent_status status = {.online = true, .may_spoof = true, .address = addr_v4(0xcb007105),
		.sources = {addr_v4(0xcb007105)}, .source_count = 1};
	struct agent_status read;
	(void)state;
	char *text = status_to_json(&status);
	assert_true(status_from_json(text, strlen(text), &read));
	assert_true(read.online && read.may_spoof);
	assert_int_equal(read.source_count, 1);
	free(text);
	assert_true(status_from_json("{\"online\":false}", 16, &read));
	assert_false(read.online);
	assert_false(status_from_json("offline", 7, &read));
}

/* What it says does not fit; it is cut between characters, so that it can be said again. */
static void test_long_trouble(void **state)
{
	(void)state;
	for (size_t before = 0; before < 2; before++) {
		struct agent_status status, again;
		char text[1000] = "{\"online\":true,\"trouble\":\"", *told;
		for (size_t i = 0; i < before; i++)
			strcat(text, "x");
		for (size_t i = 0; i < 200; i++)
			strcat(text, "\u00e9");
		strcat(text, "\"}");
		assert_true(status_from_json(text, strlen(text), &status));
		assert_int_equal(strlen(status.trouble), (sizeof(status.trouble) - 1 - before) / 2 * 2 + before);
		assert_non_null(told = status_to_json(&status));
		assert_true(status_from_json(told, strlen(told), &again));
		assert_string_equal(again.trouble, status.trouble);
		free(told);
	}
}

static void test_keys_and_nonces(void **state)
{
	struct agent_keys keys = {.sources = {addr_v4(0xc6336407), addr_v4(5)}, .keys = {{0x1122334455667788, 2}, {3, 4}}, .count = 2};
	struct agent_keys read;
	struct revtr_answer nonce = {.task = 6, .answered = true, .nonce = 0x00ff}, heard;
	(void)state;
	char *text = keys_to_json(&keys);
	assert_non_null(strstr(text, "\"11223344556677880000000000000002\""));
	assert_true(keys_from_json(text, strlen(text), &read));
	assert_int_equal(read.count, 2);
	assert_true(read.keys[0].k0 == keys.keys[0].k0 && read.keys[1].k1 == 4);
	for (size_t length = 0; length < strlen(text); length++)
		assert_false(keys_from_json(text, length, &read));
	free(text);
	static const char short_key[] = "{\"keys\":[{\"source\":\"192.0.2.1\",\"key\":\"00\"}]}";
	assert_false(keys_from_json(short_key, sizeof(short_key) - 1, &read));
	text = answer_to_json(&nonce);
	assert_true(answer_from_json(text, strlen(text), &heard));
	assert_true(heard.answered && heard.nonce == 0x00ff);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_topics),
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_words_of_probes),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_timestamps),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_long_trouble),
		cmocka_unit_test(test_keys_and_nonces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
