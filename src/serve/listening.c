#include "serve/listening.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/sockaddr.h"

#define BACKLOG 1024

static bool parse_port(const char *text, uint16_t *port)
{
	uint32_t value = 0;
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 5 || text[digits] != '\0')
		return false;
	for (; *text; text++)
		value = value * 10 + (uint32_t)(*text - '0');
	*port = (uint16_t)value;
	return value >= 1 && value <= UINT16_MAX;
}

bool listening_parse(const char *text, struct listening *listening)
{
	char host[ADDR_TEXT_SIZE];
	const char *colon = strrchr(text, ':');
	*listening = (struct listening){0};
	if (!colon || !parse_port(colon + 1, &listening->port))
		return false;
	size_t length = (size_t)(colon - text);
	if (length == 0)
		return true;
	bool bracket = length > 2 && text[0] == '[' && colon[-1] == ']';
	if (bracket) {
		text++;
		length -= 2;
	}
	if (length >= sizeof(host))
		return false;
	memcpy(host, text, length);
	host[length] = '\0';
	return addr_parse(host, &listening->addr) && bracket == (listening->addr.family == 6);
}

static int open_one(struct addr addr, uint16_t port, struct error *error)
{
	int on = 1;
	char text[ADDR_TEXT_SIZE];
	struct sockaddr_storage storage;
	socklen_t length = sockaddr_from(addr, port, &storage);
	int fd = socket(addr.family == 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(error, -errno, "cannot listen: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if ((addr.family == 6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
		bind(fd, (struct sockaddr *)&storage, length) < 0 || listen(fd, BACKLOG) < 0) {
		int code = -errno;
		close(fd);
		return error_set(error, code, "cannot listen on %s port %u: %s", addr_format(addr, text),
			port, strerror(-code));
	}
	return fd;
}

int listening_open(const struct listening *listening, int fds[static 2], struct error *error)
{
	const struct addr any[2] = {addr_v4(0), addr_v6(0, 0)};
	if (addr_is_set(listening->addr)) {
		fds[0] = open_one(listening->addr, listening->port, error);
		return fds[0] < 0 ? fds[0] : 1;
	}
	if ((fds[0] = open_one(any[0], listening->port, error)) < 0)
		return fds[0];
	fds[1] = open_one(any[1], listening->port, error);
	if (fds[1] == -EAFNOSUPPORT || fds[1] == -EADDRNOTAVAIL)
		return 1;
	if (fds[1] < 0) {
		close(fds[0]);
		return fds[1];
	}
	return 2;
}
