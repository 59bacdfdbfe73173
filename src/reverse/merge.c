#include "reverse/merge.h"

#include "insight/align.h"

#define NOWHERE SIZE_MAX

static bool has_address(const struct hop *hop, struct addr addr)
{
	for (size_t i = 0; i < hop->address_count; i++)
		if (addr_equal(hop->addresses[i], addr))
			return true;
	return addr_equal(hop->address, addr);
}

/* Where the router of this address is, once; else NOWHERE. */
static size_t find(const struct path *path, struct addr addr)
{
	size_t found = NOWHERE;
	for (size_t i = 0; i < path->hop_count; i++)
		if (hop_known(&path->hops[i]) && has_address(&path->hops[i], addr)) {
			if (found != NOWHERE)
				return NOWHERE;
			found = i;
		}
	return found;
}

static size_t last_known(const struct path *path)
{
	for (size_t i = path->hop_count; i-- > 0;)
		if (hop_known(&path->hops[i]))
			return i;
	return NOWHERE;
}

/* An address that is the first or last of four shows that links are numbered by two: then those of a /30 may
 * be neighbours of two links. */
static bool by_twos(const struct path *path)
{
	for (size_t i = 0; i < path->hop_count; i++) {
		unsigned end = (unsigned)path->hops[i].address.low & 3;
		if (hop_known(&path->hops[i]) && (end == 0 || end == 3))
			return true;
	}
	return false;
}

/* The hop at the other end of the link that the router sends by, where it wrote that address down. */
static size_t find_link(const struct path *first, size_t last, const struct path *other)
{
	const struct hop *hop = &first->hops[last];
	bool certain = !by_twos(first) && !by_twos(other);
	if (hop->technique != TECHNIQUE_RECORD_ROUTE)
		return NOWHERE;
	for (size_t i = 0; i < other->hop_count; i++) {
		struct addr addr = other->hops[i].address;
		if (hop_known(&other->hops[i]) && other->hops[i].technique != TECHNIQUE_RECORD_ROUTE &&
			addr_is_link_mate(hop->address, addr) &&
			((hop->address.low ^ addr.low) == 1 || certain))
			return i;
	}
	return NOWHERE;
}

static bool same_origin(const struct path *a, const struct path *b)
{
	return !a->vantage && !b->vantage && addr_equal(a->source, b->source);
}

/* A copy of the other's hop, for what it is worth here. */
static void judge(struct hop *hop, bool same)
{
	if (!same && hop->certainty == CERTAINTY_MEASURED)
		hop->certainty = CERTAINTY_INFERRED;
}

/* ---- the rest */

/* None of the hops from `start` on is one that the packet has passed already. */
static bool makes_loop(const struct path *first, size_t last, const struct path *other, size_t start)
{
	for (size_t i = start; i < other->hop_count; i++)
		for (size_t j = 0; j <= last; j++)
			if (hop_known(&other->hops[i]) && hop_known(&first->hops[j]) &&
				has_address(&first->hops[j], other->hops[i].address))
				return true;
	return false;
}

static bool knows_any(const struct path *path, size_t start)
{
	for (size_t i = start; i < path->hop_count; i++)
		if (hop_known(&path->hops[i]))
			return true;
	return false;
}

static bool append_hop(struct path *merged, struct hop *hop, int ttl, bool same)
{
	struct hop *place = path_add_hop(merged, ttl, hop->technique);
	if (!place)
		return false;
	struct hop empty = *place;
	*place = *hop;
	*hop = empty;
	place->ttl = ttl;
	judge(place, same);
	return true;
}

/* Hops are numbered on where both sides count theirs: `place` is that of the other's hop numbered `at`. */
static bool append(
	struct path *merged, size_t last, const struct path *other, size_t start, int place, int at)
{
	struct path *rest = path_copy(other), none = {.hops = NULL};
	bool same = same_origin(merged, other), whole = rest && path_join(merged, last + 1, &none) == 0;
	for (size_t i = start; whole && i < rest->hop_count; i++) {
		int ttl = rest->hops[i].ttl;
		whole = append_hop(
			merged, &rest->hops[i], place > 0 && at > 0 && ttl > 0 ? place + ttl - at : -1, same);
	}
	path_free(rest);
	merged->reached = other->reached;
	merged->stop_reason = other->stop_reason;
	return whole;
}

static bool add_rest(struct path *merged, const struct path *other, struct merge *merge)
{
	size_t last = last_known(merged);
	if (merged->reached || last == NOWHERE)
		return true;
	size_t at = find(other, merged->hops[last].address), start = at + 1;
	int place = merged->hops[last].ttl;
	if (at == NOWHERE) {
		at = start = find_link(merged, last, other);
		place += place > 0;
	}
	if (at == NOWHERE || !knows_any(other, start) || makes_loop(merged, last, other, start))
		return true;
	merge->joined = last;
	return append(merged, last, other, start, place, other->hops[at].ttl);
}

/* ---- gaps */

static bool copy_hop(struct path *merged, size_t index, const struct path *other, size_t from)
{
	struct path *copy = path_copy(other);
	if (!copy)
		return false;
	struct hop *hop = &copy->hops[from], unknown = merged->hops[index];
	hop->ttl = unknown.ttl;
	judge(hop, same_origin(merged, other));
	merged->hops[index] = *hop;
	*hop = unknown;
	path_free(copy);
	return true;
}

/* Unknown hops between two routers that the other has seen, too, so many hops apart. */
static bool fill_gap(
	struct path *merged, size_t before, size_t behind, const struct path *other, struct merge *merge)
{
	size_t start = find(other, merged->hops[before].address),
	       end = find(other, merged->hops[behind].address);
	if (start == NOWHERE || end == NOWHERE || end < start || end - start != behind - before)
		return true;
	for (size_t i = 1; i < behind - before; i++) {
		if (!hop_known(&other->hops[start + i]))
			continue;
		if (!copy_hop(merged, before + i, other, start + i))
			return false;
		merge->filled++;
	}
	return true;
}

static bool fill_gaps(struct path *merged, const struct path *other, struct merge *merge)
{
	size_t before = NOWHERE;
	for (size_t i = 0; i < merged->hop_count; i++) {
		if (!hop_known(&merged->hops[i]))
			continue;
		if (before != NOWHERE && i > before + 1 && !fill_gap(merged, before, i, other, merge))
			return false;
		before = i;
	}
	return true;
}

struct path *merge_paths(const struct path *first, const struct path *other, struct merge *merge)
{
	*merge = (struct merge){.joined = first->hop_count};
	struct path *merged = path_copy(first);
	if (!merged)
		return NULL;
	merged->gap_count = 0; /* they counted its hops, and may be filled */
	bool done = add_rest(merged, other, merge) && fill_gaps(merged, other, merge);
	if (done && (merge->joined < first->hop_count || merge->filled > 0))
		return merged;
	path_free(merged);
	return NULL;
}
