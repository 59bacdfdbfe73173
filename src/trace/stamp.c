#include "trace/stamp.h"

#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "packet/stamp.h"

#define PATIENCE_MIN_NS (200 * NS_PER_MS) /* at the end, beyond the longest round trip seen */
#define PATIENCE_NS	(500 * NS_PER_MS) /* the least before that, */
#define PATIENCE_RTTS	4		  /* and in round trips */
#define CLOSERS_MAX	4
#define CLOSER_GAP_NS	(50 * NS_PER_MS)
#define RANDOM_BITS	0xffu /* of a timestamp: less than 60 ns */

struct stamp_config stamp_defaults(void)
{
	return (struct stamp_config){
		.destination_port = STAMP_PORT,
		.asks = 1,
		.interval_ns = NS_PER_S,
		.wait_ns = 2 * NS_PER_S,
	};
}

void stamp_init(struct stamp *stamp, const struct stamp_config *config)
{
	memset(stamp, 0, sizeof(*stamp));
	stamp->config = *config;
	stamp->config.asks = MAX(1u, config->asks);
	stamp->rng = rng_seed(config->key.k0 ^ config->key.k1);
	stamp->session = (uint16_t)(rng_below(&stamp->rng, UINT16_MAX) + 1);
	stamp->next_send_ns = INT64_MIN;
	stamp->rtt_max_ns = RTT_NONE;
	stamp_count_init(&stamp->count);
}

void stamp_observe(struct stamp *stamp, stamp_observer *observer, void *context)
{
	stamp->observer = observer;
	stamp->observer_context = context;
}

void stamp_stop(struct stamp *stamp)
{
	stamp->stopping = true;
}

void stamp_hurry(struct stamp *stamp, int64_t wait_ns)
{
	stamp->stopping = true;
	stamp->config.wait_ns = MIN(stamp->config.wait_ns, wait_ns);
}

void stamp_ask_again(struct stamp *stamp)
{
	if (!stamp->silent || stamp->refused)
		return;
	stamp->silent = false;
	stamp->config.asks++;
}

/* ---- sending ---- */

static int64_t patience_ns(const struct stamp *stamp)
{
	int64_t rtt_ns = stamp->rtt_max_ns;
	if (rtt_ns == RTT_NONE)
		return stamp->config.wait_ns;
	/* Too early takes nothing away: a late answer takes it back. */
	int64_t enough_ns = stamp->phase == STAMP_CLOSING ? MAX(2 * rtt_ns, rtt_ns + PATIENCE_MIN_NS)
							  : MAX(PATIENCE_RTTS * rtt_ns, PATIENCE_NS);
	return MIN(stamp->config.wait_ns, enough_ns);
}

/* Far wall clocks are compared with ours as it was at the start, carried on without steps. */
static uint64_t wire_time(const struct stamp *stamp, int64_t at_ns)
{
	return stamp_time(at_ns + stamp->config.wall_offset_ns);
}

static void send(struct stamp *stamp, int64_t now_ns, struct outgoing *outgoing)
{
	const struct stamp_config *config = &stamp->config;
	uint8_t payload[OUTGOING_SIZE_MAX];
	uint64_t wire = (wire_time(stamp, now_ns) & ~(uint64_t)RANDOM_BITS) |
		hash_bytes(config->key, &stamp->count.next_place, sizeof(uint32_t)) % (RANDOM_BITS + 1);
	const struct stamp_packet *packet = stamp_count_send(&stamp->count, now_ns, wire);
	struct stamp_question question = {
		.sequence = stamp_sequence_of(packet->place),
		.sent = wire,
		.error = stamp_error_of(config->synchronised, config->clock_error_ns),
		.session = stamp->session,
		.size = MAX(config->size, (uint16_t)STAMP_SIZE),
	};
	struct writer writer = writer_init(payload, sizeof(payload));
	stamp_question_write(&writer, &question);
	struct packet_spec spec = {
		.ip =
			{
				.source = config->source,
				.destination = config->destination,
				.tos = config->tos,
				.ttl = STAMP_TTL,
				.protocol = PROTOCOL_UDP,
				.flow_label = config->flow_label,
				.id = (uint16_t)wire,
			},
		.transport =
			{
				.source_port = config->source_port,
				.destination_port = config->destination_port,
				.payload = payload,
				.payload_length = writer.length,
			},
	};
	struct writer out = writer_init(outgoing->bytes, sizeof(outgoing->bytes));
	outgoing->token = packet->place;
	outgoing->length = writer_ok(&writer) && packet_write(&out, &spec) == 0 ? out.length : 0;
	stamp->last_sent_ns = now_ns;
}

/* ---- what next ---- */

static bool all_sent(const struct stamp *stamp)
{
	return stamp->stopping || (stamp->config.count > 0 && stamp->count.next_place >= stamp->config.count);
}

static bool all_settled(const struct stamp *stamp)
{
	return stamp->count.settle_place == stamp->count.next_place;
}

/* The last packet was answered, so that nothing is open. */
static bool is_closed(const struct stamp *stamp)
{
	return stamp->count.has_checkpoint && stamp->count.checkpoint + 1 == stamp->count.next_place;
}

static enum machine_want wait_until(int64_t at_ns, int64_t *wake_ns)
{
	*wake_ns = at_ns;
	return MACHINE_WAIT;
}

static enum machine_want done(struct stamp *stamp)
{
	stamp->phase = STAMP_DONE;
	return MACHINE_DONE;
}

static int64_t settled_at_ns(const struct stamp *stamp)
{
	return stamp->last_sent_ns + patience_ns(stamp) + 1;
}

static enum machine_want next_asking(
	struct stamp *stamp, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	unsigned asked = stamp->count.next_place;
	bool enough = asked >= stamp->config.asks || all_sent(stamp);
	bool over = stamp->refused || (enough && all_settled(stamp));
	if (stamp->config.dormant && over && !stamp->stopping) {
		stamp->silent = true;
		return wait_until(TIME_NEVER, wake_ns);
	}
	if (over || (stamp->stopping && asked == 0))
		return done(stamp);
	if (enough)
		return wait_until(settled_at_ns(stamp), wake_ns);
	if (now_ns < stamp->next_send_ns)
		return wait_until(stamp->next_send_ns, wake_ns);
	stamp->next_send_ns = now_ns + MAX(stamp->config.interval_ns, NS_PER_S);
	send(stamp, now_ns, outgoing);
	return MACHINE_SEND;
}

static enum machine_want next_running(
	struct stamp *stamp, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	if (now_ns < stamp->next_send_ns)
		return wait_until(stamp->next_send_ns, wake_ns);
	int64_t interval_ns = stamp->config.interval_ns;
	/* Late calls shift the schedule and are not made up for. */
	stamp->next_send_ns = now_ns + interval_ns - interval_ns / 8 +
		(int64_t)rng_below(&stamp->rng, (uint64_t)interval_ns / 4 + 1);
	send(stamp, now_ns, outgoing);
	return MACHINE_SEND;
}

static enum machine_want next_closing(
	struct stamp *stamp, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	if (!all_settled(stamp))
		return wait_until(settled_at_ns(stamp), wake_ns);
	if (is_closed(stamp) || stamp->closers == CLOSERS_MAX || stamp->count.next_place == 0)
		return done(stamp);
	if (stamp->closers > 0 && now_ns < stamp->last_sent_ns + CLOSER_GAP_NS)
		return wait_until(stamp->last_sent_ns + CLOSER_GAP_NS, wake_ns);
	if (stamp->closers++ == 0)
		stamp_count_close(&stamp->count);
	send(stamp, now_ns, outgoing);
	return MACHINE_SEND;
}

static enum machine_want next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct stamp *stamp = self;
	if (stamp->phase == STAMP_ASKING && stamp->answered) {
		stamp->phase = STAMP_RUNNING;
		stamp->next_send_ns = stamp->last_sent_ns + stamp->config.interval_ns;
	}
	if (stamp->phase == STAMP_RUNNING && all_sent(stamp))
		stamp->phase = STAMP_CLOSING;
	if (stamp->phase == STAMP_DONE)
		return MACHINE_DONE;
	stamp_count_settle(&stamp->count, now_ns - patience_ns(stamp) - 1);
	if (stamp->phase == STAMP_ASKING)
		return next_asking(stamp, now_ns, outgoing, wake_ns);
	return stamp->phase == STAMP_RUNNING ? next_running(stamp, now_ns, outgoing, wake_ns)
					     : next_closing(stamp, now_ns, outgoing, wake_ns);
}

static void sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct stamp *stamp = self;
	struct stamp_packet *packet = stamp_count_packet(&stamp->count, token);
	if (!packet)
		return;
	if (error) {
		packet->fate = STAMP_VOID;
		stamp->send_errors++;
	} else {
		packet->sent_ns = sent_ns;
	}
}

/* ---- answers ---- */

/* Our own clock in the format of the far one. */
static int64_t far_less_near_ns(const struct stamp *stamp, uint64_t far, bool ptp, int64_t near_ns)
{
	int64_t wall_ns = near_ns + stamp->config.wall_offset_ns;
	uint64_t near = ptp ? (uint64_t)(wall_ns / NS_PER_S) << 32 | (uint64_t)(wall_ns % NS_PER_S)
			    : stamp_time(wall_ns);
	return stamp_difference_ns(far, near, ptp);
}

static void note_sample(struct stamp *stamp, const struct stamp_packet *packet,
	const struct stamp_answer *answer, int64_t received_ns)
{
	bool ptp = answer->error.ptp;
	struct stamp_sample sample = {
		.place = packet->place,
		.at_ns = packet->sent_ns,
		.forward_ns = far_less_near_ns(stamp, answer->received, ptp, packet->sent_ns),
		.back_ns = -far_less_near_ns(stamp, answer->sent, ptp, received_ns),
		.residence_ns = stamp_difference_ns(answer->sent, answer->received, ptp),
	};
	stamp->rtt_max_ns = MAX(stamp->rtt_max_ns, received_ns - packet->sent_ns);
	stamp->far_synchronised = answer->error.synchronised;
	stamp->far_ptp = ptp;
	stamp->far_error_ns = stamp_error_ns(answer->error);
	stamp->ttl = answer->question.ttl;
	stamp_samples_add(&stamp->samples, sample);
	if (stamp->observer)
		stamp->observer(stamp->observer_context, &sample);
}

static void take_answer(struct stamp *stamp, int64_t received_ns, const struct transport *transport)
{
	struct cursor payload = cursor_init(transport->payload, transport->payload_length);
	struct stamp_answer answer;
	uint32_t place;
	if (stamp_answer_read(&payload, &answer) < 0 || !stamp_place_of(answer.question.sequence, &place) ||
		(answer.session != stamp->session && answer.session != 0))
		return;
	struct stamp_packet *packet = stamp_count_packet(&stamp->count, place);
	if (!packet || packet->fate == STAMP_VOID || packet->wire != answer.question.sent)
		return;
	stamp->answered = true;
	if (stamp_count_answer(&stamp->count, packet, answer.sequence))
		note_sample(stamp, packet, &answer, received_ns);
}

/* "Port unreachable" about one of our packets, which it must quote far enough to prove it. */
static void take_refusal(struct stamp *stamp, const struct packet *packet)
{
	const struct transport *quoted = &packet->quoted;
	struct cursor payload = cursor_init(quoted->payload, quoted->payload_length);
	uint32_t place, sequence = cursor_u32(&payload);
	uint64_t wire = cursor_u64(&payload);
	if (packet->transport.icmp_kind != ICMP_UNREACHABLE || packet->quoted_ip.protocol != PROTOCOL_UDP ||
		quoted->destination_port != stamp->config.destination_port || !cursor_ok(&payload) ||
		!stamp_place_of(sequence, &place))
		return;
	const struct stamp_packet *sent_packet = stamp_count_packet(&stamp->count, place);
	if (sent_packet && sent_packet->wire == wire)
		stamp->refused = true;
}

static void packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct stamp *stamp = self;
	const struct stamp_config *config = &stamp->config;
	if (packet->has_quote)
		take_refusal(stamp, packet);
	else if (packet->ip.protocol == PROTOCOL_UDP && !packet->ip.fragment_offset &&
		addr_equal(packet->ip.source, config->destination) &&
		packet->transport.source_port == config->destination_port &&
		packet->transport.destination_port == config->source_port)
		take_answer(stamp, received_ns, &packet->transport);
}

struct machine stamp_machine(struct stamp *stamp)
{
	static const struct machine_ops ops = {next, sent, packet};
	return (struct machine){&ops, stamp};
}

/* ---- result ---- */

static enum directions_status status_of(const struct stamp *stamp)
{
	if (stamp->answered)
		return stamp_count_mirrors(&stamp->count) ? DIRECTIONS_ROUND_TRIP : DIRECTIONS_APART;
	if (stamp->refused)
		return DIRECTIONS_REFUSED;
	if (stamp->phase == STAMP_DONE || stamp->silent)
		return DIRECTIONS_SILENT;
	return stamp->count.next_place > 0 ? DIRECTIONS_ASKED : DIRECTIONS_NOT_ASKED;
}

struct directions stamp_directions(const struct stamp *stamp)
{
	const struct stamp_count *count = &stamp->count;
	struct directions directions = directions_none();
	directions.status = status_of(stamp);
	directions.port = stamp->config.destination_port;
	directions.send_errors = stamp->send_errors;
	if (!stamp->answered)
		return directions;
	struct stamp_fates fates = stamp_count_fates(count);
	directions.sent = fates.settled;
	directions.received = fates.settled - fates.forward_lost - fates.reverse_lost - fates.undecided;
	directions.undecided = fates.undecided;
	directions.late = count->late;
	directions.duplicates = count->duplicates;
	directions.restarts = count->restarts;
	directions.ttl = stamp->ttl;
	directions.forward.lost = fates.forward_lost;
	directions.forward.sent = fates.settled - fates.undecided;
	directions.reverse.lost = fates.reverse_lost;
	directions.reverse.sent = directions.forward.sent - fates.forward_lost;
	directions.forward.reordered = count->overtaken_forward;
	directions.reverse.reordered = count->overtaken_back;
	/* Timescales may differ where the formats do: PTP's own has no leap seconds. */
	directions.synchronised = stamp->config.synchronised && stamp->far_synchronised && !stamp->far_ptp;
	if (directions.synchronised)
		directions.clock_error_ns = stamp->config.clock_error_ns + stamp->far_error_ns;
	stamp_samples_delays(&stamp->samples, &directions);
	return directions;
}
