/* Names, routes and sources: on this machine's loopback only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "net/route.h"
#include "net/sockaddr.h"

static void test_literals(void **state)
{
	(void)state;
	struct addr addr;
	struct error error;
	assert_int_equal(route_resolve("192.0.2.7", 0, &addr, &error), 0);
	assert_true(addr_equal(addr, addr_v4(0xc0000207)));
	assert_int_equal(route_resolve("2001:db8::7", 6, &addr, &error), 0);
	assert_int_equal(addr.family, 6);
	assert_int_equal(route_resolve("2001:db8::7", 4, &addr, &error), -EAFNOSUPPORT);
	assert_non_null(strstr(error.text, "IPv4"));
}

static void test_source(void **state)
{
	(void)state;
	struct addr source, loopback = addr_v4(0x7f000001);
	struct error error;
	assert_int_equal(route_source(loopback, ADDR_NONE, NULL, &source, &error), 0);
	assert_true(addr_equal(source, loopback));
	assert_int_equal(route_source(loopback, addr_v4(0xc0000207), NULL, &source, &error), -EADDRNOTAVAIL);
	assert_non_null(strstr(error.text, "192.0.2.7 is not an address of this machine"));
	assert_int_equal(route_source(loopback, addr_v6(0, 1), NULL, &source, &error), -EAFNOSUPPORT);
}

static void test_port_is_reserved(void **state)
{
	(void)state;
	struct error error;
	uint16_t port = 0, same;
	int fd, other;
	assert_int_equal(route_reserve_port(addr_v4(0x7f000001), &fd, &port, &error), 0);
	assert_int_not_equal(port, 0);
	same = port;
	assert_int_equal(route_reserve_port(addr_v4(0x7f000001), &other, &same, &error), -EADDRINUSE);
	assert_int_equal(other, -1);
	close(fd);
}

static void test_sockaddr_round_trip(void **state)
{
	(void)state;
	struct addr addrs[] = {addr_v4(0x01020304), addr_v6(0x20010db800000001, 0x0203040506070809)};
	for (int i = 0; i < 2; i++) {
		struct sockaddr_storage storage;
		uint16_t port;
		sockaddr_from(addrs[i], 4711, &storage);
		assert_true(addr_equal(sockaddr_read(&storage, &port), addrs[i]));
		assert_int_equal(port, 4711);
	}
	struct sockaddr_storage other = {.ss_family = AF_UNIX};
	assert_false(addr_is_set(sockaddr_read(&other, NULL)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_literals),
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_port_is_reserved),
		cmocka_unit_test(test_sockaddr_round_trip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
