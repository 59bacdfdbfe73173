/* What a packet socket lets through while a connection is traced: the segments of that connection. */
#ifndef RETOUR_SERVE_INBAND_FILTER_H
#define RETOUR_SERVE_INBAND_FILTER_H

#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"

struct inband_pair {
	struct addr local, remote;
	uint16_t local_port, remote_port;
};

/* Segments between these two in both directions, on a socket whose packets begin with the IP header; with
 * NULL nothing. Takes the place of the filter before. 0 or negative errno. */
int inband_filter_set(int fd, const struct inband_pair *pair) MUST_USE;

#endif
