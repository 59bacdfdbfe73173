#include "packet/fragment.h"

#include <string.h>

#include "packet/checksum.h"
#include "packet/wire.h"

#define LENGTH_OFFSET	2
#define ID_OFFSET	4
#define FLAGS_OFFSET	6
#define CHECKSUM_OFFSET 10
/* RFC 791 3.1. */
#define DONT_FRAGMENT  0x4000
#define MORE_FRAGMENTS 0x2000
#define OFFSET_MASK    0x1fff
#define OFFSET_UNIT    8
#define OPTION_COPIED  0x80

static uint16_t get_word(const uint8_t *header, size_t offset)
{
	return (uint16_t)(header[offset] << 8 | header[offset + 1]);
}

static void set_word(uint8_t *header, size_t offset, size_t value)
{
	header[offset] = (uint8_t)(value >> 8);
	header[offset + 1] = (uint8_t)value;
}

static void set_checksum(uint8_t *header, size_t header_length)
{
	set_word(header, CHECKSUM_OFFSET, 0);
	set_word(header, CHECKSUM_OFFSET, checksum_finish(checksum_add(0, header, header_length)));
}

/* Padding instead of what belongs into the first fragment only. */
static void blank_options(uint8_t *header, size_t header_length)
{
	struct cursor options = cursor_init(header, header_length);
	struct ipv4_option option;
	cursor_skip(&options, IPV4_HEADER_SIZE);
	while (ipv4_option_next(&options, &option))
		if (!(option.type & OPTION_COPIED))
			memset(header + option.offset, IPV4_OPTION_NOP, cursor_left(&option.data) + 2);
}

size_t fragment_cut(const uint8_t *packet, size_t length, size_t mtu, size_t *done, uint8_t *piece)
{
	if (length < IPV4_HEADER_SIZE || packet[0] >> 4 != 4)
		return 0;
	size_t header = (packet[0] & 15u) * 4u;
	uint16_t flags = get_word(packet, FLAGS_OFFSET);
	if (header < IPV4_HEADER_SIZE || header > length || header + OFFSET_UNIT > mtu ||
		(flags & DONT_FRAGMENT) || *done >= length - header)
		return 0;
	size_t left = length - header - *done, take = left;
	if (header + left > mtu)
		take = (mtu - header) / OFFSET_UNIT * OFFSET_UNIT;
	memcpy(piece, packet, header);
	memcpy(piece + header, packet + header + *done, take);
	if (*done > 0)
		blank_options(piece, header);
	size_t offset = (flags & OFFSET_MASK) + *done / OFFSET_UNIT;
	bool more = take < left || (flags & MORE_FRAGMENTS);
	set_word(piece, LENGTH_OFFSET, header + take);
	set_word(piece, FLAGS_OFFSET, (offset & OFFSET_MASK) | (more ? MORE_FRAGMENTS : 0));
	set_checksum(piece, header);
	*done += take;
	return header + take;
}

uint16_t fragment_id(const uint8_t *packet, size_t length)
{
	return length >= IPV4_HEADER_SIZE && packet[0] >> 4 == 4 ? get_word(packet, ID_OFFSET) : 0;
}

bool fragment_finish(uint8_t *packet, size_t header_length, size_t length)
{
	if (header_length < IPV4_HEADER_SIZE || header_length > length || length > PACKET_SIZE_MAX)
		return false;
	set_word(packet, LENGTH_OFFSET, length);
	set_word(packet, FLAGS_OFFSET, 0);
	set_checksum(packet, header_length);
	return true;
}
