#include "net/channel.h"

#include <errno.h>
#include <time.h> /* before errqueue.h, which does not include it */
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/stamp.h"

/* The extended error of a message from the error queue; false when there is none. */
static bool extended_error(struct msghdr *message, struct sock_extended_err *out)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		bool is_error = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
			(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
		if (is_error && c->cmsg_len >= CMSG_LEN(sizeof(*out))) {
			memcpy(out, CMSG_DATA(c), sizeof(*out));
			return true;
		}
	}
	return false;
}

void channel_read_errors(int fd, const struct channel_events *events, channel_error_reader *other, void *context)
{
	for (;;) {
		uint8_t data[2048];
		union {
			struct cmsghdr align;
			uint8_t bytes[1024];
		} control;
		struct sockaddr_storage from;
		struct iovec iov = {.iov_base = data, .iov_len = sizeof(data)};
		struct msghdr message = {
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		ssize_t length = recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
		struct sock_extended_err error;
		if (length < 0)
			return;
		if (!extended_error(&message, &error))
			continue;
		if (error.ee_origin == SO_EE_ORIGIN_TIMESTAMPING)
			events->stamp(events->context, error.ee_data, stamp_of(&message));
		else if (other)
			other(context, &message, (size_t)length);
	}
}

void channel_close(struct channel *channel)
{
	for (int i = 0; i < CHANNEL_FDS_MAX; i++)
		if (channel->fds[i] >= 0)
			close(channel->fds[i]);
	channel->fds[0] = channel->fds[1] = -1;
}
