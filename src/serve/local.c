#include "serve/local.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/sockaddr.h"

int local_watch(struct error *error)
{
	struct sockaddr_nl groups = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return error_set(error, -errno, "cannot watch this host's addresses: %s", strerror(errno));
	if (bind(fd, (struct sockaddr *)&groups, sizeof(groups)) < 0) {
		int code = -errno;
		close(fd);
		return error_set(error, code, "cannot watch this host's addresses: %s", strerror(-code));
	}
	return fd;
}

void local_drain(int fd)
{
	char ignored[4096];
	/* ENOBUFS says that some were lost: all the same, the addresses are read anew. */
	while (recv(fd, ignored, sizeof(ignored), MSG_DONTWAIT) >= 0 || errno == ENOBUFS || errno == EINTR)
		;
}

static struct addr interface_address(const struct ifaddrs *interface)
{
	struct sockaddr_storage storage = {0};
	if (!interface->ifa_addr)
		return ADDR_NONE;
	if (interface->ifa_addr->sa_family == AF_INET)
		memcpy(&storage, interface->ifa_addr, sizeof(struct sockaddr_in));
	else if (interface->ifa_addr->sa_family == AF_INET6)
		memcpy(&storage, interface->ifa_addr, sizeof(struct sockaddr_in6));
	return sockaddr_read(&storage, NULL);
}

int local_addresses(struct addr **addresses, size_t *count)
{
	struct ifaddrs *interfaces;
	size_t room = 0;
	*count = 0;
	if (getifaddrs(&interfaces) < 0)
		return -errno;
	for (const struct ifaddrs *i = interfaces; i; i = i->ifa_next)
		room++;
	*addresses = calloc(room + 1, sizeof(**addresses));
	for (const struct ifaddrs *i = interfaces; i && *addresses; i = i->ifa_next) {
		struct addr addr = interface_address(i);
		if (addr_is_unicast(addr) && !addr_is_loopback(addr) && !addr_is_link_local(addr))
			(*addresses)[(*count)++] = addr;
	}
	freeifaddrs(interfaces);
	return *addresses ? 0 : -ENOMEM;
}
