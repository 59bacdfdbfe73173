/* Golden bytes are captures of the public implementation, ICMP header included. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "../../golden/bytes.h"
#include "packet/packet.h"
#include "packet/responder.h"

#define REQUEST4 "080158a7 02060000 01119c40"
#define REQUEST6 "8001e6c5 00650000 01119c40"
#define SUCCESS4 "000116fc 02060000 00000000 00000000000000000000ffff0a630501 0000d798 00000000"
#define ERROR4 "0001fcf9 02050000 01000000"

static int read_request(const char *hex, struct responder_request *request)
{
	struct bytes bytes = bytes_of_hex(hex);
	struct cursor body = cursor_init(bytes.data, bytes.length);
	cursor_skip(&body, 8);
	int status = responder_request_read(&body, request);
	free(bytes.data);
	return status;
}

static int read_response_bytes(const uint8_t *data, size_t length, struct responder_response *response)
{
	struct bytes bytes = bytes_copy(data, length);
	struct cursor body = cursor_init(bytes.data, bytes.length);
	int status = responder_response_read(&body, response);
	free(bytes.data);
	return status;
}

static int read_response(const char *hex, struct responder_response *response)
{
	struct bytes bytes = bytes_of_hex(hex);
	int status = read_response_bytes(bytes.data + 8, bytes.length - 8, response);
	free(bytes.data);
	return status;
}

static uint8_t room[2000];

static size_t write_request(const struct responder_request *request)
{
	struct writer writer = writer_init(room, sizeof(room));
	responder_request_write(&writer, request);
	assert_true(writer_ok(&writer));
	return writer.length;
}

static size_t write_response(const struct responder_response *response)
{
	struct writer writer = writer_init(room, sizeof(room));
	responder_response_write(&writer, response);
	assert_true(writer_ok(&writer));
	return writer.length;
}

static void assert_room(size_t length, const char *hex)
{
	struct bytes expected = bytes_of_hex(hex);
	assert_int_equal(length, expected.length - 8);
	assert_memory_equal(room, expected.data + 8, length);
	free(expected.data);
}

static void test_golden_requests(void **state)
{
	(void)state;
	static const char *const requests[] = {REQUEST4, REQUEST6};
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		struct responder_request request;
		assert_int_equal(read_request(requests[i], &request), 0);
		assert_int_equal(request.ttl, 1);
		assert_int_equal(request.protocol, PROTOCOL_UDP);
		assert_int_equal(request.flow, 40000);
		assert_int_equal(request.cookie, 0);
		assert_int_equal(request.padding, 0);
		assert_false(request.has_extension);
		assert_room(write_request(&request), requests[i]);
	}
}

static void test_golden_responses(void **state)
{
	(void)state;
	struct responder_response response;
	assert_int_equal(read_response(SUCCESS4, &response), 0);
	assert_int_equal(response.status, RESPONDER_OK);
	assert_true(addr_equal(response.hop, addr_v4(0x0a630501)));
	assert_int_equal(response.rtt_ns, 55192);
	assert_int_equal(response.cookie, 0);
	assert_room(write_response(&response), SUCCESS4);

	assert_int_equal(read_response(ERROR4, &response), 0);
	assert_int_equal(response.status, RESPONDER_BAD_TTL);
	assert_false(addr_is_set(response.hop));
	assert_room(write_response(&response), ERROR4);
}

/* The whole datagram as captured: the checksum is right as well. */
static void test_golden_datagram(void **state)
{
	(void)state;
	struct bytes expected = bytes_of_hex(REQUEST4);
	struct packet_spec spec = {
		.ip = {.source = addr_v4(1), .destination = addr_v4(2), .ttl = 64, .protocol = PROTOCOL_ICMP},
		.transport = {.icmp_type = 8,
			.icmp_code = RESPONDER_CODE,
			.icmp_id = 0x0206,
			.payload = expected.data + 8,
			.payload_length = 4},
	};
	uint8_t bytes[64];
	struct writer writer = writer_init(bytes, sizeof(bytes));
	assert_int_equal(packet_write(&writer, &spec), 0);
	assert_int_equal(writer.length, 32);
	assert_memory_equal(bytes + 20, expected.data, 12);
	free(expected.data);
}

static void test_round_trip_field(void **state)
{
	(void)state;
	struct responder_response response;
	/* from a big-endian server: in the second half */
	assert_int_equal(
		read_response("00010000 02060000 00000000 00000000000000000000ffff0a630501 00000000 0000d798",
			&response),
		0);
	assert_int_equal(response.rtt_ns, 55192);
	/* more than 32 bits saturate instead of coming out as something short */
	response.rtt_ns = 5000000000;
	write_response(&response);
	assert_memory_equal(room + 20, "\xff\xff\xff\xff\0\0\0\0", 8);
}

static void test_ipv6_hop(void **state)
{
	(void)state;
	struct responder_response response = {.hop = addr_v6(0x20010db800010000, 1), .rtt_ns = 7}, found;
	size_t length = write_response(&response);
	assert_int_equal(length, RESPONDER_SUCCESS_BODY);
	assert_int_equal(read_response_bytes(room, length, &found), 0);
	assert_true(addr_equal(found.hop, response.hop));
	assert_int_equal(found.rtt_ns, 7);
	/* behind a NAT64 (RFC 6052) */
	response.hop = addr_v6(0x0064ff9b00000000, 0x0a000001);
	assert_int_equal(read_response_bytes(room, write_response(&response), &found), 0);
	assert_true(addr_equal(found.hop, response.hop));
}

static void test_cookie_in_requests(void **state)
{
	(void)state;
	struct responder_request request = {.ttl = 3,
					 .protocol = 6,
					 .flow = 443,
					 .cookie = 0xfedcba9876543210,
					 .padding = 60},
				 found;
	struct bytes expected = bytes_of_hex("03 06 01bb 0000 7274 fedcba9876543210");
	assert_int_equal(write_request(&request), 64);
	assert_memory_equal(room, expected.data, expected.length);
	for (size_t i = expected.length; i < 64; i++)
		assert_int_equal(room[i], 0);
	struct cursor body = cursor_init(room, 64);
	assert_int_equal(responder_request_read(&body, &found), 0);
	assert_int_equal(found.cookie, request.cookie);
	assert_int_equal(found.padding, 60);
	assert_false(found.has_extension);
	free(expected.data);

	request.padding = 0; /* a cookie makes its own room */
	assert_int_equal(write_request(&request), 16);
	request.cookie = 0;
	request.padding = 100;
	assert_int_equal(write_request(&request), 104);
	for (size_t i = 4; i < 104; i++)
		assert_int_equal(room[i], 0);
}

/* Deployed servers take a first nibble of 2 for an extension: no cookie may look like one. */
static void test_cookies_never_look_like_extensions(void **state)
{
	(void)state;
	struct responder_request request = {.ttl = 3, .cookie = 0x2222222222222222}, found;
	size_t length = write_request(&request);
	assert_int_equal(room[4] >> 4, 0);
	struct cursor body = cursor_init(room, length);
	assert_int_equal(responder_request_read(&body, &found), 0);
	assert_false(found.has_extension);
	assert_int_equal(
		read_request(REQUEST4 "20000000 00100500 00000000000000000000ffff0a630201", &found), 0);
	assert_true(found.has_extension);
	assert_int_equal(found.cookie, 0);
}

static void test_cookie_in_responses(void **state)
{
	(void)state;
	struct responder_response error = {.status = RESPONDER_BAD_TTL, .cookie = 5}, found;
	assert_int_equal(write_response(&error), RESPONDER_ERROR_BODY + RESPONDER_COOKIE_BLOCK);
	assert_int_equal(read_response_bytes(room, 16, &found), 0);
	assert_int_equal(found.cookie, 5);
	assert_int_equal(read_response_bytes(room, 15, &found), 0);
	assert_int_equal(found.cookie, 0);
	struct responder_response success = {.hop = addr_v4(9), .rtt_ns = 1, .cookie = 6};
	assert_int_equal(write_response(&success), RESPONDER_SUCCESS_BODY + RESPONDER_COOKIE_BLOCK);
	assert_int_equal(read_response_bytes(room, 40, &found), 0);
	assert_int_equal(found.cookie, 6);
	assert_int_equal(found.hop.low, 9);
}

/* The requester's address, behind the cookie and nowhere else. */
static void test_seen_address(void **state)
{
	(void)state;
	const struct addr seen[] = {addr_v4(0xcb007109), addr_v6(0x20010db800010000, 5)};
	for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
		struct responder_response notice = {.status = RESPONDER_BAD_TTL, .cookie = 5, .seen = seen[i]}, found;
		const size_t whole = RESPONDER_ERROR_BODY + RESPONDER_COOKIE_BLOCK + RESPONDER_SEEN_BLOCK;
		assert_int_equal(write_response(&notice), whole);
		for (size_t length = RESPONDER_ERROR_BODY; length <= whole; length++) {
			assert_int_equal(read_response_bytes(room, length, &found), 0);
			assert_int_equal(addr_equal(found.seen, seen[i]), length == whole);
		}
		notice.cookie = 0;
		assert_int_equal(write_response(&notice), RESPONDER_ERROR_BODY);
	}
}

/* Cut anywhere, it names no third party; and it is not worth an answer while its object has no header. */
static void test_extension_lengths(void **state)
{
	(void)state;
	struct bytes bytes = bytes_of_hex("0111 9c40 2000ce8b 00100500 00000000000000000000ffff 0a630201");
	for (size_t length = 5; length <= bytes.length; length++) {
		struct bytes cut = bytes_copy(bytes.data, length);
		struct cursor body = cursor_init(cut.data, cut.length);
		struct responder_request request;
		assert_int_equal(responder_request_read(&body, &request), 0);
		assert_true(request.has_extension);
		assert_int_equal(request.extension_cut, length < 12);
		assert_int_equal(addr_is_set(request.target), length == bytes.length);
		free(cut.data);
	}
	/* Neither 16 nor 20 long, or of another class. */
	bytes.data[9] = 15;
	struct cursor body = cursor_init(bytes.data, bytes.length);
	struct responder_request request;
	assert_int_equal(responder_request_read(&body, &request), 0);
	assert_false(addr_is_set(request.target));
	bytes.data[9] = 20;
	bytes.data[10] = 4;
	body = cursor_init(bytes.data, bytes.length);
	assert_int_equal(responder_request_read(&body, &request), 0);
	assert_false(addr_is_set(request.target));
	assert_int_equal(request.extension, 0x0400);
	free(bytes.data);
}

/* What the request reads as when it comes back unchanged: RESPONDER_OK must never come out. */
static void check_echo(const struct responder_request *request)
{
	struct responder_response response;
	size_t length = write_request(request);
	if (read_response_bytes(room, length, &response) != 0)
		return;
	assert_int_not_equal(response.status, RESPONDER_OK);
	assert_int_equal(response.status, request->ttl);
	assert_int_equal(request->protocol, 0);
	assert_true(request->flow == 0 || request->ttl == RESPONDER_BAD_EXTENSION);
}

/* An ordinary host sends the request back: that must never pass for a hop, nor for "a responder lives here"
 * where it can be told. */
static void test_echoes(void **state)
{
	(void)state;
	static const struct responder_request requests[] = {
		{.padding = 0},
		{.padding = 12},
		{.padding = 24},
		{.padding = 100},
		{.flow = 33434},
		{.flow = 33434, .padding = 100},
		{.protocol = 17},
		{.protocol = 17, .padding = 100},
		{.protocol = 6, .flow = 443, .padding = 60},
	};
	static const uint64_t cookies[] = {0, 1, UINT64_MAX, 0x0000ffff00000000, 0xffff0a630501ffff};
	for (size_t i = 0; i < ARRAY_LEN(requests); i++)
		for (size_t c = 0; c < ARRAY_LEN(cookies); c++)
			for (unsigned ttl = 0; ttl < 256; ttl++) {
				struct responder_request request = requests[i];
				request.ttl = (uint8_t)ttl;
				request.cookie = cookies[c];
				check_echo(&request);
			}
}

static void test_truncations(void **state)
{
	(void)state;
	struct bytes success = bytes_of_hex(SUCCESS4);
	struct responder_response response;
	for (size_t length = 0; length < 28; length++)
		assert_int_equal(read_response_bytes(success.data + 8, length, &response), -EBADMSG);
	assert_int_equal(read_response_bytes(success.data + 8, 28, &response), 0);
	struct bytes error = bytes_of_hex(ERROR4);
	for (size_t length = 0; length < 4; length++) {
		struct bytes cut = bytes_copy(error.data + 8, length);
		struct cursor body = cursor_init(cut.data, cut.length);
		struct responder_request request;
		assert_int_equal(read_response_bytes(cut.data, length, &response), -EBADMSG);
		assert_int_equal(responder_request_read(&body, &request), -EBADMSG);
		free(cut.data);
	}
	free(success.data);
	free(error.data);
}

static void test_statuses(void **state)
{
	(void)state;
	struct responder_response response;
	assert_int_equal(read_response("00010000 00000000 02000000", &response), 0);
	assert_int_equal(response.status, RESPONDER_BAD_PROTOCOL);
	assert_int_equal(
		read_response("00010000 00000000 04000501", &response), 0); /* class 5, type 1 refused */
	assert_int_equal(response.status, RESPONDER_BAD_EXTENSION);
	assert_int_equal(read_response("00010000 00000000 05000000", &response), -EBADMSG);
	assert_int_equal(read_response("00010000 00000000 ff000000", &response), -EBADMSG);
	assert_int_equal(read_response("00010000 00000000 01000001", &response), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_requests),
		cmocka_unit_test(test_golden_responses),
		cmocka_unit_test(test_golden_datagram),
		cmocka_unit_test(test_round_trip_field),
		cmocka_unit_test(test_ipv6_hop),
		cmocka_unit_test(test_cookie_in_requests),
		cmocka_unit_test(test_cookies_never_look_like_extensions),
		cmocka_unit_test(test_cookie_in_responses),
		cmocka_unit_test(test_seen_address),
		cmocka_unit_test(test_extension_lengths),
		cmocka_unit_test(test_echoes),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_statuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
