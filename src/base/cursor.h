/* The one way to read bytes that came from outside, and the one way to write bytes for the wire.
 *
 * Both sides have a sticky error: after the first read or write that does not fit, everything that follows is
 * a no-op that yields zeros, so code runs straight through and asks `cursor_ok` once. Lengths found in a
 * packet are only ever handed to `cursor_skip` and `cursor_take`; nobody adds them to a pointer. Numbers are
 * big-endian on the wire and host order outside. */
#ifndef RETOUR_BASE_CURSOR_H
#define RETOUR_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct cursor {
	const uint8_t *data; /* borrowed */
	size_t length;	     /* bytes in data */
	size_t position;     /* next byte to read, <= length */
	bool bad;	     /* something did not fit */
};

struct cursor cursor_init(const uint8_t *data, size_t length);
static inline bool cursor_ok(const struct cursor *cursor)
{
	return !cursor->bad;
}
static inline size_t cursor_left(const struct cursor *cursor)
{
	return cursor->bad ? 0 : cursor->length - cursor->position;
}
uint8_t cursor_u8(struct cursor *cursor);
uint16_t cursor_u16(struct cursor *cursor);
uint32_t cursor_u32(struct cursor *cursor);
uint64_t cursor_u64(struct cursor *cursor);
/* An address of 4 or 16 bytes. */
struct addr cursor_addr(struct cursor *cursor, uint8_t family);
void cursor_skip(struct cursor *cursor, size_t count);
/* Borrow `count` bytes and move past them; NULL when they are not there (never NULL for a good cursor). */
const uint8_t *cursor_bytes(struct cursor *cursor, size_t count);
/* A cursor over the next `count` bytes, which this one moves past. */
struct cursor cursor_take(struct cursor *cursor, size_t count);
/* A cursor over everything left, which this one moves past. */
struct cursor cursor_rest(struct cursor *cursor);

struct writer {
	uint8_t *data; /* borrowed */
	size_t capacity;
	size_t length; /* bytes written so far */
	bool bad;      /* something did not fit */
};

struct writer writer_init(uint8_t *data, size_t capacity);
static inline bool writer_ok(const struct writer *writer)
{
	return !writer->bad;
}
void writer_u8(struct writer *writer, uint8_t value);
void writer_u16(struct writer *writer, uint16_t value);
void writer_u32(struct writer *writer, uint32_t value);
void writer_u64(struct writer *writer, uint64_t value);
void writer_addr(struct writer *writer, struct addr addr);
void writer_bytes(struct writer *writer, const void *bytes, size_t count);
void writer_zeros(struct writer *writer, size_t count);
/* Overwrite two bytes that were written before (checksums, lengths). */
void writer_set_u16(struct writer *writer, size_t position, uint16_t value);

#endif
