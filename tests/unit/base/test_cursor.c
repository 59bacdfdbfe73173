#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cursor.h"

static const uint8_t bytes[] = {
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f};

static void test_numbers_are_big_endian(void **state)
{
	(void)state;
	struct cursor cursor = cursor_init(bytes, sizeof(bytes));
	assert_int_equal(cursor_u8(&cursor), 0x01);
	assert_int_equal(cursor_u16(&cursor), 0x0203);
	assert_int_equal(cursor_u32(&cursor), 0x04050607);
	assert_int_equal(cursor_u64(&cursor), 0x08090a0b0c0d0e0f);
	assert_int_equal(cursor_left(&cursor), 0);
	assert_true(cursor_ok(&cursor));
}

static void test_error_sticks(void **state)
{
	(void)state;
	struct cursor cursor = cursor_init(bytes, 3);
	assert_int_equal(cursor_u32(&cursor), 0);
	assert_false(cursor_ok(&cursor));
	assert_int_equal(cursor_left(&cursor), 0);
	/* the bytes that are there are not handed out after the failure */
	assert_int_equal(cursor_u8(&cursor), 0);
	assert_null(cursor_bytes(&cursor, 0));
	assert_false(addr_is_set(cursor_addr(&cursor, 4)));
	struct cursor inner = cursor_take(&cursor, 0);
	assert_false(cursor_ok(&inner));
	inner = cursor_rest(&cursor);
	assert_false(cursor_ok(&inner));
}

static void test_huge_counts(void **state)
{
	(void)state;
	struct cursor cursor = cursor_init(bytes, sizeof(bytes));
	cursor_skip(&cursor, 1);
	cursor_skip(&cursor, SIZE_MAX);
	assert_false(cursor_ok(&cursor));
	cursor = cursor_init(bytes, sizeof(bytes));
	cursor_skip(&cursor, 2);
	assert_null(cursor_bytes(&cursor, SIZE_MAX - 1));
}

static void test_take_is_a_fence(void **state)
{
	(void)state;
	struct cursor cursor = cursor_init(bytes, sizeof(bytes));
	struct cursor inner = cursor_take(&cursor, 2);
	assert_int_equal(cursor_left(&inner), 2);
	assert_int_equal(cursor_u32(&inner), 0);
	assert_false(cursor_ok(&inner));
	assert_true(cursor_ok(&cursor));
	assert_int_equal(cursor_u8(&cursor), 3);
	inner = cursor_rest(&cursor);
	assert_int_equal(cursor_left(&inner), sizeof(bytes) - 3);
	assert_int_equal(cursor_left(&cursor), 0);
	assert_true(cursor_ok(&cursor));
	inner = cursor_take(&cursor, 1);
	assert_false(cursor_ok(&inner));
	assert_false(cursor_ok(&cursor));
}

static void test_empty(void **state)
{
	(void)state;
	struct cursor cursor = cursor_init(NULL, 0);
	assert_int_equal(cursor_left(&cursor), 0);
	assert_true(cursor_ok(&cursor));
	assert_int_equal(cursor_u8(&cursor), 0);
	assert_false(cursor_ok(&cursor));
}

static void test_addresses(void **state)
{
	(void)state;
	static const uint8_t wire[20] = {192, 0, 2, 1, 0x20, 0x01, 0x0d, 0xb8, [19] = 9};
	struct cursor cursor = cursor_init(wire, sizeof(wire));
	assert_true(addr_equal(cursor_addr(&cursor, 4), addr_v4(0xc0000201)));
	assert_true(addr_equal(cursor_addr(&cursor, 6), addr_v6(0x20010db800000000, 9)));
	assert_true(cursor_ok(&cursor));
	uint8_t room[20];
	struct writer writer = writer_init(room, sizeof(room));
	writer_addr(&writer, addr_v4(0xc0000201));
	writer_addr(&writer, addr_v6(0x20010db800000000, 9));
	assert_true(writer_ok(&writer));
	assert_memory_equal(room, wire, sizeof(wire));
}

static void test_writer(void **state)
{
	(void)state;
	uint8_t room[15];
	struct writer writer = writer_init(room, sizeof(room));
	writer_u8(&writer, 0x01);
	writer_u16(&writer, 0x0203);
	writer_u32(&writer, 0x04050607);
	writer_u64(&writer, 0x08090a0b0c0d0e0f);
	assert_true(writer_ok(&writer));
	assert_int_equal(writer.length, 15);
	assert_memory_equal(room, bytes, 15);
	writer_set_u16(&writer, 13, 0xabcd);
	assert_int_equal(room[13], 0xab);
	assert_int_equal(room[14], 0xcd);
	writer_bytes(&writer, NULL, 0);
	assert_true(writer_ok(&writer));
	writer_u8(&writer, 1);
	assert_false(writer_ok(&writer));
}

static void test_writer_error_sticks(void **state)
{
	(void)state;
	uint8_t room[4] = {0};
	struct writer writer = writer_init(room, 3);
	writer_u32(&writer, 0xffffffff);
	assert_false(writer_ok(&writer));
	writer_u8(&writer, 0xff); /* would fit, but does not come where the caller thinks */
	writer_zeros(&writer, 1);
	assert_int_equal(writer.length, 0);
	assert_int_equal(room[0], 0);
	assert_int_equal(room[3], 0);
	writer = writer_init(room, 4);
	writer_u16(&writer, 1);
	writer_set_u16(&writer, 1, 9); /* reaches behind what is written */
	assert_false(writer_ok(&writer));
	writer = writer_init(room, 4);
	writer_bytes(&writer, bytes, SIZE_MAX);
	assert_false(writer_ok(&writer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_are_big_endian),
		cmocka_unit_test(test_error_sticks),
		cmocka_unit_test(test_huge_counts),
		cmocka_unit_test(test_take_is_a_fence),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_writer),
		cmocka_unit_test(test_writer_error_sticks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
