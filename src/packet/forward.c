#include "packet/forward.h"

#include <string.h>

#include "packet/checksum.h"
#include "packet/wire.h"

#define IPV4_TOS_OFFSET	     1
#define IPV4_LENGTH_OFFSET   2
#define IPV4_TTL_OFFSET	     8
#define IPV4_CHECKSUM_OFFSET 10
#define IPV6_NEXT_OFFSET     6
#define IPV6_HOPS_OFFSET     7
#define IPV6_TO_OFFSET	     24
/* Within the Segment Routing Header (RFC 8754 2). */
#define SEGMENT_TYPE_OFFSET  2
#define SEGMENTS_LEFT_OFFSET 3
#define SEGMENT_LIST_OFFSET  8
#define SEGMENT_TYPE	     4
/* Within the route and timestamp options. */
#define POINTER_OFFSET	2
#define OVERFLOW_OFFSET 3

static uint16_t word_at(const uint8_t *header, size_t offset)
{
	return (uint16_t)(header[offset] << 8 | header[offset + 1]);
}

/* One byte of an IPv4 header and what it does to the header's checksum. */
static void set_byte(uint8_t *header, size_t offset, uint8_t value)
{
	size_t word = offset & ~(size_t)1;
	uint16_t old_word = word_at(header, word);
	header[offset] = value;
	uint16_t checksum =
		checksum_update(word_at(header, IPV4_CHECKSUM_OFFSET), old_word, word_at(header, word));
	header[IPV4_CHECKSUM_OFFSET] = (uint8_t)(checksum >> 8);
	header[IPV4_CHECKSUM_OFFSET + 1] = (uint8_t)checksum;
}

static void set_u32(uint8_t *header, size_t offset, uint32_t value)
{
	for (size_t i = 0; i < 4; i++)
		set_byte(header, offset + i, (uint8_t)(value >> (24 - 8 * i)));
}

/* The whole IPv4 header at hand, or 0. */
static size_t ipv4_header_length(const uint8_t *bytes, size_t length)
{
	if (length < IPV4_HEADER_SIZE || bytes[0] >> 4 != 4)
		return 0;
	size_t header_length = (bytes[0] & 15u) * 4u;
	return header_length >= IPV4_HEADER_SIZE && header_length <= length ? header_length : 0;
}

bool forward_set_ttl(uint8_t *bytes, size_t length, uint8_t ttl)
{
	if (ipv4_header_length(bytes, length) > 0) {
		set_byte(bytes, IPV4_TTL_OFFSET, ttl);
		return true;
	}
	if (length < IPV6_HEADER_SIZE || bytes[0] >> 4 != 6)
		return false;
	bytes[IPV6_HOPS_OFFSET] = ttl;
	return true;
}

/* The first option of `type`; its offset becomes one within the header. */
static bool option_find(const uint8_t *bytes, size_t length, uint8_t type, struct ipv4_option *option)
{
	size_t header_length = ipv4_header_length(bytes, length);
	struct cursor options = cursor_init(bytes, header_length);
	cursor_skip(&options, IPV4_HEADER_SIZE);
	while (ipv4_option_next(&options, option))
		if (option->type == type)
			return true;
	return false;
}

bool forward_stamp_route(uint8_t *bytes, size_t length, struct addr addr)
{
	struct ipv4_option option;
	if (addr.family != 4 || !option_find(bytes, length, IPV4_OPTION_RECORD_ROUTE, &option))
		return false;
	uint8_t pointer = cursor_u8(&option.data); /* counts from 1 at the option's type byte */
	cursor_skip(&option.data, pointer - 4u);
	cursor_skip(&option.data, 4);
	if (pointer < 4 || !cursor_ok(&option.data))
		return false;
	set_u32(bytes, option.offset + pointer - 1, (uint32_t)addr.low);
	set_byte(bytes, option.offset + POINTER_OFFSET, (uint8_t)(pointer + 4));
	return true;
}

static bool is_own(struct addr addr, const struct addr *own, size_t own_count)
{
	for (size_t i = 0; i < own_count; i++)
		if (addr_equal(addr, own[i]))
			return true;
	return false;
}

/* RFC 791 3.1: a full option counts those that found no room, up to 15. Not with prespecified addresses,
 * where a full option has done what it was sent for. */
static bool count_overflow(uint8_t *bytes, size_t option_offset, uint8_t flags)
{
	if ((flags & 15) == 3 || flags >> 4 == 15)
		return false;
	set_byte(bytes, option_offset + OVERFLOW_OFFSET, (uint8_t)(flags + 16));
	return true;
}

bool forward_stamp_time(uint8_t *bytes, size_t length, const struct addr *own, size_t own_count,
	struct addr stamp, uint32_t ms)
{
	struct ipv4_option option;
	if (!option_find(bytes, length, IPV4_OPTION_TIMESTAMP, &option))
		return false;
	uint8_t pointer = cursor_u8(&option.data);
	uint8_t flags = cursor_u8(&option.data);
	uint8_t flag = flags & 15;
	if (!cursor_ok(&option.data) || pointer < 5 || (flag != 0 && flag != 1 && flag != 3))
		return false;
	if (pointer - 5u >= cursor_left(&option.data))
		return count_overflow(bytes, option.offset, flags);
	cursor_skip(&option.data, pointer - 5u);
	struct addr listed = flag == 0 ? ADDR_NONE : cursor_addr(&option.data, 4);
	cursor_skip(&option.data, 4);
	if (!cursor_ok(&option.data) || (flag == 1 && stamp.family != 4))
		return false;
	if (flag == 3 && !is_own(listed, own, own_count))
		return false;
	size_t slot = option.offset + pointer - 1;
	if (flag == 1)
		set_u32(bytes, slot, (uint32_t)stamp.low);
	set_u32(bytes, slot + (flag == 0 ? 0 : 4), ms);
	set_byte(bytes, option.offset + POINTER_OFFSET, (uint8_t)(pointer + (flag == 0 ? 4 : 8)));
	return true;
}

size_t forward_strip_options(uint8_t *bytes, size_t length)
{
	size_t header_length = ipv4_header_length(bytes, length);
	if (header_length <= IPV4_HEADER_SIZE)
		return length;
	size_t options = header_length - IPV4_HEADER_SIZE;
	uint16_t total = (uint16_t)(word_at(bytes, IPV4_LENGTH_OFFSET) - options);
	memmove(bytes + IPV4_HEADER_SIZE, bytes + header_length, length - header_length);
	bytes[0] = 0x45;
	bytes[IPV4_LENGTH_OFFSET] = (uint8_t)(total >> 8);
	bytes[IPV4_LENGTH_OFFSET + 1] = (uint8_t)total;
	bytes[IPV4_CHECKSUM_OFFSET] = bytes[IPV4_CHECKSUM_OFFSET + 1] = 0;
	uint16_t checksum = checksum_finish(checksum_add(0, bytes, IPV4_HEADER_SIZE));
	bytes[IPV4_CHECKSUM_OFFSET] = (uint8_t)(checksum >> 8);
	bytes[IPV4_CHECKSUM_OFFSET + 1] = (uint8_t)checksum;
	return length - options;
}

bool forward_mask_tos(uint8_t *bytes, size_t length, uint8_t mask)
{
	if (ipv4_header_length(bytes, length) > 0) {
		set_byte(bytes, IPV4_TOS_OFFSET, bytes[IPV4_TOS_OFFSET] & mask);
		return true;
	}
	if (length < IPV6_HEADER_SIZE || bytes[0] >> 4 != 6)
		return false;
	bytes[0] &= (uint8_t)(0xf0 | mask >> 4); /* RFC 8200 3: the class straddles two bytes */
	bytes[1] &= (uint8_t)((mask & 15) << 4 | 0x0f);
	return true;
}

bool forward_next_segment(uint8_t *bytes, size_t length)
{
	uint8_t *header = bytes + IPV6_HEADER_SIZE;
	if (length < IPV6_HEADER_SIZE + SEGMENT_LIST_OFFSET || bytes[0] >> 4 != 6 ||
		bytes[IPV6_NEXT_OFFSET] != PROTOCOL_ROUTING || header[SEGMENT_TYPE_OFFSET] != SEGMENT_TYPE ||
		header[SEGMENTS_LEFT_OFFSET] == 0)
		return false;
	size_t offset = SEGMENT_LIST_OFFSET + 16u * (header[SEGMENTS_LEFT_OFFSET] - 1u);
	size_t header_length = 8u * (header[1] + 1u);
	if (offset + 16 > header_length || IPV6_HEADER_SIZE + offset + 16 > length)
		return false;
	header[SEGMENTS_LEFT_OFFSET]--;
	memcpy(bytes + IPV6_TO_OFFSET, header + offset, 16);
	return true;
}
