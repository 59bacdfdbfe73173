/* The channel without privilege: a UDP socket whose error queue (ip(7), IP_RECVERR) tells which router sent which
 * ICMP error about which of our datagrams. The kernel keeps the quoted IP header and everything that is not about
 * this socket to itself: no ICMP probes, no quoted hop limits, no checksum tricks seen; and a router that quotes
 * only 8 bytes gives an answer that cannot be told from its neighbours', which is dropped. */
#include <errno.h>
#include <time.h> /* before errqueue.h, which does not include it */
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/channel.h"
#include "net/sockaddr.h"
#include "net/stamp.h"

#define SEND_RETRIES 4

/* What an IP header would have said goes along as control messages. */
static void set_control(struct cmsghdr *c, int level, int type, int value)
{
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(sizeof(value));
	memcpy(CMSG_DATA(c), &value, sizeof(value));
}

static int unprivileged_send(struct channel *channel, const struct outgoing *outgoing)
{
	struct packet packet;
	struct sockaddr_storage to;
	union {
		struct cmsghdr align;
		uint8_t bytes[2 * CMSG_SPACE(sizeof(int))];
	} control = {0};
	if (packet_read(outgoing->bytes, outgoing->length, &packet) < 0 || packet.ip.protocol != PROTOCOL_UDP)
		return -EPERM;
	struct iovec iov = {
		.iov_base = (void *)packet.transport.payload,
		.iov_len = packet.transport.payload_length,
	};
	struct msghdr message = {
		.msg_name = &to,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	bool v4 = channel->family == 4;
	message.msg_namelen = sockaddr_from(packet.ip.destination, packet.transport.destination_port, &to);
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	set_control(c, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TTL : IPV6_HOPLIMIT, packet.ip.ttl);
	c = CMSG_NXTHDR(&message, c);
	set_control(c, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, packet.ip.tos);
	/* A pending ICMP error fails the next send with its errno once; the error itself is on the queue. */
	for (int i = 0; i < SEND_RETRIES; i++)
		if (sendmsg(channel->fds[0], &message, 0) >= 0)
			return 0;
	return -errno;
}

struct error_context {
	struct channel *channel;
	const struct channel_events *events;
};

/* One ICMP error, as a packet with all that the kernel tells. */
static void read_error(void *context, struct msghdr *message, size_t length)
{
	struct error_context *ec = context;
	uint8_t family = ec->channel->family;
	struct packet packet = {.has_quote = true};
	struct sock_extended_err error = {0};
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		int value;
		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
			(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)) {
			struct sockaddr_storage offender = {0};
			size_t left = c->cmsg_len - CMSG_LEN(0);
			memcpy(&error, CMSG_DATA(c), sizeof(error));
			if (left > sizeof(error))
				memcpy(&offender, CMSG_DATA(c) + sizeof(error),
					MIN(left - sizeof(error), sizeof(offender)));
			packet.ip.source = sockaddr_read(&offender, NULL);
		} else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
			(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
			memcpy(&value, CMSG_DATA(c), sizeof(value));
			packet.ip.ttl = (uint8_t)value;
		}
	}
	if (error.ee_origin != SO_EE_ORIGIN_ICMP && error.ee_origin != SO_EE_ORIGIN_ICMP6)
		return;
	packet.ip.protocol = family == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
	packet.transport.icmp_type = error.ee_type;
	packet.transport.icmp_code = error.ee_code;
	packet.transport.icmp_kind = icmp_kind_of(family, error.ee_type, error.ee_code);
	if (packet.transport.icmp_kind == ICMP_PACKET_TOO_BIG)
		packet.transport.icmp_mtu = error.ee_info;
	packet.quoted_ip.destination = sockaddr_read(message->msg_name, &packet.quoted.destination_port);
	packet.quoted_ip.protocol = PROTOCOL_UDP;
	packet.quoted.payload = message->msg_iov->iov_base;
	packet.quoted.payload_length = length;
	ec->events->packet(ec->events->context, stamp_of(message), &packet);
}

static void unprivileged_receive(struct channel *channel, const struct channel_events *events)
{
	struct error_context context = {.channel = channel, .events = events};
	uint8_t ignored[64];
	channel_read_errors(channel->fds[0], events, read_error, &context);
	/* An answer by UDP, should something listen on that port: not ours to read, but it must not pile up. */
	while (recv(channel->fds[0], ignored, sizeof(ignored), MSG_DONTWAIT) >= 0)
		;
}

int channel_open_unprivileged(struct channel *channel, struct addr source, uint16_t source_port, struct error *error)
{
	bool v4 = source.family == 4;
	int on = 1;
	struct sockaddr_storage local;
	*channel = (struct channel){
		.send = unprivileged_send,
		.receive = unprivileged_receive,
		.fds = {-1, -1},
		.family = source.family,
	};
	int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	channel->fds[0] = fd;
	socklen_t length = sockaddr_from(source, source_port, &local);
	if (fd < 0 || bind(fd, (struct sockaddr *)&local, length) < 0 ||
		setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, &on, sizeof(on)) < 0) {
		int code = -errno;
		channel_close(channel);
		return error_set(error, code, "cannot open a UDP socket with an error queue: %s", strerror(-code));
	}
	setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVTTL : IPV6_RECVHOPLIMIT, &on, sizeof(on));
	(void)stamp_enable(fd, true);
	return 0;
}
