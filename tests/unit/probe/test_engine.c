/* The engine against replies built from its own probes the way RFC 792 and RFC 4443 say routers build them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
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
		.ip_protocol = 253, /* for experiments, RFC 3692 */
		.flow = {.source_port = 50000, .destination_port = 33434, .flow_label = 0x12345, .icmp_id = 77, .icmp_checksum = 0xbeef},
		.key = key,
	};
	return c;
}

static void start(enum probe_protocol protocol, uint8_t family)
{
	struct engine_config c = config(protocol, family);
	engine_deinit(&engine);
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
		assert_int_equal(engine_probe(&engine, &(struct probe_request){.ttl = ttl, .user = ttl}, 0, &out), 0);
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
	assert_int_equal(engine_probe(&engine, &(struct probe_request){.ttl = 3, .user = 30}, 1000, &a), 0);
	assert_int_equal(engine_probe(&engine, &(struct probe_request){.ttl = 4, .user = 40}, 2000, &b), 0);
	engine_sent(&engine, b.token, 2500);
	struct packet p = time_exceeded(&b, short_quote ? header + 8 : b.length, router(), buffer, sizeof(buffer));
	assert_true(engine_match(&engine, 9500, &p, &reply));
	assert_int_equal(reply.user, 40);
	assert_int_equal(reply.ttl, 4);
	assert_int_equal(reply.rtt_ns, 7000);
	assert_int_equal(reply.kind, ICMP_TIME_EXCEEDED);
	assert_int_equal(reply.header.ttl, 250);
	assert_int_equal(reply.quoted.ttl, 4);
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
			for (enum probe_protocol protocol = PROBE_ICMP; protocol <= PROBE_IP; protocol++)
				matches(protocol, family, short_quote);
		}
}

/* What a host answers to a SYN (RFC 9293 3.10.7): SYN+ACK from an open port, RST+ACK from a closed one. */
static struct packet tcp_answer(const struct packet *probe, uint8_t flags, uint32_t acknowledgement, uint8_t *buffer)
{
	struct packet_spec spec = {
		.ip = {.source = probe->ip.destination, .destination = probe->ip.source, .ttl = 60,
			.protocol = PROTOCOL_TCP},
		.transport = {
			.source_port = probe->transport.destination_port,
			.destination_port = probe->transport.source_port,
			.tcp_flags = flags,
			.tcp_acknowledgement = acknowledgement,
		},
	};
	struct writer writer = writer_init(buffer, 100);
	assert_int_equal(packet_write(&writer, &spec), 0);
	return read_bytes(buffer, writer.length);
}

static void test_tcp_answers(void **state)
{
	(void)state;
	static const uint8_t flags[] = {TCP_SYN | TCP_ACK, TCP_RST | TCP_ACK};
	for (uint8_t family = 4; family <= 6; family += 2)
		for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
			struct outgoing out;
			struct reply reply;
			uint8_t buffer[100];
			start(PROBE_TCP, family);
			assert_int_equal(engine_probe(&engine, &(struct probe_request){.ttl = 9, .user = 9}, 0, &out), 0);
			struct packet probe = read_bytes(out.bytes, out.length);
			assert_int_equal(probe.transport.tcp_flags, TCP_SYN);
			assert_int_equal(probe.transport.payload_length, 0);
			struct packet wrong = tcp_answer(&probe, flags[i], probe.transport.tcp_sequence + 0x10001, buffer);
			assert_false(engine_match(&engine, 1, &wrong, &reply));
			wrong = tcp_answer(&probe, flags[i], probe.transport.tcp_sequence, buffer);
			assert_false(engine_match(&engine, 1, &wrong, &reply));
			struct packet p = tcp_answer(&probe, flags[i], probe.transport.tcp_sequence + 1, buffer);
			assert_true(engine_match(&engine, 1, &p, &reply));
			assert_true(reply.reached);
			assert_int_equal(reply.tcp_flags, flags[i]);
			assert_int_equal(reply.icmp_type, -1);
			assert_int_equal(reply.quoted.ttl, -1);
		}
}

/* RFC 9293 3.10.7.1: an ACK out of nowhere is reset without one, with the number that it acknowledged. */
static void test_tcp_reset_of_an_ack(void **state)
{
	(void)state;
	struct engine_config c = config(PROBE_TCP, 4);
	struct outgoing out;
	struct reply reply;
	uint8_t buffer[100];
	c.tcp_flags = TCP_ACK;
	engine_deinit(&engine);
	engine_init(&engine, &c);
	assert_int_equal(engine_probe(&engine, &(struct probe_request){.ttl = 9, .user = 9}, 0, &out), 0);
	struct packet probe = read_bytes(out.bytes, out.length);
	struct packet wrong = tcp_answer(&probe, TCP_RST, 0, buffer);
	wrong.transport.tcp_sequence = probe.transport.tcp_acknowledgement + 0x10000;
	assert_false(engine_match(&engine, 1, &wrong, &reply));
	struct packet right = tcp_answer(&probe, TCP_RST, 0, buffer);
	right.transport.tcp_sequence = probe.transport.tcp_acknowledgement;
	assert_true(engine_match(&engine, 1, &right, &reply));
	assert_true(reply.reached);
	assert_int_equal(reply.tcp_flags, TCP_RST);
}

/* Other flows are matched as well, and not confused. */
static void test_flows_of_requests(void **state)
{
	(void)state;
	for (enum probe_protocol protocol = PROBE_ICMP; protocol <= PROBE_UDPLITE; protocol++) {
		struct outgoing out;
		struct reply reply;
		uint8_t buffer[2000];
		start(protocol, 4);
		struct flow flow = engine.config.flow;
		flow.source_port = 50123;
		flow.icmp_checksum = 0x1234;
		struct probe_request request = {.ttl = 2, .user = 7, .flow = &flow};
		assert_int_equal(engine_probe(&engine, &request, 0, &out), 0);
		struct packet sent = read_bytes(out.bytes, out.length);
		assert_true(sent.checksum_ok);
		if (protocol == PROBE_ICMP)
			assert_int_equal(sent.transport.checksum, 0x1234);
		else
			assert_int_equal(sent.transport.source_port, 50123);
		struct packet p = time_exceeded(&out, 28, router(), buffer, sizeof(buffer));
		assert_true(engine_match(&engine, 5, &p, &reply));
		assert_int_equal(reply.user, 7);
		assert_false(reply.quoted.checksum_changed);
	}
}

static void test_sizes(void **state)
{
	(void)state;
	for (enum probe_protocol protocol = PROBE_ICMP; protocol <= PROBE_IP; protocol++)
		for (uint8_t family = 4; family <= 6; family += 2) {
			struct outgoing out;
			start(protocol, family);
			uint16_t least = engine_size_min(&engine.config);
			struct probe_request request = {.ttl = 1, .size = (uint16_t)(least - 1)};
			assert_int_equal(engine_probe(&engine, &request, 0, &out), -EINVAL);
			static const uint16_t sizes[] = {100, 101, 1500, 1501, OUTGOING_SIZE_MAX};
			for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
				request.size = sizes[i];
				request.dont_fragment = true;
				assert_int_equal(engine_probe(&engine, &request, 0, &out), 0);
				struct packet p = read_bytes(out.bytes, out.length);
				assert_int_equal(out.length, sizes[i]);
				assert_true(p.checksum_ok);
				assert_int_equal(p.ip.dont_fragment, family == 4);
			}
			request.size = OUTGOING_SIZE_MAX + 1;
			assert_int_equal(engine_probe(&engine, &request, 0, &out), -EINVAL);
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
	assert_int_equal(engine_probe(&engine, &(struct probe_request){.ttl = 3, .user = 3}, 0, &mine), 0);
	assert_int_equal(engine_probe(stranger, &(struct probe_request){.ttl = 3, .user = 3}, 0, &forged), 0);
	struct packet p = time_exceeded(&forged, forged.length, router4, buffer, sizeof(buffer));
	assert_false(engine_match(&engine, 10, &p, &reply));
	p = time_exceeded(&forged, 28, router4, buffer, sizeof(buffer));
	assert_false(engine_match(&engine, 10, &p, &reply));
	assert_int_equal(engine.foreign, 2);
	/* and the true answer still counts */
	p = time_exceeded(&mine, mine.length, router4, buffer, sizeof(buffer));
	assert_true(engine_match(&engine, 10, &p, &reply));
	engine_deinit(stranger);
	free(stranger);
}

static void test_other_programs_are_refused(void **state)
{
	(void)state;
	struct outgoing mine, other;
	uint8_t buffer[2000], payload[16] = {0};
	struct reply reply;
	start(PROBE_UDP, 4);
	assert_int_equal(engine_probe(&engine, &(struct probe_request){.ttl = 3, .user = 3}, 0, &mine), 0);
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
	assert_int_equal(engine_probe(&engine, &(struct probe_request){.ttl = 1, .user = 1}, 0, &first), 0);
	for (int i = 0; i < ENGINE_SLOTS; i++)
		assert_int_equal(engine_probe(&engine, &(struct probe_request){.ttl = 2, .user = 2}, 0, &out), 0);
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
	assert_int_equal(engine_probe(&engine, &(struct probe_request){.ttl = 5, .user = 50}, 0, &out), 0);
	struct packet sent = read_bytes(out.bytes, out.length);
	struct packet p = {
		.ip = {.source = router4, .protocol = PROTOCOL_ICMP},
		.has_quote = true,
		.transport = {.icmp_kind = ICMP_UNREACHABLE, .icmp_type = 3, .icmp_code = 3},
		.quoted_ip = {.destination = engine.config.destination, .protocol = PROTOCOL_UDP},
		.quoted = {.payload = sent.transport.payload, .payload_length = sent.transport.payload_length},
	};
	assert_true(engine_match(&engine, 10, &p, &reply));
	assert_int_equal(reply.quoted.ttl, -1);
	assert_int_equal(reply.header.ttl, -1);
	assert_true(reply.reached);
}

/* The answer of whoever listens on the port: its bytes are `payload`. */
static struct packet served(const struct outgoing *probe, const uint8_t *payload, size_t length, uint8_t *buffer,
	size_t size)
{
	struct packet p = read_bytes(probe->bytes, probe->length);
	struct packet_spec spec = {
		.ip = {.source = p.ip.destination, .destination = p.ip.source, .ttl = 60, .protocol = p.ip.protocol, .id = 3},
		.transport = {.source_port = p.transport.destination_port, .destination_port = p.transport.source_port,
			.payload = payload, .payload_length = length},
	};
	struct writer writer = writer_init(buffer, size);
	assert_int_equal(packet_write(&writer, &spec), 0);
	return read_bytes(buffer, writer.length);
}

static void start_dns(uint8_t family)
{
	struct engine_config c = config(PROBE_UDP, family);
	c.dns = true;
	engine_deinit(&engine);
	engine_init(&engine, &c);
}

/* RFC 1035 4.1, RFC 6891 6.1.2: a question for the name servers of the root with an OPT record, byte by byte; and
 * the checksum carries the token all the same. */
static void test_dns_question(void **state)
{
	(void)state;
	static const uint8_t question[] = {0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 1, /* flags, counts */
		0, 0, 2, 0, 1, /* ".", NS, IN */
		0, 0, 41, 2, 0, 0, 0, 0, 0, 0, 16, /* ".", OPT, 512 bytes, no flags, 16 bytes of data */
		0xfd, 0xe9, 0, 12}; /* option 65001, 12 bytes */
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct outgoing out;
		start_dns(family);
		assert_int_equal(engine_probe(&engine, &(struct probe_request){.ttl = 5}, 0, &out), 0);
		struct packet p = read_bytes(out.bytes, out.length);
		assert_true(p.checksum_ok);
		assert_int_equal(p.transport.checksum, out.token);
		assert_int_equal(p.transport.payload_length, 44);
		assert_int_equal(p.transport.payload[0] << 8 | p.transport.payload[1], out.token);
		assert_memory_equal(p.transport.payload + 2, question, sizeof(question));
	}
}

/* A name server answers with our number and little else. */
static void test_dns_answer(void **state)
{
	(void)state;
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct outgoing a, b;
		struct reply reply;
		uint8_t buffer[200];
		start_dns(family);
		assert_int_equal(engine_probe(&engine, &(struct probe_request){.ttl = 5, .user = 5}, 0, &a), 0);
		assert_int_equal(engine_probe(&engine, &(struct probe_request){.ttl = 6, .user = 6}, 0, &b), 0);
		uint8_t refused[12] = {(uint8_t)(b.token >> 8), (uint8_t)b.token, 0x81, 0x05};
		struct packet p = served(&b, refused, sizeof(refused), buffer, sizeof(buffer));
		assert_true(engine_match(&engine, 100, &p, &reply));
		assert_int_equal(reply.user, 6);
		assert_true(reply.reached);
		assert_int_equal(reply.icmp_type, -1);
		refused[1] ^= 0x40; /* nobody asked that */
		p = served(&a, refused, sizeof(refused), buffer, sizeof(buffer));
		assert_false(engine_match(&engine, 100, &p, &reply));
		p = time_exceeded(&a, a.length, router(), buffer, sizeof(buffer));
		assert_true(engine_match(&engine, 100, &p, &reply));
		assert_int_equal(reply.user, 5);
	}
}

/* A service on the probed port: it echoes, or it says something of its own when only one probe can be meant. */
static void test_service_answers(void **state)
{
	(void)state;
	struct outgoing a, b;
	struct reply reply;
	uint8_t buffer[200];
	static const uint8_t words[] = "Sun Nov 22";
	start(PROBE_UDP, 4);
	assert_int_equal(engine_probe(&engine, &(struct probe_request){.ttl = 5, .user = 5}, 0, &a), 0);
	assert_int_equal(engine_probe(&engine, &(struct probe_request){.ttl = 6, .user = 6}, 0, &b), 0);
	struct packet p = served(&a, words, sizeof(words), buffer, sizeof(buffer));
	assert_false(engine_match(&engine, 100, &p, &reply)); /* to which of the two? */
	struct packet sent = read_bytes(b.bytes, b.length);
	p = served(&b, sent.transport.payload, sent.transport.payload_length, buffer, sizeof(buffer));
	assert_true(engine_match(&engine, 100, &p, &reply));
	assert_int_equal(reply.user, 6);
	assert_true(reply.reached);
	p = served(&a, words, sizeof(words), buffer, sizeof(buffer));
	assert_true(engine_match(&engine, 100, &p, &reply)); /* the other one is answered */
	assert_int_equal(reply.user, 5);
	/* From somewhere else it is no answer. */
	start(PROBE_UDP, 4);
	assert_int_equal(engine_probe(&engine, &(struct probe_request){.ttl = 5, .user = 5}, 0, &a), 0);
	p = served(&a, words, sizeof(words), buffer, sizeof(buffer));
	p.ip.source = router4;
	assert_false(engine_match(&engine, 100, &p, &reply));
}

/* Room comes as it is needed: a short trace holds little, and all of a long burst can still be matched. */
static void test_slots_grow(void **state)
{
	(void)state;
	static struct outgoing sent[1000];
	struct reply reply;
	uint8_t buffer[200];
	start(PROBE_UDP, 4);
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(engine_probe(&engine, &(struct probe_request){.ttl = 9, .user = i}, 0, &sent[i]), 0);
		assert_true(engine.slot_count <= MAX(32u, 2 * (i + 1)));
	}
	for (uint32_t i = 0; i < 1000; i++) {
		struct packet p = time_exceeded(&sent[i], sent[i].length, router4, buffer, sizeof(buffer));
		assert_true(engine_match(&engine, 100, &p, &reply));
		assert_int_equal(reply.user, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flow_is_constant),
		cmocka_unit_test(test_replies_match),
		cmocka_unit_test(test_tcp_answers),
		cmocka_unit_test(test_tcp_reset_of_an_ack),
		cmocka_unit_test(test_flows_of_requests),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_forgeries_are_refused),
		cmocka_unit_test(test_other_programs_are_refused),
		cmocka_unit_test(test_recycled_tokens),
		cmocka_unit_test(test_error_queue_reply),
		cmocka_unit_test(test_dns_question),
		cmocka_unit_test(test_dns_answer),
		cmocka_unit_test(test_service_answers),
		cmocka_unit_test(test_slots_grow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
