/* What packet_read accepts and packet_write can say reads back equal, and writing it again changes nothing.
 */
#include "invariants.h"

static void check_extensions(const struct icmp_extensions *a, const struct icmp_extensions *b)
{
	CHECK(a->mpls_count == b->mpls_count && a->interface_count == b->interface_count);
	for (uint8_t i = 0; i < a->mpls_count; i++) {
		CHECK(a->mpls[i].label == b->mpls[i].label && a->mpls[i].ttl == b->mpls[i].ttl);
		CHECK(a->mpls[i].traffic_class == b->mpls[i].traffic_class &&
			a->mpls[i].bottom == b->mpls[i].bottom);
	}
	for (uint8_t i = 0; i < a->interface_count; i++) {
		const struct interface_info *x = &a->interfaces[i], *y = &b->interfaces[i];
		CHECK(x->role == y->role && x->index == y->index && x->mtu == y->mtu);
		CHECK(addr_equal(x->address, y->address) && strcmp(x->name, y->name) == 0);
	}
}

static void check_ip(const struct ip_header *a, const struct ip_header *b)
{
	CHECK(addr_equal(a->source, b->source) && addr_equal(a->destination, b->destination));
	CHECK(a->tos == b->tos && a->ttl == b->ttl && a->protocol == b->protocol && a->id == b->id);
	CHECK(a->dont_fragment == b->dont_fragment && a->more_fragments == b->more_fragments);
	CHECK(a->has_fragment == b->has_fragment && a->fragment_offset == b->fragment_offset);
	CHECK(a->fragment_id == b->fragment_id && a->flow_label == b->flow_label);
	CHECK(a->route.present == b->route.present && a->route.type == b->route.type);
	CHECK(a->route.slots == b->route.slots && a->route.used == b->route.used);
	for (uint8_t i = 0; i < a->route.slots; i++)
		CHECK(addr_equal(a->route.addrs[i], b->route.addrs[i]));
	CHECK(a->timestamp.present == b->timestamp.present && a->timestamp.flag == b->timestamp.flag);
	CHECK(a->timestamp.slots == b->timestamp.slots && a->timestamp.used == b->timestamp.used);
	CHECK(a->timestamp.overflow == b->timestamp.overflow);
	for (uint8_t i = 0; i < a->timestamp.slots; i++)
		CHECK(addr_equal(a->timestamp.addrs[i], b->timestamp.addrs[i]) &&
			a->timestamp.times[i] == b->timestamp.times[i]);
	CHECK(a->routing.present == b->routing.present && a->routing.type == b->routing.type);
	CHECK(a->routing.count == b->routing.count && a->routing.segments_left == b->routing.segments_left);
	for (uint8_t i = 0; i < a->routing.count; i++)
		CHECK(addr_equal(a->routing.segments[i], b->routing.segments[i]));
	CHECK(!b->bad_options);
}

static void check_transport(const struct transport *a, const struct transport *b)
{
	CHECK(a->source_port == b->source_port && a->destination_port == b->destination_port);
	CHECK(a->tcp_sequence == b->tcp_sequence && a->tcp_acknowledgement == b->tcp_acknowledgement);
	CHECK(a->tcp_flags == b->tcp_flags && a->tcp_window == b->tcp_window && a->tcp_mss == b->tcp_mss);
	CHECK(a->tcp_has_timestamps == b->tcp_has_timestamps);
	CHECK(a->tcp_timestamp_value == b->tcp_timestamp_value &&
		a->tcp_timestamp_echo == b->tcp_timestamp_echo);
	CHECK(a->tcp_has_sack == b->tcp_has_sack);
	CHECK(a->tcp_sack_left == b->tcp_sack_left && a->tcp_sack_right == b->tcp_sack_right);
	CHECK(a->icmp_kind == b->icmp_kind && a->icmp_type == b->icmp_type && a->icmp_code == b->icmp_code);
	CHECK(a->icmp_id == b->icmp_id && a->icmp_seq == b->icmp_seq);
	CHECK(a->icmp_mtu == b->icmp_mtu && a->icmp_pointer == b->icmp_pointer);
	/* Quotes in front of extensions are padded with zeros. */
	CHECK(a->payload_length <= b->payload_length);
	CHECK(a->payload_length == 0 || memcmp(a->payload, b->payload, a->payload_length) == 0);
	for (size_t i = a->payload_length; i < b->payload_length; i++)
		CHECK(b->payload[i] == 0);
}

static size_t write_again(const struct packet *packet, uint8_t *room, size_t size)
{
	struct packet_spec spec = {.ip = packet->ip, .transport = packet->transport};
	struct writer writer = writer_init(room, size);
	if (packet->extensions.present && packet->extensions.checksum_ok)
		spec.extensions = &packet->extensions;
	return packet_write(&writer, &spec) == 0 ? writer.length : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t first[PACKET_SIZE_MAX], second[PACKET_SIZE_MAX];
	struct packet packet, again;
	if (packet_read(data, size, &packet) != 0 || packet.ip.bad_options)
		return 0;
	/* A length attribute that leads nowhere cannot be said, and its absence may read differently. */
	if (packet.transport.icmp_quote_length != 0 && !packet.extensions.present)
		return 0;
	/* Half an ICMP header has no kind, and a whole one is written. */
	bool icmp = packet.ip.protocol == PROTOCOL_ICMP || packet.ip.protocol == PROTOCOL_ICMPV6;
	if (icmp && packet.ip.fragment_offset == 0 && packet.transport.seen < 8)
		return 0;
	size_t length = write_again(&packet, first, sizeof(first));
	if (length == 0)
		return 0;
	CHECK(packet_read(first, length, &again) == 0);
	check_ip(&packet.ip, &again.ip);
	check_transport(&packet.transport, &again.transport);
	if (packet.extensions.checksum_ok)
		check_extensions(&packet.extensions, &again.extensions);
	CHECK(again.ip.total_length == length);
	CHECK(again.checksum_ok || again.ip.fragment_offset != 0 || again.ip.more_fragments);
	CHECK(write_again(&again, second, sizeof(second)) == length && memcmp(first, second, length) == 0);
	return 0;
}
