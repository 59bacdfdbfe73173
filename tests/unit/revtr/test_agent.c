/* A vantage point: what it sends, what it believes, what its owner forbids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "revtr/agent.h"

#define OWN	addr_v4(0xcb007105)
#define SOURCE	addr_v4(0xc6336407)
#define TARGET	addr_v4(0xc0000209)
#define NOW_NS	(3600 * NS_PER_S)

static const struct hash_key key = {1, 2};

static struct agent *agent_with(const struct agent_rules *rules)
{
	struct addr source = SOURCE;
	struct agent *agent = agent_new(rules, OWN, &key, &source, 1);
	assert_non_null(agent);
	return agent;
}

static struct agent_order order(uint32_t task, bool spoofed)
{
	return (struct agent_order){
		.task = {.id = task, .probe = REVTR_RR_PING, .spoofed = spoofed, .target = TARGET},
		.source = SOURCE,
		.tag = agent_tag(key, SOURCE, TARGET, task),
	};
}

static bool sends(struct agent *agent, int64_t now_ns, struct outgoing *out, struct packet *packet)
{
	struct machine machine = agent_machine(agent);
	int64_t wake_ns;
	if (machine.ops->next(machine.self, now_ns, out, &wake_ns) != MACHINE_SEND)
		return false;
	assert_int_equal(packet_read(out->bytes, out->length, packet), 0);
	machine.ops->sent(machine.self, out->token, now_ns, 0);
	return true;
}

/* What the target makes of an echo request: it goes to whose name it carries, with a list. */
static void reply_to(const struct packet *request, struct packet *reply)
{
	*reply = *request;
	reply->ip.source = request->ip.destination;
	reply->ip.destination = request->ip.source;
	reply->ip.ttl = 60;
	reply->ip.route.used = 3;
	reply->transport.icmp_type = ICMP4_ECHO_REPLY;
	reply->transport.icmp_kind = ICMP_ECHO_REPLY;
}

static void hears(struct agent *agent, const struct packet *packet)
{
	struct machine machine = agent_machine(agent);
	machine.ops->packet(machine.self, NOW_NS, packet);
}

/* One agent sends in the name of the source, another stands there: it knows the answer though nobody told it. */
static void test_answers_are_known_without_being_told(void **state)
{
	struct agent_rules may = {.spoof = true}, plain = {0};
	struct agent *sender = agent_with(&may), *receiver = agent_with(&plain);
	struct agent_order task = order(0x12345678, true);
	struct outgoing out;
	struct packet request, reply;
	struct revtr_answer answer;
	(void)state;
	assert_int_equal(agent_do(sender, &task, NOW_NS), AGENT_TAKEN);
	assert_true(sends(sender, NOW_NS, &out, &request));
	assert_true(addr_equal(request.ip.source, SOURCE));
	assert_true(request.ip.route.present);
	assert_int_equal(request.ip.route.slots, 9);
	reply_to(&request, &reply);
	/* From another address of the target: that is no reason to doubt it. */
	reply.ip.source = addr_add(TARGET, 1);
	hears(receiver, &reply);
	assert_true(agent_answer(receiver, &answer));
	assert_int_equal(answer.task, 0x12345678);
	assert_int_equal(answer.reply.used, 3);
	assert_int_equal(answer.reply_ttl, 60);
	assert_false(agent_answer(receiver, &answer));
	agent_free(sender);
	agent_free(receiver);
}

/* RFC 791 3.1: type 68, length, pointer to the first address, no overflow and flag 3, then addresses and room for times. */
static void test_prespecified_timestamps(void **state)
{
	static const uint8_t option[] = {68, 20, 5, 3, 192, 0, 2, 9, 0, 0, 0, 0, 203, 0, 113, 65, 0, 0, 0, 0};
	struct agent_rules may = {.spoof = true}, plain = {0};
	struct agent *sender = agent_with(&may), *receiver = agent_with(&plain);
	struct agent_order task = order(9, true);
	struct outgoing out;
	struct packet request, reply;
	struct revtr_answer answer;
	(void)state;
	task.task.probe = REVTR_TS_PING;
	assert_int_equal(agent_do(sender, &task, NOW_NS), AGENT_BAD);
	task.task.listed_count = REVTR_LISTED_MAX + 1;
	assert_int_equal(agent_do(sender, &task, NOW_NS), AGENT_BAD);
	task.task.listed_count = 2;
	task.task.listed[0] = TARGET;
	task.task.listed[1] = addr_v4(0xcb007141);
	assert_int_equal(agent_do(sender, &task, NOW_NS), AGENT_TAKEN);
	assert_true(sends(sender, NOW_NS, &out, &request));
	assert_int_equal(out.bytes[0], 0x45 + sizeof(option) / 4);
	assert_memory_equal(out.bytes + 20, option, sizeof(option));
	assert_true(addr_equal(request.ip.source, SOURCE));
	reply_to(&request, &reply);
	reply.ip.timestamp.used = 1;
	reply.ip.timestamp.times[0] = 4242;
	hears(receiver, &reply);
	assert_true(agent_answer(receiver, &answer));
	assert_int_equal(answer.task, 9);
	assert_int_equal(answer.times.used, 1);
	assert_int_equal(answer.times.times[0], 4242);
	assert_true(addr_equal(answer.times.addrs[1], task.task.listed[1]));
	agent_free(sender);
	agent_free(receiver);
}

/* No options; how far away the answer came from is told. */
static void test_plain_ping(void **state)
{
	struct agent_rules plain = {0};
	struct agent *agent = agent_with(&plain);
	struct agent_order task = order(10, false);
	struct outgoing out;
	struct packet request, reply;
	struct revtr_answer answer;
	(void)state;
	task.task.probe = REVTR_PING;
	task.task.target = TARGET;
	assert_int_equal(agent_do(agent, &task, NOW_NS), AGENT_TAKEN);
	assert_true(sends(agent, NOW_NS, &out, &request));
	assert_int_equal(out.bytes[0], 0x45);
	assert_int_equal(request.transport.icmp_type, 8);
	reply_to(&request, &reply);
	reply.ip.destination = SOURCE;
	reply.ip.ttl = 57;
	hears(agent, &reply);
	assert_true(agent_answer(agent, &answer));
	assert_int_equal(answer.task, 10);
	assert_int_equal(answer.reply_ttl, 57);
	assert_false(answer.reply.present);
	agent_free(agent);
}

static void test_forged_answers_are_refused(void **state)
{
	struct agent_rules may = {.spoof = true};
	struct agent *agent = agent_with(&may);
	struct agent_order forged = order(7, true);
	struct outgoing out;
	struct packet request, reply;
	struct revtr_answer answer;
	(void)state;
	forged.tag ^= 1;
	assert_int_equal(agent_do(agent, &forged, NOW_NS), AGENT_TAKEN);
	assert_true(sends(agent, NOW_NS, &out, &request));
	reply_to(&request, &reply);
	hears(agent, &reply);
	assert_false(agent_answer(agent, &answer));
	assert_int_equal(agent_counters(agent).foreign, 1);
	/* Every cut of the payload is somebody else's ping. */
	for (size_t length = 0; length < 24; length++) {
		reply.transport.payload_length = length;
		hears(agent, &reply);
	}
	assert_false(agent_answer(agent, &answer));
	agent_free(agent);
}

/* Only who stands at the address learns the nonce; nobody else's requests are taken for it. */
static void test_challenge(void **state)
{
	struct agent_rules plain = {0};
	struct addr here = TARGET;
	struct agent *sender = agent_with(&plain), *owner = agent_new(&plain, TARGET, NULL, &here, 1);
	struct agent_order task = {.task = {.id = 77, .probe = REVTR_CHALLENGE, .target = TARGET}, .source = TARGET,
		.tag = 0xfedcba9876543210};
	struct outgoing out;
	struct packet request;
	struct revtr_answer answer;
	(void)state;
	assert_int_equal(agent_do(sender, &task, NOW_NS), AGENT_TAKEN);
	assert_true(sends(sender, NOW_NS, &out, &request));
	assert_true(addr_equal(request.ip.source, OWN));
	assert_false(request.ip.route.present);
	hears(owner, &request);
	assert_true(agent_answer(owner, &answer));
	assert_int_equal(answer.task, 77);
	assert_true(answer.nonce == 0xfedcba9876543210);
	/* Somebody else's, and cuts. */
	struct packet other = request;
	other.ip.destination = OWN;
	hears(owner, &other);
	for (size_t length = 0; length < 24; length++) {
		other = request;
		other.transport.payload_length = length;
		hears(owner, &other);
	}
	assert_false(agent_answer(owner, &answer));
	/* A flood of them is not handed on. */
	for (unsigned i = 0; i < 1000; i++)
		hears(owner, &request);
	unsigned told = 0;
	while (agent_answer(owner, &answer))
		told++;
	assert_in_range(told, 1, 10);
	/* Never in another's name. */
	task.task.spoofed = true;
	assert_int_equal(agent_do(sender, &task, NOW_NS), AGENT_BAD);
	agent_free(sender);
	agent_free(owner);
}

/* Keys come later than the agent, and only for sources that consent. */
static void test_keys_come_later(void **state)
{
	struct agent_rules may = {.spoof = true};
	struct addr here = SOURCE, both[2] = {SOURCE, TARGET};
	struct hash_key keys[2] = {key, key};
	struct agent *sender = agent_with(&may), *owner = agent_new(&may, SOURCE, NULL, &here, 1);
	struct agent_order task = order(9, true);
	struct outgoing out;
	struct packet request, reply;
	struct revtr_answer answer;
	(void)state;
	assert_int_equal(agent_do(sender, &task, NOW_NS), AGENT_TAKEN);
	assert_true(sends(sender, NOW_NS, &out, &request));
	reply_to(&request, &reply);
	hears(owner, &reply);
	assert_false(agent_answer(owner, &answer));
	assert_int_equal(agent_set_keys(owner, keys, both, 2), 1);
	hears(owner, &reply);
	assert_true(agent_answer(owner, &answer));
	/* Taken back. */
	assert_int_equal(agent_set_keys(owner, NULL, NULL, 0), 0);
	hears(owner, &reply);
	assert_false(agent_answer(owner, &answer));
	agent_free(sender);
	agent_free(owner);
}

static void test_owner_decides(void **state)
{
	struct prefix veto = prefix_of(TARGET, 24);
	struct agent_rules plain = {0}, careful = {.spoof = true, .veto = &veto, .veto_count = 1},
			   poor = {.spoof = true, .per_day = 2};
	struct agent_order own = order(1, false), spoofed = order(2, true);
	(void)state;
	struct agent *agent = agent_with(&plain);
	assert_int_equal(agent_do(agent, &spoofed, NOW_NS), AGENT_NO_SPOOFING);
	assert_int_equal(agent_do(agent, &own, NOW_NS), AGENT_TAKEN);
	own.task.target = addr_v4(0x0a000001);
	assert_int_equal(agent_do(agent, &own, NOW_NS), AGENT_BAD);
	agent_free(agent);
	agent = agent_with(&careful);
	assert_int_equal(agent_do(agent, &spoofed, NOW_NS), AGENT_VETO);
	agent_free(agent);
	agent = agent_with(&poor);
	assert_int_equal(agent_do(agent, &spoofed, NOW_NS), AGENT_TAKEN);
	assert_int_equal(agent_do(agent, &spoofed, NOW_NS), AGENT_TAKEN);
	assert_int_equal(agent_do(agent, &spoofed, NOW_NS), AGENT_BUDGET);
	/* Another day. */
	assert_int_equal(agent_do(agent, &spoofed, NOW_NS + 25 * 3600 * NS_PER_S), AGENT_TAKEN);
	agent_free(agent);
	/* A traceroute may need more than there is. */
	poor.per_day = REVTR_TRACE_MAX;
	agent = agent_with(&poor);
	own = order(3, false);
	own.task.probe = REVTR_TRACEROUTE;
	assert_int_equal(agent_do(agent, &own, NOW_NS), AGENT_TAKEN);
	assert_int_equal(agent_do(agent, &spoofed, NOW_NS), AGENT_BUDGET);
	agent_free(agent);
}

static void test_rate(void **state)
{
	struct agent_rules rules = {.per_second = 10};
	struct agent *agent = agent_with(&rules);
	struct outgoing out;
	struct packet packet;
	unsigned sent = 0;
	(void)state;
	for (uint32_t i = 1; i <= 100; i++) {
		struct agent_order task = order(i, false);
		assert_int_equal(agent_do(agent, &task, NOW_NS), AGENT_TAKEN);
	}
	for (int64_t ns = 0; ns < 2 * NS_PER_S; ns += NS_PER_MS)
		sent += sends(agent, NOW_NS + ns, &out, &packet);
	/* Two seconds and a burst of ten. */
	assert_in_range(sent, 24, 31);
	agent_free(agent);
}

static void test_traceroute(void **state)
{
	struct agent_rules rules = {.per_second = 1000};
	struct agent *agent = agent_with(&rules);
	struct agent_order task = order(9, false);
	struct revtr_answer answer;
	struct outgoing out;
	struct packet packet;
	bool told = false;
	(void)state;
	task.task.probe = REVTR_TRACEROUTE;
	assert_int_equal(agent_do(agent, &task, NOW_NS), AGENT_TAKEN);
	/* Nobody answers: it ends and says so. */
	for (int64_t ns = 0; ns < 60 * NS_PER_S && !told; ns += 10 * NS_PER_MS) {
		while (sends(agent, NOW_NS + ns, &out, &packet))
			assert_false(packet.ip.route.present);
		told = agent_answer(agent, &answer);
	}
	assert_true(told);
	assert_int_equal(answer.task, 9);
	assert_false(answer.reached);
	agent_free(agent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_are_known_without_being_told),
		cmocka_unit_test(test_prespecified_timestamps),
		cmocka_unit_test(test_plain_ping),
		cmocka_unit_test(test_forged_answers_are_refused),
		cmocka_unit_test(test_challenge),
		cmocka_unit_test(test_keys_come_later),
		cmocka_unit_test(test_owner_decides),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_traceroute),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
