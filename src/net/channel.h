/* A channel carries IP packets between machines and the kernel. Two kinds: raw sockets, which see everything,
 * and ordinary sockets with their error queues, which any user may open. */
#ifndef RETOUR_NET_CHANNEL_H
#define RETOUR_NET_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"
#include "net/stamp.h"
#include "net/wishes.h"
#include "packet/packet.h"
#include "path/model.h"
#include "probe/machine.h"

#define CHANNEL_FDS_MAX 6
#define CHANNEL_STAMPS	4096 /* transmit stamps that may be outstanding */
#define CHANNEL_NO_FDS                                                                                       \
	{                                                                                                    \
		-1, -1, -1, -1, -1, -1                                                                       \
	}

#define CHANNEL_PROTOCOL(protocol) (1u << (protocol))

struct channel_options {
	uint8_t family;
	unsigned protocols; /* CHANNEL_PROTOCOL(...) of every protocol that is to be sent */
	struct addr source;
	uint16_t source_port;  /* 0 = none */
	uint16_t port_count;   /* source ports from that one on whose answers are read; 0 = one */
	uint16_t icmp_id;      /* of echo requests */
	bool hears_requests;   /* raw, IPv4: echo requests, too, are read */
	bool routed_by_source; /* raw: each packet takes the route of its source, which is an address of this
				  host */
	struct wishes wishes;
};

struct channel_events {
	void (*packet)(void *context, int64_t received_ns, const struct packet *packet);
	/* The kernel's transmit stamp of the packet that was sent with this number. */
	void (*stamp)(void *context, uint32_t number, int64_t sent_ns);
	void *context;
};

/* Transmit stamps: the kernel counts what a socket sends, we what the channel sends. */
struct stamped_socket {
	int fd;
	uint32_t count;
	uint32_t numbers[CHANNEL_STAMPS];
};

struct connecting;

struct channel {
	/* Send one whole IP packet; `number` comes back with its transmit stamp. 0 or negative errno. */
	int (*send)(struct channel *channel, const struct outgoing *outgoing, uint32_t number);
	/* Read what is there and report it, transmit stamps first. */
	void (*receive)(struct channel *channel, const struct channel_events *events);
	int fds[CHANNEL_FDS_MAX];	 /* to be watched for reading and for errors; -1 = unused */
	uint32_t drops[CHANNEL_FDS_MAX]; /* answers that the kernel had no room for */
	uint8_t family;
	bool routed_by_source;
	bool dont_fragment; /* unprivileged: what the sockets do now */
	unsigned protocols; /* that can be sent */
	struct stamp_clock clock;
	struct stamped_socket stamped;
	struct connecting *connecting; /* unprivileged TCP, NULL = none; its descriptor is among `fds` */
};

/* Raw sockets. -EPERM without cap_net_raw. */
int channel_open_raw(
	struct channel *channel, const struct channel_options *options, struct error *error) MUST_USE;
/* Ordinary sockets for as many of the protocols as this user may send: `channel->protocols` tells. */
int channel_open_unprivileged(
	struct channel *channel, const struct channel_options *options, struct error *error) MUST_USE;
void channel_close(struct channel *channel);
/* All answers that were lost for want of room. */
uint32_t channel_drops(const struct channel *channel);

/* For the channels themselves. */
struct message;
void stamped_open(struct channel *channel, int fd);
/* This packet left through the stamped socket. */
void stamped_sent(struct channel *channel, uint32_t number);
/* After a send that failed the kernel may have counted it or not: both begin anew. */
void stamped_restart(struct channel *channel);
/* Read one message from the error queue of a socket: a transmit stamp is reported, everything else goes to
 * `other`, which may be NULL. */
typedef void channel_error_reader(struct channel *channel, const struct channel_events *events, int index,
	const struct message *message);
void channel_read_errors(
	struct channel *channel, const struct channel_events *events, int index, channel_error_reader *other);
/* Every message of a socket, with drops counted. */
void channel_read_all(struct channel *channel, const struct channel_events *events, int index,
	channel_error_reader *reader);

#endif
