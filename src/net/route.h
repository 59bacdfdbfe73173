/* Names and the kernel's routing: where to, and from which of our addresses. */
#ifndef RETOUR_NET_ROUTE_H
#define RETOUR_NET_ROUTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "net/wishes.h"

struct route_target {
	struct addr addr;
	char interface[16]; /* that a scope ("fe80::1%eth0") names, "" = none */
	unsigned count;	    /* addresses of its family that the name has; 1 for a literal */
};

/* The first address of `name` (or the address it spells) of `family` (0 = as an application would choose, RFC
 * 6724). Names beyond ASCII are looked up in the encoding of the locale (IDNA, by the C library). */
int route_look_up(
	const char *name, uint8_t family, struct route_target *target, struct error *error) MUST_USE;
/* The same, the address only. */
int route_resolve(const char *name, uint8_t family, struct addr *addr, struct error *error) MUST_USE;
/* The source address that the kernel uses towards `destination`; with `wanted` set, checks that it is ours.
 * `wishes` may be NULL. */
int route_source(struct addr destination, struct addr wanted, const struct wishes *wishes,
	struct addr *source, struct error *error) MUST_USE;
/* Reserve port *port (0 = any free one, then set) on `source` as long as the descriptors stay open, UDP and
 * TCP, so that no other program shares our flow. */
int route_reserve(struct addr source, const struct wishes *wishes, int fds[static 2], uint16_t *port,
	struct error *error) MUST_USE;
/* The same for UDP only. */
int route_reserve_port(struct addr source, int *fd, uint16_t *port, struct error *error) MUST_USE;

#endif
