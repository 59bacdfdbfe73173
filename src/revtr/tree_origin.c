/* Routers that forward by where a packet comes from: tunnels, routes by policy, routes by the interface it
 * came in by.
 *
 * Theory of operation
 *
 * All that is known of ways to the source rests on forwarding by destination: what follows a router is the
 * same for everybody. Record Route shows the same router in two parts: asked itself, the list goes on with
 * the way of its own answers; in lists of those behind it, with the way of packets that pass it. Where all
 * packets that pass go one way, whoever sent them, and its own answers another, it does not forward by
 * destination only.
 *
 * A router that balances load can look the same: its own answers are one flow, and go one of the ways. So
 * packets of ORIGINS_LEAST others have to agree before it is said, and one of them that does not is enough
 * to say nothing. Routes that change in between can look the same, too, so both have to be seen within
 * ORIGIN_NS. */
#include "base/clock.h"
#include "revtr/aliases.h"
#include "revtr/tree_inside.h"

#define ORIGINS_LEAST 3
#define ORIGIN_NS     (1800 * NS_PER_S)

static void note(struct tree_next *next, uint32_t address, uint32_t origin, int64_t now_ns)
{
	bool old = next->address == 0 || now_ns - next->seen_ns > ORIGIN_NS;
	if (old)
		*next = (struct tree_next){.address = address};
	next->seen_ns = now_ns;
	next->varies |= next->address != address;
	if (next->origin != origin && next->origins < UINT8_MAX)
		next->origins++;
	next->origin = origin;
}

void tree_note_origin(struct tree *tree, const uint32_t *addresses, unsigned count, int64_t now_ns)
{
	for (unsigned i = 0; i + 1 < count; i++) {
		struct tree_entry *entry = addresses[i] ? tree_find(tree, addresses[i]) : NULL;
		if (entry && addresses[i + 1] != 0 && addresses[i] != addresses[i + 1])
			note(i == 0 ? &entry->own : &entry->passing, addresses[i + 1], addresses[0], now_ns);
	}
}

static bool is_other(const struct tree *tree, uint32_t one, uint32_t other)
{
	return one != other && tree_mate31(one) != other && tree_mate30(tree, one) != other &&
		!aliases_same(tree->aliases, one, other);
}

bool tree_by_origin(const struct tree *tree, uint32_t address, int64_t now_ns)
{
	const struct tree_entry *entry = tree_find(tree, address);
	if (!entry || entry->own.address == 0 || entry->own.varies || entry->passing.varies ||
		entry->passing.origins < ORIGINS_LEAST)
		return false;
	int64_t apart_ns = entry->own.seen_ns - entry->passing.seen_ns;
	return apart_ns <= ORIGIN_NS && apart_ns >= -ORIGIN_NS &&
		tree_fresh(tree, entry->own.seen_ns, now_ns) &&
		is_other(tree, entry->own.address, entry->passing.address);
}
