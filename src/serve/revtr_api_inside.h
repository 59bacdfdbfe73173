/* What the files of the coordinator's HTTP interface share. */
#ifndef RETOUR_SERVE_REVTR_API_INSIDE_H
#define RETOUR_SERVE_REVTR_API_INSIDE_H

#include <uv.h>

#include "serve/api_inside.h"
#include "serve/revtr_api.h"

#define STATUS_CREATED	    201
#define STATUS_ACCEPTED	    202
#define STATUS_UNAUTHORIZED 401
#define STATUS_GONE	    410
#define STATUS_TOO_LARGE    413
#define STATUS_NO_ROOM	    507

#define LABEL_MAX 127 /* bytes: cut off in the middle of a letter it could not be told any more */

struct revtr_stream;

struct revtr_api {
	struct revtr_api_config config;
	struct coordinator_listener *listener;
	struct revtr_stream *streams;
	uv_timer_t timer;   /* while there are streams */
	int64_t started_ns; /* by the monotonic clock */
};

/* One request, on its way to whoever answers it. */
struct revtr_ask {
	struct revtr_api *api;
	struct httpd_exchange *exchange;
	struct store_key key; /* whose; name "" where none is needed */
	const char *argument; /* the part of the path that is filled in, or NULL */
};

typedef void revtr_handler(const struct revtr_ask *ask);

/* As HTTP says it. */
void revtr_refuse(const struct revtr_ask *ask, const struct error *error);
void revtr_bad(const struct revtr_ask *ask, const char *format, ...) PRINTF_LIKE(2, 3);
int64_t revtr_now_ms(void);
json_t *revtr_time(int64_t ms); /* null for 0 */
json_t *revtr_address(struct addr address);
/* The request's body; NULL: it was none, and the client has been told. */
json_t *revtr_body(const struct revtr_ask *ask);
/* Take a batch within the limits of the key. 0 or negative, and the client has been told. */
int revtr_submit(const struct revtr_ask *ask, const struct coordinator_batch *batch,
	const struct coordinator_ask *asks, size_t count, int64_t *id) MUST_USE;
/* The batch that the path names, if it is the client's; false: the client has been told. */
bool revtr_batch(const struct revtr_ask *ask, const char *text, struct store_batch *batch) MUST_USE;
/* A measurement as one JSON object of text, to be freed: its result with state and label. NULL: out of
 * memory. */
char *revtr_record(const struct revtr_api *api, const struct store_measurement *measurement);
json_t *revtr_awaited_json(const struct coordinator_awaited *awaited);
const char *revtr_state_word(enum store_state state);
/* 64-bit number of a text; 0 = it is none. */
int64_t revtr_number(const char *text);
/* Of a source by its number in the store; none = gone. */
struct addr revtr_source_address(const struct revtr_api *api, int64_t source);

/* revtr_batches.c */
revtr_handler revtr_batches_post, revtr_batch_get, revtr_batch_delete, revtr_results_get;
/* revtr_stream.c */
enum revtr_form { REVTR_LINES, REVTR_EVENTS, REVTR_PUBLISHED };
revtr_handler revtr_stream_get;
/* After that place; or, as published, of one batch, of one label (NULL: whatever), or of one label in all
 * batches (0) that the client may see. */
void revtr_stream_begin(
	const struct revtr_ask *ask, int64_t batch, enum revtr_form form, int64_t after, const char *label);
void revtr_stream_told(struct revtr_api *api, int64_t batch);
void revtr_stream_all_on(struct revtr_api *api, int64_t batch); /* its state has changed otherwise */
/* revtr_published.c */
revtr_handler revtr_published_post, revtr_published_get, revtr_published_sources, revtr_published_atlas_run,
	revtr_published_atlas_clean;
char *revtr_published_record(const struct revtr_api *api, const struct store_measurement *measurement);
/* revtr_admin.c */
revtr_handler revtr_sources_get, revtr_sources_post, revtr_budget_get, revtr_keys_post;
/* revtr_agents.c */
revtr_handler revtr_agents_get, revtr_agent_test_post;
/* revtr_atlas.c */
revtr_handler revtr_atlas_get, revtr_atlas_post, revtr_atlas_delete, revtr_atlas_traces_post,
	revtr_aliases_get, revtr_aliases_post, revtr_probed_get, revtr_probed_post;
/* revtr_metrics.c */
revtr_handler revtr_health_get, revtr_live_get, revtr_ready_get, revtr_metrics_get;

#endif
