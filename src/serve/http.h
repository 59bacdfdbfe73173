/* HTTP on the daemon's loop: libmicrohttpd, driven from outside by its epoll descriptor and a timer, with no
 * thread of its own.
 *
 * The daemon hands in listening sockets and one handler. The handler is called for each GET (or HEAD) whose
 * headers are complete, with a limit for bodies (`body_max`) also for each POST and DELETE that has come
 * whole, and answers now, later, or in parts:
 *
 *   now        httpd_answer() before the handler returns
 *   later      return without an answer: the connection sleeps until httpd_answer() is called for the
 *              exchange
 *   in parts   httpd_stream() before the handler returns, then httpd_write() whenever there is something and
 *              httpd_end() at the end. The response is chunked, each part leaves as soon as the client takes
 *              it.
 *
 * An exchange is valid until its `ended` callback (httpd_on_end) has run, which comes exactly once: after the
 * response has left, or when the client vanished. While a connection sleeps for a later answer its client's
 * departure is not seen; while a stream is open it is, at the next write. So nobody must wait without an end
 * of their own.
 *
 * What strangers may do is bounded: connections in all and for one prefix, the time until a request is
 * complete, the bytes of its headers and of all bodies, new connections and requests per second. Who comes
 * when all places are taken pushes out the connection that has been silent for longest.
 *
 * The in-band tracer (inband.h) is a handler like the others:
 *
 *   - It gets the connection's descriptor (httpd_fd) for getsockopt(TCP_INFO), getsockname() and
 *     ioctl(SIOCOUTQ); it must neither read from it nor write to it. Both ends are in httpd_peer.
 *   - It opens its stream, runs a machine (probe/machine.h) on the daemon's driver (driver_add_numbered, with
 *     the client's address as target: the machine then hears the ICMP errors that quote packets to the
 *     client), and calls httpd_write() from the machine's functions or afterwards. The driver's channels send
 *     whole packets; their source may be any port, also the one that HTTP listens on.
 *   - Segments from the client to the listening port do not come through the driver. It opens raw sockets of
 *     its own for them in inband_open(), before the daemon gives up its privilege, with a filter that lets
 *     nothing through; sets a filter for one client while it traces (setsockopt is still allowed afterwards);
 *     and watches them with uv_poll on the same loop (driver->on).
 *   - After a write httpd_unsent() tells when libmicrohttpd has passed everything on to the kernel.
 *   - When its machine is DONE it is told by inband_done(); from there, and from `ended`, it may call
 *     driver_remove(), but not from within its machine's functions (net/driver.h).
 *   - How often and how many at once is not its business: who must wait is told so before it is asked
 *     (turns.h). */
#ifndef RETOUR_SERVE_HTTP_H
#define RETOUR_SERVE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/error.h"

#define HTTPD_LISTENERS_MAX 16

struct uv_loop_s;
struct httpd;
struct httpd_exchange;

struct httpd_peer {
	struct addr address; /* of the client; of a trusted proxy's client where it tells */
	uint16_t port;	     /* 0 = not known, behind a proxy */
	struct addr local;   /* ours on this connection */
	uint16_t local_port;
	bool tls;
	bool proxied; /* the connection ends at a proxy, not at the client */
};

struct httpd_answer {
	unsigned status;
	const char *type; /* of the body; NULL = application/json */
	char *body;	  /* on the heap; the server frees it. NULL = none */
	size_t length;
	unsigned retry_after_s; /* 0 = do not say */
};

typedef void httpd_handler(void *context, struct httpd_exchange *exchange);

struct httpd_config {
	const int *listeners; /* bound and listening; taken over one by one, the rest stay the caller's */
	size_t listener_count;
	const char *certificate_file, *key_file; /* in PEM, borrowed; NULL = no TLS */
	void (*note)(const char *text);		 /* what becomes of new certificates, one line; or NULL */
	const struct prefix *proxies; /* borrowed: whose word about the client's address is taken */
	size_t proxy_count;
	size_t body_max; /* bytes of a request's body; 0 = GET and HEAD only */
	/* May this client, of whom the headers are known, send a body? NULL = everybody may. Of who may not
	 * it is thrown away as it comes, and the handler is called without it. */
	bool (*may_send)(void *context, const struct httpd_exchange *exchange);
	httpd_handler *handler;
	void *context;
};

struct httpd_counters {
	uint64_t connections, refused_connections,
		evicted_connections;	     /* accepted, turned away, pushed out */
	uint64_t requests, refused_requests; /* all; those that came too fast */
	uint64_t answers[6];		     /* by the first digit of the status */
	unsigned open;			     /* connections now */
};

/* `config` is copied. Negative errno when libmicrohttpd is not there, the certificate is no good, ... : also
 * then *httpd, unless it is NULL, is to be stopped and freed. */
int httpd_start(struct httpd **httpd, struct uv_loop_s *loop, const struct httpd_config *config,
	struct error *error) MUST_USE;
/* Ends every exchange. Whoever closes the loop closes its handles, after this and before httpd_free. */
void httpd_stop(struct httpd *httpd);
void httpd_free(struct httpd *httpd);
/* With TLS: read certificate and key again, which otherwise happens within 20 s of a change. What is there
 * stays in use where the new ones are no good; connections that are open keep theirs. */
void httpd_reload(struct httpd *httpd);
struct httpd_counters httpd_counters(const struct httpd *httpd);

/* The path as the client wrote it, percent-decoded, without parameters: any bytes but NUL. */
const char *httpd_path(const struct httpd_exchange *exchange);
/* A parameter of the URL, decoded likewise; NULL = absent, "" = without a value. */
const char *httpd_parameter(const struct httpd_exchange *exchange, const char *name);
/* Of several equal ones the last. */
const char *httpd_header(const struct httpd_exchange *exchange, const char *name);
const struct httpd_peer *httpd_peer(const struct httpd_exchange *exchange);
int httpd_fd(const struct httpd_exchange *exchange);

/* A HEAD request: the body is not sent. */
bool httpd_is_head(const struct httpd_exchange *exchange);
/* GET (also for HEAD), POST, DELETE. */
const char *httpd_method(const struct httpd_exchange *exchange);
/* What came with the request; NULL = nothing. */
const char *httpd_body(const struct httpd_exchange *exchange, size_t *length);

/* Once for an exchange. The body is taken over, also on failure. */
void httpd_answer(struct httpd_exchange *exchange, struct httpd_answer answer);
#define HTTPD_ENDS 2
/* Called when the exchange is over, in the order of asking; more than HTTPD_ENDS are not heard. */
void httpd_on_end(struct httpd_exchange *exchange, void (*ended)(void *context), void *context);

/* Instead of an answer: status 200 and a body in parts. */
void httpd_stream(struct httpd_exchange *exchange, const char *type);
/* 0; -EPIPE when the stream has ended, -ENOBUFS when the client does not read and 64 KiB wait for it,
 * -ENOMEM. */
int httpd_write(struct httpd_exchange *exchange, const char *bytes, size_t length) MUST_USE;
void httpd_end(struct httpd_exchange *exchange);
/* A stream that is to last longer than a response may take: from now on, it has that time again. */
void httpd_keep(struct httpd_exchange *exchange);
/* Bytes that the kernel has not been given yet. */
size_t httpd_unsent(const struct httpd_exchange *exchange);

#endif
