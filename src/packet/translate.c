#include "packet/translate.h"

#include "packet/checksum.h"
#include "packet/wire.h"

#define NOWHERE SIZE_MAX

/* An IPv4 packet within a buffer: offsets from the buffer's start. */
struct place {
	uint8_t *bytes;
	size_t ip, transport, end;
	uint8_t protocol;
	bool has_transport;    /* the first fragment, with at least 8 bytes */
	size_t outer_checksum; /* of the ICMP error that quotes it, or NOWHERE */
};

static uint16_t word_at(const uint8_t *bytes, size_t offset)
{
	return (uint16_t)(bytes[offset] << 8 | bytes[offset + 1]);
}

static void put(uint8_t *bytes, size_t offset, uint16_t value)
{
	bytes[offset] = (uint8_t)(value >> 8);
	bytes[offset + 1] = (uint8_t)value;
}

static bool find(uint8_t *bytes, size_t length, size_t at, struct place *place)
{
	if (length < at || length - at < IPV4_HEADER_SIZE || bytes[at] >> 4 != 4)
		return false;
	size_t header_length = (bytes[at] & 15u) * 4u;
	if (header_length < IPV4_HEADER_SIZE || header_length > length - at)
		return false;
	*place = (struct place){
		.bytes = bytes,
		.ip = at,
		.transport = at + header_length,
		.end = length,
		.protocol = bytes[at + 9],
		.has_transport = length - at - header_length >= ICMP_HEADER_SIZE &&
			(word_at(bytes, at + 6) & 0x1fff) == 0,
		.outer_checksum = NOWHERE,
	};
	return true;
}

/* A word changes, and with it the checksum of whoever quotes it. */
static void change(const struct place *place, size_t offset, uint16_t value)
{
	uint16_t old = word_at(place->bytes, offset);
	put(place->bytes, offset, value);
	if (place->outer_checksum != NOWHERE)
		put(place->bytes, place->outer_checksum,
			checksum_update(word_at(place->bytes, place->outer_checksum), old, value));
}

static size_t transport_checksum(const struct place *place)
{
	size_t offset = place->protocol == PROTOCOL_TCP ? 16
		: place->protocol == PROTOCOL_UDP	? 6
		: place->protocol == PROTOCOL_ICMP	? 2
							: NOWHERE;
	if (offset == NOWHERE || !place->has_transport || place->end - place->transport < offset + 2)
		return NOWHERE;
	offset += place->transport;
	bool none = place->protocol == PROTOCOL_UDP && word_at(place->bytes, offset) == 0; /* RFC 768 */
	return none ? NOWHERE : offset;
}

static void fix(const struct place *place, size_t checksum, uint16_t old, uint16_t value)
{
	uint16_t sum = checksum_update(word_at(place->bytes, checksum), old, value);
	if (sum == 0 && place->protocol == PROTOCOL_UDP && checksum != place->ip + 10)
		sum = 0xffff; /* RFC 768: zero would mean none */
	change(place, checksum, sum);
}

static void set_address(const struct place *place, enum translate_side side, struct addr addr)
{
	size_t offset = place->ip + (side == TRANSLATE_SOURCE ? 12u : 16u);
	size_t checksum = place->protocol == PROTOCOL_ICMP ? NOWHERE : transport_checksum(place);
	for (size_t i = 0; i < 2; i++) {
		uint16_t old = word_at(place->bytes, offset + 2 * i);
		uint16_t value = (uint16_t)(addr.low >> (16 - 16 * i));
		change(place, offset + 2 * i, value);
		fix(place, place->ip + 10, old, value);
		if (checksum != NOWHERE)
			fix(place, checksum, old, value);
	}
}

static bool is_echo(const struct place *place)
{
	uint8_t type = place->bytes[place->transport];
	return place->protocol == PROTOCOL_ICMP && (type == ICMP4_ECHO_REQUEST || type == ICMP4_ECHO_REPLY);
}

static void set_port(const struct place *place, enum translate_side side, uint16_t port)
{
	if (!place->has_transport)
		return;
	size_t offset = place->transport + (side == TRANSLATE_SOURCE ? 0 : 2);
	if (is_echo(place))
		offset = place->transport + 4;
	else if (place->protocol != PROTOCOL_UDP && place->protocol != PROTOCOL_TCP)
		return;
	uint16_t old = word_at(place->bytes, offset);
	size_t checksum = transport_checksum(place);
	change(place, offset, port);
	if (checksum != NOWHERE)
		fix(place, checksum, old, port);
}

bool translate_address(uint8_t *bytes, size_t length, enum translate_side side, struct addr addr)
{
	struct place place;
	if (addr.family != 4 || !find(bytes, length, 0, &place))
		return false;
	set_address(&place, side, addr);
	return true;
}

bool translate_packet(
	uint8_t *bytes, size_t length, enum translate_side side, struct addr addr, uint16_t port)
{
	struct place place;
	if (!translate_address(bytes, length, side, addr) || !find(bytes, length, 0, &place))
		return false;
	set_port(&place, side, port);
	return true;
}

bool translate_quote(uint8_t *bytes, size_t length, enum translate_side side, struct addr addr, uint16_t port)
{
	struct place outer, quote;
	if (addr.family != 4 || !find(bytes, length, 0, &outer) || !outer.has_transport ||
		outer.protocol != PROTOCOL_ICMP ||
		!find(bytes, length, outer.transport + ICMP_HEADER_SIZE, &quote))
		return false;
	quote.outer_checksum = outer.transport + 2;
	set_address(&quote, side, addr);
	set_port(&quote, side, port);
	return true;
}
