/* What a coordinator must not lose: SQLite in WAL mode, one file, one coordinator.
 *
 * Whatever is acknowledged to a client is on disk before. Functions return 0 or a negative errno and fill
 * `error` with a line for a person (a full disk, a damaged file: refused with a remedy, never overwritten).
 */
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

/* ---- several changes at once: on disk together, or none of them is. Not nested. */
int store_begin(struct store *store, struct error *error) MUST_USE;
int store_commit(struct store *store, struct error *error) MUST_USE;
void store_undo(struct store *store);

/* ---- batches and measurements
 *
 * What waits is in lanes: for each source, one of a client's campaigns and one of what he wants at once. A
 * batch may come in parts, and counts for itself what became of it: nothing here takes longer because a batch
 * is large. */
enum store_state { STORE_WAITING, STORE_DONE, STORE_CANCELLED };
struct store_measurement {
	int64_t id, batch;
	int64_t source;
	struct addr destination;
	char label[128];
	enum store_state state;
	int64_t place;	    /* the batch's first result has 1; 0 = it has none */
	const char *result; /* JSON text of a finished one; borrowed for the call */
	const char *reason; /* why its batch was given up; NULL = it was not; borrowed */
	int64_t submitted_ms, finished_ms;
};
struct store_submission {
	const char *key, *request; /* the client, and its own name for the batch (NULL: none) */
	int priority;
	unsigned part; /* from 0 on, without gaps; of a batch that has a name */
	bool more;     /* there are more parts */
	int64_t now_ms;
};
/* All or none. A part that is known adds nothing (all measurements keep id 0). *batch names it. -EINVAL: a
 * part that does not come next, or of a batch that is complete. */
int store_add_batch(struct store *store, const struct store_submission *submission,
	struct store_measurement *measurements, size_t count, int64_t *batch, struct error *error) MUST_USE;
/* -ENOENT: it does not wait any more. *ended: nothing of its batch does. */
int store_finish(struct store *store, int64_t measurement, const char *result, int64_t now_ms, bool *ended,
	struct error *error) MUST_USE;
/* The same, without a result, for it is not wanted any more; `reason` is its batch's. */
int store_give_up(struct store *store, int64_t measurement, const char *reason, int64_t now_ms, bool *ended,
	struct error *error) MUST_USE;
/* No part may come any more, and up to `most` that wait are given up, in order; *left: so many still wait. */
int store_cancel_batch(struct store *store, int64_t batch, const char *reason, size_t most, int64_t now_ms,
	size_t *left, struct error *error) MUST_USE;
typedef void store_see(void *context, const struct store_measurement *measurement);
/* Of one batch, in order, from `after` on. At most `limit`. */
int store_each_measurement(struct store *store, int64_t batch, int64_t after, size_t limit, store_see *each,
	void *context, struct error *error) MUST_USE;
/* Likewise, those with that label. */
int store_each_labelled(struct store *store, int64_t batch, const char *label, int64_t after, size_t limit,
	store_see *each, void *context, struct error *error) MUST_USE;
/* With that label of all batches of a client (NULL: of anybody), in order: after that measurement of that
 * batch. */
int store_each_labelled_of(struct store *store, const char *key, const char *label, int64_t batch,
	int64_t after, size_t limit, store_see *each, void *context, struct error *error) MUST_USE;
/* Its results in the order in which they came, after that place. */
int store_each_result(struct store *store, int64_t batch, int64_t after, size_t limit, store_see *each,
	void *context, struct error *error) MUST_USE;
struct store_lane {
	int64_t id, source;
	char key[64];
	int priority;
};
int store_each_lane(struct store *store, void (*each)(void *context, const struct store_lane *lane),
	void *context, struct error *error) MUST_USE;
/* What waits in a lane, in order, after that measurement. */
int store_each_waiting(struct store *store, int64_t lane, int64_t after, size_t limit, store_see *each,
	void *context, struct error *error) MUST_USE;
struct store_batch {
	int64_t id;
	char key[64], reason[160]; /* "" = it was not given up */
	int priority;
	unsigned parts;
	bool open; /* more parts may come */
	int64_t submitted_ms;
	size_t waiting, done, cancelled;
};
/* -ENOENT; -ESTALE: it was there, and its results are not kept any more. */
int store_find_batch(
	struct store *store, int64_t id, struct store_batch *batch, struct error *error) MUST_USE;
/* The source of what was handed in last. -ENOENT. */
int store_last_source(struct store *store, int64_t batch, int64_t *source, struct error *error) MUST_USE;
/* What this client has sent under that name before; 0 = nothing. */
int store_known_batch(struct store *store, const char *key, const char *request, int64_t *batch,
	struct error *error) MUST_USE;
/* Measurements of a client (NULL: of all) that wait. */
int store_waiting_of(struct store *store, const char *key, size_t *count, struct error *error) MUST_USE;

/* Nothing is kept for ever: batches of which nothing waits, and in which nothing has changed since
 * `before_ms`, go with their results, and the space is used again. A step: about so many rows at most;
 * *results of them were told of until now, *more: there are more to go. What has gone is -ESTALE, and its
 * name is free. */
int store_remove_old(struct store *store, int64_t before_ms, size_t most, size_t *results, bool *more,
	struct error *error) MUST_USE;
/* Takes longer with many batches. */
int store_count_results(struct store *store, size_t *count, struct error *error) MUST_USE;
/* When something changed, last, in the batch that was the first to end of those that are kept; 0 = none. */
int store_oldest_end(struct store *store, int64_t *changed_ms, struct error *error) MUST_USE;

/* ---- the atlas: of each source one traceroute of each origin, the newest */
#define STORE_TRACE_MAX 128
struct store_trace {
	int64_t id;
	char origin[64]; /* the agent's name, or what the import said */
	bool imported;
	uint32_t addresses[STORE_TRACE_MAX]; /* as tree_add_trace takes them */
	unsigned count;
	int64_t seen_ms;
	/* What it was good for: since it was seen; hops that it saved, older ones counting less; when last, 0
	 * = never. */
	uint64_t uses, saved;
	int64_t used_ms;
};
/* All or none; an older one of the same origin goes. Their `id` is filled in. */
int store_put_traces(struct store *store, int64_t source, struct store_trace *traces, size_t count,
	struct error *error) MUST_USE;
int store_each_trace(struct store *store, int64_t source, int64_t newer_than_ms,
	void (*each)(void *context, const struct store_trace *trace), void *context,
	struct error *error) MUST_USE;
/* What these were good for, by their ids. */
int store_note_uses(
	struct store *store, const struct store_trace *traces, size_t count, struct error *error) MUST_USE;
int store_drop_traces(
	struct store *store, int64_t source, int64_t older_than_ms, struct error *error) MUST_USE;

/* ---- which addresses are one router's: `counts[i]` of `addresses` are one's. The newest word on an address
 * stands. */
int store_add_aliases(struct store *store, const uint32_t *addresses, const unsigned *counts, size_t count,
	struct error *error) MUST_USE;
/* In order of routers. */
int store_each_alias(struct store *store, void (*each)(void *context, int64_t router, uint32_t address),
	void *context, struct error *error) MUST_USE;

/* ---- the survey */
int store_add_view(struct store *store, struct prefix prefix, const char *agent, unsigned distance,
	uint32_t ingress, int64_t seen_ms, struct error *error) MUST_USE;
int store_each_view(struct store *store,
	void (*each)(
		void *context, struct prefix prefix, const char *agent, unsigned distance, uint32_t ingress),
	void *context, struct error *error) MUST_USE;

/* ---- keys of clients and their limits; budgets by day */
struct store_key {
	char name[64];
	uint8_t hash[32];	    /* SHA-256 of the key: the key itself is not kept */
	unsigned per_day, parallel; /* 0 = no limit */
	bool admin;
};
int store_put_key(struct store *store, const struct store_key *key, struct error *error) MUST_USE;
/* -ENOENT. */
int store_find_key(
	struct store *store, const uint8_t hash[32], struct store_key *key, struct error *error) MUST_USE;
/* Add to what was spent of something on a day (days since 1970), and tell the sum. */
int store_spend(struct store *store, const char *what, int64_t day, int64_t amount, int64_t *sum,
	struct error *error) MUST_USE;
/* All that begins so. */
int store_each_spent(struct store *store, const char *prefix, int64_t day,
	void (*each)(void *context, const char *what, int64_t amount), void *context,
	struct error *error) MUST_USE;
int store_forget_spent(struct store *store, int64_t before_day, struct error *error) MUST_USE;

/* ---- addresses that answer Record Route, for the sake of their neighbours */
int store_add_responder(struct store *store, uint32_t address, int64_t seen_ms, struct error *error) MUST_USE;
/* The latest last. */
int store_each_responder(struct store *store, void (*each)(void *context, uint32_t address), void *context,
	struct error *error) MUST_USE;

#endif
