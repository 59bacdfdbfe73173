#include "base/hash.h"

#include <stdlib.h>
#include <sys/random.h>

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 = rotate(s->v2, 32);
}

static void sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	sip_round(s);
	s->v0 ^= word;
}

static uint64_t load_le(const uint8_t *bytes, size_t count)
{
	uint64_t word = 0;
	for (size_t i = 0; i < count; i++)
		word |= (uint64_t)bytes[i] << (8 * i);
	return word;
}

uint64_t hash_bytes(struct hash_key key, const void *bytes, size_t length)
{
	const uint8_t *data = bytes;
	struct sip s = {
		key.k0 ^ 0x736f6d6570736575,
		key.k1 ^ 0x646f72616e646f6d,
		key.k0 ^ 0x6c7967656e657261,
		key.k1 ^ 0x7465646279746573,
	};
	size_t left = length;
	for (; left >= 8; left -= 8, data += 8)
		sip_word(&s, load_le(data, 8));
	sip_word(&s, (uint64_t)length << 56 | load_le(data, left));
	s.v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t hash_addr(struct hash_key key, struct addr addr)
{
	uint64_t words[3] = {addr.high, addr.low, addr.family};
	return hash_bytes(key, words, sizeof(words));
}

struct hash_key hash_key_random(void)
{
	struct hash_key key;
	/* Up to 256 bytes never come short once the pool is ready (getrandom(2)). Guessable tags would be
	 * worse than no program, so a kernel without randomness ends it. */
	if (getrandom(&key, sizeof(key), 0) != sizeof(key))
		abort();
	return key;
}
