#include "net/trial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h> /* before errqueue.h, which does not include it */
#include <linux/errqueue.h>
#include <unistd.h>

#include "net/sockaddr.h"
#include "net/stamp.h"

#define PATIENCE_MS   200
#define STAMP_TRIES   10
#define STAMP_REST_MS 10
#define CONTROL_SIZE  512

static struct addr loopback(uint8_t family)
{
	return family == 4 ? addr_v4(INADDR_LOOPBACK) : addr_v6(0, 1);
}

static int open_socket(uint8_t family, int type, int protocol4, int protocol6)
{
	int fd = socket(
		family == 4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, family == 4 ? protocol4 : protocol6);
	return fd < 0 ? -errno : fd;
}

static int try_open(uint8_t family, int type, int protocol4, int protocol6)
{
	int fd = open_socket(family, type, protocol4, protocol6);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* A UDP socket on a loopback port of the kernel's choice, which goes to *port. */
static int bound_socket(uint8_t family, uint16_t *port)
{
	struct sockaddr_storage storage;
	int fd = open_socket(family, SOCK_DGRAM, 0, 0);
	socklen_t length = sockaddr_from(loopback(family), 0, &storage);
	if (fd < 0)
		return fd;
	int code = bind(fd, (struct sockaddr *)&storage, length) < 0 ? -errno : 0;
	length = sizeof(storage);
	if (code == 0 && getsockname(fd, (struct sockaddr *)&storage, &length) < 0)
		code = -errno;
	if (code < 0) {
		close(fd);
		return code;
	}
	(void)sockaddr_read(&storage, port);
	return fd;
}

static int send_to(int fd, uint8_t family, uint16_t port)
{
	struct sockaddr_storage storage;
	socklen_t length = sockaddr_from(loopback(family), port, &storage);
	return sendto(fd, "retour", 6, 0, (struct sockaddr *)&storage, length) < 0 ? -errno : 0;
}

/* Wait for `events`, then look at the control messages of what came. */
static int receive(int fd, short events, int flags, bool (*wanted)(const struct cmsghdr *))
{
	union {
		struct cmsghdr align;
		uint8_t bytes[CONTROL_SIZE];
	} control;
	uint8_t data[64];
	struct iovec iov = {.iov_base = data, .iov_len = sizeof(data)};
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	struct pollfd poll_fd = {.fd = fd, .events = events};
	if (poll(&poll_fd, 1, PATIENCE_MS) <= 0)
		return -ETIMEDOUT;
	if (recvmsg(fd, &message, flags | MSG_DONTWAIT) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
		if (wanted(c))
			return 0;
	return -ENODATA;
}

static bool is_icmp_error(const struct cmsghdr *c)
{
	struct sock_extended_err error;
	if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) &&
		!(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
		return false;
	memcpy(&error, CMSG_DATA(c), sizeof(error));
	return error.ee_origin == SO_EE_ORIGIN_ICMP || error.ee_origin == SO_EE_ORIGIN_ICMP6;
}

static bool is_stamp(const struct cmsghdr *c)
{
	struct scm_timestamping stamps;
	if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPING ||
		c->cmsg_len < CMSG_LEN(sizeof(stamps)))
		return false;
	memcpy(&stamps, CMSG_DATA(c), sizeof(stamps));
	return stamps.ts[0].tv_sec != 0;
}

/* To a port that was just free: the kernel answers that nobody listens. */
static int try_error_queue(uint8_t family)
{
	int on = 1;
	uint16_t port = 0;
	int closed = bound_socket(family, &port);
	if (closed < 0)
		return closed;
	close(closed);
	int fd = open_socket(family, SOCK_DGRAM, 0, 0);
	if (fd < 0)
		return fd;
	int code = setsockopt(fd, family == 4 ? IPPROTO_IP : IPPROTO_IPV6,
			   family == 4 ? IP_RECVERR : IPV6_RECVERR, &on, sizeof(on)) < 0
		? -errno
		: 0;
	if (code == 0)
		code = send_to(fd, family, port);
	if (code == 0)
		code = receive(fd, 0, MSG_ERRQUEUE, is_icmp_error);
	close(fd);
	return code;
}

/* The kernel begins to stamp a moment after the first socket of the machine has asked for it, so one packet
 * proves nothing. */
static void try_stamps(uint8_t family, struct trial *trial)
{
	uint16_t port = 0;
	int fd = bound_socket(family, &port);
	int code = fd < 0 ? fd : stamp_enable(fd, true);
	trial->receive_stamp = trial->transmit_stamp = code < 0 ? code : -ENOMSG;
	for (int i = 0; i < STAMP_TRIES && code == 0; i++) {
		code = send_to(fd, family, port);
		trial->receive_stamp = code < 0 ? code : receive(fd, POLLIN, 0, is_stamp);
		trial->transmit_stamp = code < 0 ? code : receive(fd, 0, MSG_ERRQUEUE, is_stamp);
		if (trial->receive_stamp == 0 && trial->transmit_stamp == 0)
			break;
		(void)poll(NULL, 0, STAMP_REST_MS);
	}
	if (fd >= 0)
		close(fd);
}

void trial_run(uint8_t family, struct trial *trial)
{
	trial->raw = try_open(family, SOCK_RAW, IPPROTO_RAW, IPPROTO_RAW);
	trial->ping = try_open(family, SOCK_DGRAM, IPPROTO_ICMP, IPPROTO_ICMPV6);
	trial->error_queue = try_error_queue(family);
	try_stamps(family, trial);
}

int trial_namespaces(void)
{
	int status;
	int flags = CLONE_NEWNET | (geteuid() == 0 ? 0 : CLONE_NEWUSER);
	pid_t child = fork();
	if (child == 0)
		_exit(unshare(flags) < 0 ? errno : 0);
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}
