/* Batches of measurements: taken whole, finished one by one. */
#include <errno.h>
#include <string.h>

#include "store/store_inside.h"

int store_known_batch(struct store *store, const char *key, const char *request, int64_t *batch, struct error *error)
{
	*batch = 0;
	if (!request)
		return 0;
	struct query query = query_begin(store, "SELECT id FROM batch WHERE key = ? AND request = ?");
	query_text(&query, key);
	query_text(&query, request);
	if (query_row(&query))
		*batch = query_get_int(&query, 0);
	return query_end(&query, error);
}

static int insert_batch(struct store *store, const char *key, const char *request, int priority, int64_t now_ms,
	int64_t *batch, struct error *error)
{
	struct query query =
		query_begin(store, "INSERT INTO batch (key, request, priority, submitted_ms) VALUES (?, ?, ?, ?)");
	query_text(&query, key);
	query_text(&query, request);
	query_int(&query, priority);
	query_int(&query, now_ms);
	int result = query_run(&query, error);
	*batch = store->lib.last_insert_rowid(store->db);
	return result;
}

static int insert_measurement(
	struct store *store, struct store_measurement *m, int64_t batch, int64_t now_ms, struct error *error)
{
	char destination[ADDR_TEXT_SIZE];
	struct query query = query_begin(store,
		"INSERT INTO measurement (batch, source, destination, label, state, submitted_ms) VALUES (?, ?, ?, ?, 0, ?)");
	query_int(&query, batch);
	query_int(&query, m->source);
	query_text(&query, addr_format(m->destination, destination));
	query_text(&query, m->label);
	query_int(&query, now_ms);
	int result = query_run(&query, error);
	m->id = store->lib.last_insert_rowid(store->db);
	m->batch = batch;
	m->submitted_ms = now_ms;
	return result;
}

int store_add_batch(struct store *store, const char *key, const char *request, int priority,
	struct store_measurement *measurements, size_t count, int64_t now_ms, int64_t *batch, struct error *error)
{
	struct error second;
	int result = store_known_batch(store, key, request, batch, error);
	if (result < 0 || *batch != 0)
		return result;
	result = store_exec(store, "BEGIN IMMEDIATE", error);
	if (result < 0)
		return result;
	result = insert_batch(store, key, request, priority, now_ms, batch, error);
	for (size_t i = 0; i < count && result == 0; i++)
		result = insert_measurement(store, &measurements[i], *batch, now_ms, error);
	if (result == 0)
		result = store_exec(store, "COMMIT", error);
	/* What cannot be undone either is undone when the file is opened again. */
	if (result < 0 && store_exec(store, "ROLLBACK", &second) < 0)
		*batch = 0;
	return result;
}

int store_finish(struct store *store, int64_t measurement, enum store_state state, const char *result, int64_t now_ms,
	struct error *error)
{
	struct query query = query_begin(
		store, "UPDATE measurement SET state = ?, result = ?, finished_ms = ? WHERE id = ? AND state = 0");
	query_int(&query, state);
	query_text(&query, result);
	query_int(&query, now_ms);
	query_int(&query, measurement);
	return query_run(&query, error);
}

int store_each_measurement(struct store *store, int64_t batch, int64_t after, bool waiting, size_t limit,
	void (*each)(void *context, const struct store_measurement *measurement), void *context, struct error *error)
{
	struct query query = query_begin(store,
		"SELECT id, batch, source, destination, label, state, result, submitted_ms, finished_ms,"
		" (SELECT priority FROM batch WHERE batch.id = measurement.batch) FROM measurement"
		" WHERE (?1 = 0 OR batch = ?1) AND id > ?2 AND (?3 = 0 OR state = 0) ORDER BY id LIMIT ?4");
	query_int(&query, batch);
	query_int(&query, after);
	query_int(&query, waiting);
	query_int(&query, (int64_t)limit);
	while (query_row(&query)) {
		struct store_measurement m = {
			.id = query_get_int(&query, 0),
			.batch = query_get_int(&query, 1),
			.source = query_get_int(&query, 2),
			.destination = query_get_addr(&query, 3),
			.state = (enum store_state)query_get_int(&query, 5),
			.submitted_ms = query_get_int(&query, 7),
			.finished_ms = query_get_int(&query, 8),
			.priority = (int)query_get_int(&query, 9),
		};
		query_copy_text(&query, 4, m.label, sizeof(m.label));
		const char *result = query_get_text(&query, 6);
		m.result = *result ? result : NULL;
		each(context, &m);
	}
	return query_end(&query, error);
}

int store_cancel_batch(struct store *store, int64_t batch, int64_t now_ms, struct error *error)
{
	struct query query = query_begin(
		store, "UPDATE measurement SET state = 2, finished_ms = ? WHERE batch = ? AND state = 0");
	query_int(&query, now_ms);
	query_int(&query, batch);
	return query_run(&query, error);
}

int store_count(struct store *store, int64_t batch, size_t *waiting, size_t *total, struct error *error)
{
	struct query query = query_begin(
		store, "SELECT coalesce(sum(state = 0), 0), count(*) FROM measurement WHERE batch = ?");
	query_int(&query, batch);
	*waiting = *total = 0;
	if (query_row(&query)) {
		*waiting = (size_t)query_get_int(&query, 0);
		*total = (size_t)query_get_int(&query, 1);
	}
	int result = query_end(&query, error);
	return result == 0 && *total == 0 ? error_set(error, -ENOENT, "no such batch") : result;
}

int store_find_batch(struct store *store, int64_t id, struct store_batch *batch, struct error *error)
{
	bool found = false;
	struct query query = query_begin(store,
		"SELECT key, priority, batch.submitted_ms, coalesce(sum(state = 0), 0), coalesce(sum(state = 1), 0),"
		" coalesce(sum(state = 2), 0) FROM batch LEFT JOIN measurement ON measurement.batch = batch.id"
		" WHERE batch.id = ? GROUP BY batch.id");
	query_int(&query, id);
	if (query_row(&query)) {
		found = true;
		*batch = (struct store_batch){.id = id,
			.priority = (int)query_get_int(&query, 1),
			.submitted_ms = query_get_int(&query, 2),
			.waiting = (size_t)query_get_int(&query, 3),
			.done = (size_t)query_get_int(&query, 4),
			.cancelled = (size_t)query_get_int(&query, 5)};
		query_copy_text(&query, 0, batch->key, sizeof(batch->key));
	}
	int result = query_end(&query, error);
	return result == 0 && !found ? error_set(error, -ENOENT, "no such batch") : result;
}

int store_waiting_of(struct store *store, const char *key, size_t most, size_t *count, struct error *error)
{
	struct query query = query_begin(store,
		"SELECT count(*) FROM (SELECT 1 FROM measurement JOIN batch ON batch.id = measurement.batch"
		" WHERE state = 0 AND key = ? LIMIT ?)");
	query_text(&query, key);
	query_int(&query, (int64_t)most);
	*count = query_row(&query) ? (size_t)query_get_int(&query, 0) : 0;
	return query_end(&query, error);
}
