#include "trace/inband_flow.h"

#include <string.h>

#include "base/compiler.h"

/* RFC 9293 3.4: sequence numbers are compared modulo 2^32. */
static bool is_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

void inband_flow_init(struct inband_flow *flow, struct addr local, uint16_t local_port, struct addr remote,
	uint16_t remote_port)
{
	memset(flow, 0, sizeof(*flow));
	flow->local = local;
	flow->local_port = local_port;
	flow->remote = remote;
	flow->remote_port = remote_port;
}

enum inband_side inband_flow_side(const struct inband_flow *flow, const struct packet *packet)
{
	const struct ip_header *ip = &packet->ip;
	const struct transport *tcp = &packet->transport;
	if (ip->protocol != PROTOCOL_TCP || tcp->seen < 20)
		return INBAND_FOREIGN;
	if (addr_equal(ip->source, flow->local) && addr_equal(ip->destination, flow->remote) &&
		tcp->source_port == flow->local_port && tcp->destination_port == flow->remote_port)
		return INBAND_OURS;
	if (addr_equal(ip->source, flow->remote) && addr_equal(ip->destination, flow->local) &&
		tcp->source_port == flow->remote_port && tcp->destination_port == flow->local_port)
		return INBAND_THEIRS;
	return INBAND_FOREIGN;
}

/* Bytes of the stream in a packet, of which fewer may have been captured. */
static uint32_t payload_claimed(const struct packet *packet)
{
	uint32_t headers = (uint32_t)packet->ip.header_length + packet->transport.seen;
	return packet->ip.total_length > headers ? packet->ip.total_length - headers : 0;
}

static void keep(struct inband_flow *flow, uint32_t sequence, const uint8_t *bytes, uint32_t count)
{
	uint32_t skip = count > INBAND_STREAM_BYTES ? count - INBAND_STREAM_BYTES : 0;
	for (uint32_t i = skip; i < count; i++)
		flow->stream[(sequence + i) % INBAND_STREAM_BYTES] = bytes[i];
}

/* A segment that begins where the last one ended, or not, when some were missed. */
static void note_data(struct inband_flow *flow, const struct packet *packet, uint32_t length)
{
	const struct transport *tcp = &packet->transport;
	uint32_t end = tcp->tcp_sequence + length;
	if (!flow->sent || is_before(flow->sent_to, tcp->tcp_sequence))
		flow->kept_from = tcp->tcp_sequence;
	if (tcp->payload_length < length)
		flow->kept_from = end; /* cut off: its bytes are not known */
	else
		keep(flow, tcp->tcp_sequence, tcp->payload, length);
	flow->sent_to = end;
	if (end - flow->kept_from > INBAND_STREAM_BYTES)
		flow->kept_from = end - INBAND_STREAM_BYTES;
}

static void note_ours(struct inband_flow *flow, const struct packet *packet)
{
	const struct transport *tcp = &packet->transport;
	uint32_t length = payload_claimed(packet);
	if (tcp->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)) {
		flow->closed |= !(tcp->tcp_flags & TCP_SYN);
		return;
	}
	if (flow->sent && is_before(tcp->tcp_sequence + length, flow->sent_to))
		return; /* a repetition */
	if (length > 0 && (!flow->sent || tcp->tcp_sequence + length != flow->sent_to))
		note_data(flow, packet, length);
	else if (!flow->sent)
		flow->kept_from = flow->sent_to = tcp->tcp_sequence;
	flow->sent = true;
	flow->ip = packet->ip;
	flow->tcp = *tcp;
	flow->tcp.payload = NULL;
	flow->tcp.payload_length = 0;
}

/* Would a reset be taken for one of this connection? (RFC 9293 3.10.7.4: it must lie in the window. The
 * kernel is stricter, RFC 5961 3.2; here all that can be forged is an early end of a trace.) */
static bool in_window(const struct inband_flow *flow, uint32_t sequence)
{
	return sequence - flow->tcp.tcp_acknowledgement <= UINT16_MAX;
}

static void note_theirs(struct inband_flow *flow, const struct packet *packet)
{
	const struct transport *tcp = &packet->transport;
	if (!flow->sent)
		return;
	if (tcp->tcp_flags & (TCP_RST | TCP_FIN) && in_window(flow, tcp->tcp_sequence))
		flow->closed = true;
	uint32_t from = flow->acknowledged ? flow->acked_to : flow->kept_from;
	if (!(tcp->tcp_flags & TCP_ACK) || is_before(tcp->tcp_acknowledgement, from) ||
		is_before(flow->sent_to, tcp->tcp_acknowledgement))
		return;
	flow->acknowledged = true;
	flow->acked_to = tcp->tcp_acknowledgement;
	flow->remote_ttl = packet->ip.ttl;
}

void inband_flow_note(struct inband_flow *flow, const struct packet *packet)
{
	enum inband_side side = inband_flow_side(flow, packet);
	if (side == INBAND_OURS)
		note_ours(flow, packet);
	else if (side == INBAND_THEIRS)
		note_theirs(flow, packet);
}

uint32_t inband_flow_history(const struct inband_flow *flow)
{
	return flow->acknowledged && is_before(flow->kept_from, flow->acked_to)
		? flow->acked_to - flow->kept_from
		: 0;
}

const uint8_t *inband_flow_byte(const struct inband_flow *flow, uint32_t sequence)
{
	return &flow->stream[sequence % INBAND_STREAM_BYTES];
}
