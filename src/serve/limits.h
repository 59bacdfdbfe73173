/* Token buckets: one alone, and one for each source prefix in a table of fixed size. */
#ifndef RETOUR_SERVE_LIMITS_H
#define RETOUR_SERVE_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/hash.h"

struct limit {
	int64_t interval_ns; /* time that earns one unit */
	int64_t burst_ns;    /* time that fills an empty bucket */
};

struct limit limit_per_second(uint64_t units, uint64_t burst_units);

/* The whole bucket is one time: when it will be full again (the "generic cell rate algorithm"). A zeroed
 * bucket is a full one. */
struct token_bucket {
	int64_t full_at_ns;
};

/* Take `units`, all or nothing. */
bool bucket_take(struct token_bucket *bucket, const struct limit *limit, int64_t now_ns, unsigned units);

struct bucket_slot;

/* A bucket for each /24 (IPv4) or /48 (IPv6). Memory is bounded: a newcomer takes the place of the fullest
 * bucket of its set, which is the one whose loss forgives least. A flood from invented prefixes can thereby
 * make the table forgetful, so a limit on the total always stands behind it. */
struct bucket_table {
	struct bucket_slot *slots;
	struct hash_key key;
};

int bucket_table_init(struct bucket_table *table, struct hash_key key) MUST_USE;
void bucket_table_deinit(struct bucket_table *table);
bool bucket_table_take(struct bucket_table *table, const struct limit *limit, struct addr source,
	int64_t now_ns, unsigned units);

#endif
