/* Nothing here knows a rule of how nodes answer: a probe is handed to the code that handles packets, in a
 * simulator where nothing else happens, and what leaves the node is read. */
#include "sim/reveal.h"

#include <string.h>

#include "packet/forward.h"
#include "sim/core.h"

#define PROBE_TTL  255
#define PROBE_PORT 33434
#define FLOWS_MAX  256
#define CLASS_E	   0xf0000001u /* RFC 1112 4: reserved, so nobody's */

/* A node on the way, and a packet of the flow as it comes in there. */
struct asking {
	struct sim *sim;
	const struct truth_hop *hop;
	struct packet passing;
	uint8_t bytes[PARCEL_SIZE_MAX]; /* of that */
	size_t length;
	uint32_t next;	  /* the interface that the way goes on to, or WORLD_NONE */
	uint32_t arrived; /* where the last answer, or what passed, came in */
};

const char *treatment_word(enum treatment treatment)
{
	static const char *const words[] = {NULL, "pass", "strip", "drop"};
	return words[treatment];
}

/* What the node sent: the first packet onto a link, or NULL. Replies wait for their delay first. */
static struct parcel *collect(struct sim *sim, uint32_t *arrived)
{
	struct parcel *got = NULL;
	while (sim->heap_count > 0) {
		struct event event = sim->heap[--sim->heap_count];
		if (event.kind == EVENT_DEPART) {
			node_send(sim, event.place, event.parcel);
		} else if (event.kind == EVENT_ARRIVE && !got) {
			got = event.parcel;
			*arrived = event.place;
		} else if (event.parcel) {
			parcel_drop(sim, event.parcel);
		}
	}
	return got;
}

static void forget(struct sim *sim, uint32_t node)
{
	node_state_free(sim->states[node]);
	sim->states[node] = NULL;
}

/* Hand a packet to the node, and take what it sends, or NULL; `wrapped` as packets of the flow come, with
 * their label or in their tunnel. */
static struct parcel *give(struct asking *asking, struct parcel *parcel, bool wrapped)
{
	struct sim *sim = asking->sim;
	const struct truth_hop *hop = asking->hop;
	struct peek peek;
	if (wrapped && peek_read(parcel->bytes, parcel->length, false, &peek)) {
		parcel->tunnel = hop->tunnel;
		parcel->tunnel_at = hop->tunnel_at;
		parcel->label_ttl = hop->ttl >= 0 ? peek.ttl : PROBE_TTL;
		parcel->detour = hop->detour;
		parcel->outer_ttl = PROBE_TTL;
	}
	forget(sim, hop->node);
	if (sim->world->nodes[hop->node].is_host)
		host_receive(sim, hop->node, parcel);
	else
		router_receive(sim, hop->interface, parcel);
	return collect(sim, &asking->arrived);
}

/* The same with a description, and what comes out is read; false: nothing does. */
static bool give_spec(struct asking *asking, const struct packet_spec *spec, bool wrapped, struct packet *out)
{
	struct parcel *parcel = parcel_new(asking->sim);
	*out = (struct packet){0};
	if (!parcel)
		return false;
	struct writer writer = writer_init(parcel->bytes, sizeof(parcel->bytes));
	bool written = packet_write(&writer, spec) == 0;
	parcel->length = writer.length;
	struct parcel *got = written ? give(asking, parcel, wrapped) : parcel;
	bool readable = written && got && packet_read(got->bytes, got->length, out) == 0;
	out->transport.payload = NULL; /* it goes with the parcel */
	if (got)
		parcel_drop(asking->sim, got);
	return readable;
}

static struct packet_spec probe(struct asking *asking, struct addr to, uint8_t protocol, uint8_t ttl)
{
	bool v4 = to.family == 4;
	static const uint8_t payload[8];
	return (struct packet_spec){
		.ip = {.source = asking->passing.ip.source,
			.destination = to,
			.ttl = ttl,
			.protocol = protocol},
		.transport =
			{
				.source_port = PROBE_PORT,
				.destination_port = PROBE_PORT,
				.tcp_flags = TCP_SYN,
				.icmp_type = v4 ? ICMP4_ECHO_REQUEST : ICMP6_ECHO_REQUEST,
				.icmp_id = PROBE_PORT,
				.payload = payload,
				.payload_length = protocol == PROTOCOL_TCP ? 0 : sizeof(payload),
			},
	};
}

static struct packet_spec ping(struct asking *asking, struct addr to)
{
	return probe(asking, to, to.family == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6, PROBE_TTL);
}

static struct reaction ask(
	struct asking *asking, const struct packet_spec *spec, bool wrapped, struct packet *answer)
{
	if (!give_spec(asking, spec, wrapped, answer))
		return (struct reaction){0};
	return (struct reaction){
		.answers = true,
		.source = answer->ip.source,
		.ttl = answer->ip.ttl,
		.type = answer->transport.icmp_type,
		.code = answer->transport.icmp_code,
	};
}

static struct packet_spec ping_for_route(struct asking *asking, struct addr to)
{
	struct packet_spec spec = ping(asking, to);
	spec.ip.route = (struct route_option){.present = true, .type = 7, .slots = RECORD_ROUTE_SLOTS_MAX};
	for (unsigned i = 0; i < RECORD_ROUTE_SLOTS_MAX; i++)
		spec.ip.route.addrs[i] = addr_v4(0);
	return spec;
}

static struct packet_spec ping_for_time(
	struct asking *asking, struct addr to, uint8_t flag, struct addr listed)
{
	struct packet_spec spec = ping(asking, to);
	spec.ip.timestamp = (struct timestamp_option){.present = true, .flag = flag, .slots = REVEAL_STAMPS};
	for (unsigned i = 0; i < REVEAL_STAMPS; i++)
		spec.ip.timestamp.addrs[i] = listed;
	return spec;
}

static void ask_with_options(struct asking *asking, struct addr asked, struct reveal *reveal)
{
	struct packet answer;
	struct packet_spec spec = ping_for_route(asking, asked);
	reveal->route = ask(asking, &spec, false, &answer);
	reveal->route.answers &= answer.ip.route.present;
	reveal->route_count = answer.ip.route.used;
	memcpy(reveal->routes, answer.ip.route.addrs, sizeof(reveal->routes));
	spec = ping_for_time(asking, asked, 1, addr_v4(0));
	reveal->time = ask(asking, &spec, false, &answer);
	reveal->time.answers &= answer.ip.timestamp.present;
	reveal->time_count = answer.ip.timestamp.used;
	memcpy(reveal->times, answer.ip.timestamp.addrs, sizeof(reveal->times));
	spec = ping_for_time(asking, asked, 3, asked);
	reveal->own = ask(asking, &spec, false, &answer);
	reveal->own.answers &= answer.ip.timestamp.present;
	reveal->own_count = answer.ip.timestamp.used;
	spec = ping_for_time(asking, asked, 3, addr_v4(CLASS_E));
	reveal->others = ask(asking, &spec, false, &answer);
	reveal->others.answers &= answer.ip.timestamp.present;
	reveal->others_count = answer.ip.timestamp.used;
}

/* Did the packet pass, rather than be answered? */
static bool passed(const struct packet *out)
{
	return out->transport.icmp_kind == ICMP_ECHO_REQUEST;
}

static void watch_options_pass(struct asking *asking, struct reveal *reveal)
{
	struct packet out;
	struct packet_spec plain = ping(asking, asking->passing.ip.destination);
	struct packet_spec with = ping_for_time(asking, asking->passing.ip.destination, 1, addr_v4(0));
	if (!give_spec(asking, &plain, true, &out) || !passed(&out))
		return; /* no packet passes */
	/* Where packets are balanced, one that goes this way. */
	for (uint16_t id = 0; id < FLOWS_MAX; id++) {
		with.transport.icmp_id = id;
		if (!give_spec(asking, &with, true, &out) || !passed(&out)) {
			reveal->options = OPTIONS_DROPPED;
			return;
		}
		if (asking->next == WORLD_NONE || asking->arrived == asking->next)
			break;
	}
	reveal->options = out.ip.timestamp.present ? OPTIONS_PASS : OPTIONS_STRIPPED;
	if (out.ip.timestamp.present && out.ip.timestamp.used > 0)
		reveal->stamped = out.ip.timestamp.addrs[0];
}

static void endpoints_of(const struct packet *packet, struct endpoint ends[2])
{
	const struct transport *transport = &packet->transport;
	bool echo = transport->icmp_kind != ICMP_OTHER;
	ends[0] = (struct endpoint){packet->ip.source, echo ? transport->icmp_id : transport->source_port};
	ends[1] = (struct endpoint){packet->ip.destination, echo ? 0 : transport->destination_port};
}

static bool same_ends(const struct endpoint *a, const struct endpoint *b)
{
	return addr_equal(a[0].addr, b[0].addr) && addr_equal(a[1].addr, b[1].addr) &&
		a[0].port == b[0].port && a[1].port == b[1].port;
}

/* A packet of the flow goes through the node, or not; the next one gets it as it is then. */
static void watch_flow_pass(struct asking *asking, struct reveal *reveal)
{
	struct packet out;
	struct parcel *parcel = parcel_new(asking->sim);
	if (!parcel)
		return;
	parcel->length = asking->length;
	memcpy(parcel->bytes, asking->bytes, asking->length);
	(void)forward_set_ttl(parcel->bytes, parcel->length, PROBE_TTL);
	struct parcel *got = give(asking, parcel, true);
	if (!got)
		return;
	if (packet_read(got->bytes, got->length, &out) == 0 &&
		!addr_equal(out.ip.destination, asking->passing.ip.source)) {
		endpoints_of(&asking->passing, reveal->before);
		endpoints_of(&out, reveal->after);
		reveal->translates = !same_ends(reveal->before, reveal->after);
		asking->passing = out;
		asking->length = got->length;
		memcpy(asking->bytes, got->bytes, got->length);
	}
	asking->passing.transport.payload = NULL;
	parcel_drop(asking->sim, got);
}

static struct addr address_to_ask(const struct world *world, const struct truth_hop *hop)
{
	if (world_has_address(world, hop->node, hop->address))
		return hop->address;
	return world_node_address(world, hop->node, hop->address.family);
}

static void reveal_hop(struct asking *asking, bool is_target, struct reveal *reveal)
{
	struct packet answer;
	struct addr asked = reveal->asked = address_to_ask(asking->sim->world, asking->hop);
	struct packet_spec spec = ping(asking, asked);
	reveal->echo = ask(asking, &spec, false, &answer);
	spec = probe(asking, asked, PROTOCOL_TCP, PROBE_TTL);
	reveal->reset = ask(asking, &spec, false, &answer);
	if (asking->hop->ttl >= 0) {
		spec = probe(asking, asking->passing.ip.destination, PROTOCOL_UDP, 1);
		reveal->error = ask(asking, &spec, true, &answer);
		reveal->error.answers = answer.has_quote; /* some send it on */
	}
	if (asked.family == 4)
		ask_with_options(asking, asked, reveal);
	if (asked.family == 4 && !is_target)
		watch_options_pass(asking, reveal);
	if (!is_target)
		watch_flow_pass(asking, reveal);
}

void sim_reveal(struct sim *scratch, const struct truth *truth, const uint8_t *bytes, size_t length,
	struct reveal reveals[TRUTH_HOPS_MAX])
{
	struct asking asking = {.sim = scratch, .length = length};
	memset(reveals, 0, truth->hop_count * sizeof(*reveals));
	if (length > sizeof(asking.bytes) || packet_read(bytes, length, &asking.passing) < 0)
		return;
	asking.passing.transport.payload = NULL;
	memcpy(asking.bytes, bytes, length);
	scratch->lossless = true;
	for (unsigned i = 0; i < truth->hop_count; i++) {
		asking.hop = &truth->hops[i];
		asking.next = i + 1 < truth->hop_count ? truth->hops[i + 1].interface : WORLD_NONE;
		reveal_hop(&asking, truth->end == TRUTH_REACHED && i + 1 == truth->hop_count, &reveals[i]);
	}
}
