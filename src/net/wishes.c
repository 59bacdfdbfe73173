#include "net/wishes.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/escape.h"

int wishes_apply(const struct wishes *wishes, int fd, struct error *error)
{
	int on = 1;
	char shown[40];
	if (wishes->interface &&
		setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, wishes->interface,
			(socklen_t)strlen(wishes->interface)) < 0)
		return error_set(error, -errno, "cannot use interface %s: %s",
			escape_text(wishes->interface, shown, sizeof(shown)),
			errno == ENODEV ? "there is none of that name; see `ip link`" : strerror(errno));
	if (wishes->mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &wishes->mark, sizeof(wishes->mark)) < 0)
		return error_set(error, -errno, "cannot mark packets: %s%s", strerror(errno),
			errno == EPERM ? " (it needs cap_net_admin: run as root)" : "");
	if (wishes->broadcast && setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) < 0)
		return error_set(error, -errno, "cannot broadcast: %s", strerror(errno));
	if (wishes->debug && setsockopt(fd, SOL_SOCKET, SO_DEBUG, &on, sizeof(on)) < 0)
		return error_set(error, -errno, "cannot debug sockets: %s", strerror(errno));
	return 0;
}
