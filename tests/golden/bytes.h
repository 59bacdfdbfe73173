/* Bytes for tests, on the heap and of exactly their size, so that the address sanitizer sees an over-read. */
#ifndef RETOUR_TESTS_GOLDEN_BYTES_H
#define RETOUR_TESTS_GOLDEN_BYTES_H

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

struct bytes {
	uint8_t *data;
	size_t length;
};

static inline struct bytes bytes_copy(const uint8_t *data, size_t length)
{
	struct bytes copy = {.data = malloc(length), .length = length};
	if (!copy.data && length > 0)
		abort();
	if (length > 0)
		memcpy(copy.data, data, length);
	return copy;
}

static inline unsigned hex_digit(char c)
{
	return isdigit((unsigned char)c) ? (unsigned)(c - '0')
					 : (unsigned)(tolower((unsigned char)c) - 'a') + 10;
}

/* "45 00 00|24": spaces and bars are for the reader. */
static inline struct bytes bytes_of_hex(const char *hex)
{
	size_t length = 0;
	uint8_t *data = malloc(strlen(hex) / 2 + 1);
	if (!data)
		abort();
	while (*hex) {
		if (!isxdigit((unsigned char)hex[0])) {
			hex++;
			continue;
		}
		data[length++] = (uint8_t)(hex_digit(hex[0]) << 4 | hex_digit(hex[1]));
		hex += 2;
	}
	struct bytes bytes = bytes_copy(data, length);
	free(data);
	return bytes;
}

#endif
