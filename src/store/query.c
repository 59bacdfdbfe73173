#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/store_inside.h"

/* SQLite's destructor argument for values that stay as they are; its own macro casts a number to a pointer.
 */
#define BORROWED NULL

static struct kept *find_kept(struct store *store, const char *sql)
{
	for (size_t i = 0; i < store->kept_count; i++)
		if (strcmp(store->lib.sql(store->kept[i].statement), sql) == 0)
			return &store->kept[i];
	return NULL;
}

struct query query_begin(struct store *store, const char *sql)
{
	struct query query = {.store = store, .kept = find_kept(store, sql)};
	/* One that is under way, as when `each` of a list asks the same again, is left alone. */
	if (query.kept && query.kept->busy)
		query.kept = NULL;
	else if (query.kept) {
		query.statement = query.kept->statement;
		query.kept->busy = true;
		return query;
	}
	query.code = store->lib.prepare_v2(store->db, sql, -1, &query.statement, NULL);
	if (query.code == SQLITE_OK && query.statement && store->kept_count < KEPT_MAX &&
		!find_kept(store, sql)) {
		query.kept = &store->kept[store->kept_count++];
		*query.kept = (struct kept){query.statement, true};
	}
	return query;
}

void queries_forget(struct store *store)
{
	for (size_t i = 0; i < store->kept_count; i++)
		store->lib.finalize(store->kept[i].statement);
	store->kept_count = 0;
}

static void note(struct query *query, int code)
{
	if (query->code == SQLITE_OK)
		query->code = code;
}

void query_int(struct query *query, int64_t value)
{
	if (query->code == SQLITE_OK)
		note(query, query->store->lib.bind_int64(query->statement, ++query->bound, value));
}

void query_text(struct query *query, const char *value)
{
	if (query->code != SQLITE_OK)
		return;
	note(query,
		value ? query->store->lib.bind_text(query->statement, ++query->bound, value, -1, BORROWED)
		      : query->store->lib.bind_null(query->statement, ++query->bound));
}

void query_blob(struct query *query, const void *value, size_t length)
{
	if (query->code == SQLITE_OK)
		note(query,
			query->store->lib.bind_blob(
				query->statement, ++query->bound, value, (int)length, BORROWED));
}

bool query_row(struct query *query)
{
	if (query->code != SQLITE_OK)
		return false;
	int code = query->store->lib.step(query->statement);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		query->code = code;
	return code == SQLITE_ROW;
}

int64_t query_get_int(struct query *query, int column)
{
	return query->store->lib.column_int64(query->statement, column);
}

const char *query_get_text(struct query *query, int column)
{
	const char *text = (const char *)query->store->lib.column_text(query->statement, column);
	return text ? text : "";
}

const void *query_get_blob(struct query *query, int column, size_t *length)
{
	const void *bytes = query->store->lib.column_blob(query->statement, column);
	int count = query->store->lib.column_bytes(query->statement, column);
	*length = bytes && count > 0 ? (size_t)count : 0;
	return bytes;
}

void query_copy_text(struct query *query, int column, char *out, size_t size)
{
	snprintf(out, size, "%s", query_get_text(query, column));
}

void query_copy_blob(struct query *query, int column, void *out, size_t size)
{
	size_t length;
	const void *bytes = query_get_blob(query, column, &length);
	memset(out, 0, size);
	if (length > 0)
		memcpy(out, bytes, MIN(length, size));
}

struct addr query_get_addr(struct query *query, int column)
{
	struct addr addr;
	return addr_parse(query_get_text(query, column), &addr) ? addr : ADDR_NONE;
}

static int failed(struct store *store, int code, struct error *error)
{
	switch (code & 0xff) {
	case SQLITE_FULL:
		return error_set(error, -ENOSPC,
			"%s: the disk is full; make room, nothing that was acknowledged is lost",
			store->file);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return error_set(error, -EBADMSG,
			"%s is damaged and stays as it is; try `sqlite3 FILE .recover` into a new file, or "
			"name another one",
			store->file);
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return error_set(error, -EBUSY, "%s: somebody else has it", store->file);
	case SQLITE_NOMEM: return error_set(error, -ENOMEM, "out of memory");
	case SQLITE_READONLY: return error_set(error, -EROFS, "%s cannot be written", store->file);
	case SQLITE_CONSTRAINT: return error_set(error, -EEXIST, "%s: it is there already", store->file);
	default: return error_set(error, -EIO, "%s: %s", store->file, store->lib.errmsg(store->db));
	}
}

int query_end(struct query *query, struct error *error)
{
	int result = query->code == SQLITE_OK ? 0 : failed(query->store, query->code, error);
	if (query->kept) {
		query->store->lib.reset(query->statement);
		query->kept->busy = false;
	} else {
		query->store->lib.finalize(query->statement);
	}
	query->statement = NULL;
	return result;
}

int query_run(struct query *query, struct error *error)
{
	(void)query_row(query);
	return query_end(query, error);
}

int store_exec(struct store *store, const char *sql, struct error *error)
{
	int code = store->lib.exec(store->db, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? 0 : failed(store, code, error);
}
