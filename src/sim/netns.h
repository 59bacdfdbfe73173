/* One host of a world as a network namespace of the kernel, with a TUN device for its only interface. */
#ifndef RETOUR_SIM_NETNS_H
#define RETOUR_SIM_NETNS_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/error.h"

/* Enter a new network namespace that has a loopback and a device `name` with these two addresses and default
 * routes. The namespace has no name: it lives as long as somebody is in it or holds *namespace_fd; what the
 * host sends is read from *device_fd, one IP packet a read, and written to it to be received. Both are
 * close-on-exec. `segments`: it sends IPv6 packets on to their next segment. */
int netns_new(const char *name, struct addr v4, struct addr v6, bool segments, int *namespace_fd,
	int *device_fd, struct error *error) MUST_USE;

#endif
