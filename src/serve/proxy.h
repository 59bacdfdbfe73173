/* Whose word is taken about the address of a client: that of proxies which the operator named. */
#ifndef RETOUR_SERVE_PROXY_H
#define RETOUR_SERVE_PROXY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"

bool proxy_trusted(const struct prefix *proxies, size_t count, struct addr peer);
/* The client that a connection from `peer` stands for: by the last entry of X-Forwarded-For, which the proxy
 * itself wrote (what stands before it is the client's invention). ADDR_NONE: `peer` is not one of the
 * proxies, or says nothing that is an address. `header` may be NULL. */
struct addr proxy_client(const struct prefix *proxies, size_t count, struct addr peer, const char *header);

#endif
