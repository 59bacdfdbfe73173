/* The engine against replies built from its own probes the way RFC 792 and RFC 4443 say routers build them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "probe/engine.h"

static const struct hash_key key = {1, 2};
static struct engine engine;

static struct engine_config config(enum probe_protocol protocol, uint8_t family)
{
	struct engine_config c = {
		.protocol = protocol,
		.source = family == 4 ? addr_v4(0xc0000201) : addr_v6(0x20010db800000000, 1),
		.destination = family == 4 ? addr_v4(0xc6336401) : addr_v6(0x20010db800000001, 2),
		.flow = {.source_port = 50000, .destination_port = 33434, .flow_label = 0x12345, .icmp_id = 77, .icmp_checksum = 0xbeef},
		.key = key,
	};
	return c;
}

static void start(enum probe_protocol protocol, uint8_t family)
{
	struct engine_config c = config(protocol, family);
	engine_init(&engine, &c);
}

static struct packet read_bytes(const uint8_t *bytes, size_t length)
{
	struct packet packet;
	assert_int_equal(packet_read(bytes, length, &packet), 0);
	return packet;
}

/* A router's time exceeded quoting `quoted` bytes of the probe. */
static struct packet time_exceeded(const struct outgoing *probe, size_t quoted, struct addr router, uint8_t *buffer, size_t size)
{
	struct addr source = engine.config.source;
	struct packet_spec spec = {
		.ip = {.source = router, .destination = source, .ttl = 250,
			.protocol = source.family == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6, .id = 9},
		.transport = {.icmp_type = source.family == 4 ? ICMP4_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED,
			.payload = probe->bytes, .payload_length = quoted},
	};
	struct writer writer = writer_init(buffer, size);
	assert_int_equal(packet_write(&writer, &spec), 0);
	return read_bytes(buffer, writer.length);
}

static const struct addr router4 = {.low = 0xcb007101, .family = 4};
static const struct addr router6 = {.high = 0x20010db8000000ff, .low = 1, .family = 6};

static struct addr router(void)
{
	return engine.config.source.family == 4 ? router4 : router6;
}

static void one_flow(enum probe_protocol protocol, uint8_t family)
{
	uint16_t checksum = 0;
	start(protocol, family);
	for (uint8_t ttl = 1; ttl < 40; ttl++) {
		struct outgoing out;
		assert_int_equal(engine_probe(&engine, ttl, ttl, 0, &out), 0);
		struct packet p = read_bytes(out.bytes, out.length);
		assert_true(p.checksum_ok);
		assert_int_equal(p.ip.ttl, ttl);
		assert_int_equal(p.ip.flow_label, family == 6 ? 0x12345 : 0);
		if (protocol == PROBE_UDP) {
			assert_int_equal(p.transport.source_port, 50000);
			assert_int_equal(p.transport.destination_port, 33434);
			assert_int_equal(p.transport.checksum, out.token);
		} else {
			assert_int_equal(p.transport.icmp_id, 77);
			assert_int_equal(p.transport.checksum, 0xbeef);
			assert_int_equal(p.transport.icmp_seq, out.token);
		}
		checksum = p.transport.checksum;
	}
	assert_int_not_equal(checksum, 0);
}

static void test_flow_is_constant(void **state)
{
	(void)state;
	one_flow(PROBE_UDP, 4);
	one_flow(PROBE_UDP, 6);
	one_flow(PROBE_ICMP, 4);
	one_flow(PROBE_ICMP, 6);
}

static void matches(enum probe_protocol protocol, uint8_t family, bool short_quote)
{
	struct outgoing a, b;
	uint8_t buffer[2000];
	struct reply reply;
	size_t header = family == 4 ? 20 : 40;
	start(protocol, family);
	assert_int_equal(engine_probe(&engine, 3, 30, 1000, &a), 0);
	assert_int_equal(engine_probe(&engine, 4, 40, 2000, &b), 0);
	engine_sent(&engine, b.token, 2500);
	struct packet p = time_exceeded(&b, short_quote ? header + 8 : b.length, router(), buffer, sizeof(buffer));
	assert_true(engine_match(&engine, 9500, &p, &reply));
	assert_int_equal(reply.user, 40);
	assert_int_equal(reply.ttl, 4);
	assert_int_equal(reply.rtt_ns, 7000);
	assert_int_equal(reply.kind, ICMP_TIME_EXCEEDED);
	assert_int_equal(reply.reply_ttl, 250);
	assert_int_equal(reply.quoted_ttl, 4);
	assert_false(reply.reached);
	assert_true(addr_equal(reply.from, router()));
	/* The same answer again is a duplicate. */
	assert_false(engine_match(&engine, 9600, &p, &reply));
	assert_int_equal(engine.late_or_duplicate, 1);
	p = time_exceeded(&a, a.length, router(), buffer, sizeof(buffer));
	assert_true(engine_match(&engine, 9700, &p, &reply));
	assert_int_equal(reply.user, 30);
}

static void test_replies_match(void **state)
{
	(void)state;
	for (uint8_t family = 4; family <= 6; family += 2)
		for (int short_quote = 0; short_quote < 2; short_quote++) {
			matches(PROBE_UDP, family, short_quote);
			matches(PROBE_ICMP, family, short_quote);
		}
}

/* A forger who knows addresses and ports but not the key. */
static void test_forgeries_are_refused(void **state)
{
	(void)state;
	struct engine_config c = config(PROBE_UDP, 4);
	struct engine *stranger = malloc(sizeof(*stranger));
	uint8_t buffer[2000];
	struct outgoing mine, forged;
	struct reply reply;
	start(PROBE_UDP, 4);
	c.key.k0 = 99;
	engine_init(stranger, &c);
	assert_int_equal(engine_probe(&engine, 3, 3, 0, &mine), 0);
	assert_int_equal(engine_probe(stranger, 3, 3, 0, &forged), 0);
	struct packet p = time_exceeded(&forged, forged.length, router4, buffer, sizeof(buffer));
	assert_false(engine_match(&engine, 10, &p, &reply));
	p = time_exceeded(&forged, 28, router4, buffer, sizeof(buffer));
	assert_false(engine_match(&engine, 10, &p, &reply));
	assert_int_equal(engine.foreign, 2);
	/* and the true answer still counts */
	p = time_exceeded(&mine, mine.length, router4, buffer, sizeof(buffer));
	assert_true(engine_match(&engine, 10, &p, &reply));
	free(stranger);
}

static void test_other_programs_are_refused(void **state)
{
	(void)state;
	struct outgoing mine, other;
	uint8_t buffer[2000], payload[16] = {0};
	struct reply reply;
	start(PROBE_UDP, 4);
	assert_int_equal(engine_probe(&engine, 3, 3, 0, &mine), 0);
	/* traceroute towards the same host, even from our port */
	struct packet_spec spec = {
		.ip = {.source = engine.config.source, .destination = engine.config.destination, .ttl = 1, .protocol = PROTOCOL_UDP, .id = 5},
		.transport = {.source_port = 50000, .destination_port = 33434, .payload = payload, .payload_length = 16},
	};
	struct writer writer = writer_init(other.bytes, sizeof(other.bytes));
	assert_int_equal(packet_write(&writer, &spec), 0);
	other.length = writer.length;
	struct packet p = time_exceeded(&other, other.length, router4, buffer, sizeof(buffer));
	assert_false(engine_match(&engine, 10, &p, &reply));
}

/* A token stays matched until 4096 younger probes have been sent; after that it must not match a stranger. */
static void test_recycled_tokens(void **state)
{
	(void)state;
	struct outgoing first, out;
	uint8_t buffer[2000];
	struct reply reply;
	start(PROBE_UDP, 4);
	assert_int_equal(engine_probe(&engine, 1, 1, 0, &first), 0);
	for (int i = 0; i < ENGINE_SLOTS; i++)
		assert_int_equal(engine_probe(&engine, 2, 2, 0, &out), 0);
	struct packet p = time_exceeded(&first, first.length, router4, buffer, sizeof(buffer));
	assert_false(engine_match(&engine, 10, &p, &reply));
}

/* What an unprivileged socket hands over: no IP header of the quote, no ICMP bytes. */
static void test_error_queue_reply(void **state)
{
	(void)state;
	struct outgoing out;
	struct reply reply;
	start(PROBE_UDP, 4);
	assert_int_equal(engine_probe(&engine, 5, 50, 0, &out), 0);
	struct packet sent = read_bytes(out.bytes, out.length);
	struct packet p = {
		.ip = {.source = router4, .protocol = PROTOCOL_ICMP},
		.has_quote = true,
		.transport = {.icmp_kind = ICMP_UNREACHABLE, .icmp_type = 3, .icmp_code = 3},
		.quoted_ip = {.destination = engine.config.destination, .protocol = PROTOCOL_UDP},
		.quoted = {.payload = sent.transport.payload, .payload_length = sent.transport.payload_length},
	};
	assert_true(engine_match(&engine, 10, &p, &reply));
	assert_int_equal(reply.quoted_ttl, -1);
	assert_int_equal(reply.reply_ttl, -1);
	assert_true(reply.reached);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flow_is_constant),
		cmocka_unit_test(test_replies_match),
		cmocka_unit_test(test_forgeries_are_refused),
		cmocka_unit_test(test_other_programs_are_refused),
		cmocka_unit_test(test_recycled_tokens),
		cmocka_unit_test(test_error_queue_reply),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
