#include "net/route.h"

#include <errno.h>
#include <locale.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/escape.h"
#include "net/sockaddr.h"

#define DISCARD_PORT	9 /* any port will do to ask for a route: nothing is sent */
#define RESERVE_RETRIES 8

static const char *family_name(uint8_t family)
{
	return family == 4 ? "IPv4" : "IPv6";
}

/* ---- names ---- */

static int ask(const char *name, uint8_t family, int flags, struct addrinfo **list)
{
	struct addrinfo hints = {
		.ai_family = family == 4 ? AF_INET
			: family == 6	 ? AF_INET6
					 : AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM,
		.ai_flags = flags,
	};
	return getaddrinfo(name, NULL, &hints, list);
}

/* getaddrinfo sorts by RFC 6724: the first is the one to take. */
static int take_first(const struct addrinfo *list, struct route_target *target)
{
	struct sockaddr_storage storage = {0};
	struct sockaddr_in6 in6;
	memcpy(&storage, list->ai_addr, list->ai_addrlen);
	*target = (struct route_target){.addr = sockaddr_read(&storage, NULL)};
	for (const struct addrinfo *one = list; one; one = one->ai_next)
		target->count += one->ai_family == list->ai_family;
	memcpy(&in6, &storage, sizeof(in6));
	if (list->ai_family == AF_INET6 && in6.sin6_scope_id &&
		!if_indextoname(in6.sin6_scope_id, target->interface))
		return -ENODEV;
	return 0;
}

/* "fe80::1%eth0": an address and where it is valid (RFC 4007 11). */
static int look_up_scoped(const char *name, struct route_target *target, struct error *error)
{
	struct addrinfo *list = NULL;
	const char *scope = strchr(name, '%') + 1;
	char shown[60], bare[ADDR_TEXT_SIZE];
	int asked = ask(name, 6, AI_NUMERICHOST, &list);
	/* The C library takes names of interfaces behind link-local addresses only. */
	if (asked != 0 && if_nametoindex(scope) != 0) {
		snprintf(bare, sizeof(bare), "%.*s", (int)(scope - 1 - name), name);
		asked = ask(bare, 6, AI_NUMERICHOST, &list);
	}
	if (asked != 0)
		return error_set(error, -ENODEV, "no interface is called %s; see `ip link`",
			escape_text(scope, shown, sizeof(shown)));
	int result = take_first(list, target);
	freeaddrinfo(list);
	/* Only link-local addresses have a scope in the kernel's eyes; the user's word counts for others too.
	 */
	if (result == 0 && !target->interface[0])
		snprintf(target->interface, sizeof(target->interface), "%s", scope);
	return result < 0 ? error_set(error, result, "%s: %s", name, strerror(-result)) : 0;
}

static int look_up_literal(const char *name, uint8_t family, struct route_target *target, struct error *error)
{
	target->count = 1;
	if (family && target->addr.family != family)
		return error_set(error, -EAFNOSUPPORT, "%s is not an %s address; leave out -%d", name,
			family_name(family), family);
	return 0;
}

int route_look_up(const char *name, uint8_t family, struct route_target *target, struct error *error)
{
	struct addrinfo *list = NULL;
	struct addr bare;
	char address[ADDR_TEXT_SIZE], shown[200];
	const char *percent = strchr(name, '%');
	*target = (struct route_target){0};
	if (addr_parse(name, &target->addr))
		return look_up_literal(name, family, target, error);
	if (percent && (size_t)(percent - name) < sizeof(address)) {
		memcpy(address, name, (size_t)(percent - name));
		address[percent - name] = '\0';
		if (addr_parse(address, &bare) && bare.family == 6 && family != 4)
			return look_up_scoped(name, target, error);
	}
	setlocale(LC_CTYPE, ""); /* says how the bytes of the name are to be read */
	/* Families that this machine has no address of are not worth an answer, unless asked for. */
	int result = ask(name, family, AI_IDN | (family ? 0 : AI_ADDRCONFIG), &list);
	int reason = errno;
	if (result == 0)
		result = take_first(list, target);
	if (list)
		freeaddrinfo(list);
	if (result == 0)
		return 0;
	list = NULL;
	escape_text(name, shown, sizeof(shown));
	if (ask(name, 0, AI_IDN, &list) == 0) {
		uint8_t other = list->ai_family == AF_INET ? 4 : 6;
		freeaddrinfo(list);
		return error_set(error, -EADDRNOTAVAIL, "%s has no %s address%s, only %s", shown,
			family_name((uint8_t)(10 - other)), family ? "" : " that this machine could use",
			family_name(other));
	}
	return error_set(error, -ENOENT, "cannot resolve %s: %s; check the name and the name server", shown,
		result == EAI_SYSTEM ? strerror(reason) : gai_strerror(result));
}

int route_resolve(const char *name, uint8_t family, struct addr *addr, struct error *error)
{
	struct route_target target;
	int result = route_look_up(name, family, &target, error);
	*addr = target.addr;
	return result;
}

/* ---- the way to it ---- */

static int bind_wanted(int fd, struct addr wanted, struct addr destination, struct error *error)
{
	char to[ADDR_TEXT_SIZE], from[ADDR_TEXT_SIZE];
	struct sockaddr_storage storage;
	if (!addr_is_set(wanted))
		return 0;
	addr_format(destination, to);
	addr_format(wanted, from);
	if (wanted.family != destination.family)
		return error_set(
			error, -EAFNOSUPPORT, "source %s and target %s are of different families", from, to);
	socklen_t length = sockaddr_from(wanted, 0, &storage);
	if (bind(fd, (struct sockaddr *)&storage, length) < 0)
		return error_set(error, -errno, "source %s is not an address of this machine", from);
	return 0;
}

static int connect_to(int fd, struct addr destination, const struct wishes *wishes, struct error *error)
{
	char to[ADDR_TEXT_SIZE];
	struct sockaddr_storage storage;
	socklen_t length = sockaddr_from(destination, DISCARD_PORT, &storage);
	addr_format(destination, to);
	if (connect(fd, (struct sockaddr *)&storage, length) == 0)
		return 0;
	if (errno == EACCES)
		return error_set(
			error, -EACCES, "%s is a broadcast address; --broadcast probes it all the same", to);
	if (addr_is_link_local(destination) && destination.family == 6 && !(wishes && wishes->interface))
		return error_set(error, -errno,
			"%s is the same address on every link: say on which, %s%%INTERFACE", to, to);
	if (errno == EADDRNOTAVAIL)
		return error_set(error, -errno, "no route to %s: this host has no IPv%u address to send from",
			to, destination.family);
	return error_set(error, -errno, "no route to %s: %s; `retour doctor` tells what there is", to,
		strerror(errno));
}

int route_source(struct addr destination, struct addr wanted, const struct wishes *wishes,
	struct addr *source, struct error *error)
{
	char to[ADDR_TEXT_SIZE];
	struct sockaddr_storage storage;
	socklen_t length = sizeof(storage);
	int fd = socket(destination.family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(error, -errno, "this machine has no %s: %s", family_name(destination.family),
			strerror(errno));
	int code = wishes ? wishes_apply(wishes, fd, error) : 0;
	if (code == 0)
		code = bind_wanted(fd, wanted, destination, error);
	if (code == 0)
		code = connect_to(fd, destination, wishes, error);
	if (code == 0 && getsockname(fd, (struct sockaddr *)&storage, &length) < 0)
		code = error_set(error, -errno, "no source address towards %s: %s",
			addr_format(destination, to), strerror(errno));
	if (code == 0)
		*source = sockaddr_read(&storage, NULL);
	close(fd);
	return code;
}

/* ---- a port of our own ---- */

static int reserve(struct addr source, const struct wishes *wishes, int type, int *fd, uint16_t *port)
{
	struct sockaddr_storage local;
	socklen_t length = sockaddr_from(source, *port, &local);
	*fd = socket(source.family == 4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0);
	if (*fd >= 0 && (!wishes || wishes_apply(wishes, *fd, NULL) == 0) &&
		bind(*fd, (struct sockaddr *)&local, length) == 0 &&
		getsockname(*fd, (struct sockaddr *)&local, &length) == 0) {
		sockaddr_read(&local, port);
		return 0;
	}
	int code = -errno;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return code;
}

int route_reserve_port(struct addr source, int *fd, uint16_t *port, struct error *error)
{
	int code = reserve(source, NULL, SOCK_DGRAM, fd, port);
	return code < 0 ? error_set(error, code, "cannot reserve UDP port %u: %s", *port, strerror(-code))
			: 0;
}

int route_reserve(struct addr source, const struct wishes *wishes, int fds[static 2], uint16_t *port,
	struct error *error)
{
	uint16_t wanted = *port;
	int code = 0;
	for (int i = 0; i < RESERVE_RETRIES; i++) {
		*port = wanted;
		code = reserve(source, wishes, SOCK_DGRAM, &fds[0], port);
		if (code == 0)
			code = reserve(source, wishes, SOCK_STREAM, &fds[1], port);
		if (code == 0)
			return 0;
		if (fds[0] >= 0)
			close(fds[0]);
		fds[0] = -1;
		if (wanted)
			break;
	}
	return error_set(error, code, "cannot reserve source port %u: %s", wanted, strerror(-code));
}
