/* SipHash-2-4 (Aumasson and Bernstein, 2012): keyed tags on probes and hash tables that a stranger cannot
 * fill with collisions. */
#ifndef RETOUR_BASE_HASH_H
#define RETOUR_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct hash_key {
	uint64_t k0, k1;
};

/* A key from the kernel's random source. */
struct hash_key hash_key_random(void);
uint64_t hash_bytes(struct hash_key key, const void *bytes, size_t length);
uint64_t hash_addr(struct hash_key key, struct addr addr);

#endif
