/* A machine made by hand: it sends packets at times that the test chose, and keeps what comes back. */
#ifndef RETOUR_TESTS_SCENARIO_PROBER_H
#define RETOUR_TESTS_SCENARIO_PROBER_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "sim/sim.h"

#define PROBES_MAX     256
#define PROBE_PORT     33434
#define PROBER_WAIT_NS (5 * NS_PER_S)

struct probe {
	int64_t at_ns;
	size_t length;
	uint8_t bytes[300];
	int answers;
	int64_t sent_ns, answered_ns;
	struct packet answer; /* the last; its payload is gone */
};

struct prober {
	struct probe probes[PROBES_MAX];
	unsigned count, next;
	unsigned strays; /* packets that answer no probe */
	int64_t ends_ns;
};

static inline enum machine_want prober_next(
	void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct prober *prober = self;
	if (prober->next < prober->count && prober->probes[prober->next].at_ns <= now_ns) {
		const struct probe *probe = &prober->probes[prober->next];
		outgoing->token = prober->next++;
		outgoing->length = probe->length;
		memcpy(outgoing->bytes, probe->bytes, probe->length);
		prober->ends_ns = now_ns + PROBER_WAIT_NS;
		return MACHINE_SEND;
	}
	if (prober->next == prober->count && now_ns >= prober->ends_ns)
		return MACHINE_DONE;
	*wake_ns = prober->next < prober->count ? prober->probes[prober->next].at_ns : prober->ends_ns;
	return MACHINE_WAIT;
}

static inline void prober_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct prober *prober = self;
	assert_int_equal(error, 0);
	prober->probes[token].sent_ns = sent_ns;
}

/* Probes are told apart by their length, which survives in every quote: 8 bytes of UDP header are enough. */
static inline struct probe *prober_find(struct prober *prober, const struct packet *packet)
{
	for (unsigned i = 0; i < prober->next; i++) {
		struct packet sent;
		assert_int_equal(packet_read(prober->probes[i].bytes, prober->probes[i].length, &sent), 0);
		bool match = packet->has_quote ? packet->quoted_ip.total_length == sent.ip.total_length &&
				packet->quoted_ip.protocol == sent.ip.protocol
			: packet->transport.icmp_kind == ICMP_ECHO_REPLY
			? packet->transport.icmp_seq == sent.transport.icmp_seq &&
				packet->transport.icmp_code == sent.transport.icmp_code
			: packet->ip.protocol == PROTOCOL_TCP &&
				packet->transport.destination_port == sent.transport.source_port;
		if (match)
			return &prober->probes[i];
	}
	return NULL;
}

static inline void prober_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct prober *prober = self;
	struct probe *probe = prober_find(prober, packet);
	if (!probe) {
		prober->strays++;
		return;
	}
	probe->answers++;
	probe->answered_ns = received_ns;
	probe->answer = *packet;
	probe->answer.transport.payload = NULL;
}

static const struct machine_ops prober_ops = {prober_next, prober_sent, prober_packet};

static inline struct probe *prober_add(struct prober *prober, int64_t at_ns, const struct packet_spec *spec)
{
	struct probe *probe = &prober->probes[prober->count++];
	struct writer writer = writer_init(probe->bytes, sizeof(probe->bytes));
	assert_true(prober->count <= PROBES_MAX);
	assert_int_equal(packet_write(&writer, spec), 0);
	probe->length = writer.length;
	probe->at_ns = at_ns;
	return probe;
}

/* A UDP probe; `number` makes it as long as no other. */
static inline struct probe *prober_add_udp(struct prober *prober, int64_t at_ns, struct addr from,
	struct addr to, uint8_t ttl, uint16_t source_port, uint8_t number)
{
	static const uint8_t zeros[200];
	assert_true(number < sizeof(zeros));
	struct packet_spec spec = {
		.ip = {.source = from, .destination = to, .ttl = ttl, .protocol = PROTOCOL_UDP},
		.transport = {.source_port = source_port,
			.destination_port = PROBE_PORT,
			.payload = zeros,
			.payload_length = number},
	};
	return prober_add(prober, at_ns, &spec);
}

static inline struct packet_spec echo_spec(struct addr from, struct addr to, uint8_t code, uint16_t seq)
{
	static const uint8_t zeros[8];
	bool v4 = from.family == 4;
	return (struct packet_spec){
		.ip = {.source = from,
			.destination = to,
			.ttl = 64,
			.protocol = v4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6},
		.transport = {.icmp_type = v4 ? ICMP4_ECHO_REQUEST : ICMP6_ECHO_REQUEST,
			.icmp_code = code,
			.icmp_id = 77,
			.icmp_seq = seq,
			.payload = zeros,
			.payload_length = sizeof(zeros)},
	};
}

static inline void prober_run(struct sim *sim, uint32_t host, struct prober *prober)
{
	struct machine machine = {&prober_ops, prober};
	assert_int_equal(sim_attach(sim, host, &machine, 0), 0);
	assert_true(sim_run(sim, sim_now(sim) + 3600 * NS_PER_S));
}

#endif
