#include "path/book.h"

#include <stdlib.h>
#include <string.h>

void book_deinit(struct book *book)
{
	for (size_t i = 0; i < book->count; i++) {
		free(book->entries[i]->name);
		free(book->entries[i]->as_name);
		free(book->entries[i]);
	}
	book->count = 0;
}

const struct book_entry *book_find(const struct book *book, struct addr address)
{
	for (size_t i = 0; i < book->count; i++)
		if (addr_equal(book->entries[i]->address, address))
			return book->entries[i];
	return NULL;
}

struct book_entry *book_entry(struct book *book, struct addr address)
{
	for (size_t i = 0; i < book->count; i++)
		if (addr_equal(book->entries[i]->address, address))
			return book->entries[i];
	if (book->count == BOOK_ENTRIES_MAX || !addr_is_set(address))
		return NULL;
	struct book_entry *entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->address = address;
	book->entries[book->count++] = entry;
	return entry;
}

void book_annotate(const struct book *book, struct path *path)
{
	for (size_t i = 0; path && i < path->hop_count; i++) {
		struct hop *hop = &path->hops[i];
		const struct book_entry *entry = book_find(book, hop->address);
		if (!entry)
			continue;
		if (!hop->name && entry->name)
			hop->name = strdup(entry->name);
		if (!hop->asn)
			hop->asn = entry->asn;
		if (!hop->as_name && entry->as_name)
			hop->as_name = strdup(entry->as_name);
	}
}
