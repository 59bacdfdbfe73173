#include "serve/proxy.h"

#include <string.h>

bool proxy_trusted(const struct prefix *proxies, size_t count, struct addr peer)
{
	bool trusted = false;
	for (size_t i = 0; i < count; i++)
		trusted = trusted || prefix_contains(proxies[i], peer);
	return trusted;
}

struct addr proxy_client(const struct prefix *proxies, size_t count, struct addr peer, const char *header)
{
	struct addr told;
	if (!header || !proxy_trusted(proxies, count, peer))
		return ADDR_NONE;
	const char *comma = strrchr(header, ',');
	const char *last = comma ? comma + 1 : header;
	last += strspn(last, " \t");
	return addr_parse(last, &told) && addr_is_unicast(told) ? told : ADDR_NONE;
}
