#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct addr addr_v4(uint32_t value)
{
	return (struct addr){.low = value, .family = 4};
}

struct addr addr_v6(uint64_t high, uint64_t low)
{
	return (struct addr){.high = high, .low = low, .family = 6};
}

static uint64_t load_be(const uint8_t *bytes, unsigned count)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

static void store_be(uint64_t value, uint8_t *bytes, unsigned count)
{
	for (unsigned i = count; i-- > 0; value >>= 8)
		bytes[i] = (uint8_t)value;
}

struct addr addr_from_bytes(uint8_t family, const uint8_t *bytes)
{
	if (family == 4)
		return addr_v4((uint32_t)load_be(bytes, 4));
	return addr_v6(load_be(bytes, 8), load_be(bytes + 8, 8));
}

void addr_to_bytes(struct addr addr, uint8_t *bytes)
{
	if (addr.family == 4) {
		store_be(addr.low, bytes, 4);
	} else {
		store_be(addr.high, bytes, 8);
		store_be(addr.low, bytes + 8, 8);
	}
}

int addr_compare(struct addr a, struct addr b)
{
	if (a.family != b.family)
		return a.family < b.family ? -1 : 1;
	if (a.high != b.high)
		return a.high < b.high ? -1 : 1;
	if (a.low != b.low)
		return a.low < b.low ? -1 : 1;
	return 0;
}

unsigned addr_bits(struct addr addr)
{
	return addr.family == 4 ? 32 : addr.family == 6 ? 128 : 0;
}

bool addr_parse(const char *text, struct addr *addr)
{
	uint8_t bytes[16];
	*addr = ADDR_NONE;
	if (inet_pton(AF_INET, text, bytes) == 1)
		*addr = addr_from_bytes(4, bytes);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		*addr = addr_from_bytes(6, bytes);
	return addr_is_set(*addr);
}

const char *addr_format(struct addr addr, char text[static ADDR_TEXT_SIZE])
{
	uint8_t bytes[16];
	text[0] = '\0';
	if (addr_is_set(addr)) {
		addr_to_bytes(addr, bytes);
		inet_ntop(addr.family == 4 ? AF_INET : AF_INET6, bytes, text, ADDR_TEXT_SIZE);
	}
	return text;
}

/* The top `length` of 64 bits. */
static uint64_t high_mask(unsigned length)
{
	return length == 0 ? 0 : length >= 64 ? UINT64_MAX : UINT64_MAX << (64 - length);
}

static struct addr addr_mask(struct addr addr, unsigned length)
{
	if (addr.family == 4) {
		addr.low &= high_mask(32 + length);
	} else {
		addr.high &= high_mask(length);
		addr.low &= length > 64 ? high_mask(length - 64) : 0;
	}
	return addr;
}

struct prefix prefix_of(struct addr addr, unsigned length)
{
	unsigned bits = addr_bits(addr);
	if (length > bits)
		length = bits;
	return (struct prefix){.addr = addr_mask(addr, length), .length = (uint8_t)length};
}

bool prefix_contains(struct prefix prefix, struct addr addr)
{
	return prefix.addr.family == addr.family && addr_equal(addr_mask(addr, prefix.length), prefix.addr);
}

bool prefix_parse(const char *text, struct prefix *prefix)
{
	char copy[PREFIX_TEXT_SIZE];
	struct addr addr;
	const char *slash = strchr(text, '/');
	if (!slash || slash[1] < '0' || slash[1] > '9' || (size_t)(slash - text) >= sizeof(copy))
		return false;
	memcpy(copy, text, (size_t)(slash - text));
	copy[slash - text] = '\0';
	char *end;
	unsigned long length = strtoul(slash + 1, &end, 10);
	if (*end != '\0' || !addr_parse(copy, &addr) || length > addr_bits(addr))
		return false;
	*prefix = prefix_of(addr, (unsigned)length);
	return addr_equal(prefix->addr, addr);
}

const char *prefix_format(struct prefix prefix, char text[static PREFIX_TEXT_SIZE])
{
	char addr[ADDR_TEXT_SIZE];
	snprintf(text, PREFIX_TEXT_SIZE, "%s/%u", addr_format(prefix.addr, addr), (unsigned)prefix.length);
	return text;
}

struct addr addr_add(struct addr addr, uint64_t offset)
{
	if (addr.family == 4)
		return addr_v4((uint32_t)(addr.low + offset));
	uint64_t low = addr.low + offset;
	return addr_v6(addr.high + (low < addr.low), low);
}

static bool v4_in(struct addr addr, uint32_t network, unsigned length)
{
	return addr.family == 4 && addr_mask(addr, length).low == network;
}

bool addr_is_loopback(struct addr addr)
{
	return v4_in(addr, 0x7f000000, 8) || (addr.family == 6 && addr.high == 0 && addr.low == 1);
}

bool addr_is_link_local(struct addr addr)
{
	return v4_in(addr, 0xa9fe0000, 16) || (addr.family == 6 && addr.high >> 54 == 0xfe80 >> 6);
}

bool addr_is_private(struct addr addr)
{
	return v4_in(addr, 0x0a000000, 8) ||			 /* RFC 1918 */
		v4_in(addr, 0xac100000, 12) ||			 /* RFC 1918 */
		v4_in(addr, 0xc0a80000, 16) ||			 /* RFC 1918 */
		v4_in(addr, 0x64400000, 10) ||			 /* RFC 6598: carrier-grade NAT */
		(addr.family == 6 && addr.high >> 57 == 0x7e) || /* RFC 4193: fc00::/7 */
		addr_is_loopback(addr) || addr_is_link_local(addr);
}

bool addr_is_unicast(struct addr addr)
{
	if (addr.family == 4)
		return !v4_in(addr, 0, 8) && addr.low < 0xe0000000;
	return addr.family == 6 && addr.high >> 56 != 0xff && (addr.high | addr.low) != 0;
}
