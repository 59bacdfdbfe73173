#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../golden/bytes.h"
#include "../../golden/packets.h"
#include "packet/packet.h"
#include "packet/peek.h"

static const char *const packets[] = {GOLDEN_UDP4, GOLDEN_RECORD_ROUTE4, GOLDEN_TIMESTAMP4, GOLDEN_TCP4,
	GOLDEN_UDPLITE4_ALL, GOLDEN_PROBE4, GOLDEN_TIME_EXCEEDED4, GOLDEN_PROBE6};

/* What a whole reading finds, a glance finds as well. */
static void test_agrees_with_reading(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(packets); i++) {
		struct bytes bytes = bytes_of_hex(packets[i]);
		struct packet packet;
		struct peek peek;
		assert_int_equal(packet_read(bytes.data, bytes.length, &packet), 0);
		assert_true(peek_read(bytes.data, bytes.length, true, &peek));
		assert_true(addr_equal(peek.source, packet.ip.source));
		assert_true(addr_equal(peek.destination, packet.ip.destination));
		assert_int_equal(peek.ttl, packet.ip.ttl);
		assert_int_equal(peek.tos, packet.ip.tos);
		assert_int_equal(peek.protocol, packet.ip.protocol);
		assert_int_equal(peek.header_length, packet.ip.header_length);
		assert_int_equal(peek.length, packet.ip.total_length);
		assert_int_equal(peek.flow_label, packet.ip.flow_label);
		assert_int_equal(peek.options, packet.ip.source.family == 4 && packet.ip.header_length > 20);
		free(bytes.data);
	}
}

/* Ports, or type, code and checksum. */
static void test_flow_word(void **state)
{
	(void)state;
	static const struct {
		const char *hex;
		uint32_t word;
	} cases[] = {{GOLDEN_UDP4, 33434u << 16 | 53}, {GOLDEN_TCP4, 1021u << 16 | 80},
		{GOLDEN_RECORD_ROUTE4, 0x080065f0}, {GOLDEN_TIME_EXCEEDED4, 0x0b00e15d}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes bytes = bytes_of_hex(cases[i].hex);
		struct peek peek;
		assert_true(peek_read(bytes.data, bytes.length, true, &peek));
		assert_int_equal(peek.flow_word, cases[i].word);
		free(bytes.data);
	}
}

/* A later fragment (RFC 791 3.1) has no ports. */
static void test_fragments(void **state)
{
	(void)state;
	struct bytes bytes = bytes_of_hex(GOLDEN_UDP4);
	struct peek peek;
	bytes.data[6] = 0x20;						/* more fragments ... */
	bytes.data[7] = 0x05;						/* ... from byte 40 on */
	assert_false(peek_read(bytes.data, bytes.length, true, &peek)); /* the checksum was not changed */
	assert_true(peek_read(bytes.data, bytes.length, false, &peek));
	assert_int_equal(peek.fragment_offset, 40);
	assert_true(peek.more_fragments);
	assert_false(peek.dont_fragment);
	assert_int_equal(peek.flow_word, 0);
	free(bytes.data);
}

/* IPv6 extension headers in front of UDP: a destination options header of 8 bytes. */
static void test_extension_headers(void **state)
{
	(void)state;
	struct bytes plain = bytes_of_hex(GOLDEN_PROBE6);
	static const uint8_t options[8] = {PROTOCOL_UDP, 0, 1, 4};
	struct bytes bytes = {malloc(plain.length + 8), plain.length + 8};
	struct peek before, after;
	memcpy(bytes.data, plain.data, 40);
	memcpy(bytes.data + 40, options, 8);
	memcpy(bytes.data + 48, plain.data + 40, plain.length - 40);
	bytes.data[6] = PROTOCOL_DESTINATION_OPTIONS;
	bytes.data[5] = (uint8_t)(bytes.data[5] + 8);
	assert_true(peek_read(plain.data, plain.length, true, &before));
	assert_true(peek_read(bytes.data, bytes.length, true, &after));
	assert_int_equal(after.protocol, PROTOCOL_UDP);
	assert_int_equal(after.header_length, 48);
	assert_int_equal(after.flow_word, before.flow_word);
	free(plain.data);
	free(bytes.data);
}

/* Cut anywhere, a packet is refused. */
static void test_every_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(packets); i++) {
		struct bytes whole = bytes_of_hex(packets[i]);
		for (size_t length = 0; length < whole.length; length++) {
			struct bytes cut = bytes_copy(whole.data, length);
			struct peek peek;
			assert_false(peek_read(cut.data, cut.length, true, &peek));
			free(cut.data);
		}
		free(whole.data);
	}
}

static void test_other_versions(void **state)
{
	(void)state;
	struct bytes bytes = bytes_of_hex(GOLDEN_UDP4);
	struct peek peek;
	bytes.data[0] = 0x55;
	assert_false(peek_read(bytes.data, bytes.length, false, &peek));
	bytes.data[0] = 0x44; /* a header of 16 bytes */
	assert_false(peek_read(bytes.data, bytes.length, false, &peek));
	free(bytes.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agrees_with_reading),
		cmocka_unit_test(test_flow_word),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_extension_headers),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_other_versions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
