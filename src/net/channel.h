/* A channel carries IP packets between machines and the kernel. Two kinds: raw sockets, which see everything, and
 * a plain UDP socket with its error queue, which any user may open. */
#ifndef RETOUR_NET_CHANNEL_H
#define RETOUR_NET_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"
#include "packet/packet.h"
#include "probe/machine.h"

#define CHANNEL_FDS_MAX 2

struct channel_events {
	void (*packet)(void *context, int64_t received_ns, const struct packet *packet);
	/* The kernel's transmit stamp of the `number`th packet sent since the last failure. */
	void (*stamp)(void *context, uint32_t number, int64_t sent_ns);
	void *context;
};

struct channel {
	/* Send one whole IP packet. 0 or negative errno. */
	int (*send)(struct channel *channel, const struct outgoing *outgoing);
	/* Read what is there and report it, transmit stamps first. */
	void (*receive)(struct channel *channel, const struct channel_events *events);
	int fds[CHANNEL_FDS_MAX]; /* to be watched for reading and for errors; -1 = unused */
	uint8_t family;
};

/* Raw sockets for `family`. -EPERM without cap_net_raw. */
int channel_open_raw(struct channel *channel, uint8_t family, struct error *error);
/* A UDP socket bound to `source` and `source_port`; IPv4 and IPv6, UDP probes only. */
int channel_open_unprivileged(struct channel *channel, struct addr source, uint16_t source_port, struct error *error);
void channel_close(struct channel *channel);

/* Read transmit stamps off a socket's error queue; `other` (may be NULL) gets every other message. */
typedef void channel_error_reader(void *context, struct msghdr *message, size_t length);
void channel_read_errors(int fd, const struct channel_events *events, channel_error_reader *other, void *context);

#endif
