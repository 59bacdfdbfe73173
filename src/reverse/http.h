/* HTTP requests on the run's event loop: libcurl's multi interface on libuv. One `struct http` serves many
 * requests, which share connections and cookies: who must not know of one another takes one each. libcurl is
 * loaded by http_new.
 *
 * Every reply is hostile: bodies are cut at `limit_bytes`, headers at 64 KiB, times are bounded, and of
 * redirects five are followed, to http and https only. Key, headers and body are for the origin of `url`: a
 * redirect to another one goes without key and headers, and is not followed where it would take the body
 * along. Nothing of a request's headers or body appears in an error. TLS is verified against the system's
 * certificates, or against those of $SSL_CERT_FILE. A proxy is used where the environment says so (curl(1)).
 */
#ifndef RETOUR_REVERSE_HTTP_H
#define RETOUR_REVERSE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/error.h"

struct uv_loop_s;
struct http;
struct http_request;

struct http_ask {
	const char *method;	    /* GET, POST; NULL = GET */
	const char *url;	    /* http or https */
	const char *body;	    /* NULL = none */
	const char *content_type;   /* of the body; NULL = application/json */
	const char *bearer;	    /* key, or NULL */
	const char *const *headers; /* further "Name: value" lines, NULL at the end; or NULL */
	const char *ca_file;	    /* in PEM: whom to trust; NULL = as below */
	size_t limit_bytes;	    /* 0 = 1 MiB */
	int64_t timeout_ns;	    /* 0 = 30 s */
	uint8_t family;		    /* 4 or 6: connect by this one only; 0 = either */
	/* Called with each part of the body as it comes, NULL: it is only collected. Bodies of redirects are
	 * not handed out. It may cancel the request. */
	void (*part)(void *context, const char *bytes, size_t length);
};

struct http_reply {
	int error;	    /* 0: there is a whole response, or its beginning (`cut`); or negative errno, then
			     * `reason`;	  -ETIMEDOUT is the time */
	const char *reason; /* for a person, one line; never NULL. It may quote the other side: not escaped */
	int status;	    /* of HTTP, 0 = none */
	const char *body; /* as far as it came, with an error, too: `length` bytes and a NUL; valid during the
			     call */
	size_t length;
	bool cut;		 /* the body was longer than the limit */
	struct addr local, peer; /* of the connection; none = not known, or there may be a proxy */
	/* A header of the last response by name without regard to case; NULL = not there. Valid during the
	 * call. */
	const char *(*header)(const struct http_reply *reply, const char *name);
	const void *inside; /* not for callers */
};

typedef void http_done(void *context, const struct http_reply *reply);

/* NULL with `error` set: libcurl is not there, or out of memory. */
struct http *http_new(struct uv_loop_s *loop, struct error *error);
/* At any time, from `done` and `part`, too. Requests that go on end without `done`; its handles close on the
 * loop, and `closed` (may be NULL) is called from there. Until then the loop must run. */
void http_free(struct http *http, void (*closed)(void *context), void *context);
/* Everything in `ask` is copied. `done` is called once, from the loop, never from here. NULL: out of memory.
 */
struct http_request *http_start(
	struct http *http, const struct http_ask *ask, http_done *done, void *context);
/* At any time before `done`, which is not called then. */
void http_cancel(struct http_request *request);

#endif
