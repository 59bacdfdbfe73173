/* Trials between three agents: who sends, who stands at the target, who stands at the address in whose name
 * it is sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "revtr/agent.h"
#include "revtr/message.h"

#define SENDER addr_v4(0xcb007105)
#define NAME   addr_v4(0xc6336407)
#define TARGET addr_v4(0xc0000209)
#define ROUTER addr_v4(0xcb0071fe)
#define NOW_NS (3600 * NS_PER_S)
#define TASK   0x92345678u

static const struct hash_key name_key = {1, 2}, target_key = {3, 4};

static struct agent *agent_at(struct addr own, const struct hash_key *key, bool spoof)
{
	struct agent_rules rules = {.spoof = spoof, .per_day = 3};
	struct agent *agent = agent_new(&rules, own, key, &own, 1);
	assert_non_null(agent);
	return agent;
}

static struct agent_order trial(bool spoofed, uint8_t ttl)
{
	struct addr source = spoofed ? NAME : SENDER;
	return (struct agent_order){
		.task = {.id = TASK,
			.probe = REVTR_TRIAL,
			.spoofed = spoofed,
			.target = TARGET,
			.ttl = ttl,
			.options = true},
		.source = source,
		.tag = agent_tag(name_key, source, TARGET, TASK),
		.target_tag = agent_tag(target_key, TARGET, TARGET, TASK),
	};
}

static struct packet sent_by(struct agent *agent, struct outgoing *out, int error)
{
	struct machine machine = agent_machine(agent);
	struct packet packet;
	int64_t wake_ns;
	assert_int_equal(machine.ops->next(machine.self, NOW_NS, out, &wake_ns), MACHINE_SEND);
	assert_int_equal(packet_read(out->bytes, out->length, &packet), 0);
	machine.ops->sent(machine.self, out->token, NOW_NS, error);
	machine.ops->sent(machine.self, out->token, NOW_NS, error); /* the driver knows a better time */
	return packet;
}

static void hears(struct agent *agent, const struct packet *packet)
{
	struct machine machine = agent_machine(agent);
	machine.ops->packet(machine.self, NOW_NS, packet);
}

static void tells(struct agent *agent, enum revtr_seen seen, struct addr from)
{
	struct revtr_answer answer, read;
	assert_true(agent_answer(agent, &answer));
	/* As it arrives on the other side of the bus. */
	char *text = answer_to_json(&answer);
	assert_non_null(text);
	assert_true(answer_from_json(text, strlen(text), &read));
	free(text);
	assert_int_equal(read.task, TASK);
	assert_int_equal(read.seen, seen);
	assert_true(addr_equal(read.from, from));
	assert_int_equal(read.reply.present, answer.reply.present);
	assert_int_equal(read.error, answer.error);
	assert_false(agent_answer(agent, &answer));
}

static void tells_nothing(struct agent *agent)
{
	struct revtr_answer answer;
	assert_false(agent_answer(agent, &answer));
}

static struct packet reply_to(const struct packet *request)
{
	struct packet reply = *request;
	reply.ip.source = request->ip.destination;
	reply.ip.destination = request->ip.source;
	reply.transport.icmp_type = ICMP4_ECHO_REPLY;
	reply.transport.icmp_kind = ICMP_ECHO_REPLY;
	return reply;
}

/* A router quotes the IP header and eight bytes (RFC 792). */
static struct packet exceeded(const struct packet *request)
{
	struct packet packet = {.has_quote = true, .quoted_ip = request->ip, .quoted = request->transport};
	packet.ip = (struct ip_header){
		.source = ROUTER, .destination = request->ip.source, .ttl = 250, .protocol = PROTOCOL_ICMP};
	packet.transport.icmp_kind = ICMP_TIME_EXCEEDED;
	packet.quoted.payload = NULL;
	packet.quoted.payload_length = 0;
	return packet;
}

/* The order as an agent gets it. */
static struct agent_order told(struct agent_order order)
{
	struct agent_order read;
	char *text = order_to_json(&order);
	assert_non_null(text);
	assert_true(order_from_json(text, strlen(text), &read));
	free(text);
	assert_int_equal(read.target_tag, order.target_tag);
	assert_int_equal(read.task.ttl, order.task.ttl);
	assert_true(read.task.options);
	return read;
}

static void test_all_that_see_it_tell(void **state)
{
	struct agent *sender = agent_at(SENDER, NULL, true), *name = agent_at(NAME, &name_key, false),
		     *target = agent_at(TARGET, &target_key, false);
	struct agent_order order = told(trial(true, 64));
	struct outgoing out;
	(void)state;
	assert_int_equal(agent_do(sender, &order, NOW_NS), AGENT_TAKEN);
	struct packet request = sent_by(sender, &out, 0);
	assert_true(addr_equal(request.ip.source, NAME));
	assert_int_equal(request.ip.ttl, 64);
	assert_true(request.ip.route.present);
	tells(sender, REVTR_SEEN_SENT, ADDR_NONE);
	hears(target, &request);
	tells(target, REVTR_SEEN_REQUEST, NAME);
	struct packet reply = reply_to(&request);
	hears(name, &reply);
	tells(name, REVTR_SEEN_REPLY, TARGET);
	struct packet gone = exceeded(&request);
	hears(name, &gone);
	tells(name, REVTR_SEEN_EXCEEDED, ROUTER);
	/* It is nobody else's business. */
	hears(sender, &reply);
	hears(sender, &gone);
	hears(name, &request);
	hears(target, &reply);
	tells_nothing(sender);
	tells_nothing(name);
	tells_nothing(target);
	assert_int_equal(agent_counters(sender).spoofed, 1);
	agent_free(sender);
	agent_free(name);
	agent_free(target);
}

/* What it sends in its own name it knows again without any key, as others see it under another address. */
static void test_own_ones_are_remembered(void **state)
{
	struct agent *sender = agent_at(SENDER, NULL, false), *target = agent_at(TARGET, &target_key, false);
	struct agent_order order = told(trial(false, 3));
	struct outgoing out;
	(void)state;
	assert_int_equal(agent_do(sender, &order, NOW_NS), AGENT_TAKEN);
	struct packet request = sent_by(sender, &out, 0), gone = exceeded(&request),
		      reply = reply_to(&request);
	assert_int_equal(request.ip.ttl, 3);
	tells(sender, REVTR_SEEN_SENT, ADDR_NONE);
	hears(sender, &gone);
	tells(sender, REVTR_SEEN_EXCEEDED, ROUTER);
	hears(sender, &reply);
	tells(sender, REVTR_SEEN_REPLY, TARGET);
	request.ip.source = ROUTER;
	hears(target, &request);
	tells(target, REVTR_SEEN_REQUEST, ROUTER);
	agent_free(sender);
	agent_free(target);
}

static void test_forged_ones_are_not_told(void **state)
{
	struct agent *sender = agent_at(SENDER, NULL, true), *name = agent_at(NAME, &name_key, false),
		     *target = agent_at(TARGET, &target_key, false);
	struct agent_order order = trial(true, 64);
	struct outgoing out;
	(void)state;
	order.tag ^= 1;
	order.target_tag ^= 1;
	assert_int_equal(agent_do(sender, &order, NOW_NS), AGENT_TAKEN);
	struct packet request = sent_by(sender, &out, 0), reply = reply_to(&request),
		      gone = exceeded(&request);
	tells(sender, REVTR_SEEN_SENT, ADDR_NONE);
	hears(target, &request);
	hears(name, &reply);
	hears(name, &gone);
	/* What a stranger makes up, of a task that its sender knows. */
	gone.quoted_ip.id = 0x8000;
	hears(name, &gone);
	tells_nothing(target);
	tells_nothing(name);
	agent_free(sender);
	agent_free(name);
	agent_free(target);
}

static void test_what_does_not_leave(void **state)
{
	struct agent *sender = agent_at(SENDER, NULL, true);
	struct agent_order order = trial(true, 64);
	struct revtr_answer answer;
	struct outgoing out;
	(void)state;
	assert_int_equal(agent_do(sender, &order, NOW_NS), AGENT_TAKEN);
	sent_by(sender, &out, -EPERM);
	assert_true(agent_answer(sender, &answer));
	assert_int_equal(answer.seen, REVTR_SEEN_FAILED);
	assert_int_equal(answer.error, -EPERM);
	tells_nothing(sender);
	agent_free(sender);
}

static void test_the_owners_word(void **state)
{
	struct agent *plain = agent_at(SENDER, NULL, false);
	struct prefix veto = prefix_of(NAME, 32);
	struct agent_rules rules = {.spoof = true, .veto = &veto, .veto_count = 1};
	struct agent *vetoing = agent_new(&rules, SENDER, NULL, NULL, 0);
	struct agent_order own = trial(false, 64), others = trial(true, 64);
	(void)state;
	assert_non_null(vetoing);
	assert_int_equal(agent_do(plain, &others, NOW_NS), AGENT_NO_SPOOFING);
	assert_int_equal(agent_do(vetoing, &others, NOW_NS), AGENT_VETO);
	/* Trials are packets of the day as all others are. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(agent_do(plain, &own, NOW_NS), AGENT_TAKEN);
	assert_int_equal(agent_do(plain, &own, NOW_NS), AGENT_BUDGET);
	own.task.ttl = 0;
	assert_int_equal(agent_do(vetoing, &own, NOW_NS), AGENT_BAD);
	agent_free(plain);
	agent_free(vetoing);
}

static void test_nonsense(void **state)
{
	static const char *const answers[] = {
		"{\"task\":7,\"seen\":\"elsewhere\",\"from\":\"192.0.2.1\",\"ttl\":3}",
		"{\"task\":7,\"seen\":\"nothing\",\"from\":\"192.0.2.1\",\"ttl\":3}",
		"{\"task\":7,\"seen\":\"request\",\"ttl\":3}",
		"{\"task\":7,\"seen\":\"request\",\"from\":\"2001:db8::1\",\"ttl\":3}",
		"{\"task\":7,\"seen\":\"reply\",\"from\":\"192.0.2.1\",\"ttl\":256}",
		"{\"task\":7,\"seen\":\"failed\",\"errno\":0}",
		"{\"task\":7,\"seen\":\"failed\",\"errno\":-1}",
		"{\"task\":7,\"seen\":3}",
	};
	static const char *const orders[] = {
		"{\"task\":7,\"probe\":\"trial\",\"target\":\"192.0.2.1\",\"source\":\"192.0.2.2\",\"tag\":"
		"\"0123456789abcdef\",\"ttl\":3}",
		"{\"task\":7,\"probe\":\"trial\",\"target\":\"192.0.2.1\",\"source\":\"192.0.2.2\",\"tag\":"
		"\"0123456789abcdef\",\"target_"
		"tag\":\"0123456789abcdef\",\"ttl\":0}",
		"{\"task\":7,\"probe\":\"trial\",\"target\":\"192.0.2.1\",\"source\":\"192.0.2.2\",\"tag\":"
		"\"0123456789abcdef\",\"target_"
		"tag\":\"0123456789abcdeg\",\"ttl\":9}",
	};
	struct revtr_answer answer;
	struct agent_order order;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		assert_false(answer_from_json(answers[i], strlen(answers[i]), &answer));
	for (size_t i = 0; i < ARRAY_LEN(orders); i++)
		assert_false(order_from_json(orders[i], strlen(orders[i]), &order));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_that_see_it_tell),
		cmocka_unit_test(test_own_ones_are_remembered),
		cmocka_unit_test(test_forged_ones_are_not_told),
		cmocka_unit_test(test_what_does_not_leave),
		cmocka_unit_test(test_the_owners_word),
		cmocka_unit_test(test_nonsense),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
