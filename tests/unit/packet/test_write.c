/* What is written reads back as described; what makes no sense is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "packet/packet.h"

#define CLIENT4 addr_v4(0xc0000201)
#define SERVER4 addr_v4(0xc6336407)
#define CLIENT6 addr_v6(0x20010db800000000, 1)
#define SERVER6 addr_v6(0x20010db8ffff0000, 7)

static const uint8_t payload[] = "0123456789";
static uint8_t room[70000];
static size_t written;

static int write_spec(const struct packet_spec *spec)
{
	struct writer writer = writer_init(room, sizeof(room));
	int status = packet_write(&writer, spec);
	written = writer.length;
	return status;
}

static struct packet write_and_read(const struct packet_spec *spec)
{
	struct packet packet;
	assert_int_equal(write_spec(spec), 0);
	assert_int_equal(packet_read(room, written, &packet), 0);
	assert_int_equal(packet.ip.total_length, written);
	assert_true(packet.checksum_ok);
	return packet;
}

static struct packet_spec spec4(uint8_t protocol)
{
	return (struct packet_spec){
		.ip = {.source = CLIENT4, .destination = SERVER4, .ttl = 5, .id = 77, .protocol = protocol},
		.transport = {.payload = payload, .payload_length = 10},
	};
}

static struct packet_spec spec6(uint8_t protocol)
{
	return (struct packet_spec){
		.ip = {.source = CLIENT6, .destination = SERVER6, .ttl = 5, .protocol = protocol},
		.transport = {.payload = payload, .payload_length = 10},
	};
}

static void assert_payload(const struct packet *packet)
{
	assert_int_equal(packet->transport.payload_length, 10);
	assert_memory_equal(packet->transport.payload, payload, 10);
}

static void test_forced_checksum(void **state)
{
	(void)state;
	static const uint16_t values[] = {1, 0x1234, 0x8000, 0xfffe, 0xffff};
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		struct packet_spec specs[] = {
			spec4(PROTOCOL_UDP),
			spec6(PROTOCOL_UDP),
			spec4(PROTOCOL_ICMP),
			spec6(PROTOCOL_ICMPV6),
		};
		specs[2].transport.icmp_type = ICMP4_ECHO_REQUEST;
		specs[3].transport.icmp_type = ICMP6_ECHO_REQUEST;
		for (size_t j = 0; j < ARRAY_LEN(specs); j++) {
			specs[j].force_checksum = values[i];
			struct packet packet = write_and_read(&specs[j]);
			assert_int_equal(packet.transport.checksum, values[i]);
			assert_memory_equal(packet.transport.payload, payload, 8);
		}
	}
}

static void test_forced_checksum_needs_room(void **state)
{
	(void)state;
	struct packet_spec spec = spec4(PROTOCOL_UDP);
	spec.force_checksum = 1;
	spec.transport.payload_length = 1;
	assert_int_equal(write_spec(&spec), -EINVAL);
	spec.transport.payload_length = 0;
	assert_int_equal(write_spec(&spec), -EINVAL);
	spec = spec4(PROTOCOL_TCP);
	spec.force_checksum = 1;
	assert_int_equal(write_spec(&spec), -EINVAL);
	spec = spec4(PROTOCOL_ICMP);
	spec.transport.icmp_type = ICMP4_TIME_EXCEEDED;
	spec.force_checksum = 1;
	assert_int_equal(write_spec(&spec), -EINVAL);
}

/* RFC 768: a computed zero goes out as ones. The last payload word is chosen to bring it about: all other
 * words of pseudo header, header and payload sum up to its complement. */
static void test_udp_checksum_is_never_zero(void **state)
{
	(void)state;
	struct packet_spec spec = spec4(PROTOCOL_UDP);
	uint8_t zeros[2] = {0};
	spec.transport.payload = zeros;
	spec.transport.payload_length = 2;
	struct packet packet = write_and_read(&spec);
	uint8_t chosen[2] = {(uint8_t)(packet.transport.checksum >> 8), (uint8_t)packet.transport.checksum};
	spec.transport.payload = chosen;
	packet = write_and_read(&spec);
	assert_int_equal(packet.transport.checksum, 0xffff);
}

static void test_route_options(void **state)
{
	(void)state;
	static const uint8_t types[] = {7, 131, 137};
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		for (uint8_t slots = 0; slots <= 9; slots++) {
			struct packet_spec spec = spec4(PROTOCOL_UDP);
			spec.ip.route = (struct route_option){.present = true,
				.type = types[i],
				.slots = slots,
				.used = slots / 2,
				.addrs = {CLIENT4, SERVER4, CLIENT4, SERVER4}};
			struct packet packet = write_and_read(&spec);
			assert_int_equal(packet.ip.route.type, types[i]);
			assert_int_equal(packet.ip.route.slots, slots);
			assert_int_equal(packet.ip.route.used, slots / 2);
			assert_true(slots < 2 || addr_equal(packet.ip.route.addrs[1], SERVER4));
			assert_false(packet.ip.bad_options);
			assert_payload(&packet);
		}
	}
}

static void test_timestamp_options(void **state)
{
	(void)state;
	static const struct {
		uint8_t flag, slots;
	} cases[] = {{0, 9}, {0, 0}, {1, 4}, {3, 4}, {3, 1}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct packet_spec spec = spec4(PROTOCOL_UDP);
		spec.ip.timestamp = (struct timestamp_option){.present = true,
			.flag = cases[i].flag,
			.overflow = 15,
			.slots = cases[i].slots,
			.used = cases[i].slots,
			.addrs = {SERVER4},
			.times = {0xdeadbeef}};
		struct packet packet = write_and_read(&spec);
		assert_int_equal(packet.ip.timestamp.flag, cases[i].flag);
		assert_int_equal(packet.ip.timestamp.overflow, 15);
		assert_int_equal(packet.ip.timestamp.slots, cases[i].slots);
		assert_int_equal(packet.ip.timestamp.used, cases[i].slots);
		assert_true(cases[i].slots == 0 || packet.ip.timestamp.times[0] == 0xdeadbeef);
		assert_int_equal(addr_equal(packet.ip.timestamp.addrs[0], SERVER4), cases[i].flag != 0);
		assert_payload(&packet);
	}
}

static void test_options_that_do_not_fit(void **state)
{
	(void)state;
	struct packet_spec spec = spec4(PROTOCOL_UDP);
	spec.ip.route = (struct route_option){.present = true, .type = 7, .slots = 10};
	assert_int_equal(write_spec(&spec), -EINVAL);
	spec.ip.route.slots = 8; /* 35 bytes, and 4 + 4 for the timestamp: 43 */
	spec.ip.timestamp = (struct timestamp_option){.present = true, .slots = 1};
	assert_int_equal(write_spec(&spec), -EINVAL);
	spec.ip.route.slots = 7; /* 31 and 8: 39 */
	assert_int_equal(write_spec(&spec), 0);
	spec.ip.route.type = 8;
	assert_int_equal(write_spec(&spec), -EINVAL);
	spec.ip.route.type = 7;
	spec.ip.timestamp.flag = 2;
	assert_int_equal(write_spec(&spec), -EINVAL);
}

static void test_routing_headers(void **state)
{
	(void)state;
	static const uint8_t types[] = {0, 4};
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		for (uint8_t count = 1; count <= SEGMENTS_MAX; count++) {
			struct packet_spec spec = spec6(PROTOCOL_ICMPV6);
			spec.transport.icmp_type = ICMP6_ECHO_REQUEST;
			spec.ip.flow_label = 0xfffff;
			spec.ip.has_fragment = true;
			spec.ip.fragment_id = 99;
			spec.ip.routing.present = true;
			spec.ip.routing.type = types[i];
			spec.ip.routing.count = count;
			spec.ip.routing.segments_left = count;
			for (uint8_t j = 0; j < count; j++)
				spec.ip.routing.segments[j] = addr_add(SERVER6, j + 1u);
			struct packet packet = write_and_read(&spec);
			assert_int_equal(packet.ip.header_length, 40 + 8 + 16 * count + 8);
			assert_int_equal(packet.ip.routing.type, types[i]);
			assert_int_equal(packet.ip.routing.count, count);
			assert_int_equal(packet.ip.routing.segments_left, count);
			assert_true(
				addr_equal(packet.ip.routing.segments[count - 1], addr_add(SERVER6, count)));
			assert_int_equal(packet.ip.fragment_id, 99);
			assert_int_equal(packet.ip.flow_label, 0xfffff);
			assert_payload(&packet);
		}
	}
}

/* RFC 8200 8.1: the pseudo header holds the final destination, so the same upper layer has the same checksum
 * whether it is source-routed there or sent directly. */
static void test_routed_checksum(void **state)
{
	(void)state;
	struct packet_spec spec = spec6(PROTOCOL_UDP);
	struct packet direct = write_and_read(&spec);
	spec.ip.destination = addr_add(SERVER6, 100);
	spec.ip.routing = (struct routing_header){
		.present = true, .type = 0, .count = 2, .segments_left = 1, .segments = {CLIENT6, SERVER6}};
	assert_int_equal(write_and_read(&spec).transport.checksum, direct.transport.checksum);
	spec.ip.routing.type = 4;
	spec.ip.routing.segments[0] = SERVER6;
	spec.ip.routing.segments[1] = CLIENT6;
	assert_int_equal(write_and_read(&spec).transport.checksum, direct.transport.checksum);
	spec.ip.destination = SERVER6; /* arrived */
	spec.ip.routing.segments_left = 0;
	assert_int_equal(write_and_read(&spec).transport.checksum, direct.transport.checksum);
}

static void test_no_sense(void **state)
{
	(void)state;
	struct packet_spec spec = spec4(PROTOCOL_UDP);
	spec.ip.destination = SERVER6;
	assert_int_equal(write_spec(&spec), -EINVAL);
	spec.ip.source = spec.ip.destination = ADDR_NONE;
	assert_int_equal(write_spec(&spec), -EINVAL);
	spec = spec4(PROTOCOL_UDP);
	spec.ip.fragment_offset = 7;
	assert_int_equal(write_spec(&spec), -EINVAL);
	spec = spec4(PROTOCOL_UDP);
	spec.transport.payload = NULL;
	assert_int_equal(write_spec(&spec), -EINVAL);
	spec = spec6(PROTOCOL_UDP);
	spec.ip.more_fragments = true;
	assert_int_equal(write_spec(&spec), -EINVAL);
	spec = spec6(PROTOCOL_ROUTING);
	assert_int_equal(write_spec(&spec), -EINVAL);
	spec = spec6(PROTOCOL_UDP);
	spec.ip.flow_label = 0x100000;
	assert_int_equal(write_spec(&spec), -EINVAL);
	spec = spec6(PROTOCOL_UDP);
	spec.ip.routing = (struct routing_header){.present = true, .type = 2, .count = 1};
	assert_int_equal(write_spec(&spec), -EINVAL);
	spec.ip.routing = (struct routing_header){.present = true, .type = 4, .count = 1, .segments_left = 2};
	assert_int_equal(write_spec(&spec), -EINVAL);
	spec.ip.routing = (struct routing_header){.present = true, .type = 4, .count = SEGMENTS_MAX + 1};
	assert_int_equal(write_spec(&spec), -EINVAL);
}

static void test_extensions_only_where_there_is_a_length(void **state)
{
	(void)state;
	struct icmp_extensions extensions = {.present = true};
	struct packet_spec spec = spec6(PROTOCOL_ICMPV6);
	spec.extensions = &extensions;
	spec.transport.icmp_type = ICMP6_PACKET_TOO_BIG;
	assert_int_equal(write_spec(&spec), -EINVAL);
	spec.transport.icmp_type = ICMP6_TIME_EXCEEDED;
	assert_int_equal(write_spec(&spec), 0);
	spec = spec4(PROTOCOL_ICMP);
	spec.extensions = &extensions;
	spec.transport.icmp_type = ICMP4_ECHO_REPLY;
	assert_int_equal(write_spec(&spec), -EINVAL);
	extensions.present = false;
	assert_int_equal(write_spec(&spec), 0);
}

/* RFC 4884: 32-bit words in byte 5 for IPv4, 64-bit words in byte 4 for IPv6, padding to whole words and to
 * 128 bytes; 255 words are all that the attribute can say. */
static void test_length_attribute(void **state)
{
	(void)state;
	static uint8_t quote[2048] = {0x45};
	static const struct {
		size_t quote4, padded4, quote6, padded6;
	} cases[] = {
		{28, 128, 48, 128}, {128, 128, 128, 128}, {129, 132, 129, 136}, {1017, 1020, 2033, 2040}};
	struct icmp_extensions extensions = {.present = true, .mpls_count = 1, .mpls = {{.label = 5}}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct packet_spec spec = spec4(PROTOCOL_ICMP);
		spec.extensions = &extensions;
		spec.transport = (struct transport){.icmp_type = ICMP4_UNREACHABLE,
			.icmp_code = 4,
			.icmp_mtu = 1400,
			.payload = quote,
			.payload_length = cases[i].quote4};
		struct packet packet = write_and_read(&spec);
		assert_int_equal(written, 20 + 8 + cases[i].padded4 + 12);
		assert_int_equal(room[25], cases[i].padded4 / 4);
		assert_int_equal(packet.transport.icmp_mtu, 1400);
		assert_int_equal(packet.extensions.mpls[0].label, 5);
		spec = spec6(PROTOCOL_ICMPV6);
		spec.extensions = &extensions;
		spec.transport = (struct transport){.icmp_type = ICMP6_TIME_EXCEEDED,
			.payload = quote,
			.payload_length = cases[i].quote6};
		packet = write_and_read(&spec);
		assert_int_equal(written, 40 + 8 + cases[i].padded6 + 12);
		assert_int_equal(room[44], cases[i].padded6 / 8);
		assert_int_equal(packet.extensions.mpls[0].label, 5);
	}
	struct packet_spec spec = spec4(PROTOCOL_ICMP);
	spec.extensions = &extensions;
	spec.transport = (struct transport){.icmp_type = 11, .payload = quote, .payload_length = 1021};
	assert_int_equal(write_spec(&spec), -EINVAL);
}

static void test_interface_names(void **state)
{
	(void)state;
	static const uint8_t quote[28] = {0x45};
	for (size_t length = 0; length <= 63; length++) {
		struct icmp_extensions extensions = {.present = true, .interface_count = 1};
		struct interface_info *info = &extensions.interfaces[0];
		info->role = 1;
		info->mtu = 1500;
		memset(info->name, 'x', length);
		struct packet_spec spec = spec4(PROTOCOL_ICMP);
		spec.extensions = &extensions;
		spec.transport = (struct transport){.icmp_type = 11, .payload = quote, .payload_length = 28};
		struct packet packet = write_and_read(&spec);
		assert_int_equal(packet.extensions.interface_count, 1);
		assert_int_equal(packet.extensions.interfaces[0].role, 1);
		assert_string_equal(packet.extensions.interfaces[0].name, info->name);
		assert_int_equal(packet.extensions.interfaces[0].mtu, 1500);
		assert_int_equal(packet.extensions.interfaces[0].index, 0);
	}
}

/* As Linux sends them (seen with tcpdump), and each alone, filled up to four bytes. */
static void test_options_of_a_syn(void **state)
{
	(void)state;
	static const struct {
		struct transport transport;
		unsigned length;
		uint8_t bytes[20];
	} cases[] = {
		{{.tcp_mss = 1460, .tcp_sack_permitted = true, .tcp_has_timestamps = true, .tcp_timestamp_value = 0x01020304,
			 .tcp_has_window_scale = true, .tcp_window_scale = 7},
			20, {2, 4, 0x05, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7}},
		{{.tcp_mss = 1460, .tcp_sack_permitted = true}, 8, {2, 4, 0x05, 0xb4, 1, 1, 4, 2}},
		{{.tcp_has_timestamps = true, .tcp_timestamp_value = 5}, 12, {1, 1, 8, 10, 0, 0, 0, 5, 0, 0, 0, 0}},
		{{.tcp_has_window_scale = true, .tcp_window_scale = 2}, 4, {1, 3, 3, 2}},
		{{.tcp_mss = 0}, 0, {0}},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct packet_spec spec = spec4(PROTOCOL_TCP);
		spec.transport = cases[i].transport;
		spec.transport.tcp_flags = TCP_SYN;
		assert_int_equal(tcp_options_length(&spec.transport), cases[i].length);
		struct packet packet = write_and_read(&spec);
		assert_int_equal(written, 40 + cases[i].length);
		assert_memory_equal(room + 40, cases[i].bytes, cases[i].length);
		assert_int_equal(packet.transport.tcp_sack_permitted, spec.transport.tcp_sack_permitted);
		assert_int_equal(packet.transport.tcp_has_window_scale, spec.transport.tcp_has_window_scale);
		assert_int_equal(packet.transport.tcp_window_scale, spec.transport.tcp_window_scale);
	}
}

/* Every writer that is one byte or more too small says so. */
static void test_small_writers(void **state)
{
	(void)state;
	struct packet_spec spec = spec6(PROTOCOL_TCP);
	spec.transport.tcp_mss = 1440;
	spec.transport.tcp_has_timestamps = true;
	spec.transport.tcp_has_sack = true;
	assert_int_equal(write_spec(&spec), 0);
	size_t needed = written;
	for (size_t size = 0; size < needed; size++) {
		struct writer writer = writer_init(room, size);
		assert_int_equal(packet_write(&writer, &spec), -ENOBUFS);
	}
}

static void test_largest_packet(void **state)
{
	(void)state;
	static const uint8_t zeros[PACKET_SIZE_MAX];
	struct packet_spec spec = spec4(PROTOCOL_UDP);
	spec.transport.payload = zeros;
	spec.transport.payload_length = PACKET_SIZE_MAX - 28;
	write_and_read(&spec);
	spec.transport.payload_length++;
	assert_int_equal(write_spec(&spec), -EINVAL);
	assert_int_equal(written, 0);
}

static void test_writes_behind_what_is_there(void **state)
{
	(void)state;
	struct packet_spec spec = spec4(PROTOCOL_TCP);
	struct writer writer = writer_init(room, sizeof(room));
	struct packet packet;
	writer_zeros(&writer, 3);
	assert_int_equal(packet_write(&writer, &spec), 0);
	assert_int_equal(packet_read(room + 3, writer.length - 3, &packet), 0);
	assert_true(packet.checksum_ok);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forced_checksum),
		cmocka_unit_test(test_forced_checksum_needs_room),
		cmocka_unit_test(test_udp_checksum_is_never_zero),
		cmocka_unit_test(test_route_options),
		cmocka_unit_test(test_timestamp_options),
		cmocka_unit_test(test_options_that_do_not_fit),
		cmocka_unit_test(test_routing_headers),
		cmocka_unit_test(test_routed_checksum),
		cmocka_unit_test(test_no_sense),
		cmocka_unit_test(test_extensions_only_where_there_is_a_length),
		cmocka_unit_test(test_length_attribute),
		cmocka_unit_test(test_interface_names),
		cmocka_unit_test(test_options_of_a_syn),
		cmocka_unit_test(test_small_writers),
		cmocka_unit_test(test_largest_packet),
		cmocka_unit_test(test_writes_behind_what_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
