#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/store_inside.h"

#define APPLICATION 0x72747670 /* "rtvp": says that a file is ours */
#define VERSION	    4

static const char schema[] =
	"CREATE TABLE source (id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE, name TEXT NOT NULL, "
	"agent TEXT NOT NULL,"
	" key BLOB NOT NULL, consents INTEGER NOT NULL, registered_ms INTEGER NOT NULL);"
	"CREATE TABLE batch (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, request TEXT, priority "
	"INTEGER NOT NULL,"
	" submitted_ms INTEGER NOT NULL, parts INTEGER NOT NULL, open INTEGER NOT NULL,"
	" waiting INTEGER NOT NULL, done INTEGER NOT NULL, cancelled INTEGER NOT NULL, reason TEXT, UNIQUE "
	"(key, request));"
	"CREATE TABLE measurement (id INTEGER PRIMARY KEY AUTOINCREMENT, batch INTEGER NOT NULL REFERENCES "
	"batch,"
	" source INTEGER NOT NULL, destination TEXT NOT NULL, label TEXT NOT NULL, state INTEGER NOT NULL, "
	"result TEXT,"
	" submitted_ms INTEGER NOT NULL, finished_ms INTEGER, lane INTEGER NOT NULL, place INTEGER);"
	"CREATE INDEX measurement_batch ON measurement (batch, id);"
	"CREATE TABLE view (prefix TEXT NOT NULL, agent TEXT NOT NULL, distance INTEGER NOT NULL, ingress "
	"INTEGER NOT NULL,"
	" seen_ms INTEGER NOT NULL, PRIMARY KEY (prefix, agent)) WITHOUT ROWID;"
	"CREATE TABLE client (name TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, per_day INTEGER NOT NULL,"
	" parallel INTEGER NOT NULL, admin INTEGER NOT NULL);"
	"CREATE TABLE spent (what TEXT NOT NULL, day INTEGER NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY "
	"(what, day))"
	" WITHOUT ROWID;";

/* What version 2 has more, both for new files and for those of version 1. */
static const char schema_2[] =
	"CREATE TABLE lane (id INTEGER PRIMARY KEY, key TEXT NOT NULL, priority INTEGER NOT NULL, source "
	"INTEGER NOT NULL,"
	" UNIQUE (key, priority, source));"
	"CREATE INDEX measurement_waits ON measurement (lane, id) WHERE state = 0;"
	"CREATE INDEX measurement_done ON measurement (batch, place) WHERE state = 1;"
	"CREATE TABLE responder (address INTEGER PRIMARY KEY, seen_ms INTEGER NOT NULL);";

static const char upgrade_1[] = "DROP INDEX measurement_waiting;"
				"ALTER TABLE batch ADD COLUMN parts INTEGER NOT NULL DEFAULT 1;"
				"ALTER TABLE batch ADD COLUMN open INTEGER NOT NULL DEFAULT 0;"
				"ALTER TABLE batch ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;"
				"ALTER TABLE batch ADD COLUMN done INTEGER NOT NULL DEFAULT 0;"
				"ALTER TABLE batch ADD COLUMN cancelled INTEGER NOT NULL DEFAULT 0;"
				"ALTER TABLE batch ADD COLUMN reason TEXT;"
				"ALTER TABLE measurement ADD COLUMN lane INTEGER NOT NULL DEFAULT 0;"
				"ALTER TABLE measurement ADD COLUMN place INTEGER;";

static const char fill_2[] =
	"INSERT INTO lane (key, priority, source) SELECT DISTINCT b.key, b.priority, m.source FROM "
	"measurement AS m"
	" JOIN batch AS b ON b.id = m.batch;"
	"UPDATE batch SET waiting = m.waiting, done = m.done, cancelled = m.cancelled FROM (SELECT batch,"
	" sum(state = 0) AS waiting, sum(state = 1) AS done, sum(state = 2) AS cancelled FROM measurement "
	"GROUP BY batch) AS m"
	" WHERE m.batch = batch.id;"
	"UPDATE measurement SET lane = l.id FROM batch AS b JOIN lane AS l ON l.key = b.key AND l.priority = "
	"b.priority"
	" WHERE b.id = measurement.batch AND l.source = measurement.source;"
	"UPDATE measurement SET place = m.place FROM (SELECT id, row_number() OVER (PARTITION BY batch ORDER "
	"BY id) AS place"
	" FROM measurement WHERE state = 1) AS m WHERE m.id = measurement.id;";

/* Version 3: of each origin one traceroute, with what it was good for. */
static const char schema_3[] = "CREATE TABLE atlas (id INTEGER PRIMARY KEY, source INTEGER NOT NULL, origin "
			       "TEXT NOT NULL, imported INTEGER NOT NULL,"
			       " addresses BLOB NOT NULL, seen_ms INTEGER NOT NULL, uses INTEGER NOT NULL "
			       "DEFAULT 0, saved INTEGER NOT NULL DEFAULT 0,"
			       " used_ms INTEGER NOT NULL DEFAULT 0, UNIQUE (source, origin));"
			       "CREATE TABLE alias (address INTEGER PRIMARY KEY, router INTEGER NOT NULL);";

static const char fill_3[] = "INSERT OR REPLACE INTO atlas (source, origin, imported, addresses, seen_ms)"
			     " SELECT source, origin, 0, addresses, seen_ms FROM trace ORDER BY seen_ms, id;"
			     "DROP TABLE trace;";

/* Version 4: when something changed in a batch, last; 0 = it has gone. What is there already is as old as the
 * file's upgrade: its owner did not know that results are not kept for ever. */
static const char schema_4[] = "ALTER TABLE batch ADD COLUMN changed_ms INTEGER NOT NULL DEFAULT 0;"
			       "UPDATE batch SET changed_ms = 1000 * CAST(strftime('%s', 'now') AS INTEGER);"
			       "CREATE INDEX batch_ended ON batch (changed_ms) WHERE waiting = 0;";

/* A lock of our own beside the file: SQLite would let two coordinators take turns. */
static int lock_file(struct store *store, struct error *error)
{
	char *name;
	if (asprintf(&name, "%s-lock", store->file) < 0)
		return error_set(error, -ENOMEM, "out of memory");
	store->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int code = store->lock < 0 ? -errno : flock(store->lock, LOCK_EX | LOCK_NB) < 0 ? -EBUSY : 0;
	if (code == -EBUSY)
		(void)error_set(error, code, "%s: another coordinator has it", store->file);
	else if (code < 0)
		(void)error_set(error, code, "cannot write %s: %s", name, strerror(-code));
	free(name);
	return code;
}

static int pragma(struct store *store, const char *name, int64_t *value, struct error *error)
{
	char sql[80];
	snprintf(sql, sizeof(sql), "PRAGMA %s", name);
	struct query query = query_begin(store, sql);
	*value = query_row(&query) ? query_get_int(&query, 0) : 0;
	return query_end(&query, error);
}

/* Whole or not at all: what is half done is undone when the file is closed. */
static int run_all(struct store *store, const char *const *scripts, struct error *error)
{
	char mark[120];
	snprintf(mark, sizeof(mark), "PRAGMA application_id = %d; PRAGMA user_version = %d;", APPLICATION,
		VERSION);
	int result = store_exec(store, "BEGIN IMMEDIATE", error);
	for (; *scripts && result == 0; scripts++)
		result = store_exec(store, *scripts, error);
	if (result == 0)
		result = store_exec(store, mark, error);
	return result == 0 ? store_exec(store, "COMMIT", error) : result;
}

static int check_pages(struct store *store, struct error *error)
{
	struct query query = query_begin(store, "PRAGMA quick_check(1)");
	bool good = query_row(&query) && strcmp(query_get_text(&query, 0), "ok") == 0;
	int result = query_end(&query, error);
	if (result == 0 && !good)
		result = error_set(error, -EBADMSG,
			"%s is damaged and stays as it is; try `sqlite3 FILE .recover` into a new file, or "
			"name another one",
			store->file);
	return result;
}

/* Whose file is this? An empty one becomes ours. */
static int check_file(struct store *store, struct error *error)
{
	int64_t application, version, tables = 0;
	int result = pragma(store, "application_id", &application, error);
	if (result == 0)
		result = pragma(store, "user_version", &version, error);
	if (result < 0)
		return result;
	struct query query = query_begin(store, "SELECT count(*) FROM sqlite_master");
	if (query_row(&query))
		tables = query_get_int(&query, 0);
	result = query_end(&query, error);
	if (result < 0)
		return result;
	if (application == 0 && tables == 0)
		return run_all(
			store, (const char *const[]){schema, schema_2, schema_3, schema_4, NULL}, error);
	if (application != APPLICATION)
		return error_set(error, -EBADMSG, "%s is a database of another program", store->file);
	if (version > VERSION)
		return error_set(
			error, -ENOTSUP, "%s was written by a newer retour; use that one", store->file);
	result = check_pages(store, error);
	if (result == 0 && version == 1)
		result = run_all(store,
			(const char *const[]){upgrade_1, schema_2, fill_2, schema_3, fill_3, schema_4, NULL},
			error);
	else if (result == 0 && version == 2)
		result = run_all(store, (const char *const[]){schema_3, fill_3, schema_4, NULL}, error);
	else if (result == 0 && version == 3)
		result = run_all(store, (const char *const[]){schema_4, NULL}, error);
	return result;
}

/* What is committed is on disk: acknowledged means kept. */
static int open_file(struct store *store, struct error *error)
{
	int result = sqlite_load(&store->lib, error);
	if (result == 0)
		result = lock_file(store, error);
	if (result < 0)
		return result;
	int code =
		store->lib.open_v2(store->file, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	if (code != SQLITE_OK)
		return error_set(error, -EIO, "cannot open %s: %s", store->file,
			store->db ? store->lib.errmsg(store->db) : "out of memory");
	result = check_file(store, error);
	if (result == 0)
		result = store_exec(store,
			"CREATE INDEX IF NOT EXISTS measurement_label ON measurement (label, batch, id)",
			error);
	if (result == 0)
		result = store_exec(store,
			"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
			error);
	return result;
}

int store_open(struct store **out, const char *file, struct error *error)
{
	struct store *store = calloc(1, sizeof(*store));
	*out = NULL;
	if (!store)
		return error_set(error, -ENOMEM, "out of memory");
	store->lock = -1;
	store->file = strdup(file);
	int result = store->file ? open_file(store, error) : error_set(error, -ENOMEM, "out of memory");
	if (result < 0) {
		store_close(store);
		return result;
	}
	*out = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	queries_forget(store);
	if (store->db)
		store->lib.close_v2(store->db);
	if (store->lock >= 0)
		close(store->lock);
	free(store->file);
	free(store);
}

/* ---- several changes at once */

int store_begin(struct store *store, struct error *error)
{
	return store_exec(store, "BEGIN IMMEDIATE", error);
}

int store_commit(struct store *store, struct error *error)
{
	return store_exec(store, "COMMIT", error);
}

void store_undo(struct store *store)
{
	struct error error;
	/* What cannot be undone now is undone when the file is opened again. */
	(void)!store_exec(store, "ROLLBACK", &error);
}

/* ---- sources */

int store_put_source(struct store *store, struct store_source *source, struct error *error)
{
	char address[ADDR_TEXT_SIZE];
	addr_format(source->address, address);
	struct query query = query_begin(store,
		"INSERT INTO source (address, name, agent, key, consents, registered_ms) VALUES (?, ?, ?, ?, "
		"?, ?)"
		" ON CONFLICT (address) DO UPDATE SET name = excluded.name, agent = excluded.agent, key = "
		"excluded.key,"
		" consents = excluded.consents, registered_ms = excluded.registered_ms RETURNING id");
	query_text(&query, address);
	query_text(&query, source->name);
	query_text(&query, source->agent);
	query_blob(&query, source->key, sizeof(source->key));
	query_int(&query, source->consents);
	query_int(&query, source->registered_ms);
	while (query_row(&query))
		source->id = query_get_int(&query, 0);
	return query_end(&query, error);
}

int store_each_source(struct store *store, void (*each)(void *context, const struct store_source *source),
	void *context, struct error *error)
{
	struct query query = query_begin(store,
		"SELECT id, address, name, agent, key, consents, registered_ms FROM source ORDER BY id");
	while (query_row(&query)) {
		struct store_source source = {.id = query_get_int(&query, 0),
			.address = query_get_addr(&query, 1),
			.consents = query_get_int(&query, 5) != 0,
			.registered_ms = query_get_int(&query, 6)};
		query_copy_text(&query, 2, source.name, sizeof(source.name));
		query_copy_text(&query, 3, source.agent, sizeof(source.agent));
		query_copy_blob(&query, 4, source.key, sizeof(source.key));
		each(context, &source);
	}
	return query_end(&query, error);
}

/* ---- the survey */

int store_add_view(struct store *store, struct prefix prefix, const char *agent, unsigned distance,
	uint32_t ingress, int64_t seen_ms, struct error *error)
{
	char text[PREFIX_TEXT_SIZE];
	struct query query = query_begin(store,
		"INSERT OR REPLACE INTO view (prefix, agent, distance, ingress, seen_ms) VALUES (?, ?, ?, ?, "
		"?)");
	query_text(&query, prefix_format(prefix, text));
	query_text(&query, agent);
	query_int(&query, distance);
	query_int(&query, ingress);
	query_int(&query, seen_ms);
	return query_run(&query, error);
}

int store_each_view(struct store *store,
	void (*each)(
		void *context, struct prefix prefix, const char *agent, unsigned distance, uint32_t ingress),
	void *context, struct error *error)
{
	struct query query = query_begin(
		store, "SELECT prefix, agent, distance, ingress FROM view ORDER BY prefix, agent");
	while (query_row(&query)) {
		struct prefix prefix;
		if (prefix_parse(query_get_text(&query, 0), &prefix))
			each(context, prefix, query_get_text(&query, 1), (unsigned)query_get_int(&query, 2),
				(uint32_t)query_get_int(&query, 3));
	}
	return query_end(&query, error);
}
