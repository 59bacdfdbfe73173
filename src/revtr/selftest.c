#include "revtr/selftest.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define GAP_NS	    (100 * NS_PER_MS)
#define PATIENCE_NS (1500 * NS_PER_MS)
#define TTL_USUAL   64

/* Packets of a phase: those with an odd number have options. A phase of pings has numbers below HOP_NUMBER.
 */
#define HOP_NUMBER 256

void selftest_init(struct selftest *test, struct addr own, struct addr target, uint16_t id)
{
	*test = (struct selftest){.own = own, .target = target, .id = id};
}

static unsigned packets(const struct selftest *test)
{
	return 2 * (test->tracing ? SELFTEST_HOPS : SELFTEST_PINGS);
}

static void write_ping(const struct selftest *test, struct outgoing *outgoing)
{
	static const uint8_t payload[8];
	bool options = test->next & 1;
	struct packet_spec spec = {
		.ip = {.source = test->own,
			.destination = test->target,
			.ttl = test->tracing ? (uint8_t)(test->next / 2 + 1) : TTL_USUAL,
			.protocol = PROTOCOL_ICMP,
			.route = {.present = options, .type = 7, .slots = RECORD_ROUTE_SLOTS_MAX}},
		.transport = {.icmp_type = ICMP4_ECHO_REQUEST,
			.icmp_id = test->id,
			.icmp_seq = (uint16_t)(test->next + (test->tracing ? HOP_NUMBER : 0)),
			.payload = payload,
			.payload_length = sizeof(payload)},
	};
	for (unsigned i = 0; i < RECORD_ROUTE_SLOTS_MAX; i++)
		spec.ip.route.addrs[i] = addr_v4(0);
	struct writer writer = writer_init(outgoing->bytes, sizeof(outgoing->bytes));
	outgoing->length = packet_write(&writer, &spec) == 0 ? writer.length : 0;
	outgoing->token = test->next;
}

/* All of a phase was sent and has had its time. */
static enum machine_want end_phase(struct selftest *test, int64_t now_ns, int64_t *wake_ns)
{
	bool filtered = test->plain > 0 && test->listed + test->stripped == 0 && test->error == 0;
	if (test->tracing || !filtered) {
		test->done = true;
		return MACHINE_DONE;
	}
	test->tracing = true;
	test->next = 0;
	*wake_ns = now_ns;
	return MACHINE_WAIT;
}

static enum machine_want next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct selftest *test = self;
	if (test->done)
		return MACHINE_DONE;
	if (test->next == packets(test)) {
		*wake_ns = test->end_ns;
		return now_ns < test->end_ns ? MACHINE_WAIT : end_phase(test, now_ns, wake_ns);
	}
	*wake_ns = test->next_ns;
	if (now_ns < test->next_ns)
		return MACHINE_WAIT;
	write_ping(test, outgoing);
	test->next++;
	test->next_ns = now_ns + GAP_NS;
	test->end_ns = now_ns + PATIENCE_NS;
	return MACHINE_SEND;
}

static void sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct selftest *test = self;
	(void)sent_ns;
	if (error < 0 && token & 1)
		test->error = error;
	else if (error == 0 && !(token & 1))
		test->plain_sent = true;
}

static void take_hop(struct selftest *test, const struct packet *packet, const struct transport *probe)
{
	unsigned number = probe->icmp_seq - HOP_NUMBER, hop = number / 2 + 1;
	if (!test->tracing || probe->icmp_seq < HOP_NUMBER || hop > SELFTEST_HOPS)
		return;
	unsigned *farthest = number & 1 ? &test->listed_hop : &test->plain_hop;
	if (hop <= *farthest)
		return;
	*farthest = hop;
	if (number & 1)
		test->last = packet->ip.source;
}

static void take_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct selftest *test = self;
	const struct transport *transport = &packet->transport;
	(void)received_ns;
	if (packet->ip.protocol != PROTOCOL_ICMP)
		return;
	if (transport->icmp_kind == ICMP_TIME_EXCEEDED && packet->has_quote &&
		packet->quoted.icmp_id == test->id && addr_equal(packet->quoted_ip.destination, test->target))
		take_hop(test, packet, &packet->quoted);
	if (transport->icmp_kind != ICMP_ECHO_REPLY || transport->icmp_id != test->id ||
		!addr_equal(packet->ip.source, test->target))
		return;
	if (test->tracing)
		take_hop(test, packet, transport);
	else if (!(transport->icmp_seq & 1))
		test->plain++;
	else if (packet->ip.route.present)
		test->listed++;
	else
		test->stripped++;
}

struct machine selftest_machine(struct selftest *test)
{
	static const struct machine_ops ops = {next, sent, take_packet};
	return (struct machine){.ops = &ops, .self = test};
}

enum agent_can selftest_result(const struct selftest *test, char *text, size_t size)
{
	char last[ADDR_TEXT_SIZE];
	text[0] = '\0';
	if (test->listed > 0)
		return AGENT_CAN;
	if (test->error && test->plain_sent) {
		snprintf(text, size, "cannot send packets with options: %s", strerror(-test->error));
	} else if (test->stripped > 0) {
		snprintf(text, size, "options are taken out of packets on the way to the broker or back");
	} else if (test->plain == 0) {
		snprintf(text, size,
			"not known whether packets with options pass: the broker's host answers no ping");
		return AGENT_CAN_UNKNOWN;
	} else if (test->listed_hop == 0) {
		snprintf(text, size, "packets with options are dropped before or at the first router");
	} else {
		snprintf(text, size,
			"packets with options are dropped at or behind hop %u (%s), or the answers to them "
			"are",
			test->listed_hop, addr_format(test->last, last));
	}
	return AGENT_CANNOT;
}
