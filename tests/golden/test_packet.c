/* Packets that others made: what is read from them, and that we would have written the same. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "bytes.h"
#include "packet/packet.h"
#include "packets.h"

#define CLIENT4 addr_v4(0xc0000201)
#define SERVER4 addr_v4(0xc6336407)
#define ROUTER4 addr_v4(0xcb007101)
#define CLIENT6 addr_v6(0x20010db800000000, 1)
#define SERVER6 addr_v6(0x20010db8ffff0000, 7)
#define ROUTER6 addr_v6(0x20010db800010000, 1)

static void assert_addr(struct addr addr, struct addr expected)
{
	char text[ADDR_TEXT_SIZE], expected_text[ADDR_TEXT_SIZE];
	assert_string_equal(addr_format(addr, text), addr_format(expected, expected_text));
}

/* The payload pointers stay valid until the next call. */
static struct packet read_hex(const char *hex)
{
	static struct bytes bytes;
	struct packet packet;
	free(bytes.data);
	bytes = bytes_of_hex(hex);
	assert_int_equal(packet_read(bytes.data, bytes.length, &packet), 0);
	assert_int_equal(packet.ip.total_length, bytes.length);
	return packet;
}

static void assert_written(const struct packet_spec *spec, const char *hex)
{
	uint8_t room[1500];
	struct writer writer = writer_init(room, sizeof(room));
	struct bytes expected = bytes_of_hex(hex);
	assert_int_equal(packet_write(&writer, spec), 0);
	assert_int_equal(writer.length, expected.length);
	assert_memory_equal(room, expected.data, expected.length);
	free(expected.data);
}

/* Written from what was read, a packet is the same again, where nothing in it goes unrepresented. */
static void assert_rewritten(const struct packet *packet, const char *hex)
{
	struct packet_spec spec = {
		.ip = packet->ip, .transport = packet->transport, .extensions = &packet->extensions};
	assert_written(&spec, hex);
}

static void assert_payload(const struct transport *transport, const char *text)
{
	assert_int_equal(transport->payload_length, strlen(text));
	assert_memory_equal(transport->payload, text, strlen(text));
}

static void test_udp4(void **state)
{
	(void)state;
	struct packet packet = read_hex(GOLDEN_UDP4);
	assert_addr(packet.ip.source, CLIENT4);
	assert_addr(packet.ip.destination, SERVER4);
	assert_int_equal(packet.ip.tos, 0x20);
	assert_int_equal(packet.ip.id, 0x1234);
	assert_true(packet.ip.dont_fragment);
	assert_int_equal(packet.ip.ttl, 7);
	assert_int_equal(packet.ip.protocol, PROTOCOL_UDP);
	assert_int_equal(packet.ip.header_length, 20);
	assert_int_equal(packet.transport.source_port, 33434);
	assert_int_equal(packet.transport.destination_port, 53);
	assert_int_equal(packet.transport.udp_length, 13);
	assert_int_equal(packet.transport.checksum, 0x4cf6);
	assert_int_equal(packet.transport.seen, 8);
	assert_true(packet.checksum_ok);
	assert_payload(&packet.transport, "hello");
	assert_rewritten(&packet, GOLDEN_UDP4);
}

static void test_record_route(void **state)
{
	(void)state;
	struct packet packet = read_hex(GOLDEN_RECORD_ROUTE4);
	assert_int_equal(packet.ip.header_length, 60);
	assert_true(packet.ip.route.present);
	assert_int_equal(packet.ip.route.type, 7);
	assert_int_equal(packet.ip.route.slots, 9);
	assert_int_equal(packet.ip.route.used, 2);
	assert_addr(packet.ip.route.addrs[0], ROUTER4);
	assert_addr(packet.ip.route.addrs[1], addr_v4(0xcb007105));
	assert_addr(packet.ip.route.addrs[2], addr_v4(0));
	assert_false(packet.ip.bad_options);
	assert_true(packet.checksum_ok);
	assert_int_equal(packet.transport.icmp_kind, ICMP_ECHO_REQUEST);
	assert_int_equal(packet.transport.icmp_id, 0x77);
	assert_int_equal(packet.transport.icmp_seq, 3);
	assert_payload(&packet.transport, "abcdefgh");
	assert_rewritten(&packet, GOLDEN_RECORD_ROUTE4);
}

static void test_loose_route_checksum_is_for_the_last_address(void **state)
{
	(void)state;
	struct packet packet = read_hex(GOLDEN_LOOSE_ROUTE4);
	assert_int_equal(packet.ip.route.type, 131);
	assert_int_equal(packet.ip.route.slots, 2);
	assert_int_equal(packet.ip.route.used, 0);
	assert_addr(packet.ip.destination, addr_v4(0xcb007109));
	assert_addr(packet.ip.route.addrs[1], SERVER4);
	assert_true(packet.checksum_ok);
	/* Ours puts the padding after the option, theirs before: the UDP part must be the same. */
	struct packet_spec spec = {.ip = packet.ip, .transport = packet.transport};
	uint8_t room[100];
	struct writer writer = writer_init(room, sizeof(room));
	assert_int_equal(packet_write(&writer, &spec), 0);
	assert_int_equal(writer.length, 42);
	assert_memory_equal(room + 32, "\x00\x01\x00\x02\x00\x0a\x9b\x21xy", 10);
}

static void test_timestamp_option(void **state)
{
	(void)state;
	struct packet packet = read_hex(GOLDEN_TIMESTAMP4);
	assert_true(packet.ip.timestamp.present);
	assert_int_equal(packet.ip.timestamp.flag, 0);
	assert_int_equal(packet.ip.timestamp.overflow, 3);
	assert_int_equal(packet.ip.timestamp.slots, 1);
	assert_int_equal(packet.ip.timestamp.used, 1);
	assert_int_equal(packet.ip.timestamp.times[0], 0x01020304);
	assert_true(packet.checksum_ok);
	assert_rewritten(&packet, GOLDEN_TIMESTAMP4);
}

static void test_tcp4(void **state)
{
	(void)state;
	struct packet packet = read_hex(GOLDEN_TCP4);
	assert_int_equal(packet.transport.source_port, 1021);
	assert_int_equal(packet.transport.destination_port, 80);
	assert_int_equal(packet.transport.tcp_sequence, 0xfb01);
	assert_int_equal(packet.transport.tcp_acknowledgement, 9);
	assert_int_equal(packet.transport.tcp_flags, TCP_SYN | TCP_ACK);
	assert_int_equal(packet.transport.tcp_window, 1024);
	assert_int_equal(packet.transport.tcp_mss, 1460);
	assert_true(packet.transport.tcp_has_timestamps);
	assert_int_equal(packet.transport.tcp_timestamp_value, 0x11223344);
	assert_int_equal(packet.transport.tcp_timestamp_echo, 0x55667788);
	assert_int_equal(packet.transport.seen, 36);
	assert_int_equal(packet.transport.payload_length, 0);
	assert_true(packet.checksum_ok);
	assert_rewritten(&packet, GOLDEN_TCP4);
}

static void test_tcp6(void **state)
{
	(void)state;
	struct packet packet = read_hex(GOLDEN_TCP6);
	assert_int_equal(packet.transport.destination_port, 443);
	assert_int_equal(packet.transport.tcp_mss, 1440);
	assert_false(packet.transport.tcp_has_timestamps);
	assert_true(packet.checksum_ok);
	assert_rewritten(&packet, GOLDEN_TCP6);
}

static void test_tcp_sack(void **state)
{
	(void)state;
	static const char *const packets[] = {GOLDEN_TCP4_SACK, GOLDEN_TCP6_SACK};
	for (size_t i = 0; i < ARRAY_LEN(packets); i++) {
		struct packet packet = read_hex(packets[i]);
		assert_int_equal(packet.transport.tcp_acknowledgement, 0xfffffff0);
		assert_int_equal(packet.transport.tcp_window, 501);
		assert_true(packet.transport.tcp_has_sack);
		assert_int_equal(packet.transport.tcp_sack_left, 0xffffff00);
		assert_int_equal(packet.transport.tcp_sack_right, 0xffffff01);
		assert_true(packet.checksum_ok);
	}
	struct packet packet = read_hex(packets[1]);
	assert_rewritten(&packet, packets[1]);
}

static void test_udplite(void **state)
{
	(void)state;
	struct packet packet = read_hex(GOLDEN_UDPLITE4_ALL);
	assert_int_equal(packet.transport.destination_port, 8);
	assert_true(packet.checksum_ok);
	assert_payload(&packet.transport, "lite");
	assert_rewritten(&packet, GOLDEN_UDPLITE4_ALL);
	packet = read_hex(GOLDEN_UDPLITE4_HEADER);
	assert_int_equal(packet.transport.udp_length, 8);
	assert_true(packet.checksum_ok);
	assert_rewritten(&packet, GOLDEN_UDPLITE4_HEADER);
}

static void assert_probe4_quoted(const struct packet *packet)
{
	assert_true(packet->has_quote);
	assert_addr(packet->quoted_ip.source, CLIENT4);
	assert_addr(packet->quoted_ip.destination, SERVER4);
	assert_int_equal(packet->quoted_ip.id, 0xabcd);
	assert_int_equal(packet->quoted_ip.ttl, 1);
	assert_int_equal(packet->quoted.source_port, 40000);
	assert_int_equal(packet->quoted.destination_port, 33435);
	assert_int_equal(packet->quoted.checksum, 0x683d);
	assert_payload(&packet->quoted, "retour01");
}

static void test_errors4(void **state)
{
	(void)state;
	struct packet packet = read_hex(GOLDEN_TIME_EXCEEDED4);
	assert_addr(packet.ip.source, ROUTER4);
	assert_int_equal(packet.ip.tos, 0xc0);
	assert_int_equal(packet.transport.icmp_kind, ICMP_TIME_EXCEEDED);
	assert_true(packet.checksum_ok);
	assert_false(packet.extensions.present);
	assert_probe4_quoted(&packet);
	assert_rewritten(&packet, GOLDEN_TIME_EXCEEDED4);

	packet = read_hex(GOLDEN_FRAGMENTATION_NEEDED4);
	assert_int_equal(packet.transport.icmp_kind, ICMP_PACKET_TOO_BIG);
	assert_int_equal(packet.transport.icmp_mtu, 1400);
	assert_probe4_quoted(&packet);
	assert_rewritten(&packet, GOLDEN_FRAGMENTATION_NEEDED4);

	packet = read_hex(GOLDEN_PARAMETER_PROBLEM4);
	assert_int_equal(packet.transport.icmp_kind, ICMP_PARAMETER_PROBLEM);
	assert_int_equal(packet.transport.icmp_pointer, 20);
	assert_probe4_quoted(&packet);
	assert_rewritten(&packet, GOLDEN_PARAMETER_PROBLEM4);
}

static void test_quoted_options(void **state)
{
	(void)state;
	struct packet packet = read_hex(GOLDEN_TIME_EXCEEDED4_OPTIONS);
	assert_true(packet.has_quote);
	assert_int_equal(packet.quoted_ip.header_length, 36);
	assert_int_equal(packet.quoted_ip.route.slots, 3);
	assert_int_equal(packet.quoted_ip.route.used, 1);
	assert_addr(packet.quoted_ip.route.addrs[0], ROUTER4);
	assert_int_equal(packet.quoted.seen, 8);
	assert_int_equal(packet.quoted.source_port, 1021);
	assert_int_equal(packet.quoted.tcp_sequence, 0xfb01);
	assert_int_equal(packet.quoted.tcp_flags, 0);
	assert_rewritten(&packet, GOLDEN_TIME_EXCEEDED4_OPTIONS);
}

static void assert_extensions(const struct icmp_extensions *extensions)
{
	assert_true(extensions->present);
	assert_true(extensions->checksum_ok);
	assert_int_equal(extensions->mpls_count, 2);
	assert_int_equal(extensions->mpls[0].label, 24001);
	assert_int_equal(extensions->mpls[0].traffic_class, 5);
	assert_false(extensions->mpls[0].bottom);
	assert_int_equal(extensions->mpls[0].ttl, 1);
	assert_int_equal(extensions->mpls[1].label, 16);
	assert_true(extensions->mpls[1].bottom);
	assert_int_equal(extensions->mpls[1].ttl, 254);
	assert_int_equal(extensions->interface_count, 2);
	assert_int_equal(extensions->interfaces[0].role, 0);
	assert_int_equal(extensions->interfaces[0].index, 510);
	assert_addr(extensions->interfaces[0].address, ROUTER4);
	assert_string_equal(extensions->interfaces[0].name, "xe-0/0/1.7");
	assert_int_equal(extensions->interfaces[0].mtu, 9180);
	assert_int_equal(extensions->interfaces[1].role, 2);
	assert_int_equal(extensions->interfaces[1].index, 0);
	assert_addr(extensions->interfaces[1].address, addr_v6(0x20010db800030000, 9));
	assert_string_equal(extensions->interfaces[1].name, "");
	assert_int_equal(extensions->interfaces[1].mtu, 0);
	assert_int_equal(extensions->unknown_count, 1);
}

static void test_extensions(void **state)
{
	(void)state;
	struct packet packet = read_hex(GOLDEN_TIME_EXCEEDED4_EXTENSIONS);
	assert_true(packet.checksum_ok);
	assert_int_equal(packet.transport.icmp_quote_length, 128);
	assert_int_equal(packet.transport.payload_length, 128);
	assert_probe4_quoted(&packet);
	assert_extensions(&packet.extensions);

	packet = read_hex(GOLDEN_TIME_EXCEEDED4_OLD_EXTENSIONS);
	assert_int_equal(packet.transport.icmp_quote_length, 0);
	assert_probe4_quoted(&packet);
	assert_extensions(&packet.extensions);

	packet = read_hex(GOLDEN_TIME_EXCEEDED6_EXTENSIONS);
	assert_true(packet.checksum_ok);
	assert_int_equal(packet.transport.icmp_quote_length, 128);
	assert_payload(&packet.quoted, "retour01");
	assert_extensions(&packet.extensions);
}

/* The MPLS object alone, as scapy lays it out behind 128 bytes of quote. */
static void test_mpls_written(void **state)
{
	(void)state;
	struct icmp_extensions extensions = {.present = true,
		.mpls_count = 2,
		.mpls = {{.label = 24001, .traffic_class = 5, .ttl = 1},
			{.label = 16, .bottom = true, .ttl = 254}}};
	struct bytes probe = bytes_of_hex(GOLDEN_PROBE4);
	struct bytes structure = bytes_of_hex("2000bd16 000c0101 05dc1a01 000101fe");
	struct packet_spec spec = {
		.ip = {.source = ROUTER4, .destination = CLIENT4, .ttl = 250, .protocol = PROTOCOL_ICMP},
		.transport = {.icmp_type = 11, .payload = probe.data, .payload_length = probe.length},
		.extensions = &extensions,
	};
	uint8_t room[300];
	struct writer writer = writer_init(room, sizeof(room));
	assert_int_equal(packet_write(&writer, &spec), 0);
	assert_int_equal(writer.length, 20 + 8 + 128 + 16);
	assert_int_equal(room[25], 32);
	assert_memory_equal(room + 28 + 128, structure.data, structure.length);
	free(probe.data);
	free(structure.data);
}

/* RFC 5837 objects as laid out by hand in the golden packet, from byte 172 on. */
static void test_interfaces_written(void **state)
{
	(void)state;
	struct bytes golden = bytes_of_hex(GOLDEN_TIME_EXCEEDED4_EXTENSIONS);
	struct packet packet = read_hex(GOLDEN_TIME_EXCEEDED4_EXTENSIONS);
	struct packet_spec spec = {
		.ip = packet.ip, .transport = packet.transport, .extensions = &packet.extensions};
	uint8_t room[300];
	struct writer writer = writer_init(room, sizeof(room));
	assert_int_equal(packet_write(&writer, &spec), 0);
	assert_int_equal(writer.length, golden.length - 4); /* without the unknown object */
	assert_memory_equal(room + 160, golden.data + 160, 12 + 32 + 24);
	free(golden.data);
}

static void test_udp6(void **state)
{
	(void)state;
	struct packet packet = read_hex(GOLDEN_PROBE6);
	assert_addr(packet.ip.source, CLIENT6);
	assert_addr(packet.ip.destination, SERVER6);
	assert_int_equal(packet.ip.tos, 0x28);
	assert_int_equal(packet.ip.flow_label, 0xabcde);
	assert_int_equal(packet.ip.ttl, 1);
	assert_true(packet.checksum_ok);
	assert_payload(&packet.transport, "retour01");
	assert_rewritten(&packet, GOLDEN_PROBE6);
}

static void test_errors6(void **state)
{
	(void)state;
	static const struct {
		const char *hex;
		enum icmp_kind kind;
		uint8_t type, code;
		uint32_t mtu, pointer;
	} cases[] = {
		{GOLDEN_TIME_EXCEEDED6, ICMP_TIME_EXCEEDED, 3, 0, 0, 0},
		{GOLDEN_PACKET_TOO_BIG6, ICMP_PACKET_TOO_BIG, 2, 0, 1280, 0},
		{GOLDEN_PORT_UNREACHABLE6, ICMP_UNREACHABLE, 1, 4, 0, 0},
		{GOLDEN_PARAMETER_PROBLEM6, ICMP_PARAMETER_PROBLEM, 4, 1, 0, 40},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct packet packet = read_hex(cases[i].hex);
		assert_addr(packet.ip.source, ROUTER6);
		assert_true(packet.checksum_ok);
		assert_int_equal(packet.transport.icmp_kind, cases[i].kind);
		assert_int_equal(packet.transport.icmp_type, cases[i].type);
		assert_int_equal(packet.transport.icmp_code, cases[i].code);
		assert_int_equal(packet.transport.icmp_mtu, cases[i].mtu);
		assert_int_equal(packet.transport.icmp_pointer, cases[i].pointer);
		assert_true(packet.has_quote);
		assert_int_equal(packet.quoted_ip.flow_label, 0xabcde);
		assert_int_equal(packet.quoted.destination_port, 33435);
		assert_payload(&packet.quoted, "retour01");
		assert_rewritten(&packet, cases[i].hex);
	}
}

static void assert_extension_headers(const struct ip_header *ip, const struct transport *transport)
{
	assert_int_equal(ip->header_length, 112);
	assert_int_equal(ip->protocol, PROTOCOL_ICMPV6);
	assert_true(ip->routing.present);
	assert_int_equal(ip->routing.type, 0);
	assert_int_equal(ip->routing.segments_left, 2);
	assert_int_equal(ip->routing.count, 2);
	assert_addr(ip->routing.segments[1], SERVER6);
	assert_true(ip->has_fragment);
	assert_int_equal(ip->fragment_offset, 0);
	assert_int_equal(ip->fragment_id, 0xdeadbeef);
	assert_false(ip->bad_options);
	assert_int_equal(transport->icmp_kind, ICMP_ECHO_REQUEST);
	assert_int_equal(transport->icmp_id, 0x4242);
	assert_int_equal(transport->icmp_seq, 7);
	assert_payload(transport, "ping");
}

static void test_extension_headers(void **state)
{
	(void)state;
	struct packet packet = read_hex(GOLDEN_EXTENSION_HEADERS6);
	assert_extension_headers(&packet.ip, &packet.transport);
	assert_true(packet.checksum_ok);
	packet = read_hex(GOLDEN_TIME_EXCEEDED6_EXTENSION_HEADERS);
	assert_true(packet.has_quote);
	assert_extension_headers(&packet.quoted_ip, &packet.quoted);
}

static void test_segment_routing(void **state)
{
	(void)state;
	struct packet packet = read_hex(GOLDEN_SEGMENT_ROUTING6);
	assert_int_equal(packet.ip.routing.type, 4);
	assert_int_equal(packet.ip.routing.segments_left, 1);
	assert_int_equal(packet.ip.routing.count, 2);
	assert_addr(packet.ip.routing.segments[0], SERVER6);
	assert_true(packet.checksum_ok);
	assert_payload(&packet.transport, "seg!");
	assert_rewritten(&packet, GOLDEN_SEGMENT_ROUTING6);
}

static void test_fragment6(void **state)
{
	(void)state;
	struct packet packet = read_hex(GOLDEN_FRAGMENT6);
	assert_int_equal(packet.ip.fragment_offset, 1480);
	assert_true(packet.ip.more_fragments);
	assert_int_equal(packet.ip.protocol, PROTOCOL_UDP);
	assert_int_equal(packet.transport.seen, 0);
	assert_int_equal(packet.transport.source_port, 0);
	assert_payload(&packet.transport, "middle--");
	assert_false(packet.checksum_ok);
	assert_rewritten(&packet, GOLDEN_FRAGMENT6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_udp4),
		cmocka_unit_test(test_record_route),
		cmocka_unit_test(test_loose_route_checksum_is_for_the_last_address),
		cmocka_unit_test(test_timestamp_option),
		cmocka_unit_test(test_tcp4),
		cmocka_unit_test(test_tcp6),
		cmocka_unit_test(test_tcp_sack),
		cmocka_unit_test(test_udplite),
		cmocka_unit_test(test_errors4),
		cmocka_unit_test(test_quoted_options),
		cmocka_unit_test(test_extensions),
		cmocka_unit_test(test_mpls_written),
		cmocka_unit_test(test_interfaces_written),
		cmocka_unit_test(test_udp6),
		cmocka_unit_test(test_errors6),
		cmocka_unit_test(test_extension_headers),
		cmocka_unit_test(test_segment_routing),
		cmocka_unit_test(test_fragment6),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
