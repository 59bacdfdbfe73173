/* GET /api/v1/inband: the way to the client, traced inside the connection by which it asks (trace/inband.h).
 *
 * Theory of operation
 *
 * The probes need the connection's sequence numbers. The kernel tells them through TCP_REPAIR only, which
 * wants cap_net_admin and stops the socket meanwhile; TCP_INFO has none. So the connection's packets are
 * watched: a packet socket sees both directions, with what is sent (to be repeated), the flow label, the
 * window and the time stamps, and when it passes. Such sockets are opened while there is privilege, one for
 * each trace that may run at a time; when nobody has asked for a minute they are bound to nothing and cost
 * nothing. Binding one and setting its filter need no privilege.
 *
 * The response begins with blanks, which JSON allows in front of a document. They are the bytes that the
 * client acknowledges and the probes repeat: several full segments, as a second one is acknowledged at once
 * (RFC 5681 4.2). While probes are underway nothing is written. The document ends the response. */
#ifndef RETOUR_SERVE_INBAND_H
#define RETOUR_SERVE_INBAND_H

#include <stdbool.h>

#include "base/error.h"
#include "serve/http.h"

struct driver;
struct inband_tracer;

/* Needs privilege. `driver` sends the probes; it is borrowed, and is on its loop already. 0 or negative
 * errno; *tracer is to be freed also on failure, unless it is NULL. */
int inband_open(struct inband_tracer **tracer, struct driver *driver, struct error *error) MUST_USE;
/* A httpd_handler; `context` is the tracer. How often somebody may ask is not its business. */
void inband_handle(void *context, struct httpd_exchange *exchange);
/* The driver says that this machine is DONE. False: it is none of the tracer's. */
bool inband_done(struct inband_tracer *tracer, unsigned machine);
/* After the exchanges have ended and the loop has closed its handles. */
void inband_free(struct inband_tracer *tracer);

#endif
