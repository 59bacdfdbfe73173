/* Which addresses are one router's, as somebody found out: sets from a file, such as CAIDA's of an ITDK.
 * Pure. */
#ifndef RETOUR_REVTR_ALIASES_H
#define RETOUR_REVTR_ALIASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"

#define ALIASES_MAX	4000000 /* addresses in all; about 20 bytes each */
#define ALIASES_SET_MAX 1024	/* of one router; more is nobody's router */

struct aliases {
	uint32_t *
		members; /* set by set: the number of addresses, and then these, and what is left by others */
	size_t member_count, member_room;
	struct alias_slot {
		uint32_t address, set; /* where in `members` its set begins; address 0 = free */
	} * table;
	size_t count, room; /* a power of two, or 0 */
	size_t set_count;
};

void aliases_deinit(struct aliases *aliases);
/* One router's addresses, two or more. One that is in another set leaves it: the newest word stands. Those
 * that could be anybody's (private ones) are left out. 0; -ENOMEM; -E2BIG: there are too many in all. */
int aliases_add(struct aliases *aliases, const uint32_t *addresses, size_t count) MUST_USE;
/* All of the router that has this address, with it; none known: *count is 0. `aliases` may be NULL. */
const uint32_t *aliases_of(const struct aliases *aliases, uint32_t address, size_t *count);
bool aliases_same(const struct aliases *aliases, uint32_t a, uint32_t b);

/* A line of a file: addresses separated by blanks, or "node N1: ADDRESS ..." as CAIDA's. Their number, 0 for
 * a line that says nothing (a comment, one address, IPv6), -EINVAL for one that cannot be understood. At most
 * `room` are taken. */
int aliases_parse(const char *line, size_t length, uint32_t *addresses, size_t room);

#endif
