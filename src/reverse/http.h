/* HTTP requests on the run's event loop: libcurl's multi interface on libuv. One `struct http` serves many
 * requests. The library is loaded with the first of them.
 *
 * Every reply is hostile: bodies are cut at `limit_bytes`, redirects go to http and https only and never carry a
 * key to another host, times are bounded. Nothing of a request's headers appears in an error. */
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
	const char *method; /* GET, POST; NULL = GET */
	const char *url;    /* http or https */
	const char *body;   /* NULL = none */
	const char *content_type; /* of the body; NULL = application/json */
	const char *bearer;	  /* key, or NULL */
	const char *const *headers; /* further "Name: value" lines, NULL at the end; or NULL */
	const char *cookies;	    /* "a=b; c=d" or NULL */
	size_t limit_bytes;	    /* 0 = 1 MiB */
	int64_t timeout_ns;	    /* 0 = 30 s */
	uint8_t family;		    /* 4 or 6: connect by this one only; 0 = either */
	/* Called with each part of the body as it comes, NULL: it is only collected. */
	void (*part)(void *context, const char *bytes, size_t length);
};

struct http_reply {
	int error;	   /* 0, or negative errno: then `reason` */
	const char *reason; /* for a person, one line */
	int status;	   /* of HTTP, 0 = none */
	const char *body;  /* `length` bytes and a NUL; valid during the call only */
	size_t length;
	bool cut;	   /* the body was longer than the limit */
	struct addr local, peer; /* of the connection; none = not known */
	/* A header of the last response by name without regard to case; NULL = not there. Valid during the call. */
	const char *(*header)(const struct http_reply *reply, const char *name);
	const void *inside;
};

typedef void http_done(void *context, const struct http_reply *reply);

/* NULL with `error` set: libcurl is not there, or out of memory. */
struct http *http_new(struct uv_loop_s *loop, struct error *error);
/* Requests that go on end without `done`; its handles close on the loop, `closed` (may be NULL) is called then. */
void http_free(struct http *http, void (*closed)(void *context), void *context);
/* Everything in `ask` is copied. `done` is called once, from the loop, never from here. NULL: out of memory. */
struct http_request *http_start(struct http *http, const struct http_ask *ask, http_done *done, void *context);
/* Without `done`. */
void http_cancel(struct http_request *request);

#endif
