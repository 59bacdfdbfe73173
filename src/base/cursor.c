#include "base/cursor.h"

#include <string.h>

struct cursor cursor_init(const uint8_t *data, size_t length)
{
	return (struct cursor){.data = data, .length = length};
}

const uint8_t *cursor_bytes(struct cursor *cursor, size_t count)
{
	if (cursor->bad || count > cursor->length - cursor->position) {
		cursor->bad = true;
		return NULL;
	}
	const uint8_t *bytes = cursor->data + cursor->position;
	cursor->position += count;
	return bytes;
}

static uint64_t cursor_number(struct cursor *cursor, size_t count)
{
	const uint8_t *bytes = cursor_bytes(cursor, count);
	uint64_t value = 0;
	for (size_t i = 0; bytes && i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

uint8_t cursor_u8(struct cursor *cursor)
{
	return (uint8_t)cursor_number(cursor, 1);
}

uint16_t cursor_u16(struct cursor *cursor)
{
	return (uint16_t)cursor_number(cursor, 2);
}

uint32_t cursor_u32(struct cursor *cursor)
{
	return (uint32_t)cursor_number(cursor, 4);
}

uint64_t cursor_u64(struct cursor *cursor)
{
	return cursor_number(cursor, 8);
}

struct addr cursor_addr(struct cursor *cursor, uint8_t family)
{
	const uint8_t *bytes = cursor_bytes(cursor, family == 4 ? 4 : 16);
	return bytes ? addr_from_bytes(family, bytes) : ADDR_NONE;
}

void cursor_skip(struct cursor *cursor, size_t count)
{
	(void)cursor_bytes(cursor, count);
}

struct cursor cursor_take(struct cursor *cursor, size_t count)
{
	const uint8_t *bytes = cursor_bytes(cursor, count);
	return (struct cursor){.data = bytes, .length = bytes ? count : 0, .bad = !bytes};
}

struct cursor cursor_rest(struct cursor *cursor)
{
	return cursor_take(cursor, cursor_left(cursor));
}

struct writer writer_init(uint8_t *data, size_t capacity)
{
	return (struct writer){.data = data, .capacity = capacity};
}

/* Room for `count` bytes, or NULL and a bad writer. */
static uint8_t *writer_room(struct writer *writer, size_t count)
{
	if (writer->bad || count > writer->capacity - writer->length) {
		writer->bad = true;
		return NULL;
	}
	uint8_t *room = writer->data + writer->length;
	writer->length += count;
	return room;
}

static void writer_number(struct writer *writer, uint64_t value, size_t count)
{
	uint8_t *room = writer_room(writer, count);
	for (size_t i = count; room && i-- > 0; value >>= 8)
		room[i] = (uint8_t)value;
}

void writer_u8(struct writer *writer, uint8_t value)
{
	writer_number(writer, value, 1);
}

void writer_u16(struct writer *writer, uint16_t value)
{
	writer_number(writer, value, 2);
}

void writer_u32(struct writer *writer, uint32_t value)
{
	writer_number(writer, value, 4);
}

void writer_u64(struct writer *writer, uint64_t value)
{
	writer_number(writer, value, 8);
}

void writer_addr(struct writer *writer, struct addr addr)
{
	uint8_t *room = writer_room(writer, addr.family == 4 ? 4 : 16);
	if (room)
		addr_to_bytes(addr, room);
}

void writer_bytes(struct writer *writer, const void *bytes, size_t count)
{
	uint8_t *room = writer_room(writer, count);
	if (room && count > 0)
		memcpy(room, bytes, count);
}

void writer_zeros(struct writer *writer, size_t count)
{
	uint8_t *room = writer_room(writer, count);
	if (room && count > 0)
		memset(room, 0, count);
}

void writer_set_u16(struct writer *writer, size_t position, uint16_t value)
{
	if (writer->bad || writer->length < 2 || position > writer->length - 2) {
		writer->bad = true;
		return;
	}
	writer->data[position] = (uint8_t)(value >> 8);
	writer->data[position + 1] = (uint8_t)value;
}
