#include "cli/persona.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "annotate/annotate.h"
#include "net/privilege.h"
#include "net/route.h"
#include "net/sockaddr.h"

int persona_resolve(const char *name, uint8_t family, uint8_t preferred, struct addr *address)
{
	struct addrinfo hints = {
		.ai_family = family == 4 ? AF_INET
			: family == 6	 ? AF_INET6
					 : AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM,
		.ai_flags = AI_IDN,
	};
	struct addrinfo *list = NULL;
	int result = getaddrinfo(name, NULL, &hints, &list);
	if (result != 0)
		return result;
	*address = ADDR_NONE;
	for (const struct addrinfo *one = list; one; one = one->ai_next) {
		struct sockaddr_storage storage = {0};
		memcpy(&storage, one->ai_addr, one->ai_addrlen);
		struct addr found = sockaddr_read(&storage, NULL);
		if (!addr_is_set(*address) || (found.family == preferred && address->family != preferred))
			*address = found;
	}
	freeaddrinfo(list);
	return 0;
}

const char *persona_name(struct addr address, char name[static PERSONA_NAME_SIZE])
{
	struct sockaddr_storage storage;
	socklen_t length = sockaddr_from(address, 0, &storage);
	if (getnameinfo((struct sockaddr *)&storage, length, name, PERSONA_NAME_SIZE, NULL, 0, NI_NAMEREQD) !=
		0)
		name[0] = '\0';
	return name;
}

uint32_t persona_origin(struct addr address)
{
	struct measurement measurement;
	uint32_t asn = 0;
	measurement_init(&measurement);
	measurement.forward = path_new(DIRECTION_FORWARD, "ttl");
	struct hop *hop = measurement.forward ? path_add_hop(measurement.forward, 1, TECHNIQUE_TTL) : NULL;
	if (hop && hop_add_address(hop, address) == 0) {
		hop->address = address;
		annotate_measurement(&measurement, &(struct annotate_options){0});
		asn = measurement.forward->hops[0].asn;
	}
	measurement_deinit(&measurement);
	return asn;
}

/* The MTU of the device that has this address. */
static uint16_t device_mtu(struct addr source)
{
	struct ifaddrs *list = NULL;
	struct ifreq request = {0};
	if (getifaddrs(&list) < 0)
		return 0;
	for (const struct ifaddrs *one = list; one && !request.ifr_name[0]; one = one->ifa_next) {
		struct sockaddr_storage storage = {0};
		if (!one->ifa_addr ||
			(one->ifa_addr->sa_family != AF_INET && one->ifa_addr->sa_family != AF_INET6))
			continue;
		memcpy(&storage, one->ifa_addr,
			one->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in)
							    : sizeof(struct sockaddr_in6));
		if (addr_equal(sockaddr_read(&storage, NULL), source))
			strncpy(request.ifr_name, one->ifa_name, sizeof(request.ifr_name) - 1);
	}
	freeifaddrs(list);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int result = fd < 0 || !request.ifr_name[0] ? -1 : ioctl(fd, SIOCGIFMTU, &request);
	if (fd >= 0)
		close(fd);
	return result < 0 ? 0 : (uint16_t)MIN(request.ifr_mtu, 65535);
}

static int open_channel(
	struct persona_session *session, const struct persona_request *request, struct error *error)
{
	struct channel_options options = {
		.family = request->destination.family,
		.protocols = CHANNEL_PROTOCOL(request->protocol),
		.source = session->source,
		.source_port = session->source_port,
		.icmp_id = request->icmp_id,
		.wishes = {.interface = request->interface,
			.mark = request->mark,
			.broadcast = true,
			.debug = request->debug},
	};
	int result = channel_open_raw(&session->channel, &options, error);
	session->raw = result == 0;
	if (result != -EPERM && result != -EACCES)
		return result;
	if (session->port_fd >= 0)
		close(session->port_fd); /* the channel's own socket takes the port over */
	session->port_fd = -1;
	result = channel_open_unprivileged(&session->channel, &options, error);
	if (result == 0 && !(session->channel.protocols & options.protocols))
		result = error_set(error, -EPERM, "%s", strerror(EPERM));
	return result;
}

/* SO_DONTROUTE is for the socket that sends. */
static int bypass_routing(const struct persona_session *session, struct error *error)
{
	int on = 1;
	if (setsockopt(session->channel.fds[0], SOL_SOCKET, SO_DONTROUTE, &on, sizeof(on)) == 0)
		return 0;
	return error_set(error, -errno, "%s", strerror(errno));
}

enum persona_step persona_open(
	struct persona_session *session, const struct persona_request *request, struct error *error)
{
	*session = (struct persona_session){.port_fd = -1, .channel = {.fds = CHANNEL_NO_FDS}};
	session->source_port = request->source_port;
	if (route_source(request->destination, request->source, NULL, &session->source, error) < 0)
		return PERSONA_ROUTE;
	session->link_mtu = device_mtu(session->source);
	if ((request->protocol == PROBE_UDP || request->protocol == PROBE_UDPLITE ||
		    request->protocol == PROBE_TCP) &&
		route_reserve_port(session->source, &session->port_fd, &session->source_port, error) < 0)
		return PERSONA_ROUTE;
	int result = open_channel(session, request, error);
	if (result == 0 && request->bypass_routing)
		result = bypass_routing(session, error);
	if (result == -ENODEV)
		return PERSONA_INTERFACE;
	return result < 0 || privilege_drop(error) < 0 ? PERSONA_SOCKET : PERSONA_READY;
}

int persona_run(struct persona_session *session, struct machine machine, struct error *error)
{
	struct driver *driver = malloc(sizeof(*driver));
	if (!driver)
		return error_set(error, -ENOMEM, "out of memory");
	int result = driver_init(driver, &session->channel, error);
	if (result == 0) {
		result = driver_add(driver, machine);
		result = result == 0 ? driver_run(driver, error) : result;
		session->signal = driver->signal;
		driver_deinit(driver);
	}
	free(driver);
	return result;
}

void persona_close(struct persona_session *session)
{
	channel_close(&session->channel);
	if (session->port_fd >= 0)
		close(session->port_fd);
	session->port_fd = -1;
}
