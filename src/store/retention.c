/* What is not kept for ever: batches that have ended, with their results, once nothing has changed in them
 * for long enough. A batch goes from one moment to the next (`changed_ms` 0, its name is free); its rows go
 * after that, a few at a time, and SQLite uses their pages again. */
#include <errno.h>
#include <string.h>

#include "store/store_inside.h"

struct old_batch {
	int64_t id; /* 0: there is none */
	size_t results;
};

/* Those that have gone already are first. */
static int find_old(struct store *store, int64_t before_ms, struct old_batch *batch, struct error *error)
{
	struct query query = query_begin(store,
		"SELECT id, done FROM batch WHERE waiting = 0 AND changed_ms < ? ORDER BY changed_ms LIMIT "
		"1");
	query_int(&query, before_ms);
	*batch = (struct old_batch){0};
	if (query_row(&query))
		*batch = (struct old_batch){query_get_int(&query, 0), (size_t)query_get_int(&query, 1)};
	return query_end(&query, error);
}

static int hide(struct store *store, int64_t id, struct error *error)
{
	struct query query = query_begin(store,
		"UPDATE batch SET changed_ms = 0, request = NULL, open = 0, done = 0, cancelled = 0 WHERE id "
		"= ?");
	query_int(&query, id);
	return query_run(&query, error);
}

/* *count becomes less by those that went. */
static int remove_rows(struct store *store, int64_t id, size_t *count, struct error *error)
{
	struct query query = query_begin(store,
		"DELETE FROM measurement WHERE id IN (SELECT id FROM measurement WHERE batch = ? ORDER BY id "
		"LIMIT ?)");
	query_int(&query, id);
	query_int(&query, (int64_t)*count);
	int result = query_run(&query, error);
	if (result == 0)
		*count -= MIN((size_t)store->lib.changes(store->db), *count);
	return result;
}

static int remove_batch(struct store *store, int64_t id, struct error *error)
{
	struct query query = query_begin(store, "DELETE FROM batch WHERE id = ?");
	query_int(&query, id);
	return query_run(&query, error);
}

/* *most becomes 0: there may be more. */
static int remove_some(
	struct store *store, int64_t before_ms, size_t *most, size_t *results, struct error *error)
{
	while (*most > 0) {
		struct old_batch batch;
		int result = find_old(store, before_ms, &batch, error);
		if (result < 0 || batch.id == 0)
			return result;
		result = hide(store, batch.id, error);
		if (result == 0)
			result = remove_rows(store, batch.id, most, error);
		if (result == 0 && *most > 0)
			result = remove_batch(store, batch.id, error);
		if (result < 0)
			return result;
		*most -= *most > 0;
		*results += batch.results;
	}
	return 0;
}

int store_remove_old(
	struct store *store, int64_t before_ms, size_t most, size_t *results, bool *more, struct error *error)
{
	*results = 0;
	*more = false;
	int result = store_begin(store, error);
	if (result < 0)
		return result;
	result = remove_some(store, before_ms, &most, results, error);
	if (result == 0)
		result = store_commit(store, error);
	if (result < 0) {
		store_undo(store);
		*results = 0;
	}
	*more = result == 0 && most == 0;
	return result;
}

int store_count_results(struct store *store, size_t *count, struct error *error)
{
	struct query query = query_begin(store, "SELECT coalesce(sum(done), 0) FROM batch");
	*count = query_row(&query) ? (size_t)query_get_int(&query, 0) : 0;
	return query_end(&query, error);
}

int store_oldest_end(struct store *store, int64_t *changed_ms, struct error *error)
{
	struct query query = query_begin(store,
		"SELECT changed_ms FROM batch WHERE waiting = 0 AND changed_ms > 0 ORDER BY changed_ms LIMIT "
		"1");
	*changed_ms = query_row(&query) ? query_get_int(&query, 0) : 0;
	return query_end(&query, error);
}

bool store_was_batch(struct store *store, int64_t id)
{
	struct error error;
	struct query query =
		query_begin(store, "SELECT 1 FROM sqlite_sequence WHERE name = 'batch' AND seq >= ?");
	query_int(&query, id);
	bool was = id > 0 && query_row(&query);
	return query_end(&query, &error) == 0 && was;
}
