/* forward_*: the first byte is the TTL. Refused means untouched; done means nothing but the header was
 * changed and a header checksum that held still holds. */
#include "packet/forward.h"

#include <string.h>

#include "fuzz.h"
#include "packet/checksum.h"

static uint8_t before[4096], bytes[4096];

/* -1: not IPv4 */
static int header_sum_holds(const uint8_t *packet, size_t size)
{
	size_t length = size > 0 ? (packet[0] & 15u) * 4u : 0;
	if (length < 20 || length > size || packet[0] >> 4 != 4)
		return -1;
	return checksum_finish(checksum_add(0, packet, length)) == 0;
}

static void check_edit(bool done, size_t size)
{
	if (!done)
		CHECK(memcmp(before, bytes, size) == 0);
	if (header_sum_holds(before, size) == 1)
		CHECK(header_sum_holds(bytes, size) == 1);
	size_t header_length = size > 0 && bytes[0] >> 4 == 4 ? (bytes[0] & 15u) * 4u : 40;
	if (size > header_length)
		CHECK(memcmp(before + header_length, bytes + header_length, size - header_length) == 0);
	memcpy(before, bytes, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct addr own[] = {addr_v4(0xcb007101), addr_v4(0)};
	if (size == 0 || size > sizeof(bytes))
		return 0;
	uint8_t ttl = data[0];
	size--;
	/* An exact-size copy for over-reads, then the room above for the comparison. */
	uint8_t *exact = malloc(size);
	if (size > 0)
		memcpy(exact, data + 1, size);
	(void)forward_set_ttl(exact, size, ttl);
	(void)forward_stamp_route(exact, size, own[0]);
	(void)forward_stamp_time(exact, size, own, 2, own[0], 7);
	while (forward_next_segment(exact, size))
		;
	free(exact);
	memcpy(bytes, data + 1, size);
	memcpy(before, bytes, size);
	check_edit(forward_set_ttl(bytes, size, ttl), size);
	check_edit(forward_stamp_route(bytes, size, own[0]), size);
	check_edit(forward_stamp_time(bytes, size, own, 2, own[0], 0x01020304), size);
	return 0;
}
