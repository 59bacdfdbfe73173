/* The IPv4 header and its options (RFC 791 3.1). */
#include "packet/wire.h"

#include <errno.h>

#include "packet/checksum.h"

#define OPTIONS_SIZE_MAX 40
#define ROUTE_OVERHEAD	 3 /* type, length, pointer */
#define TIME_OVERHEAD	 4 /* and overflow and flag */

bool ipv4_option_next(struct cursor *options, struct ipv4_option *option)
{
	while (cursor_left(options) > 0) {
		size_t offset = options->position;
		uint8_t type = cursor_u8(options);
		if (type == IPV4_OPTION_END)
			return false;
		if (type == IPV4_OPTION_NOP)
			continue;
		uint8_t length = cursor_u8(options);
		if (length < 2)
			options->bad = true;
		option->type = type;
		option->offset = offset;
		option->data = cursor_take(options, length - 2u);
		return cursor_ok(options);
	}
	return false;
}

/* Slots before the pointer, which counts from 1 at the type byte; -1: it points between slots. */
static int used_slots(uint8_t pointer, unsigned overhead, unsigned slot_size, unsigned slots)
{
	if (pointer < overhead + 1 || (pointer - overhead - 1) % slot_size != 0)
		return -1;
	unsigned used = (pointer - overhead - 1) / slot_size;
	return (int)MIN(used, slots);
}

static bool route_read(struct ipv4_option *option, struct route_option *route)
{
	uint8_t pointer = cursor_u8(&option->data);
	size_t room = cursor_left(&option->data);
	int used = used_slots(pointer, ROUTE_OVERHEAD, 4, (unsigned)room / 4);
	if (route->present || used < 0 || room % 4 != 0 || !cursor_ok(&option->data))
		return false;
	route->present = true;
	route->type = option->type;
	route->slots = (uint8_t)(room / 4);
	route->used = (uint8_t)used;
	for (uint8_t i = 0; i < route->slots; i++)
		route->addrs[i] = cursor_addr(&option->data, 4);
	return true;
}

static bool is_time_flag(uint8_t flag)
{
	return flag == 0 || flag == 1 || flag == 3;
}

static bool timestamp_read(struct ipv4_option *option, struct timestamp_option *timestamp)
{
	uint8_t pointer = cursor_u8(&option->data);
	uint8_t flags = cursor_u8(&option->data);
	uint8_t flag = flags & 15;
	unsigned slot_size = flag == 0 ? 4 : 8;
	size_t room = cursor_left(&option->data);
	int used = used_slots(pointer, TIME_OVERHEAD, slot_size, (unsigned)(room / slot_size));
	if (timestamp->present || !is_time_flag(flag) || used < 0 || room % slot_size != 0 ||
		!cursor_ok(&option->data))
		return false;
	timestamp->present = true;
	timestamp->flag = flag;
	timestamp->overflow = flags >> 4;
	timestamp->slots = (uint8_t)(room / slot_size);
	timestamp->used = (uint8_t)used;
	for (uint8_t i = 0; i < timestamp->slots; i++) {
		if (flag != 0)
			timestamp->addrs[i] = cursor_addr(&option->data, 4);
		timestamp->times[i] = cursor_u32(&option->data);
	}
	return true;
}

static void options_read(struct cursor *options, struct ip_header *ip)
{
	struct ipv4_option option;
	while (ipv4_option_next(options, &option)) {
		bool understood = true;
		switch (option.type) {
		case IPV4_OPTION_RECORD_ROUTE:
		case IPV4_OPTION_LOOSE_ROUTE:
		case IPV4_OPTION_STRICT_ROUTE: understood = route_read(&option, &ip->route); break;
		case IPV4_OPTION_TIMESTAMP: understood = timestamp_read(&option, &ip->timestamp); break;
		default: /* RFC 1122 3.2.1.8: unknown options are silently passed over */ break;
		}
		if (!understood)
			ip->bad_options = true;
	}
	if (!cursor_ok(options))
		ip->bad_options = true;
}

int ipv4_read(struct cursor *cursor, struct ip_header *ip, bool whole)
{
	uint8_t first = cursor_u8(cursor);
	ip->tos = cursor_u8(cursor);
	ip->total_length = cursor_u16(cursor);
	ip->id = cursor_u16(cursor);
	uint16_t fragment = cursor_u16(cursor);
	ip->dont_fragment = fragment & 0x4000;
	ip->more_fragments = fragment & 0x2000;
	ip->fragment_offset = (uint16_t)((fragment & 0x1fff) * 8);
	ip->ttl = cursor_u8(cursor);
	ip->protocol = cursor_u8(cursor);
	cursor_skip(cursor, 2);
	ip->source = cursor_addr(cursor, 4);
	ip->destination = cursor_addr(cursor, 4);
	ip->header_length = (uint16_t)((first & 15) * 4);
	if (!cursor_ok(cursor) || first >> 4 != 4 || ip->header_length < IPV4_HEADER_SIZE)
		return -EBADMSG;
	if (whole && ip->total_length < cursor->length)
		cursor->length = MAX(ip->total_length, cursor->position);
	struct cursor options = cursor_take(cursor, ip->header_length - IPV4_HEADER_SIZE);
	options_read(&options, ip);
	return whole && (!cursor_ok(cursor) || ip->total_length < ip->header_length) ? -EBADMSG : 0;
}

static bool is_route_type(uint8_t type)
{
	return type == IPV4_OPTION_RECORD_ROUTE || type == IPV4_OPTION_LOOSE_ROUTE ||
		type == IPV4_OPTION_STRICT_ROUTE;
}

static size_t route_size(const struct route_option *route)
{
	return route->present ? ROUTE_OVERHEAD + 4u * route->slots : 0;
}

static size_t timestamp_size(const struct timestamp_option *timestamp)
{
	return timestamp->present ? TIME_OVERHEAD + (timestamp->flag == 0 ? 4u : 8u) * timestamp->slots : 0;
}

bool ipv4_is_writable(const struct ip_header *ip)
{
	const struct route_option *route = &ip->route;
	const struct timestamp_option *time = &ip->timestamp;
	if (route->present && !is_route_type(route->type))
		return false;
	if (time->present && (!is_time_flag(time->flag) || time->overflow > 15))
		return false;
	return route->used <= route->slots && time->used <= time->slots && ip->fragment_offset % 8 == 0 &&
		route_size(route) + timestamp_size(time) <= OPTIONS_SIZE_MAX;
}

static void route_write(struct writer *writer, const struct route_option *route)
{
	writer_u8(writer, route->type);
	writer_u8(writer, (uint8_t)route_size(route));
	writer_u8(writer, (uint8_t)(ROUTE_OVERHEAD + 1 + 4 * route->used));
	for (uint8_t i = 0; i < route->slots; i++)
		writer_u32(writer, (uint32_t)route->addrs[i].low);
}

static void timestamp_write(struct writer *writer, const struct timestamp_option *timestamp)
{
	unsigned slot_size = timestamp->flag == 0 ? 4 : 8;
	writer_u8(writer, IPV4_OPTION_TIMESTAMP);
	writer_u8(writer, (uint8_t)timestamp_size(timestamp));
	writer_u8(writer, (uint8_t)(TIME_OVERHEAD + 1 + slot_size * timestamp->used));
	writer_u8(writer, (uint8_t)(timestamp->overflow << 4 | timestamp->flag));
	for (uint8_t i = 0; i < timestamp->slots; i++) {
		if (timestamp->flag != 0)
			writer_u32(writer, (uint32_t)timestamp->addrs[i].low);
		writer_u32(writer, timestamp->times[i]);
	}
}

void ipv4_write(struct writer *writer, const struct ip_header *ip)
{
	size_t options = route_size(&ip->route) + timestamp_size(&ip->timestamp);
	size_t padding = (4 - options % 4) % 4;
	writer_u8(writer, (uint8_t)(0x40 | (IPV4_HEADER_SIZE + options + padding) / 4));
	writer_u8(writer, ip->tos);
	writer_u16(writer, 0);
	writer_u16(writer, ip->id);
	writer_u16(writer,
		(uint16_t)((ip->dont_fragment ? 0x4000 : 0) | (ip->more_fragments ? 0x2000 : 0) |
			ip->fragment_offset / 8));
	writer_u8(writer, ip->ttl);
	writer_u8(writer, ip->protocol);
	writer_u16(writer, 0);
	writer_addr(writer, ip->source);
	writer_addr(writer, ip->destination);
	if (ip->route.present)
		route_write(writer, &ip->route);
	if (ip->timestamp.present)
		timestamp_write(writer, &ip->timestamp);
	writer_zeros(writer, padding); /* end of options list */
}

void ipv4_finish(struct writer *writer, size_t start)
{
	if (!writer_ok(writer))
		return;
	size_t header_length = (writer->data[start] & 15u) * 4u;
	writer_set_u16(writer, start + 2, (uint16_t)(writer->length - start));
	uint16_t checksum = checksum_finish(checksum_add(0, writer->data + start, header_length));
	writer_set_u16(writer, start + 10, checksum);
}
