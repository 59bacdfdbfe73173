/* The addresses of this host, kept up to date. */
#ifndef RETOUR_SERVE_LOCAL_H
#define RETOUR_SERVE_LOCAL_H

#include <stddef.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/error.h"

/* A netlink socket that becomes readable when addresses come or go, or a negative errno. */
int local_watch(struct error *error) MUST_USE;
/* Empty that socket. */
void local_drain(int fd);
/* All unicast addresses but loopback and link-local ones; the caller frees *addresses. 0 or negative errno.
 */
int local_addresses(struct addr **addresses, size_t *count) MUST_USE;

#endif
