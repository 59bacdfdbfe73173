/* Inside the reading of sources. */
#ifndef RETOUR_ANNOTATE_SOURCE_INSIDE_H
#define RETOUR_ANNOTATE_SOURCE_INSIDE_H

#include "annotate/range_list.h"
#include "annotate/source.h"

/* Sort and write the list as that table, unless it is empty. */
int tables_add_ranges(
	struct tables *tables, enum table table, struct range_list *list, struct error *error) MUST_USE;
int source_no_room(int code, struct error *error);

int source_read_peeringdb(struct text file, struct tables *tables, struct error *error) MUST_USE;
int source_read_relations(struct text file, struct tables *tables, struct error *error) MUST_USE;

#endif
