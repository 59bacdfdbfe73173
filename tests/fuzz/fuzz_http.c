/* What strangers write into a request: paths, parameters, headers. Fields are separated by line feeds. */
#include <string.h>

#include "base/compiler.h"
#include "fuzz.h"
#include "serve/listening.h"
#include "serve/proxy.h"
#include "serve/route.h"

static void check_path(const char *path)
{
	const char *argument = NULL;
	enum route route = route_of(path, &argument);
	CHECK(argument && !strchr(argument, '/'));
	CHECK(route != ROUTE_NONE || !*argument);
	CHECK(!*argument || (argument > path && argument < path + strlen(path)));
}

static void check_parameters(const char *protocol, const char *flow, const char *target)
{
	struct trace_ask ask;
	if (trace_ask_read(&ask, protocol, flow, target))
		return;
	CHECK(!flow || ask.flow > 0);
	CHECK(!target || addr_is_set(ask.target));
	CHECK(ask.protocol == PROBE_UDP || ask.protocol == PROBE_ICMP || ask.protocol == PROBE_TCP);
}

static void check_headers(const char *accept, const char *forwarded)
{
	const struct prefix proxy = {.addr = addr_v4(0x7f000001), .length = 32};
	CHECK(!accepts_text(accept) || strstr(accept, "text/plain"));
	CHECK(!addr_is_set(proxy_client(&proxy, 1, addr_v4(0x7f000002), forwarded)));
	struct addr told = proxy_client(&proxy, 1, proxy.addr, forwarded);
	CHECK(!addr_is_set(told) || addr_is_unicast(told));
}

static void check_listening(const char *text)
{
	struct listening listening;
	CHECK(!listening_parse(text, &listening) || listening.port > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *fields[6] = {NULL}, *text = malloc(size + 1), *rest = text;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		fields[i] = strsep(&rest, "\n");
	check_path(fields[0]);
	check_listening(fields[0]);
	check_parameters(fields[1], fields[2], fields[3]);
	if (fields[4])
		check_headers(fields[4], fields[5]);
	free(text);
	return 0;
}
