#include "serve/sha256.h"

#include <errno.h>
#include <gnutls/crypto.h>

#include "base/library.h"

int sha256(const void *bytes, size_t length, uint8_t hash[static 32], struct error *error)
{
	int (*hash_fast)(gnutls_digest_algorithm_t algorithm, const void *text, size_t length, void *digest);
	const struct library_symbol symbols[] = {{"gnutls_hash_fast", &hash_fast}};
	int result = library_load("libgnutls.so.30", "libgnutls30", symbols, ARRAY_LEN(symbols), error);
	if (result < 0)
		return result;
	return hash_fast(GNUTLS_DIG_SHA256, bytes, length, hash) == 0
		? 0
		: error_set(error, -EIO, "GnuTLS has no SHA-256");
}
