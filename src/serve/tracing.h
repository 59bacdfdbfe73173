/* Paths traced from this host on a client's behalf: ordinary forward traces (trace/forward.h) on the daemon's
 * driver, several at once, each to one of the addresses that may be asked for. */
#ifndef RETOUR_SERVE_TRACING_H
#define RETOUR_SERVE_TRACING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/error.h"
#include "net/driver.h"
#include "path/model.h"
#include "serve/turns.h"

struct tracing;

struct tracing_config {
	struct driver *driver;	    /* borrowed; its channels hear `port` */
	struct turns *turns;	    /* borrowed */
	uint16_t port;		    /* source of UDP and TCP probes */
	const struct prefix *allow; /* borrowed: targets that may be asked for besides the asker */
	size_t allow_count;
	bool find_source; /* our address towards a target may have to be looked up */
};

struct trace_order {
	struct addr asker, target;
	struct addr source; /* our address on the asker's connection */
	enum probe_protocol protocol;
	uint16_t flow; /* UDP, TCP: destination port; ICMP: checksum; 0 = the usual */
	bool ping;     /* the target only, and more often */
};

/* `measurement` is the callee's to read until it returns; NULL: out of memory. */
typedef void tracing_done(void *context, const struct measurement *measurement);

/* Before privilege is given up. NULL and `error`. */
struct tracing *tracing_new(const struct tracing_config *config, struct error *error);
void tracing_free(struct tracing *tracing);
/* The sockets by which sources are looked up, one a family, or -1: they alone may connect. */
const int *tracing_lookups(const struct tracing *tracing);

bool tracing_allows(const struct tracing *tracing, struct addr asker, struct addr target);
/* The number of the trace, by which it is cut short; -EBUSY and -EDQUOT of turns_take; -ENETUNREACH: this
 * host does not reach the target; -ENOMEM. `done` comes later, once. */
int tracing_start(struct tracing *tracing, const struct trace_order *order, tracing_done *done, void *context,
	unsigned *retry_after_s) MUST_USE;
/* Nobody waits for it any more: `done` does not come. */
void tracing_cancel(struct tracing *tracing, int number);
/* The driver says that a machine is DONE. */
void tracing_machine_done(struct tracing *tracing, unsigned machine);
unsigned tracing_running(const struct tracing *tracing);

#endif
