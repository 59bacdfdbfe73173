/* Traceroutes towards sources, and which addresses are one router's. */
#include <errno.h>
#include <string.h>

#include "store/store_inside.h"

/* After store_begin: keep what came of it, or undo it. */
static int end(struct store *store, int result, struct error *error)
{
	if (result == 0)
		result = store_commit(store, error);
	if (result < 0)
		store_undo(store);
	return result;
}

static int put_trace(struct store *store, int64_t source, struct store_trace *trace, struct error *error)
{
	struct query query = query_begin(store,
		"INSERT INTO atlas (source, origin, imported, addresses, seen_ms, uses, saved, used_ms)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source, origin) DO UPDATE SET imported = "
		"excluded.imported,"
		" addresses = excluded.addresses, seen_ms = excluded.seen_ms, uses = excluded.uses, saved = "
		"excluded.saved,"
		" used_ms = excluded.used_ms RETURNING id");
	query_int(&query, source);
	query_text(&query, trace->origin);
	query_int(&query, trace->imported);
	query_blob(&query, trace->addresses, trace->count * sizeof(*trace->addresses));
	query_int(&query, trace->seen_ms);
	query_int(&query, (int64_t)trace->uses);
	query_int(&query, (int64_t)trace->saved);
	query_int(&query, trace->used_ms);
	while (query_row(&query))
		trace->id = query_get_int(&query, 0);
	return query_end(&query, error);
}

int store_put_traces(
	struct store *store, int64_t source, struct store_trace *traces, size_t count, struct error *error)
{
	int result = store_begin(store, error);
	if (result < 0)
		return result;
	for (size_t i = 0; i < count && result == 0; i++)
		result = put_trace(store, source, &traces[i], error);
	return end(store, result, error);
}

int store_each_trace(struct store *store, int64_t source, int64_t newer_than_ms,
	void (*each)(void *context, const struct store_trace *trace), void *context, struct error *error)
{
	struct query query = query_begin(store,
		"SELECT id, origin, imported, addresses, seen_ms, uses, saved, used_ms FROM atlas"
		" WHERE source = ? AND seen_ms > ? ORDER BY seen_ms, id");
	query_int(&query, source);
	query_int(&query, newer_than_ms);
	while (query_row(&query)) {
		struct store_trace trace = {.id = query_get_int(&query, 0),
			.imported = query_get_int(&query, 2) != 0,
			.seen_ms = query_get_int(&query, 4),
			.uses = (uint64_t)query_get_int(&query, 5),
			.saved = (uint64_t)query_get_int(&query, 6),
			.used_ms = query_get_int(&query, 7)};
		size_t length;
		const void *bytes = query_get_blob(&query, 3, &length);
		query_copy_text(&query, 1, trace.origin, sizeof(trace.origin));
		trace.count = (unsigned)MIN(length / sizeof(*trace.addresses), ARRAY_LEN(trace.addresses));
		if (trace.count > 0)
			memcpy(trace.addresses, bytes, trace.count * sizeof(*trace.addresses));
		each(context, &trace);
	}
	return query_end(&query, error);
}

static int note_use(struct store *store, const struct store_trace *trace, struct error *error)
{
	struct query query =
		query_begin(store, "UPDATE atlas SET uses = ?, saved = ?, used_ms = ? WHERE id = ?");
	query_int(&query, (int64_t)trace->uses);
	query_int(&query, (int64_t)trace->saved);
	query_int(&query, trace->used_ms);
	query_int(&query, trace->id);
	return query_run(&query, error);
}

int store_note_uses(struct store *store, const struct store_trace *traces, size_t count, struct error *error)
{
	int result = store_begin(store, error);
	if (result < 0)
		return result;
	for (size_t i = 0; i < count && result == 0; i++)
		result = note_use(store, &traces[i], error);
	return end(store, result, error);
}

int store_drop_traces(struct store *store, int64_t source, int64_t older_than_ms, struct error *error)
{
	struct query query = query_begin(store, "DELETE FROM atlas WHERE source = ? AND seen_ms <= ?");
	query_int(&query, source);
	query_int(&query, older_than_ms);
	return query_run(&query, error);
}

/* ---- aliases */

static int next_router(struct store *store, int64_t *router, struct error *error)
{
	struct query query = query_begin(store, "SELECT coalesce(max(router), 0) + 1 FROM alias");
	*router = query_row(&query) ? query_get_int(&query, 0) : 1;
	return query_end(&query, error);
}

static int put_alias(struct store *store, uint32_t address, int64_t router, struct error *error)
{
	struct query query =
		query_begin(store, "INSERT OR REPLACE INTO alias (address, router) VALUES (?, ?)");
	query_int(&query, address);
	query_int(&query, router);
	return query_run(&query, error);
}

int store_add_aliases(struct store *store, const uint32_t *addresses, const unsigned *counts, size_t count,
	struct error *error)
{
	int64_t router;
	int result = store_begin(store, error);
	if (result < 0)
		return result;
	result = next_router(store, &router, error);
	for (size_t i = 0; i < count && result == 0; i++, router++)
		for (unsigned j = 0; j < counts[i] && result == 0; j++)
			result = put_alias(store, *addresses++, router, error);
	return end(store, result, error);
}

int store_each_alias(struct store *store, void (*each)(void *context, int64_t router, uint32_t address),
	void *context, struct error *error)
{
	struct query query = query_begin(store, "SELECT router, address FROM alias ORDER BY router, address");
	while (query_row(&query))
		each(context, query_get_int(&query, 0), (uint32_t)query_get_int(&query, 1));
	return query_end(&query, error);
}
