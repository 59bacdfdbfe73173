/* Golden bytes were made by another implementation of RFC 8762 and 8972 (scapy's). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "../../golden/bytes.h"
#include "base/clock.h"
#include "packet/stamp.h"

#define QUESTION                                                                                             \
	"01020304 00000001 80000000 8cc8 beef"                                                               \
	"00000000 00000000 00000000 00000000 00000000 00000000 00000000"
#define ANSWER                                                                                               \
	"00000007 00000002 40000000 1403 beef 00000002 20000000 01020304 00000001 80000000 8cc8 0000 f9 000000"

static int read_question(const uint8_t *data, size_t length, struct stamp_question *question)
{
	struct bytes bytes = bytes_copy(data, length);
	struct cursor cursor = cursor_init(bytes.data, bytes.length);
	int result = stamp_question_read(&cursor, question);
	free(bytes.data);
	return result;
}

static int read_answer(const uint8_t *data, size_t length, struct stamp_answer *answer)
{
	struct bytes bytes = bytes_copy(data, length);
	struct cursor cursor = cursor_init(bytes.data, bytes.length);
	int result = stamp_answer_read(&cursor, answer);
	free(bytes.data);
	return result;
}

static void test_question_golden(void **state)
{
	(void)state;
	struct bytes golden = bytes_of_hex(QUESTION);
	struct stamp_question question;
	assert_int_equal(golden.length, STAMP_SIZE);
	assert_int_equal(read_question(golden.data, golden.length, &question), 0);
	assert_int_equal(question.sequence, 0x01020304);
	assert_int_equal(question.sent, 0x180000000);
	assert_true(question.error.synchronised);
	assert_false(question.error.ptp);
	assert_int_equal(question.error.scale, 12);
	assert_int_equal(question.error.multiplier, 200);
	assert_int_equal(question.session, 0xbeef);
	assert_int_equal(question.size, STAMP_SIZE);
	uint8_t room[STAMP_SIZE];
	struct writer writer = writer_init(room, sizeof(room));
	stamp_question_write(&writer, &question);
	assert_true(writer_ok(&writer));
	assert_int_equal(writer.length, golden.length);
	assert_memory_equal(room, golden.data, golden.length);
	free(golden.data);
}

static void test_answer_golden(void **state)
{
	(void)state;
	struct bytes golden = bytes_of_hex(ANSWER);
	struct stamp_answer answer;
	assert_int_equal(golden.length, STAMP_SIZE);
	assert_int_equal(read_answer(golden.data, golden.length, &answer), 0);
	assert_int_equal(answer.sequence, 7);
	assert_int_equal(answer.sent, 0x240000000);
	assert_int_equal(answer.received, 0x220000000);
	assert_false(answer.error.synchronised);
	assert_int_equal(answer.error.scale, 20);
	assert_int_equal(answer.error.multiplier, 3);
	assert_int_equal(answer.session, 0xbeef);
	assert_int_equal(answer.question.sequence, 0x01020304);
	assert_int_equal(answer.question.sent, 0x180000000);
	assert_true(answer.question.error.synchronised);
	assert_int_equal(answer.question.ttl, 249);
	uint8_t room[STAMP_SIZE];
	struct writer writer = writer_init(room, sizeof(room));
	stamp_answer_write(&writer, &answer);
	assert_true(writer_ok(&writer));
	assert_int_equal(writer.length, golden.length);
	assert_memory_equal(room, golden.data, golden.length);
	free(golden.data);
}

/* Nothing shorter is a question, and of an answer only the octets that must be zero may be missing. */
static void test_truncated(void **state)
{
	(void)state;
	struct bytes question = bytes_of_hex(QUESTION), answer = bytes_of_hex(ANSWER);
	struct stamp_question q;
	struct stamp_answer a;
	for (size_t length = 0; length < STAMP_SIZE; length++) {
		assert_int_equal(read_question(question.data, length, &q), -EBADMSG);
		assert_int_equal(read_answer(answer.data, length, &a), length < STAMP_ANSWER_MIN ? -EBADMSG : 0);
	}
	/* Without an error estimate it is corrupt (RFC 4656 4.1.2). */
	question.data[13] = answer.data[13] = 0;
	assert_int_equal(read_question(question.data, STAMP_SIZE, &q), -EBADMSG);
	assert_int_equal(read_answer(answer.data, STAMP_SIZE, &a), -EBADMSG);
	free(question.data);
	free(answer.data);
}

/* RFC 8972 4.1: flags with U set, type 1, length of what follows. */
static void test_padding(void **state)
{
	(void)state;
	uint8_t room[100];
	for (size_t size = STAMP_SIZE; size <= 60; size++) {
		struct writer writer = writer_init(room, sizeof(room));
		struct stamp_question question = {.error = {.multiplier = 1}, .size = size}, again;
		stamp_question_write(&writer, &question);
		assert_true(writer_ok(&writer));
		assert_int_equal(writer.length, size);
		if (size >= STAMP_SIZE + 4) {
			assert_int_equal(room[44], 0x80);
			assert_int_equal(room[45], 1);
			assert_int_equal(room[46] << 8 | room[47], size - 48);
		}
		assert_int_equal(read_question(room, size, &again), 0);
		assert_int_equal(again.size, size);
	}
}

static void test_time(void **state)
{
	(void)state;
	/* RFC 5905 6: the Unix epoch is second 2,208,988,800 of era 0; era 1 begins on 2036-02-07T06:28:16Z. */
	assert_int_equal(stamp_time(0), 2208988800ULL << 32);
	assert_int_equal(stamp_time(NS_PER_S / 2), 2208988800ULL << 32 | 0x80000000);
	int64_t era = 2085978496 * NS_PER_S;
	assert_int_equal(stamp_time(era), 0);
	assert_int_equal(stamp_difference_ns(stamp_time(era + 7 * NS_PER_MS), stamp_time(era - NS_PER_S), false),
		NS_PER_S + 7 * NS_PER_MS);
	static const int64_t spans[] = {0, 1, 999, 123456789, NS_PER_S - 1, NS_PER_S, 86400 * NS_PER_S + 17};
	int64_t at = 1795000000 * NS_PER_S + 123456789;
	for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
		int64_t there = stamp_difference_ns(stamp_time(at + spans[i]), stamp_time(at), false);
		int64_t back = stamp_difference_ns(stamp_time(at), stamp_time(at + spans[i]), false);
		assert_in_range(there - spans[i] + 1, 0, 2);
		assert_in_range(back + spans[i] + 1, 0, 2);
	}
	/* RFC 8186: seconds and nanoseconds. */
	assert_int_equal(stamp_difference_ns(5ULL << 32 | 1, 4ULL << 32 | 999999999, true), 2);
	assert_int_equal(stamp_difference_ns(4ULL << 32 | 999999999, 5ULL << 32 | 1, true), -2);
}

static void test_error(void **state)
{
	(void)state;
	/* 200 x 2^(12 - 32) s */
	assert_int_equal(stamp_error_ns((struct stamp_error){.scale = 12, .multiplier = 200}), 190734);
	assert_int_equal(stamp_error_ns((struct stamp_error){.scale = 63, .multiplier = 255}), INT64_MAX);
	static const int64_t errors[] = {0, 1, 60, 1000, 59000, NS_PER_MS, 16 * NS_PER_S, 3600 * NS_PER_S};
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		struct stamp_error error = stamp_error_of(true, errors[i]);
		assert_true(error.multiplier > 0);
		/* Never less than the truth, and less than 1 % too much (8 bits, and whole units at the low end). */
		double said = error.multiplier * 1e9 / 4294967296.0;
		for (unsigned j = 0; j < error.scale; j++)
			said *= 2;
		assert_true(said >= (double)errors[i]);
		assert_true(said <= (double)errors[i] * 1.01 + 0.24);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_question_golden),
		cmocka_unit_test(test_answer_golden),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
