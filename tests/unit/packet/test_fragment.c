#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "packet/fragment.h"
#include "packet/packet.h"

#define LENGTH 300

/* A UDP packet of 300 bytes; `dont` be cut, `more` to come, `offset` from the beginning. */
static size_t make(uint8_t *bytes, bool dont, bool more, uint16_t offset)
{
	static uint8_t payload[LENGTH];
	for (unsigned i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)i;
	struct packet_spec spec = {
		.ip = {.source = addr_v4(0xc0000201),
			.destination = addr_v4(0xc0000202),
			.ttl = 9,
			.protocol = PROTOCOL_UDP,
			.id = 4711,
			.dont_fragment = dont,
			.more_fragments = more,
			.fragment_offset = offset},
		.transport = {.payload = payload, .payload_length = LENGTH - (offset ? 20 : 28)},
	};
	struct writer writer = writer_init(bytes, LENGTH);
	assert_int_equal(packet_write(&writer, &spec), 0);
	assert_int_equal(writer.length, LENGTH);
	return writer.length;
}

/* RFC 791 3.2: whatever the MTU, pieces of eight bytes' multiples, that are the packet again one after the
 * other. */
static void test_every_mtu(void **state)
{
	uint8_t whole[LENGTH], again[LENGTH];
	(void)state;
	(void)make(whole, false, false, 0);
	for (size_t mtu = 28; mtu < LENGTH; mtu++) {
		size_t done = 0, length, at = 20;
		uint8_t *piece = malloc(mtu); /* so that a byte too many is noticed */
		while ((length = fragment_cut(whole, LENGTH, mtu, &done, piece)) > 0) {
			struct packet packet;
			assert_true(length <= mtu);
			assert_int_equal(packet_read(piece, length, &packet), 0);
			assert_int_equal(packet.ip.total_length, length);
			assert_int_equal(packet.ip.fragment_offset, at - 20);
			assert_int_equal(packet.ip.id, 4711);
			assert_int_equal(packet.ip.more_fragments, done < LENGTH - 20);
			assert_int_equal(fragment_id(piece, length), 4711);
			if (at == 20)
				memcpy(again, piece, 20);
			memcpy(again + at, piece + 20, length - 20);
			at += length - 20;
		}
		assert_int_equal(at, LENGTH);
		assert_true(fragment_finish(again, 20, LENGTH));
		assert_memory_equal(again, whole, LENGTH);
		free(piece);
	}
}

/* A fragment that is cut once more: offsets go on from its own, and only the end of it all says so. */
static void test_fragment_of_a_fragment(void **state)
{
	uint8_t bytes[LENGTH], piece[200];
	struct packet packet;
	size_t done = 0;
	(void)state;
	(void)make(bytes, false, true, 800);
	assert_int_equal(fragment_cut(bytes, LENGTH, 200, &done, piece), 196);
	assert_int_equal(packet_read(piece, 196, &packet), 0);
	assert_int_equal(packet.ip.fragment_offset, 800);
	assert_int_equal(fragment_cut(bytes, LENGTH, 200, &done, piece), 20 + 280 - 176);
	assert_int_equal(packet_read(piece, 124, &packet), 0);
	assert_int_equal(packet.ip.fragment_offset, 976);
	assert_true(packet.ip.more_fragments);
}

static void test_what_is_not_cut(void **state)
{
	uint8_t bytes[LENGTH], piece[LENGTH];
	size_t done = 0;
	(void)state;
	(void)make(bytes, true, false, 0);
	assert_int_equal(fragment_cut(bytes, LENGTH, 100, &done, piece), 0);
	(void)make(bytes, false, false, 0);
	assert_int_equal(fragment_cut(bytes, LENGTH, 27, &done, piece), 0); /* no room for eight bytes */
	bytes[0] = 0x65;
	assert_int_equal(fragment_cut(bytes, LENGTH, 100, &done, piece), 0);
	for (size_t length = 0; length < 20; length++) {
		uint8_t *copy = malloc(length + 1);
		memset(copy, 0x45, length + 1);
		assert_int_equal(fragment_cut(copy, length, 100, &done, piece), 0);
		assert_int_equal(fragment_id(copy, length), 0);
		free(copy);
	}
	assert_int_equal(done, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_mtu),
		cmocka_unit_test(test_fragment_of_a_fragment),
		cmocka_unit_test(test_what_is_not_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
