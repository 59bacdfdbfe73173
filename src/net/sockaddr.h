/* Between our addresses and the kernel's. */
#ifndef RETOUR_NET_SOCKADDR_H
#define RETOUR_NET_SOCKADDR_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/addr.h"

/* Fills `storage`, returns the length to hand to the kernel. */
socklen_t sockaddr_from(struct addr addr, uint16_t port, struct sockaddr_storage *storage);
/* ADDR_NONE for other families; `port` may be NULL. */
struct addr sockaddr_read(const struct sockaddr_storage *storage, uint16_t *port);

#endif
