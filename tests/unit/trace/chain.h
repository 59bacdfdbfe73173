/* A chain of routers in virtual time, for machines of the trace room. */
#ifndef RETOUR_TESTS_UNIT_TRACE_CHAIN_H
#define RETOUR_TESTS_UNIT_TRACE_CHAIN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "probe/machine.h"

#define IN_FLIGHT_MAX 1000

/* A chain: routers 1..hops-1, the destination at `hops`. */
struct chain {
	uint8_t family;
	unsigned hops;
	int64_t rtt_ns;		   /* to every hop (the delay sits in the first link) */
	unsigned silent;	   /* this router answers nothing */
	unsigned black_hole;	   /* this router swallows what it should forward */
	unsigned refuses;	   /* this router says host unreachable for what it should forward */
	unsigned loops_from;	   /* from here packets run between two routers */
	unsigned refusals;	   /* that it gives at all, 0 = no limit */
	unsigned answers_each;	   /* replies a router gives at all, 0 = no limit */
	bool target_silent_to_ttl; /* the destination answers only packets with plenty of TTL left */
	unsigned deaf;	    /* the destination does not answer these protocols: 1 << number, TCP: by port */
	uint16_t deaf_port; /* of TCP */
	bool half_open;	    /* as listening sockets are: no other SYN is answered until a reset ends the connection */
	int64_t taken_until_ns;
	unsigned given[256];
	unsigned packets, waiting, waiting_max; /* that will be answered, at once */
	int64_t last_sent_ns, pause_min_ns;	/* between two packets */
	struct {
		int64_t at_ns;
		size_t length;
		uint8_t bytes[1500];
	} flying[IN_FLIGHT_MAX];
	size_t flying_count;
};

static struct addr router_addr(const struct chain *chain, unsigned n)
{
	return chain->family == 4 ? addr_v4(0xcb007100 + n) : addr_v6(0x20010db800ff0000, n);
}

static const struct addr source4 = {.low = 0xc0000201, .family = 4},
			 target4 = {.low = 0xc6336401, .family = 4};
static const struct addr source6 = {.high = 0x20010db800000000, .low = 1, .family = 6};
static const struct addr target6 = {.high = 0x20010db800010000, .low = 1, .family = 6};

static void fly(struct chain *chain, int64_t at_ns, const struct packet_spec *spec)
{
	assert_true(chain->flying_count < IN_FLIGHT_MAX);
	struct writer writer =
		writer_init(chain->flying[chain->flying_count].bytes, sizeof(chain->flying[0].bytes));
	assert_int_equal(packet_write(&writer, spec), 0);
	chain->flying[chain->flying_count].length = writer.length;
	chain->flying[chain->flying_count++].at_ns = at_ns;
}

static void answer_error(struct chain *chain, int64_t at_ns, const struct outgoing *probe, struct addr from,
	uint8_t ttl_left, uint8_t type, uint8_t code)
{
	uint8_t quote[OUTGOING_SIZE_MAX];
	memcpy(quote, probe->bytes, probe->length);
	quote[chain->family == 4 ? 8 : 7] = ttl_left;
	struct packet_spec spec = {
		.ip = {.source = from,
			.destination = chain->family == 4 ? source4 : source6,
			.ttl = 64,
			.protocol = chain->family == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6,
			.id = 1},
		.transport = {.icmp_type = type,
			.icmp_code = code,
			.payload = quote,
			.payload_length = probe->length},
	};
	fly(chain, at_ns, &spec);
}

static void answer_echo(struct chain *chain, int64_t at_ns, const struct packet *p)
{
	struct packet_spec spec = {
		.ip = {.source = p->ip.destination,
			.destination = p->ip.source,
			.ttl = (uint8_t)(64 - chain->hops + 1),
			.protocol = p->ip.protocol,
			.id = 1},
		.transport = p->transport,
	};
	spec.transport.icmp_type = chain->family == 4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY;
	fly(chain, at_ns, &spec);
}

/* An open port. */
static void answer_syn(struct chain *chain, int64_t at_ns, const struct packet *p)
{
	if (chain->half_open && at_ns - chain->rtt_ns / 2 < chain->taken_until_ns)
		return;
	chain->taken_until_ns = at_ns + chain->rtt_ns / 2; /* the reset of who asked gets there */
	struct packet_spec spec = {
		.ip = {.source = p->ip.destination,
			.destination = p->ip.source,
			.ttl = (uint8_t)(64 - chain->hops + 1),
			.protocol = p->ip.protocol,
			.id = 1},
		.transport = {.source_port = p->transport.destination_port,
			.destination_port = p->transport.source_port,
			.tcp_flags = TCP_SYN | TCP_ACK,
			.tcp_acknowledgement = p->transport.tcp_sequence + 1},
	};
	fly(chain, at_ns, &spec);
}

static bool is_deaf(const struct chain *chain, const struct packet *p)
{
	bool port = p->ip.protocol != PROTOCOL_TCP || !chain->deaf_port ||
		p->transport.destination_port == chain->deaf_port;
	return p->ip.protocol < 32 && (chain->deaf >> p->ip.protocol & 1) && port;
}

static bool is_spent(struct chain *chain, unsigned hop)
{
	return chain->answers_each && ++chain->given[hop] > chain->answers_each;
}

static void chain_send(struct chain *chain, int64_t now_ns, const struct outgoing *probe)
{
	struct packet p;
	int64_t at_ns = now_ns + chain->rtt_ns;
	bool v4 = chain->family == 4;
	assert_int_equal(packet_read(probe->bytes, probe->length, &p), 0);
	if (chain->packets++ > 0)
		chain->pause_min_ns = chain->packets == 2
			? now_ns - chain->last_sent_ns
			: MIN(chain->pause_min_ns, now_ns - chain->last_sent_ns);
	chain->last_sent_ns = now_ns;
	chain->waiting++;
	chain->waiting_max = MAX(chain->waiting_max, chain->waiting);
	unsigned ttl = p.ip.ttl;
	unsigned end = chain->black_hole ? chain->black_hole : chain->hops;
	if (chain->loops_from && ttl >= chain->loops_from) {
		answer_error(chain, at_ns, probe, router_addr(chain, chain->loops_from + ttl % 2), 1,
			v4 ? ICMP4_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED, 0);
	} else if (chain->refuses && ttl > chain->refuses - 1) {
		if ((!chain->refusals || chain->given[chain->refuses]++ < chain->refusals) &&
			!is_spent(chain, chain->refuses))
			answer_error(chain, at_ns, probe, router_addr(chain, chain->refuses),
				(uint8_t)(ttl - chain->refuses + 1), v4 ? 3 : 1, v4 ? 1 : 3);
	} else if (ttl < chain->hops && ttl <= end) {
		if (ttl != chain->silent && !is_spent(chain, ttl))
			answer_error(chain, at_ns, probe, router_addr(chain, ttl), 1,
				v4 ? ICMP4_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED, 0);
	} else if (ttl >= chain->hops && !chain->black_hole) {
		uint8_t left = (uint8_t)(ttl - chain->hops + 1);
		if ((chain->target_silent_to_ttl && left < 10) || is_deaf(chain, &p))
			return;
		if (p.ip.protocol == PROTOCOL_TCP)
			answer_syn(chain, at_ns, &p);
		else if (p.ip.protocol == PROTOCOL_UDP)
			answer_error(
				chain, at_ns, probe, v4 ? target4 : target6, left, v4 ? 3 : 1, v4 ? 3 : 4);
		else
			answer_echo(chain, at_ns, &p);
	}
}

/* Deliver everything that arrives at the earliest moment before `until_ns`; returns the new time. */
static int64_t deliver(struct chain *chain, struct machine machine, int64_t until_ns)
{
	for (size_t i = 0; i < chain->flying_count; i++)
		until_ns = MIN(until_ns, chain->flying[i].at_ns);
	size_t kept = 0;
	for (size_t i = 0; i < chain->flying_count; i++) {
		struct packet packet;
		if (chain->flying[i].at_ns > until_ns) {
			chain->flying[kept++] = chain->flying[i];
			continue;
		}
		assert_int_equal(packet_read(chain->flying[i].bytes, chain->flying[i].length, &packet), 0);
		chain->waiting--;
		machine.ops->packet(machine.self, until_ns, &packet);
	}
	chain->flying_count = kept;
	return until_ns;
}

/* Run to the end; returns the virtual duration. */
static int64_t chain_run(struct chain *chain, struct machine machine)
{
	int64_t now_ns = NS_PER_S, wake_ns = 0;
	struct outgoing outgoing;
	for (int step = 0; step < 100000; step++) {
		enum machine_want want = machine.ops->next(machine.self, now_ns, &outgoing, &wake_ns);
		if (want == MACHINE_DONE)
			return now_ns - NS_PER_S;
		if (want == MACHINE_SEND) {
			machine.ops->sent(machine.self, outgoing.token, now_ns, 0);
			chain_send(chain, now_ns, &outgoing);
		} else {
			assert_true(wake_ns > now_ns);
			now_ns = deliver(chain, machine, wake_ns);
		}
	}
	fail_msg("the machine does not end");
	return 0;
}

#endif
