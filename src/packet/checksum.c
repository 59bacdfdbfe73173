#include "packet/checksum.h"

uint64_t checksum_add(uint64_t sum, const uint8_t *bytes, size_t length)
{
	size_t i = 0;
	for (; i + 1 < length; i += 2)
		sum += (uint64_t)bytes[i] << 8 | bytes[i + 1];
	if (i < length)
		sum += (uint64_t)bytes[i] << 8;
	return sum;
}

static uint64_t add_u64(uint64_t sum, uint64_t value)
{
	return sum + (value >> 48) + (value >> 32 & 0xffff) + (value >> 16 & 0xffff) + (value & 0xffff);
}

uint64_t checksum_pseudo(struct addr source, struct addr destination, uint8_t protocol, uint32_t length)
{
	/* Order and zero padding do not show in a sum, so one form fits both pseudo headers. */
	uint64_t sum = add_u64(0, source.high);
	sum = add_u64(sum, source.low);
	sum = add_u64(sum, destination.high);
	sum = add_u64(sum, destination.low);
	return add_u64(sum, length) + protocol;
}

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)sum;
}

uint16_t checksum_finish(uint64_t sum)
{
	return (uint16_t)~fold(sum);
}

uint16_t checksum_update(uint16_t checksum, uint16_t old_word, uint16_t new_word)
{
	/* RFC 1624 section 3, equation 3: HC' = ~(~HC + ~m + m') */
	return checksum_finish((uint64_t)(uint16_t)~checksum + (uint16_t)~old_word + new_word);
}
