#include "net/message.h"

#include <errno.h>
#include <time.h> /* before errqueue.h, which does not include it */
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <string.h>

#include "base/compiler.h"
#include "net/sockaddr.h"

int message_receive(struct message *message, int fd, int flags)
{
	message->iov = (struct iovec){.iov_base = message->data, .iov_len = sizeof(message->data)};
	message->from.ss_family = AF_UNSPEC;
	message->header = (struct msghdr){
		.msg_name = &message->from,
		.msg_namelen = sizeof(message->from),
		.msg_iov = &message->iov,
		.msg_iovlen = 1,
		.msg_control = message->control,
		.msg_controllen = sizeof(message->control),
	};
	ssize_t length;
	do {
		length = recvmsg(fd, &message->header, flags | MSG_DONTWAIT);
	} while (length < 0 && errno == EINTR);
	message->length = length < 0 ? 0 : (size_t)length;
	return length < 0 ? -errno : 0;
}

static void name_source(struct msghdr *header, struct addr source)
{
	bool v4 = source.family == 4;
	struct in_pktinfo info4 = {0};
	struct in6_pktinfo info6 = {0};
	addr_to_bytes(source, v4 ? (uint8_t *)&info4.ipi_spec_dst : info6.ipi6_addr.s6_addr);
	size_t size = v4 ? sizeof(info4) : sizeof(info6);
	header->msg_controllen = CMSG_SPACE(size);
	struct cmsghdr *control = CMSG_FIRSTHDR(header);
	control->cmsg_level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	control->cmsg_type = v4 ? IP_PKTINFO : IPV6_PKTINFO;
	control->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(control), v4 ? (void *)&info4 : (void *)&info6, size);
}

int message_send_from(int fd, const void *packet, size_t length, struct addr source, struct addr destination)
{
	struct sockaddr_storage to;
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = {0};
	struct iovec vector = {.iov_base = (void *)packet, .iov_len = length};
	struct msghdr header = {.msg_name = &to,
		.msg_namelen = sockaddr_from(destination, 0, &to),
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	name_source(&header, source);
	return sendmsg(fd, &header, 0) < 0 ? -errno : 0;
}

/* CMSG_NXTHDR takes no const. */
static struct msghdr *header_of(const struct message *message)
{
	return (struct msghdr *)&message->header;
}

bool message_error_of(const struct message *message, struct message_error *out)
{
	struct msghdr *header = header_of(message);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		struct sock_extended_err error;
		struct sockaddr_storage offender = {0};
		bool is_error = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
			(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
		if (!is_error || c->cmsg_len < CMSG_LEN(sizeof(error)))
			continue;
		memcpy(&error, CMSG_DATA(c), sizeof(error));
		memcpy(&offender, CMSG_DATA(c) + sizeof(error),
			MIN(c->cmsg_len - CMSG_LEN(sizeof(error)), sizeof(offender)));
		*out = (struct message_error){
			.origin = error.ee_origin,
			.type = error.ee_type,
			.code = error.ee_code,
			.info = error.ee_origin == SO_EE_ORIGIN_TIMESTAMPING ? error.ee_data : error.ee_info,
			.offender = sockaddr_read(&offender, NULL),
		};
		return true;
	}
	return false;
}

int message_int(const struct message *message, int level, int type)
{
	struct msghdr *header = header_of(message);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		int value = 0;
		if (c->cmsg_level != level || c->cmsg_type != type || c->cmsg_len <= CMSG_LEN(0))
			continue;
		/* IP_TOS comes as one byte. */
		if (c->cmsg_len < CMSG_LEN(sizeof(value)))
			return *CMSG_DATA(c);
		memcpy(&value, CMSG_DATA(c), sizeof(value));
		return value;
	}
	return -1;
}

uint8_t message_hop_limit(const struct message *message)
{
	int v4 = message_int(message, IPPROTO_IP, IP_TTL);
	int v6 = message_int(message, IPPROTO_IPV6, IPV6_HOPLIMIT);
	return (uint8_t)(v4 > 0 ? v4 : MAX(v6, 0));
}

uint32_t message_drops(const struct message *message)
{
	int drops = message_int(message, SOL_SOCKET, SO_RXQ_OVFL);
	return drops < 0 ? 0 : (uint32_t)drops;
}
