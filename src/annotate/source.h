/* Data as its publishers write it, and what becomes of it.
 *
 * A source is read strictly: whatever does not belong there is refused with the number of its line, since a
 * file that is damaged in one place may be so in others. What comes out is in the forms of ranges.h,
 * relations.h and glasses.h. */
#ifndef RETOUR_ANNOTATE_SOURCE_H
#define RETOUR_ANNOTATE_SOURCE_H

#include <stddef.h>

#include "annotate/lines.h"

enum source_kind {
	SOURCE_PFX2AS,	  /* CAIDA: prefix, length, AS numbers */
	SOURCE_IPTOASN,	  /* iptoasn.com: first, last, number, country, name */
	SOURCE_EXCHANGES, /* a list: prefix of a LAN, name of the exchange */
	SOURCE_RELATIONS, /* CAIDA: provider|customer|-1 */
	SOURCE_PEERINGDB, /* ix, ixlan, ixpfx, netixlan, net */
	SOURCE_MMDB,
};

/* Heap text for each table; NULL = the source says nothing of the kind. */
enum table {
	TABLE_ORIGINS4,
	TABLE_ORIGINS6,
	TABLE_EXCHANGES,
	TABLE_MEMBERS,
	TABLE_RELATIONS,
	TABLE_GLASSES,
	TABLE_COUNT,
};

struct tables {
	char *text[TABLE_COUNT];
	size_t length[TABLE_COUNT];
	size_t entries[TABLE_COUNT];
};

/* -EINVAL with what it looks like instead, in `error`. */
int source_recognise(struct text file, enum source_kind *kind, struct error *error) MUST_USE;
const char *source_word(enum source_kind kind);
/* Everything but MMDB. 0, -EINVAL with line and reason, -E2BIG, -ENOMEM; `tables` is to be freed in any case.
 */
int source_read(enum source_kind kind, struct text file, struct tables *tables, struct error *error) MUST_USE;
void tables_free(struct tables *tables);

#endif
