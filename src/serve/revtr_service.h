/* The coordinator as a process: store, bus, coordinator and HTTP on one loop. */
#ifndef RETOUR_SERVE_REVTR_SERVICE_H
#define RETOUR_SERVE_REVTR_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/compiler.h"
#include "base/error.h"
#include "bus/bus.h"
#include "serve/listening.h"

struct revtr_service;

/* Borrowed for the call, but for `opt_out` and what `broker` points to. */
struct revtr_service_options {
	/* A file; beside it are the administrator's key, FILE-key, and, without a broker, the socket for
	 * agents of this machine, FILE-socket. */
	const char *store;
	const char *data_dir; /* of local data about networks; NULL = the usual one */
	const struct listening *listen;
	size_t listen_count;
	const char *tls_certificate,
		*tls_key; /* files in PEM, borrowed for the life of the service; NULL = no TLS */
	void (*note)(const char *text);	       /* what becomes of new certificates; or NULL */
	const struct bus_mqtt_options *broker; /* NULL = agents of this process only */
	bool spoof;			       /* the agent of this host may send in others' names */
	bool no_timestamps;		       /* nobody is asked for prespecified timestamps */
	bool quotes;	      /* targets that do not write themselves down are asked to quote a list */
	unsigned per_network; /* as of struct coordinator_options */
	unsigned atlas_per_day, keep_days;
	const uint32_t *hitlist; /* for the survey */
	unsigned hitlist_count;
	const struct prefix *opt_out; /* nobody is measured in there; for the life of the service */
	size_t opt_out_count;
	void (*tell)(const char *text); /* what happens, a line for a log; may be NULL */
	FILE *owner;			/* on SIGUSR1, what the agent of this host has done is told there */
};

/* Opens everything, then gives up all privilege for good: from then on this process writes in the store's
 * folder only. NULL with `error`. */
struct revtr_service *revtr_service_start(const struct revtr_service_options *options, struct error *error);
/* Until SIGINT or SIGTERM; with TLS, SIGHUP has the certificate read again. */
int revtr_service_run(struct revtr_service *service, struct error *error) MUST_USE;
/* Ends what goes on; what was acknowledged is in the store. */
void revtr_service_stop(struct revtr_service *service);
/* The file with the administrator's key. */
const char *revtr_service_key_file(const struct revtr_service *service);
/* Why something that is not necessary does not work, one line; NULL = nothing. `index` is below this number.
 */
#define REVTR_WARNINGS 3
const char *revtr_service_warning(const struct revtr_service *service, unsigned index);

#endif
