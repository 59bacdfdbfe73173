/* packet_read on anything, IPv4 and IPv6. */
#include "invariants.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet packet;
	if (packet_read(data, size, &packet) == 0) {
		CHECK(!packet.checksum_ok || packet.ip.total_length <= size);
		check_packet(&packet, data, size);
	}
	return 0;
}
