#include "revtr/agent_packet.h"

#define MAGIC		0x72747670u /* "rtvp" */
#define CHALLENGE	0x72747663u /* "rtvc" */
#define PAYLOAD_LENGTH	24
#define UDP_PAYLOAD	8
#define UDP_LENGTH	(8 + UDP_PAYLOAD)
#define TOP		0x8000u /* set in both ports and in the IPv4 identification: high ports, and never 0 */
#define PORT_BITS	15
#define UDP_UNREACHABLE 3 /* RFC 792: port unreachable */

/* ---- the mark in the headers of a UDP packet */

/* RFC 768: a checksum of zero says that there is none. */
static uint16_t checksum_of(uint64_t tag)
{
	return (uint16_t)tag ? (uint16_t)tag : UINT16_MAX;
}

static uint16_t id_of(uint32_t task, uint64_t tag)
{
	return (uint16_t)(TOP | (task >> 2 * PORT_BITS & 1) << 14 | (tag >> 16 & 0x3fff));
}

static void mark_udp(const struct agent_order *order, struct packet_spec *spec)
{
	spec->ip.protocol = PROTOCOL_UDP;
	spec->ip.id = id_of(order->task.id, order->tag);
	spec->transport = (struct transport){
		.source_port = (uint16_t)(TOP | (order->task.id >> PORT_BITS & (TOP - 1))),
		.destination_port = (uint16_t)(TOP | (order->task.id & (TOP - 1))),
	};
	spec->force_checksum = checksum_of(order->tag);
}

static bool udp_mark(const struct packet *packet, struct agent_mark *mark)
{
	const struct transport *udp = &packet->quoted;
	const struct ip_header *ip = &packet->quoted_ip;
	if (udp->seen < 8 || udp->udp_length != UDP_LENGTH ||
		!(udp->source_port & udp->destination_port & ip->id & TOP) ||
		!addr_equal(ip->source, packet->ip.destination))
		return false; /* somebody's traceroute */
	*mark = (struct agent_mark){
		.task = (uint32_t)(ip->id >> 14 & 1) << 2 * PORT_BITS |
			(uint32_t)(udp->source_port & (TOP - 1)) << PORT_BITS |
			(udp->destination_port & (TOP - 1)),
		.target = ip->destination,
		.tag = (uint64_t)(ip->id & 0x3fff) << 16 | udp->checksum,
		.by_udp = true,
		.list = &ip->route,
	};
	return true;
}

/* ---- the mark in a payload */

static void write_payload(const struct agent_order *order, struct writer *content)
{
	bool challenge = order->task.probe == REVTR_CHALLENGE;
	writer_u32(content, challenge ? CHALLENGE : MAGIC);
	if (order->task.probe == REVTR_RR_UDP) {
		writer_zeros(content, UDP_PAYLOAD - 4); /* the last two make the checksum come out */
		return;
	}
	writer_u32(content, order->task.id);
	if (challenge)
		writer_zeros(content, 4);
	else
		writer_addr(content, order->task.target);
	writer_zeros(content, 4);
	writer_u64(content, order->tag);
}

static bool ping_mark(const struct packet *packet, struct agent_mark *mark)
{
	struct cursor cursor = cursor_init(packet->transport.payload, packet->transport.payload_length);
	bool ours = cursor_u32(&cursor) == MAGIC;
	*mark = (struct agent_mark){.list = &packet->ip.route};
	mark->task = cursor_u32(&cursor);
	mark->target = cursor_addr(&cursor, 4);
	cursor_skip(&cursor, 4);
	mark->tag = cursor_u64(&cursor);
	return ours && cursor_ok(&cursor);
}

/* ---- packets */

static void write_options(const struct revtr_task *task, struct ip_header *ip)
{
	if (task->probe == REVTR_TS_PING) {
		ip->timestamp = (struct timestamp_option){.present = true,
			.flag = 3,
			.slots = (uint8_t)MIN(task->listed_count, REVTR_LISTED_MAX)};
		for (unsigned i = 0; i < ip->timestamp.slots; i++)
			ip->timestamp.addrs[i] = task->listed[i];
	} else if (task->probe != REVTR_CHALLENGE && task->probe != REVTR_PING) {
		ip->route =
			(struct route_option){.present = true, .type = 7, .slots = RECORD_ROUTE_SLOTS_MAX};
		for (unsigned i = 0; i < RECORD_ROUTE_SLOTS_MAX; i++)
			ip->route.addrs[i] = addr_v4(0);
	}
}

size_t agent_packet_write(const struct agent_order *order, struct addr own, uint8_t *bytes, size_t size)
{
	uint8_t payload[PAYLOAD_LENGTH];
	struct writer content = writer_init(payload, sizeof(payload));
	struct packet_spec spec = {
		.ip = {.source = order->task.spoofed ? order->source : own,
			.destination = order->task.target,
			.ttl = 64,
			.protocol = PROTOCOL_ICMP},
		.transport = {.icmp_type = ICMP4_ECHO_REQUEST,
			.icmp_id = (uint16_t)(order->task.id >> 16),
			.icmp_seq = (uint16_t)order->task.id},
	};
	write_options(&order->task, &spec.ip);
	if (order->task.probe == REVTR_RR_UDP)
		mark_udp(order, &spec);
	write_payload(order, &content);
	spec.transport.payload = payload;
	spec.transport.payload_length = content.length;
	struct writer writer = writer_init(bytes, size);
	return packet_write(&writer, &spec) == 0 ? writer.length : 0;
}

bool agent_packet_mark(const struct packet *packet, struct agent_mark *mark)
{
	const struct transport *icmp = &packet->transport;
	if (packet->ip.protocol != PROTOCOL_ICMP)
		return false;
	if (icmp->icmp_kind == ICMP_ECHO_REPLY)
		return ping_mark(packet, mark);
	return icmp->icmp_kind == ICMP_UNREACHABLE && icmp->icmp_code == UDP_UNREACHABLE &&
		packet->has_quote && packet->quoted_ip.protocol == PROTOCOL_UDP && udp_mark(packet, mark);
}

bool agent_mark_true(const struct agent_mark *mark, uint64_t tag)
{
	if (!mark->by_udp)
		return mark->tag == tag;
	return mark->tag == ((tag >> 16 & 0x3fff) << 16 | checksum_of(tag));
}

bool agent_packet_challenge(const struct packet *packet, uint32_t *task, uint64_t *nonce)
{
	struct cursor cursor = cursor_init(packet->transport.payload, packet->transport.payload_length);
	if (packet->ip.protocol != PROTOCOL_ICMP || packet->transport.icmp_kind != ICMP_ECHO_REQUEST)
		return false;
	bool ours = cursor_u32(&cursor) == CHALLENGE;
	*task = cursor_u32(&cursor);
	cursor_skip(&cursor, 8);
	*nonce = cursor_u64(&cursor);
	return ours && cursor_ok(&cursor) && *task != 0;
}
