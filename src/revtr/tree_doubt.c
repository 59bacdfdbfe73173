/* Record Route against traceroute: where a list that came home goes another way than a trace says, routes
 * have changed.
 *
 * Theory of operation
 *
 * Take a stamp a at some place of a trace, and those that come after it up to the next one, b, that is in the
 * trace, too. The trace is contradicted when
 *
 *   order     b is in it before a
 *   elsewhere of one in between another trace knows the router that its link leads to, or itself and what
 * follows, and that is not in this one changed   what comes right after a is not in it, and Record Route
 * showed another one there before
 *
 * Routers that balance load can look the same. So a doubt is only a question: the trace is made anew, and
 * what a newer one says is believed again, for DOUBT_AGAIN_NS whatever lists say. */
#include "base/clock.h"
#include "revtr/aliases.h"
#include "revtr/tree_inside.h"

#define DOUBT_AGAIN_NS (3600 * NS_PER_S)

/* Is any hop of the trace after `place` unknown? It could be anybody. */
static bool has_silent(const struct tree_trace *trace, unsigned place)
{
	for (unsigned i = place + 1; i < trace->count; i++)
		if (trace->addresses[i] == 0)
			return true;
	return false;
}

static bool goes_elsewhere(const struct tree *tree, const struct tree_trace *trace, unsigned place,
	uint32_t stamp, int64_t now_ns)
{
	const struct tree_entry *entry = tree_find(tree, stamp), *far = tree_far_end(tree, stamp, now_ns);
	const struct tree_trace *other = tree_believed(tree, entry, now_ns);
	uint32_t next = far ? far->address : other ? other->addresses[entry->place + 1] : 0;
	return next != 0 && tree_anchor(tree, trace, next) <= (int)place && !has_silent(trace, place);
}

/* Another than what came after it before: not the same router by another name. */
static bool has_changed(const struct tree *tree, uint32_t from, uint32_t next, int64_t now_ns)
{
	const struct tree_entry *entry = tree_find(tree, from);
	if (!entry || entry->next == 0 || entry->next == next || !tree_fresh(tree, entry->seen_ns, now_ns))
		return false;
	return tree_mate31(next) != entry->next && tree_mate30(tree, next) != entry->next &&
		!aliases_same(tree->aliases, next, entry->next);
}

/* What comes after a router at that place, from addresses[1] on: up to the first that is in the trace, too.
 * `least`: the place of the router that wrote addresses[0]. */
static bool contradicts(const struct tree *tree, const struct tree_entry *at, unsigned least,
	const uint32_t *addresses, unsigned count, int64_t now_ns)
{
	const struct tree_trace *trace = &tree->traces[at->trace];
	if (addresses[1] != 0 && tree_anchor(tree, trace, addresses[1]) < 0 &&
		has_changed(tree, addresses[0], addresses[1], now_ns))
		return true;
	for (unsigned i = 1; i < count; i++) {
		int there = tree_anchor(tree, trace, addresses[i]);
		if (there >= 0)
			return there < (int)least;
		if (addresses[i] != 0 && goes_elsewhere(tree, trace, at->place, addresses[i], now_ns))
			return true;
	}
	return false;
}

/* What follows addresses[0]. */
static bool doubt_one(struct tree *tree, const uint32_t *addresses, unsigned count, int64_t now_ns)
{
	struct tree_entry *entry = tree_find(tree, addresses[0]);
	unsigned before = 0;
	/* A stamp that names a link is about the router at its far end. */
	if (!tree_believed(tree, entry, now_ns)) {
		const struct tree_entry *far = tree_far_end(tree, addresses[0], now_ns);
		entry = far ? tree_find(tree, far->address) : NULL;
		before = 1;
		if (!tree_believed(tree, entry, now_ns))
			return false;
	}
	if (entry->doubt_ns != TREE_NEVER && now_ns - entry->doubt_ns < DOUBT_AGAIN_NS)
		return false; /* it has been asked, and answered */
	if (!contradicts(tree, entry, entry->place - before, addresses, count, now_ns))
		return false;
	entry->doubt_ns = now_ns;
	return true;
}

unsigned tree_doubt(struct tree *tree, const uint32_t *addresses, unsigned count, int64_t now_ns)
{
	unsigned raised = 0;
	for (unsigned i = 0; i + 1 < count; i++)
		if (addresses[i] != 0 && addresses[i] != addresses[i + 1])
			raised += doubt_one(tree, addresses + i, count - i, now_ns);
	tree->doubts += raised;
	return raised;
}

uint32_t tree_doubted(const struct tree *tree, uint32_t *from, int64_t now_ns, uint32_t *address)
{
	while (*from < tree->entry_room) {
		const struct tree_entry *entry = &tree->entries[(*from)++];
		const struct tree_trace *trace = entry->address && entry->doubt_ns != TREE_NEVER
			? tree_trace_at(tree, entry->trace, now_ns)
			: NULL;
		if (!trace || trace->seen_ns > entry->doubt_ns)
			continue;
		if (address)
			*address = entry->address;
		return entry->trace;
	}
	return TREE_NONE;
}
