/* A message is a header of type, length, cookie and transaction identifier, and attributes of type, length
 * and value, each padded to a multiple of four (RFC 8489 5 and 14). */
#include "packet/stun.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define COOKIE		   0x2112a442u /* RFC 8489 5 */
#define BINDING_REQUEST	   0x0001
#define BINDING_SUCCESS	   0x0101
#define BINDING_ERROR	   0x0111
#define XOR_MAPPED_ADDRESS 0x0020
#define ERROR_CODE	   0x0009
#define OPTIONAL	   0x8000 /* may be passed over by who does not know it */

void stun_question_write(struct writer *writer, const struct stun_id *id)
{
	writer_u16(writer, BINDING_REQUEST);
	writer_u16(writer, 0);
	writer_u32(writer, COOKIE);
	writer_bytes(writer, id->bytes, sizeof(id->bytes));
}

/* RFC 8489 14.2: exclusive-ored with the cookie and, for IPv6, with the transaction identifier behind it, so
 * that no NAT on the way takes it for an address and translates it. */
static bool read_address(struct cursor value, const struct stun_id *id, struct stun_answer *answer)
{
	cursor_skip(&value, 1);
	uint8_t family = cursor_u8(&value) == 1 ? 4 : 6;
	uint16_t port = cursor_u16(&value);
	size_t size = family == 4 ? 4 : 16;
	if (!cursor_ok(&value) || cursor_left(&value) != size || value.data[1] < 1 || value.data[1] > 2)
		return false;
	const uint8_t *hidden = cursor_bytes(&value, size);
	uint8_t bytes[16], mask[16] = {0x21, 0x12, 0xa4, 0x42};
	memcpy(mask + 4, id->bytes, sizeof(id->bytes));
	for (size_t i = 0; i < size; i++)
		bytes[i] = hidden[i] ^ mask[i];
	answer->address = addr_from_bytes(family, bytes);
	answer->port = port ^ (uint16_t)(COOKIE >> 16);
	return true;
}

static bool read_error(struct cursor value, struct stun_answer *answer)
{
	unsigned class = cursor_u32(&value), number = class & 0xff;
	class = class >> 8 & 7;
	if (!cursor_ok(&value) || class < 3 || class > 6 || number > 99)
		return false;
	answer->refused = class * 100 + number;
	return true;
}

/* What must be understood (RFC 8489 6.3.3) and yet says nothing here: the old address without exclusive or,
 * the rest of what RFC 3489 had, and signatures that nobody asked for. */
static bool may_be_passed_over(uint16_t type)
{
	return type & OPTIONAL || (type > 0 && type <= 0x000b) || type == 0x0014 || type == 0x0015 ||
		(type >= 0x001c && type <= 0x001e);
}

/* The first of a kind counts (RFC 8489 14). */
static bool read_attribute(
	struct cursor *rest, const struct stun_id *id, bool success, struct stun_answer *answer)
{
	uint16_t type = cursor_u16(rest), length = cursor_u16(rest);
	struct cursor value = cursor_take(rest, length);
	cursor_skip(rest, (4 - length % 4) % 4);
	if (!cursor_ok(rest))
		return false;
	if (type == XOR_MAPPED_ADDRESS)
		return !success || addr_is_set(answer->address) || read_address(value, id, answer);
	if (type == ERROR_CODE)
		return success || answer->refused || read_error(value, answer);
	return may_be_passed_over(type);
}

int stun_answer_read(struct cursor *payload, const struct stun_id *id, struct stun_answer *answer)
{
	*answer = (struct stun_answer){0};
	uint16_t type = cursor_u16(payload), length = cursor_u16(payload);
	uint32_t cookie = cursor_u32(payload);
	const uint8_t *tag = cursor_bytes(payload, STUN_ID_SIZE);
	bool success = type == BINDING_SUCCESS;
	if (!cursor_ok(payload) || (!success && type != BINDING_ERROR) || cookie != COOKIE ||
		memcmp(tag, id->bytes, STUN_ID_SIZE) != 0 || cursor_left(payload) != length ||
		length % 4 != 0)
		return -EBADMSG;
	while (cursor_left(payload) > 0)
		if (!read_attribute(payload, id, success, answer))
			return -EBADMSG;
	return cursor_ok(payload) && (success ? addr_is_set(answer->address) : answer->refused > 0)
		? 0
		: -EBADMSG;
}
