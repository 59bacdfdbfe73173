/* Renewing and forgetting: a tree that lives for months stays as small as what is believed of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "revtr/tree_inside.h"

/* Addresses of traces that have none to show them any more are shown by the newest other trace that has them.
 */
static void show_again(struct tree *tree)
{
	for (uint32_t index = 0; index < tree->trace_count; index++) {
		const struct tree_trace *trace = &tree->traces[index];
		for (unsigned place = 0; trace->addresses && place + 1 < trace->count; place++) {
			struct tree_entry *entry =
				trace->addresses[place] ? tree_find(tree, trace->addresses[place]) : NULL;
			if (entry)
				tree_show_by(entry, tree, index, place);
		}
	}
}

static void free_trace(struct tree *tree, uint32_t index)
{
	free(tree->traces[index].addresses);
	tree->traces[index] = (struct tree_trace){0};
	tree->trace_free++;
}

void tree_remove_trace(struct tree *tree, uint32_t index)
{
	for (uint32_t i = 0; i < tree->entry_room; i++) {
		struct tree_entry *entry = &tree->entries[i];
		if (entry->address && entry->trace == index)
			entry->trace = TREE_NONE;
		if (entry->address && entry->span_trace == index)
			entry->span_trace = TREE_NONE;
	}
	free_trace(tree, index);
	show_again(tree);
}

bool tree_renew_trace(struct tree *tree, uint32_t index, const uint32_t *addresses, unsigned count,
	uint32_t evidence, int64_t now_ns)
{
	struct tree_trace *trace = &tree->traces[index];
	if (trace->count != count + 1 || memcmp(trace->addresses, addresses, count * sizeof(*addresses)) != 0)
		return false;
	trace->evidence = evidence;
	trace->seen_ns = now_ns;
	trace->uses = 0;
	for (unsigned place = 0; place < count; place++) {
		struct tree_entry *entry = addresses[place] ? tree_find(tree, addresses[place]) : NULL;
		if (entry)
			tree_show_by(entry, tree, index, place);
	}
	return true;
}

int tree_realign(struct tree *tree, uint32_t index, int64_t now_ns)
{
	for (unsigned place = 1; place + 1 < tree->traces[index].count; place++) {
		uint32_t stamps[TREE_WALK_MAX], address = tree->traces[index].addresses[place];
		unsigned count = 0;
		while (address &&
			count < 9) { /* as many as one list may have: what is far is known less well */
			const struct tree_entry *entry = tree_find(tree, address);
			address = entry && tree_fresh(tree, entry->seen_ns, now_ns) ? entry->next : 0;
			if (address)
				stamps[count++] = address;
		}
		int result = tree_align(tree, index, place, stamps, count);
		if (result < 0)
			return result;
	}
	return 0;
}

bool tree_ask(struct tree *tree, uint32_t index, unsigned place, int64_t again_ns, int64_t now_ns)
{
	uint32_t address = tree->traces[index].addresses[place];
	struct tree_entry *entry = address ? tree_find(tree, address) : NULL;
	if (!entry || (entry->asked_ns != TREE_NEVER && now_ns - entry->asked_ns < again_ns))
		return false;
	entry->asked_ns = now_ns;
	return true;
}

/* ---- forgetting */

static bool worth_keeping(const struct tree *tree, const struct tree_entry *entry, int64_t now_ns)
{
	return entry->trace != TREE_NONE || entry->span_trace != TREE_NONE ||
		(entry->next != 0 && tree_fresh(tree, entry->seen_ns, now_ns));
}

static void drop_traces(struct tree *tree, int64_t now_ns)
{
	for (uint32_t i = 0; i < tree->trace_count; i++)
		if (tree->traces[i].addresses && !tree_fresh(tree, tree->traces[i].seen_ns, now_ns))
			free_trace(tree, i);
	while (tree->trace_count > 0 && !tree->traces[tree->trace_count - 1].addresses) {
		tree->trace_count--;
		tree->trace_free--;
	}
	for (uint32_t i = 0; i < tree->entry_room; i++) {
		struct tree_entry *entry = &tree->entries[i];
		if (!entry->address)
			continue;
		if (entry->trace != TREE_NONE &&
			(entry->trace >= tree->trace_count || !tree->traces[entry->trace].addresses))
			entry->trace = TREE_NONE;
		if (entry->span_trace != TREE_NONE &&
			(entry->span_trace >= tree->trace_count ||
				!tree->traces[entry->span_trace].addresses))
			entry->span_trace = TREE_NONE;
	}
	show_again(tree);
}

/* Anew, by the addresses that are left. */
static int learn_numbering(struct tree *tree)
{
	int result = 0;
	free(tree->nets31);
	tree->nets31 = NULL;
	tree->net31_count = tree->net31_room = 0;
	for (uint32_t i = 0; i < tree->entry_room && result == 0; i++)
		if (tree->entries[i].address)
			result = tree_note_numbering(tree, tree->entries[i].address);
	return result;
}

int tree_prune(struct tree *tree, int64_t now_ns)
{
	uint32_t kept = 0, room = TREE_ROOM_AT_FIRST;
	drop_traces(tree, now_ns);
	for (uint32_t i = 0; i < tree->entry_room; i++)
		kept += tree->entries[i].address && worth_keeping(tree, &tree->entries[i], now_ns);
	while (4 * (kept + 1) > 3 * room)
		room *= 2;
	struct tree_entry *old = tree->entries, *entries = calloc(room, sizeof(*entries));
	uint32_t old_room = tree->entry_room;
	if (!entries)
		return -ENOMEM;
	tree->entries = entries;
	tree->entry_room = room;
	tree->entry_count = kept;
	for (uint32_t i = 0; i < old_room; i++)
		if (old[i].address && worth_keeping(tree, &old[i], now_ns))
			tree_put(tree, &old[i]);
	free(old);
	return learn_numbering(tree);
}

int tree_clear(struct tree *tree, int64_t now_ns)
{
	for (uint32_t i = 0; i < tree->trace_count; i++)
		tree->traces[i].seen_ns = now_ns - tree->age_max_ns - 1;
	return tree_prune(tree, now_ns);
}

size_t tree_bytes(const struct tree *tree)
{
	size_t bytes = tree->entry_room * sizeof(*tree->entries) + tree->trace_room * sizeof(*tree->traces) +
		tree->net31_room * sizeof(*tree->nets31);
	for (uint32_t i = 0; i < tree->trace_count; i++)
		bytes += tree->traces[i].count * sizeof(*tree->traces[i].addresses);
	return bytes;
}
