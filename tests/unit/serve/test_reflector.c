/* Test packets in, answers out: what RFC 8762 4.3 says of each octet, and who gets none. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"
#include "packet/stamp.h"
#include "serve/reflector.h"

#define NOW_NS	(1000 * NS_PER_S)
#define WALL_NS (1795000000 * NS_PER_S)

struct bench {
	struct reflector *reflector;
	int64_t now_ns;
	uint8_t question[REFLECTOR_PACKET_MAX + 100], answer[REFLECTOR_PACKET_MAX];
	struct reflector_packet packet;
	struct stamp_answer fields;
};

static void bench_init(struct bench *bench, const struct reflector_config *config)
{
	static const struct reflector_config plain = {.key = {1, 2}};
	memset(bench, 0, sizeof(*bench));
	bench->reflector = reflector_new(config ? config : &plain);
	assert_non_null(bench->reflector);
	bench->now_ns = NOW_NS;
	bench->packet = (struct reflector_packet){
		.from = addr_v4(0xc0000201),
		.to = addr_v4(0xc6336407),
		.from_port = 40000,
		.to_port = STAMP_PORT,
		.ttl = 249,
		.payload = bench->question,
		.length = STAMP_SIZE,
	};
}

static void bench_deinit(struct bench *bench)
{
	reflector_free(bench->reflector);
}

/* One packet; the length of the answer. */
static size_t ask(struct bench *bench, uint32_t sequence, uint16_t session)
{
	struct stamp_question question = {
		.sequence = sequence,
		.sent = 0x1122334455667788,
		.error = {.synchronised = true, .scale = 3, .multiplier = 9},
		.session = session,
		.size = bench->packet.length,
	};
	struct writer writer = writer_init(bench->question, sizeof(bench->question));
	stamp_question_write(&writer, &question);
	bench->packet.received_wall_ns = WALL_NS + bench->now_ns;
	size_t length = reflector_answer(
		bench->reflector, &bench->packet, bench->now_ns, WALL_NS + bench->now_ns + 12345, bench->answer);
	struct cursor cursor = cursor_init(bench->answer, length);
	if (length > 0)
		assert_int_equal(stamp_answer_read(&cursor, &bench->fields), 0);
	return length;
}

static void test_answer(void **state)
{
	(void)state;
	struct bench bench;
	bench_init(&bench, NULL);
	reflector_set_clock(bench.reflector, true, 16 * NS_PER_MS);
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(ask(&bench, 3 * i, 77), STAMP_SIZE);
		const struct stamp_answer *a = &bench.fields;
		assert_int_equal(a->sequence, i); /* its own count, from 0 on */
		assert_int_equal(a->question.sequence, 3 * i);
		assert_int_equal(a->question.sent, 0x1122334455667788);
		assert_true(a->question.error.synchronised);
		assert_int_equal(a->question.error.scale, 3);
		assert_int_equal(a->question.error.multiplier, 9);
		assert_int_equal(a->question.ttl, 249);
		assert_int_equal(a->session, 77);
		assert_int_equal(a->received, stamp_time(WALL_NS + bench.now_ns));
		assert_int_equal(a->sent, stamp_time(WALL_NS + bench.now_ns + 12345));
		assert_true(a->error.synchronised);
		assert_true(stamp_error_ns(a->error) >= 16 * NS_PER_MS);
		/* Octets that must be zero (RFC 8762 4.3.1). */
		static const uint8_t zero[3];
		assert_memory_equal(bench.answer + 38, zero, 2);
		assert_memory_equal(bench.answer + 41, zero, 3);
		bench.now_ns += NS_PER_S;
	}
	bench_deinit(&bench);
}

/* As long as asked, and what is behind comes back as it was. */
static void test_size(void **state)
{
	(void)state;
	struct bench bench;
	bench_init(&bench, NULL);
	for (size_t size = 0; size <= 200; size++) {
		bench.packet.length = size;
		assert_int_equal(ask(&bench, 0, 1), size < STAMP_SIZE ? 0 : size);
		if (size > STAMP_SIZE)
			assert_memory_equal(bench.answer + STAMP_SIZE, bench.question + STAMP_SIZE, size - STAMP_SIZE);
	}
	bench.packet.length = REFLECTOR_PACKET_MAX;
	assert_int_equal(ask(&bench, 0, 1), REFLECTOR_PACKET_MAX);
	bench.packet.length = REFLECTOR_PACKET_MAX + 1;
	assert_int_equal(ask(&bench, 0, 1), 0);
	bench_deinit(&bench);
}

/* Each of these begins at 0: another port, another identifier, another address, and one that was idle for long. */
static void test_sessions(void **state)
{
	(void)state;
	struct bench bench;
	bench_init(&bench, NULL);
	for (uint32_t i = 0; i < 3; i++) {
		bench.packet.from_port = 40000;
		ask(&bench, i, 1);
		assert_int_equal(bench.fields.sequence, i);
		ask(&bench, i, 2);
		assert_int_equal(bench.fields.sequence, i);
		bench.packet.from_port = 40001;
		ask(&bench, i, 1);
		assert_int_equal(bench.fields.sequence, i);
	}
	bench.packet.from = addr_v6(0x20010db800000000, 1);
	bench.packet.to = addr_v6(0x20010db800000000, 2);
	ask(&bench, 0, 1);
	assert_int_equal(bench.fields.sequence, 0);
	ask(&bench, 1, 1);
	assert_int_equal(bench.fields.sequence, 1);
	bench.now_ns += 899 * NS_PER_S;
	ask(&bench, 2, 1);
	assert_int_equal(bench.fields.sequence, 2);
	bench.now_ns += 901 * NS_PER_S;
	ask(&bench, 3, 1);
	assert_int_equal(bench.fields.sequence, 0);
	bench_deinit(&bench);
}

static void test_refusals(void **state)
{
	(void)state;
	static const struct prefix allow[] = {{{.low = 0xc0000200, .family = 4}, 24}};
	struct reflector_config config = {.key = {1, 2}, .allow = allow, .allow_count = 1};
	struct bench bench;
	bench_init(&bench, &config);
	assert_int_equal(ask(&bench, 0, 1), STAMP_SIZE);
	bench.packet.from = addr_v4(0xc0000301);
	assert_int_equal(ask(&bench, 0, 1), 0);
	assert_int_equal(reflector_counters(bench.reflector).refused_allow, 1);
	bench.packet.from = addr_v4(0xc0000201);
	/* Two reflectors, or one and an echo service, would go on for ever. */
	static const uint16_t ports[] = {0, 7, 53, 862, 1023};
	for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
		bench.packet.from_port = ports[i];
		assert_int_equal(ask(&bench, 0, 1), 0);
	}
	bench.packet.from_port = bench.packet.to_port = 5862;
	assert_int_equal(ask(&bench, 0, 1), 0);
	bench.packet.from_port = 1024;
	/* To all hosts, or from them. */
	bench.packet.to = addr_v4(0xffffffff);
	assert_int_equal(ask(&bench, 0, 1), 0);
	bench.packet.to = addr_v4(0xe0000001);
	assert_int_equal(ask(&bench, 0, 1), 0);
	bench.packet.to = addr_v4(0xc6336407);
	assert_int_equal(ask(&bench, 0, 1), STAMP_SIZE);
	assert_int_equal(reflector_counters(bench.reflector).refused_source, ARRAY_LEN(ports) + 3);
	bench_deinit(&bench);
}

static void test_prefix_rate(void **state)
{
	(void)state;
	struct reflector_config config = {.key = {1, 2}, .prefix_rate = 50};
	struct bench bench;
	unsigned answered = 0;
	bench_init(&bench, &config);
	for (unsigned i = 0; i < 10000; i++) {
		bench.now_ns += NS_PER_MS;
		bench.packet.from = addr_v4(0xc0000200 + i % 250 + 1);
		answered += ask(&bench, i, 1) > 0;
	}
	/* 10 s of 50 and what a rest of two seconds had saved up; another prefix has its own. */
	assert_in_range(answered, 500, 601);
	bench.packet.from = addr_v4(0xc0000301);
	assert_true(ask(&bench, 0, 1) > 0);
	bench_deinit(&bench);
}

/* Strangers by the million neither use up memory nor stop a session that is under way, nor make it begin anew. */
static void test_flood(void **state)
{
	(void)state;
	struct bench bench;
	bench_init(&bench, NULL);
	struct rng rng = rng_seed(5);
	struct reflector_packet honest = bench.packet;
	uint32_t asked = 0;
	for (; asked < 10; asked++) {
		assert_true(ask(&bench, asked, 1) > 0);
		bench.now_ns += 100 * NS_PER_MS;
	}
	for (unsigned i = 0; i < 1000000; i++) {
		bench.now_ns += 10 * NS_PER_US; /* 100,000 a second, for ten seconds */
		bench.packet.from = addr_v4(0x0b000000 + (uint32_t)rng_below(&rng, 0x10000000));
		bench.packet.from_port = (uint16_t)(1024 + rng_below(&rng, 60000));
		ask(&bench, 0, (uint16_t)rng_u64(&rng));
		if (i % 10000 != 0)
			continue;
		bench.packet = honest;
		assert_true(ask(&bench, asked, 1) > 0);
		assert_int_equal(bench.fields.sequence, asked++);
	}
	struct reflector_counters counters = reflector_counters(bench.reflector);
	assert_true(counters.answers < 10 * REFLECTOR_RATE_DEFAULT);
	assert_true(counters.over_total > 800000);
	bench_deinit(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_prefix_rate),
		cmocka_unit_test(test_flood),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
