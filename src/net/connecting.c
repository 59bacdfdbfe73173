#include "net/connecting.h"

#include <errno.h>
#include <time.h> /* before errqueue.h, which does not include it */
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/message.h"
#include "net/sockaddr.h"

#define CONNECTIONS_MAX 512
#define CONNECTION_NS	(950 * NS_PER_MS)
#define EVENTS_AT_ONCE	64
#define TIMER		UINT32_MAX

struct connection {
	int fd; /* -1 = free */
	int64_t since_ns;
	struct packet packet; /* the probe as the machine made it */
};

struct connecting {
	struct addr source;
	struct wishes wishes;
	int epoll_fd, timer_fd;
	unsigned next; /* they are used in turn, so the oldest is the next to be used again */
	struct connection connections[CONNECTIONS_MAX];
};

static void close_connection(struct connection *connection)
{
	if (connection->fd >= 0)
		close(connection->fd);
	connection->fd = -1;
}

/* As many descriptors as may be had. */
static void raise_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

struct connecting *connecting_new(const struct channel_options *options)
{
	struct connecting *connecting = calloc(1, sizeof(*connecting));
	if (!connecting)
		return NULL;
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = TIMER};
	connecting->source = options->source;
	connecting->wishes = options->wishes;
	connecting->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	connecting->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
		connecting->connections[i].fd = -1;
	if (connecting->epoll_fd < 0 || connecting->timer_fd < 0 ||
		epoll_ctl(connecting->epoll_fd, EPOLL_CTL_ADD, connecting->timer_fd, &event) < 0) {
		connecting_free(connecting);
		return NULL;
	}
	raise_limit();
	return connecting;
}

void connecting_free(struct connecting *connecting)
{
	if (!connecting)
		return;
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
		close_connection(&connecting->connections[i]);
	if (connecting->epoll_fd >= 0)
		close(connecting->epoll_fd);
	if (connecting->timer_fd >= 0)
		close(connecting->timer_fd);
	free(connecting);
}

int connecting_fd(const struct connecting *connecting)
{
	return connecting->epoll_fd;
}

/* Wake up when the oldest of the open ones has been open long enough. */
static void arm_timer(struct connecting *connecting)
{
	struct itimerspec when = {0};
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
		const struct connection *oldest =
			&connecting->connections[(connecting->next + i) % CONNECTIONS_MAX];
		if (oldest->fd < 0)
			continue;
		int64_t until_ns = oldest->since_ns + CONNECTION_NS;
		when.it_value.tv_sec = until_ns / NS_PER_S;
		when.it_value.tv_nsec = until_ns % NS_PER_S;
		break;
	}
	timerfd_settime(connecting->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

/* ---- sending ---- */

static int set_header(int fd, const struct packet *packet)
{
	bool v4 = packet->ip.destination.family == 4;
	int level = v4 ? IPPROTO_IP : IPPROTO_IPV6, on = 1, ttl = packet->ip.ttl, tos = packet->ip.tos;
	struct linger reset = {.l_onoff = 1};
	if (setsockopt(fd, level, v4 ? IP_TTL : IPV6_UNICAST_HOPS, &ttl, sizeof(ttl)) < 0 ||
		setsockopt(fd, level, v4 ? IP_TOS : IPV6_TCLASS, &tos, sizeof(tos)) < 0 ||
		setsockopt(fd, level, v4 ? IP_RECVERR : IPV6_RECVERR, &on, sizeof(on)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) < 0)
		return -errno;
	setsockopt(fd, level, v4 ? IP_RECVTTL : IPV6_RECVHOPLIMIT, &on, sizeof(on));
	(void)stamp_enable(fd, false);
	return 0;
}

static int start(const struct connecting *connecting, int fd, const struct packet *packet)
{
	struct sockaddr_storage from, to;
	socklen_t from_length = sockaddr_from(connecting->source, 0, &from);
	socklen_t to_length = sockaddr_from(packet->ip.destination, packet->transport.destination_port, &to);
	int result = wishes_apply(&connecting->wishes, fd, NULL);
	if (result == 0)
		result = set_header(fd, packet);
	if (result < 0)
		return result;
	if (bind(fd, (struct sockaddr *)&from, from_length) < 0)
		return -errno;
	/* Whatever connect() says at once is found again by poll. */
	if (connect(fd, (struct sockaddr *)&to, to_length) < 0 && errno != EINPROGRESS &&
		errno != ECONNREFUSED)
		return -errno;
	return 0;
}

int connecting_send(struct connecting *connecting, const struct packet *packet)
{
	unsigned number = connecting->next++ % CONNECTIONS_MAX;
	struct connection *connection = &connecting->connections[number];
	bool v4 = packet->ip.destination.family == 4;
	close_connection(connection);
	int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	struct epoll_event event = {.events = EPOLLOUT, .data.u32 = number};
	connection->since_ns = clock_monotonic_ns();
	connection->packet = *packet;
	connection->packet.transport.payload = NULL;
	connection->packet.transport.payload_length = 0;
	int result = start(connecting, fd, packet);
	if (result == 0 && epoll_ctl(connecting->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		result = -errno;
	if (result < 0) {
		close(fd);
		return result;
	}
	connection->fd = fd;
	arm_timer(connecting);
	return 0;
}

/* ---- reading ---- */

/* What the kernel tells of an ICMP error about this SYN; the quote is the probe, as we know it. */
static bool read_error(const struct connection *connection, const struct channel_events *events,
	const struct stamp_clock *clock)
{
	struct message message;
	struct message_error error;
	uint8_t family = connection->packet.ip.destination.family;
	while (message_receive(&message, connection->fd, MSG_ERRQUEUE) == 0) {
		if (!message_error_of(&message, &error) ||
			(error.origin != SO_EE_ORIGIN_ICMP && error.origin != SO_EE_ORIGIN_ICMP6))
			continue;
		struct packet packet = {.has_quote = true, .quoted = connection->packet.transport};
		packet.ip.source = error.offender;
		packet.ip.ttl = message_hop_limit(&message);
		packet.ip.protocol = family == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
		packet.transport.icmp_type = error.type;
		packet.transport.icmp_code = error.code;
		packet.transport.icmp_kind = icmp_kind_of(family, error.type, error.code);
		packet.quoted_ip.destination = connection->packet.ip.destination;
		packet.quoted_ip.protocol = PROTOCOL_TCP;
		events->packet(events->context, stamp_since(clock, &message.header), &packet);
		return true;
	}
	return false;
}

/* The destination said yes or no. */
static void report_answer(
	const struct connection *connection, const struct channel_events *events, uint8_t flags)
{
	const struct transport *probe = &connection->packet.transport;
	struct packet packet = {
		.ip = {.source = connection->packet.ip.destination,
			.destination = connection->packet.ip.source,
			.protocol = PROTOCOL_TCP},
		.transport = {.source_port = probe->destination_port,
			.destination_port = probe->source_port,
			.tcp_flags = flags,
			.tcp_acknowledgement = probe->tcp_sequence + 1},
	};
	events->packet(events->context, clock_monotonic_ns(), &packet);
}

static void read_connection(
	struct connection *connection, const struct channel_events *events, const struct stamp_clock *clock)
{
	int error = 0;
	socklen_t size = sizeof(error);
	if (!read_error(connection, events, clock) &&
		getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0) {
		if (error == 0)
			report_answer(connection, events, TCP_SYN | TCP_ACK);
		else if (error == ECONNREFUSED)
			report_answer(connection, events, TCP_RST | TCP_ACK);
	}
	close_connection(connection);
}

static void close_old(struct connecting *connecting)
{
	int64_t now_ns = clock_monotonic_ns();
	uint64_t expirations;
	if (read(connecting->timer_fd, &expirations, sizeof(expirations)) < 0)
		return;
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
		if (now_ns - connecting->connections[i].since_ns >= CONNECTION_NS)
			close_connection(&connecting->connections[i]);
}

void connecting_receive(
	struct connecting *connecting, const struct channel_events *events, const struct stamp_clock *clock)
{
	struct epoll_event ready[EVENTS_AT_ONCE];
	int count;
	do {
		count = epoll_wait(connecting->epoll_fd, ready, EVENTS_AT_ONCE, 0);
		for (int i = 0; i < count; i++)
			if (ready[i].data.u32 != TIMER && connecting->connections[ready[i].data.u32].fd >= 0)
				read_connection(&connecting->connections[ready[i].data.u32], events, clock);
		/* After the others: what has an answer is not too old. */
		close_old(connecting);
	} while (count == EVENTS_AT_ONCE);
	arm_timer(connecting);
}
