#include "annotate/ranges.h"

#include <string.h>

enum { FIRST, LAST, ORIGINS, COUNTRY, NAME, LENGTH };

unsigned common_length(struct addr a, struct addr b)
{
	unsigned skipped = a.family == 4 ? 96 : 0, length = 0;
	while (skipped + length < 128) {
		unsigned bit = 127 - skipped - length;
		uint64_t differs = bit < 64 ? a.low ^ b.low : a.high ^ b.high;
		if (differs >> (bit & 63) & 1)
			break;
		length++;
	}
	return length;
}

static bool field_addr(struct text line, unsigned index, struct addr *addr)
{
	struct text field;
	return text_field(line, '\t', index, &field) && text_addr(field, addr);
}

/* 0 is iptoasn's word for space that nobody announces; it is nobody's number (RFC 7607). */
static void drop_zeros(struct origin *origin)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < origin->count; i++)
		if (origin->asns[i] != 0)
			origin->asns[kept++] = origin->asns[i];
	origin->count = kept;
}

static bool read_origin(struct text line, bool whole, struct origin *origin)
{
	struct text origins, field;
	/* Without a field after it the number may have been cut off. */
	if (!text_field(line, '\t', ORIGINS, &origins) || !text_field(line, '\t', COUNTRY, &field))
		return false;
	origin->count = text_origins(origins, origin->asns, ORIGINS_MAX);
	if (origin->count == 0)
		return false;
	drop_zeros(origin);
	if (field.length == 2)
		memcpy(origin->country, field.start, 2);
	uint32_t length;
	bool named = text_field(line, '\t', NAME, &field);
	if (whole && named && field.length > 0 && field.start[field.length - 1] == '\r')
		field.length--;
	if (whole && named && !text_copy(field, origin->name, sizeof(origin->name)))
		origin->name[0] = '\0';
	if (whole && text_field(line, '\t', LENGTH, &field) && text_number(field, 128, &length))
		origin->length = length;
	return true;
}

bool ranges_find(struct text file, struct addr addr, struct origin *origin)
{
	size_t low = 0, high = file.length;
	while (low < high) {
		bool whole;
		struct text line = line_at(file, low + (high - low) / 2, &whole);
		size_t start = (size_t)(line.start - file.start);
		struct addr first, last;
		if (!field_addr(line, FIRST, &first) || !field_addr(line, LAST, &last))
			return false;
		if (addr_compare(addr, first) < 0) {
			high = start;
		} else if (addr_compare(addr, last) > 0) {
			low = MIN(start + line.length + 1, high);
		} else {
			*origin = (struct origin){.length = common_length(first, last)};
			return read_origin(line, whole, origin);
		}
	}
	return false;
}
