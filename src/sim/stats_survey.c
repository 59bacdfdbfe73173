/* A survey as it was done on the Internet: every vantage point sends a ping, and a ping with the Record Route
 * option, to every target, at 20 packets a second. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "sim/sim.h"
#include "sim/stats.h"

#define PACE_NS	       (50 * NS_PER_MS)
#define PATIENCE_NS    (5 * NS_PER_S)
#define SURVEY_PAYLOAD 8

struct surveyor {
	const struct world *world;
	struct survey_target *targets;
	unsigned target_count, first; /* they do not all begin with the same target */
	struct addr address;
	uint16_t id;
	unsigned sent; /* two for each target */
	int64_t next_ns;
};

static void write_probe(const struct surveyor *s, unsigned index, bool options, struct outgoing *outgoing)
{
	static const uint8_t payload[SURVEY_PAYLOAD];
	struct writer writer = writer_init(outgoing->bytes, sizeof(outgoing->bytes));
	struct packet_spec spec = {
		.ip = {.source = s->address,
			.destination = world_node_address(s->world, s->targets[index].host, 4),
			.ttl = 64,
			.protocol = PROTOCOL_ICMP},
		.transport = {.icmp_type = ICMP4_ECHO_REQUEST,
			.icmp_id = s->id,
			.icmp_seq = (uint16_t)index,
			.payload = payload,
			.payload_length = sizeof(payload)},
	};
	if (options) {
		spec.ip.route =
			(struct route_option){.present = true, .type = 7, .slots = RECORD_ROUTE_SLOTS_MAX};
		for (unsigned i = 0; i < RECORD_ROUTE_SLOTS_MAX; i++)
			spec.ip.route.addrs[i] = addr_v4(0);
	}
	outgoing->length = packet_write(&writer, &spec) == 0 ? writer.length : 0;
}

static enum machine_want next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct surveyor *s = self;
	*wake_ns = s->next_ns;
	if (now_ns < s->next_ns)
		return MACHINE_WAIT;
	if (s->sent == 2 * s->target_count)
		return MACHINE_DONE;
	unsigned index = (s->first + s->sent / 2) % s->target_count;
	write_probe(s, index, s->sent % 2, outgoing);
	s->sent++;
	s->next_ns = now_ns + (s->sent == 2 * s->target_count ? PATIENCE_NS : PACE_NS);
	return MACHINE_SEND;
}

static void sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	(void)self;
	(void)token;
	(void)sent_ns;
	(void)error;
}

/* The slot with an address of the target, from 1. */
static unsigned find_stamp(const struct surveyor *s, const struct route_option *route, uint32_t host)
{
	for (unsigned i = 0; i < route->used && i < RECORD_ROUTE_SLOTS_MAX; i++) {
		const struct world_address *owner = world_find_address(s->world, route->addrs[i]);
		if (owner && owner->node == host)
			return i + 1;
	}
	return 0;
}

static void received(void *self, int64_t received_ns, const struct packet *packet)
{
	struct surveyor *s = self;
	(void)received_ns;
	if (packet->transport.icmp_kind != ICMP_ECHO_REPLY || packet->transport.icmp_id != s->id ||
		packet->transport.icmp_seq >= s->target_count)
		return;
	struct survey_target *target = &s->targets[packet->transport.icmp_seq];
	if (!packet->ip.route.present) {
		target->answers_ping = true;
		return;
	}
	unsigned slot = find_stamp(s, &packet->ip.route, target->host);
	target->answers_options = true;
	if (slot && (target->slot == 0 || slot < target->slot))
		target->slot = slot;
}

static const struct machine_ops surveyor_ops = {next, sent, received};

int stats_survey(const struct world *world, uint64_t seed, const uint32_t *vantage_points,
	unsigned vantage_count, struct survey_target *targets, unsigned target_count)
{
	struct sim *sim = sim_new(world, seed);
	struct surveyor *surveyors = calloc(vantage_count + 1, sizeof(*surveyors));
	int result = sim && surveyors ? 0 : -ENOMEM;
	for (unsigned i = 0; i < vantage_count && target_count && result == 0; i++) {
		surveyors[i] = (struct surveyor){.world = world,
			.targets = targets,
			.target_count = target_count,
			.first = i * 7919 % target_count,
			.address = world_node_address(world, vantage_points[i], 4),
			.id = (uint16_t)(i + 1)};
		struct machine machine = {&surveyor_ops, &surveyors[i]};
		result = sim_attach(sim, vantage_points[i], &machine, 0);
	}
	if (result == 0 && vantage_count)
		(void)sim_run(sim, TIME_NEVER);
	sim_free(sim);
	free(surveyors);
	return result;
}
