/* One port number, UDP and TCP, of both families, that nobody else on this host gets: probes leave from it,
 * and what comes back to it concerns us alone. */
#ifndef RETOUR_SERVE_PORTS_H
#define RETOUR_SERVE_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

#define PORTS_FDS 4

struct ports {
	int fds[PORTS_FDS]; /* bound, never read; -1 = unused */
	uint16_t port;
};

void ports_init(struct ports *ports);
/* An ephemeral port of the kernel's choice. */
int ports_reserve(struct ports *ports, bool ipv4, bool ipv6, struct error *error) MUST_USE;
void ports_release(struct ports *ports);

#endif
