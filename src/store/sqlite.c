#include "store/sqlite.h"

#include "base/library.h"

int sqlite_load(struct sqlite *sqlite, struct error *error)
{
	const struct library_symbol symbols[] = {
		{"sqlite3_open_v2", &sqlite->open_v2},
		{"sqlite3_close_v2", &sqlite->close_v2},
		{"sqlite3_exec", &sqlite->exec},
		{"sqlite3_prepare_v2", &sqlite->prepare_v2},
		{"sqlite3_step", &sqlite->step},
		{"sqlite3_reset", &sqlite->reset},
		{"sqlite3_finalize", &sqlite->finalize},
		{"sqlite3_sql", &sqlite->sql},
		{"sqlite3_bind_int64", &sqlite->bind_int64},
		{"sqlite3_bind_text", &sqlite->bind_text},
		{"sqlite3_bind_blob", &sqlite->bind_blob},
		{"sqlite3_bind_null", &sqlite->bind_null},
		{"sqlite3_column_int64", &sqlite->column_int64},
		{"sqlite3_column_text", &sqlite->column_text},
		{"sqlite3_column_blob", &sqlite->column_blob},
		{"sqlite3_column_bytes", &sqlite->column_bytes},
		{"sqlite3_column_type", &sqlite->column_type},
		{"sqlite3_last_insert_rowid", &sqlite->last_insert_rowid},
		{"sqlite3_changes", &sqlite->changes},
		{"sqlite3_errmsg", &sqlite->errmsg},
		{"sqlite3_extended_errcode", &sqlite->extended_errcode},
	};
	return library_load("libsqlite3.so.0", "libsqlite3-0", symbols, ARRAY_LEN(symbols), error);
}
