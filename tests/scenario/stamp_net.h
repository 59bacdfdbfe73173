/* A sender of test packets and a reflector, with a network between them that loses, delays, repeats and reorders what a
 * test says, and clocks that are wrong. */
#ifndef RETOUR_TESTS_SCENARIO_STAMP_NET_H
#define RETOUR_TESTS_SCENARIO_STAMP_NET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "packet/stamp.h"
#include "serve/reflector.h"
#include "trace/stamp.h"

#define WALL_NS	   (1795000000 * NS_PER_S)
#define START_NS   (5000 * NS_PER_S)
#define FLYING_MAX 64
#define PORT	   40000

enum { THERE, BACK };

static const struct addr near = {.low = 0xc0000201, .family = 4}, far = {.low = 0xc6336401, .family = 4};

struct flying {
	int64_t at_ns;
	int way;
	size_t length;
	uint8_t bytes[300];
};

struct net {
	struct stamp_config config;
	struct stamp *stamp;
	struct reflector *reflector;
	struct rng rng;
	/* What it does. */
	double loss[2], twice[2];
	int64_t delay_ns[2], jitter_ns[2]; /* uniform on top */
	double offset_s, drift;		   /* of the far clock */
	bool mirrors, silent, refuses;
	int64_t dies_ns, restarts_ns; /* 0 = never */
	void (*meddle)(struct net *net, struct stamp_answer *answer);
	/* What it did. */
	unsigned packets[2], lost[2], reordered[2];
	uint32_t highest[2];
	int64_t now_ns;
	struct flying flying[FLYING_MAX];
	unsigned flying_count;
};

static inline struct reflector *new_reflector(void)
{
	struct reflector_config config = {.key = {7, 8}};
	struct reflector *reflector = reflector_new(&config);
	assert_non_null(reflector);
	return reflector;
}

static inline void net_init(struct net *net)
{
	*net = (struct net){
		.config = stamp_defaults(),
		.stamp = malloc(sizeof(struct stamp)),
		.reflector = new_reflector(),
		.rng = rng_seed(11),
		.delay_ns = {10 * NS_PER_MS, 20 * NS_PER_MS},
		.now_ns = START_NS,
	};
	net->config.source = near;
	net->config.destination = far;
	net->config.source_port = PORT;
	net->config.wall_offset_ns = WALL_NS - START_NS;
	net->config.interval_ns = 100 * NS_PER_MS;
	net->config.count = 100;
	net->config.key = (struct hash_key){3, 4};
	assert_non_null(net->stamp);
}

static inline void net_deinit(struct net *net)
{
	reflector_free(net->reflector);
	free(net->stamp);
}

static inline int64_t far_wall_ns(const struct net *net)
{
	double since = (double)(net->now_ns - START_NS);
	return WALL_NS + (int64_t)(since * (1 + net->drift)) + (int64_t)(net->offset_s * 1e9);
}

static inline void fly(struct net *net, int way, const uint8_t *bytes, size_t length)
{
	net->packets[way]++;
	if (rng_unit(&net->rng) < net->loss[way]) {
		net->lost[way]++;
		return;
	}
	int copies = rng_unit(&net->rng) < net->twice[way] ? 2 : 1;
	for (int i = 0; i < copies; i++) {
		assert_true(net->flying_count < FLYING_MAX && length <= sizeof(net->flying[0].bytes));
		struct flying *flying = &net->flying[net->flying_count++];
		int64_t more_ns = (int64_t)(rng_unit(&net->rng) * (double)net->jitter_ns[way]);
		flying->at_ns = net->now_ns + net->delay_ns[way] + more_ns;
		flying->way = way;
		flying->length = length;
		memcpy(flying->bytes, bytes, length);
	}
}

static inline void answer_bytes(struct net *net, const struct transport *from, uint8_t *payload, size_t length)
{
	uint8_t room[300];
	struct packet_spec spec = {
		.ip = {.source = far, .destination = near, .ttl = 255, .protocol = PROTOCOL_UDP},
		.transport = {.source_port = from->destination_port,
			.destination_port = from->source_port,
			.payload = payload,
			.payload_length = length},
	};
	struct writer writer = writer_init(room, sizeof(room));
	assert_int_equal(packet_write(&writer, &spec), 0);
	fly(net, BACK, room, writer.length);
}

static inline void refuse(struct net *net, const struct flying *flying)
{
	uint8_t room[300];
	struct packet_spec spec = {
		.ip = {.source = far, .destination = near, .ttl = 64, .protocol = PROTOCOL_ICMP},
		.transport = {.icmp_type = ICMP4_UNREACHABLE,
			.icmp_code = 3,
			.payload = flying->bytes,
			.payload_length = flying->length},
	};
	struct writer writer = writer_init(room, sizeof(room));
	assert_int_equal(packet_write(&writer, &spec), 0);
	fly(net, BACK, room, writer.length);
}

/* The number at the beginning of a test packet, of either kind. */
static inline void note_order(struct net *net, int way, const struct transport *transport)
{
	struct cursor cursor = cursor_init(transport->payload, transport->payload_length);
	uint32_t number = cursor_u32(&cursor);
	net->reordered[way] += number < net->highest[way];
	net->highest[way] = MAX(net->highest[way], number);
}

static inline void reflect(struct net *net, const struct flying *flying)
{
	struct packet packet;
	uint8_t answer[300];
	assert_int_equal(packet_read(flying->bytes, flying->length, &packet), 0);
	assert_int_equal(packet.ip.ttl, 255);
	note_order(net, THERE, &packet.transport);
	struct reflector_packet question = {
		.from = packet.ip.source,
		.to = packet.ip.destination,
		.from_port = packet.transport.source_port,
		.to_port = packet.transport.destination_port,
		.ttl = 250,
		.received_wall_ns = far_wall_ns(net),
		.payload = packet.transport.payload,
		.length = packet.transport.payload_length,
	};
	if (net->silent || (net->dies_ns && net->now_ns >= net->dies_ns))
		return;
	if (net->refuses) {
		refuse(net, flying);
		return;
	}
	if (net->restarts_ns && net->now_ns >= net->restarts_ns) {
		net->restarts_ns = 0;
		reflector_free(net->reflector);
		net->reflector = new_reflector();
	}
	/* It takes its time: 3 ms. */
	size_t length = reflector_answer(
		net->reflector, &question, net->now_ns, far_wall_ns(net) + 3 * NS_PER_MS, answer);
	assert_int_equal(length, question.length);
	if (net->mirrors)
		memcpy(answer, packet.transport.payload, 4);
	if (net->meddle) {
		struct cursor cursor = cursor_init(answer, length);
		struct stamp_answer fields;
		struct writer writer = writer_init(answer, length);
		assert_int_equal(stamp_answer_read(&cursor, &fields), 0);
		net->meddle(net, &fields);
		stamp_answer_write(&writer, &fields);
	}
	int64_t now_ns = net->now_ns;
	net->now_ns += 3 * NS_PER_MS;
	answer_bytes(net, &packet.transport, answer, length);
	net->now_ns = now_ns;
}

static inline void arrive(struct net *net, unsigned index)
{
	struct flying flying = net->flying[index];
	struct machine machine = stamp_machine(net->stamp);
	struct packet packet;
	net->flying[index] = net->flying[--net->flying_count];
	if (flying.way == THERE) {
		reflect(net, &flying);
	} else {
		assert_int_equal(packet_read(flying.bytes, flying.length, &packet), 0);
		if (!packet.has_quote)
			note_order(net, BACK, &packet.transport);
		machine.ops->packet(machine.self, net->now_ns, &packet);
	}
}

static inline unsigned soonest(const struct net *net)
{
	unsigned first = 0;
	for (unsigned i = 1; i < net->flying_count; i++)
		if (net->flying[i].at_ns < net->flying[first].at_ns)
			first = i;
	return first;
}

static inline struct directions run(struct net *net)
{
	static struct outgoing outgoing;
	int64_t wake_ns = 0;
	stamp_init(net->stamp, &net->config);
	struct machine machine = stamp_machine(net->stamp);
	enum machine_want want;
	while ((want = machine.ops->next(machine.self, net->now_ns, &outgoing, &wake_ns)) != MACHINE_DONE) {
		if (want == MACHINE_SEND) {
			fly(net, THERE, outgoing.bytes, outgoing.length);
			machine.ops->sent(machine.self, outgoing.token, net->now_ns, 0);
			continue;
		}
		assert_true(wake_ns > net->now_ns);
		unsigned next = soonest(net);
		if (net->flying_count > 0 && net->flying[next].at_ns <= wake_ns) {
			net->now_ns = MAX(net->now_ns, net->flying[next].at_ns);
			arrive(net, next);
		} else {
			assert_true(wake_ns < net->now_ns + 3600 * NS_PER_S);
			net->now_ns = wake_ns;
		}
	}
	return stamp_directions(net->stamp);
}

#endif
