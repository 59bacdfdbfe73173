/* TCP probes without privilege: every probe is a socket that connects with a small hop limit. Its error queue
 * tells which router dropped the SYN; that it connected or was refused says that the destination answered.
 *
 * The kernel allows one connection between the same four numbers at a time, so every probe has a source port
 * of its own, which the kernel chooses: a balanced path may show the routers of several branches. A socket is
 * closed before the kernel would send its SYN again (1 s, RFC 6298 2.1); one that connected is reset at once.
 */
#ifndef RETOUR_NET_CONNECTING_H
#define RETOUR_NET_CONNECTING_H

#include "net/channel.h"

/* NULL: no memory or no descriptors. */
struct connecting *connecting_new(const struct channel_options *options);
void connecting_free(struct connecting *connecting);
/* Becomes readable when there is something to read or to close. */
int connecting_fd(const struct connecting *connecting);
/* 0 or negative errno. */
int connecting_send(struct connecting *connecting, const struct packet *packet);
void connecting_receive(
	struct connecting *connecting, const struct channel_events *events, const struct stamp_clock *clock);

#endif
