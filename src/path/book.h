/* Names and origins of addresses, learned while something else goes on. */
#ifndef RETOUR_PATH_BOOK_H
#define RETOUR_PATH_BOOK_H

#include "path/model.h"

#define BOOK_ENTRIES_MAX 4096

struct book_entry {
	struct addr address;
	char *name;	      /* heap; NULL = none, or not known yet */
	uint32_t asn;	      /* 0 = unknown */
	char *as_name;	      /* heap or NULL */
	bool asked, recorded; /* marks of whoever keeps the book */
};

/* Entries do not move: `name` may be given to who will fill it in. */
struct book {
	struct book_entry *entries[BOOK_ENTRIES_MAX];
	size_t count;
};

void book_deinit(struct book *book);
/* NULL: not in it. */
const struct book_entry *book_find(const struct book *book, struct addr address);
/* The entry, made if there is none. NULL: no memory, no room, or no address. */
struct book_entry *book_entry(struct book *book, struct addr address);
/* Names and origins of the hops of a path that have none. */
void book_annotate(const struct book *book, struct path *path);

#endif
