/* SHA-256 (FIPS 180-4) of a client's key, so that the key itself is not kept. GnuTLS does it, which
 * libmicrohttpd brings along; it is loaded by the first call. */
#ifndef RETOUR_SERVE_SHA256_H
#define RETOUR_SERVE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/* 0, or negative: no GnuTLS. */
int sha256(const void *bytes, size_t length, uint8_t hash[static 32], struct error *error) MUST_USE;

#endif
