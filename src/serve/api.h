/* What the HTTP interface answers: which request leads where, who may ask for what, and how it is said.
 * docs/api/openapi.yaml describes it. */
#ifndef RETOUR_SERVE_API_H
#define RETOUR_SERVE_API_H

#include <stdbool.h>

#include "base/compiler.h"
#include "serve/http.h"
#include "serve/responder.h"
#include "serve/tracing.h"
#include "serve/turns.h"

struct api;

/* All borrowed. */
struct api_config {
	struct tracing *tracing;
	struct turns *turns;
	const struct driver *driver;
	struct httpd *const *httpd;	   /* set before the first request comes */
	const struct responder *responder; /* NULL = this daemon is none */
	const struct prefix *allow;	   /* who may ask; none = everyone */
	size_t allow_count;
	httpd_handler *inband; /* NULL = no in-band tracer */
	void *inband_context;
};

/* NULL: out of memory. */
struct api *api_new(const struct api_config *config);
void api_free(struct api *api);
/* A httpd_handler; `context` is the API. */
void api_handle(void *context, struct httpd_exchange *exchange);

#endif
