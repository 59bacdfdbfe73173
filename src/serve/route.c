#include "serve/route.h"

#include <string.h>

#include "base/compiler.h"

#define LOOKING_GLASS "/.well-known/looking-glass/v1/"

/* A path that ends with a slash stands for all that have one more part. */
static const struct {
	const char *path;
	enum route route;
} routes[] = {
	{"/", ROUTE_PAGE},
	{"/api/v1/address", ROUTE_ADDRESS},
	{"/api/v1/trace", ROUTE_TRACE},
	{"/api/v1/inband", ROUTE_INBAND},
	{"/api/v1/health", ROUTE_HEALTH},
	{"/metrics", ROUTE_METRICS},
	{LOOKING_GLASS "cmd", ROUTE_LG_COMMANDS},
	{LOOKING_GLASS "routers", ROUTE_LG_ROUTERS},
	{LOOKING_GLASS "routers/", ROUTE_LG_ROUTER},
	{LOOKING_GLASS "ping/", ROUTE_LG_PING},
	{LOOKING_GLASS "traceroute/", ROUTE_LG_TRACEROUTE},
};

enum route route_of(const char *path, const char **argument)
{
	*argument = "";
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		size_t length = strlen(routes[i].path);
		if (strcmp(path, routes[i].path) == 0 && (length == 1 || path[length - 1] != '/'))
			return routes[i].route;
		if (length == 1 || routes[i].path[length - 1] != '/' ||
			strncmp(path, routes[i].path, length) != 0)
			continue;
		if (path[length] != '\0' && !strchr(path + length, '/')) {
			*argument = path + length;
			return routes[i].route;
		}
	}
	/* Prefixes have a slash of their own. */
	return strncmp(path, LOOKING_GLASS "show/", strlen(LOOKING_GLASS "show/")) == 0 ? ROUTE_LG_SHOW
											: ROUTE_NONE;
}

bool route_measures(enum route route)
{
	return route == ROUTE_TRACE || route == ROUTE_INBAND || route == ROUTE_LG_PING ||
		route == ROUTE_LG_TRACEROUTE;
}

/* 1..65535, digits only. */
static bool read_flow(const char *text, uint16_t *flow)
{
	uint32_t value = 0;
	size_t length = strspn(text, "0123456789");
	if (length == 0 || length > 5 || text[length] != '\0')
		return false;
	for (; *text; text++)
		value = value * 10 + (uint32_t)(*text - '0');
	*flow = (uint16_t)value;
	return value >= 1 && value <= UINT16_MAX;
}

const char *trace_ask_read(struct trace_ask *ask, const char *protocol, const char *flow, const char *target)
{
	static const struct {
		const char *name;
		enum probe_protocol protocol;
	} names[] = {{"udp", PROBE_UDP}, {"icmp", PROBE_ICMP}, {"tcp", PROBE_TCP}};
	*ask = (struct trace_ask){.protocol = PROBE_UDP};
	bool known = !protocol;
	for (size_t i = 0; protocol && i < ARRAY_LEN(names); i++)
		if (strcmp(protocol, names[i].name) == 0) {
			ask->protocol = names[i].protocol;
			known = true;
		}
	if (!known)
		return "protocol: expected udp, icmp or tcp";
	if (flow && !read_flow(flow, &ask->flow))
		return "flow: expected a number from 1 to 65535";
	if (target && !addr_parse(target, &ask->target))
		return "target: expected an IPv4 or IPv6 address; names are not looked up";
	return NULL;
}

bool accepts_text(const char *accept)
{
	const char *text = accept ? strstr(accept, "text/plain") : NULL;
	const char *json = accept ? strstr(accept, "application/json") : NULL;
	return text && (!json || text < json);
}
