/* Linux traceroute's strategy in virtual time: order, window, waiting, ends, refusals in the wrong place,
 * sizes. What is expected is what traceroute(8) says, or what traceroute 2.1 was seen to do. */
#include "chain.h"

#include <errno.h>
#include <stdlib.h>

#include "trace/classic.h"

#define TOLD_MAX 1000

static struct classic classic;

struct told {
	unsigned count;
	unsigned list[TOLD_MAX];
};

static void tell(void *context, const struct classic *from, unsigned index)
{
	struct told *told = context;
	assert_ptr_equal(from, &classic);
	assert_true(told->count < TOLD_MAX);
	told->list[told->count++] = index;
}

/* As without options. */
static struct classic_config usual(enum probe_protocol protocol)
{
	return (struct classic_config){
		.engine = {.protocol = protocol,
			.source = source4,
			.destination = target4,
			.flow = {.source_port = 50000,
				.destination_port = 33434,
				.icmp_id = 7,
				.icmp_checksum = 9},
			.size = 60,
			.key = {1, 2}},
		.first_ttl = 1,
		.max_ttl = 30,
		.per_hop = 3,
		.window = 16,
		.wait_max_ns = 5 * NS_PER_S,
		.wait_here = 3,
		.wait_near = 10,
	};
}

static struct chain path_of(unsigned hops)
{
	return (struct chain){.family = 4, .hops = hops, .rtt_ns = 20 * NS_PER_MS};
}

static int64_t run(const struct classic_config *config, struct chain *chain, struct told *told)
{
	*told = (struct told){0};
	classic_deinit(&classic);
	classic_init(&classic, config, tell, told);
	return chain_run(chain, classic_machine(&classic));
}

static const struct probe_result *result_of(unsigned ttl, unsigned place)
{
	return &classic.probes[(ttl - 1) * classic.config.per_hop + place].result;
}

static void test_all_are_told_in_order(void **state)
{
	(void)state;
	struct chain chain = path_of(10);
	struct classic_config config = usual(PROBE_UDP);
	struct told told;
	run(&config, &chain, &told);
	assert_int_equal(told.count, 30);
	for (unsigned i = 0; i < told.count; i++) {
		assert_int_equal(told.list[i], i);
		assert_int_equal(result_of(i / 3 + 1, i % 3)->rtt_ns, 20 * NS_PER_MS);
		assert_string_equal(result_of(i / 3 + 1, i % 3)->mark, "");
	}
	assert_true(addr_equal(result_of(10, 2)->address, target4));
	assert_true(addr_equal(result_of(9, 0)->address, router_addr(&chain, 9)));
	assert_true(classic_ended(&classic));
}

static void test_first_and_last_hop(void **state)
{
	(void)state;
	struct chain chain = path_of(10);
	struct classic_config config = usual(PROBE_ICMP);
	struct told told;
	config.first_ttl = 4;
	config.max_ttl = 6;
	run(&config, &chain, &told);
	assert_int_equal(told.count, 9);
	assert_int_equal(told.list[0], 9);
	assert_int_equal(chain.packets, 9);
	assert_false(classic_ended(&classic));
}

static void test_window(void **state)
{
	(void)state;
	static const unsigned windows[][2] = {{16, 16}, {1, 1}, {0, 1}, {30, 30}};
	for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
		struct chain chain = path_of(10);
		struct classic_config config = usual(PROBE_UDP);
		struct told told;
		config.window = windows[i][0];
		run(&config, &chain, &told);
		assert_int_equal(chain.waiting_max, windows[i][1]);
	}
}

static void test_pause(void **state)
{
	(void)state;
	struct chain chain = path_of(4);
	struct classic_config config = usual(PROBE_UDP);
	struct told told;
	config.gap_ns = 7 * NS_PER_MS;
	run(&config, &chain, &told);
	assert_int_equal(chain.pause_min_ns, 7 * NS_PER_MS);
	assert_int_equal(told.count, 12);
}

/* A silent hop costs ten round trips of a later one, or all of the longest wait when that is all that is
 * given. */
static void test_waiting_for_a_silent_hop(void **state)
{
	(void)state;
	struct told told;
	struct classic_config config = usual(PROBE_UDP);
	struct chain chain = path_of(10);
	chain.silent = 5;
	int64_t took_ns = run(&config, &chain, &told);
	assert_int_equal(told.count, 30);
	assert_int_equal(result_of(5, 0)->rtt_ns, RTT_NONE);
	assert_false(addr_is_set(result_of(5, 2)->address));
	assert_true(took_ns >= 200 * NS_PER_MS && took_ns <= 300 * NS_PER_MS);

	chain = path_of(10);
	chain.silent = 5;
	config.wait_here = config.wait_near = 0;
	took_ns = run(&config, &chain, &told);
	assert_true(took_ns >= 5000 * NS_PER_MS && took_ns <= 5200 * NS_PER_MS);
}

/* Three round trips of the same hop where it has answered once. */
static void test_waiting_for_the_same_hop(void **state)
{
	(void)state;
	struct told told;
	struct classic_config config = usual(PROBE_UDP);
	struct chain chain = path_of(3);
	chain.answers_each = 1;
	config.max_ttl = 1;
	int64_t took_ns = run(&config, &chain, &told);
	assert_int_equal(told.count, 3);
	assert_int_equal(result_of(1, 0)->rtt_ns, 20 * NS_PER_MS);
	assert_int_equal(result_of(1, 1)->rtt_ns, RTT_NONE);
	assert_true(took_ns >= 60 * NS_PER_MS && took_ns <= 70 * NS_PER_MS);
}

static void test_nothing_answers(void **state)
{
	(void)state;
	struct told told;
	struct classic_config config = usual(PROBE_UDP);
	struct chain chain = path_of(30);
	chain.black_hole = 2;
	config.max_ttl = 6;
	run(&config, &chain, &told);
	assert_int_equal(told.count, 18);
	assert_int_equal(result_of(6, 2)->rtt_ns, RTT_NONE);
}

static void test_refusal_ends(void **state)
{
	(void)state;
	struct told told;
	struct classic_config config = usual(PROBE_UDP);
	struct chain chain = path_of(10);
	chain.refuses = 4;
	run(&config, &chain, &told);
	assert_int_equal(told.count, 12);
	for (unsigned place = 0; place < 3; place++)
		assert_string_equal(result_of(4, place)->mark, "!H");
	assert_string_equal(result_of(3, 0)->mark, "");
	assert_true(classic_ended(&classic));
}

/* ---- by hand, one probe a hop, all sent at once ---- */

static struct outgoing sent[8];

static void send_all(unsigned count, struct told *told, enum probe_protocol protocol)
{
	struct classic_config config = usual(protocol);
	int64_t wake_ns;
	config.per_hop = 1;
	config.max_ttl = count;
	*told = (struct told){0};
	classic_deinit(&classic);
	classic_init(&classic, &config, tell, told);
	struct machine machine = classic_machine(&classic);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(machine.ops->next(machine.self, 0, &sent[i], &wake_ns), MACHINE_SEND);
		machine.ops->sent(machine.self, sent[i].token, 0, 0);
	}
	assert_int_equal(machine.ops->next(machine.self, 0, &sent[count], &wake_ns), MACHINE_WAIT);
}

static void answer(unsigned ttl, struct addr from, uint8_t type, uint8_t code)
{
	struct chain chain = {.family = 4};
	struct machine machine = classic_machine(&classic);
	struct outgoing quoted = sent[ttl - 1];
	quoted.length = MIN(quoted.length, 500u);
	chain.waiting = 1;
	answer_error(&chain, 10 * NS_PER_MS, &quoted, from, 1, type, code);
	deliver(&chain, machine, 10 * NS_PER_MS);
}

static void finish(void)
{
	struct machine machine = classic_machine(&classic);
	struct outgoing outgoing;
	int64_t now_ns = 10 * NS_PER_MS, wake_ns = 0;
	while (machine.ops->next(machine.self, now_ns, &outgoing, &wake_ns) == MACHINE_WAIT)
		now_ns = wake_ns;
}

static const struct addr r1 = {.low = 0xcb007101, .family = 4}, r9 = {.low = 0xcb007109, .family = 4};

/* The router at hop 1 refuses what goes on to hop 2, but said so for the later probe only. */
static void test_refusal_moves_to_its_place(void **state)
{
	(void)state;
	struct told told;
	send_all(4, &told, PROBE_UDP);
	answer(1, r1, ICMP4_TIME_EXCEEDED, 0);
	answer(3, r1, ICMP4_UNREACHABLE, 1);
	finish();
	assert_int_equal(told.count, 2);
	assert_string_equal(result_of(2, 0)->mark, "!H");
	assert_true(addr_equal(result_of(2, 0)->address, r1));
}

/* A port that nobody listens on is the destination's own answer: it stays where it is. */
static void test_arrival_does_not_move(void **state)
{
	(void)state;
	struct told told;
	send_all(4, &told, PROBE_UDP);
	answer(1, r1, ICMP4_TIME_EXCEEDED, 0);
	answer(3, target4, ICMP4_UNREACHABLE, 3);
	finish();
	assert_int_equal(told.count, 3);
	assert_int_equal(result_of(2, 0)->rtt_ns, RTT_NONE);
	assert_string_equal(result_of(3, 0)->mark, "");
}

/* Whoever refuses is not known from before; the answer came three hops (64 - 62 + 1), and hop 1's came one.
 */
static void test_refusal_from_further_on_stays(void **state)
{
	(void)state;
	struct told told;
	send_all(4, &told, PROBE_UDP);
	answer(1, r1, ICMP4_TIME_EXCEEDED, 0);
	answer(3, r9, ICMP4_UNREACHABLE, 13);
	classic.probes[2].result.reply.ttl = 62;
	finish();
	assert_int_equal(told.count, 3);
	assert_int_equal(result_of(2, 0)->rtt_ns, RTT_NONE);
	assert_string_equal(result_of(3, 0)->mark, "!X");
}

static void test_marks(void **state)
{
	(void)state;
	static const struct {
		uint8_t type, code;
		const char *mark;
	} cases[] = {{3, 0, "!N"}, {3, 6, "!N"}, {3, 8, "!N"}, {3, 11, "!N"}, {3, 1, "!H"}, {3, 7, "!H"},
		{3, 12, "!H"}, {3, 2, "!P"}, {3, 5, "!S"}, {3, 9, "!X"}, {3, 10, "!X"}, {3, 13, "!X"},
		{3, 14, "!V"}, {3, 15, "!C"}, {3, 99, "!<99>"}, {11, 1, "!<11-1>"}, {12, 0, "!<12-0>"},
		{11, 0, ""}, {3, 3, ""}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct told told;
		send_all(1, &told, PROBE_UDP);
		answer(1, r9, cases[i].type, cases[i].code);
		assert_string_equal(result_of(1, 0)->mark, cases[i].mark);
		assert_int_equal(classic.probes[0].final, cases[i].type != 11 || cases[i].code != 0);
	}
}

static void test_ports(void **state)
{
	(void)state;
	for (int grows = 0; grows <= 1; grows++) {
		struct classic_config config = usual(PROBE_UDP);
		struct told told = {0};
		struct packet packet;
		int64_t wake_ns;
		config.port_grows = grows;
		classic_deinit(&classic);
		classic_init(&classic, &config, tell, &told);
		for (unsigned i = 0; i < 5; i++) {
			struct machine machine = classic_machine(&classic);
			assert_int_equal(
				machine.ops->next(machine.self, 0, &sent[0], &wake_ns), MACHINE_SEND);
			assert_int_equal(packet_read(sent[0].bytes, sent[0].length, &packet), 0);
			assert_int_equal(sent[0].length, 60);
			assert_int_equal(packet.transport.destination_port, 33434 + (grows ? i : 0));
			assert_int_equal(packet.ip.ttl, i / 3 + 1);
		}
	}
}

/* ---- sizes ---- */

static unsigned size_of_next(int64_t now_ns)
{
	struct machine machine = classic_machine(&classic);
	int64_t wake_ns;
	assert_int_equal(machine.ops->next(machine.self, now_ns, &sent[0], &wake_ns), MACHINE_SEND);
	return (unsigned)sent[0].length;
}

static void start_sizes(bool find_mtu, struct told *told)
{
	struct classic_config config = usual(PROBE_UDP);
	config.engine.size = 9000;
	config.engine.dont_fragment = true;
	config.find_mtu = find_mtu;
	config.link_mtu = 1500;
	config.per_hop = config.window = 1;
	*told = (struct told){0};
	classic_deinit(&classic);
	classic_init(&classic, &config, tell, told);
}

/* The kernel refuses what the first link does not take, a router what the next one does not. */
static void test_mtu(void **state)
{
	(void)state;
	struct told told;
	struct machine machine = classic_machine(&classic);
	start_sizes(true, &told);
	assert_int_equal(size_of_next(0), 9000);
	machine.ops->sent(machine.self, sent[0].token, 0, -EMSGSIZE);
	assert_int_equal(size_of_next(0), 1500);
	machine.ops->sent(machine.self, sent[0].token, 0, 0);
	answer(1, r1, ICMP4_TIME_EXCEEDED, 0);
	assert_int_equal(size_of_next(11 * NS_PER_MS), 1500);
	assert_string_equal(result_of(1, 0)->mark, "F=1500");
	machine.ops->sent(machine.self, sent[0].token, 0, 0);

	struct chain chain = {.family = 4, .waiting = 1};
	struct packet_spec spec = {
		.ip = {.source = r1, .destination = source4, .ttl = 64, .protocol = PROTOCOL_ICMP, .id = 1},
		.transport = {.icmp_type = 3,
			.icmp_code = 4,
			.icmp_mtu = 1400,
			.payload = sent[0].bytes,
			.payload_length = 576},
	};
	fly(&chain, 20 * NS_PER_MS, &spec);
	deliver(&chain, machine, 20 * NS_PER_MS);
	assert_int_equal(told.count, 1);
	assert_int_equal(size_of_next(21 * NS_PER_MS), 1400);
	assert_string_equal(result_of(2, 0)->mark, "F=1400");
}

static void test_too_big_without_looking_for_the_mtu(void **state)
{
	(void)state;
	struct told told;
	struct machine machine = classic_machine(&classic);
	int64_t wake_ns;
	start_sizes(false, &told);
	assert_int_equal(size_of_next(0), 9000);
	machine.ops->sent(machine.self, sent[0].token, 0, -EMSGSIZE);
	assert_int_equal(machine.ops->next(machine.self, 1, &sent[0], &wake_ns), MACHINE_DONE);
	assert_int_equal(told.count, 1);
	assert_string_equal(result_of(1, 0)->mark, "!F-1500");
	assert_false(addr_is_set(result_of(1, 0)->address));
}

static void test_send_error_ends(void **state)
{
	(void)state;
	struct told told;
	struct machine machine = classic_machine(&classic);
	int64_t wake_ns;
	start_sizes(false, &told);
	size_of_next(0);
	machine.ops->sent(machine.self, sent[0].token, 0, -ENETUNREACH);
	assert_int_equal(machine.ops->next(machine.self, 1, &sent[0], &wake_ns), MACHINE_DONE);
	assert_int_equal(classic.send_error, -ENETUNREACH);
}

/* A listening port answers one SYN of a port at a time; traceroute, whose ports differ, shows every time. */
static void test_listening_port(void **state)
{
	(void)state;
	struct chain chain = path_of(10);
	struct classic_config config = usual(PROBE_TCP);
	struct told told;
	chain.half_open = true;
	int64_t took_ns = run(&config, &chain, &told);
	assert_int_equal(told.count, 30);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(result_of(10, i)->rtt_ns, 20 * NS_PER_MS);
		assert_true(addr_equal(result_of(10, i)->address, target4));
	}
	assert_true(took_ns <= 130 * NS_PER_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_are_told_in_order),
		cmocka_unit_test(test_first_and_last_hop),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_waiting_for_a_silent_hop),
		cmocka_unit_test(test_waiting_for_the_same_hop),
		cmocka_unit_test(test_nothing_answers),
		cmocka_unit_test(test_refusal_ends),
		cmocka_unit_test(test_refusal_moves_to_its_place),
		cmocka_unit_test(test_arrival_does_not_move),
		cmocka_unit_test(test_refusal_from_further_on_stays),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_mtu),
		cmocka_unit_test(test_too_big_without_looking_for_the_mtu),
		cmocka_unit_test(test_send_error_ends),
		cmocka_unit_test(test_listening_port),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	classic_deinit(&classic);
	return failed;
}
