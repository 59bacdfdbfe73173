/* What the user wishes of every socket: an interface, a firewall mark, leave to broadcast. */
#ifndef RETOUR_NET_WISHES_H
#define RETOUR_NET_WISHES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct wishes {
	const char *interface; /* NULL = by the routing table */
	uint32_t mark;	       /* 0 = none */
	bool broadcast;
	bool debug; /* SO_DEBUG of socket(7) */
};

int wishes_apply(const struct wishes *wishes, int fd, struct error *error) MUST_USE;

#endif
