/* The IPv6 header and its extension headers (RFC 8200). */
#include "packet/wire.h"

#include <errno.h>

#define EXTENSION_HEADERS_MAX 10
#define ROUTING_TYPE_SOURCE   0 /* RFC 2460 4.4, deprecated by RFC 5095 */
#define ROUTING_TYPE_SEGMENT  4 /* RFC 8754 */

/* RFC 8200 4.2: the options are of no interest here, only that they are well-formed. */
static bool options_ok(struct cursor *options)
{
	while (cursor_left(options) > 0) {
		if (cursor_u8(options) == 0) /* Pad1 */
			continue;
		cursor_skip(options, cursor_u8(options));
	}
	return cursor_ok(options);
}

/* The cursor covers the header after its first two bytes. */
static bool routing_read(struct cursor *cursor, struct routing_header *routing)
{
	uint8_t type = cursor_u8(cursor);
	uint8_t left = cursor_u8(cursor);
	uint8_t last = cursor_u8(cursor); /* type 4: index of the last segment in the list */
	cursor_skip(cursor, 3);
	size_t count = cursor_left(cursor) / 16;
	if (type != ROUTING_TYPE_SOURCE && type != ROUTING_TYPE_SEGMENT)
		return left == 0; /* RFC 8200 4.4: then an unknown type is ignored */
	if (type == ROUTING_TYPE_SEGMENT) {
		if (last >= count)
			return false;
		count = last + 1u;
	} else if (cursor_left(cursor) % 16 != 0) {
		return false;
	}
	if (routing->present || count > SEGMENTS_MAX || left > count)
		return false;
	routing->present = true;
	routing->type = type;
	routing->segments_left = left;
	routing->count = (uint8_t)count;
	for (size_t i = 0; i < count; i++)
		routing->segments[i] = cursor_addr(cursor, 6);
	return true;
}

static void fragment_read(struct cursor *cursor, struct ip_header *ip)
{
	uint16_t word = cursor_u16(cursor);
	ip->has_fragment = true;
	ip->fragment_offset = word & 0xfff8;
	ip->more_fragments = word & 1;
	ip->fragment_id = cursor_u32(cursor);
}

/* One extension header; false when it is not all there. */
static bool extension_read(struct cursor *cursor, struct ip_header *ip)
{
	uint8_t type = ip->protocol;
	uint8_t next = cursor_u8(cursor);
	uint8_t units = cursor_u8(cursor); /* of 8 bytes, the first not counted; not so in fragment headers */
	struct cursor body = cursor_take(cursor, 6u + (type == PROTOCOL_FRAGMENT ? 0 : 8u * units));
	if (!cursor_ok(cursor))
		return false;
	bool understood = true;
	if (type == PROTOCOL_FRAGMENT && !ip->has_fragment)
		fragment_read(&body, ip);
	else if (type == PROTOCOL_FRAGMENT)
		understood = false;
	else if (type == PROTOCOL_ROUTING)
		understood = routing_read(&body, &ip->routing);
	else
		understood = options_ok(&body);
	ip->protocol = next;
	if (!understood)
		ip->bad_options = true;
	return true;
}

static bool is_extension(uint8_t protocol)
{
	return protocol == PROTOCOL_HOP_BY_HOP || protocol == PROTOCOL_ROUTING ||
		protocol == PROTOCOL_FRAGMENT || protocol == PROTOCOL_DESTINATION_OPTIONS;
}

void ipv6_extensions_read(struct cursor *cursor, struct ip_header *ip)
{
	for (int i = 0; i < EXTENSION_HEADERS_MAX && is_extension(ip->protocol); i++) {
		if (ip->fragment_offset != 0) /* what follows is the middle of something */
			return;
		if (!extension_read(cursor, ip))
			break;
	}
	if (is_extension(ip->protocol) && ip->fragment_offset == 0) {
		ip->bad_options = true;
		cursor->bad = true;
	}
}

int ipv6_read(struct cursor *cursor, struct ip_header *ip, bool whole)
{
	uint32_t first = cursor_u32(cursor);
	ip->tos = (uint8_t)(first >> 20);
	ip->flow_label = first & 0xfffff;
	ip->total_length = IPV6_HEADER_SIZE + (uint32_t)cursor_u16(cursor);
	ip->protocol = cursor_u8(cursor);
	ip->ttl = cursor_u8(cursor);
	ip->source = cursor_addr(cursor, 6);
	ip->destination = cursor_addr(cursor, 6);
	if (!cursor_ok(cursor) || first >> 28 != 6)
		return -EBADMSG;
	if (whole && ip->total_length < cursor->length)
		cursor->length = ip->total_length;
	ipv6_extensions_read(cursor, ip);
	ip->header_length = (uint16_t)cursor->position;
	return 0;
}

int ip_read(struct cursor *cursor, uint8_t family, struct ip_header *ip, bool whole)
{
	return family == 4 ? ipv4_read(cursor, ip, whole) : ipv6_read(cursor, ip, whole);
}

struct addr ip_final_destination(const struct ip_header *ip)
{
	const struct routing_header *routing = &ip->routing;
	if (routing->present && routing->segments_left > 0 && routing->count > 0)
		return routing->segments[routing->type == ROUTING_TYPE_SEGMENT ? 0 : routing->count - 1];
	const struct route_option *route = &ip->route;
	if (route->present && route->type != IPV4_OPTION_RECORD_ROUTE && route->used < route->slots)
		return route->addrs[route->slots - 1];
	return ip->destination;
}

bool ipv6_is_writable(const struct ip_header *ip)
{
	const struct routing_header *routing = &ip->routing;
	if (routing->present) {
		bool source = routing->type == ROUTING_TYPE_SOURCE;
		bool segment = routing->type == ROUTING_TYPE_SEGMENT && routing->count > 0;
		if ((!source && !segment) || routing->count > SEGMENTS_MAX ||
			routing->segments_left > routing->count)
			return false;
	}
	if (!ip->has_fragment && (ip->fragment_offset != 0 || ip->more_fragments))
		return false;
	if (is_extension(ip->protocol) && ip->fragment_offset == 0)
		return false;
	return ip->flow_label <= 0xfffff && ip->fragment_offset % 8 == 0;
}

static void routing_write(struct writer *writer, const struct routing_header *routing, uint8_t next)
{
	writer_u8(writer, next);
	writer_u8(writer, (uint8_t)(2 * routing->count));
	writer_u8(writer, routing->type);
	writer_u8(writer, routing->segments_left);
	writer_u8(writer, routing->type == ROUTING_TYPE_SEGMENT ? (uint8_t)(routing->count - 1) : 0);
	writer_zeros(writer, 3);
	for (uint8_t i = 0; i < routing->count; i++)
		writer_addr(writer, addr_v6(routing->segments[i].high, routing->segments[i].low));
}

void ipv6_write(struct writer *writer, const struct ip_header *ip)
{
	uint8_t after_routing = ip->has_fragment ? PROTOCOL_FRAGMENT : ip->protocol;
	writer_u32(writer, 6u << 28 | (uint32_t)ip->tos << 20 | ip->flow_label);
	writer_u16(writer, 0);
	writer_u8(writer, ip->routing.present ? PROTOCOL_ROUTING : after_routing);
	writer_u8(writer, ip->ttl);
	writer_addr(writer, ip->source);
	writer_addr(writer, ip->destination);
	if (ip->routing.present)
		routing_write(writer, &ip->routing, after_routing);
	if (ip->has_fragment) {
		writer_u8(writer, ip->protocol);
		writer_u8(writer, 0);
		writer_u16(writer, (uint16_t)(ip->fragment_offset | (ip->more_fragments ? 1 : 0)));
		writer_u32(writer, ip->fragment_id);
	}
}

void ipv6_finish(struct writer *writer, size_t start)
{
	if (writer_ok(writer))
		writer_set_u16(writer, start + 4, (uint16_t)(writer->length - start - IPV6_HEADER_SIZE));
}
