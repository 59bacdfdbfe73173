/* The packet that an ICMP error quotes, and where it ends.
 *
 * Without RFC 4884 the quote is all that follows the ICMP header. With it, the length attribute says where
 * the quote ends and the extension structure begins. Routers that are older than the RFC put the structure
 * after 128 bytes of quote and leave the attribute zero (RFC 4884 5.5): a structure there counts when its
 * checksum proves it. An attribute that does not lead to a structure is not believed. */
#include "packet/wire.h"

#define OLD_QUOTE_SIZE 128

static bool extensions_at(
	const struct packet *packet, size_t offset, bool verified, struct icmp_extensions *found)
{
	struct cursor cursor = cursor_init(packet->transport.payload, packet->transport.payload_length);
	cursor_skip(&cursor, offset);
	return cursor_ok(&cursor) && extensions_read(cursor_rest(&cursor), verified, found);
}

static void split(struct packet *packet)
{
	struct transport *transport = &packet->transport;
	size_t announced = transport->icmp_quote_length;
	if (icmp_quote_unit(packet->ip.source.family, transport->icmp_type) == 0)
		return;
	if (announced != 0) {
		if (extensions_at(packet, announced, false, &packet->extensions))
			transport->payload_length = announced;
	} else if (packet->ip.source.family == 4) {
		if (extensions_at(packet, OLD_QUOTE_SIZE, true, &packet->extensions))
			transport->payload_length = OLD_QUOTE_SIZE;
	}
}

/* RFC 4884 pads quotes with zeros. What lies beyond the length that the quoted header claims and is zero
 * is taken for padding; if anything there is not zero, the claim is wrong (some routers rewrite it) and
 * all bytes stay. */
static void trim_padding(const struct packet *packet, struct transport *quoted)
{
	size_t claimed = packet->quoted_ip.total_length;
	size_t end = packet->transport.payload_length;
	size_t begin = end - quoted->payload_length;
	if (!quoted->payload || claimed < begin || claimed >= end)
		return;
	for (size_t i = claimed - begin; i < quoted->payload_length; i++)
		if (quoted->payload[i] != 0)
			return;
	quoted->payload_length = claimed - begin;
}

void quote_read(struct packet *packet)
{
	struct transport *transport = &packet->transport;
	if (!transport->payload)
		return;
	split(packet);
	struct cursor quote = cursor_init(transport->payload, transport->payload_length);
	struct ip_header ip = {0};
	if (ip_read(&quote, packet->ip.source.family, &ip, false) != 0)
		return;
	packet->has_quote = true;
	packet->quoted_ip = ip;
	transport_read(&quote, &ip, &packet->quoted);
	trim_padding(packet, &packet->quoted);
}
