/* ICMP (RFC 792) and ICMPv6 (RFC 4443) messages: header, kinds, words. */
#include "packet/wire.h"

#define QUOTE_SIZE_MIN 128 /* RFC 4884 3: the least that is quoted in front of extensions */

enum icmp_kind icmp_kind_of(uint8_t family, uint8_t type, uint8_t code)
{
	if (family == 4) {
		switch (type) {
		case ICMP4_ECHO_REPLY: return ICMP_ECHO_REPLY;
		case ICMP4_UNREACHABLE: return code == 4 ? ICMP_PACKET_TOO_BIG : ICMP_UNREACHABLE;
		case ICMP4_ECHO_REQUEST: return ICMP_ECHO_REQUEST;
		case ICMP4_TIME_EXCEEDED: return ICMP_TIME_EXCEEDED;
		case ICMP4_PARAMETER_PROBLEM: return ICMP_PARAMETER_PROBLEM;
		default: return ICMP_OTHER;
		}
	}
	if (family != 6)
		return ICMP_OTHER;
	switch (type) {
	case ICMP6_UNREACHABLE: return ICMP_UNREACHABLE;
	case ICMP6_PACKET_TOO_BIG: return ICMP_PACKET_TOO_BIG;
	case ICMP6_TIME_EXCEEDED: return ICMP_TIME_EXCEEDED;
	case ICMP6_PARAMETER_PROBLEM: return ICMP_PARAMETER_PROBLEM;
	case ICMP6_ECHO_REQUEST: return ICMP_ECHO_REQUEST;
	case ICMP6_ECHO_REPLY: return ICMP_ECHO_REPLY;
	default: return ICMP_OTHER;
	}
}

bool icmp_kind_is_error(enum icmp_kind kind)
{
	return kind == ICMP_TIME_EXCEEDED || kind == ICMP_UNREACHABLE || kind == ICMP_PACKET_TOO_BIG ||
		kind == ICMP_PARAMETER_PROBLEM;
}

/* RFC 4884 4: 32-bit words in ICMP, 64-bit words in ICMPv6. */
unsigned icmp_quote_unit(uint8_t family, uint8_t type)
{
	enum icmp_kind kind = icmp_kind_of(family, type, 0);
	bool has_length = kind == ICMP_UNREACHABLE || kind == ICMP_TIME_EXCEEDED ||
		(kind == ICMP_PARAMETER_PROBLEM && family == 4);
	return has_length ? (family == 4 ? 4 : 8) : 0;
}

/* The four bytes after the checksum mean something else in every kind. */
static void rest_read(uint32_t rest, uint8_t family, struct transport *transport)
{
	switch (transport->icmp_kind) {
	case ICMP_PACKET_TOO_BIG:
		transport->icmp_mtu = family == 4 ? rest & 0xffff : rest; /* RFC 1191 4, RFC 4443 3.2 */
		break;
	case ICMP_PARAMETER_PROBLEM: transport->icmp_pointer = family == 4 ? rest >> 24 : rest; break;
	case ICMP_TIME_EXCEEDED:
	case ICMP_UNREACHABLE: break;
	default: transport->icmp_id = (uint16_t)(rest >> 16); transport->icmp_seq = (uint16_t)rest;
	}
	unsigned unit = icmp_quote_unit(family, transport->icmp_type);
	transport->icmp_quote_length = (uint16_t)((family == 4 ? rest >> 16 & 0xff : rest >> 24) * unit);
}

void icmp_read(struct cursor *cursor, uint8_t family, struct transport *transport)
{
	transport->seen = (uint8_t)MIN(cursor_left(cursor), ICMP_HEADER_SIZE);
	transport->icmp_type = cursor_u8(cursor);
	transport->icmp_code = cursor_u8(cursor);
	transport->checksum = cursor_u16(cursor);
	uint16_t high = cursor_u16(cursor); /* in halves: a quote may end between them */
	uint32_t rest = (uint32_t)high << 16 | cursor_u16(cursor);
	if (transport->seen < 2)
		return;
	transport->icmp_kind = icmp_kind_of(family, transport->icmp_type, transport->icmp_code);
	rest_read(rest, family, transport);
}

static bool has_extensions(const struct packet_spec *spec)
{
	return spec->extensions && spec->extensions->present;
}

/* The length attribute: words of quote in front of extensions, 0 without those. */
static size_t quote_words(const struct packet_spec *spec)
{
	unsigned unit = icmp_quote_unit(spec->ip.source.family, spec->transport.icmp_type);
	if (!has_extensions(spec) || unit == 0)
		return 0;
	size_t length = MAX(spec->transport.payload_length, (size_t)QUOTE_SIZE_MIN);
	return (length + unit - 1) / unit;
}

bool icmp_is_writable(const struct packet_spec *spec)
{
	const struct transport *transport = &spec->transport;
	uint8_t family = spec->ip.source.family;
	if (has_extensions(spec) && (quote_words(spec) == 0 || quote_words(spec) > UINT8_MAX))
		return false;
	if (family == 6)
		return true;
	enum icmp_kind kind = icmp_kind_of(family, transport->icmp_type, transport->icmp_code);
	return (kind != ICMP_PACKET_TOO_BIG || transport->icmp_mtu <= UINT16_MAX) &&
		(kind != ICMP_PARAMETER_PROBLEM || transport->icmp_pointer <= UINT8_MAX);
}

static uint32_t rest_of(const struct packet_spec *spec)
{
	const struct transport *transport = &spec->transport;
	uint8_t family = spec->ip.source.family;
	uint32_t rest = (uint32_t)quote_words(spec) << (family == 4 ? 16 : 24);
	switch (icmp_kind_of(family, transport->icmp_type, transport->icmp_code)) {
	case ICMP_PACKET_TOO_BIG: return rest | transport->icmp_mtu;
	case ICMP_PARAMETER_PROBLEM: return rest | transport->icmp_pointer << (family == 4 ? 24 : 0);
	case ICMP_TIME_EXCEEDED:
	case ICMP_UNREACHABLE: return rest;
	default: return (uint32_t)transport->icmp_id << 16 | transport->icmp_seq;
	}
}

void icmp_write(struct writer *writer, const struct packet_spec *spec)
{
	const struct transport *transport = &spec->transport;
	writer_u8(writer, transport->icmp_type);
	writer_u8(writer, transport->icmp_code);
	writer_u16(writer, 0);
	writer_u32(writer, rest_of(spec));
	writer_bytes(writer, transport->payload, transport->payload_length);
	if (has_extensions(spec)) {
		unsigned unit = icmp_quote_unit(spec->ip.source.family, transport->icmp_type);
		writer_zeros(writer, quote_words(spec) * unit - transport->payload_length);
		extensions_write(writer, spec->extensions);
	}
}
