/* The channel without privilege. Sockets with an error queue (ip(7), IP_RECVERR) tell which router sent which
 * ICMP error about which of our packets: UDP and UDP-Lite sockets, "ping" sockets where the administrator
 * allows them (net.ipv4.ping_group_range), and TCP sockets that connect (connecting.h).
 *
 * The kernel keeps the quoted IP header and everything that is not about these sockets to itself: no quoted
 * hop limits, no checksum tricks seen; and for UDP a router that quotes only 8 bytes gives an answer that
 * cannot be told from its neighbours', which is dropped. */
#include <errno.h>
#include <time.h> /* before errqueue.h, which does not include it */
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/channel.h"
#include "net/connecting.h"
#include "net/message.h"
#include "net/sockaddr.h"

enum { UDP, UDPLITE, ECHO, TCP };

#define SEND_RETRIES	 4
#define ICMP_HEADER_SIZE 8

/* ---- sending ---- */

/* What an IP header would have said goes along as control messages. */
static void set_control(struct cmsghdr *c, int level, int type, int value)
{
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(sizeof(value));
	memcpy(CMSG_DATA(c), &value, sizeof(value));
}

static int send_datagram(int fd, const struct packet *packet, const uint8_t *bytes, size_t length)
{
	struct sockaddr_storage to;
	union {
		struct cmsghdr align;
		uint8_t bytes[2 * CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = (void *)bytes, .iov_len = length};
	struct msghdr message = {
		.msg_name = &to,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	bool v4 = packet->ip.destination.family == 4;
	message.msg_namelen = sockaddr_from(packet->ip.destination, packet->transport.destination_port, &to);
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	set_control(c, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TTL : IPV6_HOPLIMIT, packet->ip.ttl);
	c = CMSG_NXTHDR(&message, c);
	set_control(c, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, packet->ip.tos);
	/* A pending ICMP error fails the next send with its errno once; the error itself is on the queue. */
	for (int i = 0; i < SEND_RETRIES; i++)
		if (sendmsg(fd, &message, 0) >= 0)
			return 0;
	return -errno;
}

/* The kernel shall not fragment because of a path MTU that it remembers; whether routers may, the packet
 * says. IPv6 sockets never do (see open_datagram). */
static void set_fragmenting(struct channel *channel, bool dont_fragment)
{
	int mode = dont_fragment ? IP_PMTUDISC_PROBE : IP_PMTUDISC_OMIT;
	if (channel->family == 6 || channel->dont_fragment == dont_fragment)
		return;
	channel->dont_fragment = dont_fragment;
	for (int i = UDP; i <= ECHO; i++)
		if (channel->fds[i] >= 0)
			setsockopt(channel->fds[i], IPPROTO_IP, IP_MTU_DISCOVER, &mode, sizeof(mode));
}

static int index_of(const struct packet *packet)
{
	switch (packet->ip.protocol) {
	case PROTOCOL_UDP: return UDP;
	case PROTOCOL_UDPLITE: return UDPLITE;
	case PROTOCOL_TCP: return TCP;
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6: return ECHO;
	default: return -1;
	}
}

static int unprivileged_send(struct channel *channel, const struct outgoing *outgoing, uint32_t number)
{
	struct packet packet;
	if (packet_read(outgoing->bytes, outgoing->length, &packet) < 0)
		return -EINVAL;
	int index = index_of(&packet);
	if (index < 0 || channel->fds[index] < 0)
		return -EPERM;
	if (index == TCP)
		return connecting_send(channel->connecting, &packet);
	set_fragmenting(channel, packet.ip.dont_fragment);
	size_t header = index == ECHO ? ICMP_HEADER_SIZE : 0; /* which a ping socket takes from us */
	int result = send_datagram(channel->fds[index], &packet, packet.transport.payload - header,
		packet.transport.payload_length + header);
	if (result == 0 && channel->stamped.fd == channel->fds[index])
		stamped_sent(channel, number);
	return result;
}

/* ---- reading ---- */

/* One ICMP error, as a packet with all that the kernel tells. */
static void read_error(struct channel *channel, const struct channel_events *events, int index,
	const struct message *message)
{
	uint8_t family = channel->family;
	struct message_error error;
	struct packet quoted, packet = {.has_quote = true};
	if (!message_error_of(message, &error) ||
		(error.origin != SO_EE_ORIGIN_ICMP && error.origin != SO_EE_ORIGIN_ICMP6))
		return;
	packet.ip.source = error.offender;
	packet.ip.ttl = message_hop_limit(message);
	packet.ip.protocol = family == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
	packet.transport.icmp_type = error.type;
	packet.transport.icmp_code = error.code;
	packet.transport.icmp_kind = icmp_kind_of(family, error.type, error.code);
	if (packet.transport.icmp_kind == ICMP_PACKET_TOO_BIG)
		packet.transport.icmp_mtu = error.info;
	packet.quoted_ip.destination = sockaddr_read(&message->from, &packet.quoted.destination_port);
	packet.quoted_ip.protocol = index == UDP ? PROTOCOL_UDP : PROTOCOL_UDPLITE;
	packet.quoted.payload = message->data;
	packet.quoted.payload_length = message->length;
	if (index == ECHO) {
		packet.quoted_ip.protocol = packet.ip.protocol;
		packet.quoted_ip.source = packet.quoted_ip.destination; /* its family is what counts */
		if (packet_read_icmp(&packet.quoted_ip, message->data, message->length, &quoted) < 0)
			return;
		packet.quoted_ip.source = ADDR_NONE;
		packet.quoted = quoted.transport;
	}
	events->packet(events->context, stamp_since(&channel->clock, &message->header), &packet);
}

/* A service that listens on that port answered, or the echo came back. */
static void read_answer(struct channel *channel, const struct channel_events *events, int index,
	const struct message *message)
{
	struct packet packet = {0};
	struct sockaddr_storage local = {0};
	socklen_t size = sizeof(local);
	packet.ip.source = sockaddr_read(&message->from, &packet.transport.source_port);
	packet.ip.ttl = message_hop_limit(message);
	if (index == ECHO) {
		struct ip_header ip = packet.ip;
		if (packet_read_icmp(&ip, message->data, message->length, &packet) < 0)
			return;
	} else {
		getsockname(channel->fds[index], (struct sockaddr *)&local, &size);
		packet.ip.destination = sockaddr_read(&local, &packet.transport.destination_port);
		packet.ip.protocol = index == UDP ? PROTOCOL_UDP : PROTOCOL_UDPLITE;
		packet.transport.payload = message->data;
		packet.transport.payload_length = message->length;
	}
	events->packet(events->context, stamp_since(&channel->clock, &message->header), &packet);
}

static void unprivileged_receive(struct channel *channel, const struct channel_events *events)
{
	int64_t since_ns = clock_monotonic_ns();
	for (int i = UDP; i <= ECHO; i++) {
		if (channel->fds[i] < 0)
			continue;
		channel_read_errors(channel, events, i, read_error);
		channel_read_all(channel, events, i, read_answer);
	}
	if (channel->connecting)
		connecting_receive(channel->connecting, events, &channel->clock);
	stamp_drained(&channel->clock, since_ns);
}

/* ---- opening ---- */

static int open_datagram(struct channel *channel, int index, int protocol, uint16_t port,
	const struct channel_options *options, struct error *error)
{
	bool v4 = options->family == 4;
	int level = v4 ? IPPROTO_IP : IPPROTO_IPV6, on = 1;
	int mode = v4 ? IP_PMTUDISC_OMIT : IPV6_PMTUDISC_PROBE;
	struct sockaddr_storage local;
	int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	if (fd < 0)
		return error_set(error, -errno, "cannot open a socket: %s", strerror(errno));
	channel->fds[index] = fd;
	int result = wishes_apply(&options->wishes, fd, error);
	if (result < 0)
		return result;
	socklen_t length = sockaddr_from(options->source, port, &local);
	if (bind(fd, (struct sockaddr *)&local, length) < 0 ||
		setsockopt(fd, level, v4 ? IP_RECVERR : IPV6_RECVERR, &on, sizeof(on)) < 0)
		return error_set(
			error, -errno, "cannot open a socket with an error queue: %s", strerror(errno));
	setsockopt(fd, level, v4 ? IP_RECVTTL : IPV6_RECVHOPLIMIT, &on, sizeof(on));
	setsockopt(fd, level, v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, &mode, sizeof(mode));
	if (!v4)
		setsockopt(fd, level, IPV6_DONTFRAG, &on, sizeof(on));
	(void)stamp_enable(fd, false);
	return 0;
}

/* Each protocol that can be had; the reason of the last that could not. */
static int open_all(struct channel *channel, const struct channel_options *options, struct error *error)
{
	const struct {
		enum probe_protocol protocol;
		int index, number;
		uint16_t port;
	} kinds[] = {
		{PROBE_UDP, UDP, IPPROTO_UDP, options->source_port},
		{PROBE_UDPLITE, UDPLITE, IPPROTO_UDPLITE, options->source_port},
		{PROBE_ICMP, ECHO, options->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, options->icmp_id},
	};
	int result = 0;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!(options->protocols & CHANNEL_PROTOCOL(kinds[i].protocol)))
			continue;
		int opened = open_datagram(
			channel, kinds[i].index, kinds[i].number, kinds[i].port, options, error);
		if (opened == 0) {
			channel->protocols |= CHANNEL_PROTOCOL(kinds[i].protocol);
			continue;
		}
		result = opened;
		if (channel->fds[kinds[i].index] >= 0)
			close(channel->fds[kinds[i].index]);
		channel->fds[kinds[i].index] = -1;
	}
	if (options->protocols & CHANNEL_PROTOCOL(PROBE_TCP)) {
		channel->connecting = connecting_new(options);
		if (!channel->connecting)
			return error_set(error, -errno, "cannot watch sockets: %s", strerror(errno));
		channel->protocols |= CHANNEL_PROTOCOL(PROBE_TCP);
	}
	return channel->protocols ? 0 : result;
}

int channel_open_unprivileged(
	struct channel *channel, const struct channel_options *options, struct error *error)
{
	*channel = (struct channel){
		.send = unprivileged_send,
		.receive = unprivileged_receive,
		.fds = CHANNEL_NO_FDS,
		.family = options->family,
		.stamped = {.fd = -1},
	};
	int result = open_all(channel, options, error);
	if (result < 0) {
		channel_close(channel);
		return result;
	}
	if (channel->connecting)
		channel->fds[TCP] = connecting_fd(channel->connecting);
	for (int i = UDP; i <= ECHO; i++)
		if (channel->fds[i] >= 0) {
			stamped_open(channel, channel->fds[i]);
			break;
		}
	return 0;
}
