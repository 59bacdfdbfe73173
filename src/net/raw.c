/* The channel with cap_net_raw: we write whole IP headers and see whole ICMP messages. */
#include <errno.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/channel.h"
#include "net/sockaddr.h"
#include "net/stamp.h"

enum { SEND, RECEIVE };

#define RECEIVE_BUFFER_BYTES (1 << 20)

static int raw_send(struct channel *channel, const struct outgoing *outgoing)
{
	struct packet packet;
	struct sockaddr_storage to;
	if (packet_read(outgoing->bytes, outgoing->length, &packet) < 0)
		return -EINVAL;
	socklen_t to_length = sockaddr_from(packet.ip.destination, 0, &to);
	ssize_t sent = sendto(channel->fds[SEND], outgoing->bytes, outgoing->length, 0, (struct sockaddr *)&to,
		to_length);
	return sent < 0 ? -errno : 0;
}

/* IPv6 raw sockets keep the IP header to themselves and tell its fields in control messages (RFC 3542 6). */
static struct ip_header header_from_control(struct msghdr *message, const struct sockaddr_storage *from)
{
	struct ip_header ip = {.source = sockaddr_read(from, NULL), .protocol = PROTOCOL_ICMPV6};
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		int value = 0;
		if (c->cmsg_level != IPPROTO_IPV6)
			continue;
		if (c->cmsg_type == IPV6_PKTINFO && c->cmsg_len >= CMSG_LEN(sizeof(struct in6_pktinfo))) {
			struct in6_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			ip.destination = addr_from_bytes(6, info.ipi6_addr.s6_addr);
		} else if (c->cmsg_len >= CMSG_LEN(sizeof(value))) {
			memcpy(&value, CMSG_DATA(c), sizeof(value));
			if (c->cmsg_type == IPV6_HOPLIMIT)
				ip.ttl = (uint8_t)value;
			else if (c->cmsg_type == IPV6_TCLASS)
				ip.tos = (uint8_t)value;
		}
	}
	return ip;
}

static bool read_one(struct channel *channel, const struct channel_events *events)
{
	uint8_t data[4096];
	union {
		struct cmsghdr align;
		uint8_t bytes[512];
	} control;
	struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
	struct iovec iov = {.iov_base = data, .iov_len = sizeof(data)};
	struct msghdr message = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t length = recvmsg(channel->fds[RECEIVE], &message, MSG_DONTWAIT);
	if (length < 0)
		return errno == EINTR;
	struct packet packet;
	int64_t received_ns = stamp_of(&message);
	int result;
	if (channel->family == 4) {
		result = packet_read(data, (size_t)length, &packet);
	} else {
		struct ip_header ip = header_from_control(&message, &from);
		result = packet_read_icmp(&ip, data, (size_t)length, &packet);
	}
	/* Raw sockets get IPv4 packets before the kernel has looked at their ICMP checksum. */
	if (result == 0 && packet.checksum_ok)
		events->packet(events->context, received_ns, &packet);
	return true;
}

static void raw_receive(struct channel *channel, const struct channel_events *events)
{
	channel_read_errors(channel->fds[SEND], events, NULL, NULL);
	while (read_one(channel, events))
		;
}

/* Let the kernel drop what no measurement reads: requests, and IPv6's neighbour and router chatter. */
static void filter_types(int fd, uint8_t family)
{
	if (family == 4) {
		uint32_t blocked = 1u << ICMP4_ECHO_REQUEST | 1u << ICMP4_REDIRECT;
		setsockopt(fd, SOL_RAW, 1 /* ICMP_FILTER, raw(7) */, &blocked, sizeof(blocked));
		return;
	}
	static const uint8_t wanted[] = {ICMP6_UNREACHABLE, ICMP6_PACKET_TOO_BIG, ICMP6_TIME_EXCEEDED,
		ICMP6_PARAMETER_PROBLEM, ICMP6_ECHO_REPLY};
	struct icmp6_filter filter;
	memset(&filter, 0xff, sizeof(filter)); /* a set bit blocks (RFC 3542 3.2) */
	for (size_t i = 0; i < sizeof(wanted); i++)
		filter.data[wanted[i] / 32] &= ~(1u << wanted[i] % 32);
	setsockopt(fd, IPPROTO_ICMPV6, ICMPV6_FILTER, &filter, sizeof(filter));
}

static void ask_for_header_fields(int fd)
{
	int on = 1;
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof(on));
}

int channel_open_raw(struct channel *channel, uint8_t family, struct error *error)
{
	int domain = family == 4 ? AF_INET : AF_INET6;
	int buffer = RECEIVE_BUFFER_BYTES;
	*channel = (struct channel){.send = raw_send, .receive = raw_receive, .fds = {-1, -1}, .family = family};
	channel->fds[SEND] = socket(domain, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
	channel->fds[RECEIVE] = socket(domain, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	if (channel->fds[SEND] < 0 || channel->fds[RECEIVE] < 0) {
		int code = -errno;
		channel_close(channel);
		return error_set(error, code, "cannot open raw sockets: %s", strerror(-code));
	}
	filter_types(channel->fds[RECEIVE], family);
	if (family == 6)
		ask_for_header_fields(channel->fds[RECEIVE]);
	setsockopt(channel->fds[RECEIVE], SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	/* Without stamps the time of the system call serves; nothing is lost but precision. */
	(void)stamp_enable(channel->fds[SEND], true);
	(void)stamp_enable(channel->fds[RECEIVE], false);
	return 0;
}
