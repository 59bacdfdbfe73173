#include "serve/reflector_socket.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/message.h"
#include "net/sockaddr.h"
#include "net/stamp.h"
#include "packet/stamp.h"

#define BATCH		     64 /* packets before others on the loop have their turn */
#define RECEIVE_BUFFER_BYTES (4 << 20)
#define CLOCK_CHECK_MS	     16000
#define DSCP_BITS	     0xfc /* of the type of service; the others are ECN */

struct reflector_socket {
	struct reflector *reflector;
	int fds[2]; /* IPv4, IPv6; -1 = none */
	uint16_t port;
	uv_poll_t polls[2];
	uv_timer_t timer;
};

/* ---- opening ---- */

static int enable(int fd, uint8_t family)
{
	int on = 1, ttl = STAMP_TTL, size = RECEIVE_BUFFER_BYTES;
	bool v4 = family == 4;
	int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	bool good = setsockopt(fd, level, v4 ? IP_PKTINFO : IPV6_RECVPKTINFO, &on, sizeof(on)) == 0 &&
		setsockopt(fd, level, v4 ? IP_RECVTTL : IPV6_RECVHOPLIMIT, &on, sizeof(on)) == 0 &&
		setsockopt(fd, level, v4 ? IP_RECVTOS : IPV6_RECVTCLASS, &on, sizeof(on)) == 0 &&
		setsockopt(fd, level, v4 ? IP_TTL : IPV6_UNICAST_HOPS, &ttl, sizeof(ttl)) == 0 &&
		stamp_enable(fd, false) == 0;
	if (good && !v4)
		good = setsockopt(fd, level, IPV6_V6ONLY, &on, sizeof(on)) == 0;
	/* More than net.core.rmem_max only with cap_net_admin; less is no reason to give up. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return good ? 0 : -errno;
}

static int open_family(struct reflector_socket *socket_, uint8_t family, struct error *error)
{
	struct sockaddr_storage local;
	socklen_t length = sockaddr_from(family == 4 ? addr_v4(0) : addr_v6(0, 0), socket_->port, &local);
	int fd = socket(local.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(error, -errno, "cannot open a UDP socket: %s", strerror(errno));
	socket_->fds[family == 4 ? 0 : 1] = fd;
	int code = enable(fd, family);
	if (code == 0 && bind(fd, (struct sockaddr *)&local, length) < 0)
		code = -errno;
	if (code < 0)
		return error_set(error, code, "cannot reflect at UDP port %u: %s%s", (unsigned)socket_->port,
			strerror(-code),
			code == -EACCES		      ? " (run as root, or with cap_net_bind_service)"
				: code == -EADDRINUSE ? " (another reflector? --stamp=PORT chooses another)"
						      : "");
	return 0;
}

static void check_clock(struct reflector_socket *socket_)
{
	int64_t error_ns;
	bool synchronised = clock_synchronised(&error_ns);
	reflector_set_clock(socket_->reflector, synchronised, error_ns);
}

int reflector_open(
	struct reflector_socket **result, const struct reflector_options *options, struct error *error)
{
	struct reflector_config config = {
		.key = hash_key_random(),
		.rate = options->rate,
		.prefix_rate = options->prefix_rate,
		.allow = options->allow,
		.allow_count = options->allow_count,
	};
	*result = NULL;
	if (options->port == 0)
		return 0;
	struct reflector_socket *made = calloc(1, sizeof(*made));
	if (!made)
		return error_set(error, -ENOMEM, "out of memory");
	made->fds[0] = made->fds[1] = -1;
	made->port = options->port;
	made->reflector = reflector_new(&config);
	int code = made->reflector ? 0 : error_set(error, -ENOMEM, "out of memory");
	if (code == 0 && options->ipv4)
		code = open_family(made, 4, error);
	if (code == 0 && options->ipv6)
		code = open_family(made, 6, error);
	if (code < 0) {
		reflector_close(made);
		return code;
	}
	check_clock(made);
	*result = made;
	return 0;
}

/* ---- reflecting ---- */

/* One packet and what the kernel tells of it. */
struct arrival {
	struct message message;
	struct reflector_packet packet;
	unsigned interface; /* it came in by */
	int tos;
};

/* To which of our addresses it came. */
static void read_target(struct arrival *arrival, const struct cmsghdr *c)
{
	struct in_pktinfo info4;
	struct in6_pktinfo info6;
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO &&
		c->cmsg_len >= CMSG_LEN(sizeof(info4))) {
		memcpy(&info4, CMSG_DATA(c), sizeof(info4));
		arrival->packet.to = addr_from_bytes(4, (const uint8_t *)&info4.ipi_addr);
		arrival->interface = (unsigned)info4.ipi_ifindex;
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO &&
		c->cmsg_len >= CMSG_LEN(sizeof(info6))) {
		memcpy(&info6, CMSG_DATA(c), sizeof(info6));
		arrival->packet.to = addr_from_bytes(6, info6.ipi6_addr.s6_addr);
		arrival->interface = info6.ipi6_ifindex;
	}
}

/* false: there is nothing (more). */
static bool receive(const struct reflector_socket *socket_, int fd, uint8_t family, struct arrival *arrival)
{
	struct message *message = &arrival->message;
	if (message_receive(message, fd, 0) < 0)
		return false;
	int64_t age_ns = clock_monotonic_ns() - stamp_of(&message->header);
	int tos = family == 4 ? message_int(message, IPPROTO_IP, IP_TOS)
			      : message_int(message, IPPROTO_IPV6, IPV6_TCLASS);
	arrival->packet = (struct reflector_packet){
		.to_port = socket_->port,
		.ttl = message_hop_limit(message),
		.received_wall_ns = clock_wall_ns() - age_ns,
		.payload = message->data,
		.length = message->length,
	};
	arrival->packet.from = sockaddr_read(&message->from, &arrival->packet.from_port);
	arrival->interface = 0;
	arrival->tos = MAX(tos, 0) & DSCP_BITS;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message->header); c; c = CMSG_NXTHDR(&message->header, c))
		read_target(arrival, c);
	return true;
}

static void set_control(struct cmsghdr *c, int level, int type, const void *value, size_t size)
{
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), value, size);
}

/* From the address that was asked, in the same class of service. */
static int reply(int fd, struct arrival *arrival, uint8_t *answer, size_t length)
{
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct addr from = arrival->packet.to;
	bool v4 = from.family == 4;
	struct in_pktinfo info4 = {0};
	struct in6_pktinfo info6 = {0};
	size_t info_size = v4 ? sizeof(info4) : sizeof(info6);
	struct iovec vector = {.iov_base = answer, .iov_len = length};
	struct msghdr message = {
		.msg_name = &arrival->message.from,
		.msg_namelen = v4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6),
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(info_size) + CMSG_SPACE(sizeof(int)),
	};
	addr_to_bytes(from, v4 ? (uint8_t *)&info4.ipi_spec_dst : info6.ipi6_addr.s6_addr);
	/* The way out is the routing table's, but a link-local address means nothing without its link. */
	if (!v4 && addr_is_link_local(from))
		info6.ipi6_ifindex = arrival->interface;
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	set_control(c, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_PKTINFO : IPV6_PKTINFO,
		v4 ? (void *)&info4 : (void *)&info6, info_size);
	c = CMSG_NXTHDR(&message, c);
	set_control(c, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, &arrival->tos,
		sizeof(arrival->tos));
	return sendmsg(fd, &message, 0) < 0 ? -errno : 0;
}

static void on_readable(uv_poll_t *poll, int status, int events UNUSED)
{
	struct reflector_socket *socket_ = poll->data;
	size_t index = poll == &socket_->polls[0] ? 0 : 1;
	int fd = socket_->fds[index];
	struct arrival arrival;
	uint8_t answer[REFLECTOR_PACKET_MAX];
	for (int i = 0; i < BATCH && receive(socket_, fd, index == 0 ? 4 : 6, &arrival); i++) {
		size_t length = reflector_answer(
			socket_->reflector, &arrival.packet, clock_monotonic_ns(), clock_wall_ns(), answer);
		if (length > 0 && reply(fd, &arrival, answer, length) < 0)
			reflector_send_failed(socket_->reflector);
	}
	/* libuv stops to watch a socket that reports an error; reading has taken it away. */
	if (status < 0)
		uv_poll_start(poll, UV_READABLE, on_readable);
}

static void on_timer(uv_timer_t *timer)
{
	check_clock(timer->data);
}

int reflector_start(struct reflector_socket *socket_, uv_loop_t *loop, struct error *error)
{
	int code = 0;
	for (size_t i = 0; socket_ && i < 2 && code == 0; i++) {
		if (socket_->fds[i] < 0)
			continue;
		code = uv_poll_init(loop, &socket_->polls[i], socket_->fds[i]);
		socket_->polls[i].data = socket_;
		if (code == 0)
			code = uv_poll_start(&socket_->polls[i], UV_READABLE, on_readable);
	}
	if (socket_ && code == 0)
		code = uv_timer_init(loop, &socket_->timer);
	if (socket_ && code == 0) {
		socket_->timer.data = socket_;
		code = uv_timer_start(&socket_->timer, on_timer, CLOCK_CHECK_MS, CLOCK_CHECK_MS);
	}
	return code < 0 ? error_set(error, code, "cannot watch the reflector: %s", uv_strerror(code)) : 0;
}

void reflector_print(const struct reflector_socket *socket_, FILE *out)
{
	if (!socket_)
		return;
	struct reflector_counters c = reflector_counters(socket_->reflector);
	fprintf(out,
		"retour serve: reflector: %" PRIu64 " packets, %" PRIu64 " reflected, %" PRIu64
		" sessions (%" PRIu64 " had to make room); refused: %" PRIu64 " malformed, %" PRIu64
		" source, %" PRIu64 " not allowed, %" PRIu64 " over prefix rate, %" PRIu64
		" over rate; %" PRIu64 " sends failed\n",
		c.questions, c.answers, c.sessions, c.replaced, c.malformed, c.refused_source,
		c.refused_allow, c.over_prefix, c.over_total, c.send_failed);
}

void reflector_close(struct reflector_socket *socket_)
{
	if (!socket_)
		return;
	for (size_t i = 0; i < 2; i++)
		if (socket_->fds[i] >= 0)
			close(socket_->fds[i]);
	reflector_free(socket_->reflector);
	free(socket_);
}
