/* packet_read_icmp: the first byte's lowest bit chooses the family. */
#include "invariants.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet packet;
	struct ip_header ip = {.source = addr_v4(1), .destination = addr_v4(2), .ttl = 3};
	if (size == 0)
		return 0;
	if (data[0] & 1)
		ip.source = ip.destination = addr_v6(1, 1);
	if (packet_read_icmp(&ip, data + 1, size - 1, &packet) == 0)
		check_packet(&packet, data, size);
	else
		CHECK(size - 1 < 8);
	return 0;
}
