#include "serve/limits.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

#define SETS 2048 /* power of two */
#define WAYS 4

struct bucket_slot {
	uint64_t prefix_hash; /* 0 = free */
	struct token_bucket bucket;
};

struct limit limit_per_second(uint64_t units, uint64_t burst_units)
{
	struct limit limit = {.interval_ns = NS_PER_S / (int64_t)MAX(units, 1)};
	limit.interval_ns = MAX(limit.interval_ns, 1);
	limit.burst_ns = limit.interval_ns * (int64_t)MAX(burst_units, 1);
	return limit;
}

bool bucket_take(struct token_bucket *bucket, const struct limit *limit, int64_t now_ns, unsigned units)
{
	int64_t full_at = MAX(bucket->full_at_ns, now_ns) + limit->interval_ns * units;
	if (full_at - now_ns > limit->burst_ns)
		return false;
	bucket->full_at_ns = full_at;
	return true;
}

int bucket_table_init(struct bucket_table *table, struct hash_key key)
{
	table->slots = calloc((size_t)SETS * WAYS, sizeof(*table->slots));
	table->key = key;
	return table->slots ? 0 : -ENOMEM;
}

void bucket_table_deinit(struct bucket_table *table)
{
	free(table->slots);
	table->slots = NULL;
}

static struct token_bucket *find_bucket(struct bucket_table *table, struct addr source)
{
	uint64_t hash = hash_addr(table->key, prefix_of(source, source.family == 4 ? 24 : 48).addr) | 1;
	struct bucket_slot *set = &table->slots[(hash >> 32) % SETS * WAYS];
	struct bucket_slot *fullest = &set[0];
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].prefix_hash == hash)
			return &set[i].bucket;
		if (set[i].bucket.full_at_ns < fullest->bucket.full_at_ns)
			fullest = &set[i];
	}
	*fullest = (struct bucket_slot){.prefix_hash = hash};
	return &fullest->bucket;
}

bool bucket_table_take(struct bucket_table *table, const struct limit *limit, struct addr source,
	int64_t now_ns, unsigned units)
{
	return bucket_take(find_bucket(table, source), limit, now_ns, units);
}
