#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../golden/bytes.h"
#include "../../golden/packets.h"
#include "packet/forward.h"
#include "packet/packet.h"

#define STAMP addr_v4(0xcb00714d)

static struct packet read_bytes(struct bytes bytes)
{
	struct packet packet;
	assert_int_equal(packet_read(bytes.data, bytes.length, &packet), 0);
	return packet;
}

static void test_every_ttl_keeps_the_checksum(void **state)
{
	(void)state;
	static const char *const packets[] = {GOLDEN_UDP4, GOLDEN_RECORD_ROUTE4, GOLDEN_PROBE6};
	for (size_t i = 0; i < ARRAY_LEN(packets); i++) {
		struct bytes bytes = bytes_of_hex(packets[i]);
		for (int ttl = 255; ttl >= 0; ttl--) {
			assert_true(forward_set_ttl(bytes.data, bytes.length, (uint8_t)ttl));
			struct packet packet = read_bytes(bytes);
			assert_int_equal(packet.ip.ttl, ttl);
			assert_true(packet.checksum_ok);
		}
		free(bytes.data);
	}
}

/* A header that was damaged before stays recognisable as damaged. */
static void test_a_wrong_checksum_stays_wrong(void **state)
{
	(void)state;
	struct bytes bytes = bytes_of_hex(GOLDEN_UDP4);
	bytes.data[10] ^= 0x40;
	assert_true(forward_set_ttl(bytes.data, bytes.length, 3));
	assert_false(read_bytes(bytes).checksum_ok);
	free(bytes.data);
}

static void test_record_route_fills_up(void **state)
{
	(void)state;
	struct bytes bytes = bytes_of_hex(GOLDEN_RECORD_ROUTE4); /* two of nine stamped */
	for (uint8_t used = 2; used < 9; used++) {
		assert_true(forward_stamp_route(bytes.data, bytes.length, addr_add(STAMP, used)));
		struct packet packet = read_bytes(bytes);
		assert_int_equal(packet.ip.route.used, used + 1);
		assert_int_equal(packet.ip.route.addrs[used].low, STAMP.low + used);
		assert_int_equal(packet.ip.route.addrs[0].low, 0xcb007101);
		assert_true(packet.checksum_ok);
		assert_false(packet.ip.bad_options);
	}
	struct bytes before = bytes_copy(bytes.data, bytes.length);
	assert_false(forward_stamp_route(bytes.data, bytes.length, STAMP));
	assert_memory_equal(bytes.data, before.data, bytes.length);
	free(before.data);
	free(bytes.data);
}

/* The option at an odd offset: its addresses straddle the words of the checksum. */
static void test_odd_offset(void **state)
{
	(void)state;
	struct bytes good = bytes_of_hex("4700001c 00000000 40fd839e c0000201 c6336407 01070704 00000000");
	assert_true(read_bytes(good).checksum_ok);
	assert_true(forward_stamp_route(good.data, good.length, STAMP));
	struct packet packet = read_bytes(good);
	assert_true(packet.checksum_ok);
	assert_int_equal(packet.ip.route.used, 1);
	assert_int_equal(packet.ip.route.addrs[0].low, STAMP.low);
	free(good.data);
}

static struct bytes with_timestamp(const struct timestamp_option *timestamp)
{
	uint8_t room[100];
	struct writer writer = writer_init(room, sizeof(room));
	struct packet_spec spec = {.ip = {.source = addr_v4(0xc0000201),
					   .destination = addr_v4(0xc6336407),
					   .ttl = 9,
					   .protocol = PROTOCOL_ICMP,
					   .timestamp = *timestamp}};
	spec.transport.icmp_type = ICMP4_ECHO_REQUEST;
	assert_int_equal(packet_write(&writer, &spec), 0);
	return bytes_copy(room, writer.length);
}

static struct timestamp_option stamp_once(
	struct bytes bytes, const struct addr *own, size_t own_count, bool done)
{
	struct bytes before = bytes_copy(bytes.data, bytes.length);
	assert_int_equal(
		forward_stamp_time(bytes.data, bytes.length, own, own_count, STAMP, 0x01020304), done);
	if (!done)
		assert_memory_equal(bytes.data, before.data, bytes.length);
	free(before.data);
	struct packet packet = read_bytes(bytes);
	assert_true(packet.checksum_ok);
	return packet.ip.timestamp;
}

static void test_times_only(void **state)
{
	(void)state;
	struct bytes bytes =
		with_timestamp(&(struct timestamp_option){.present = true, .flag = 0, .slots = 2});
	struct timestamp_option option = stamp_once(bytes, NULL, 0, true);
	assert_int_equal(option.used, 1);
	assert_int_equal(option.times[0], 0x01020304);
	assert_int_equal(option.times[1], 0);
	stamp_once(bytes, NULL, 0, true);
	for (unsigned overflow = 1; overflow <= 15; overflow++) {
		option = stamp_once(bytes, NULL, 0, true);
		assert_int_equal(option.used, 2);
		assert_int_equal(option.overflow, overflow);
	}
	stamp_once(bytes, NULL, 0, false); /* the counter is full as well */
	free(bytes.data);
}

static void test_addresses_and_times(void **state)
{
	(void)state;
	struct bytes bytes =
		with_timestamp(&(struct timestamp_option){.present = true, .flag = 1, .slots = 4});
	for (uint8_t used = 0; used < 4; used++) {
		struct timestamp_option option = stamp_once(bytes, NULL, 0, true);
		assert_int_equal(option.used, used + 1);
		assert_int_equal(option.addrs[used].low, STAMP.low);
		assert_int_equal(option.times[used], 0x01020304);
	}
	assert_int_equal(stamp_once(bytes, NULL, 0, true).overflow, 1);
	free(bytes.data);
}

static void test_prespecified_addresses(void **state)
{
	(void)state;
	const struct addr first[] = {addr_v4(1), addr_v4(0x0a000001)};
	const struct addr second[] = {addr_v4(0x0a000002)};
	struct bytes bytes = with_timestamp(&(struct timestamp_option){
		.present = true, .flag = 3, .slots = 2, .addrs = {addr_v4(0x0a000001), addr_v4(0x0a000002)}});
	stamp_once(bytes, second, 1, false); /* listed, but not next */
	struct timestamp_option option = stamp_once(bytes, first, 2, true);
	assert_int_equal(option.used, 1);
	assert_int_equal(option.addrs[0].low, 0x0a000001);
	assert_int_equal(option.times[0], 0x01020304);
	stamp_once(bytes, first, 2, false);
	option = stamp_once(bytes, second, 1, true);
	assert_int_equal(option.used, 2);
	option = stamp_once(bytes, second, 1, false);
	assert_int_equal(option.overflow, 0);
	free(bytes.data);
}

static void test_refusals(void **state)
{
	(void)state;
	struct addr own = STAMP;
	for (size_t i = 0; i < ARRAY_LEN(golden_packets); i++) {
		struct bytes whole = bytes_of_hex(golden_packets[i]);
		size_t header_length = whole.data[0] >> 4 == 4 ? (whole.data[0] & 15u) * 4u : 40;
		for (size_t length = 0; length <= whole.length; length++) {
			struct bytes cut = bytes_copy(whole.data, length);
			assert_int_equal(forward_set_ttl(cut.data, length, 9), length >= header_length);
			bool stamped = forward_stamp_route(cut.data, length, STAMP);
			assert_true(!stamped || length >= header_length);
			stamped = forward_stamp_time(cut.data, length, &own, 1, STAMP, 1);
			assert_true(!stamped || length >= header_length);
			free(cut.data);
		}
		free(whole.data);
	}
	struct bytes bytes = bytes_of_hex(GOLDEN_LOOSE_ROUTE4);
	assert_false(forward_stamp_route(bytes.data, bytes.length, STAMP)); /* not a record route */
	free(bytes.data);
	bytes = bytes_of_hex(GOLDEN_RECORD_ROUTE4);
	assert_false(forward_stamp_route(bytes.data, bytes.length, addr_v6(1, 1)));
	assert_false(forward_stamp_time(bytes.data, bytes.length, &own, 1, STAMP, 1));
	free(bytes.data);
}

/* The header shrinks to 20 bytes, what follows it stays. */
static void test_strip_options(void **state)
{
	(void)state;
	struct bytes bytes = bytes_of_hex(GOLDEN_RECORD_ROUTE4);
	struct packet before = read_bytes(bytes);
	size_t length = forward_strip_options(bytes.data, bytes.length);
	assert_int_equal(length, bytes.length - 40);
	struct packet after = read_bytes((struct bytes){bytes.data, length});
	assert_int_equal(after.ip.header_length, 20);
	assert_int_equal(after.ip.total_length, length);
	assert_false(after.ip.route.present);
	assert_true(after.checksum_ok);
	assert_int_equal(after.transport.icmp_seq, before.transport.icmp_seq);
	assert_int_equal(forward_strip_options(bytes.data, length), length);
	free(bytes.data);
}

static void test_mask_tos(void **state)
{
	(void)state;
	struct bytes v4 = bytes_of_hex(GOLDEN_UDP4), v6 = bytes_of_hex(GOLDEN_PROBE6);
	v4.data[1] = 0x20; /* as it is */
	assert_true(forward_mask_tos(v4.data, v4.length, 0x03));
	assert_int_equal(read_bytes(v4).ip.tos, 0);
	assert_true(read_bytes(v4).checksum_ok);
	uint32_t label = read_bytes(v6).ip.flow_label;
	v6.data[0] = 0x6b; /* traffic class 0xb9 */
	v6.data[1] = (uint8_t)(0x90 | (v6.data[1] & 15));
	assert_int_equal(read_bytes(v6).ip.tos, 0xb9);
	assert_true(forward_mask_tos(v6.data, v6.length, 0xfc));
	assert_int_equal(read_bytes(v6).ip.tos, 0xb8);
	assert_true(forward_mask_tos(v6.data, v6.length, 0x03));
	assert_int_equal(read_bytes(v6).ip.tos, 0);
	assert_int_equal(read_bytes(v6).ip.flow_label, label);
	assert_false(forward_mask_tos(v6.data, 39, 0));
	free(v4.data);
	free(v6.data);
}

/* RFC 8754 4.3.1.1: the segment that comes next is the destination, and the checksum, which is about the last one, holds
 * as before. Cut off anywhere in the header, nothing is touched. */
static void test_next_segment(void **state)
{
	(void)state;
	struct bytes whole = bytes_of_hex(GOLDEN_SEGMENT_ROUTING6);
	struct packet before = read_bytes(whole);
	size_t headers = 40 + 8 + 16u * before.ip.routing.count;
	for (size_t length = 0; length < headers; length++) {
		struct bytes cut = bytes_copy(whole.data, length);
		bool taken = forward_next_segment(cut.data, length);
		if (taken) /* the segment it is about is there, although a later one is not */
			assert_true(length >= 40 + 8 + 16u * before.ip.routing.segments_left);
		else if (length > 0)
			assert_memory_equal(cut.data, whole.data, length);
		free(cut.data);
	}
	for (unsigned left = before.ip.routing.segments_left; left-- > 0;) {
		assert_true(forward_next_segment(whole.data, whole.length));
		struct packet packet = read_bytes(whole);
		assert_int_equal(packet.ip.routing.segments_left, left);
		assert_true(addr_equal(packet.ip.destination, before.ip.routing.segments[left]));
		assert_int_equal(packet.checksum_ok, before.checksum_ok);
	}
	assert_false(forward_next_segment(whole.data, whole.length));
	whole.data[43] = 200; /* segments left beyond the list */
	assert_false(forward_next_segment(whole.data, whole.length));
	free(whole.data);
	struct bytes v4 = bytes_of_hex(GOLDEN_UDP4);
	assert_false(forward_next_segment(v4.data, v4.length));
	free(v4.data);
}

/* What comes to a raw socket of the routing header's number: no IPv6 header. */
static void test_read_from_the_routing_header_on(void **state)
{
	(void)state;
	struct bytes whole = bytes_of_hex(GOLDEN_SEGMENT_ROUTING6);
	struct packet expected = read_bytes(whole), packet;
	struct ip_header ip = {.source = expected.ip.source,
		.destination = expected.ip.destination,
		.protocol = PROTOCOL_ROUTING};
	assert_int_equal(packet_read_transport(&ip, whole.data + 40, whole.length - 40, &packet), 0);
	assert_int_equal(packet.ip.protocol, expected.ip.protocol);
	assert_true(packet.ip.routing.present);
	assert_int_equal(packet.ip.routing.segments_left, expected.ip.routing.segments_left);
	assert_int_equal(packet.ip.routing.count, expected.ip.routing.count);
	assert_int_equal(packet.checksum_ok, expected.checksum_ok);
	assert_int_equal(packet.transport.checksum, expected.transport.checksum);
	for (size_t length = 0; length < whole.length - 40; length++) {
		struct bytes cut = bytes_copy(whole.data + 40, length);
		(void)!packet_read_transport(&ip, cut.data, cut.length, &packet);
		assert_false(packet.checksum_ok);
		free(cut.data);
	}
	free(whole.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_ttl_keeps_the_checksum),
		cmocka_unit_test(test_a_wrong_checksum_stays_wrong),
		cmocka_unit_test(test_record_route_fills_up),
		cmocka_unit_test(test_odd_offset),
		cmocka_unit_test(test_times_only),
		cmocka_unit_test(test_addresses_and_times),
		cmocka_unit_test(test_prespecified_addresses),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_strip_options),
		cmocka_unit_test(test_mask_tos),
		cmocka_unit_test(test_next_segment),
		cmocka_unit_test(test_read_from_the_routing_header_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
