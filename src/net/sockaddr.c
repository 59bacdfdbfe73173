#include "net/sockaddr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

socklen_t sockaddr_from(struct addr addr, uint16_t port, struct sockaddr_storage *storage)
{
	memset(storage, 0, sizeof(*storage));
	if (addr.family == 4) {
		struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
		addr_to_bytes(addr, (uint8_t *)&in.sin_addr);
		memcpy(storage, &in, sizeof(in));
		return sizeof(in);
	}
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	addr_to_bytes(addr, in6.sin6_addr.s6_addr);
	memcpy(storage, &in6, sizeof(in6));
	return sizeof(in6);
}

struct addr sockaddr_read(const struct sockaddr_storage *storage, uint16_t *port)
{
	uint16_t ignored;
	port = port ? port : &ignored;
	*port = 0;
	if (storage->ss_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, storage, sizeof(in));
		*port = ntohs(in.sin_port);
		return addr_from_bytes(4, (const uint8_t *)&in.sin_addr);
	}
	if (storage->ss_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, storage, sizeof(in6));
		*port = ntohs(in6.sin6_port);
		return addr_from_bytes(6, in6.sin6_addr.s6_addr);
	}
	return ADDR_NONE;
}
