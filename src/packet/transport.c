/* Layer 4: UDP (RFC 768), UDP-Lite (RFC 3828), TCP and ICMP behind one face. */
#include "packet/wire.h"

#include "packet/checksum.h"

static void udp_read(struct cursor *cursor, struct transport *transport)
{
	transport->seen = (uint8_t)MIN(cursor_left(cursor), UDP_HEADER_SIZE);
	transport->source_port = cursor_u16(cursor);
	transport->destination_port = cursor_u16(cursor);
	transport->udp_length = cursor_u16(cursor);
	transport->checksum = cursor_u16(cursor);
}

void transport_read(struct cursor *cursor, const struct ip_header *ip, struct transport *transport)
{
	if (ip->fragment_offset == 0) {
		if (ip->protocol == PROTOCOL_UDP || ip->protocol == PROTOCOL_UDPLITE)
			udp_read(cursor, transport);
		else if (ip->protocol == PROTOCOL_TCP)
			tcp_read(cursor, transport);
		else if (ip_is_icmp(ip))
			icmp_read(cursor, ip->source.family, transport);
	}
	struct cursor payload = cursor_rest(cursor);
	if (cursor_ok(&payload)) {
		transport->payload = payload.data;
		transport->payload_length = payload.length;
	}
}

/* The running sum that the checksum field makes complete. */
static uint64_t pseudo_sum(const struct ip_header *ip, size_t length)
{
	if (ip->protocol == PROTOCOL_ICMP)
		return 0;
	return checksum_pseudo(ip->source, ip_final_destination(ip), ip->protocol, (uint32_t)length);
}

static bool sum_ok(const struct ip_header *ip, struct cursor bytes, size_t pseudo_length)
{
	size_t length = cursor_left(&bytes);
	const uint8_t *data = cursor_bytes(&bytes, length);
	return data && checksum_finish(checksum_add(pseudo_sum(ip, pseudo_length), data, length)) == 0;
}

static bool udp_ok(const struct ip_header *ip, struct cursor bytes)
{
	struct cursor header = bytes;
	size_t length = cursor_left(&bytes);
	cursor_skip(&header, 4);
	uint16_t covered = cursor_u16(&header);
	uint16_t checksum = cursor_u16(&header);
	if (!cursor_ok(&header))
		return false;
	bool lite = ip->protocol == PROTOCOL_UDPLITE;
	if (checksum == 0)
		return !lite && ip->source.family == 4; /* none sent; RFC 8200 8.1, RFC 3828 3.1 forbid it */
	if (lite && covered == 0)
		covered = (uint16_t)length;
	if (covered < UDP_HEADER_SIZE || covered > length)
		return false;
	return sum_ok(ip, cursor_take(&bytes, covered), lite ? length : covered);
}

bool transport_checksum_ok(const struct ip_header *ip, struct cursor bytes)
{
	size_t length = cursor_left(&bytes);
	if (!cursor_ok(&bytes) || ip->fragment_offset != 0 || ip->more_fragments)
		return false;
	if (ip->protocol == PROTOCOL_UDP || ip->protocol == PROTOCOL_UDPLITE)
		return udp_ok(ip, bytes);
	if (ip->protocol == PROTOCOL_TCP)
		return length >= TCP_HEADER_SIZE && sum_ok(ip, bytes, length);
	if (ip_is_icmp(ip))
		return length >= ICMP_HEADER_SIZE && sum_ok(ip, bytes, length);
	return true; /* nothing we know how to check */
}

static bool is_plain_udp(const struct ip_header *ip)
{
	return ip->protocol == PROTOCOL_UDP && ip->fragment_offset == 0;
}

/* Every byte is in the checksum. */
static bool is_whole_udplite(const struct packet_spec *spec)
{
	return spec->ip.protocol == PROTOCOL_UDPLITE && spec->ip.fragment_offset == 0 &&
		spec->transport.udp_length == 0;
}

bool transport_is_writable(const struct packet_spec *spec)
{
	const struct transport *transport = &spec->transport;
	bool icmp = ip_is_icmp(&spec->ip) && spec->ip.fragment_offset == 0;
	if (icmp && !icmp_is_writable(spec))
		return false;
	if (spec->ip.protocol == PROTOCOL_UDPLITE && spec->ip.fragment_offset == 0) {
		size_t covered = transport->udp_length;
		size_t length = UDP_HEADER_SIZE + transport->payload_length;
		if (covered != 0 && (covered < UDP_HEADER_SIZE || covered > length))
			return false;
	}
	if (spec->force_checksum == 0)
		return true;
	uint8_t family = spec->ip.source.family;
	enum icmp_kind kind = icmp_kind_of(family, transport->icmp_type, transport->icmp_code);
	bool echo = icmp && (kind == ICMP_ECHO_REQUEST || kind == ICMP_ECHO_REPLY);
	return transport->payload_length >= 2 && (echo || is_plain_udp(&spec->ip) || is_whole_udplite(spec));
}

static void udp_write(struct writer *writer, const struct packet_spec *spec)
{
	const struct transport *transport = &spec->transport;
	bool lite = spec->ip.protocol == PROTOCOL_UDPLITE;
	writer_u16(writer, transport->source_port);
	writer_u16(writer, transport->destination_port);
	uint16_t length = (uint16_t)(UDP_HEADER_SIZE + transport->payload_length);
	writer_u16(writer, lite ? transport->udp_length : length);
	writer_u16(writer, 0);
}

/* The checksum of the layer-4 bytes from `start` on goes to `offset` bytes after it. */
static void checksum_write(struct writer *writer, const struct packet_spec *spec, size_t start, size_t offset)
{
	if (!writer_ok(writer))
		return;
	size_t length = writer->length - start;
	size_t covered = length;
	if (spec->ip.protocol == PROTOCOL_UDPLITE && spec->transport.udp_length != 0)
		covered = spec->transport.udp_length;
	uint64_t sum = pseudo_sum(&spec->ip, length);
	uint16_t checksum = spec->force_checksum;
	if (checksum != 0) {
		/* The sum with the wanted checksum in its field lacks this word to be complete. */
		size_t last = start + (length - 2) / 2 * 2; /* the last word that starts at an even place */
		writer_set_u16(writer, last, 0);
		sum = checksum_add(sum, writer->data + start, covered);
		writer_set_u16(writer, last, checksum_finish(sum + checksum));
	} else {
		checksum = checksum_finish(checksum_add(sum, writer->data + start, covered));
		if (checksum == 0 && !ip_is_icmp(&spec->ip) && spec->ip.protocol != PROTOCOL_TCP)
			checksum = 0xffff; /* RFC 768: zero would say "none" */
	}
	writer_set_u16(writer, start + offset, checksum);
}

void transport_write(struct writer *writer, const struct packet_spec *spec)
{
	size_t start = writer->length;
	size_t checksum_offset = 0;
	if (spec->ip.fragment_offset == 0) {
		if (ip_is_icmp(&spec->ip)) {
			icmp_write(writer, spec);
			checksum_write(writer, spec, start, 2);
			return;
		}
		if (spec->ip.protocol == PROTOCOL_UDP || spec->ip.protocol == PROTOCOL_UDPLITE) {
			udp_write(writer, spec);
			checksum_offset = 6;
		} else if (spec->ip.protocol == PROTOCOL_TCP) {
			tcp_write(writer, &spec->transport);
			checksum_offset = 16;
		}
	}
	writer_bytes(writer, spec->transport.payload, spec->transport.payload_length);
	if (checksum_offset != 0)
		checksum_write(writer, spec, start, checksum_offset);
}
