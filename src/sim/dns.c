#include "sim/dns.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DNS_CLASS_IN   1
#define DNS_TTL_S      60
#define DNS_LABEL_MAX  63
#define FLAG_RESPONSE  0x8000
#define FLAG_AUTHORITY 0x0400
#define FLAG_DESIRED   0x0100
#define FLAG_AVAILABLE 0x0080
/* RFC 1035 4.1.4: a pointer to the question's name, which is always at byte 12. */
#define POINTER_TO_QUESTION 0xc00c

static bool label_char(int c)
{
	return isascii(c) && (isalnum(c) || c == '-' || c == '_');
}

/* RFC 1035 3.1. The name of a question comes first in the message, so a pointer there is nonsense. */
static int name_read(struct cursor *cursor, char name[static DNS_NAME_SIZE])
{
	size_t used = 0;
	for (;;) {
		uint8_t length = cursor_u8(cursor);
		const uint8_t *label = cursor_bytes(cursor, length);
		if (!cursor_ok(cursor) || length > DNS_LABEL_MAX)
			return -EBADMSG;
		if (length == 0)
			break;
		if (used + length + 2 > DNS_NAME_SIZE)
			return -EBADMSG;
		if (used > 0)
			name[used++] = '.';
		for (uint8_t i = 0; i < length; i++) {
			if (!label_char(label[i]))
				return -EBADMSG;
			name[used++] = (char)tolower(label[i]);
		}
	}
	name[used] = '\0';
	return 0;
}

int dns_query_read(struct cursor *cursor, struct dns_query *query)
{
	*query = (struct dns_query){.id = cursor_u16(cursor)};
	uint16_t flags = cursor_u16(cursor);
	uint16_t questions = cursor_u16(cursor);
	cursor_skip(cursor, 6); /* answers, authorities, additional (EDNS): none of our business */
	if (!cursor_ok(cursor) || flags & FLAG_RESPONSE || questions != 1)
		return -EBADMSG;
	query->opcode = flags >> 11 & 15;
	query->recursion_desired = flags & FLAG_DESIRED;
	int result = name_read(cursor, query->name);
	query->type = cursor_u16(cursor);
	query->class = cursor_u16(cursor);
	return result < 0 || !cursor_ok(cursor) ? -EBADMSG : 0;
}

static void name_write(struct writer *writer, const char *name)
{
	while (*name) {
		size_t length = strcspn(name, ".");
		if (length == 0 || length > DNS_LABEL_MAX) {
			writer->bad = true;
			return;
		}
		writer_u8(writer, (uint8_t)length);
		writer_bytes(writer, name, length);
		name += length + (name[length] == '.');
	}
	writer_u8(writer, 0);
}

struct dns_answer dns_answer_begin(struct writer *writer, const struct dns_query *query, enum dns_code code)
{
	struct dns_answer answer = {.writer = writer, .start = writer->length};
	writer_u16(writer, query->id);
	writer_u16(writer,
		(uint16_t)(FLAG_RESPONSE | FLAG_AUTHORITY | FLAG_AVAILABLE | query->opcode << 11 |
			(query->recursion_desired ? FLAG_DESIRED : 0) | code));
	writer_u16(writer, 1);
	writer_zeros(writer, 6);
	name_write(writer, query->name);
	writer_u16(writer, query->type);
	writer_u16(writer, query->class);
	return answer;
}

static void record(struct dns_answer *answer, enum dns_type type, size_t length)
{
	writer_u16(answer->writer, POINTER_TO_QUESTION);
	writer_u16(answer->writer, (uint16_t)type);
	writer_u16(answer->writer, DNS_CLASS_IN);
	writer_u32(answer->writer, DNS_TTL_S);
	writer_u16(answer->writer, (uint16_t)length);
	writer_set_u16(answer->writer, answer->start + 6, ++answer->count);
}

void dns_answer_addr(struct dns_answer *answer, struct addr addr)
{
	record(answer, addr.family == 4 ? DNS_A : DNS_AAAA, addr.family == 4 ? 4 : 16);
	writer_addr(answer->writer, addr);
}

void dns_answer_name(struct dns_answer *answer, const char *name)
{
	record(answer, DNS_PTR, strlen(name) + 2);
	name_write(answer->writer, name);
}

void dns_answer_text(struct dns_answer *answer, const char *text)
{
	size_t length = strnlen(text, 255);
	record(answer, DNS_TXT, length + 1);
	writer_u8(answer->writer, (uint8_t)length);
	writer_bytes(answer->writer, text, length);
}

static bool strip_suffix(const char *name, const char *suffix, char *out, size_t size)
{
	size_t length = strlen(name), tail = strlen(suffix);
	if (length <= tail + 1 || length - tail - 1 >= size || strcmp(name + length - tail, suffix) != 0 ||
		name[length - tail - 1] != '.')
		return false;
	memcpy(out, name, length - tail - 1);
	out[length - tail - 1] = '\0';
	return true;
}

bool dns_reverse_name(const char *name, const char *suffix4, const char *suffix6, struct addr *addr)
{
	char labels[DNS_NAME_SIZE];
	unsigned a, b, c, d;
	int end = 0;
	if (strip_suffix(name, suffix4, labels, sizeof(labels)) &&
		sscanf(labels, "%3u.%3u.%3u.%3u%n", &d, &c, &b, &a, &end) == 4 && labels[end] == '\0' &&
		MAX(MAX(a, b), MAX(c, d)) <= 255) {
		*addr = addr_v4(a << 24 | b << 16 | c << 8 | d);
		return true;
	}
	if (!strip_suffix(name, suffix6, labels, sizeof(labels)) || strlen(labels) != 63)
		return false;
	uint64_t halves[2] = {0, 0}; /* low, high */
	for (unsigned i = 0; i < 32; i++) {
		int digit = labels[2 * i];
		if (!isxdigit(digit) || (i < 31 && labels[2 * i + 1] != '.'))
			return false;
		uint64_t value = (uint64_t)(isdigit(digit) ? digit - '0' : digit - 'a' + 10);
		halves[i / 16] |= value << (4 * (i % 16));
	}
	*addr = addr_v6(halves[1], halves[0]);
	return true;
}
