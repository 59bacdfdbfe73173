/* Golden bytes are the sample responses of RFC 5769, sections 2.2 and 2.3. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "../../golden/bytes.h"
#include "packet/stun.h"

#define ID "b7e7a701 bc34d686 fa87dfae"
#define ANSWER4                                                                                                  \
	"0101 003c 2112a442" ID "8022 000b 7465737420766563746f7220"                                             \
	"0020 0008 0001a147 e112a643"                                                                            \
	"0008 0014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 8028 0004 c07d4c96"
#define ANSWER6                                                                                                  \
	"0101 0048 2112a442" ID "8022 000b 7465737420766563746f7220"                                             \
	"0020 0014 0002a147 0113a9faa5d3f179bc25f4b5bed2b9d9"                                                    \
	"0008 0014 a382954e4be67bf11784c97c8292c275bfe3ed41 8028 0004 c8fb0b4c"

static const struct stun_id id = {
	{0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae}};

static int read_bytes(const uint8_t *data, size_t length, struct stun_answer *answer)
{
	struct bytes copy = bytes_copy(data, length);
	struct cursor cursor = cursor_init(copy.data, copy.length);
	int result = stun_answer_read(&cursor, &id, answer);
	free(copy.data);
	return result;
}

static int read_hex(const char *hex, struct stun_answer *answer)
{
	struct bytes bytes = bytes_of_hex(hex);
	int result = read_bytes(bytes.data, bytes.length, answer);
	free(bytes.data);
	return result;
}

static void test_golden_answers(void **state)
{
	(void)state;
	struct stun_answer answer;
	char text[ADDR_TEXT_SIZE];
	assert_int_equal(read_hex(ANSWER4, &answer), 0);
	assert_string_equal(addr_format(answer.address, text), "192.0.2.1");
	assert_int_equal(answer.port, 32853);
	assert_int_equal(answer.refused, 0);
	assert_int_equal(read_hex(ANSWER6, &answer), 0);
	assert_string_equal(addr_format(answer.address, text), "2001:db8:1234:5678:11:2233:4455:6677");
	assert_int_equal(answer.port, 32853);
}

static void test_question(void **state)
{
	(void)state;
	uint8_t room[STUN_QUESTION_SIZE];
	struct bytes expected = bytes_of_hex("0001 0000 2112a442" ID);
	struct writer writer = writer_init(room, sizeof(room));
	stun_question_write(&writer, &id);
	assert_true(writer_ok(&writer));
	assert_int_equal(writer.length, expected.length);
	assert_memory_equal(room, expected.data, expected.length);
	free(expected.data);
}

static void test_every_truncation(void **state)
{
	(void)state;
	struct bytes golden = bytes_of_hex(ANSWER6);
	struct stun_answer answer;
	for (size_t length = 0; length < golden.length; length++)
		assert_int_equal(read_bytes(golden.data, length, &answer), -EBADMSG);
	free(golden.data);
}

static void test_another_transaction(void **state)
{
	(void)state;
	struct stun_answer answer;
	for (size_t i = 0; i < STUN_ID_SIZE + 4; i++) {
		struct bytes golden = bytes_of_hex(ANSWER4);
		golden.data[4 + i] ^= 1; /* cookie, then identifier */
		assert_int_equal(read_bytes(golden.data, golden.length, &answer), -EBADMSG);
		free(golden.data);
	}
}

static void test_refusal(void **state)
{
	(void)state;
	struct stun_answer answer;
	assert_int_equal(read_hex("0111 0008 2112a442" ID "0009 0004 0000 0414", &answer), 0);
	assert_int_equal(answer.refused, 420);
	assert_false(addr_is_set(answer.address));
	/* no reason; a class that is not; a number that is not */
	assert_int_equal(read_hex("0111 0000 2112a442" ID, &answer), -EBADMSG);
	assert_int_equal(read_hex("0111 0008 2112a442" ID "0009 0004 0000 0214", &answer), -EBADMSG);
	assert_int_equal(read_hex("0111 0008 2112a442" ID "0009 0004 0000 0464", &answer), -EBADMSG);
}

static void test_what_is_no_answer(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"0001 0000 2112a442" ID,			       /* our own question, sent back */
		"0101 0000 2112a442" ID,			       /* no address */
		"0101 000c 2112a442" ID "0001 0008 0001a147 e112a643", /* MAPPED-ADDRESS alone: NATs rewrite it */
		"0101 000c 2112a442" ID "0020 0008 0003a147 e112a643", /* no such family */
		"0101 000c 2112a442" ID "0020 0008 0002a147 e112a643", /* a family that is longer */
		"0101 000c 2112a442" ID "0020 0014 0001a147 e112a643", /* an attribute that is longer than the rest */
		"0101 000c 2112a442" ID "0020 ffff 0001a147 e112a643",
		"0101 0010 2112a442" ID "0020 0008 0001a147 e112a643", /* a message that is longer than the packet */
		"0101 0008 2112a442" ID "0020 0008 0001a147 e112a643",
		"0101 0010 2112a442" ID "0020 0008 0001a147 e112a643 7fff 0000", /* must be understood, is not */
		"c101 000c 2112a442" ID "0020 0008 0001a147 e112a643", /* the first two bits are zero */
	};
	struct stun_answer answer;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(read_hex(wrong[i], &answer), -EBADMSG);
}

static void test_first_address_counts(void **state)
{
	(void)state;
	struct stun_answer answer;
	assert_int_equal(read_hex("0101 001c 2112a442" ID "0020 0008 0001a147 e112a643"
				  "0020 0008 0001a147 00000000 8001 0000",
				 &answer),
		0);
	assert_true(addr_equal(answer.address, addr_v4(0xc0000201)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_answers),
		cmocka_unit_test(test_question),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_another_transaction),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_what_is_no_answer),
		cmocka_unit_test(test_first_address_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
