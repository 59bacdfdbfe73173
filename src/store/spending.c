/* Keys of clients, what is spent in a day, and who answers. */
#include <errno.h>
#include <string.h>

#include "store/store_inside.h"

int store_put_key(struct store *store, const struct store_key *key, struct error *error)
{
	struct query query = query_begin(store,
		"INSERT OR REPLACE INTO client (name, hash, per_day, parallel, admin) VALUES (?, ?, ?, ?, "
		"?)");
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
	struct query query =
		query_begin(store, "SELECT name, per_day, parallel, admin FROM client WHERE hash = ?");
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

int store_spend(
	struct store *store, const char *what, int64_t day, int64_t amount, int64_t *sum, struct error *error)
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

int store_each_spent(struct store *store, const char *prefix, int64_t day,
	void (*each)(void *context, const char *what, int64_t amount), void *context, struct error *error)
{
	struct query query = query_begin(store,
		"SELECT what, amount FROM spent WHERE substr(what, 1, length(?1)) = ?1 AND day = ?2 ORDER BY "
		"what");
	query_text(&query, prefix);
	query_int(&query, day);
	while (query_row(&query))
		each(context, query_get_text(&query, 0), query_get_int(&query, 1));
	return query_end(&query, error);
}

int store_forget_spent(struct store *store, int64_t before_day, struct error *error)
{
	struct query query = query_begin(store, "DELETE FROM spent WHERE day < ?");
	query_int(&query, before_day);
	return query_run(&query, error);
}

/* ---- who answers */

int store_add_responder(struct store *store, uint32_t address, int64_t seen_ms, struct error *error)
{
	struct query query =
		query_begin(store, "INSERT OR REPLACE INTO responder (address, seen_ms) VALUES (?, ?)");
	query_int(&query, address);
	query_int(&query, seen_ms);
	return query_run(&query, error);
}

int store_each_responder(struct store *store, void (*each)(void *context, uint32_t address), void *context,
	struct error *error)
{
	struct query query = query_begin(store, "SELECT address FROM responder ORDER BY seen_ms");
	while (query_row(&query))
		each(context, (uint32_t)query_get_int(&query, 0));
	return query_end(&query, error);
}
