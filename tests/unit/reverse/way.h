/* A way there and back in virtual time: a responder's client, a responder, and the routers on the way back.
 */
#ifndef RETOUR_TESTS_WAY_H
#define RETOUR_TESTS_WAY_H

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "packet/forward.h"
#include "packet/packet.h"
#include "packet/responder.h"
#include "probe/machine.h"
#include "serve/responder.h"

#define EVENTS_MAX 8192
#define PORT       54321
#define ICMP_BYTE  0x5a

struct event {
	int64_t at_ns;
	bool to_server;
	bool used;
	size_t length;
	uint8_t bytes[1500];
};

struct way {
	struct machine client;
	struct responder *server; /* NULL: a host that only echoes */
	struct addr client_addr, server_addr;
	bool stock;           /* the responder's notices have neither cookie nor address */
	struct addr nat_addr; /* set: what the server sees instead of client_addr */
	unsigned routers;
	uint64_t silent;      /* bit N: router N (1 is the first after the server) says nothing */
	unsigned end_answers_from; /* the client's host answers probes that were sent with this TTL or more */
	size_t quote;         /* bytes of layer 4 that routers quote; 0 = all */
	bool zero_padded;     /* short quotes are padded to 128 bytes (RFC 4884 4.1) */
	int64_t hop_delay_ns; /* one way, each link back */
	int64_t there_delay_ns;
	bool echo_too; /* the kernel echoes requests before the responder answers */
	bool mute;     /* the far host says nothing at all */
	bool (*drop)(struct way *way, bool to_server, const struct packet *packet);
	bool (*reorder)(struct way *way); /* true: this one takes a millisecond longer */
	unsigned counter;                 /* for the functions above */
	int64_t now_ns;
	unsigned requests, responses;
	size_t bytes_to_server, bytes_to_client; /* of IP; to the client: probes and responses */
	struct event *events;
};

static inline struct addr router_addr(const struct way *way, unsigned number)
{
	return way->server_addr.family == 4 ? addr_v4(0x0a630000 + number)
					    : addr_v6(0x20010db800990000, number);
}

static inline struct addr seen_client(const struct way *way)
{
	return addr_is_set(way->nat_addr) ? way->nat_addr : way->client_addr;
}

static inline void way_init(struct way *way, uint8_t family)
{
	*way = (struct way){
		.client_addr = family == 4 ? addr_v4(0xcb007105) : addr_v6(0x20010db800010000, 5),
		.server_addr = family == 4 ? addr_v4(0xc6336407) : addr_v6(0x20010db800020000, 7),
		.routers = 5,
		.hop_delay_ns = NS_PER_MS,
		.there_delay_ns = 6 * NS_PER_MS,
		.now_ns = 3600 * NS_PER_S + 12345,
	};
	struct responder_config config = {.key = {1, 2}, .port = PORT, .icmp_prefix = ICMP_BYTE};
	way->server = responder_new(&config);
	way->events = calloc(EVENTS_MAX, sizeof(*way->events));
	if (!way->server || !way->events || responder_set_addresses(way->server, &way->server_addr, 1))
		abort();
}

static inline void way_deinit(struct way *way)
{
	responder_free(way->server);
	free(way->events);
}

static inline void way_send(
	struct way *way, const uint8_t *bytes, size_t length, bool to_server, int64_t delay_ns)
{
	struct packet packet;
	if (packet_read(bytes, length, &packet))
		abort();
	if (way->drop && way->drop(way, to_server, &packet))
		return;
	if (way->reorder && way->reorder(way))
		delay_ns += NS_PER_MS;
	for (size_t i = 0; i < EVENTS_MAX; i++) {
		struct event *event = &way->events[i];
		if (event->used)
			continue;
		*event =
			(struct event){.at_ns = way->now_ns + delay_ns, .to_server = to_server, .used = true};
		event->length = length;
		memcpy(event->bytes, bytes, length);
		return;
	}
	abort();
}

static inline void way_send_spec(
	struct way *way, const struct packet_spec *spec, bool to_server, int64_t delay_ns)
{
	uint8_t bytes[1500];
	struct writer writer = writer_init(bytes, sizeof(bytes));
	if (packet_write(&writer, spec))
		abort();
	way_send(way, bytes, writer.length, to_server, delay_ns);
}

/* An ICMP error about `probe`, as a router or host sends it. */
static inline struct packet_spec error_about(const struct way *way, struct addr from, bool expired,
	const struct packet *probe, const uint8_t *probe_bytes, size_t length, uint8_t *quote)
{
	bool v4 = from.family == 4;
	size_t quoted = length;
	memset(quote, 0, 1300);
	if (way->quote && way->quote < length - probe->ip.header_length)
		quoted = probe->ip.header_length + way->quote;
	memcpy(quote, probe_bytes, quoted);
	if (way->zero_padded && quoted < 128)
		quoted = 128;
	struct packet_spec spec = {
		.ip = {.source = from, .destination = probe->ip.source, .ttl = 60, .tos = 0xc0},
		.transport = {.payload = quote, .payload_length = quoted},
	};
	spec.ip.protocol = v4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
	spec.transport.icmp_kind = expired ? ICMP_TIME_EXCEEDED : ICMP_UNREACHABLE;
	spec.transport.icmp_type = v4 ? (expired ? ICMP4_TIME_EXCEEDED : ICMP4_UNREACHABLE)
				      : (expired ? ICMP6_TIME_EXCEEDED : ICMP6_UNREACHABLE);
	spec.transport.icmp_code = expired ? 0 : v4 ? 3 : 4;
	return spec;
}

/* What the addressed host itself answers to a probe: a closed port, or an echo. */
static inline struct packet_spec direct_answer(const struct way *way, const struct packet *probe,
	const uint8_t *bytes, size_t length, uint8_t *quote)
{
	if (probe->ip.protocol == PROTOCOL_UDP)
		return error_about(way, probe->ip.destination, false, probe, bytes, length, quote);
	struct packet_spec spec = {.transport = probe->transport};
	spec.ip.source = probe->ip.destination;
	spec.ip.destination = probe->ip.source;
	spec.ip.ttl = 64;
	spec.ip.protocol = probe->ip.protocol;
	if (probe->ip.protocol == PROTOCOL_TCP) {
		spec.transport = (struct transport){
			.source_port = probe->transport.destination_port,
			.destination_port = probe->transport.source_port,
			.tcp_acknowledgement = probe->transport.tcp_sequence + 1,
			.tcp_flags = TCP_RST | TCP_ACK,
		};
	} else {
		spec.transport.icmp_kind = ICMP_ECHO_REPLY;
		spec.transport.icmp_type =
			probe->ip.source.family == 4 ? (uint8_t)ICMP4_ECHO_REPLY : (uint8_t)ICMP6_ECHO_REPLY;
	}
	return spec;
}

/* A probe runs out somewhere on its way, or arrives. */
static inline void way_probe(struct way *way, const struct packet *probe, const uint8_t *bytes, size_t length)
{
	static uint8_t quote[1400];
	unsigned hop = probe->ip.ttl;
	if (hop <= way->routers) {
		if (way->silent >> hop & 1)
			return;
		struct packet_spec spec =
			error_about(way, router_addr(way, hop), true, probe, bytes, length, quote);
		way_send_spec(way, &spec, true, 2 * hop * way->hop_delay_ns);
	} else if (hop >= way->end_answers_from) {
		struct packet_spec spec = direct_answer(way, probe, bytes, length, quote);
		way_send_spec(way, &spec, true, 2 * (way->routers + 1) * way->hop_delay_ns);
	}
}

/* Something leaves the server. */
static inline void way_from_server(struct way *way, const struct outgoing *outgoing)
{
	struct packet packet;
	if (packet_read(outgoing->bytes, outgoing->length, &packet))
		abort();
	way->bytes_to_client += outgoing->length;
	if (packet.transport.icmp_kind == ICMP_ECHO_REPLY) {
		way->responses++;
		uint8_t bytes[1500];
		memcpy(bytes, outgoing->bytes, outgoing->length);
		if (!forward_set_ttl(bytes, outgoing->length, (uint8_t)(packet.ip.ttl - way->routers)))
			abort();
		way_send(way, bytes, outgoing->length, false, (way->routers + 1) * way->hop_delay_ns);
	} else {
		way_probe(way, &packet, outgoing->bytes, outgoing->length);
	}
}

static inline void way_pump_server(struct way *way)
{
	struct machine machine = responder_machine(way->server);
	struct outgoing outgoing;
	int64_t wake_ns;
	while (machine.ops->next(machine.self, way->now_ns, &outgoing, &wake_ns) == MACHINE_SEND)
		way_from_server(way, &outgoing);
}

/* The kernel's echo: type and addresses turned around, everything else as it was. */
static inline void way_echo(struct way *way, const struct packet *request)
{
	struct packet_spec spec = {.ip = request->ip, .transport = request->transport};
	spec.ip.source = request->ip.destination;
	spec.ip.destination = request->ip.source;
	spec.transport.icmp_kind = ICMP_ECHO_REPLY;
	spec.transport.icmp_type =
		request->ip.source.family == 4 ? (uint8_t)ICMP4_ECHO_REPLY : (uint8_t)ICMP6_ECHO_REPLY;
	way_send_spec(way, &spec, false, (way->routers + 1) * way->hop_delay_ns);
}

static inline void way_deliver(struct way *way, struct event *event)
{
	struct packet packet;
	if (packet_read(event->bytes, event->length, &packet))
		abort();
	if (!event->to_server) { /* a NAT gives the client its own address back */
		if (way->stock && packet.transport.payload_length > RESPONDER_SUCCESS_BODY)
			packet.transport.payload_length = RESPONDER_ERROR_BODY;
		if (addr_is_set(way->nat_addr))
			packet.ip.destination = way->client_addr;
		way->client.ops->packet(way->client.self, way->now_ns, &packet);
		return;
	}
	bool request = packet.transport.icmp_kind == ICMP_ECHO_REQUEST;
	way->requests += request;
	if (request)
		way->bytes_to_server += event->length;
	if (way->mute)
		return;
	if (request && (way->echo_too || !way->server))
		way_echo(way, &packet);
	if (way->server) {
		struct machine server = responder_machine(way->server);
		server.ops->packet(server.self, way->now_ns, &packet);
		way_pump_server(way);
	}
}

static inline struct event *way_earliest(struct way *way)
{
	struct event *earliest = NULL;
	for (size_t i = 0; i < EVENTS_MAX; i++)
		if (way->events[i].used && (!earliest || way->events[i].at_ns < earliest->at_ns))
			earliest = &way->events[i];
	return earliest;
}

/* The client's packet, with the source that the far side sees. */
static inline void way_from_client(struct way *way, const struct outgoing *outgoing)
{
	struct packet packet;
	if (packet_read(outgoing->bytes, outgoing->length, &packet))
		abort();
	struct packet_spec spec = {.ip = packet.ip, .transport = packet.transport};
	spec.ip.source = seen_client(way);
	way_send_spec(way, &spec, true, way->there_delay_ns);
}

/* Until the client is done, or `until_ns` of virtual time went by. */
static inline void way_run(struct way *way, int64_t until_ns)
{
	int64_t end_ns = way->now_ns + until_ns;
	struct outgoing outgoing;
	while (way->now_ns < end_ns) {
		int64_t wake_ns = TIME_NEVER;
		enum machine_want want =
			way->client.ops->next(way->client.self, way->now_ns, &outgoing, &wake_ns);
		if (want == MACHINE_DONE)
			return;
		if (want == MACHINE_SEND) {
			way->client.ops->sent(way->client.self, outgoing.token, way->now_ns, 0);
			way_from_client(way, &outgoing);
			continue;
		}
		struct event *event = way_earliest(way);
		if (MIN(wake_ns, event ? event->at_ns : TIME_NEVER) > end_ns) {
			way->now_ns = end_ns;
		} else if (event && event->at_ns <= wake_ns) {
			way->now_ns = event->at_ns;
			event->used = false;
			way_deliver(way, event);
		} else if (wake_ns != TIME_NEVER) {
			way->now_ns = MAX(wake_ns, way->now_ns + 1);
		} else {
			return;
		}
	}
}

#endif
