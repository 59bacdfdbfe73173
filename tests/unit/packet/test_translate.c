#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../golden/bytes.h"
#include "../../golden/packets.h"
#include "packet/packet.h"
#include "packet/translate.h"

#define OTHER addr_v4(0xcb00714d)

static struct packet read_bytes(struct bytes bytes)
{
	struct packet packet;
	assert_int_equal(packet_read(bytes.data, bytes.length, &packet), 0);
	return packet;
}

/* UDP, TCP: address and port of one side change, the other side and the rest do not, all checksums hold. */
static void test_ports(void **state)
{
	(void)state;
	static const char *const packets[] = {GOLDEN_UDP4, GOLDEN_TCP4};
	for (size_t i = 0; i < ARRAY_LEN(packets); i++) {
		struct bytes bytes = bytes_of_hex(packets[i]);
		struct packet before = read_bytes(bytes);
		assert_true(translate_packet(bytes.data, bytes.length, TRANSLATE_SOURCE, OTHER, 61234));
		struct packet after = read_bytes(bytes);
		assert_true(addr_equal(after.ip.source, OTHER));
		assert_true(addr_equal(after.ip.destination, before.ip.destination));
		assert_int_equal(after.transport.source_port, 61234);
		assert_int_equal(after.transport.destination_port, before.transport.destination_port);
		assert_true(after.checksum_ok);
		assert_true(translate_packet(bytes.data, bytes.length, TRANSLATE_DESTINATION, OTHER, 7));
		assert_int_equal(read_bytes(bytes).transport.destination_port, 7);
		assert_true(read_bytes(bytes).checksum_ok);
		free(bytes.data);
	}
}

/* RFC 3022 4.1: of an echo the id changes, whichever side is meant; also behind options. */
static void test_echo_id(void **state)
{
	(void)state;
	for (unsigned side = 0; side < 2; side++) {
		struct bytes bytes = bytes_of_hex(GOLDEN_RECORD_ROUTE4);
		assert_true(
			translate_packet(bytes.data, bytes.length, (enum translate_side)side, OTHER, 5000));
		struct packet after = read_bytes(bytes);
		assert_int_equal(after.transport.icmp_id, 5000);
		assert_int_equal(after.transport.icmp_seq, 3);
		assert_true(after.checksum_ok);
		free(bytes.data);
	}
}

/* RFC 768: no checksum stays no checksum. */
static void test_udp_without_checksum(void **state)
{
	(void)state;
	struct bytes bytes = bytes_of_hex(GOLDEN_UDP4);
	bytes.data[26] = bytes.data[27] = 0;
	assert_true(translate_packet(bytes.data, bytes.length, TRANSLATE_SOURCE, OTHER, 1));
	assert_int_equal(read_bytes(bytes).transport.checksum, 0);
	assert_true(read_bytes(bytes).checksum_ok);
	free(bytes.data);
}

/* RFC 5508 4.2: the quoted packet changes, with its own checksums and that of the error. */
static void test_quote(void **state)
{
	(void)state;
	struct bytes bytes = bytes_of_hex(GOLDEN_TIME_EXCEEDED4);
	struct packet before = read_bytes(bytes);
	assert_true(translate_quote(bytes.data, bytes.length, TRANSLATE_SOURCE, OTHER, 1000));
	struct packet after = read_bytes(bytes);
	assert_true(after.checksum_ok);
	assert_true(addr_equal(after.ip.destination, before.ip.destination));
	assert_true(addr_equal(after.quoted_ip.source, OTHER));
	assert_int_equal(after.quoted.source_port, 1000);
	assert_int_equal(after.quoted.destination_port, before.quoted.destination_port);
	/* the quoted packet is whole here, so its checksums can be looked at */
	struct packet inner;
	assert_int_equal(packet_read(bytes.data + 28, bytes.length - 28, &inner), 0);
	assert_true(inner.checksum_ok);
	/* and back again: byte for byte what it was */
	struct bytes original = bytes_of_hex(GOLDEN_TIME_EXCEEDED4);
	assert_true(translate_quote(bytes.data, bytes.length, TRANSLATE_SOURCE, before.quoted_ip.source,
		before.quoted.source_port));
	assert_memory_equal(bytes.data, original.data, original.length);
	free(original.data);
	free(bytes.data);
}

/* What was damaged stays damaged. */
static void test_wrong_stays_wrong(void **state)
{
	(void)state;
	struct bytes bytes = bytes_of_hex(GOLDEN_UDP4);
	bytes.data[30] ^= 0x40;
	assert_true(translate_packet(bytes.data, bytes.length, TRANSLATE_SOURCE, OTHER, 1));
	assert_false(read_bytes(bytes).checksum_ok);
	free(bytes.data);
}

/* Cut anywhere: refused, or done with what is there; never read or written beyond. */
static void test_every_length(void **state)
{
	(void)state;
	static const char *const packets[] = {
		GOLDEN_UDP4, GOLDEN_TCP4, GOLDEN_RECORD_ROUTE4, GOLDEN_TIME_EXCEEDED4};
	for (size_t i = 0; i < ARRAY_LEN(packets); i++) {
		struct bytes whole = bytes_of_hex(packets[i]);
		for (size_t length = 0; length <= whole.length; length++) {
			struct bytes cut = bytes_copy(whole.data, length);
			bool readable = length >= (whole.data[0] & 15u) * 4u;
			assert_int_equal(
				translate_packet(cut.data, length, TRANSLATE_SOURCE, OTHER, 9), readable);
			assert_int_equal(
				translate_address(cut.data, length, TRANSLATE_DESTINATION, OTHER), readable);
			(void)translate_quote(cut.data, length, TRANSLATE_SOURCE, OTHER, 9);
			free(cut.data);
		}
		free(whole.data);
	}
}

static void test_refused(void **state)
{
	(void)state;
	struct bytes v6 = bytes_of_hex(GOLDEN_PROBE6), udp = bytes_of_hex(GOLDEN_UDP4);
	assert_false(translate_packet(v6.data, v6.length, TRANSLATE_SOURCE, OTHER, 9));
	assert_false(translate_quote(udp.data, udp.length, TRANSLATE_SOURCE, OTHER, 9));
	assert_false(translate_packet(udp.data, udp.length, TRANSLATE_SOURCE, addr_v6(1, 2), 9));
	free(v6.data);
	free(udp.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_echo_id),
		cmocka_unit_test(test_udp_without_checksum),
		cmocka_unit_test(test_quote),
		cmocka_unit_test(test_wrong_stays_wrong),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
