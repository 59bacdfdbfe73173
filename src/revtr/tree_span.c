/* Where in a trace the router with a stamp is: from ... to, narrowed by every list that shows it.
 *
 * Theory of operation
 *
 * A list that began at a hop of a trace is in the order of the trace. Stamps whose place can be told
 * (tree_anchor) bound those between them. And so do all others that are known: what comes before another in
 * any list is not behind it, in whichever trace the other's place is known; where that is another trace, its
 * hops that both traces have carry it over. */
#include <errno.h>

#include "revtr/tree_inside.h"

#define ORDER_MAX 16 /* of one list, and of what is known to come after it */

static void narrow(struct tree_entry *entry, uint32_t trace, unsigned start, unsigned end)
{
	if (entry->span_trace == trace) {
		start = MAX(start, entry->span_start);
		end = MIN(end, entry->span_end);
		/* They contradict each other: routes have changed, or a stamp lies. */
		if (start > end)
			return;
	} else if (entry->span_trace != TREE_NONE &&
		(unsigned)(entry->span_end - entry->span_start) <= end - start) {
		return;
	}
	entry->span_trace = trace;
	entry->span_start = (uint16_t)start;
	entry->span_end = (uint16_t)end;
}

static int place_in(const struct tree_trace *trace, uint32_t address)
{
	for (unsigned i = 0; address && i < trace->count; i++)
		if (trace->addresses[i] == address)
			return (int)i;
	return -1;
}

/* The place in `trace` of the first hop from `place` on, or of the last up to it, that another trace has,
 * too; -1. */
static int carried(const struct tree_trace *other, int place, bool onwards, const struct tree_trace *trace)
{
	for (int i = place; i >= 0 && i < (int)other->count; i += onwards ? 1 : -1) {
		int found = place_in(trace, other->addresses[i]);
		if (found >= 0)
			return found;
	}
	return -1;
}

/* A place in the trace that the router with this stamp is not behind (`last`), or not before; -1: not known.
 */
static int bound_of(const struct tree *tree, uint32_t index, uint32_t stamp, bool last)
{
	const struct tree_trace *trace = &tree->traces[index];
	const struct tree_entry *entry = tree_find(tree, stamp);
	int anchor = tree_anchor(tree, trace, stamp);
	if (anchor >= 0 || !entry)
		return anchor;
	if (entry->trace != TREE_NONE)
		return carried(&tree->traces[entry->trace], (int)entry->place, last, trace);
	if (entry->span_trace == TREE_NONE)
		return -1;
	int place = last ? entry->span_end : entry->span_start;
	return entry->span_trace == index ? place
					  : carried(&tree->traces[entry->span_trace], place, last, trace);
}

static struct tree_entry *with_span(const struct tree *tree, uint32_t stamp)
{
	struct tree_entry *entry = stamp ? tree_find(tree, stamp) : NULL;
	return entry && entry->trace == TREE_NONE && entry->span_trace != TREE_NONE ? entry : NULL;
}

/* Each comes before the next, in whichever trace its own place is. */
static void put_in_order(struct tree *tree, const uint32_t *stamps, unsigned count)
{
	for (unsigned i = count; i-- > 0;) {
		struct tree_entry *entry = with_span(tree, stamps[i]);
		int end = -1;
		for (unsigned j = i + 1; entry && j < count && end < 0; j++)
			end = bound_of(tree, entry->span_trace, stamps[j], true);
		if (end >= 0)
			narrow(entry, entry->span_trace, 0, (unsigned)end);
	}
	for (unsigned i = 1; i < count; i++) {
		struct tree_entry *entry = with_span(tree, stamps[i]);
		int start = -1;
		for (unsigned j = i; entry && j-- > 0 && start < 0;)
			start = bound_of(tree, entry->span_trace, stamps[j], false);
		if (start >= 0)
			narrow(entry, entry->span_trace, (unsigned)start, UINT16_MAX);
	}
}

/* The list, and what chains say comes after it. */
static void tighten(struct tree *tree, const uint32_t *stamps, unsigned count)
{
	uint32_t order[ORDER_MAX];
	unsigned length = 0;
	for (unsigned i = 0; i < count && length < ORDER_MAX; i++)
		if (stamps[i] != 0)
			order[length++] = stamps[i];
	while (length > 0 && length < ORDER_MAX) {
		const struct tree_entry *entry = tree_find(tree, order[length - 1]);
		bool again = false;
		for (unsigned i = 0; entry && i < length; i++)
			again |= order[i] == entry->next;
		if (!entry || entry->next == 0 || again)
			break;
		order[length++] = entry->next;
	}
	put_in_order(tree, order, length);
}

int tree_align(struct tree *tree, uint32_t index, unsigned place, const uint32_t *stamps, unsigned count)
{
	const struct tree_trace *trace = &tree->traces[index];
	unsigned start = place;
	for (unsigned i = 0; i < count; i++) {
		int anchor = tree_anchor(tree, trace, stamps[i]);
		if (anchor > (int)start)
			start = (unsigned)anchor;
		unsigned end = trace->count - 1;
		for (unsigned j = i; j < count; j++) {
			int later = tree_anchor(tree, trace, stamps[j]);
			if (later >= (int)start) {
				end = (unsigned)later;
				break;
			}
		}
		struct tree_entry *entry = stamps[i] ? tree_entry_of(tree, stamps[i]) : NULL;
		if (stamps[i] && !entry)
			return -ENOMEM;
		if (entry && entry->trace == TREE_NONE)
			narrow(entry, index, start, end);
	}
	tighten(tree, stamps, count);
	return 0;
}
