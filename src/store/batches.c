/* Batches of measurements: taken part by part, finished one by one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/store_inside.h"

int store_known_batch(
	struct store *store, const char *key, const char *request, int64_t *batch, struct error *error)
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

/* ---- taking */

static int put_lane(struct store *store, const char *key, int priority, int64_t source, int64_t *lane,
	struct error *error)
{
	struct query query = query_begin(store,
		"INSERT INTO lane (key, priority, source) VALUES (?, ?, ?)"
		" ON CONFLICT DO UPDATE SET key = excluded.key RETURNING id");
	query_text(&query, key);
	query_int(&query, priority);
	query_int(&query, source);
	while (query_row(&query))
		*lane = query_get_int(&query, 0);
	return query_end(&query, error);
}

static int insert_batch(struct store *store, const struct store_submission *submission, size_t count,
	int64_t *batch, struct error *error)
{
	if (submission->part != 0)
		return error_set(error, -EINVAL,
			"part %u of a batch of which no part is known: the first is 0", submission->part);
	struct query query = query_begin(store,
		"INSERT INTO batch (key, request, priority, submitted_ms, changed_ms, parts, open, waiting, "
		"done, "
		"cancelled)"
		" VALUES (?1, ?2, ?3, ?4, ?4, 1, ?5, ?6, 0, 0)");
	query_text(&query, submission->key);
	query_text(&query, submission->request);
	query_int(&query, submission->priority);
	query_int(&query, submission->now_ms);
	query_int(&query, submission->more);
	query_int(&query, (int64_t)count);
	int result = query_run(&query, error);
	*batch = store->lib.last_insert_rowid(store->db);
	return result;
}

static int extend_batch(struct store *store, const struct store_submission *submission,
	const struct store_batch *known, size_t count, struct error *error)
{
	if (!known->open)
		return error_set(error, -EINVAL, "the batch '%s' is %s: it takes no part %u",
			submission->request, known->reason[0] ? "cancelled" : "complete", submission->part);
	if (submission->part != known->parts)
		return error_set(error, -EINVAL, "the batch '%s' has %u parts: the next is part %u, not %u",
			submission->request, known->parts, known->parts, submission->part);
	struct query query = query_begin(store,
		"UPDATE batch SET parts = parts + 1, open = ?, waiting = waiting + ?, changed_ms = ? WHERE "
		"id = ?");
	query_int(&query, submission->more);
	query_int(&query, (int64_t)count);
	query_int(&query, submission->now_ms);
	query_int(&query, known->id);
	return query_run(&query, error);
}

static int insert_measurement(struct store *store, struct store_measurement *m, int64_t batch, int64_t lane,
	int64_t now_ms, struct error *error)
{
	char destination[ADDR_TEXT_SIZE];
	struct query query = query_begin(store,
		"INSERT INTO measurement (batch, source, destination, label, state, submitted_ms, lane)"
		" VALUES (?, ?, ?, ?, 0, ?, ?)");
	query_int(&query, batch);
	query_int(&query, m->source);
	query_text(&query, addr_format(m->destination, destination));
	query_text(&query, m->label);
	query_int(&query, now_ms);
	query_int(&query, lane);
	int result = query_run(&query, error);
	m->id = store->lib.last_insert_rowid(store->db);
	m->batch = batch;
	m->submitted_ms = now_ms;
	return result;
}

/* Within a transaction. `known` NULL: the batch is new. */
static int take(struct store *store, const struct store_submission *submission,
	const struct store_batch *known, struct store_measurement *measurements, size_t count, int64_t *batch,
	struct error *error)
{
	int priority = known ? known->priority : submission->priority;
	int64_t lane = 0;
	int result = known ? extend_batch(store, submission, known, count, error)
			   : insert_batch(store, submission, count, batch, error);
	for (size_t i = 0; i < count && result == 0; i++) {
		if (i == 0 || measurements[i].source != measurements[i - 1].source)
			result = put_lane(
				store, submission->key, priority, measurements[i].source, &lane, error);
		if (result == 0)
			result = insert_measurement(
				store, &measurements[i], *batch, lane, submission->now_ms, error);
	}
	return result;
}

int store_add_batch(struct store *store, const struct store_submission *submission,
	struct store_measurement *measurements, size_t count, int64_t *batch, struct error *error)
{
	struct store_batch known = {0};
	int result = store_known_batch(store, submission->key, submission->request, batch, error);
	bool is_known = *batch != 0;
	if (result == 0 && is_known)
		result = store_find_batch(store, *batch, &known, error);
	if (result < 0 || (is_known && submission->part < known.parts))
		return result;
	result = store_begin(store, error);
	if (result < 0)
		return result;
	result = take(store, submission, is_known ? &known : NULL, measurements, count, batch, error);
	if (result == 0)
		result = store_commit(store, error);
	if (result < 0) {
		store_undo(store);
		for (size_t i = 0; i < count; i++)
			measurements[i].id = 0;
	}
	return result;
}

/* ---- ending */

/* The batch's counters, and its word on the measurement's place. Without a row: it does not wait any more. */
static int count_off(struct store *store, int64_t measurement, bool done, const char *reason, int64_t now_ms,
	int64_t *place, bool *ended, struct error *error)
{
	struct query query = query_begin(store,
		"UPDATE batch SET waiting = waiting - 1, done = done + ?1, cancelled = cancelled + (1 - ?1),"
		" reason = coalesce(reason, ?2), open = CASE WHEN ?1 THEN open ELSE 0 END, changed_ms = ?4"
		" WHERE id = (SELECT batch FROM measurement WHERE id = ?3 AND state = 0)"
		" RETURNING done, waiting = 0 AND NOT open");
	query_int(&query, done);
	query_text(&query, reason);
	query_int(&query, measurement);
	query_int(&query, now_ms);
	*place = -1;
	while (query_row(&query)) {
		*place = query_get_int(&query, 0);
		*ended = query_get_int(&query, 1) != 0;
	}
	int result = query_end(&query, error);
	return result == 0 && *place < 0 ? error_set(error, -ENOENT, "it does not wait any more") : result;
}

static int note_end(struct store *store, int64_t measurement, enum store_state state, const char *result_text,
	int64_t place, int64_t now_ms, struct error *error)
{
	struct query query = query_begin(store,
		"UPDATE measurement SET state = ?, result = ?, finished_ms = ?, place = nullif(?, 0) WHERE "
		"id = ?");
	query_int(&query, state);
	query_text(&query, result_text);
	query_int(&query, now_ms);
	query_int(&query, place);
	query_int(&query, measurement);
	return query_run(&query, error);
}

int store_finish(struct store *store, int64_t measurement, const char *result_text, int64_t now_ms,
	bool *ended, struct error *error)
{
	int64_t place;
	int result = count_off(store, measurement, true, NULL, now_ms, &place, ended, error);
	return result == 0 ? note_end(store, measurement, STORE_DONE, result_text, place, now_ms, error)
			   : result;
}

int store_give_up(struct store *store, int64_t measurement, const char *reason, int64_t now_ms, bool *ended,
	struct error *error)
{
	int64_t place;
	int result = count_off(store, measurement, false, reason, now_ms, &place, ended, error);
	return result == 0 ? note_end(store, measurement, STORE_CANCELLED, NULL, 0, now_ms, error) : result;
}

static int cancel_some(struct store *store, int64_t batch, const char *reason, size_t most, int64_t now_ms,
	struct error *error)
{
	struct query query = query_begin(store,
		"UPDATE measurement SET state = 2, finished_ms = ?1 WHERE id IN (SELECT id FROM measurement "
		"WHERE state = 0"
		" AND lane IN (SELECT lane.id FROM lane JOIN batch USING (key, priority) WHERE batch.id = "
		"?2) AND batch = ?2"
		" LIMIT ?3)");
	query_int(&query, now_ms);
	query_int(&query, batch);
	query_int(&query, (int64_t)most);
	int result = query_run(&query, error);
	int64_t count = store->lib.changes(store->db);
	if (result < 0)
		return result;
	query = query_begin(store,
		"UPDATE batch SET waiting = waiting - ?1, cancelled = cancelled + ?1, open = 0,"
		" reason = CASE WHEN ?1 > 0 OR open OR waiting > 0 THEN coalesce(reason, ?2) ELSE reason END,"
		" changed_ms = CASE WHEN ?1 > 0 OR open THEN ?4 ELSE changed_ms END WHERE id = ?3");
	query_int(&query, count);
	query_text(&query, reason);
	query_int(&query, batch);
	query_int(&query, now_ms);
	return query_run(&query, error);
}

int store_cancel_batch(struct store *store, int64_t batch, const char *reason, size_t most, int64_t now_ms,
	size_t *left, struct error *error)
{
	struct store_batch after = {0};
	int result = store_begin(store, error);
	if (result < 0)
		return result;
	result = cancel_some(store, batch, reason, most, now_ms, error);
	if (result == 0)
		result = store_find_batch(store, batch, &after, error);
	if (result == 0)
		result = store_commit(store, error);
	if (result < 0)
		store_undo(store);
	*left = after.waiting;
	return result;
}

/* ---- looking */

#define COLUMNS                                                                                              \
	"SELECT id, batch, source, destination, label, state, result, submitted_ms, finished_ms, place,"     \
	" (SELECT reason FROM batch WHERE batch.id = measurement.batch) FROM measurement "

static int see_all(struct query *query, store_see *each, void *context, struct error *error)
{
	while (query_row(query)) {
		struct store_measurement m = {
			.id = query_get_int(query, 0),
			.batch = query_get_int(query, 1),
			.source = query_get_int(query, 2),
			.destination = query_get_addr(query, 3),
			.state = (enum store_state)query_get_int(query, 5),
			.submitted_ms = query_get_int(query, 7),
			.finished_ms = query_get_int(query, 8),
			.place = query_get_int(query, 9),
		};
		query_copy_text(query, 4, m.label, sizeof(m.label));
		const char *result = query_get_text(query, 6), *reason = query_get_text(query, 10);
		m.result = *result ? result : NULL;
		m.reason = *reason ? reason : NULL;
		each(context, &m);
	}
	return query_end(query, error);
}

static int see_after(struct query query, int64_t of, int64_t after, size_t limit, store_see *each,
	void *context, struct error *error)
{
	query_int(&query, of);
	query_int(&query, after);
	query_int(&query, (int64_t)limit);
	return see_all(&query, each, context, error);
}

int store_each_measurement(struct store *store, int64_t batch, int64_t after, size_t limit, store_see *each,
	void *context, struct error *error)
{
	return see_after(query_begin(store, COLUMNS "WHERE batch = ? AND id > ? ORDER BY id LIMIT ?"), batch,
		after, limit, each, context, error);
}

int store_each_labelled(struct store *store, int64_t batch, const char *label, int64_t after, size_t limit,
	store_see *each, void *context, struct error *error)
{
	struct query query =
		query_begin(store, COLUMNS "WHERE label = ? AND batch = ? AND id > ? ORDER BY id LIMIT ?");
	query_text(&query, label);
	return see_after(query, batch, after, limit, each, context, error);
}

int store_each_labelled_of(struct store *store, const char *key, const char *label, int64_t batch,
	int64_t after, size_t limit, store_see *each, void *context, struct error *error)
{
	struct query query = query_begin(store,
		COLUMNS "WHERE label = ?1 AND batch IN (SELECT id FROM batch WHERE (?2 IS NULL OR key = ?2) "
			"AND id >= ?3 AND changed_ms > 0)"
			" AND (batch, id) > (?3, ?4) ORDER BY batch, id LIMIT ?5");
	query_text(&query, label);
	query_text(&query, key);
	return see_after(query, batch, after, limit, each, context, error);
}

int store_each_result(struct store *store, int64_t batch, int64_t after, size_t limit, store_see *each,
	void *context, struct error *error)
{
	return see_after(
		query_begin(
			store, COLUMNS "WHERE state = 1 AND batch = ? AND place > ? ORDER BY place LIMIT ?"),
		batch, after, limit, each, context, error);
}

int store_each_waiting(struct store *store, int64_t lane, int64_t after, size_t limit, store_see *each,
	void *context, struct error *error)
{
	return see_after(
		query_begin(store, COLUMNS "WHERE state = 0 AND lane = ? AND id > ? ORDER BY id LIMIT ?"),
		lane, after, limit, each, context, error);
}

int store_each_lane(struct store *store, void (*each)(void *context, const struct store_lane *lane),
	void *context, struct error *error)
{
	struct query query = query_begin(store, "SELECT id, key, priority, source FROM lane ORDER BY id");
	while (query_row(&query)) {
		struct store_lane lane = {.id = query_get_int(&query, 0),
			.source = query_get_int(&query, 3),
			.priority = (int)query_get_int(&query, 2)};
		query_copy_text(&query, 1, lane.key, sizeof(lane.key));
		each(context, &lane);
	}
	return query_end(&query, error);
}

int store_find_batch(struct store *store, int64_t id, struct store_batch *batch, struct error *error)
{
	bool found = false;
	struct query query = query_begin(store,
		"SELECT id, key, reason, priority, parts, open, submitted_ms, waiting, done, cancelled FROM "
		"batch"
		" WHERE id = ? AND changed_ms > 0");
	query_int(&query, id);
	if (query_row(&query)) {
		found = true;
		*batch = (struct store_batch){.id = id,
			.priority = (int)query_get_int(&query, 3),
			.parts = (unsigned)query_get_int(&query, 4),
			.open = query_get_int(&query, 5) != 0,
			.submitted_ms = query_get_int(&query, 6),
			.waiting = (size_t)query_get_int(&query, 7),
			.done = (size_t)query_get_int(&query, 8),
			.cancelled = (size_t)query_get_int(&query, 9)};
		query_copy_text(&query, 1, batch->key, sizeof(batch->key));
		query_copy_text(&query, 2, batch->reason, sizeof(batch->reason));
	}
	int result = query_end(&query, error);
	if (result < 0 || found)
		return result;
	if (store_was_batch(store, id))
		return error_set(error, -ESTALE,
			"the results of batch %lld are not kept any more; to have them again, submit it "
			"again",
			(long long)id);
	return error_set(error, -ENOENT, "no such batch");
}

int store_last_source(struct store *store, int64_t batch, int64_t *source, struct error *error)
{
	struct query query =
		query_begin(store, "SELECT source FROM measurement WHERE batch = ? ORDER BY id DESC LIMIT 1");
	query_int(&query, batch);
	bool found = query_row(&query);
	*source = found ? query_get_int(&query, 0) : 0;
	int result = query_end(&query, error);
	return result == 0 && !found ? error_set(error, -ENOENT, "no such batch") : result;
}

int store_waiting_of(struct store *store, const char *key, size_t *count, struct error *error)
{
	struct query query = query_begin(
		store, "SELECT coalesce(sum(waiting), 0) FROM batch WHERE ?1 IS NULL OR key = ?1");
	query_text(&query, key);
	*count = query_row(&query) ? (size_t)query_get_int(&query, 0) : 0;
	return query_end(&query, error);
}
