/* What holds of every packet that was read, whatever the bytes. */
#ifndef RETOUR_TESTS_FUZZ_INVARIANTS_H
#define RETOUR_TESTS_FUZZ_INVARIANTS_H

#include <string.h>

#include "fuzz.h"
#include "packet/packet.h"

static inline void check_header(const struct ip_header *ip)
{
	uint8_t family = ip->source.family;
	CHECK((family == 4 || family == 6) && ip->destination.family == family);
	CHECK(ip->route.used <= ip->route.slots && ip->route.slots <= RECORD_ROUTE_SLOTS_MAX);
	CHECK(ip->timestamp.used <= ip->timestamp.slots && ip->timestamp.slots <= RECORD_ROUTE_SLOTS_MAX);
	CHECK(ip->routing.segments_left <= ip->routing.count && ip->routing.count <= SEGMENTS_MAX);
	CHECK(ip->fragment_offset % 8 == 0);
	CHECK(ip->flow_label <= 0xfffff);
}

static inline void check_view(const struct transport *transport, const uint8_t *data, size_t size)
{
	CHECK(transport->seen <= 60);
	if (!transport->payload) {
		CHECK(transport->payload_length == 0);
		return;
	}
	CHECK(transport->payload >= data && transport->payload <= data + size);
	CHECK(transport->payload_length <= (size_t)(data + size - transport->payload));
}

static inline void check_packet(const struct packet *packet, const uint8_t *data, size_t size)
{
	const struct icmp_extensions *extensions = &packet->extensions;
	check_header(&packet->ip);
	check_view(&packet->transport, data, size);
	check_view(&packet->quoted, data, size);
	CHECK(extensions->mpls_count <= MPLS_STACK_MAX && extensions->interface_count <= INTERFACE_INFO_MAX);
	for (uint8_t i = 0; i < extensions->interface_count; i++)
		CHECK(memchr(extensions->interfaces[i].name, '\0', sizeof(extensions->interfaces[i].name)));
	if (packet->has_quote) {
		check_header(&packet->quoted_ip);
		CHECK(packet->quoted_ip.source.family == packet->ip.source.family);
	} else {
		CHECK(packet->quoted.seen == 0);
	}
	(void)icmp_code_word(
		packet->ip.source.family, packet->transport.icmp_type, packet->transport.icmp_code);
}

#endif
