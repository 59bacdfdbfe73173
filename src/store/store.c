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
#define VERSION	    1

static const char schema[] =
	"CREATE TABLE source (id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE, name TEXT NOT NULL, agent TEXT NOT NULL,"
	" key BLOB NOT NULL, consents INTEGER NOT NULL, registered_ms INTEGER NOT NULL);"
	"CREATE TABLE batch (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, request TEXT, priority INTEGER NOT NULL,"
	" submitted_ms INTEGER NOT NULL, UNIQUE (key, request));"
	"CREATE TABLE measurement (id INTEGER PRIMARY KEY AUTOINCREMENT, batch INTEGER NOT NULL REFERENCES batch,"
	" source INTEGER NOT NULL, destination TEXT NOT NULL, label TEXT NOT NULL, state INTEGER NOT NULL, result TEXT,"
	" submitted_ms INTEGER NOT NULL, finished_ms INTEGER);"
	"CREATE INDEX measurement_batch ON measurement (batch, id);"
	"CREATE INDEX measurement_waiting ON measurement (id) WHERE state = 0;"
	"CREATE TABLE trace (id INTEGER PRIMARY KEY, source INTEGER NOT NULL, addresses BLOB NOT NULL, origin TEXT NOT NULL,"
	" seen_ms INTEGER NOT NULL);"
	"CREATE INDEX trace_source ON trace (source, seen_ms);"
	"CREATE TABLE view (prefix TEXT NOT NULL, agent TEXT NOT NULL, distance INTEGER NOT NULL, ingress INTEGER NOT NULL,"
	" seen_ms INTEGER NOT NULL, PRIMARY KEY (prefix, agent)) WITHOUT ROWID;"
	"CREATE TABLE client (name TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, per_day INTEGER NOT NULL,"
	" parallel INTEGER NOT NULL, admin INTEGER NOT NULL);"
	"CREATE TABLE spent (what TEXT NOT NULL, day INTEGER NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (what, day))"
	" WITHOUT ROWID;";

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

static int make_tables(struct store *store, struct error *error)
{
	char mark[120];
	snprintf(mark, sizeof(mark), "PRAGMA application_id = %d; PRAGMA user_version = %d;", APPLICATION, VERSION);
	int result = store_exec(store, "BEGIN IMMEDIATE", error);
	if (result == 0)
		result = store_exec(store, schema, error);
	if (result == 0)
		result = store_exec(store, mark, error);
	return result == 0 ? store_exec(store, "COMMIT", error) : result;
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
		return make_tables(store, error);
	if (application != APPLICATION)
		return error_set(error, -EBADMSG, "%s is a database of another program", store->file);
	if (version > VERSION)
		return error_set(error, -ENOTSUP, "%s was written by a newer retour; use that one", store->file);
	query = query_begin(store, "PRAGMA quick_check(1)");
	bool good = query_row(&query) && strcmp(query_get_text(&query, 0), "ok") == 0;
	result = query_end(&query, error);
	if (result == 0 && !good)
		result = error_set(error, -EBADMSG,
			"%s is damaged and stays as it is; try `sqlite3 FILE .recover` into a new file, or name another one",
			store->file);
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
	int code = store->lib.open_v2(store->file, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	if (code != SQLITE_OK)
		return error_set(error, -EIO, "cannot open %s: %s", store->file,
			store->db ? store->lib.errmsg(store->db) : "out of memory");
	result = check_file(store, error);
	if (result == 0)
		result = store_exec(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;", error);
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
	if (store->db)
		store->lib.close_v2(store->db);
	if (store->lock >= 0)
		close(store->lock);
	free(store->file);
	free(store);
}

/* ---- sources */

int store_put_source(struct store *store, struct store_source *source, struct error *error)
{
	char address[ADDR_TEXT_SIZE];
	addr_format(source->address, address);
	struct query query = query_begin(store,
		"INSERT INTO source (address, name, agent, key, consents, registered_ms) VALUES (?, ?, ?, ?, ?, ?)"
		" ON CONFLICT (address) DO UPDATE SET name = excluded.name, agent = excluded.agent, key = excluded.key,"
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
	struct query query = query_begin(
		store, "SELECT id, address, name, agent, key, consents, registered_ms FROM source ORDER BY id");
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

/* ---- the atlas and the survey */

int store_add_trace(struct store *store, int64_t source, const uint32_t *addresses, size_t count, const char *origin,
	int64_t seen_ms, struct error *error)
{
	struct query query = query_begin(
		store, "INSERT INTO trace (source, addresses, origin, seen_ms) VALUES (?, ?, ?, ?)");
	query_int(&query, source);
	query_blob(&query, addresses, count * sizeof(*addresses));
	query_text(&query, origin);
	query_int(&query, seen_ms);
	return query_run(&query, error);
}

int store_each_trace(struct store *store, int64_t source, int64_t newer_than_ms,
	void (*each)(void *context, const uint32_t *addresses, size_t count, int64_t seen_ms), void *context,
	struct error *error)
{
	uint32_t addresses[256];
	struct query query = query_begin(
		store, "SELECT addresses, seen_ms FROM trace WHERE source = ? AND seen_ms > ? ORDER BY seen_ms, id");
	query_int(&query, source);
	query_int(&query, newer_than_ms);
	while (query_row(&query)) {
		size_t length;
		const void *bytes = query_get_blob(&query, 0, &length);
		length = MIN(length / sizeof(*addresses), ARRAY_LEN(addresses));
		if (length > 0)
			memcpy(addresses, bytes, length * sizeof(*addresses));
		each(context, addresses, length, query_get_int(&query, 1));
	}
	return query_end(&query, error);
}

int store_add_view(struct store *store, struct prefix prefix, const char *agent, unsigned distance, uint32_t ingress,
	int64_t seen_ms, struct error *error)
{
	char text[PREFIX_TEXT_SIZE];
	struct query query = query_begin(store,
		"INSERT OR REPLACE INTO view (prefix, agent, distance, ingress, seen_ms) VALUES (?, ?, ?, ?, ?)");
	query_text(&query, prefix_format(prefix, text));
	query_text(&query, agent);
	query_int(&query, distance);
	query_int(&query, ingress);
	query_int(&query, seen_ms);
	return query_run(&query, error);
}

int store_each_view(struct store *store,
	void (*each)(void *context, struct prefix prefix, const char *agent, unsigned distance, uint32_t ingress),
	void *context, struct error *error)
{
	struct query query = query_begin(store, "SELECT prefix, agent, distance, ingress FROM view ORDER BY prefix, agent");
	while (query_row(&query)) {
		struct prefix prefix;
		if (prefix_parse(query_get_text(&query, 0), &prefix))
			each(context, prefix, query_get_text(&query, 1), (unsigned)query_get_int(&query, 2),
				(uint32_t)query_get_int(&query, 3));
	}
	return query_end(&query, error);
}

/* ---- clients and budgets */

int store_put_key(struct store *store, const struct store_key *key, struct error *error)
{
	struct query query = query_begin(
		store, "INSERT OR REPLACE INTO client (name, hash, per_day, parallel, admin) VALUES (?, ?, ?, ?, ?)");
	query_text(&query, key->name);
	query_blob(&query, key->hash, sizeof(key->hash));
	query_int(&query, key->per_day);
	query_int(&query, key->parallel);
	query_int(&query, key->admin);
	return query_run(&query, error);
}

int store_find_key(struct store *store, const uint8_t hash[32], struct store_key *key, struct error *error)
{
	bool found = false;
	struct query query = query_begin(store, "SELECT name, per_day, parallel, admin FROM client WHERE hash = ?");
	query_blob(&query, hash, sizeof(key->hash));
	if (query_row(&query)) {
		found = true;
		*key = (struct store_key){.per_day = (unsigned)query_get_int(&query, 1),
			.parallel = (unsigned)query_get_int(&query, 2),
			.admin = query_get_int(&query, 3) != 0};
		query_copy_text(&query, 0, key->name, sizeof(key->name));
		memcpy(key->hash, hash, sizeof(key->hash));
	}
	int result = query_end(&query, error);
	return result == 0 && !found ? error_set(error, -ENOENT, "no such key") : result;
}

int store_spend(struct store *store, const char *what, int64_t day, int64_t amount, int64_t *sum, struct error *error)
{
	struct query query = query_begin(store,
		"INSERT INTO spent (what, day, amount) VALUES (?, ?, ?) ON CONFLICT (what, day) DO UPDATE"
		" SET amount = amount + excluded.amount RETURNING amount");
	query_text(&query, what);
	query_int(&query, day);
	query_int(&query, amount);
	*sum = 0;
	while (query_row(&query))
		*sum = query_get_int(&query, 0);
	return query_end(&query, error);
}
