#include "packet/responder.h"

#include <errno.h>

/* 12 bytes after the body of a request or a response: zero, magic, cookie. The zeros come first because some
 * deployed servers take a first nibble of 2 for an extension and refuse it. */
#define COOKIE_MAGIC 0x7274 /* "rt" */
#define SEEN_MAGIC   0x7261 /* "ra" */

static uint64_t cookie_read(struct cursor body)
{
	uint16_t zero = cursor_u16(&body);
	uint16_t magic = cursor_u16(&body);
	uint64_t cookie = cursor_u64(&body);
	return cursor_ok(&body) && zero == 0 && magic == COOKIE_MAGIC ? cookie : 0;
}

static void cookie_write(struct writer *body, uint64_t cookie)
{
	writer_u16(body, 0);
	writer_u16(body, COOKIE_MAGIC);
	writer_u64(body, cookie);
}

/* Some deployed servers trace to third parties. Their length of the object leaves out its header. */
static void extension_read(struct cursor body, struct responder_request *request)
{
	cursor_skip(&body, 4); /* version; a checksum that nobody verifies */
	uint16_t length = cursor_u16(&body);
	request->extension = cursor_u16(&body);
	request->extension_cut = !cursor_ok(&body);
	struct addr target = cursor_addr(&body, 6);
	if (cursor_ok(&body) && request->extension == RESPONDER_TARGET && (length == 16 || length == 20))
		request->target = target;
}

int responder_request_read(struct cursor *body, struct responder_request *request)
{
	*request = (struct responder_request){0};
	request->ttl = cursor_u8(body);
	request->protocol = cursor_u8(body);
	request->flow = cursor_u16(body);
	if (!cursor_ok(body))
		return -EBADMSG;
	struct cursor first = *body;
	request->padding = (uint16_t)MIN(cursor_left(body), UINT16_MAX);
	request->cookie = cookie_read(*body);
	request->has_extension = cursor_u8(&first) >> 4 == 2;
	if (request->has_extension)
		extension_read(*body, request);
	return 0;
}

void responder_request_write(struct writer *body, const struct responder_request *request)
{
	size_t padding = request->padding;
	writer_u8(body, request->ttl);
	writer_u8(body, request->protocol);
	writer_u16(body, request->flow);
	if (request->cookie != 0) {
		cookie_write(body, request->cookie);
		padding -= MIN(padding, RESPONDER_COOKIE_BLOCK);
	}
	writer_zeros(body, padding);
}

/* 16 bytes; IPv4 in the mapped form ::ffff:a.b.c.d (RFC 4291 2.5.5.2). No other address of 0::/16 is one that
 * a router can have, and an echoed request has zeros here. */
static struct addr hop_read(struct cursor *body)
{
	struct addr addr = cursor_addr(body, 6);
	if (addr.high == 0 && addr.low >> 32 == 0xffff)
		return addr_v4((uint32_t)addr.low);
	return addr.high >> 48 == 0 ? ADDR_NONE : addr;
}

static void hop_write(struct writer *body, struct addr hop)
{
	bool v4 = hop.family == 4;
	writer_addr(body, v4 ? addr_v6(0, 0xffff00000000 | hop.low) : addr_v6(hop.high, hop.low));
}

static struct addr seen_read(struct cursor body)
{
	cursor_skip(&body, RESPONDER_COOKIE_BLOCK);
	uint16_t zero = cursor_u16(&body);
	uint16_t magic = cursor_u16(&body);
	struct addr seen = hop_read(&body);
	return cursor_ok(&body) && zero == 0 && magic == SEEN_MAGIC ? seen : ADDR_NONE;
}

int responder_response_read(struct cursor *body, struct responder_response *response)
{
	*response = (struct responder_response){0};
	response->status = cursor_u8(body);
	uint8_t text_length = cursor_u8(body);
	uint16_t reserved = cursor_u16(body);
	/* Only a refused extension is named in the reserved bytes. Anything else there, or a text, which is
	 * never sent, is somebody's echo of a request. */
	if (!cursor_ok(body) || response->status > RESPONDER_BAD_EXTENSION || text_length != 0 ||
		(reserved != 0 && response->status != RESPONDER_BAD_EXTENSION))
		return -EBADMSG;
	response->refused = reserved;
	if (response->status == RESPONDER_OK) {
		response->hop = hop_read(body);
		uint32_t rtt = cursor_u32(body);
		uint32_t rtt_elsewhere = cursor_u32(body); /* where a big-endian server puts it */
		response->rtt_ns = rtt != 0 ? rtt : rtt_elsewhere;
		if (!cursor_ok(body) || !addr_is_set(response->hop))
			return -EBADMSG;
	}
	response->cookie = cookie_read(*body);
	if (response->cookie)
		response->seen = seen_read(*body);
	return 0;
}

void responder_response_write(struct writer *body, const struct responder_response *response)
{
	writer_u8(body, response->status);
	writer_u8(body, 0);
	writer_u16(body, response->status == RESPONDER_BAD_EXTENSION ? response->refused : 0);
	if (response->status == RESPONDER_OK) {
		hop_write(body, response->hop);
		writer_u32(body, (uint32_t)MIN(response->rtt_ns, UINT32_MAX));
		writer_u32(body, 0);
	}
	if (response->cookie != 0)
		cookie_write(body, response->cookie);
	if (response->cookie != 0 && addr_is_set(response->seen)) {
		writer_u16(body, 0);
		writer_u16(body, SEEN_MAGIC);
		hop_write(body, response->seen);
	}
}
