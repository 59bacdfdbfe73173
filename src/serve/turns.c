#include "serve/turns.h"

#include <errno.h>

#include "base/clock.h"

#define BUSY_RETRY_S 3

int turns_init(struct turns *turns, struct hash_key key, unsigned per_minute)
{
	unsigned count = per_minute ? per_minute : TURNS_PER_MIN_DEFAULT;
	*turns = (struct turns){
		.prefix_limit = {.interval_ns = 60 * NS_PER_S / count},
		.retry_s = (60 + count - 1) / count,
	};
	turns->prefix_limit.burst_ns = turns->prefix_limit.interval_ns * MAX(count / 3, 1u);
	return bucket_table_init(&turns->prefixes, key);
}

void turns_deinit(struct turns *turns)
{
	bucket_table_deinit(&turns->prefixes);
}

/* -EBUSY when one of the two has a turn already, or all are taken. */
static int free_turn(const struct turns *turns, struct addr asker, struct addr target)
{
	int found = -EBUSY;
	for (int i = 0; i < TURNS_AT_ONCE; i++) {
		const struct turn *turn = &turns->taken[i];
		if (!addr_is_set(turn->asker))
			found = i;
		else if (addr_equal(turn->asker, asker) || addr_equal(turn->target, target))
			return -EBUSY;
	}
	return found;
}

static bool afford(struct turns *turns, struct addr asker, struct addr target, int64_t now_ns)
{
	const struct limit *limit = &turns->prefix_limit;
	if (!bucket_table_take(&turns->prefixes, limit, asker, now_ns, 1))
		return false;
	return addr_equal(asker, target) || bucket_table_take(&turns->prefixes, limit, target, now_ns, 1);
}

int turns_take(
	struct turns *turns, struct addr asker, struct addr target, int64_t now_ns, unsigned *retry_after_s)
{
	int found = free_turn(turns, asker, target);
	if (found < 0) {
		turns->refused_busy++;
		*retry_after_s = BUSY_RETRY_S;
		return found;
	}
	if (!afford(turns, asker, target, now_ns)) {
		turns->refused_rate++;
		*retry_after_s = turns->retry_s;
		return -EDQUOT;
	}
	turns->granted++;
	turns->taken[found] = (struct turn){.asker = asker, .target = target};
	return found;
}

void turns_give_back(struct turns *turns, int turn)
{
	turns->taken[turn] = (struct turn){0};
}
