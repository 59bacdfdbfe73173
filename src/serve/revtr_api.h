/* The coordinator's HTTP interface: its own (/api/v2/...) and that of the published service (/api/v1/...), as
 * docs/api/revtr.yaml describes them.
 *
 * Who asks shows a key (header Revtr-Key, or Authorization: Bearer); of keys only their SHA-256 is kept.
 * Health and metrics need none, and tell nothing of clients; of agents and sources only to who shows one, or
 * asks from this host. */
#ifndef RETOUR_SERVE_REVTR_API_H
#define RETOUR_SERVE_REVTR_API_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "revtr/coordinator.h"
#include "serve/http.h"

#define REVTR_BATCH_MAX	 10000	    /* measurements in a part of a batch; there may be any number of parts */
#define REVTR_BODY_BYTES (4u << 20) /* of a request */
#define REVTR_KEY_SIZE	 65	    /* 32 random bytes in hexadecimal digits, and a NUL */

struct uv_loop_s;
struct revtr_api;

struct revtr_api_config {
	struct uv_loop_s *loop;
	struct store *store;
	struct coordinator *coordinator;
	struct httpd *const *httpd; /* set before the first request comes */
};

/* Everything in `config` is borrowed. NULL: out of memory. */
struct revtr_api *revtr_api_new(const struct revtr_api_config *config);
/* After the server that calls revtr_api_handle has stopped and before the coordinator goes; its handle closes
 * on the loop, and it is freed then. */
void revtr_api_free(struct revtr_api *api);
/* A handler for struct httpd_config. */
void revtr_api_handle(void *api, struct httpd_exchange *exchange);
/* For the same: whoever shows a key. Strangers' bodies take no memory. */
bool revtr_api_may_send(void *api, const struct httpd_exchange *exchange);
/* A new key for a client, into `text`, and its hash into the store. A name that has one already gets a new
 * one. */
int revtr_api_new_key(struct store *store, struct store_key *key, char text[static REVTR_KEY_SIZE],
	struct error *error) MUST_USE;

#endif
