#include "sim/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* A program that comes late sends what is due at once; the usual 500 would lose of that. */
#define DEVICE_QUEUE 5000

/* One rtnetlink request under construction: header, body, attributes. */
struct request {
	uint8_t bytes[256];
	size_t length;
};

static void request_put(struct request *request, const void *bytes, size_t length)
{
	if (length <= sizeof(request->bytes) - request->length)
		memcpy(request->bytes + request->length, bytes, length);
	request->length += NLMSG_ALIGN(length);
}

static void request_begin(struct request *request, uint16_t type, const void *body, size_t length)
{
	struct nlmsghdr header = {
		.nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE};
	*request = (struct request){0};
	request_put(request, &header, sizeof(header));
	request_put(request, body, length);
}

static void request_attribute(struct request *request, uint16_t type, const void *value, size_t length)
{
	struct rtattr attribute = {.rta_len = (uint16_t)RTA_LENGTH(length), .rta_type = type};
	request_put(request, &attribute, sizeof(attribute));
	request_put(request, value, length);
}

/* Send and wait for the kernel's verdict. */
static int request_run(int netlink, struct request *request)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr verdict;
		char quote[256];
	} answer;
	uint32_t length = (uint32_t)request->length;
	if (request->length > sizeof(request->bytes))
		return -EMSGSIZE;
	memcpy(request->bytes, &length, sizeof(length)); /* nlmsg_len is the first field */
	if (send(netlink, request->bytes, request->length, 0) < 0)
		return -errno;
	ssize_t got = recv(netlink, &answer, sizeof(answer), 0);
	if (got < 0)
		return -errno;
	if ((size_t)got < sizeof(answer.header) + sizeof(answer.verdict) ||
		answer.header.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return answer.verdict.error;
}

/* `queue`: packets that may wait to be read from it; 0: as it is. */
static int link_up(int netlink, int index, uint32_t queue)
{
	struct ifinfomsg body = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	struct request request;
	request_begin(&request, RTM_NEWLINK, &body, sizeof(body));
	if (queue > 0)
		request_attribute(&request, IFLA_TXQLEN, &queue, sizeof(queue));
	return request_run(netlink, &request);
}

static int add_address(int netlink, int index, struct addr address)
{
	uint8_t bytes[16], size = address.family == 4 ? 4 : 16;
	struct ifaddrmsg body = {
		.ifa_family = address.family == 4 ? AF_INET : AF_INET6,
		.ifa_prefixlen = (uint8_t)addr_bits(address),
		/* nobody else is on the wire to detect duplicates with, and the address must serve at once */
		.ifa_flags = address.family == 4 ? 0 : IFA_F_NODAD,
		.ifa_index = (unsigned)index,
	};
	struct request request;
	addr_to_bytes(address, bytes);
	request_begin(&request, RTM_NEWADDR, &body, sizeof(body));
	request_attribute(&request, IFA_LOCAL, bytes, size);
	request_attribute(&request, IFA_ADDRESS, bytes, size);
	return request_run(netlink, &request);
}

static int add_default_route(int netlink, int index, uint8_t family)
{
	struct rtmsg body = {
		.rtm_family = family == 4 ? AF_INET : AF_INET6,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = family == 4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};
	struct request request;
	request_begin(&request, RTM_NEWROUTE, &body, sizeof(body));
	request_attribute(&request, RTA_OIF, &index, sizeof(index));
	return request_run(netlink, &request);
}

static int open_device(const char *name, int *device_fd, struct error *error)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_set(error, -errno,
			"cannot open /dev/net/tun: %s; the lab needs it: run as root, or `modprobe tun` and "
			"`chmod 666 "
			"/dev/net/tun`, in a container start it with --device /dev/net/tun",
			strerror(errno));
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &request) < 0) {
		int code = -errno;
		close(fd);
		return error_set(error, code, "cannot create a TUN device: %s", strerror(-code));
	}
	*device_fd = fd;
	return 0;
}

struct setting {
	const char *path, *value;
};

static void apply(const struct setting *settings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int fd = open(settings[i].path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		ssize_t written UNUSED = write(fd, settings[i].value, strlen(settings[i].value));
		close(fd);
	}
}

/* Best effort: each of these only makes a host more like an ordinary one. */
static void tune(bool segments)
{
	static const struct setting ordinary[] = {
		{"/proc/sys/net/ipv6/conf/all/disable_ipv6", "0"},
		{"/proc/sys/net/ipv6/conf/default/disable_ipv6", "0"},
		/* answers may come by other ways than questions: there is only one, but the default may be
		   strict */
		{"/proc/sys/net/ipv4/conf/all/rp_filter", "0"},
		{"/proc/sys/net/ipv4/conf/default/rp_filter", "0"},
		/* as systemd does on Debian: everybody may ping */
		{"/proc/sys/net/ipv4/ping_group_range", "0 2147483647"},
	};
	static const struct setting sends_on[] = {
		{"/proc/sys/net/ipv6/conf/all/forwarding", "1"},
		{"/proc/sys/net/ipv6/conf/all/seg6_enabled", "1"},
		{"/proc/sys/net/ipv6/conf/default/seg6_enabled", "1"},
	};
	apply(ordinary, ARRAY_LEN(ordinary));
	if (segments)
		apply(sends_on, ARRAY_LEN(sends_on));
}

static int configure(const char *name, struct addr v4, struct addr v6, struct error *error)
{
	int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int loopback = (int)if_nametoindex("lo"), device = (int)if_nametoindex(name);
	if (netlink < 0)
		return error_set(error, -errno, "cannot configure %s: %s", name, strerror(errno));
	int result = link_up(netlink, loopback, 0);
	if (result == 0)
		result = add_address(netlink, device, v4);
	if (result == 0)
		result = link_up(netlink, device, DEVICE_QUEUE);
	if (result == 0)
		result = add_address(netlink, device, v6);
	if (result == 0)
		result = add_default_route(netlink, device, 4);
	if (result == 0)
		result = add_default_route(netlink, device, 6);
	close(netlink);
	return result < 0 ? error_set(error, result, "cannot configure %s: %s", name, strerror(-result)) : 0;
}

int netns_new(const char *name, struct addr v4, struct addr v6, bool segments, int *namespace_fd,
	int *device_fd, struct error *error)
{
	if (unshare(CLONE_NEWNET) < 0)
		return error_set(error, -errno, "cannot create a network namespace: %s", strerror(errno));
	tune(segments);
	int result = open_device(name, device_fd, error);
	if (result == 0)
		result = configure(name, v4, v6, error);
	if (result < 0)
		return result;
	*namespace_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return *namespace_fd < 0
		? error_set(error, -errno, "cannot open /proc/self/ns/net: %s", strerror(errno))
		: 0;
}
