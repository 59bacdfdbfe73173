#include "trace/inband.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "trace/result.h"

#define WATCH_NS      (3 * NS_PER_S)
#define WINDOW	      12  /* hop limits at once where nothing tells how far the end is */
#define WINDOW_BEYOND 3	  /* and beyond a guess: the way back may be longer than the way there */
#define SURE_MAX      20u /* every hop up to the guess gets all its probes at once, but no more than so many */
#define SEARCH_HOPS   6	  /* beyond the last hop that answered */
#define ECN_BITS      0x03

void inband_init(struct inband *inband, const struct inband_config *config)
{
	memset(inband, 0, sizeof(*inband));
	inband->config = *config;
	inband->watched_ns = TIME_NEVER;
	inband_flow_init(
		&inband->flow, config->local, config->local_port, config->remote, config->remote_port);
}

void inband_deinit(struct inband *inband)
{
	trace_deinit(&inband->trace);
	trace_deinit(&inband->search);
}

/* ---- from watching to tracing ---- */

static struct trace_config trace_config_of(const struct inband *inband)
{
	const struct inband_config *config = &inband->config;
	struct trace_config trace = trace_defaults();
	trace.protocol = PROBE_TCP;
	trace.source = config->local;
	trace.destination = config->remote;
	trace.flow = (struct flow){.source_port = config->local_port,
		.destination_port = config->remote_port,
		.flow_label = inband->mould.ip.flow_label};
	trace.tos = inband->mould.ip.tos;
	trace.key = config->key;
	trace.max_ttl = config->max_ttl ? config->max_ttl : trace.max_ttl;
	trace.probes_per_hop = config->probes_per_hop ? config->probes_per_hop : trace.probes_per_hop;
	/* The way back is about as long as the way there. */
	unsigned distance = inband->flow.remote_ttl ? result_hops_travelled(inband->flow.remote_ttl) : 0;
	trace.window = distance ? distance + WINDOW_BEYOND : WINDOW;
	trace.sure = MIN(distance, SURE_MAX);
	return trace;
}

/* What all probes have in common. */
static void make_mould(struct inband *inband)
{
	const struct inband_flow *flow = &inband->flow;
	inband->mould = (struct packet_spec){
		.ip =
			{
				.source = flow->local,
				.destination = flow->remote,
				.tos = (uint8_t)(flow->ip.tos & ~ECN_BITS),
				.protocol = PROTOCOL_TCP,
				.dont_fragment = flow->local.family == 4,
				.flow_label = flow->ip.flow_label,
			},
		.transport =
			{
				.source_port = flow->local_port,
				.destination_port = flow->remote_port,
				.tcp_acknowledgement = flow->tcp.tcp_acknowledgement,
				.tcp_flags = TCP_ACK,
				.tcp_window = flow->tcp.tcp_window,
				.tcp_has_timestamps = flow->tcp.tcp_has_timestamps,
				.tcp_timestamp_value = flow->tcp.tcp_timestamp_value,
				.tcp_timestamp_echo = flow->tcp.tcp_timestamp_echo,
				.payload_length = 1,
			},
	};
}

static void begin(struct inband *inband)
{
	inband->anchor = inband->flow.acked_to;
	inband->room = MIN(inband_flow_history(&inband->flow), (uint32_t)INBAND_PROBES_MAX);
	make_mould(inband);
	struct trace_config config = trace_config_of(inband);
	trace_init(&inband->trace, &config);
	inband->phase = INBAND_TRACING;
}

static void watch(struct inband *inband, int64_t now_ns, int64_t *wake_ns)
{
	if (inband->watched_ns == TIME_NEVER)
		inband->watched_ns = now_ns;
	int64_t deadline_ns =
		inband->watched_ns + (inband->config.wait_ns ? inband->config.wait_ns : WATCH_NS);
	uint32_t history = inband_flow_history(&inband->flow);
	*wake_ns = deadline_ns;
	if (history >= INBAND_PROBES_MAX || (now_ns >= deadline_ns && history >= INBAND_PROBES_MIN))
		begin(inband);
	else if (now_ns >= deadline_ns)
		inband->phase = INBAND_OVER;
}

/* ---- the end that does not name duplicates ---- */

static unsigned beyond_answers(const struct inband *inband)
{
	return inband->trace.highest + 1;
}

/* One probe at a time, from behind the last hop that answered. */
static void begin_search(struct inband *inband)
{
	struct trace_config config = inband->trace.config;
	config.first_ttl = beyond_answers(inband);
	config.max_ttl = MIN(config.first_ttl + SEARCH_HOPS - 1, inband->trace.config.max_ttl);
	config.window = 1;
	config.sure = 0;
	config.simultaneous = 1;
	config.probes_per_hop = 1;
	config.rtt_hint_ns = MAX(0, inband->trace.rtt_max_ns);
	trace_init(&inband->search, &config);
	inband->searched_from = inband->numbers + 1;
	inband->phase = INBAND_SEARCHING;
}

static bool deserves_search(const struct inband *inband)
{
	return inband->phase == INBAND_TRACING && inband->unnamed > 0 && inband->trace.end == 0 &&
		beyond_answers(inband) <= inband->trace.config.max_ttl;
}

/* ---- sending ---- */

static struct trace *current(struct inband *inband)
{
	return inband->phase == INBAND_SEARCHING ? &inband->search : &inband->trace;
}

static bool is_current(const struct inband *inband, unsigned number)
{
	unsigned first = inband->phase == INBAND_SEARCHING ? inband->searched_from : 1;
	return number >= first && number <= inband->numbers;
}

/* The trace's probe becomes one of the connection. 0 or negative errno. */
static int dress(struct inband *inband, struct outgoing *outgoing)
{
	struct packet plain;
	if (inband->numbers >= inband->room)
		return -ENOBUFS;
	int code = packet_read(outgoing->bytes, outgoing->length, &plain);
	if (code < 0)
		return code;
	unsigned number = ++inband->numbers;
	inband->probes[number].sequence = plain.transport.tcp_sequence;
	inband->probes[number].token = outgoing->token;
	struct packet_spec spec = inband->mould;
	spec.ip.ttl = plain.ip.ttl;
	spec.ip.id = plain.ip.id;
	spec.transport.tcp_sequence = inband->anchor - number;
	spec.transport.payload = inband_flow_byte(&inband->flow, inband->anchor - number);
	struct writer writer = writer_init(outgoing->bytes, sizeof(outgoing->bytes));
	code = packet_write(&writer, &spec);
	outgoing->length = writer.length;
	outgoing->token = number;
	return code;
}

static enum machine_want trace_on(
	struct inband *inband, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct machine machine = trace_machine(current(inband));
	enum machine_want want;
	while ((want = machine.ops->next(machine.self, now_ns, outgoing, wake_ns)) == MACHINE_SEND) {
		uint32_t token = outgoing->token;
		int code = dress(inband, outgoing);
		if (code == 0)
			break;
		machine.ops->sent(machine.self, token, now_ns, code); /* it gives up when this goes on */
	}
	return want;
}

static enum machine_want inband_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct inband *inband = self;
	*wake_ns = TIME_NEVER;
	if (inband->flow.closed)
		inband->phase = INBAND_OVER;
	if (inband->phase == INBAND_WATCHING)
		watch(inband, now_ns, wake_ns);
	while (inband->phase == INBAND_TRACING || inband->phase == INBAND_SEARCHING) {
		enum machine_want want = trace_on(inband, now_ns, outgoing, wake_ns);
		if (want != MACHINE_DONE)
			return want;
		if (deserves_search(inband))
			begin_search(inband);
		else
			inband->phase = INBAND_OVER;
	}
	return inband->phase == INBAND_OVER ? MACHINE_DONE : MACHINE_WAIT;
}

static void inband_sent(void *self, uint32_t number, int64_t sent_ns, int error)
{
	struct inband *inband = self;
	struct machine machine = trace_machine(current(inband));
	if (is_current(inband, number))
		machine.ops->sent(machine.self, inband->probes[number].token, sent_ns, error);
}

/* ---- reading ---- */

/* The number of the probe with this sequence number, 0 = none. */
static unsigned number_of(const struct inband *inband, uint32_t sequence)
{
	uint32_t number = inband->anchor - sequence;
	return number <= inband->numbers && is_current(inband, number) ? number : 0;
}

/* The answer to a probe, as the trace expects it. */
static void hand_over(
	struct inband *inband, unsigned number, int64_t received_ns, const struct packet *packet)
{
	struct machine machine = trace_machine(current(inband));
	struct packet plain = *packet;
	uint32_t sequence = inband->probes[number].sequence;
	if (packet->has_quote) {
		/* A translator on the way may have left its own view in the quote. */
		plain.quoted_ip.source = inband->flow.local;
		plain.quoted_ip.destination = inband->flow.remote;
		plain.quoted.destination_port = inband->flow.remote_port;
		plain.quoted.tcp_sequence = sequence;
	} else {
		plain.transport.tcp_acknowledgement = sequence + 1; /* as of a SYN */
	}
	machine.ops->packet(machine.self, received_ns, &plain);
}

/* The far end's ports may have been translated; ours and the numbers have not. */
static void read_quote(struct inband *inband, int64_t received_ns, const struct packet *packet)
{
	const struct transport *quoted = &packet->quoted;
	unsigned number = number_of(inband, quoted->tcp_sequence);
	if (packet->quoted_ip.protocol != PROTOCOL_TCP || packet->quoted_ip.fragment_offset != 0 ||
		quoted->seen < 8 || quoted->source_port != inband->flow.local_port || number == 0)
		return;
	if (quoted->seen >= 12 && quoted->tcp_acknowledgement != inband->mould.transport.tcp_acknowledgement)
		return;
	hand_over(inband, number, received_ns, packet);
}

/* A segment that has nothing to say but what it acknowledged before. */
static bool is_duplicate(const struct packet *packet, uint32_t acked_before)
{
	const struct transport *tcp = &packet->transport;
	return tcp->tcp_flags == TCP_ACK && tcp->payload_length == 0 &&
		tcp->tcp_acknowledgement == acked_before;
}

static void read_acknowledgement(
	struct inband *inband, int64_t received_ns, const struct packet *packet, uint32_t acked_before)
{
	const struct transport *tcp = &packet->transport;
	unsigned number = 0;
	if (tcp->tcp_acknowledgement != inband->flow.acked_to)
		return; /* late, or a stranger's */
	/* RFC 2883 4: a first block below the acknowledgement names a duplicate. */
	if (tcp->tcp_has_sack && tcp->tcp_sack_right == tcp->tcp_sack_left + 1)
		number = number_of(inband, tcp->tcp_sack_left);
	if (number == 0 && !tcp->tcp_has_sack && is_duplicate(packet, acked_before)) {
		inband->unnamed++;
		/* The one that waits: those before it had their time. */
		number = inband->phase == INBAND_SEARCHING && is_current(inband, inband->numbers)
			? inband->numbers
			: 0;
	}
	if (number != 0)
		hand_over(inband, number, received_ns, packet);
}

static void inband_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct inband *inband = self;
	enum inband_side side = inband_flow_side(&inband->flow, packet);
	bool tracing = inband->phase == INBAND_TRACING || inband->phase == INBAND_SEARCHING;
	uint32_t acked_before = inband->flow.acked_to;
	if (side == INBAND_FOREIGN) {
		if (tracing && packet->has_quote)
			read_quote(inband, received_ns, packet);
		return;
	}
	inband_flow_note(&inband->flow, packet);
	unsigned number =
		tracing && side == INBAND_OURS ? number_of(inband, packet->transport.tcp_sequence) : 0;
	if (number != 0)
		inband_sent(inband, number, received_ns, 0); /* when it really left */
	else if (tracing && side == INBAND_THEIRS)
		read_acknowledgement(inband, received_ns, packet, acked_before);
}

struct machine inband_machine(struct inband *inband)
{
	static const struct machine_ops ops = {
		.next = inband_next, .sent = inband_sent, .packet = inband_packet};
	return (struct machine){.ops = &ops, .self = inband};
}

/* ---- telling ---- */

const char *inband_trouble(const struct inband *inband)
{
	if (inband->flow.closed)
		return "the connection was closed before the trace was over";
	if (inband->phase == INBAND_OVER && inband->numbers == 0)
		return inband->flow.sent ? "the far end did not acknowledge enough to repeat"
					 : "no packet of the connection was seen";
	return inband->numbers > 0 && inband->numbers == inband->room ? "there were no more bytes to repeat"
								      : NULL;
}

/* What the search found takes the place of what the trace did not. */
static int add_search(const struct inband *inband, struct path *path, int64_t now_ns)
{
	struct path *rest = trace_path(&inband->search, path->started_wall_ns, now_ns);
	if (!rest)
		return -ENOMEM;
	int code = 0;
	if (rest->reached) {
		path->reached = true;
		path->stop_reason = STOP_REACHED;
		code = path_join(path, beyond_answers(inband) - inband->trace.config.first_ttl, rest);
	}
	path->duration_ns += rest->duration_ns;
	path->probes_sent += rest->probes_sent;
	path->replies_received += rest->replies_received;
	path_free(rest);
	return code;
}

struct path *inband_path(const struct inband *inband, int64_t wall_ns, int64_t now_ns)
{
	if (inband->numbers == 0)
		return NULL;
	const struct trace *trace = &inband->trace;
	struct path *path = trace_path(trace, wall_ns + trace->started_ns - inband->watched_ns, now_ns);
	char *method = strdup("inband");
	if (!path || !method)
		goto fail;
	free(path->method);
	path->method = method;
	if (inband->searched_from != 0 && add_search(inband, path, now_ns) < 0) {
		path_free(path);
		return NULL;
	}
	path->direction = DIRECTION_REVERSE;
	for (size_t i = 0; i < path->hop_count; i++)
		path->hops[i].technique = TECHNIQUE_INBAND;
	if (inband->flow.closed && path->stop_reason != STOP_REACHED)
		path->stop_reason = STOP_INTERRUPTED;
	return path;
fail:
	path_free(path);
	free(method);
	return NULL;
}
