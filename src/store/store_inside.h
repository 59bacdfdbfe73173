/* What the files of the store share. */
#ifndef RETOUR_STORE_INSIDE_H
#define RETOUR_STORE_INSIDE_H

#include "store/sqlite.h"
#include "store/store.h"

#define KEPT_MAX 56

struct kept {
	sqlite3_stmt *statement;
	bool busy;
};

struct store {
	struct sqlite lib;
	sqlite3 *db;
	char *file;
	int lock; /* a descriptor that is locked while the store is open */
	struct kept
		kept[KEPT_MAX]; /* statements to be used again: to prepare one takes longer than to run it */
	size_t kept_count;
};

/* A statement under way: values are bound in order, and the first thing that goes wrong stays. */
struct query {
	struct store *store;
	sqlite3_stmt *statement;
	struct kept *kept; /* where it is from; NULL: it is this query's own */
	int bound, code;   /* of SQLite */
};

/* `sql` may begin anywhere: statements are known by their text. */
struct query query_begin(struct store *store, const char *sql);
/* All that are kept, before the file is closed. */
void queries_forget(struct store *store);
void query_int(struct query *query, int64_t value);
void query_text(struct query *query, const char *value); /* NULL = null; borrowed until the end */
void query_blob(struct query *query, const void *value, size_t length);
/* true: there is a row. */
bool query_row(struct query *query);
int64_t query_get_int(struct query *query, int column);
/* "" for null; good until the next row. */
const char *query_get_text(struct query *query, int column);
const void *query_get_blob(struct query *query, int column, size_t *length);
void query_copy_text(struct query *query, int column, char *out, size_t size);
void query_copy_blob(struct query *query, int column, void *out, size_t size);
struct addr query_get_addr(struct query *query, int column);
/* 0, or a negative errno with what went wrong. */
int query_end(struct query *query, struct error *error) MUST_USE;
/* There was a batch of that number, whether or not it is kept. */
bool store_was_batch(struct store *store, int64_t id);
/* Without rows. */
int query_run(struct query *query, struct error *error) MUST_USE;
int store_exec(struct store *store, const char *sql, struct error *error) MUST_USE;

#endif
