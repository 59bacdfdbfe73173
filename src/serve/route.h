/* What a path of the HTTP interface means, and what the parameters of a trace say. Pure: text in, meaning
 * out. */
#ifndef RETOUR_SERVE_ROUTE_H
#define RETOUR_SERVE_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "path/model.h"

enum route {
	ROUTE_NONE,
	ROUTE_PAGE,
	ROUTE_ADDRESS,
	ROUTE_TRACE,
	ROUTE_INBAND,
	ROUTE_HEALTH,
	ROUTE_METRICS,
	/* RFC 8522 3.3: under /.well-known/looking-glass/v1/ */
	ROUTE_LG_COMMANDS,
	ROUTE_LG_ROUTERS,
	ROUTE_LG_ROUTER,
	ROUTE_LG_PING,
	ROUTE_LG_TRACEROUTE,
	ROUTE_LG_SHOW, /* of routes: not ours to know */
};

/* *argument, for those that have one, is what follows the last slash; it points into `path`. */
enum route route_of(const char *path, const char **argument);
/* Probes are sent for it: no answer to a HEAD request. */
bool route_measures(enum route route);

struct trace_ask {
	enum probe_protocol protocol;
	uint16_t flow;	    /* 0 = the usual */
	struct addr target; /* ADDR_NONE = the asker */
};

/* Parameters may be NULL. NULL, or what is wrong, for a person. */
const char *trace_ask_read(struct trace_ask *ask, const char *protocol, const char *flow, const char *target);

/* Does an Accept header (NULL = none) want text rather than JSON? */
bool accepts_text(const char *accept);

#endif
