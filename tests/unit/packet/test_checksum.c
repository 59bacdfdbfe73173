#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "packet/checksum.h"

/* RFC 1071 section 3: the sum of these is 0xddf2. */
static void test_rfc1071_example(void **state)
{
	(void)state;
	const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	assert_int_equal(checksum_finish(checksum_add(0, bytes, sizeof(bytes))), 0x220d);
	/* in pieces */
	uint64_t sum = checksum_add(checksum_add(0, bytes, 2), bytes + 2, 6);
	assert_int_equal(checksum_finish(sum), 0x220d);
}

static void test_odd_length_is_padded(void **state)
{
	(void)state;
	const uint8_t odd[] = {0x12, 0x34, 0x56};
	const uint8_t even[] = {0x12, 0x34, 0x56, 0x00};
	assert_int_equal(checksum_add(0, odd, 3), checksum_add(0, even, 4));
	assert_int_equal(checksum_finish(0), 0xffff);
}

/* RFC 1624 section 4: 0x5555 becomes 0x3285 under the checksum 0xdd2f, and the result is 0, not 0xffff. */
static void test_rfc1624_example(void **state)
{
	(void)state;
	assert_int_equal(checksum_update(0xdd2f, 0x5555, 0x3285), 0x0000);
}

static void test_update_equals_a_fresh_sum(void **state)
{
	(void)state;
	uint8_t bytes[] = {0x45, 0x00, 0x00, 0x54, 0x40, 0x01, 0xff, 0xff};
	uint16_t checksum = checksum_finish(checksum_add(0, bytes, sizeof(bytes)));
	checksum = checksum_update(checksum, 0x4001, 0x3f01);
	bytes[4] = 0x3f;
	assert_int_equal(checksum, checksum_finish(checksum_add(0, bytes, sizeof(bytes))));
}

static void test_pseudo_header(void **state)
{
	(void)state;
	/* RFC 768: source, destination, zero and protocol, length */
	const uint8_t v4[] = {192, 0, 2, 1, 198, 51, 100, 7, 0, 17, 0, 13};
	uint64_t sum = checksum_pseudo(addr_v4(0xc0000201), addr_v4(0xc6336407), 17, 13);
	assert_int_equal(checksum_finish(sum), checksum_finish(checksum_add(0, v4, sizeof(v4))));
	/* RFC 8200 8.1: source, destination, 32-bit length, zero and next header */
	const uint8_t v6[40] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1, 0x20, 0x01, 0x0d, 0xb8, 0xff,
		0xff, [31] = 7, 0x00, 0x01, 0x00, 0x02, [39] = 58};
	sum = checksum_pseudo(addr_v6(0x20010db800000000, 1), addr_v6(0x20010db8ffff0000, 7), 58, 0x10002);
	assert_int_equal(checksum_finish(sum), checksum_finish(checksum_add(0, v6, sizeof(v6))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc1071_example),
		cmocka_unit_test(test_odd_length_is_padded),
		cmocka_unit_test(test_rfc1624_example),
		cmocka_unit_test(test_update_equals_a_fresh_sum),
		cmocka_unit_test(test_pseudo_header),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
