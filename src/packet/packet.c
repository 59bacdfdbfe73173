/* Whole packets: the layers put together. */
#include "packet/packet.h"

#include <errno.h>

#include "packet/checksum.h"
#include "packet/wire.h"

static bool ipv4_header_ok(const uint8_t *bytes, const struct ip_header *ip)
{
	return checksum_finish(checksum_add(0, bytes, ip->header_length)) == 0;
}

/* UDP's own length may be less than what IP carries; the rest is not payload (RFC 768). */
static void udp_clip(struct packet *packet)
{
	struct transport *transport = &packet->transport;
	if (packet->ip.protocol == PROTOCOL_UDP && transport->udp_length >= UDP_HEADER_SIZE)
		transport->payload_length =
			MIN(transport->payload_length, transport->udp_length - (size_t)UDP_HEADER_SIZE);
}

static void upper_read(struct cursor *cursor, struct packet *packet)
{
	transport_read(cursor, &packet->ip, &packet->transport);
	udp_clip(packet);
	if (ip_is_icmp(&packet->ip) && icmp_kind_is_error(packet->transport.icmp_kind))
		quote_read(packet);
}

int packet_read(const uint8_t *bytes, size_t length, struct packet *packet)
{
	*packet = (struct packet){0};
	if (length == 0)
		return -EBADMSG;
	struct cursor cursor = cursor_init(bytes, length);
	uint8_t family = bytes[0] >> 4;
	if ((family != 4 && family != 6) || ip_read(&cursor, family, &packet->ip, true) != 0)
		return -EBADMSG;
	packet->checksum_ok = packet->ip.total_length <= length &&
		transport_checksum_ok(&packet->ip, cursor) &&
		(family == 6 || ipv4_header_ok(bytes, &packet->ip));
	upper_read(&cursor, packet);
	return 0;
}

int packet_read_transport(
	const struct ip_header *ip, const uint8_t *bytes, size_t length, struct packet *packet)
{
	uint8_t family = ip->source.family;
	*packet = (struct packet){.ip = *ip};
	packet->ip.fragment_offset = 0;
	packet->ip.more_fragments = false;
	struct cursor cursor = cursor_init(bytes, length);
	if (family == 6)
		ipv6_extensions_read(&cursor, &packet->ip);
	if ((family != 4 && family != 6) ||
		(ip_is_icmp(&packet->ip) && cursor_left(&cursor) < ICMP_HEADER_SIZE))
		return -EBADMSG;
	packet->checksum_ok = transport_checksum_ok(&packet->ip, cursor);
	upper_read(&cursor, packet);
	return 0;
}

int packet_read_icmp(const struct ip_header *ip, const uint8_t *bytes, size_t length, struct packet *packet)
{
	struct ip_header icmp = *ip;
	icmp.protocol = ip->source.family == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
	return packet_read_transport(&icmp, bytes, length, packet);
}

static bool is_writable(const struct packet_spec *spec)
{
	const struct ip_header *ip = &spec->ip;
	uint8_t family = ip->source.family;
	if (ip->destination.family != family || (family != 4 && family != 6))
		return false;
	const struct transport *transport = &spec->transport;
	bool missing = transport->payload_length > 0 && !transport->payload;
	if (transport->payload_length > PACKET_SIZE_MAX || missing)
		return false;
	return (family == 4 ? ipv4_is_writable(ip) : ipv6_is_writable(ip)) && transport_is_writable(spec);
}

int packet_write(struct writer *writer, const struct packet_spec *spec)
{
	size_t start = writer->length;
	bool v4 = spec->ip.source.family == 4;
	if (!is_writable(spec))
		return -EINVAL;
	if (v4)
		ipv4_write(writer, &spec->ip);
	else
		ipv6_write(writer, &spec->ip);
	transport_write(writer, spec);
	if (!writer_ok(writer))
		return -ENOBUFS;
	if (writer->length - start > PACKET_SIZE_MAX) {
		writer->length = start;
		return -EINVAL;
	}
	if (v4)
		ipv4_finish(writer, start);
	else
		ipv6_finish(writer, start);
	return 0;
}
