/* The channel with cap_net_raw: we write whole IP headers and see whole ICMP messages, the answers of TCP and
 * UDP services that come to our ports, and IPv6 packets with a routing header that come home: a kernel that
 * does not let such packets in shows them to raw sockets of that header's number all the same, before it
 * drops them. */
#include <errno.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/channel.h"
#include "net/filter.h"
#include "net/message.h"
#include "net/sockaddr.h"

enum { SEND, RECEIVE_ICMP, RECEIVE_ROUTED, RECEIVE_FIRST };

#define RECEIVE_BUFFER_BYTES (1 << 20)
#define IP_HEADER_BYTES	     20 /* without options */

static int raw_send(struct channel *channel, const struct outgoing *outgoing, uint32_t number)
{
	struct packet packet;
	struct sockaddr_storage to;
	if (packet_read(outgoing->bytes, outgoing->length, &packet) < 0)
		return -EINVAL;
	socklen_t to_length = sockaddr_from(packet.ip.destination, 0, &to);
	int result = 0;
	if (channel->routed_by_source)
		result = message_send_from(channel->fds[SEND], outgoing->bytes, outgoing->length,
			packet.ip.source, packet.ip.destination);
	else if (sendto(channel->fds[SEND], outgoing->bytes, outgoing->length, 0, (struct sockaddr *)&to,
			 to_length) < 0)
		result = -errno;
	if (result < 0)
		return result;
	stamped_sent(channel, number);
	return 0;
}

/* IPv6 raw sockets keep the IP header to themselves and tell its fields in control messages (RFC 3542 6). */
static struct ip_header header_from_control(const struct message *message, uint8_t protocol)
{
	struct ip_header ip = {.source = sockaddr_read(&message->from, NULL), .protocol = protocol};
	struct msghdr *header = (struct msghdr *)&message->header; /* CMSG_NXTHDR takes no const */
	int tos = message_int(message, IPPROTO_IPV6, IPV6_TCLASS);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		struct in6_pktinfo info;
		if (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_PKTINFO ||
			c->cmsg_len < CMSG_LEN(sizeof(info)))
			continue;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		ip.destination = addr_from_bytes(6, info.ipi6_addr.s6_addr);
	}
	ip.ttl = message_hop_limit(message);
	ip.tos = (uint8_t)MAX(tos, 0);
	return ip;
}

/* The kernel has looked at the checksum of the IP header, and after that written this host into a Record
 * Route option (ip_options_compile), so that it does not hold any more: that of ICMP alone is looked at. */
static int read_icmp4(const struct message *message, struct packet *packet)
{
	int result = packet_read(message->data, message->length, packet);
	if (result < 0 || packet->ip.header_length <= IP_HEADER_BYTES)
		return result;
	struct ip_header ip = packet->ip;
	struct cursor cursor = cursor_init(message->data, message->length);
	cursor_skip(&cursor, ip.header_length);
	size_t length = cursor_left(&cursor);
	const uint8_t *bytes = cursor_bytes(&cursor, length);
	return bytes ? packet_read_icmp(&ip, bytes, length, packet) : -EBADMSG;
}

static void read_icmp(struct channel *channel, const struct channel_events *events, int index UNUSED,
	const struct message *message)
{
	struct packet packet;
	int result;
	if (channel->family == 4) {
		result = read_icmp4(message, &packet);
	} else {
		struct ip_header ip = header_from_control(message, PROTOCOL_ICMPV6);
		result = packet_read_icmp(&ip, message->data, message->length, &packet);
	}
	/* Raw sockets get IPv4 packets before the kernel has looked at their ICMP checksum. */
	if (result == 0 && packet.checksum_ok)
		events->packet(events->context, stamp_since(&channel->clock, &message->header), &packet);
}

static void read_routed(struct channel *channel, const struct channel_events *events, int index UNUSED,
	const struct message *message)
{
	struct packet packet;
	struct ip_header ip = header_from_control(message, PROTOCOL_ROUTING);
	int result = packet_read_transport(&ip, message->data, message->length, &packet);
	if (result == 0 && packet.checksum_ok)
		events->packet(events->context, stamp_since(&channel->clock, &message->header), &packet);
}

/* A segment or datagram. Its checksum may be left to hardware that it never met (veth), so it is not looked
 * at. */
static void read_service(struct channel *channel, const struct channel_events *events, int index,
	const struct message *message)
{
	struct packet packet;
	int protocol = 0;
	socklen_t size = sizeof(protocol);
	int result;
	if (channel->family == 4) {
		result = packet_read(message->data, message->length, &packet);
	} else {
		getsockopt(channel->fds[index], SOL_SOCKET, SO_PROTOCOL, &protocol, &size);
		struct ip_header ip = header_from_control(message, (uint8_t)protocol);
		result = packet_read_transport(&ip, message->data, message->length, &packet);
	}
	if (result == 0)
		events->packet(events->context, stamp_since(&channel->clock, &message->header), &packet);
}

static void raw_receive(struct channel *channel, const struct channel_events *events)
{
	int64_t since_ns = clock_monotonic_ns();
	channel_read_errors(channel, events, SEND, NULL);
	channel_read_all(channel, events, RECEIVE_ICMP, read_icmp);
	if (channel->fds[RECEIVE_ROUTED] >= 0)
		channel_read_all(channel, events, RECEIVE_ROUTED, read_routed);
	for (int i = RECEIVE_FIRST; i < CHANNEL_FDS_MAX; i++)
		if (channel->fds[i] >= 0)
			channel_read_all(channel, events, i, read_service);
	stamp_drained(&channel->clock, since_ns);
}

/* Let the kernel drop what no measurement reads: requests, and IPv6's neighbour and router chatter. */
static void filter_types(int fd, uint8_t family, bool hears_requests)
{
	if (family == 4) {
		uint32_t blocked = (hears_requests ? 0 : 1u << ICMP4_ECHO_REQUEST) | 1u << ICMP4_REDIRECT;
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

static void prepare_receiver(int fd, uint8_t family)
{
	int on = 1, buffer = RECEIVE_BUFFER_BYTES;
	if (family == 6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on));
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof(on));
	}
	/* More than net.core.rmem_max only with cap_net_admin. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
	(void)stamp_enable(fd, false);
}

/* Fragmenting is for the sender of a probe to decide: the kernel shall neither do it nor refuse a packet
 * because of a path MTU that it remembers (ip(7), ipv6(7)). */
static void prepare_sender(int fd, uint8_t family)
{
	int probe = family == 4 ? IP_PMTUDISC_PROBE : IPV6_PMTUDISC_PROBE, on = 1;
	if (family == 4) {
		setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof(probe));
		return;
	}
	setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &probe, sizeof(probe));
	setsockopt(fd, IPPROTO_IPV6, IPV6_DONTFRAG, &on, sizeof(on));
}

static int open_socket(struct channel *channel, int index, int protocol,
	const struct channel_options *options, struct error *error)
{
	int fd = socket(
		channel->family == 4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	if (fd < 0)
		return error_set(error, -errno, "cannot open raw sockets: %s", strerror(errno));
	channel->fds[index] = fd;
	return wishes_apply(&options->wishes, fd, error);
}

static int open_services(struct channel *channel, const struct channel_options *options, struct error *error)
{
	static const struct {
		enum probe_protocol protocol;
		int number;
	} services[] = {{PROBE_UDP, IPPROTO_UDP}, {PROBE_TCP, IPPROTO_TCP}, {PROBE_UDPLITE, IPPROTO_UDPLITE}};
	int index = RECEIVE_FIRST;
	for (size_t i = 0; i < ARRAY_LEN(services); i++) {
		if (!(options->protocols & CHANNEL_PROTOCOL(services[i].protocol)) || !options->source_port)
			continue;
		int result = open_socket(channel, index, services[i].number, options, error);
		if (result == 0 &&
			(result = filter_ports(channel->fds[index], channel->family, options->source_port,
				 options->port_count)) < 0)
			error_set(error, result, "cannot filter a raw socket: %s", strerror(-result));
		if (result < 0)
			return result;
		prepare_receiver(channel->fds[index++], channel->family);
	}
	return 0;
}

int channel_open_raw(struct channel *channel, const struct channel_options *options, struct error *error)
{
	*channel = (struct channel){
		.send = raw_send,
		.receive = raw_receive,
		.fds = CHANNEL_NO_FDS,
		.family = options->family,
		.routed_by_source = options->routed_by_source,
		.protocols = options->protocols,
	};
	int result = open_socket(channel, SEND, IPPROTO_RAW, options, error);
	if (result == 0)
		result = open_socket(channel, RECEIVE_ICMP,
			options->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, options, error);
	if (result == 0 && options->family == 6)
		result = open_socket(channel, RECEIVE_ROUTED, IPPROTO_ROUTING, options, error);
	if (result == 0)
		result = open_services(channel, options, error);
	if (result < 0) {
		channel_close(channel);
		return result;
	}
	filter_types(channel->fds[RECEIVE_ICMP], channel->family, options->hears_requests);
	prepare_receiver(channel->fds[RECEIVE_ICMP], channel->family);
	if (channel->fds[RECEIVE_ROUTED] >= 0)
		prepare_receiver(channel->fds[RECEIVE_ROUTED], channel->family);
	prepare_sender(channel->fds[SEND], channel->family);
	stamped_open(channel, channel->fds[SEND]);
	return 0;
}
