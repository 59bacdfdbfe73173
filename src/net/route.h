/* Names and the kernel's routing: where to, and from which of our addresses. */
#ifndef RETOUR_NET_ROUTE_H
#define RETOUR_NET_ROUTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"

/* The first address of `name` (or the address it spells) of `family` (0 = as an application would choose). */
int route_resolve(const char *name, uint8_t family, struct addr *addr, struct error *error) MUST_USE;
/* The source address that the kernel uses towards `destination`; with `wanted` set, checks that it is ours. */
int route_source(struct addr destination, struct addr wanted, struct addr *source, struct error *error) MUST_USE;
/* Reserve UDP port *port (0 = any free one, then set) on `source` as long as *fd stays open, so that no other
 * program shares our flow. */
int route_reserve_port(struct addr source, int *fd, uint16_t *port, struct error *error) MUST_USE;

#endif
