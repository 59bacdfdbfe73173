/* The daemon as a vantage point: it does for a coordinator what its owner allows. */
#ifndef RETOUR_SERVE_VANTAGE_H
#define RETOUR_SERVE_VANTAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "revtr/agent.h"
#include "revtr/message.h"
#include "serve/sandbox.h"

struct bus;
struct uv_loop_s;
struct vantage_point;

struct vantage_options {
	const char *name; /* NULL = this daemon is none */
	struct bus *bus;  /* of this process, borrowed, instead of a broker; NULL = connect to the broker */
	const char
		*broker; /* a host; with '/' at its beginning the socket of a coordinator on this machine */
	unsigned port;	 /* 0 = MQTT's own */
	const char *ca, *certificate, *key;
	bool insecure;
	struct agent_rules rules;
	struct addr sources[STATUS_SOURCES_MAX]; /* of this host, whose owner lets others measure the way to
						    them */
	size_t source_count;
	/* What happens to the connection, a line for a person; may be NULL. */
	void (*note)(const char *text);
};

/* Owns what vantage_options borrows. */
struct vantage_config {
	char *name, *broker, *ca, *certificate, *key;
	struct prefix *veto;
};

void vantage_config_deinit(struct vantage_config *config);

/* Opens raw sockets and connects: before privilege is given up. Borrows `options`. 0 and *vantage NULL where
 * none is wanted. */
int vantage_start(struct vantage_point **vantage, struct uv_loop_s *loop,
	const struct vantage_options *options, struct error *error) MUST_USE;
void vantage_needs(const struct vantage_point *vantage, struct sandbox_needs *needs);
/* What it did, on SIGUSR1 and at the end. NULL is none. */
void vantage_print(const struct vantage_point *vantage, FILE *out);
/* Its handles close on the loop; then vantage_free. */
void vantage_stop(struct vantage_point *vantage);
void vantage_free(struct vantage_point *vantage);

#endif
