/* Packets inside ICMP errors: cut anywhere, with lies in their lengths, with and without extensions behind.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../golden/bytes.h"
#include "../../golden/packets.h"
#include "packet/packet.h"

static uint8_t room[4096];

/* The error of `family` around these bytes. Payload pointers lead into `room`. */
static struct packet error_around(uint8_t family, const uint8_t *quote, size_t length)
{
	bool v4 = family == 4;
	struct packet_spec spec = {
		.ip =
			{
				.source = v4 ? addr_v4(0xcb007101) : addr_v6(0x20010db800010000, 1),
				.destination = v4 ? addr_v4(0xc0000201) : addr_v6(0x20010db800000000, 1),
				.ttl = 9,
				.protocol = v4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6,
			},
		.transport = {.icmp_type = v4 ? 11 : 3, .payload = quote, .payload_length = length},
	};
	struct writer writer = writer_init(room, sizeof(room));
	struct packet packet;
	assert_int_equal(packet_write(&writer, &spec), 0);
	assert_int_equal(packet_read(room, writer.length, &packet), 0);
	return packet;
}

static struct packet error_around_hex(uint8_t family, const char *hex)
{
	struct bytes quote = bytes_of_hex(hex);
	struct packet packet = error_around(family, quote.data, quote.length);
	free(quote.data);
	return packet;
}

static void assert_ports(const struct packet *packet, size_t at_hand, uint16_t source, uint16_t destination)
{
	assert_int_equal(packet->quoted.source_port, at_hand >= 2 ? source : 0);
	assert_int_equal(packet->quoted.destination_port, at_hand >= 4 ? destination : 0);
}

static void test_every_length(void **state)
{
	(void)state;
	struct bytes probe = bytes_of_hex(GOLDEN_PROBE4);
	for (size_t length = 0; length <= probe.length; length++) {
		struct packet packet = error_around(4, probe.data, length);
		assert_int_equal(packet.has_quote, length >= 20);
		if (length < 20)
			continue;
		size_t at_hand = length - 20;
		assert_int_equal(packet.quoted_ip.total_length, 36);
		assert_int_equal(packet.quoted_ip.destination.low, 0xc6336407);
		assert_ports(&packet, at_hand, 40000, 33435);
		assert_int_equal(packet.quoted.checksum, at_hand >= 8 ? 0x683d : 0);
		assert_int_equal(packet.quoted.seen, at_hand < 8 ? at_hand : 8);
		assert_int_equal(packet.quoted.payload_length, at_hand < 8 ? 0 : at_hand - 8);
	}
	free(probe.data);
}

static void test_every_length_with_options(void **state)
{
	(void)state;
	struct bytes probe = bytes_of_hex(GOLDEN_LOOSE_ROUTE4);
	for (size_t length = 0; length <= probe.length; length++) {
		struct packet packet = error_around(4, probe.data, length);
		assert_int_equal(packet.has_quote, length >= 20);
		if (length < 20)
			continue;
		assert_int_equal(packet.quoted_ip.header_length, 32);
		assert_int_equal(packet.quoted_ip.bad_options, length < 32);
		assert_int_equal(packet.quoted_ip.route.present, length >= 32);
		assert_ports(&packet, length < 32 ? 0 : length - 32, 1, 2);
	}
	free(probe.data);
}

static void test_every_length_with_extension_headers(void **state)
{
	(void)state;
	struct bytes probe = bytes_of_hex(GOLDEN_EXTENSION_HEADERS6);
	for (size_t length = 0; length <= probe.length; length++) {
		struct packet packet = error_around(6, probe.data, length);
		assert_int_equal(packet.has_quote, length >= 40);
		if (length < 40)
			continue;
		/* hop-by-hop, destination, routing and fragment headers end at 56, 64, 104 and 112 */
		assert_int_equal(packet.quoted_ip.bad_options, length < 112);
		assert_int_equal(packet.quoted_ip.routing.present, length >= 104);
		assert_int_equal(packet.quoted.icmp_type, length >= 113 ? 128 : 0);
		assert_int_equal(packet.quoted.icmp_id, length >= 118 ? 0x4242 : 0);
		assert_int_equal(packet.quoted.icmp_seq, length >= 120 ? 7 : 0);
	}
	free(probe.data);
}

static void test_tcp_of_eight_bytes(void **state)
{
	(void)state;
	struct packet packet =
		error_around_hex(4, "45000038 00070000 01060000 c0000201 c6336407 03fd0050 0000fb01");
	assert_ports(&packet, 8, 1021, 80);
	assert_int_equal(packet.quoted.tcp_sequence, 0xfb01);
	assert_int_equal(packet.quoted.seen, 8);
	assert_int_equal(packet.quoted.tcp_flags, 0);
	assert_int_equal(packet.quoted.payload_length, 0);
}

/* Routers are known to quote a total length in host order, without the header, or as something else. */
static void test_claimed_lengths_are_not_trusted(void **state)
{
	(void)state;
	static const uint16_t claims[] = {0, 1, 16, 20, 35, 0x2400, 0xffff};
	struct bytes probe = bytes_of_hex(GOLDEN_PROBE4);
	for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
		probe.data[2] = (uint8_t)(claims[i] >> 8);
		probe.data[3] = (uint8_t)claims[i];
		struct packet packet = error_around(4, probe.data, probe.length);
		assert_int_equal(packet.quoted_ip.total_length, claims[i]);
		assert_ports(&packet, 8, 40000, 33435);
		assert_int_equal(packet.quoted.payload_length, 8);
		assert_memory_equal(packet.quoted.payload, "retour01", 8);
	}
	free(probe.data);
}

static void test_zero_padding_is_not_payload(void **state)
{
	(void)state;
	struct packet packet = error_around_hex(4, GOLDEN_PROBE4 "00000000 00000000");
	assert_int_equal(packet.transport.payload_length, 44);
	assert_int_equal(packet.quoted.payload_length, 8);
	packet = error_around_hex(4, GOLDEN_PROBE4 "00000000 01000000");
	assert_int_equal(packet.quoted.payload_length, 16);
	packet = error_around_hex(6, GOLDEN_PROBE6 "00000000 00000000");
	assert_int_equal(packet.quoted.payload_length, 8);
}

static void test_quote_of_another_family(void **state)
{
	(void)state;
	assert_false(error_around_hex(6, GOLDEN_PROBE4 "000000000000").has_quote);
	assert_false(error_around_hex(4, GOLDEN_PROBE6).has_quote);
}

static void test_quoted_fragment(void **state)
{
	(void)state;
	struct packet packet =
		error_around_hex(4, "4500001c 00002001 01110000 c0000201 c6336407 82a90035 00081234");
	assert_true(packet.has_quote);
	assert_int_equal(packet.quoted_ip.fragment_offset, 8);
	assert_int_equal(packet.quoted.source_port, 0);
	assert_int_equal(packet.quoted.seen, 0);
}

/* --- extensions: the ICMP message alone, to set every byte --- */

static struct packet message(
	uint8_t family, uint8_t type, const uint8_t rest[4], const uint8_t *body, size_t length)
{
	struct packet packet;
	bool v4 = family == 4;
	struct ip_header ip = {
		.source = v4 ? addr_v4(1) : addr_v6(1, 1), .destination = v4 ? addr_v4(2) : addr_v6(1, 2)};
	room[0] = type;
	memset(room + 1, 0, 3);
	memcpy(room + 4, rest, 4);
	memcpy(room + 8, body, length);
	assert_int_equal(packet_read_icmp(&ip, room, 8 + length, &packet), 0);
	return packet;
}

/* Extension structures of one MPLS entry 100/0/1/7; the checksum of the first is
 * ~(2000 + 0008 + 0101 + 0006 + 4107) = 9de9. */
#define MPLS_GOOD "20009de9 00080101 00064107"
#define MPLS_NO_CHECKSUM "20000000 00080101 00064107"
#define MPLS_WRONG "20009dea 00080101 00064107"
#define VERSION_1 "1000ade9 00080101 00064107"

/* `quote_length` bytes of quote and the structure, under an ICMPv4 time exceeded with this length attribute.
 */
static struct packet extended(uint8_t words, size_t quote_length, const char *structure)
{
	uint8_t body[512] = {0x45, 0, 0, 36, [8] = 1, [9] = 17};
	const uint8_t rest[4] = {0, words, 0, 0};
	struct bytes bytes = bytes_of_hex(structure);
	body[quote_length - 1] = 0xee;
	if (bytes.length > 0)
		memcpy(body + quote_length, bytes.data, bytes.length);
	struct packet packet = message(4, 11, rest, body, quote_length + bytes.length);
	free(bytes.data);
	return packet;
}

static void test_length_attribute(void **state)
{
	(void)state;
	struct packet packet = extended(33, 132, MPLS_GOOD);
	assert_true(packet.extensions.present);
	assert_true(packet.extensions.checksum_ok);
	assert_int_equal(packet.extensions.mpls_count, 1);
	assert_int_equal(packet.extensions.mpls[0].label, 100);
	assert_true(packet.extensions.mpls[0].bottom);
	assert_int_equal(packet.extensions.mpls[0].ttl, 7);
	assert_int_equal(packet.transport.payload_length, 132);
	assert_int_equal(packet.quoted.payload_length, 132 - 28);

	packet = extended(32, 128, MPLS_NO_CHECKSUM);
	assert_true(packet.extensions.checksum_ok);
	assert_int_equal(packet.extensions.mpls_count, 1);

	packet = extended(32, 128, MPLS_WRONG);
	assert_true(packet.extensions.present);
	assert_false(packet.extensions.checksum_ok);
	assert_int_equal(packet.extensions.mpls_count, 0);
	assert_int_equal(packet.transport.payload_length, 128);
}

/* An attribute that leads nowhere: all that follows the header is quote. */
static void test_wrong_length_attribute(void **state)
{
	(void)state;
	static const uint8_t words[] = {1, 31, 33, 35, 36, 255};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		struct packet packet = extended(words[i], 128, MPLS_GOOD);
		assert_false(packet.extensions.present);
		assert_int_equal(packet.transport.payload_length, 140);
		assert_true(packet.has_quote);
	}
	assert_false(extended(32, 128, VERSION_1).extensions.present);
	assert_false(extended(32, 128, "200000").extensions.present);
	assert_false(extended(32, 128, "").extensions.present);
}

/* RFC 4884 5.5: without the attribute only a structure that its checksum proves. */
static void test_without_length_attribute(void **state)
{
	(void)state;
	struct packet packet = extended(0, 128, MPLS_GOOD);
	assert_true(packet.extensions.present);
	assert_int_equal(packet.extensions.mpls_count, 1);
	assert_int_equal(packet.transport.payload_length, 128);
	assert_false(extended(0, 128, MPLS_WRONG).extensions.present);
	assert_false(extended(0, 128, MPLS_NO_CHECKSUM).extensions.present);
	assert_false(extended(0, 132, MPLS_GOOD).extensions.present);
	assert_false(extended(0, 124, MPLS_GOOD).extensions.present);
}

static void test_messages_without_a_length_attribute(void **state)
{
	(void)state;
	uint8_t body[140] = {0x60};
	const uint8_t rest[4] = {16, 0, 5, 0};
	struct bytes bytes = bytes_of_hex(MPLS_GOOD);
	memcpy(body + 128, bytes.data, bytes.length);
	free(bytes.data);
	struct packet packet = message(6, ICMP6_PACKET_TOO_BIG, rest, body, sizeof(body));
	assert_false(packet.extensions.present);
	assert_int_equal(packet.transport.icmp_mtu, 0x10000500);
	assert_int_equal(packet.transport.payload_length, 140);
	packet = message(6, ICMP6_UNREACHABLE, rest, body, sizeof(body));
	assert_int_equal(packet.extensions.mpls_count, 1);
}

/* Objects under a structure without checksum, RFC 4884 7.1. */
static struct icmp_extensions objects(const char *hex)
{
	char structure[600] = "20000000";
	strcat(structure, hex);
	struct packet packet = extended(32, 128, structure);
	assert_true(packet.extensions.present);
	return packet.extensions;
}

static void test_malformed_objects(void **state)
{
	(void)state;
	assert_int_equal(objects("").unknown_count, 0);
	assert_int_equal(objects("0000 0101").unknown_count, 0);	  /* length 0: no way on */
	assert_int_equal(objects("0003 0901 00040901").unknown_count, 0); /* length 3 */
	assert_int_equal(objects("0100 0901").unknown_count, 0);	  /* beyond the end */
	assert_int_equal(objects("0004 0901 0004 0101 0004 0201").unknown_count, 1);
	assert_int_equal(objects("0006 0101 0000 0008 0101 00064107").mpls_count, 1); /* half an entry */
	/* nine entries where eight have room; five interfaces where four have */
	struct icmp_extensions found =
		objects("0028 0101"
			"0000100100002001000030010000400100005001000060010000700100008001"
			"00009101");
	assert_int_equal(found.mpls_count, MPLS_STACK_MAX);
	assert_int_equal(found.mpls[7].label, 8);
	found = objects(
		"00080208 00000001 00080208 00000002 00080208 00000003 00080208 00000004 00080208 00000005");
	assert_int_equal(found.interface_count, INTERFACE_INFO_MAX);
	assert_int_equal(found.interfaces[3].index, 4);
}

static void test_malformed_interfaces(void **state)
{
	(void)state;
	/* unknown address family: what follows it cannot be found, what precedes it stays */
	struct icmp_extensions found = objects("0018020d 00000007 00030000 01020304 000005dc 00000000");
	assert_int_equal(found.interfaces[0].index, 7);
	assert_false(addr_is_set(found.interfaces[0].address));
	assert_int_equal(found.interfaces[0].mtu, 0);
	/* name of length 0, of length 65, and longer than the object */
	assert_string_equal(objects("00080202 00616263").interfaces[0].name, "");
	assert_string_equal(objects("00080202 05616263").interfaces[0].name, "");
	assert_string_equal(objects("00080202 04616263").interfaces[0].name, "abc");
	/* a name of 64 bytes inside an object that has them all, where 63 are allowed */
	char long_name[200] = "00480202 41";
	for (int i = 0; i < 67; i++)
		strcat(long_name, "78");
	assert_string_equal(objects(long_name).interfaces[0].name, "");
	/* an object that promises more than it has does not read into the next */
	found = objects("00040208 00080208 00000009");
	assert_int_equal(found.interface_count, 2);
	assert_int_equal(found.interfaces[0].index, 0);
	assert_int_equal(found.interfaces[1].index, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_every_length_with_options),
		cmocka_unit_test(test_every_length_with_extension_headers),
		cmocka_unit_test(test_tcp_of_eight_bytes),
		cmocka_unit_test(test_claimed_lengths_are_not_trusted),
		cmocka_unit_test(test_zero_padding_is_not_payload),
		cmocka_unit_test(test_quote_of_another_family),
		cmocka_unit_test(test_quoted_fragment),
		cmocka_unit_test(test_length_attribute),
		cmocka_unit_test(test_wrong_length_attribute),
		cmocka_unit_test(test_without_length_attribute),
		cmocka_unit_test(test_messages_without_a_length_attribute),
		cmocka_unit_test(test_malformed_objects),
		cmocka_unit_test(test_malformed_interfaces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
