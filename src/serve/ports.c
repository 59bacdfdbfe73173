#include "serve/ports.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/sockaddr.h"
#include "serve/filter.h"

#define TRIES 50

/* A bound socket of `type`, or negative errno. `*port` 0 lets the kernel choose, and is then filled in. A
 * bound TCP socket that does not listen makes the kernel reset the connections that a probe might open. */
static int bind_port(uint8_t family, int type, uint16_t *port)
{
	struct sockaddr_storage storage;
	int on = 1;
	struct addr any = family == 4 ? addr_v4(0) : addr_v6(0, 0);
	socklen_t length = sockaddr_from(any, *port, &storage);
	int fd = socket(storage.ss_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (family == 6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	/* Nobody reads UDP that comes here, so it must not pile up either. */
	int code = type == SOCK_DGRAM ? filter_attach_none(fd) : 0;
	if (code == 0 && bind(fd, (struct sockaddr *)&storage, length) < 0)
		code = -errno;
	length = sizeof(storage);
	if (code == 0 && getsockname(fd, (struct sockaddr *)&storage, &length) < 0)
		code = -errno;
	if (code < 0) {
		close(fd);
		return code;
	}
	sockaddr_read(&storage, port);
	return fd;
}

void ports_init(struct ports *ports)
{
	ports->port = 0;
	for (size_t i = 0; i < PORTS_FDS; i++)
		ports->fds[i] = -1;
}

static int try_reserve(struct ports *ports, bool ipv4, bool ipv6)
{
	static const struct {
		uint8_t family;
		int type;
	} kinds[PORTS_FDS] = {{4, SOCK_STREAM}, {4, SOCK_DGRAM}, {6, SOCK_STREAM}, {6, SOCK_DGRAM}};
	ports->port = 0;
	for (size_t i = 0; i < PORTS_FDS; i++) {
		if (!(kinds[i].family == 4 ? ipv4 : ipv6))
			continue;
		ports->fds[i] = bind_port(kinds[i].family, kinds[i].type, &ports->port);
		if (ports->fds[i] < 0)
			return ports->fds[i];
	}
	return 0;
}

int ports_reserve(struct ports *ports, bool ipv4, bool ipv6, struct error *error)
{
	int code = -EADDRINUSE;
	for (int i = 0; i < TRIES && code == -EADDRINUSE; i++) {
		ports_release(ports);
		code = try_reserve(ports, ipv4, ipv6);
	}
	return code < 0 ? error_set(error, code, "cannot reserve a port: %s", strerror(-code)) : 0;
}

void ports_release(struct ports *ports)
{
	for (size_t i = 0; i < PORTS_FDS; i++)
		if (ports->fds[i] >= 0)
			close(ports->fds[i]);
	ports_init(ports);
}
