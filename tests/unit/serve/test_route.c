/* What paths and parameters of the HTTP interface mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "serve/route.h"

#define LG "/.well-known/looking-glass/v1/"

static void paths(void **state UNUSED)
{
	static const struct {
		const char *path;
		enum route route;
		const char *argument;
	} cases[] = {
		{"/", ROUTE_PAGE, ""},
		{"/api/v1/address", ROUTE_ADDRESS, ""},
		{"/api/v1/trace", ROUTE_TRACE, ""},
		{"/api/v1/inband", ROUTE_INBAND, ""},
		{"/api/v1/health", ROUTE_HEALTH, ""},
		{"/metrics", ROUTE_METRICS, ""},
		{LG "cmd", ROUTE_LG_COMMANDS, ""},
		{LG "routers", ROUTE_LG_ROUTERS, ""},
		{LG "routers/7", ROUTE_LG_ROUTER, "7"},
		{LG "ping/192.0.2.1", ROUTE_LG_PING, "192.0.2.1"},
		{LG "traceroute/2001:db8::1", ROUTE_LG_TRACEROUTE, "2001:db8::1"},
		{LG "show/route/192.0.2.0/24", ROUTE_LG_SHOW, ""},
		{LG "show/bgp/summary", ROUTE_LG_SHOW, ""},
		{"", ROUTE_NONE, ""},
		{"//", ROUTE_NONE, ""},
		{"/api/v1/trace/", ROUTE_NONE, ""},
		{"/api/v1/tracex", ROUTE_NONE, ""},
		{"/API/v1/trace", ROUTE_NONE, ""},
		{"/api/v1/../v1/trace", ROUTE_NONE, ""},
		{"api/v1/trace", ROUTE_NONE, ""},
		{"http://elsewhere/api/v1/trace", ROUTE_NONE, ""},
		{"*", ROUTE_NONE, ""},
		{LG, ROUTE_NONE, ""},
		{LG "routers/", ROUTE_NONE, ""},
		{LG "ping/", ROUTE_NONE, ""},
		{LG "ping/192.0.2.1/x", ROUTE_NONE, ""},
		{LG "traceroute/../../etc/passwd", ROUTE_NONE, ""},
		{"/\xff\xfe", ROUTE_NONE, ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *argument;
		assert_int_equal(route_of(cases[i].path, &argument), cases[i].route);
		assert_string_equal(argument, cases[i].argument);
	}
}

static void measuring(void **state UNUSED)
{
	assert_true(route_measures(ROUTE_TRACE) && route_measures(ROUTE_INBAND) &&
		route_measures(ROUTE_LG_PING) && route_measures(ROUTE_LG_TRACEROUTE));
	assert_false(
		route_measures(ROUTE_ADDRESS) || route_measures(ROUTE_PAGE) || route_measures(ROUTE_METRICS));
}

static void parameters(void **state UNUSED)
{
	struct trace_ask ask;
	assert_null(trace_ask_read(&ask, NULL, NULL, NULL));
	assert_true(ask.protocol == PROBE_UDP && ask.flow == 0 && !addr_is_set(ask.target));
	assert_null(trace_ask_read(&ask, "icmp", "65535", "2001:db8::7"));
	assert_true(ask.protocol == PROBE_ICMP && ask.flow == 65535);
	assert_true(addr_equal(ask.target, addr_v6(0x20010db800000000, 7)));
	assert_null(trace_ask_read(&ask, "tcp", "00080", "192.0.2.1"));
	assert_true(
		ask.protocol == PROBE_TCP && ask.flow == 80 && addr_equal(ask.target, addr_v4(0xc0000201)));
}

static void bad_parameters(void **state UNUSED)
{
	static const char *const protocols[] = {"", "UDP", "udp ", "sctp", "17", "\xff"};
	static const char *const flows[] = {"", "0", "00000", "65536", "99999", "100000", "-1", "+1", "1 ",
		" 1", "1x", "0x10", "18446744073709551617"};
	static const char *const targets[] = {"", "localhost", "192.0.2", "192.0.2.1/32", "192.0.2.1 ",
		"--help", "fe80::1%lo", "[2001:db8::1]", "$(id)"};
	struct trace_ask ask;
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		assert_non_null(strstr(trace_ask_read(&ask, protocols[i], NULL, NULL), "protocol"));
	for (size_t i = 0; i < ARRAY_LEN(flows); i++)
		assert_non_null(strstr(trace_ask_read(&ask, NULL, flows[i], NULL), "flow"));
	for (size_t i = 0; i < ARRAY_LEN(targets); i++)
		assert_non_null(strstr(trace_ask_read(&ask, NULL, NULL, targets[i]), "target"));
}

static void forms(void **state UNUSED)
{
	assert_false(accepts_text(NULL));
	assert_false(accepts_text(""));
	assert_false(accepts_text("*/*"));
	assert_false(accepts_text("application/json, text/plain"));
	assert_true(accepts_text("text/plain"));
	assert_true(accepts_text("text/plain, application/json;q=0.5"));
	assert_false(accepts_text("text/html"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		cmocka_unit_test(measuring),
		cmocka_unit_test(parameters),
		cmocka_unit_test(bad_parameters),
		cmocka_unit_test(forms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
