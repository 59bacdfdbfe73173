/* What the files of the tree share. Not for others. */
#ifndef RETOUR_REVTR_TREE_INSIDE_H
#define RETOUR_REVTR_TREE_INSIDE_H

#include "revtr/tree.h"

#define TREE_ROOM_AT_FIRST 64

/* NULL: nothing is known of it. Good until the next one is made. */
struct tree_entry *tree_find(const struct tree *tree, uint32_t address);
/* NULL: out of memory. */
struct tree_entry *tree_entry_of(struct tree *tree, uint32_t address);
/* Into a table that has room and does not have it. */
void tree_put(struct tree *tree, const struct tree_entry *entry);
/* The address is in that trace at that place: kept if no newer trace shows it. */
void tree_show_by(struct tree_entry *entry, const struct tree *tree, uint32_t trace, uint32_t place);
/* What the address tells of how links are numbered near by. 0 or -ENOMEM. */
int tree_note_numbering(struct tree *tree, uint32_t address) MUST_USE;
bool tree_numbered_by_31(const struct tree *tree, uint32_t address);
/* The other end of a link of two addresses: its /31; its /30, 0 = it is not one of a /30. */
uint32_t tree_mate31(uint32_t address);
uint32_t tree_mate30(const struct tree *tree, uint32_t address);
/* Where in the trace the router with this stamp is: its own place, or right before the far end of its link.
 * -1: cannot be told. */
int tree_anchor(const struct tree *tree, const struct tree_trace *trace, uint32_t stamp);

bool tree_fresh(const struct tree *tree, int64_t seen_ns, int64_t now_ns);
/* NULL: none, or too old. */
const struct tree_trace *tree_trace_at(const struct tree *tree, uint32_t index, int64_t now_ns);
/* By which trace it goes on from a router with that entry; NULL: by none, or it is in doubt. */
const struct tree_trace *tree_believed(
	const struct tree *tree, const struct tree_entry *entry, int64_t now_ns);
/* The far end of the link that the address names, where that is a hop of a trace; NULL. */
const struct tree_entry *tree_far_end(const struct tree *tree, uint32_t address, int64_t now_ns);

#endif
