/* Prefixes and ranges as they stand in somebody's file, in any order and nested, become the sorted ranges
 * without overlap that ranges_find() searches: the most specific wins, equal ones keep all their origins. */
#ifndef RETOUR_ANNOTATE_RANGE_LIST_H
#define RETOUR_ANNOTATE_RANGE_LIST_H

#include <stdio.h>

#include "annotate/lines.h"

struct range {
	struct addr first, last; /* of one family */
	struct text origins;	 /* as text_origins() reads them; borrowed, as the name */
	struct text name;
	char country[2]; /* zeros = unknown */
	uint8_t length;	 /* of the prefix */
};

struct range_list {
	struct range *all;
	size_t count, room;
};

/* 0, -ENOMEM, or -E2BIG: more than anybody's file has. */
int range_list_add(struct range_list *list, const struct range *range) MUST_USE;
struct addr prefix_last(struct prefix prefix);
/* Sorts the list, writes it, and counts the lines in `written`. 0, -ENOMEM or -EIO. */
int range_list_write(struct range_list *list, FILE *out, size_t *written) MUST_USE;
void range_list_free(struct range_list *list);

#endif
