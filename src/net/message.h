/* One message from a socket with all that the kernel tells beside it: the set-up of recvmsg() in one place.
 */
#ifndef RETOUR_NET_MESSAGE_H
#define RETOUR_NET_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/addr.h"

#define MESSAGE_SIZE_MAX 10240 /* an answer to the largest probe */

struct message {
	struct msghdr header;
	struct iovec iov;
	struct sockaddr_storage from;
	_Alignas(struct cmsghdr) uint8_t control[1024];
	uint8_t data[MESSAGE_SIZE_MAX];
	size_t length;
};

/* Send a whole IP packet by a raw socket, on the route of a socket that is bound to its source: only so does
 * routing by source apply, from the IP header alone it does not. The source must be an address of this host.
 * 0 or negative errno. */
int message_send_from(int fd, const void *packet, size_t length, struct addr source, struct addr destination);

/* What an error queue holds (ip(7), IP_RECVERR). */
struct message_error {
	uint8_t origin, type, code; /* SO_EE_ORIGIN_... */
	uint32_t info;		    /* MTU, or the number of a transmit stamp */
	struct addr offender;	    /* who sent the ICMP error */
};

/* 0, or negative errno: -EAGAIN when there is nothing. Does not wait. */
int message_receive(struct message *message, int fd, int flags);
/* false: this is not a message from an error queue. */
bool message_error_of(const struct message *message, struct message_error *error);
/* Of the packet that came, 0 = not told. */
uint8_t message_hop_limit(const struct message *message);
/* The value of a control message that is an int; -1 = absent. */
int message_int(const struct message *message, int level, int type);
/* How many messages this socket has lost for want of room since it was opened, 0 = not told (SO_RXQ_OVFL). */
uint32_t message_drops(const struct message *message);

#endif
