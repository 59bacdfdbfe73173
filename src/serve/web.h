/* Everything of the daemon that is reached by HTTP, put together: listening sockets, the server, the
 * interface, and a driver of its own for the packets of traces, all on the daemon's loop. */
#ifndef RETOUR_SERVE_WEB_H
#define RETOUR_SERVE_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/error.h"
#include "serve/listening.h"

struct uv_loop_s;
struct responder;
struct sandbox_needs;
struct web;

/* All borrowed for the life of the daemon. */
struct web_options {
	const struct listening *listen;
	size_t listen_count;		       /* 0 = no HTTP */
	const char *tls_certificate, *tls_key; /* files in PEM; NULL = no TLS */
	const struct prefix *allow;	       /* who may ask; none = everyone */
	size_t allow_count;
	const struct prefix *targets; /* that may be traced besides the asker */
	size_t target_count;
	const struct prefix *proxies; /* whose X-Forwarded-For is believed */
	size_t proxy_count;
	unsigned traces_per_minute; /* for a prefix, 0 = default */
	bool inband;
	void (*note)(const char *text); /* what becomes of new certificates; or NULL */
};

/* Needs privilege. `port`: source of UDP and TCP probes; `responder`: for its counters, NULL = none. *web is
 * to be stopped and freed also on failure, unless it is NULL. */
int web_start(struct web **web, struct uv_loop_s *loop, const struct web_options *options, uint16_t port,
	const struct responder *responder, struct error *error) MUST_USE;
/* What it must be allowed to do later. */
void web_needs(const struct web *web, struct sandbox_needs *needs);
/* Read the certificate and its key again. */
void web_reload(struct web *web);
/* Before the loop closes its handles, and after. */
void web_stop(struct web *web);
void web_free(struct web *web);

#endif
