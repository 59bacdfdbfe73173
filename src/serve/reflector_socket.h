/* The reflector on this host's network: UDP sockets on one loop. */
#ifndef RETOUR_SERVE_REFLECTOR_SOCKET_H
#define RETOUR_SERVE_REFLECTOR_SOCKET_H

#include <stdio.h>
#include <uv.h>

#include "base/error.h"
#include "serve/reflector.h"

struct reflector_options {
	uint16_t port; /* 0 = no reflector */
	bool ipv4, ipv6;
	unsigned rate, prefix_rate; /* 0 = default */
	const struct prefix *allow; /* borrowed */
	size_t allow_count;
};

struct reflector_socket;

/* Binds the port, which may need privilege: before that is given up. 0, and `*socket` NULL where no reflector
 * is wanted; negative errno and `error`. */
int reflector_open(struct reflector_socket **socket, const struct reflector_options *options,
	struct error *error) MUST_USE;
/* Watch for packets. NULL is no reflector. */
int reflector_start(struct reflector_socket *socket, uv_loop_t *loop, struct error *error) MUST_USE;
/* Counters as one line, on SIGUSR1 and at the end. */
void reflector_print(const struct reflector_socket *socket, FILE *out);
/* When the loop has closed its handles. */
void reflector_close(struct reflector_socket *socket);

#endif
