#include "net/route.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/sockaddr.h"

#define DISCARD_PORT 9 /* any port will do to ask for a route: nothing is sent */

static const char *family_name(uint8_t family)
{
	return family == 4 ? "IPv4" : "IPv6";
}

static int look_up(const char *name, uint8_t family, int flags, struct addr *addr)
{
	struct addrinfo hints = {
		.ai_family = family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM,
		.ai_flags = flags,
	};
	struct addrinfo *list = NULL;
	struct sockaddr_storage storage = {0};
	int result = getaddrinfo(name, NULL, &hints, &list);
	if (result != 0)
		return result;
	memcpy(&storage, list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	*addr = sockaddr_read(&storage, NULL);
	return 0;
}

int route_resolve(const char *name, uint8_t family, struct addr *addr, struct error *error)
{
	struct addr other;
	if (addr_parse(name, addr)) {
		if (family && addr->family != family)
			return error_set(error, -EAFNOSUPPORT, "%s is not an %s address; leave out -%d", name,
				family_name(family), family);
		return 0;
	}
	/* Families that this machine has no address of are not worth an answer, unless asked for. */
	int result = look_up(name, family, family ? 0 : AI_ADDRCONFIG, addr);
	int reason = errno;
	if (result == 0)
		return 0;
	if (look_up(name, 0, 0, &other) == 0)
		return error_set(error, -EADDRNOTAVAIL, "%s has no %s address, only %s", name,
			family_name(10 - other.family), family_name(other.family));
	return error_set(error, -ENOENT, "cannot resolve %s: %s; check the name and the name server", name,
		result == EAI_SYSTEM ? strerror(reason) : gai_strerror(result));
}

int route_source(struct addr destination, struct addr wanted, struct addr *source, struct error *error)
{
	char to[ADDR_TEXT_SIZE], from[ADDR_TEXT_SIZE];
	struct sockaddr_storage storage;
	socklen_t length;
	int code = 0;
	addr_format(destination, to);
	addr_format(wanted, from);
	int fd = socket(destination.family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(error, -errno, "this machine has no %s: %s", family_name(destination.family),
			strerror(errno));
	if (addr_is_set(wanted)) {
		length = sockaddr_from(wanted, 0, &storage);
		if (wanted.family != destination.family)
			code = error_set(error, -EAFNOSUPPORT, "source %s and target %s are of different families", from,
				to);
		else if (bind(fd, (struct sockaddr *)&storage, length) < 0)
			code = error_set(error, -errno, "source %s is not an address of this machine", from);
	}
	length = sockaddr_from(destination, DISCARD_PORT, &storage);
	if (code == 0 && connect(fd, (struct sockaddr *)&storage, length) < 0)
		code = error_set(error, -errno, "no route to %s: %s", to, strerror(errno));
	length = sizeof(storage);
	if (code == 0 && getsockname(fd, (struct sockaddr *)&storage, &length) < 0)
		code = error_set(error, -errno, "no source address towards %s: %s", to, strerror(errno));
	if (code == 0)
		*source = sockaddr_read(&storage, NULL);
	close(fd);
	return code;
}

int route_reserve_port(struct addr source, int *fd, uint16_t *port, struct error *error)
{
	struct sockaddr_storage local;
	socklen_t length = sockaddr_from(source, *port, &local);
	*fd = socket(source.family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (*fd >= 0 && bind(*fd, (struct sockaddr *)&local, length) == 0 &&
		getsockname(*fd, (struct sockaddr *)&local, &length) == 0) {
		sockaddr_read(&local, port);
		return 0;
	}
	int code = -errno;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return error_set(error, code, "cannot reserve UDP port %u: %s", *port, strerror(-code));
}
