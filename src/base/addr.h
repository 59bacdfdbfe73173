/* Network addresses and prefixes, host order inside the program; byte order exists only in packet/. */
#ifndef RETOUR_BASE_ADDR_H
#define RETOUR_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* 128-bit number; IPv4 lives in the low 32 bits of `low`. family 0 means "no address". */
struct addr {
	uint64_t high;
	uint64_t low;
	uint8_t family; /* 0, 4 or 6 */
};

struct prefix {
	struct addr addr; /* host bits are zero */
	uint8_t length;	  /* 0..32 or 0..128 */
};

#define ADDR_TEXT_SIZE	 46 /* longest IPv6 text and the terminator */
#define PREFIX_TEXT_SIZE 50

#define ADDR_NONE ((struct addr){0})

struct addr addr_v4(uint32_t value);
struct addr addr_v6(uint64_t high, uint64_t low);
/* Bytes as on the wire: 4 or 16 of them according to family. */
struct addr addr_from_bytes(uint8_t family, const uint8_t *bytes);
void addr_to_bytes(struct addr addr, uint8_t *bytes);

static inline bool addr_is_set(struct addr addr)
{
	return addr.family != 0;
}
static inline bool addr_equal(struct addr a, struct addr b)
{
	return a.family == b.family && a.low == b.low && a.high == b.high;
}
/* Order: family, then value; <0, 0, >0. */
int addr_compare(struct addr a, struct addr b);
/* Width of the family in bits: 32 or 128 (0 for no address). */
unsigned addr_bits(struct addr addr);

/* The literal forms inet_pton knows; false (and no address) for anything else. */
bool addr_parse(const char *text, struct addr *addr) MUST_USE;
/* Writes the text into `text` and returns it; "" for no address. */
const char *addr_format(struct addr addr, char text[static ADDR_TEXT_SIZE]);

/* "192.0.2.0/24"; host bits that are set are refused. */
bool prefix_parse(const char *text, struct prefix *prefix) MUST_USE;
const char *prefix_format(struct prefix prefix, char text[static PREFIX_TEXT_SIZE]);
struct prefix prefix_of(struct addr addr, unsigned length);
bool prefix_contains(struct prefix prefix, struct addr addr);

/* The address plus `offset` within its family (wraps). */
struct addr addr_add(struct addr addr, uint64_t offset);

/* Never a global unicast router or host: private, shared (RFC 6598), loopback, link-local, unique-local. */
bool addr_is_private(struct addr addr);
bool addr_is_loopback(struct addr addr);
bool addr_is_link_local(struct addr addr);
/* May be the source or the target of a probe: not unspecified, multicast, broadcast or class E. */
bool addr_is_unicast(struct addr addr);

#endif
