/* Bytes that are cut short or wrong. Copies are of exact size, so the address sanitizer sees an over-read. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "../../golden/bytes.h"
#include "../../golden/packets.h"
#include "packet/packet.h"

/* Read `hex` from a copy of its own; payload pointers are void afterwards. */
static int read_hex(const char *hex, struct packet *packet)
{
	struct bytes bytes = bytes_of_hex(hex);
	int status = packet_read(bytes.data, bytes.length, packet);
	free(bytes.data);
	return status;
}

static void assert_inside(const struct transport *transport, struct bytes bytes)
{
	if (!transport->payload) {
		assert_int_equal(transport->payload_length, 0);
		return;
	}
	assert_true(transport->payload >= bytes.data);
	assert_true(transport->payload + transport->payload_length <= bytes.data + bytes.length);
}

static void check_read(struct bytes bytes, size_t header_length)
{
	struct packet packet;
	int status = packet_read(bytes.data, bytes.length, &packet);
	assert_int_equal(status, bytes.length < header_length ? -EBADMSG : 0);
	if (status == 0) {
		assert_inside(&packet.transport, bytes);
		assert_inside(&packet.quoted, bytes);
	}
}

/* Without all of the IPv4 header or the fixed IPv6 header there is no packet; from there on there is one, and
 * its checksum cannot be said to hold before the last byte is there. */
static void test_every_truncation(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(golden_packets); i++) {
		struct bytes whole = bytes_of_hex(golden_packets[i]);
		size_t header_length = whole.data[0] >> 4 == 4 ? (whole.data[0] & 15u) * 4u : 40;
		for (size_t length = 0; length < whole.length; length++) {
			struct bytes cut = bytes_copy(whole.data, length);
			struct packet packet;
			check_read(cut, header_length);
			if (packet_read(cut.data, cut.length, &packet) == 0)
				assert_false(packet.checksum_ok);
			free(cut.data);
		}
		check_read(whole, header_length);
		free(whole.data);
	}
}

/* The same with length fields that agree with the cut, so that nothing stops at the first check. */
static void test_every_truncation_with_true_lengths(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(golden_packets); i++) {
		struct bytes whole = bytes_of_hex(golden_packets[i]);
		bool v4 = whole.data[0] >> 4 == 4;
		size_t header_length = v4 ? (whole.data[0] & 15u) * 4u : 40;
		for (size_t length = header_length; length < whole.length; length++) {
			struct bytes cut = bytes_copy(whole.data, length);
			size_t claimed = v4 ? length : length - 40;
			cut.data[v4 ? 2 : 4] = (uint8_t)(claimed >> 8);
			cut.data[v4 ? 3 : 5] = (uint8_t)claimed;
			check_read(cut, header_length);
			free(cut.data);
		}
		free(whole.data);
	}
}

/* Every byte with every value: lengths, types, pointers. */
static void test_every_byte_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(golden_packets); i++) {
		struct bytes bytes = bytes_of_hex(golden_packets[i]);
		for (size_t at = 0; at < bytes.length; at++) {
			uint8_t right = bytes.data[at];
			for (unsigned value = 0; value < 256; value++) {
				struct packet packet;
				bytes.data[at] = (uint8_t)value;
				if (packet_read(bytes.data, bytes.length, &packet) == 0) {
					assert_inside(&packet.transport, bytes);
					assert_inside(&packet.quoted, bytes);
				}
			}
			bytes.data[at] = right;
		}
		free(bytes.data);
	}
}

/* One bit anywhere in a packet whose every byte is covered by a checksum. */
static void test_a_flipped_bit_shows(void **state)
{
	(void)state;
	struct bytes bytes = bytes_of_hex(GOLDEN_TCP4);
	for (size_t bit = 0; bit < 8 * bytes.length; bit++) {
		struct packet packet;
		bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (packet_read(bytes.data, bytes.length, &packet) == 0 && packet.ip.protocol == PROTOCOL_TCP)
			assert_false(packet.checksum_ok);
		bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	free(bytes.data);
}

static void test_not_ip(void **state)
{
	(void)state;
	struct packet packet;
	static const char *const cases[] = {
		"", "00", "55",						 /* version 5 */
		"44000014 00000000 40110000 c0000201 c6336407",		 /* IHL 4 */
		"46000014 00000000 40110000 c0000201 c6336407",		 /* IHL 6, 20 bytes */
		"45000013 00000000 40110000 c0000201 c6336407",		 /* total length 19 */
		"46000014 00000000 40110000 c0000201 c6336407 00000000", /* total length inside the header */
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(read_hex(cases[i], &packet), -EBADMSG);
}

/* Ethernet pads short frames: what IP does not claim is not read. */
static void test_trailing_bytes(void **state)
{
	(void)state;
	struct packet packet;
	assert_int_equal(read_hex(GOLDEN_UDP4 "000000000000", &packet), 0);
	assert_true(packet.checksum_ok);
	assert_int_equal(packet.transport.payload_length, 5);
	assert_int_equal(read_hex(GOLDEN_TCP4 "000000000000", &packet), 0);
	assert_true(packet.checksum_ok);
	assert_int_equal(packet.transport.payload_length, 0);
	assert_int_equal(read_hex(GOLDEN_TIME_EXCEEDED6_EXTENSIONS "ffffffff", &packet), 0);
	assert_true(packet.checksum_ok);
	assert_true(packet.extensions.checksum_ok);
}

#define HEADER4(first, total) first "0000" total " 00000000 40fd0000 c0000201 c6336407"

static struct ip_header read_options(const char *hex)
{
	struct packet packet;
	assert_int_equal(read_hex(hex, &packet), 0);
	return packet.ip;
}

static void test_malformed_options(void **state)
{
	(void)state;
	static const char *const bad[] = {
		HEADER4("46", "18") "07000000",		 /* length 0 */
		HEADER4("46", "18") "07010000",		 /* length 1 */
		HEADER4("46", "18") "07020000",		 /* no pointer */
		HEADER4("46", "18") "07050400",		 /* longer than the header */
		HEADER4("46", "18") "01010107",		 /* no length byte */
		HEADER4("47", "1c") "07070300 00000000", /* pointer into the option's own header */
		HEADER4("47", "1c") "07070500 00000000", /* pointer between slots */
		HEADER4("47", "1c") "07060400 00000000", /* half a slot */
		HEADER4("47", "1c") "44080400 00000000", /* timestamp pointer too small */
		HEADER4("47", "1c") "44080502 00000000", /* timestamp flag 2 */
		HEADER4("47", "1c") "44080501 00000000", /* half an address-and-time slot */
		HEADER4("46", "18") "44030500",		 /* no flags */
		HEADER4("4a", "28") "07070400 00000001 83070400 00000000 00000000", /* two route options */
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(read_options(bad[i]).bad_options, true);
}

static void test_odd_but_good_options(void **state)
{
	(void)state;
	/* router alert (RFC 2113) and something unknown are skipped, the record route behind them is found */
	struct ip_header ip =
		read_options(HEADER4("4a", "28") "94040000 1e030001 07070800 cb007101 00ffffff");
	assert_false(ip.bad_options);
	assert_true(ip.route.present);
	assert_int_equal(ip.route.slots, 1);
	assert_int_equal(ip.route.used, 1);
	/* a pointer far behind the end is a full option */
	ip = read_options(HEADER4("47", "1c") "0707f800 cb007101");
	assert_false(ip.bad_options);
	assert_int_equal(ip.route.used, 1);
	/* no room at all */
	ip = read_options(HEADER4("46", "18") "07030400");
	assert_true(ip.route.present);
	assert_int_equal(ip.route.slots, 0);
	/* flag 3: prespecified */
	ip = read_options(HEADER4("4a", "28") "44140d03 cb007101 00000001 cb007105 00000000");
	assert_int_equal(ip.timestamp.flag, 3);
	assert_int_equal(ip.timestamp.slots, 2);
	assert_int_equal(ip.timestamp.used, 1);
	assert_int_equal(ip.timestamp.addrs[1].low, 0xcb007105);
}

static void test_fragments4_have_no_transport(void **state)
{
	(void)state;
	struct packet packet;
	assert_int_equal(
		read_hex("4500001c 00002001 40110000 c0000201 c6336407 82a90035 00081234", &packet), 0);
	assert_int_equal(packet.ip.fragment_offset, 8);
	assert_int_equal(packet.transport.source_port, 0);
	assert_int_equal(packet.transport.seen, 0);
	assert_int_equal(packet.transport.payload_length, 8);
	assert_false(packet.checksum_ok);
}

#define ADDRS6 "20010db8000000000000000000000001 20010db8ffff00000000000000000007"

static struct packet read6(const char *hex)
{
	struct packet packet;
	assert_int_equal(read_hex(hex, &packet), 0);
	return packet;
}

static void test_extension_header_chains(void **state)
{
	(void)state;
	/* ten destination-options headers are followed, eleven are not */
#define DESTINATION "3c00010400000000"
#define NINE                                                                                                 \
	DESTINATION DESTINATION DESTINATION DESTINATION DESTINATION DESTINATION DESTINATION DESTINATION      \
		DESTINATION
	struct packet packet = read6("60000000 0058 3c40" ADDRS6 NINE "1100010400000000"
				     "82a9003500081234");
	assert_int_equal(packet.transport.destination_port, 53);
	assert_int_equal(packet.ip.header_length, 120);
	assert_false(packet.ip.bad_options);
	packet = read6("60000000 0060 3c40" ADDRS6 NINE DESTINATION "1100010400000000"
		       "82a9003500081234");
	assert_true(packet.ip.bad_options);
	assert_int_equal(packet.transport.seen, 0);
	assert_false(packet.checksum_ok);
	/* a header longer than the packet */
	packet = read6("60000000 0010 0040" ADDRS6 "1102000000000000"
		       "82a9003500081234");
	assert_true(packet.ip.bad_options);
	assert_int_equal(packet.transport.seen, 0);
	/* an option longer than its header: noted, and the chain goes on */
	packet = read6("60000000 0010 0040" ADDRS6 "1100010900000000"
		       "82a9003500081234");
	assert_true(packet.ip.bad_options);
	assert_int_equal(packet.transport.destination_port, 53);
	/* nothing follows */
	packet = read6("60000000 0000 3b40" ADDRS6);
	assert_int_equal(packet.ip.protocol, PROTOCOL_NO_NEXT);
	assert_false(packet.ip.bad_options);
}

static void test_routing_headers(void **state)
{
	(void)state;
	/* type 3, nothing left: ignored (RFC 8200 4.4) */
	struct packet packet = read6("60000000 0010 2b40" ADDRS6 "1100030000000000"
				     "82a9003500081234");
	assert_false(packet.ip.bad_options);
	assert_false(packet.ip.routing.present);
	assert_int_equal(packet.transport.destination_port, 53);
	/* type 3 with a segment left: not understood */
	packet = read6("60000000 0010 2b40" ADDRS6 "1100030100000000"
		       "82a9003500081234");
	assert_true(packet.ip.bad_options);
	assert_int_equal(packet.transport.destination_port, 53);
	/* type 0 with more left than there are; with half an address; type 4 whose last entry is not there */
	packet = read6("60000000 0020 2b40" ADDRS6 "1102000200000000" ADDRS6 "");
	assert_true(packet.ip.bad_options);
	packet = read6("60000000 0010 2b40" ADDRS6 "1101000000000000 0000000000000000");
	assert_true(packet.ip.bad_options);
	packet = read6("60000000 0018 2b40" ADDRS6 "1102040001000000 20010db8000000000000000000000001");
	assert_true(packet.ip.bad_options);
	assert_false(packet.ip.routing.present);
}

/* UDP may say less than IP carries (RFC 768). The checksum is of "hi" alone: c000+0201+c633+6407+0011+000a of
 * pseudo header, 0001+0002+000a of header and 6869 of payload sum up to 54ce folded. */
static void test_udp_shorter_than_ip(void **state)
{
	(void)state;
	struct packet packet;
	assert_int_equal(
		read_hex("45000022 00000000 40118e8f c0000201 c6336407 00010002 000aab31 6869ffffffff",
			&packet),
		0);
	assert_int_equal(packet.transport.udp_length, 10);
	assert_int_equal(packet.transport.payload_length, 2);
	assert_true(packet.checksum_ok);
}

/* Zero means "not computed" over IPv4 only (RFC 768, RFC 8200 8.1), and never in UDP-Lite (RFC 3828 3.1). */
static void test_udp_without_checksum(void **state)
{
	(void)state;
	struct packet packet;
	assert_int_equal(
		read_hex("4500001c 00000000 40118e95 c0000201 c6336407 00010002 00080000", &packet), 0);
	assert_true(packet.checksum_ok);
	assert_int_equal(
		read_hex("4500001c 00000000 40888e1e c0000201 c6336407 00010002 00080000", &packet), 0);
	assert_false(packet.checksum_ok);
	assert_false(read6("60000000 0008 1140" ADDRS6 "00010002 00080000").checksum_ok);
}

/* A first fragment may hold all of UDP and the right checksum: still nobody knows the rest. */
static void test_fragments_are_never_verified(void **state)
{
	(void)state;
	uint8_t room[100];
	struct writer writer = writer_init(room, sizeof(room));
	struct packet packet;
	struct packet_spec spec = {.ip = {.source = addr_v4(1),
					   .destination = addr_v4(2),
					   .ttl = 3,
					   .protocol = PROTOCOL_UDP,
					   .more_fragments = true}};
	assert_int_equal(packet_write(&writer, &spec), 0);
	assert_int_equal(packet_read(room, writer.length, &packet), 0);
	assert_true(packet.ip.more_fragments);
	assert_int_equal(packet.transport.seen, 8);
	assert_false(packet.checksum_ok);
}

#define TCP_HEADER(first)                                                                                    \
	"45000030 00000000 40060000 c0000201 c6336407 03fd0050 00000001 00000000 " first "020400 00000000"

static void test_tcp_options(void **state)
{
	(void)state;
	static const struct {
		const char *hex;
		uint16_t mss;
	} cases[] = {
		{TCP_HEADER("70") "020405b4 00000000", 1460},
		{TCP_HEADER("70") "01010204 05b40000", 1460},
		{TCP_HEADER("70") "020305b4 00000000", 0},
		{TCP_HEADER("70") "020605b4 00000000", 0},
		{TCP_HEADER("70") "00020405 b4000000", 0},
		{TCP_HEADER("70") "0501020405b40000", 0},
		{TCP_HEADER("70") "01010101 01010204", 0},
		{TCP_HEADER("60") "01010101 020405b4", 0},
		{TCP_HEADER("f0") "020405b4 00000000", 1460},
		{TCP_HEADER("40") "020405b4 00000000", 0},
		{TCP_HEADER("70") "fe02 020405b4 0000", 1460},
		{TCP_HEADER("70") "08040102 020405b4", 1460},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct packet packet;
		assert_int_equal(read_hex(cases[i].hex, &packet), 0);
		assert_int_equal(packet.transport.tcp_mss, cases[i].mss);
		assert_false(packet.transport.tcp_has_timestamps);
	}
}

/* With twelve bytes of options, where the header's length is 8. */
#define TCP_HEADER12(first)                                                                                  \
	"45000034 00000000 40060000 c0000201 c6336407 03fd0050 00000001 00000000 " first "100400 00000000"

static void test_tcp_sack(void **state)
{
	(void)state;
	static const struct {
		const char *hex;
		bool sack;
	} cases[] = {
		{TCP_HEADER12("80") "0101050a 00000007 00000009", true},
		{TCP_HEADER12("80") "050a0000 00070000 00090101", true},
		{TCP_HEADER12("80") "05020101 01010101 01010101", false}, /* no block */
		{TCP_HEADER12("80") "05080000 00070000 01010101", false}, /* not a whole one */
		{TCP_HEADER12("70") "050a0000 00070000 00090101", false}, /* beyond the header */
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct packet packet;
		assert_int_equal(read_hex(cases[i].hex, &packet), 0);
		assert_int_equal(packet.transport.tcp_has_sack, cases[i].sack);
		assert_int_equal(packet.transport.tcp_sack_left, cases[i].sack ? 7 : 0);
		assert_int_equal(packet.transport.tcp_sack_right, cases[i].sack ? 9 : 0);
	}
}

static void test_icmp_without_ip(void **state)
{
	(void)state;
	struct bytes bytes = bytes_of_hex(GOLDEN_TIME_EXCEEDED6);
	struct ip_header ip = {.source = addr_v6(0x20010db800010000, 1),
		.destination = addr_v6(0x20010db800000000, 1),
		.ttl = 60};
	for (size_t length = 0; length <= bytes.length - 40; length++) {
		struct bytes cut = bytes_copy(bytes.data + 40, length);
		struct packet packet;
		int status = packet_read_icmp(&ip, cut.data, cut.length, &packet);
		assert_int_equal(status, length < 8 ? -EBADMSG : 0);
		if (status == 0) {
			assert_int_equal(packet.transport.icmp_kind, ICMP_TIME_EXCEEDED);
			assert_int_equal(packet.has_quote, length >= 48);
			assert_int_equal(packet.checksum_ok, length == bytes.length - 40);
			assert_int_equal(packet.ip.ttl, 60);
		}
		free(cut.data);
	}
	struct packet packet;
	ip.source = ADDR_NONE;
	assert_int_equal(packet_read_icmp(&ip, bytes.data + 40, bytes.length - 40, &packet), -EBADMSG);
	free(bytes.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_every_truncation_with_true_lengths),
		cmocka_unit_test(test_every_byte_wrong),
		cmocka_unit_test(test_a_flipped_bit_shows),
		cmocka_unit_test(test_not_ip),
		cmocka_unit_test(test_trailing_bytes),
		cmocka_unit_test(test_malformed_options),
		cmocka_unit_test(test_odd_but_good_options),
		cmocka_unit_test(test_fragments4_have_no_transport),
		cmocka_unit_test(test_extension_header_chains),
		cmocka_unit_test(test_routing_headers),
		cmocka_unit_test(test_udp_shorter_than_ip),
		cmocka_unit_test(test_udp_without_checksum),
		cmocka_unit_test(test_fragments_are_never_verified),
		cmocka_unit_test(test_tcp_options),
		cmocka_unit_test(test_tcp_sack),
		cmocka_unit_test(test_icmp_without_ip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
