#include "packet/stamp.h"

#include <errno.h>

#define NS_PER_SECOND	  1000000000LL
#define NTP_OF_UNIX_EPOCH 2208988800LL /* seconds from 1900 to 1970 */
#define ERROR_S		  0x8000u
#define ERROR_Z		  0x4000u
#define SCALE_MAX	  63
#define TLV_HEADER	  4
#define TLV_EXTRA_PADDING 1
#define TLV_UNRECOGNISED                                                                                     \
	0x80 /* set by the sender, cleared by a reflector that knows the type (RFC 8972 4)                   \
	      */

/* ---- clocks ---- */

static double unit_seconds(uint8_t scale)
{
	double seconds = 1.0 / 4294967296.0;
	for (uint8_t i = 0; i < scale; i++)
		seconds *= 2;
	return seconds;
}

int64_t stamp_error_ns(struct stamp_error error)
{
	double ns = error.multiplier * unit_seconds(error.scale) * (double)NS_PER_SECOND;
	return ns < 9.2e18 ? (int64_t)ns : INT64_MAX;
}

struct stamp_error stamp_error_of(bool synchronised, int64_t error_ns)
{
	struct stamp_error error = {.synchronised = synchronised, .multiplier = 1};
	for (; error.scale < SCALE_MAX; error.scale++) {
		double units = (double)error_ns / ((double)NS_PER_SECOND * unit_seconds(error.scale));
		if (units > UINT8_MAX)
			continue;
		uint8_t whole = (uint8_t)units;
		if (whole < units && whole == UINT8_MAX)
			continue;
		error.multiplier = (uint8_t)(whole + (whole < units));
		break;
	}
	if (error.multiplier == 0)
		error.multiplier = 1;
	return error;
}

uint64_t stamp_time(int64_t wall_ns)
{
	int64_t seconds = wall_ns / NS_PER_SECOND, rest = wall_ns % NS_PER_SECOND;
	if (rest < 0) {
		rest += NS_PER_SECOND;
		seconds--;
	}
	uint64_t fraction = ((uint64_t)rest << 32) / (uint64_t)NS_PER_SECOND;
	return (uint64_t)(uint32_t)(uint64_t)(seconds + NTP_OF_UNIX_EPOCH) << 32 | fraction;
}

int64_t stamp_difference_ns(uint64_t later, uint64_t earlier, bool ptp)
{
	if (ptp) {
		int32_t seconds = (int32_t)(uint32_t)((later >> 32) - (earlier >> 32));
		return seconds * NS_PER_SECOND +
			((int64_t)(later & UINT32_MAX) - (int64_t)(earlier & UINT32_MAX));
	}
	/* The difference of the numbers is right across the end of an era, too. */
	uint64_t difference = later - earlier;
	int64_t seconds = (int32_t)(uint32_t)(difference >> 32);
	/* Half a unit more, since every timestamp was cut off to whole units. */
	uint64_t fraction = difference & UINT32_MAX;
	return seconds * NS_PER_SECOND + (int64_t)((fraction * (uint64_t)NS_PER_SECOND + (1u << 31)) >> 32);
}

static struct stamp_error read_error(struct cursor *payload)
{
	uint16_t value = cursor_u16(payload);
	return (struct stamp_error){
		.synchronised = value & ERROR_S,
		.ptp = value & ERROR_Z,
		.scale = value >> 8 & SCALE_MAX,
		.multiplier = (uint8_t)value,
	};
}

static void write_error(struct writer *writer, struct stamp_error error)
{
	writer_u16(writer,
		(uint16_t)((error.synchronised ? ERROR_S : 0) | (error.ptp ? ERROR_Z : 0) |
			(unsigned)(error.scale & SCALE_MAX) << 8 | error.multiplier));
}

/* ---- packets ---- */

int stamp_question_read(struct cursor *payload, struct stamp_question *question)
{
	*question = (struct stamp_question){.size = cursor_left(payload)};
	struct cursor body = cursor_take(payload, STAMP_SIZE);
	question->sequence = cursor_u32(&body);
	question->sent = cursor_u64(&body);
	question->error = read_error(&body);
	question->session = cursor_u16(&body);
	/* A multiplier of 0 means a corrupt packet (RFC 4656 4.1.2); the octets that must be zero are ignored
	 * on receipt (RFC 8762 4.2.1): TWAMP Light has padding there. */
	return cursor_ok(&body) && question->error.multiplier != 0 ? 0 : -EBADMSG;
}

int stamp_answer_read(struct cursor *payload, struct stamp_answer *answer)
{
	*answer = (struct stamp_answer){0};
	struct cursor body = cursor_take(payload, STAMP_ANSWER_MIN);
	answer->sequence = cursor_u32(&body);
	answer->sent = cursor_u64(&body);
	answer->error = read_error(&body);
	answer->session = cursor_u16(&body);
	answer->received = cursor_u64(&body);
	answer->question.sequence = cursor_u32(&body);
	answer->question.sent = cursor_u64(&body);
	answer->question.error = read_error(&body);
	cursor_skip(&body, 2);
	answer->question.ttl = cursor_u8(&body);
	return cursor_ok(&body) && answer->error.multiplier != 0 ? 0 : -EBADMSG;
}

static void write_padding(struct writer *writer, size_t size)
{
	size_t value = size < TLV_HEADER ? 0 : MIN(size - TLV_HEADER, (size_t)UINT16_MAX);
	if (size >= TLV_HEADER) {
		writer_u8(writer, TLV_UNRECOGNISED);
		writer_u8(writer, TLV_EXTRA_PADDING);
		writer_u16(writer, (uint16_t)value);
		writer_zeros(writer, value);
	} else {
		writer_zeros(writer, size);
	}
}

void stamp_question_write(struct writer *writer, const struct stamp_question *question)
{
	writer_u32(writer, question->sequence);
	writer_u64(writer, question->sent);
	write_error(writer, question->error);
	writer_u16(writer, question->session);
	writer_zeros(writer, 28);
	write_padding(writer, question->size > STAMP_SIZE ? question->size - STAMP_SIZE : 0);
}

void stamp_answer_write(struct writer *writer, const struct stamp_answer *answer)
{
	writer_u32(writer, answer->sequence);
	writer_u64(writer, answer->sent);
	write_error(writer, answer->error);
	writer_u16(writer, answer->session);
	writer_u64(writer, answer->received);
	writer_u32(writer, answer->question.sequence);
	writer_u64(writer, answer->question.sent);
	write_error(writer, answer->question.error);
	writer_zeros(writer, 2);
	writer_u8(writer, answer->question.ttl);
	writer_zeros(writer, 3);
}
