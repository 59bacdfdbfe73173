/* What a coordinator must not lose: SQLite in WAL mode, one file, one coordinator.
 *
 * Whatever is acknowledged to a client is on disk before. Functions return 0 or a negative errno and fill `error`
 * with a line for a person (a full disk, a damaged file: refused with a remedy, never overwritten). */
#ifndef RETOUR_STORE_STORE_H
#define RETOUR_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/error.h"

struct store;

/* Created where it is missing. -EBUSY: another coordinator has it; -EBADMSG: not a store of ours, or damaged;
 * -ENOTSUP: of a newer version. */
int store_open(struct store **store, const char *file, struct error *error) MUST_USE;
void store_close(struct store *store);

/* ---- sources: whose owner proved that he holds the address, and consents */
struct store_source {
	int64_t id;
	struct addr address;
	char name[64], agent[64]; /* the agent that stands there */
	uint8_t key[16];	  /* shared with that agent */
	bool consents;
	int64_t registered_ms; /* since 1970, as all times here */
};
int store_put_source(struct store *store, struct store_source *source, struct error *error) MUST_USE;
int store_each_source(struct store *store, void (*each)(void *context, const struct store_source *source),
	void *context, struct error *error) MUST_USE;

/* ---- batches and measurements */
enum store_state { STORE_WAITING, STORE_DONE, STORE_CANCELLED };
struct store_measurement {
	int64_t id, batch;
	int64_t source;
	struct addr destination;
	char label[128];
	enum store_state state;
	int priority; /* its batch's */
	const char *result; /* JSON text of a finished one; borrowed for the call */
	int64_t submitted_ms, finished_ms;
};
/* All or none. `request` is the client's own name for the batch (NULL: none): the same again gives the same batch
 * and adds nothing. *batch names it. */
int store_add_batch(struct store *store, const char *key, const char *request, int priority,
	struct store_measurement *measurements, size_t count, int64_t now_ms, int64_t *batch, struct error *error) MUST_USE;
int store_finish(struct store *store, int64_t measurement, enum store_state state, const char *result, int64_t now_ms,
	struct error *error) MUST_USE;
/* Of one batch (0: all), in order, from `after` on; those that wait only, if `waiting`. At most `limit`. */
int store_each_measurement(struct store *store, int64_t batch, int64_t after, bool waiting, size_t limit,
	void (*each)(void *context, const struct store_measurement *measurement), void *context,
	struct error *error) MUST_USE;
int store_cancel_batch(struct store *store, int64_t batch, int64_t now_ms, struct error *error) MUST_USE;
struct store_batch {
	int64_t id;
	char key[64];
	int priority;
	int64_t submitted_ms;
	size_t waiting, done, cancelled;
};
/* -ENOENT. */
int store_find_batch(struct store *store, int64_t id, struct store_batch *batch, struct error *error) MUST_USE;
/* What this client has sent under that name before; 0 = nothing. */
int store_known_batch(
	struct store *store, const char *key, const char *request, int64_t *batch, struct error *error) MUST_USE;
/* Measurements of a client that wait, counted up to `most`. */
int store_waiting_of(struct store *store, const char *key, size_t most, size_t *count, struct error *error) MUST_USE;
/* *waiting and *total of a batch. -ENOENT. */
int store_count(struct store *store, int64_t batch, size_t *waiting, size_t *total, struct error *error) MUST_USE;

/* ---- the atlas and the survey */
int store_add_trace(struct store *store, int64_t source, const uint32_t *addresses, size_t count, const char *origin,
	int64_t seen_ms, struct error *error) MUST_USE;
int store_each_trace(struct store *store, int64_t source, int64_t newer_than_ms,
	void (*each)(void *context, const uint32_t *addresses, size_t count, int64_t seen_ms), void *context,
	struct error *error) MUST_USE;
int store_add_view(struct store *store, struct prefix prefix, const char *agent, unsigned distance, uint32_t ingress,
	int64_t seen_ms, struct error *error) MUST_USE;
int store_each_view(struct store *store,
	void (*each)(void *context, struct prefix prefix, const char *agent, unsigned distance, uint32_t ingress),
	void *context, struct error *error) MUST_USE;

/* ---- keys of clients and their limits; budgets by day */
struct store_key {
	char name[64];
	uint8_t hash[32];   /* SHA-256 of the key: the key itself is not kept */
	unsigned per_day, parallel; /* 0 = no limit */
	bool admin;
};
int store_put_key(struct store *store, const struct store_key *key, struct error *error) MUST_USE;
/* -ENOENT. */
int store_find_key(struct store *store, const uint8_t hash[32], struct store_key *key, struct error *error) MUST_USE;
/* Add to what was spent of something on a day (days since 1970), and tell the sum. */
int store_spend(struct store *store, const char *what, int64_t day, int64_t amount, int64_t *sum, struct error *error) MUST_USE;

#endif
