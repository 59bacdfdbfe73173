#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"

/* Key bytes 00..0f, little-endian. */
static const struct hash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

/* SipHash paper, appendix A: the 15 bytes 00..0e; and the authors' vectors for shorter inputs. */
static void test_reference_vectors(void **state)
{
	(void)state;
	static const uint64_t expected[] = {
		0x726fdb47dd0e0e31,
		0x74f839c593dc67fd,
		0x0d6c8009d9a94f5a,
		0x85676696d7fb7e2d,
		0xcf2794e0277187b7,
		0x18765564cd99a68d,
		0xcbc9466e58fee3ce,
		0xab0200f58b01d137,
		0x93f5f5799a932462,
	};
	uint8_t input[15];
	for (uint8_t i = 0; i < sizeof(input); i++)
		input[i] = i;
	for (size_t length = 0; length < sizeof(expected) / sizeof(expected[0]); length++)
		assert_true(hash_bytes(key, input, length) == expected[length]);
	assert_true(hash_bytes(key, input, 15) == 0xa129ca6149be45e5);
}

static void test_addresses(void **state)
{
	(void)state;
	/* the same number in two families is two addresses */
	assert_true(hash_addr(key, addr_v4(1)) != hash_addr(key, addr_v6(0, 1)));
	assert_true(hash_addr(key, addr_v6(1, 0)) != hash_addr(key, addr_v6(0, 1)));
	assert_true(hash_addr(key, addr_v4(1)) == hash_addr(key, addr_v4(1)));
}

static void test_keys(void **state)
{
	(void)state;
	struct hash_key a = hash_key_random(), b = hash_key_random();
	assert_false(a.k0 == b.k0 && a.k1 == b.k1);
	assert_true(hash_bytes(a, "x", 1) != hash_bytes(b, "x", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reference_vectors),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
