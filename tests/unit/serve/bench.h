/* A responder on the bench: bytes go in, bytes come out. */
#ifndef RETOUR_TESTS_BENCH_H
#define RETOUR_TESTS_BENCH_H

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "packet/packet.h"
#include "packet/responder.h"
#include "serve/responder.h"

#define PORT      54321
#define ICMP_BYTE 0x5a
#define START_NS  (1000 * NS_PER_S)

struct bench {
	struct responder *responder;
	struct machine machine;
	struct addr server4, server6;
	int64_t now_ns;
	struct outgoing out; /* the last packet that left */
	struct packet sent;  /* the same, read */
	unsigned out_count;
	size_t out_bytes;
};

static inline void bench_init(struct bench *bench, const struct responder_config *config)
{
	static const struct responder_config plain = {.key = {3, 4}, .port = PORT, .icmp_prefix = ICMP_BYTE};
	*bench = (struct bench){
		.responder = responder_new(config ? config : &plain),
		.server4 = addr_v4(0xc6336407),
		.server6 = addr_v6(0x20010db800020000, 7),
		.now_ns = START_NS,
	};
	struct addr own[2] = {bench->server4, bench->server6};
	if (!bench->responder || responder_set_addresses(bench->responder, own, 2))
		abort();
	bench->machine = responder_machine(bench->responder);
}

static inline void bench_deinit(struct bench *bench)
{
	responder_free(bench->responder);
}

/* How many packets leave on these bytes. */
static inline unsigned bench_feed(struct bench *bench, const uint8_t *bytes, size_t length)
{
	struct packet packet;
	int64_t wake_ns;
	unsigned count = 0;
	if (packet_read(bytes, length, &packet) == 0)
		bench->machine.ops->packet(bench->machine.self, bench->now_ns, &packet);
	while (bench->machine.ops->next(bench->machine.self, bench->now_ns, &bench->out, &wake_ns) ==
		MACHINE_SEND) {
		if (packet_read(bench->out.bytes, bench->out.length, &bench->sent) ||
			!bench->sent.checksum_ok)
			abort();
		count++;
		bench->out_count++;
		bench->out_bytes += bench->out.length;
	}
	return count;
}

static inline unsigned bench_feed_spec(struct bench *bench, const struct packet_spec *spec)
{
	uint8_t bytes[1500];
	struct writer writer = writer_init(bytes, sizeof(bytes));
	if (packet_write(&writer, spec))
		abort();
	return bench_feed(bench, bytes, writer.length);
}

/* `size` is that of the whole IP packet; 0 = unpadded. */
static inline unsigned bench_ask(
	struct bench *bench, struct addr from, uint16_t id, struct responder_request request, size_t size)
{
	bool v4 = from.family == 4;
	size_t least = (v4 ? 20u : 40u) + 8 + RESPONDER_REQUEST_BODY;
	uint8_t body[1024];
	struct writer writer = writer_init(body, sizeof(body));
	request.padding = (uint16_t)(size > least ? size - least
			: request.cookie          ? RESPONDER_COOKIE_BLOCK
						  : 0);
	responder_request_write(&writer, &request);
	struct packet_spec spec = {
		.ip =
			{
				.source = from,
				.destination = v4 ? bench->server4 : bench->server6,
				.ttl = 60,
				.protocol = v4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6,
			},
		.transport =
			{
				.icmp_kind = ICMP_ECHO_REQUEST,
				.icmp_type = v4 ? (uint8_t)ICMP4_ECHO_REQUEST : (uint8_t)ICMP6_ECHO_REQUEST,
				.icmp_code = 1,
				.icmp_id = id,
				.payload = body,
				.payload_length = writer.length,
			},
	};
	return bench_feed_spec(bench, &spec);
}

/* A router's "time exceeded" about the packet that left last. */
static inline struct packet_spec bench_expired(
	const struct bench *bench, struct addr router, uint8_t *quote, size_t quoted)
{
	bool v4 = router.family == 4;
	memcpy(quote, bench->out.bytes, bench->out.length);
	return (struct packet_spec){
		.ip =
			{
				.source = router,
				.destination = bench->sent.ip.source,
				.ttl = 60,
				.protocol = v4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6,
			},
		.transport =
			{
				.icmp_kind = ICMP_TIME_EXCEEDED,
				.icmp_type = v4 ? (uint8_t)ICMP4_TIME_EXCEEDED : (uint8_t)ICMP6_TIME_EXCEEDED,
				.payload = quote,
				.payload_length = MIN(quoted, bench->out.length),
			},
	};
}

#endif
