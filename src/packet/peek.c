#include "packet/peek.h"

#include "packet/checksum.h"
#include "packet/wire.h"

static uint16_t word_at(const uint8_t *bytes, size_t offset)
{
	return (uint16_t)(bytes[offset] << 8 | bytes[offset + 1]);
}

static uint32_t long_at(const uint8_t *bytes, size_t offset)
{
	return (uint32_t)word_at(bytes, offset) << 16 | word_at(bytes, offset + 2);
}

static bool has_flow_word(const struct peek *peek)
{
	switch (peek->protocol) {
	case PROTOCOL_UDP:
	case PROTOCOL_TCP:
	case PROTOCOL_UDPLITE: return peek->fragment_offset == 0;
	case PROTOCOL_ICMP: return peek->fragment_offset == 0 && peek->source.family == 4;
	case PROTOCOL_ICMPV6: return peek->fragment_offset == 0 && peek->source.family == 6;
	default: return false;
	}
}

static bool peek_ipv4(const uint8_t *bytes, size_t length, bool checksum, struct peek *peek)
{
	if (length < IPV4_HEADER_SIZE)
		return false;
	uint16_t fragment = word_at(bytes, 6);
	*peek = (struct peek){
		.source = addr_v4(long_at(bytes, 12)),
		.destination = addr_v4(long_at(bytes, 16)),
		.ttl = bytes[8],
		.tos = bytes[1],
		.protocol = bytes[9],
		.options = (bytes[0] & 15u) > 5,
		.dont_fragment = fragment & 0x4000,
		.more_fragments = fragment & 0x2000,
		.fragment_offset = (uint16_t)((fragment & 0x1fff) * 8),
		.header_length = (uint16_t)((bytes[0] & 15u) * 4u),
		.length = word_at(bytes, 2),
	};
	if (peek->header_length < IPV4_HEADER_SIZE || peek->length < peek->header_length ||
		peek->length > length)
		return false;
	return !checksum || checksum_finish(checksum_add(0, bytes, peek->header_length)) == 0;
}

/* Extension headers are rare; then the whole header is read. */
static bool peek_extended(const uint8_t *bytes, size_t length, struct peek *peek)
{
	struct cursor cursor = cursor_init(bytes, length);
	struct ip_header ip = {0};
	if (ipv6_read(&cursor, &ip, true) < 0 || ip.header_length > length)
		return false;
	peek->protocol = ip.protocol;
	peek->more_fragments = ip.more_fragments;
	peek->fragment_offset = ip.fragment_offset;
	peek->header_length = ip.header_length;
	return true;
}

static bool peek_ipv6(const uint8_t *bytes, size_t length, struct peek *peek)
{
	if (length < IPV6_HEADER_SIZE)
		return false;
	*peek = (struct peek){
		.source = addr_from_bytes(6, bytes + 8),
		.destination = addr_from_bytes(6, bytes + 24),
		.ttl = bytes[7],
		.tos = (uint8_t)(word_at(bytes, 0) >> 4),
		.protocol = bytes[6],
		.dont_fragment = true,
		.header_length = IPV6_HEADER_SIZE,
		.length = IPV6_HEADER_SIZE + word_at(bytes, 4),
		.flow_label = long_at(bytes, 0) & 0xfffff,
	};
	if (peek->length > length)
		return false;
	switch (peek->protocol) {
	case PROTOCOL_HOP_BY_HOP:
	case PROTOCOL_ROUTING:
	case PROTOCOL_FRAGMENT:
	case PROTOCOL_DESTINATION_OPTIONS: return peek_extended(bytes, length, peek);
	default: return true;
	}
}

bool peek_read(const uint8_t *bytes, size_t length, bool checksum, struct peek *peek)
{
	bool readable = length > 0 &&
		(bytes[0] >> 4 == 4 ? peek_ipv4(bytes, length, checksum, peek)
				    : bytes[0] >> 4 == 6 && peek_ipv6(bytes, length, peek));
	if (readable && has_flow_word(peek) && peek->header_length + 4u <= peek->length)
		peek->flow_word = long_at(bytes, peek->header_length);
	return readable;
}
