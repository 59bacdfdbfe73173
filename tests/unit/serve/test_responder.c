/* The responder's core: golden bytes of the deployed protocol, and everything that must not be answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"
#include "bench.h"

#define HOP4  addr_v4(0x0a630501) /* 10.99.5.1 */
#define HOST4 addr_v4(0xcb007105)
#define HOST6 addr_v6(0x20010db800010000, 5)
#define HOP6  addr_v6(0x20010db800990000, 1)

static struct addr host(uint8_t family)
{
	return family == 4 ? HOST4 : HOST6;
}

static struct addr hop(uint8_t family)
{
	return family == 4 ? HOP4 : HOP6;
}

/* An IPv4 header around a captured ICMP message. */
static unsigned feed_icmp4(struct bench *bench, const uint8_t *icmp, size_t length)
{
	uint8_t bytes[128] = {0x45, 0, 0, (uint8_t)(20 + length), 0, 0, 0, 0, 64, 1, 0, 0, 0xcb, 0, 0x71, 5,
		0xc6, 0x33, 0x64, 7};
	uint32_t sum = 0;
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	sum = ~((sum >> 16) + (sum & 0xffff));
	bytes[10] = (uint8_t)(sum >> 8);
	bytes[11] = (uint8_t)sum;
	memcpy(bytes + 20, icmp, length);
	return bench_feed(bench, bytes, 20 + length);
}

static void golden_hello(void **state UNUSED)
{
	static const uint8_t hello[12] = {8, 1, 0xf5, 0xf9, 2, 5, 0, 0, 0, 0, 0, 0};
	static const uint8_t answer[12] = {0, 1, 0xfc, 0xf9, 2, 5, 0, 0, 1, 0, 0, 0};
	struct bench bench;
	bench_init(&bench, NULL);
	assert_int_equal(feed_icmp4(&bench, hello, sizeof(hello)), 1);
	assert_int_equal(bench.out.length, 32);
	assert_memory_equal(bench.out.bytes + 20, answer, sizeof(answer));
	assert_int_equal(bench.out.bytes[8], 64);
	assert_true(addr_equal(bench.sent.ip.source, bench.server4));
	assert_true(addr_equal(bench.sent.ip.destination, HOST4));
	bench_deinit(&bench);
}

static void golden_request_and_success(void **state UNUSED)
{
	static const uint8_t request[12] = {8, 1, 0x58, 0xa7, 2, 6, 0, 0, 1, 0x11, 0x9c, 0x40};
	static const uint8_t success[36] = {0, 1, 0x16, 0xfc, 2, 6, 0, 0, 0, 0, 0, 0, [22] = 0xff, 0xff, 0x0a,
		0x63, 5, 1, 0, 0, 0xd7, 0x98, 0, 0, 0, 0};
	struct bench bench;
	uint8_t quote[1500];
	bench_init(&bench, NULL);
	assert_int_equal(feed_icmp4(&bench, request, sizeof(request)), 1);
	/* The probe: UDP to port 40000, one hop, no fragments, the request's id as checksum. */
	assert_int_equal(bench.sent.ip.protocol, PROTOCOL_UDP);
	assert_int_equal(bench.sent.ip.ttl, 1);
	assert_true(bench.sent.ip.dont_fragment);
	assert_int_not_equal(bench.sent.ip.id, 0);
	assert_int_equal(bench.sent.transport.source_port, PORT);
	assert_int_equal(bench.sent.transport.destination_port, 40000);
	assert_int_equal(bench.sent.transport.checksum, 0x0206);
	bench.now_ns += 0xd798; /* 55.2 us */
	struct packet_spec answer = bench_expired(&bench, HOP4, quote, SIZE_MAX);
	assert_int_equal(bench_feed_spec(&bench, &answer), 1);
	assert_int_equal(bench.out.length, 56);
	assert_memory_equal(bench.out.bytes + 20, success, sizeof(success));
	bench_deinit(&bench);
}

static void golden_request_v6(void **state UNUSED)
{
	/* The captured request; its checksum belongs to the captured addresses, so that is left to the
	 * writer. */
	struct bench bench;
	uint8_t quote[1500];
	bench_init(&bench, NULL);
	struct responder_request request = {.ttl = 1, .protocol = 0x11, .flow = 40000};
	assert_int_equal(bench_ask(&bench, HOST6, 0x65, request, 0), 1);
	assert_int_equal(bench.sent.ip.protocol, PROTOCOL_UDP);
	assert_int_equal(bench.sent.transport.checksum, 0x65);
	bench.now_ns += 0xd798;
	struct packet_spec answer = bench_expired(&bench, HOP6, quote, SIZE_MAX);
	assert_int_equal(bench_feed_spec(&bench, &answer), 1);
	assert_int_equal(bench.out.length, 76);
	static const uint8_t hop_and_rtt[24] = {0x20, 1, 0xd, 0xb8, 0, 0x99, [15] = 1, [18] = 0xd7, 0x98};
	assert_int_equal(bench.out.bytes[40], 129);
	assert_int_equal(bench.out.bytes[41], 1);
	assert_int_equal(bench.out.bytes[45], 0x65);
	assert_memory_equal(bench.out.bytes + 52, hop_and_rtt, sizeof(hop_and_rtt));
	bench_deinit(&bench);
}

static void status_of(struct bench *bench, uint8_t want)
{
	uint8_t header = bench->sent.ip.source.family == 4 ? 28 : 48;
	assert_int_equal(bench->out.bytes[header], want);
	assert_int_equal(bench->sent.transport.icmp_kind, ICMP_ECHO_REPLY);
	assert_int_equal(bench->sent.transport.icmp_code, 1);
}

static void statuses(void **state UNUSED)
{
	struct bench bench;
	bench_init(&bench, NULL);
	assert_int_equal(
		bench_ask(&bench, HOST6, 1, (struct responder_request){.ttl = 3, .protocol = 1}, 0), 1);
	status_of(&bench, 2); /* ICMPv4 over IPv6 */
	assert_int_equal(
		bench_ask(&bench, HOST4, 1, (struct responder_request){.ttl = 3, .protocol = 58}, 0), 1);
	status_of(&bench, 2);
	assert_int_equal(
		bench_ask(&bench, HOST4, 1, (struct responder_request){.ttl = 3, .protocol = 132}, 0), 1);
	status_of(&bench, 2);
	/* The extension that asks for a third party's path. */
	uint8_t indirect[36] = {8, 1, 0, 0, 0, 9, 0, 0, 3, 17, 0, 0, 0x20, 0, 0, 0, 0, 16, 5, 0, [30] = 0xff,
		0xff, 1, 2, 3, 4};
	uint32_t sum = 0;
	for (int i = 0; i < 36; i += 2)
		sum += (uint32_t)indirect[i] << 8 | indirect[i + 1];
	sum = ~((sum >> 16) + (sum & 0xffff));
	indirect[2] = (uint8_t)(sum >> 8);
	indirect[3] = (uint8_t)sum;
	assert_int_equal(feed_icmp4(&bench, indirect, sizeof(indirect)), 1);
	status_of(&bench, 4);
	bench_deinit(&bench);
}

static void defaults_of_flow_and_protocol(void **state UNUSED)
{
	struct bench bench;
	bench_init(&bench, NULL);
	bench_ask(&bench, HOST4, 7, (struct responder_request){.ttl = 1, .protocol = 17}, 0);
	assert_int_equal(bench.sent.transport.destination_port, 53);
	bench_ask(&bench, HOST4, 7, (struct responder_request){.ttl = 1, .protocol = 6}, 0);
	assert_int_equal(bench.sent.transport.destination_port, 80);
	assert_int_equal(bench.sent.transport.tcp_flags, TCP_SYN);
	assert_int_equal(bench.sent.transport.tcp_sequence >> 16, 7);
	bench_ask(&bench, HOST4, 7, (struct responder_request){.ttl = 1}, 0);
	assert_int_equal(bench.sent.ip.protocol, PROTOCOL_ICMP);
	assert_int_equal(bench.sent.transport.checksum, 0xbeaf);
	bench_ask(&bench, HOST6, 7, (struct responder_request){.ttl = 1}, 0);
	assert_int_equal(bench.sent.ip.protocol, PROTOCOL_ICMPV6);
	assert_int_equal(bench.sent.transport.checksum, 0xbeaf);
	bench_deinit(&bench);
}

/* What routers hash stays the same whatever the request's id, the hop limit and the time. */
static void flow_is_constant(void **state UNUSED)
{
	static const uint8_t protocols[] = {0, PROTOCOL_UDP, PROTOCOL_TCP};
	struct rng rng = rng_seed(1);
	for (size_t p = 0; p < ARRAY_LEN(protocols); p++) {
		struct bench bench;
		bench_init(&bench, NULL);
		struct transport first = {0};
		for (unsigned i = 0; i < 40; i++) {
			bench.now_ns += (int64_t)rng_below(&rng, NS_PER_S);
			struct responder_request request = {
				.ttl = (uint8_t)(1 + i % 30), .protocol = protocols[p], .flow = 3333};
			assert_int_equal(bench_ask(&bench, HOST4, (uint16_t)rng_u64(&rng), request, 100), 1);
			if (i == 0)
				first = bench.sent.transport;
			assert_int_equal(bench.sent.transport.source_port, first.source_port);
			assert_int_equal(bench.sent.transport.destination_port, first.destination_port);
			assert_int_equal(bench.sent.transport.icmp_id, first.icmp_id);
			if (protocols[p] == 0)
				assert_int_equal(bench.sent.transport.checksum, 3333);
			assert_int_equal(bench.out.length, 44);
		}
		bench_deinit(&bench);
	}
}

/* Ask, let the probe expire after `delay_ns`, quote `quoted` bytes, with one change; how many responses? */
struct change {
	size_t quoted;
	int64_t delay_ns;
	void (*change)(struct packet_spec *answer, uint8_t *quote);
};

static unsigned responses_after(uint8_t family, uint8_t protocol, uint16_t id, const struct change *change)
{
	struct bench bench;
	uint8_t quote[1500];
	bench_init(&bench, NULL);
	assert_int_equal(bench_ask(&bench, host(family), id,
				 (struct responder_request){.ttl = 4, .protocol = protocol}, 140),
		1);
	bench.now_ns += change->delay_ns;
	struct packet_spec answer = bench_expired(&bench, hop(family), quote, change->quoted);
	if (change->change)
		change->change(&answer, quote);
	unsigned count = bench_feed_spec(&bench, &answer);
	if (count) {
		assert_true(addr_equal(bench.sent.ip.destination, host(family)));
		assert_int_equal(bench.sent.transport.icmp_id, id);
	}
	bench_deinit(&bench);
	return count;
}

static void every_id_and_quote_length(void **state UNUSED)
{
	static const uint16_t ids[] = {0, 1, 0x7fff, 0x8000, 0xfffe, 0xffff};
	static const uint8_t protocols[] = {0, PROTOCOL_UDP, PROTOCOL_TCP};
	for (size_t p = 0; p < 3; p++)
		for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
			for (size_t quoted = 20; quoted <= 44; quoted++) {
				struct change change = {.quoted = quoted, .delay_ns = 30 * NS_PER_MS};
				unsigned want = quoted >= 28;
				assert_int_equal(responses_after(4, protocols[p], ids[i], &change), want);
			}
			struct change whole = {.quoted = SIZE_MAX, .delay_ns = NS_PER_S};
			assert_int_equal(responses_after(6, protocols[p], ids[i], &whole), 1);
		}
}

static void other_victim(struct packet_spec *answer UNUSED, uint8_t *quote)
{
	if (quote[0] >> 4 == 4)
		quote[19] ^= 1; /* quoted destination */
	else
		quote[39] ^= 1;
}

static void other_id(struct packet_spec *answer UNUSED, uint8_t *quote)
{
	/* The id in the cookie. */
	quote[(quote[0] >> 4 == 4 ? 20 : 40) + 8] ^= 1;
}

static void other_tag(struct packet_spec *answer UNUSED, uint8_t *quote)
{
	quote[(quote[0] >> 4 == 4 ? 20 : 40) + 16 + 5] ^= 1;
}

static void other_port(struct packet_spec *answer UNUSED, uint8_t *quote)
{
	quote[quote[0] >> 4 == 4 ? 20 : 40] ^= 1;
}

static void other_flow(struct packet_spec *answer UNUSED, uint8_t *quote)
{
	quote[(quote[0] >> 4 == 4 ? 20 : 40) + 3] ^= 1;
}

static void other_acknowledgement(struct packet_spec *answer UNUSED, uint8_t *quote)
{
	quote[(quote[0] >> 4 == 4 ? 20 : 40) + 8] ^= 0x80;
}

static void other_ip_id(struct packet_spec *answer UNUSED, uint8_t *quote)
{
	quote[5] ^= 1;
}

static void reassembly(struct packet_spec *answer, uint8_t *quote UNUSED)
{
	answer->transport.icmp_code = 1; /* fragment reassembly time exceeded */
}

static void forgeries(void **state UNUSED)
{
	static const struct {
		uint8_t protocol;
		void (*change)(struct packet_spec *answer, uint8_t *quote);
		bool v4_only;
	} all[] = {
		{PROTOCOL_UDP, other_victim, false},
		{PROTOCOL_UDP, other_id, false},
		{PROTOCOL_UDP, other_tag, false},
		{PROTOCOL_UDP, other_port, false},
		{PROTOCOL_UDP, other_flow, false},
		{PROTOCOL_UDP, reassembly, false},
		{0, other_victim, false},
		{0, other_id, false},
		{0, other_tag, false},
		{0, reassembly, false},
		{PROTOCOL_TCP, other_victim, false},
		{PROTOCOL_TCP, other_port, false},
		{PROTOCOL_TCP, other_flow, false},
		{PROTOCOL_TCP, other_acknowledgement, false},
		{PROTOCOL_TCP, other_ip_id, true},
	};
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		for (uint8_t family = 4; family <= (all[i].v4_only ? 4 : 6); family += 2) {
			struct change change = {
				.quoted = SIZE_MAX, .delay_ns = NS_PER_MS, .change = all[i].change};
			assert_int_equal(responses_after(family, all[i].protocol, 77, &change), 0);
			change.change = NULL; /* and without the change it is answered */
			assert_int_equal(responses_after(family, all[i].protocol, 77, &change), 1);
		}
}

static void too_old(void **state UNUSED)
{
	static const uint8_t protocols[] = {0, PROTOCOL_UDP, PROTOCOL_TCP};
	for (size_t p = 0; p < 3; p++)
		for (size_t quoted = 28; quoted <= 44; quoted += 16) {
			struct change change = {.quoted = quoted, .delay_ns = 4200 * NS_PER_MS};
			assert_int_equal(responses_after(4, protocols[p], 5, &change), 1);
			change.delay_ns = 4400 * NS_PER_MS;
			assert_int_equal(responses_after(4, protocols[p], 5, &change), 0);
			change.delay_ns = 100 * NS_PER_S;
			if (quoted > 28) /* a stamp comes round again after 17 s */
				assert_int_equal(responses_after(4, protocols[p], 5, &change),
					protocols[p] == PROTOCOL_TCP &&
						(100 * NS_PER_S) % (INT64_C(1) << 34) < INT64_C(1) << 32);
		}
}

/* Eight bytes have room for a fraction of a tag: an invented stamp passes once in four times, no more. */
static void invented_stamps(void **state UNUSED)
{
	struct rng rng = rng_seed(5);
	struct responder_config config = {.key = {3, 4},
		.port = PORT,
		.icmp_prefix = ICMP_BYTE,
		.rate = 10000000,
		.prefix_rate = 10000000};
	struct bench bench;
	uint8_t quote[1500];
	bench_init(&bench, &config);
	bench_ask(&bench, HOST4, 9, (struct responder_request){.ttl = 4, .protocol = PROTOCOL_UDP}, 140);
	struct packet_spec answer = bench_expired(&bench, HOP4, quote, 28);
	unsigned passed = 0;
	for (int i = 0; i < 20000; i++) {
		bench.now_ns += NS_PER_MS;
		uint64_t invented = rng_u64(&rng);
		memcpy(quote + 4, &invented, 2);              /* IPv4 id */
		memcpy(quote + 26, (char *)&invented + 2, 2); /* UDP checksum: the request's id */
		passed += bench_feed_spec(&bench, &answer);
	}
	assert_in_range(passed, 4500, 5500);
	bench_deinit(&bench);
}

/* Direct TCP answers are shorter than responses; forged ones must not make bytes out of nothing. */
static void invented_resets(void **state UNUSED)
{
	struct rng rng = rng_seed(6);
	struct responder_config config = {.key = {3, 4},
		.port = PORT,
		.icmp_prefix = ICMP_BYTE,
		.rate = 10000000,
		.prefix_rate = 10000000};
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct bench bench;
		bench_init(&bench, &config);
		for (int i = 0; i < 20000; i++) {
			bench.now_ns += NS_PER_MS;
			struct packet_spec reset = {
				.ip = {.source = host(family),
					.destination = family == 4 ? bench.server4 : bench.server6,
					.ttl = 60,
					.protocol = PROTOCOL_TCP},
				.transport = {.source_port = 80,
					.destination_port = PORT,
					.tcp_acknowledgement = (uint32_t)rng_u64(&rng),
					.tcp_flags = TCP_RST | TCP_ACK},
			};
			bench_feed_spec(&bench, &reset);
		}
		assert_true(bench.out_bytes < 20000 * (family == 4 ? 40 : 60) / 2);
		bench_deinit(&bench);
	}
}

static void not_for_us(void **state UNUSED)
{
	static const struct responder_request request = {.ttl = 1, .protocol = 17};
	static const uint32_t strangers[] = {0, 0x7f000001, 0xe0000001, 0xffffffff, 0xa9fe0102, 0xc6336407};
	struct bench bench;
	bench_init(&bench, NULL);
	for (size_t i = 0; i < ARRAY_LEN(strangers); i++)
		assert_int_equal(bench_ask(&bench, addr_v4(strangers[i]), 1, request, 0), 0);
	assert_int_equal(bench_ask(&bench, addr_v6(0, 1), 1, request, 0), 0);
	assert_int_equal(bench_ask(&bench, addr_v6(0xff02000000000000, 1), 1, request, 0), 0);
	assert_int_equal(bench_ask(&bench, bench.server6, 1, request, 0), 0);
	bench.server4 = addr_v4(0xffffffff); /* to everybody on the link */
	assert_int_equal(bench_ask(&bench, HOST4, 1, request, 0), 0);
	bench.server4 = addr_v4(0xc6336408); /* to somebody else, whom we forward for */
	assert_int_equal(bench_ask(&bench, HOST4, 1, request, 0), 0);
	bench_deinit(&bench);
}

static void malformed(void **state UNUSED)
{
	static const uint8_t request[12] = {8, 1, 0x58, 0xa7, 2, 6, 0, 0, 1, 0x11, 0x9c, 0x40};
	struct bench bench;
	bench_init(&bench, NULL);
	for (size_t length = 0; length < sizeof(request); length++)
		assert_int_equal(feed_icmp4(&bench, request, length), 0);
	uint8_t ping[12];
	memcpy(ping, request, sizeof(ping));
	ping[1] = 0; /* an ordinary echo request, with its checksum */
	ping[2] = 0x58;
	ping[3] = 0xa8;
	assert_int_equal(feed_icmp4(&bench, ping, sizeof(ping)), 0);
	bench_deinit(&bench);
}

static void only_those_allowed(void **state UNUSED)
{
	struct prefix allowed;
	assert_true(prefix_parse("203.0.113.0/24", &allowed));
	struct responder_config config = {
		.key = {3, 4}, .port = PORT, .icmp_prefix = ICMP_BYTE, .allow = &allowed, .allow_count = 1};
	struct bench bench;
	bench_init(&bench, &config);
	assert_int_equal(bench_ask(&bench, HOST4, 1, (struct responder_request){0}, 0), 1);
	assert_int_equal(bench_ask(&bench, addr_v4(0xcb007205), 1, (struct responder_request){0}, 0), 0);
	assert_int_equal(bench_ask(&bench, HOST6, 1, (struct responder_request){0}, 0), 0);
	assert_int_equal(responder_counters(bench.responder).refused_allow, 2);
	bench_deinit(&bench);
}

/* Damaged requests and answers: nothing breaks, and whatever leaves goes to the requester or the damaged source. */
static void damaged(void **state UNUSED)
{
	static const uint8_t protocols[] = {0, PROTOCOL_UDP, PROTOCOL_TCP};
	struct rng rng = rng_seed(21);
	struct bench bench;
	uint8_t quote[1500], bytes[1500];
	bench_init(&bench, NULL);
	for (int i = 0; i < 30000; i++) {
		uint8_t family = i % 2 ? 4 : 6;
		struct responder_request request = {.ttl = 4, .protocol = protocols[i % 3], .flow = (uint16_t)i};
		bench.now_ns += 100 * NS_PER_MS;
		if (bench_ask(&bench, host(family), (uint16_t)i, request, 140) != 1)
			continue;
		struct packet_spec answer = bench_expired(&bench, hop(family), quote, 20 + rng_below(&rng, 80));
		struct writer writer = writer_init(bytes, sizeof(bytes));
		assert_int_equal(packet_write(&writer, &answer), 0);
		for (uint64_t changes = rng_below(&rng, 4); changes > 0; changes--)
			bytes[rng_below(&rng, writer.length)] ^= (uint8_t)(1 << rng_below(&rng, 8));
		size_t length = rng_below(&rng, 4) ? writer.length : rng_below(&rng, writer.length + 1);
		/* On the heap, where a sanitizer sees every byte too many. */
		uint8_t *copy = malloc(length ? length : 1);
		memcpy(copy, bytes, length);
		if (bench_feed(&bench, copy, length))
			assert_true(addr_equal(bench.sent.ip.destination, host(family)));
		free(copy);
	}
	bench_deinit(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_hello),
		cmocka_unit_test(golden_request_and_success),
		cmocka_unit_test(golden_request_v6),
		cmocka_unit_test(statuses),
		cmocka_unit_test(defaults_of_flow_and_protocol),
		cmocka_unit_test(flow_is_constant),
		cmocka_unit_test(every_id_and_quote_length),
		cmocka_unit_test(forgeries),
		cmocka_unit_test(too_old),
		cmocka_unit_test(invented_stamps),
		cmocka_unit_test(invented_resets),
		cmocka_unit_test(not_for_us),
		cmocka_unit_test(malformed),
		cmocka_unit_test(only_those_allowed),
		cmocka_unit_test(damaged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
