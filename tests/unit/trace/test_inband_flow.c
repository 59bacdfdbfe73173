/* What is known of a connection by its packets: numbers that pass zero, segments larger than any link, captures that
 * are cut off or incomplete, and packets that are not what they seem. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "trace/inband_flow.h"

#define LOCAL	    addr_v4(0xc0000201)
#define REMOTE	    addr_v4(0xc6336407)
#define LOCAL_PORT  443
#define REMOTE_PORT 40000
#define FIRST	    0xfffffff0u /* sixteen bytes before zero */
#define THEIRS	    5000u

static struct inband_flow flow;
static uint8_t stream[70000];

static int set_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stream); i++)
		stream[i] = (uint8_t)(i * 7 + i / 256);
	inband_flow_init(&flow, LOCAL, LOCAL_PORT, REMOTE, REMOTE_PORT);
	return 0;
}

/* Bytes at and after `offset` of the stream, of which `captured` were seen. */
static struct packet ours(uint32_t offset, uint32_t length, uint32_t captured)
{
	return (struct packet){
		.ip = {.source = LOCAL,
			.destination = REMOTE,
			.protocol = PROTOCOL_TCP,
			.tos = 0x28,
			.header_length = 20,
			.total_length = 20 + 32 + length},
		.transport = {.source_port = LOCAL_PORT,
			.destination_port = REMOTE_PORT,
			.tcp_sequence = FIRST + offset,
			.tcp_acknowledgement = THEIRS,
			.tcp_flags = TCP_ACK,
			.tcp_window = 501,
			.tcp_has_timestamps = true,
			.tcp_timestamp_value = 9,
			.seen = 32,
			.payload = stream + offset,
			.payload_length = captured},
	};
}

static struct packet theirs(uint32_t acknowledged, uint8_t flags, uint32_t sequence)
{
	return (struct packet){
		.ip = {.source = REMOTE,
			.destination = LOCAL,
			.protocol = PROTOCOL_TCP,
			.ttl = 57,
			.header_length = 20,
			.total_length = 52},
		.transport = {.source_port = REMOTE_PORT,
			.destination_port = LOCAL_PORT,
			.tcp_sequence = sequence,
			.tcp_acknowledgement = FIRST + acknowledged,
			.tcp_flags = flags,
			.seen = 32},
	};
}

static void send(uint32_t offset, uint32_t length, uint32_t captured)
{
	struct packet packet = ours(offset, length, captured);
	inband_flow_note(&flow, &packet);
}

static void acknowledge(uint32_t acknowledged)
{
	struct packet packet = theirs(acknowledged, TCP_ACK, THEIRS);
	inband_flow_note(&flow, &packet);
}

/* Every byte that it claims to know is the one that was sent. */
static void assert_history(uint32_t expected)
{
	assert_int_equal(inband_flow_history(&flow), expected);
	for (uint32_t back = 1; back <= expected; back++) {
		uint32_t sequence = flow.acked_to - back;
		assert_int_equal(*inband_flow_byte(&flow, sequence), stream[sequence - FIRST]);
	}
}

static void test_numbers_pass_zero(void **state)
{
	(void)state;
	assert_history(0);
	send(0, 10, 10);
	assert_history(0);
	acknowledge(10);
	assert_history(10);
	send(10, 100, 100);
	assert_history(10);
	acknowledge(60);
	assert_history(60);
	acknowledge(110);
	assert_history(110);
	assert_int_equal(flow.remote_ttl, 57);
}

static void test_segments_as_large_as_they_get(void **state)
{
	(void)state;
	send(0, 60000, 60000);
	acknowledge(60000);
	assert_history(INBAND_STREAM_BYTES);
	send(60000, 100, 100);
	acknowledge(60050);
	assert_history(INBAND_STREAM_BYTES - 50);
	/* In flight there is more than is kept: nothing of what is acknowledged is known any more. */
	inband_flow_init(&flow, LOCAL, LOCAL_PORT, REMOTE, REMOTE_PORT);
	send(0, 100, 100);
	acknowledge(100);
	send(100, 60000, 60000);
	assert_history(0);
	acknowledge(60100);
	assert_history(INBAND_STREAM_BYTES);
}

static void test_cut_off_and_missed(void **state)
{
	(void)state;
	send(0, 2000, 100); /* the capture has the beginning only */
	acknowledge(2000);
	assert_history(0);
	send(2000, 50, 50);
	acknowledge(2050);
	assert_history(50);
	send(2060, 50, 50); /* ten bytes were not seen */
	acknowledge(2110);
	assert_history(50);
}

/* The kernel's own retransmission, a keep-alive, and our probes do not move anything. */
static void test_repetitions(void **state)
{
	(void)state;
	send(0, 1000, 1000);
	acknowledge(1000);
	struct packet probe = ours(990, 1, 1);
	probe.ip.tos = 0xff;
	probe.transport.tcp_window = 1;
	inband_flow_note(&flow, &probe);
	send(999, 0, 0);
	send(0, 500, 500);
	assert_int_equal(flow.sent_to, FIRST + 1000);
	assert_int_equal(flow.ip.tos, 0x28);
	assert_int_equal(flow.tcp.tcp_window, 501);
	assert_history(1000);
	send(900, 200, 200); /* old and new together */
	acknowledge(1100);
	assert_history(1100);
}

static void test_acknowledgements_out_of_place(void **state)
{
	(void)state;
	acknowledge(5); /* of what was never seen */
	send(100, 1000, 1000);
	acknowledge(50);
	assert_false(flow.acknowledged);
	acknowledge(1101);
	assert_false(flow.acknowledged);
	acknowledge(600);
	acknowledge(300); /* an old one comes late */
	assert_int_equal(flow.acked_to, FIRST + 600);
	struct packet none = theirs(1100, 0, THEIRS); /* no ACK flag */
	inband_flow_note(&flow, &none);
	assert_int_equal(flow.acked_to, FIRST + 600);
}

static void test_strangers(void **state)
{
	(void)state;
	struct packet packet = ours(0, 100, 100);
	assert_int_equal(inband_flow_side(&flow, &packet), INBAND_OURS);
	packet.transport.destination_port++;
	assert_int_equal(inband_flow_side(&flow, &packet), INBAND_FOREIGN);
	packet = ours(0, 100, 100);
	packet.transport.seen = 12;
	assert_int_equal(inband_flow_side(&flow, &packet), INBAND_FOREIGN);
	packet = ours(0, 100, 100);
	packet.ip.protocol = PROTOCOL_UDP;
	assert_int_equal(inband_flow_side(&flow, &packet), INBAND_FOREIGN);
	packet = theirs(0, TCP_ACK, 0);
	assert_int_equal(inband_flow_side(&flow, &packet), INBAND_THEIRS);
	packet.ip.source = addr_v4(1);
	assert_int_equal(inband_flow_side(&flow, &packet), INBAND_FOREIGN);
}

/* An end is one when it fits into the window; a stranger's seldom does. */
static void test_ends(void **state)
{
	static const struct {
		uint8_t flags;
		uint32_t sequence;
		bool closes;
	} cases[] = {
		{TCP_RST, THEIRS, true},
		{TCP_RST | TCP_ACK, THEIRS + 100, true},
		{TCP_FIN | TCP_ACK, THEIRS, true},
		{TCP_RST, THEIRS - 1, false},
		{TCP_RST, THEIRS + 70000, false},
		{TCP_ACK, THEIRS, false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		inband_flow_init(&flow, LOCAL, LOCAL_PORT, REMOTE, REMOTE_PORT);
		send(0, 100, 100);
		struct packet packet = theirs(100, cases[i].flags, cases[i].sequence);
		inband_flow_note(&flow, &packet);
		assert_int_equal(flow.closed, cases[i].closes);
	}
	inband_flow_init(&flow, LOCAL, LOCAL_PORT, REMOTE, REMOTE_PORT);
	struct packet own = ours(0, 0, 0);
	own.transport.tcp_flags = TCP_FIN | TCP_ACK;
	inband_flow_note(&flow, &own);
	assert_true(flow.closed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_numbers_pass_zero, set_up),
		cmocka_unit_test_setup(test_segments_as_large_as_they_get, set_up),
		cmocka_unit_test_setup(test_cut_off_and_missed, set_up),
		cmocka_unit_test_setup(test_repetitions, set_up),
		cmocka_unit_test_setup(test_acknowledgements_out_of_place, set_up),
		cmocka_unit_test_setup(test_strangers, set_up),
		cmocka_unit_test_setup(test_ends, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
