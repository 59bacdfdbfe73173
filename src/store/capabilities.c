#include "store/capabilities.h"

#include "store/store_inside.h"

/* Made where it is missed: a store that has none is as good as one that has it empty. */
static int make_table(struct store *store, struct error *error)
{
	return store_exec(store,
		"CREATE TABLE IF NOT EXISTS capability (agent TEXT PRIMARY KEY, found TEXT NOT NULL) WITHOUT "
		"ROWID",
		error);
}

int store_put_capability(struct store *store, const char *agent, const char *text, struct error *error)
{
	int result = make_table(store, error);
	if (result < 0)
		return result;
	struct query query =
		query_begin(store, "INSERT OR REPLACE INTO capability (agent, found) VALUES (?, ?)");
	query_text(&query, agent);
	query_text(&query, text);
	return query_run(&query, error);
}

int store_each_capability(struct store *store,
	void (*each)(void *context, const char *agent, const char *text), void *context, struct error *error)
{
	int result = make_table(store, error);
	if (result < 0)
		return result;
	struct query query = query_begin(store, "SELECT agent, found FROM capability ORDER BY agent");
	while (query_row(&query))
		each(context, query_get_text(&query, 0), query_get_text(&query, 1));
	return query_end(&query, error);
}
