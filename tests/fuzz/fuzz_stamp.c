/* Test packets: read, written and read again they are the same, and nothing is written that is longer. */
#include "packet/stamp.h"

#include <string.h>

#include "fuzz.h"

static uint8_t room[70000];

static void check_question(const uint8_t *data, size_t size)
{
	struct cursor cursor = cursor_init(data, size);
	struct stamp_question question, again;
	if (stamp_question_read(&cursor, &question) != 0)
		return;
	CHECK(size >= STAMP_SIZE && question.size == size);
	CHECK(stamp_error_ns(question.error) >= 0);
	struct writer writer = writer_init(room, sizeof(room));
	stamp_question_write(&writer, &question);
	CHECK(!writer_ok(&writer) || writer.length == size || size > UINT16_MAX);
	cursor = cursor_init(room, writer.length);
	CHECK(stamp_question_read(&cursor, &again) == 0);
	CHECK(again.sequence == question.sequence && again.sent == question.sent);
	CHECK(again.session == question.session && memcmp(room, data, 16) == 0);
}

static void check_answer(const uint8_t *data, size_t size)
{
	struct cursor cursor = cursor_init(data, size);
	struct stamp_answer answer, again;
	if (stamp_answer_read(&cursor, &answer) != 0)
		return;
	CHECK(size >= STAMP_ANSWER_MIN);
	struct writer writer = writer_init(room, sizeof(room));
	stamp_answer_write(&writer, &answer);
	CHECK(writer_ok(&writer) && writer.length == STAMP_SIZE);
	CHECK(memcmp(room, data, 38) == 0 && room[40] == data[40]);
	cursor = cursor_init(room, writer.length);
	CHECK(stamp_answer_read(&cursor, &again) == 0 && again.question.ttl == answer.question.ttl);
	/* Whole seconds of 32 bits: 69 years either way. */
	int64_t forward = stamp_difference_ns(answer.received, answer.question.sent, answer.error.ptp);
	CHECK(forward / 1000000000 <= INT32_MAX + 5LL && forward / 1000000000 >= INT32_MIN - 5LL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_question(data, size);
	check_answer(data, size);
	return 0;
}
