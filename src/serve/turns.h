/* Who may have a path traced now: one at a time for each asker and each target, few in all, and so many a
 * minute for a network. */
#ifndef RETOUR_SERVE_TURNS_H
#define RETOUR_SERVE_TURNS_H

#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "serve/limits.h"

#define TURNS_AT_ONCE	      16
#define TURNS_PER_MIN_DEFAULT 30

struct turn {
	struct addr asker, target; /* family 0 = free */
};

struct turns {
	struct turn taken[TURNS_AT_ONCE];
	struct limit prefix_limit;
	struct bucket_table prefixes; /* /24 and /48 */
	unsigned retry_s;	      /* after which a used-up prefix may ask once more */
	uint64_t granted, refused_busy, refused_rate;
};

/* `per_minute` traces for a prefix, 0 = default; a third of that at once. */
int turns_init(struct turns *turns, struct hash_key key, unsigned per_minute) MUST_USE;
void turns_deinit(struct turns *turns);
/* The number of the turn; or -EBUSY: too many at once, -EDQUOT: too many a minute; then *retry_after_s says
 * when to ask again. */
int turns_take(struct turns *turns, struct addr asker, struct addr target, int64_t now_ns,
	unsigned *retry_after_s) MUST_USE;
void turns_give_back(struct turns *turns, int turn);

#endif
