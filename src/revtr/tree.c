#include "revtr/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "revtr/aliases.h"
#include "revtr/tree_inside.h"

int tree_init(struct tree *tree, uint32_t source, int64_t age_max_ns)
{
	*tree = (struct tree){.source = source, .age_max_ns = age_max_ns, .entry_room = TREE_ROOM_AT_FIRST};
	tree->entries = calloc(TREE_ROOM_AT_FIRST, sizeof(*tree->entries));
	return tree->entries ? 0 : -ENOMEM;
}

void tree_deinit(struct tree *tree)
{
	for (uint32_t i = 0; i < tree->trace_count; i++)
		free(tree->traces[i].addresses);
	free(tree->traces);
	free(tree->entries);
	free(tree->nets31);
}

/* ---- addresses */

/* Addresses come from the network; whoever can choose many of them only slows down a tree of his own source.
 */
static uint32_t slot_of(const struct tree *tree, uint32_t address)
{
	return (uint32_t)((address * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (tree->entry_room - 1);
}

struct tree_entry *tree_find(const struct tree *tree, uint32_t address)
{
	for (uint32_t i = slot_of(tree, address);; i = (i + 1) & (tree->entry_room - 1)) {
		struct tree_entry *entry = &tree->entries[i];
		if (entry->address == address)
			return entry;
		if (entry->address == 0)
			return NULL;
	}
}

void tree_put(struct tree *tree, const struct tree_entry *entry)
{
	uint32_t i = slot_of(tree, entry->address);
	while (tree->entries[i].address != 0)
		i = (i + 1) & (tree->entry_room - 1);
	tree->entries[i] = *entry;
}

static int make_room(struct tree *tree)
{
	if (4 * (tree->entry_count + 1) <= 3 * tree->entry_room)
		return 0;
	struct tree_entry *old = tree->entries;
	uint32_t old_room = tree->entry_room;
	struct tree_entry *entries = calloc(2 * (size_t)old_room, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	tree->entries = entries;
	tree->entry_room = 2 * old_room;
	for (uint32_t i = 0; i < old_room; i++)
		if (old[i].address != 0)
			tree_put(tree, &old[i]);
	free(old);
	return 0;
}

/* ---- how links are numbered */

/* The first and the last address of a /30 are no router's, those of a /31 are. Networks number all their
 * links in one way, so one such address tells about its neighbours. */
bool tree_numbered_by_31(const struct tree *tree, uint32_t address)
{
	uint32_t net = (address >> 8) + 1;
	for (uint32_t i = net * 2654435761u; tree->net31_room; i++) {
		uint32_t found = tree->nets31[i & (tree->net31_room - 1)];
		if (found == net || found == 0)
			return found == net;
	}
	return false;
}

static void put_net31(uint32_t *nets, uint32_t room, uint32_t net)
{
	uint32_t i = net * 2654435761u;
	while (nets[i & (room - 1)] != 0)
		i++;
	nets[i & (room - 1)] = net;
}

int tree_note_numbering(struct tree *tree, uint32_t address)
{
	bool telling = (address & 3) == 0 || (address & 3) == 3;
	if (!telling || tree_numbered_by_31(tree, address))
		return 0;
	if (2 * (tree->net31_count + 1) > tree->net31_room) {
		uint32_t room = tree->net31_room ? 2 * tree->net31_room : 64,
			 *nets = calloc(room, sizeof(*nets));
		if (!nets)
			return -ENOMEM;
		for (uint32_t i = 0; i < tree->net31_room; i++)
			if (tree->nets31[i] != 0)
				put_net31(nets, room, tree->nets31[i]);
		free(tree->nets31);
		tree->nets31 = nets;
		tree->net31_room = room;
	}
	put_net31(tree->nets31, tree->net31_room, (address >> 8) + 1);
	tree->net31_count++;
	return 0;
}

/* ---- learning */

/* NULL: out of memory. Good until the next one is made. */
struct tree_entry *tree_entry_of(struct tree *tree, uint32_t address)
{
	struct tree_entry *entry = tree_find(tree, address);
	if (entry)
		return entry;
	if (make_room(tree) < 0 || tree_note_numbering(tree, address) < 0)
		return NULL;
	struct tree_entry fresh = {.address = address,
		.trace = TREE_NONE,
		.span_trace = TREE_NONE,
		.doubt_ns = TREE_NEVER,
		.asked_ns = TREE_NEVER,
		.left_ns = TREE_NEVER};
	tree_put(tree, &fresh);
	tree->entry_count++;
	return tree_find(tree, address);
}

/* The first free place, or one more. TREE_NONE: out of memory. */
static uint32_t free_trace(struct tree *tree)
{
	for (uint32_t i = 0; tree->trace_free > 0; i++)
		if (!tree->traces[i].addresses) {
			tree->trace_free--;
			return i;
		}
	if (tree->trace_count == tree->trace_room) {
		uint32_t room = tree->trace_room ? 2 * tree->trace_room : 16;
		struct tree_trace *traces = realloc(tree->traces, room * sizeof(*traces));
		if (!traces)
			return TREE_NONE;
		tree->traces = traces;
		tree->trace_room = room;
	}
	tree->traces[tree->trace_count] = (struct tree_trace){0};
	return tree->trace_count++;
}

void tree_show_by(struct tree_entry *entry, const struct tree *tree, uint32_t trace, uint32_t place)
{
	if (entry->trace != TREE_NONE && tree->traces[entry->trace].seen_ns > tree->traces[trace].seen_ns)
		return; /* the newest sighting stands */
	entry->trace = trace;
	entry->place = place;
}

int tree_add_trace(struct tree *tree, const uint32_t *addresses, unsigned count, uint32_t evidence,
	int64_t now_ns, uint32_t *index)
{
	uint32_t *copy = malloc((count + 1) * sizeof(*copy));
	*index = copy ? free_trace(tree) : TREE_NONE;
	if (*index == TREE_NONE) {
		free(copy);
		return -ENOMEM;
	}
	if (count > 0)
		memcpy(copy, addresses, count * sizeof(*copy));
	copy[count] = tree->source;
	tree->traces[*index] = (struct tree_trace){.addresses = copy,
		.count = count + 1,
		.evidence = evidence,
		.seen_ns = now_ns,
		.used_ns = TREE_NEVER};
	for (uint32_t place = 0; place < count; place++) {
		struct tree_entry *entry = copy[place] ? tree_entry_of(tree, copy[place]) : NULL;
		if (copy[place] && !entry)
			return -ENOMEM;
		if (entry)
			tree_show_by(entry, tree, *index, place);
	}
	return 0;
}

int tree_add_chain(struct tree *tree, const uint32_t *addresses, unsigned count, bool spoofed,
	uint32_t evidence, int64_t now_ns)
{
	for (unsigned i = 0; i + 1 < count; i++) {
		/* Unknown in between: the link is not one from hop to hop, and is not learned. */
		if (addresses[i] == 0 || addresses[i + 1] == 0 || addresses[i] == addresses[i + 1])
			continue;
		struct tree_entry *entry = tree_entry_of(tree, addresses[i]);
		if (!entry)
			return -ENOMEM;
		entry->next = addresses[i + 1];
		entry->spoofed = spoofed;
		entry->evidence = evidence;
		entry->seen_ns = now_ns;
	}
	return 0;
}

void tree_note_left(struct tree *tree, uint32_t address, int left, int64_t now_ns)
{
	struct tree_entry *entry = address ? tree_find(tree, address) : NULL;
	if (!entry || left < 0)
		return;
	entry->left = (int16_t)left;
	entry->left_ns = now_ns;
}

int tree_left(const struct tree *tree, uint32_t address, int64_t now_ns)
{
	const struct tree_entry *entry = address ? tree_find(tree, address) : NULL;
	return entry && entry->left_ns != TREE_NEVER && tree_fresh(tree, entry->left_ns, now_ns) ? entry->left
												 : -1;
}

/* The other end of a link of two addresses: its /31, or its /30. */
uint32_t tree_mate31(uint32_t address)
{
	return address ^ 1;
}

/* 0: it is not one of a /30. */
uint32_t tree_mate30(const struct tree *tree, uint32_t address)
{
	uint32_t low = address & 3;
	return (low == 1 || low == 2) && !tree_numbered_by_31(tree, address) ? address ^ 3 : 0;
}

/* Where in the trace the router with this stamp is: its own place, or right before the far end of its link.
 * -1: cannot be told. */
int tree_anchor(const struct tree *tree, const struct tree_trace *trace, uint32_t stamp)
{
	uint32_t mates[] = {tree_mate31(stamp), tree_mate30(tree, stamp)};
	if (stamp == 0)
		return -1;
	for (unsigned place = 0; place < trace->count; place++)
		if (trace->addresses[place] == stamp ||
			aliases_same(tree->aliases, trace->addresses[place], stamp))
			return (int)place;
	for (unsigned place = 1; place < trace->count; place++)
		if (trace->addresses[place] != 0 &&
			(trace->addresses[place] == mates[0] || trace->addresses[place] == mates[1]))
			return (int)place - 1;
	return -1;
}
