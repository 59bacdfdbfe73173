/* The ICMP extension structure (RFC 4884 7) with MPLS label stacks (RFC 4950) and interface information
 * (RFC 5837). Everything is read through cursors that end with the object, so a wrong length stays its own
 * problem. */
#include "packet/wire.h"

#include <string.h>

#include "packet/checksum.h"

#define EXTENSION_VERSION     2
#define EXTENSION_HEADER_SIZE 4
#define OBJECT_HEADER_SIZE    4

enum object_class { CLASS_MPLS = 1, CLASS_INTERFACE = 2 };
#define MPLS_INCOMING_STACK 1 /* the only C-Type of RFC 4950 */

/* RFC 5837 4.1: the C-Type says which sub-objects follow, in this order. */
enum interface_bit { HAS_INDEX = 8, HAS_ADDRESS = 4, HAS_NAME = 2, HAS_MTU = 1 };
enum address_family { AFI_IPV4 = 1, AFI_IPV6 = 2 };

static void mpls_read(struct cursor *object, struct icmp_extensions *extensions)
{
	while (cursor_left(object) >= 4 && extensions->mpls_count < MPLS_STACK_MAX) {
		uint32_t word = cursor_u32(object);
		extensions->mpls[extensions->mpls_count++] = (struct mpls_entry){
			.label = word >> 12,
			.traffic_class = word >> 9 & 7,
			.bottom = word >> 8 & 1,
			.ttl = (uint8_t)word,
		};
	}
}

static void interface_address_read(struct cursor *object, struct interface_info *info)
{
	uint16_t afi = cursor_u16(object);
	cursor_skip(object, 2);
	if (afi == AFI_IPV4)
		info->address = cursor_addr(object, 4);
	else if (afi == AFI_IPV6)
		info->address = cursor_addr(object, 6);
	else
		object->bad = true; /* its length is anybody's guess, so nothing after it can be found */
}

/* RFC 5837 4.3: a length that counts itself, at most 63 bytes of name, padding to 4 within the length. */
static void interface_name_read(struct cursor *object, struct interface_info *info)
{
	uint8_t length = cursor_u8(object);
	if (length < 1 || length > sizeof(info->name))
		object->bad = true;
	const uint8_t *name = cursor_bytes(object, length - 1u);
	if (name)
		memcpy(info->name, name, length - 1u);
}

static void interface_read(uint8_t type, struct cursor *object, struct icmp_extensions *extensions)
{
	if (extensions->interface_count == INTERFACE_INFO_MAX)
		return;
	struct interface_info *info = &extensions->interfaces[extensions->interface_count++];
	info->role = type >> 6;
	if (type & HAS_INDEX)
		info->index = cursor_u32(object);
	if (type & HAS_ADDRESS)
		interface_address_read(object, info);
	if (type & HAS_NAME)
		interface_name_read(object, info);
	if (type & HAS_MTU)
		info->mtu = cursor_u32(object);
}

static void objects_read(struct cursor *cursor, struct icmp_extensions *extensions)
{
	while (cursor_left(cursor) >= OBJECT_HEADER_SIZE) {
		uint16_t length = cursor_u16(cursor);
		uint8_t class = cursor_u8(cursor);
		uint8_t type = cursor_u8(cursor);
		if (length < OBJECT_HEADER_SIZE)
			return;
		struct cursor object = cursor_take(cursor, length - (size_t)OBJECT_HEADER_SIZE);
		if (!cursor_ok(&object))
			return;
		if (class == CLASS_MPLS && type == MPLS_INCOMING_STACK)
			mpls_read(&object, extensions);
		else if (class == CLASS_INTERFACE)
			interface_read(type, &object, extensions);
		else if (extensions->unknown_count < UINT8_MAX)
			extensions->unknown_count++;
	}
}

bool extensions_read(struct cursor cursor, bool verified, struct icmp_extensions *extensions)
{
	struct cursor whole = cursor;
	size_t length = cursor_left(&cursor);
	uint8_t version = cursor_u8(&cursor) >> 4;
	cursor_skip(&cursor, 1);
	uint16_t checksum = cursor_u16(&cursor);
	if (!cursor_ok(&cursor) || version != EXTENSION_VERSION)
		return false;
	/* RFC 4884 7: a checksum of zero was not computed. */
	bool holds = checksum_finish(checksum_add(0, cursor_bytes(&whole, length), length)) == 0;
	if (verified && (checksum == 0 || !holds))
		return false;
	*extensions = (struct icmp_extensions){.present = true, .checksum_ok = checksum == 0 || holds};
	if (extensions->checksum_ok)
		objects_read(&cursor, extensions);
	return true;
}

static void object_header_write(struct writer *writer, size_t body, uint8_t class, uint8_t type)
{
	writer_u16(writer, (uint16_t)(OBJECT_HEADER_SIZE + body));
	writer_u8(writer, class);
	writer_u8(writer, type);
}

static void mpls_write(struct writer *writer, const struct icmp_extensions *extensions)
{
	size_t count = MIN(extensions->mpls_count, MPLS_STACK_MAX);
	object_header_write(writer, 4 * count, CLASS_MPLS, MPLS_INCOMING_STACK);
	for (size_t i = 0; i < count; i++) {
		const struct mpls_entry *entry = &extensions->mpls[i];
		writer_u32(writer,
			(entry->label & 0xfffff) << 12 | (entry->traffic_class & 7u) << 9 |
				(entry->bottom ? 1u << 8 : 0) | entry->ttl);
	}
}

static void interface_write(struct writer *writer, const struct interface_info *info)
{
	size_t start = writer->length;
	size_t name = strnlen(info->name, sizeof(info->name) - 1);
	uint8_t type = (uint8_t)((info->role & 3) << 6 | (info->index ? HAS_INDEX : 0) |
		(addr_is_set(info->address) ? HAS_ADDRESS : 0) | (name ? HAS_NAME : 0) |
		(info->mtu ? HAS_MTU : 0));
	object_header_write(writer, 0, CLASS_INTERFACE, type);
	if (type & HAS_INDEX)
		writer_u32(writer, info->index);
	if (type & HAS_ADDRESS) {
		writer_u16(writer, info->address.family == 4 ? AFI_IPV4 : AFI_IPV6);
		writer_u16(writer, 0);
		writer_addr(writer, info->address);
	}
	if (type & HAS_NAME) {
		size_t length = (1 + name + 3) / 4 * 4;
		writer_u8(writer, (uint8_t)length);
		writer_bytes(writer, info->name, name);
		writer_zeros(writer, length - 1 - name);
	}
	if (type & HAS_MTU)
		writer_u32(writer, info->mtu);
	writer_set_u16(writer, start, (uint16_t)(writer->length - start));
}

void extensions_write(struct writer *writer, const struct icmp_extensions *extensions)
{
	size_t start = writer->length;
	writer_u16(writer, EXTENSION_VERSION << 12);
	writer_u16(writer, 0);
	if (extensions->mpls_count > 0)
		mpls_write(writer, extensions);
	for (size_t i = 0; i < MIN(extensions->interface_count, INTERFACE_INFO_MAX); i++)
		interface_write(writer, &extensions->interfaces[i]);
	if (!writer_ok(writer))
		return;
	uint16_t checksum = checksum_finish(checksum_add(0, writer->data + start, writer->length - start));
	writer_set_u16(writer, start + 2, checksum == 0 ? 0xffff : checksum);
}
