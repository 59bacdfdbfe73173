/* Both sides of the responder protocol against the bytes of the deployed one: what our client asks and understands, and
 * what our responder understands, probes and answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "../unit/serve/bench.h"
#include "bytes.h"
#include "responder.h"
#include "reverse/responder.h"

#define CLIENT4	 addr_v4(0xcb007105)
#define SERVER4	 addr_v4(0xc6336407)
#define CLIENT6	 addr_v6(0x20010db800010000, 5)
#define SERVER6	 addr_v6(0x20010db800020000, 7)
#define ROUTER4	 addr_v4(0x0a630501) /* 10.99.5.1, as in the capture */
#define ROUTER6	 addr_v6(0x20010db800990000, 1)
#define TARGET4	 addr_v4(0x0a630201)
#define TARGET6	 addr_v6(0x20010db800030000, 9)
#define HELLO_ID 0x0205
#define SENT_MAX 64

static size_t header_size(uint8_t family)
{
	return family == 4 ? 20 : 40;
}

/* An IP packet around an ICMP message; the IPv4 header's checksum is that of RFC 1071. */
static size_t wrap(struct addr from, struct addr to, const char *hex, uint8_t *packet)
{
	struct bytes icmp = bytes_of_hex(hex);
	size_t header = header_size(from.family), total = header + icmp.length;
	memset(packet, 0, header);
	if (from.family == 4) {
		uint32_t sum = 0;
		packet[0] = 0x45;
		packet[1] = 0x20; /* type of service */
		packet[3] = (uint8_t)total;
		packet[8] = 60;
		packet[9] = 1;
		addr_to_bytes(from, packet + 12);
		addr_to_bytes(to, packet + 16);
		for (unsigned i = 0; i < 20; i += 2)
			sum += (uint32_t)packet[i] << 8 | packet[i + 1];
		sum = ~((sum >> 16) + (sum & 0xffff));
		packet[10] = (uint8_t)(sum >> 8);
		packet[11] = (uint8_t)sum;
	} else {
		packet[0] = 0x62; /* traffic class 0x20 */
		packet[1] = 0x05; /* flow label 0x54321 */
		packet[2] = 0x43;
		packet[3] = 0x21;
		packet[5] = (uint8_t)icmp.length;
		packet[6] = 58;
		packet[7] = 60;
		addr_to_bytes(from, packet + 8);
		addr_to_bytes(to, packet + 24);
	}
	memcpy(packet + header, icmp.data, icmp.length);
	free(icmp.data);
	return total;
}

/* ---- our client */

struct client {
	void *run;
	struct machine machine;
	uint8_t family;
	int64_t now_ns;
	unsigned sent;
	struct outgoing packets[SENT_MAX];
};

static void pump(struct client *client)
{
	int64_t wake_ns;
	while (client->sent < SENT_MAX &&
		client->machine.ops->next(client->machine.self, client->now_ns, &client->packets[client->sent],
			&wake_ns) == MACHINE_SEND)
		client->sent++;
}

/* It asks as 0x0205 first, then for hop limit 1 as 0x0206. */
static struct client *client_of(uint8_t family, enum probe_protocol protocol, uint16_t flow)
{
	struct client *client = calloc(1, sizeof(*client));
	struct reverse_task task = {
		.target = family == 4 ? SERVER4 : SERVER6,
		.source = family == 4 ? CLIENT4 : CLIENT6,
		.protocol = protocol,
		.flow = flow,
		.seed = HELLO_ID,
	};
	client->run = responder_method.start(&task);
	client->machine = responder_method.machine(client->run);
	client->family = family;
	client->now_ns = NS_PER_S;
	pump(client);
	return client;
}

static void client_free(struct client *client)
{
	responder_method.free(client->run);
	free(client);
}

static void answer(struct client *client, const char *hex)
{
	uint8_t bytes[200];
	struct packet packet;
	bool v4 = client->family == 4;
	size_t length = wrap(v4 ? SERVER4 : SERVER6, v4 ? CLIENT4 : CLIENT6, hex, bytes);
	assert_int_equal(packet_read(bytes, length, &packet), 0);
	assert_true(packet.checksum_ok);
	client->now_ns += NS_PER_MS;
	client->machine.ops->packet(client->machine.self, client->now_ns, &packet);
}

/* Byte for byte; behind it zeros only. The checksum of IPv6 covers the length, which our padding makes another. */
static void expect_request(const struct outgoing *packet, uint8_t family, const char *hex)
{
	struct bytes golden = bytes_of_hex(hex);
	const uint8_t *icmp = packet->bytes + header_size(family);
	assert_int_equal(packet->length, family == 4 ? 100 : 140);
	assert_memory_equal(icmp, golden.data, 2);
	if (family == 4)
		assert_memory_equal(icmp + 2, golden.data + 2, 2);
	assert_memory_equal(icmp + 4, golden.data + 4, golden.length - 4);
	for (size_t i = golden.length; header_size(family) + i < packet->length; i++)
		assert_int_equal(icmp[i], 0);
	free(golden.data);
}

static void test_client_asks(void **state)
{
	static const struct {
		uint8_t family;
		enum probe_protocol protocol;
		uint16_t flow;
		const char *hello, *request;
	} cases[] = {
		{4, PROBE_UDP, 40000, HELLO4, REQUEST4_CAPTURED},
		{4, PROBE_UDP, 0, HELLO4, REQUEST4_UDP_0},
		{4, PROBE_TCP, 40000, HELLO4, REQUEST4_TCP},
		{4, PROBE_TCP, 0, HELLO4, REQUEST4_TCP_0},
		{4, PROBE_ICMP, 0x1234, HELLO4, REQUEST4_ICMP},
		{4, PROBE_ICMP, 0, HELLO4, REQUEST4_ICMP_0},
		{6, PROBE_UDP, 40000, HELLO6, REQUEST6_UDP},
		{6, PROBE_UDP, 0, HELLO6, REQUEST6_UDP_0},
		{6, PROBE_TCP, 40000, HELLO6, REQUEST6_TCP},
		{6, PROBE_TCP, 0, HELLO6, REQUEST6_TCP_0},
		{6, PROBE_ICMP, 0x1234, HELLO6, REQUEST6_ICMP},
		{6, PROBE_ICMP, 0, HELLO6, REQUEST6_ICMP_0},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct client *client = client_of(cases[i].family, cases[i].protocol, cases[i].flow);
		expect_request(&client->packets[0], cases[i].family, cases[i].hello);
		expect_request(&client->packets[1], cases[i].family, cases[i].request);
		client_free(client);
	}
}

static void expect_hop(struct client *client, struct addr hop)
{
	struct path *path = responder_method.path(client->run, 0);
	assert_non_null(path);
	assert_int_equal(path->hop_count, 1);
	assert_int_equal(path->hops[0].ttl, 1);
	assert_true(addr_equal(path->hops[0].address, hop));
	assert_int_equal(path->hops[0].rtt_min_ns, 0xd798);
	path_free(path);
}

static void test_client_understands(void **state)
{
	struct client *client = client_of(4, PROBE_UDP, 40000);
	(void)state;
	answer(client, HELLO_ANSWER4_CAPTURED);
	answer(client, SUCCESS4_CAPTURED);
	expect_hop(client, ROUTER4);
	client_free(client);
	client = client_of(4, PROBE_UDP, 40000);
	answer(client, SUCCESS4_BIG_ENDIAN);
	expect_hop(client, ROUTER4);
	client_free(client);
	client = client_of(6, PROBE_TCP, 0);
	answer(client, HELLO_ANSWER6);
	answer(client, SUCCESS6);
	expect_hop(client, ROUTER6);
	client_free(client);
}

static void test_client_understands_refusals(void **state)
{
	static const struct {
		uint8_t family;
		const char *hello, *refusal, *words;
	} cases[] = {
		{4, HELLO_ANSWER4_CAPTURED, BAD_PROTOCOL4, "status 2"},
		{4, HELLO_ANSWER4_CAPTURED, BAD_FLOW4, "status 3"},
		{4, HELLO_ANSWER4_CAPTURED, BAD_EXTENSION4, "status 4"},
		{6, HELLO_ANSWER6, BAD_PROTOCOL6, "status 2"},
		{6, HELLO_ANSWER6, BAD_FLOW6, "status 3"},
		{6, HELLO_ANSWER6, BAD_EXTENSION6, "status 4"},
	};
	char detail[300];
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct client *client = client_of(cases[i].family, PROBE_UDP, 40000);
		answer(client, cases[i].hello);
		answer(client, cases[i].refusal);
		assert_null(responder_method.path(client->run, 0));
		assert_int_equal(responder_method.status(client->run, detail, sizeof(detail)), ATTEMPT_REFUSED);
		assert_non_null(strstr(detail, cases[i].words));
		client_free(client);
	}
	/* No answer to a request with a hop limit. */
	struct client *client = client_of(4, PROBE_UDP, 40000);
	answer(client, BAD_TTL4);
	assert_int_equal(responder_method.status(client->run, detail, sizeof(detail)), ATTEMPT_TIMEOUT);
	client_free(client);
}

/* ---- our responder */

static unsigned feed(struct bench *bench, uint8_t family, const char *hex)
{
	uint8_t bytes[200];
	bool v4 = family == 4;
	size_t length = wrap(v4 ? CLIENT4 : CLIENT6, v4 ? bench->server4 : bench->server6, hex, bytes);
	return bench_feed(bench, bytes, length);
}

static void expect_response(const struct bench *bench, uint8_t family, const char *hex)
{
	struct bytes golden = bytes_of_hex(hex);
	assert_int_equal(bench->out.length, header_size(family) + golden.length);
	assert_memory_equal(bench->out.bytes + header_size(family), golden.data, golden.length);
	assert_int_equal(bench->out.bytes[family == 4 ? 8 : 7], 64); /* hop limit */
	assert_true(addr_equal(bench->sent.ip.destination, family == 4 ? CLIENT4 : CLIENT6));
	free(golden.data);
}

static unsigned u16(const uint8_t *bytes)
{
	return (unsigned)bytes[0] << 8 | bytes[1];
}

/* Where the deployed server has the same thing in the same place. Not so, by design: the source port, the sequence numbers
 * of ICMP and TCP, the identifier of ICMP, and the payload. */
static void expect_probe(const struct bench *bench, uint8_t family, uint8_t protocol, unsigned flow)
{
	const uint8_t *ip = bench->out.bytes, *above = ip + header_size(family);
	bool icmp = protocol == 1 || protocol == 58;
	assert_int_equal(ip[family == 4 ? 8 : 7], 1);
	assert_int_equal(ip[family == 4 ? 9 : 6], protocol);
	if (family == 4) {
		assert_int_equal(ip[0], 0x45);
		assert_int_equal(ip[1], 0x20);
		assert_int_equal(ip[6] & 0x40, 0x40);
	} else {
		assert_int_equal(ip[0], 0x62);
		assert_memory_equal(ip + 1, "\x05\x43\x21", 3);
	}
	if (icmp) {
		assert_int_equal(above[0], family == 4 ? 8 : 128);
		assert_int_equal(above[1], 0);
		assert_int_equal(u16(above + 2), flow);
		return;
	}
	assert_int_equal(u16(above + 2), flow);
	if (protocol == 17) {
		assert_int_equal(u16(above + 6), 0x0206);
		return;
	}
	assert_int_equal(above[12], 0x60); /* one option */
	assert_int_equal(above[13], 0x02); /* SYN */
	assert_int_equal(u16(above + 14), 1024);
	assert_memory_equal(above + 20, "\x02\x04\x05\xb4", 4);
}

/* A request, the probe it makes, a router's answer to that, and the response. */
static void test_responder_probes(void **state)
{
	static const struct {
		uint8_t family, protocol;
		unsigned flow;
		const char *request;
	} cases[] = {
		{4, 17, 40000, REQUEST4_CAPTURED}, {4, 17, 53, REQUEST4_UDP_0}, {6, 17, 40000, REQUEST6_UDP},
		{6, 17, 53, REQUEST6_UDP_0}, {4, 6, 40000, REQUEST4_TCP}, {4, 6, 80, REQUEST4_TCP_0},
		{6, 6, 40000, REQUEST6_TCP}, {6, 6, 80, REQUEST6_TCP_0}, {4, 1, 0x1234, REQUEST4_ICMP},
		{4, 1, 0xbeaf, REQUEST4_ICMP_0}, {4, 1, 0x1234, REQUEST4_ICMP_1}, {6, 58, 0x1234, REQUEST6_ICMP},
		{6, 58, 0xbeaf, REQUEST6_ICMP_0}, {6, 58, 0x1234, REQUEST6_ICMP_58},
		/* Zeros behind it are padding, and change no checksum. */
		{4, 17, 40000, REQUEST4_CAPTURED "00000000 00000000 00000000 00000000"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bench bench;
		uint8_t quote[1500], family = cases[i].family;
		bench_init(&bench, NULL);
		assert_int_equal(feed(&bench, family, cases[i].request), 1);
		expect_probe(&bench, family, cases[i].protocol, cases[i].flow);
		bench.now_ns += 0xd798;
		struct packet_spec expired = bench_expired(&bench, family == 4 ? ROUTER4 : ROUTER6, quote, SIZE_MAX);
		assert_int_equal(bench_feed_spec(&bench, &expired), 1);
		expect_response(&bench, family, family == 4 ? SUCCESS4_CAPTURED : SUCCESS6);
		bench_deinit(&bench);
	}
}

static void test_responder_refuses(void **state)
{
	static const struct {
		uint8_t family;
		const char *request, *response; /* NULL: none */
	} cases[] = {
		{4, HELLO4, HELLO_ANSWER4_CAPTURED}, {6, HELLO6, HELLO_ANSWER6}, {4, REQUEST4_ICMP_58, BAD_PROTOCOL4},
		{4, REQUEST4_SCTP, BAD_PROTOCOL4}, {6, REQUEST6_ICMP_1, BAD_PROTOCOL6}, {4, REQUEST4_CUT, NULL},
		/* The capture's addresses are not ours: its checksum is wrong here. */
		{6, REQUEST6_CAPTURED, NULL},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bench bench;
		bench_init(&bench, NULL);
		assert_int_equal(feed(&bench, cases[i].family, cases[i].request), cases[i].response != NULL);
		if (cases[i].response)
			expect_response(&bench, cases[i].family, cases[i].response);
		bench_deinit(&bench);
	}
}

/* ---- third parties */

static void bench_with_targets(struct bench *bench, const struct prefix *targets, size_t count)
{
	struct responder_config config = {
		.key = {3, 4}, .port = PORT, .icmp_prefix = ICMP_BYTE, .targets = targets, .target_count = count};
	bench_init(bench, &config);
}

/* A response of status 4 that has room for a cookie carries one; stock clients do not look there. */
static void expect_refused(const struct bench *bench, uint8_t family, const char *hex)
{
	struct bytes golden = bytes_of_hex(hex);
	const uint8_t *icmp = bench->out.bytes + header_size(family);
	assert_true(bench->out.length >= header_size(family) + golden.length);
	assert_memory_equal(icmp, golden.data, 2);
	assert_memory_equal(icmp + 4, golden.data + 4, golden.length - 4);
	free(golden.data);
}

static void test_third_party(void **state)
{
	const struct prefix targets[] = {prefix_of(TARGET4, 24), prefix_of(TARGET6, 64)};
	static const struct {
		uint8_t family;
		const char *request;
	} cases[] = {{4, REQUEST4_TARGET}, {4, REQUEST4_TARGET_20}, {6, REQUEST6_TARGET}};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bench bench;
		uint8_t quote[1500], family = cases[i].family;
		bench_with_targets(&bench, targets, ARRAY_LEN(targets));
		assert_int_equal(feed(&bench, family, cases[i].request), 1);
		assert_true(addr_equal(bench.sent.ip.destination, family == 4 ? TARGET4 : TARGET6));
		assert_int_equal(bench.sent.transport.destination_port, 40000);
		assert_int_equal(bench.sent.ip.ttl, 1);
		bench.now_ns += 0xd798;
		struct packet_spec expired = bench_expired(&bench, family == 4 ? ROUTER4 : ROUTER6, quote, SIZE_MAX);
		assert_int_equal(bench_feed_spec(&bench, &expired), 1);
		/* To who asked, with his identifier. */
		expect_response(&bench, family, family == 4 ? SUCCESS4_CAPTURED : SUCCESS6);
		/* Once. */
		assert_int_equal(bench_feed_spec(&bench, &expired), 0);
		bench_deinit(&bench);
	}
}

/* A third party that answers a SYN itself: what comes back is the sequence number alone, and it is nobody's own request. */
static void test_third_party_answers(void **state)
{
	const struct prefix targets[] = {prefix_of(TARGET4, 32)};
	struct bench bench;
	(void)state;
	bench_with_targets(&bench, targets, 1);
	for (unsigned i = 0; i < 100; i++) {
		char request[200];
		snprintf(request, sizeof(request), "0801%04x 02060000 0106 9c40 20000000 00100500 "
			"00000000000000000000ffff 0a630201", 0);
		/* The checksum over all but itself. */
		struct bytes bytes = bytes_of_hex(request);
		uint32_t sum = 0;
		for (size_t j = 0; j < bytes.length; j += 2)
			sum += (uint32_t)bytes.data[j] << 8 | bytes.data[j + 1];
		sum = ~((sum >> 16) + (sum & 0xffff)) & 0xffff;
		free(bytes.data);
		snprintf(request, sizeof(request), "0801%04x 02060000 0106 9c40 20000000 00100500 "
			"00000000000000000000ffff 0a630201", (unsigned)sum);
		bench.now_ns += NS_PER_S / 10;
		assert_int_equal(feed(&bench, 4, request), 1);
		struct packet_spec reset = {
			.ip = {.source = TARGET4, .destination = bench.server4, .ttl = 60, .protocol = PROTOCOL_TCP},
			.transport = {.source_port = 40000, .destination_port = PORT,
				.tcp_acknowledgement = bench.sent.transport.tcp_sequence + 1,
				.tcp_flags = TCP_RST | TCP_ACK},
		};
		bench.now_ns += 20 * NS_PER_MS;
		assert_int_equal(bench_feed_spec(&bench, &reset), 1);
		assert_true(addr_equal(bench.sent.ip.destination, CLIENT4));
	}
	bench_deinit(&bench);
}

static void test_third_party_refused(void **state)
{
	const struct prefix elsewhere = prefix_of(addr_v4(0x0a630300), 24); /* 10.99.3.0/24 */
	(void)state;
	for (size_t count = 0; count <= 1; count++) {
		struct bench bench;
		bench_with_targets(&bench, &elsewhere, count);
		assert_int_equal(feed(&bench, 4, REQUEST4_TARGET), 1);
		expect_refused(&bench, 4, BAD_EXTENSION4);
		assert_int_equal(feed(&bench, 6, REQUEST6_TARGET), 1);
		expect_refused(&bench, 6, BAD_EXTENSION6);
		/* The object is named. */
		assert_int_equal(feed(&bench, 4, REQUEST4_OTHER), 1);
		expect_refused(&bench, 4, "00010000 02060000 04000201");
		assert_int_equal(feed(&bench, 4, REQUEST4_PADDED_20), 1);
		expect_refused(&bench, 4, "00010000 02060000 04000000");
		assert_int_equal(responder_counters(bench.responder).refused_target, 4);
		bench_deinit(&bench);
	}
}

/* Whoever is asked about too often is left alone; answers that come too late, or that somebody makes up, go nowhere. */
static void test_third_party_limits(void **state)
{
	const struct prefix targets[] = {prefix_of(TARGET4, 32)};
	struct bench bench;
	uint8_t quote[1500];
	unsigned probes = 0;
	(void)state;
	bench_with_targets(&bench, targets, 1);
	/* First contact has few bytes: a request that is paid for. */
	struct bytes request = bytes_of_hex(REQUEST4_TARGET);
	char padded[400] = "";
	for (size_t i = 0; i < request.length; i++)
		snprintf(padded + 2 * i, 3, "%02x", request.data[i]);
	for (size_t i = request.length; i < 80; i++)
		strcat(padded, "00");
	free(request.data);
	for (unsigned i = 0; i < 1000; i++)
		probes += feed(&bench, 4, padded);
	assert_int_equal(probes, 2 * RESPONDER_PREFIX_RATE_DEFAULT);
	struct packet_spec expired = bench_expired(&bench, ROUTER4, quote, SIZE_MAX);
	bench.now_ns += (INT64_C(1) << 32) + 1;
	assert_int_equal(bench_feed_spec(&bench, &expired), 0);
	/* One whose destination asks for itself is not taken for one on somebody's behalf. */
	assert_int_equal(feed(&bench, 4, padded), 1);
	expired = bench_expired(&bench, ROUTER4, quote, SIZE_MAX);
	quote[17]++; /* of the quoted destination */
	assert_int_equal(bench_feed_spec(&bench, &expired), 0);
	bench_deinit(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_client_asks),
		cmocka_unit_test(test_client_understands),
		cmocka_unit_test(test_client_understands_refusals),
		cmocka_unit_test(test_responder_probes),
		cmocka_unit_test(test_responder_refuses),
		cmocka_unit_test(test_third_party),
		cmocka_unit_test(test_third_party_answers),
		cmocka_unit_test(test_third_party_refused),
		cmocka_unit_test(test_third_party_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
