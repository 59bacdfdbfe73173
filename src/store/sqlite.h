/* SQLite as it is loaded by those runs that keep something. Inside store/. */
#ifndef RETOUR_STORE_SQLITE_H
#define RETOUR_STORE_SQLITE_H

#include <sqlite3.h>

#include "base/compiler.h"
#include "base/error.h"

/* The functions that are used, by the names they have in the library. */
struct sqlite {
	int (*open_v2)(const char *, sqlite3 **, int, const char *);
	int (*close_v2)(sqlite3 *);
	int (*exec)(sqlite3 *, const char *, int (*)(void *, int, char **, char **), void *, char **);
	int (*prepare_v2)(sqlite3 *, const char *, int, sqlite3_stmt **, const char **);
	int (*step)(sqlite3_stmt *);
	int (*reset)(sqlite3_stmt *);
	int (*finalize)(sqlite3_stmt *);
	const char *(*sql)(sqlite3_stmt *);
	int (*bind_int64)(sqlite3_stmt *, int, sqlite3_int64);
	int (*bind_text)(sqlite3_stmt *, int, const char *, int, void (*)(void *));
	int (*bind_blob)(sqlite3_stmt *, int, const void *, int, void (*)(void *));
	int (*bind_null)(sqlite3_stmt *, int);
	sqlite3_int64 (*column_int64)(sqlite3_stmt *, int);
	const unsigned char *(*column_text)(sqlite3_stmt *, int);
	const void *(*column_blob)(sqlite3_stmt *, int);
	int (*column_bytes)(sqlite3_stmt *, int);
	int (*column_type)(sqlite3_stmt *, int);
	sqlite3_int64 (*last_insert_rowid)(sqlite3 *);
	int (*changes)(sqlite3 *);
	const char *(*errmsg)(sqlite3 *);
	int (*extended_errcode)(sqlite3 *);
};

/* 0, or -ENOENT with what to install. */
int sqlite_load(struct sqlite *sqlite, struct error *error) MUST_USE;

#endif
