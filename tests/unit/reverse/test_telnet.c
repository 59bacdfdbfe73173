/* Telnet sessions with routers, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "reverse/telnet.h"

#define ME 0xc6336409u /* 198.51.100.9 */

static struct telnet *open_session(const char *user, const char *password)
{
	struct telnet *telnet = malloc(sizeof(*telnet));
	telnet_init(telnet, addr_v4(ME), user, password);
	return telnet;
}

static void feed_bytes(struct telnet *telnet, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) /* one at a time: nothing may depend on how they come */
		telnet_feed(telnet, (const uint8_t *)bytes + i, 1);
}

static void feed(struct telnet *telnet, const char *text)
{
	feed_bytes(telnet, text, strlen(text));
}

static void sent_is(struct telnet *telnet, const char *expected)
{
	assert_int_equal(telnet->out_length, strlen(expected));
	assert_memory_equal(telnet->out, expected, strlen(expected));
	telnet->out_length = 0;
}

/* Up to the prompt behind the command that turns the pager off. */
static struct telnet *log_in(void)
{
	struct telnet *telnet = open_session("rviews", "pw");
	feed(telnet, "Welcome > to # us $\r\n\r\nUsername: ");
	sent_is(telnet, "rviews\r\n");
	feed(telnet, "rviews\r\nPassword: ");
	sent_is(telnet, "pw\r\n");
	feed(telnet, "\r\nLast login: 3% of us\r\nrouter>");
	sent_is(telnet, ""); /* is that all? */
	telnet_quiet(telnet);
	sent_is(telnet, "terminal length 0\r\n");
	feed(telnet, "terminal length 0\r\nrouter>");
	sent_is(telnet, "traceroute 198.51.100.9\r\n");
	return telnet;
}

static void test_session(void **state)
{
	struct telnet *telnet = log_in();
	(void)state;
	feed(telnet,
		"traceroute 198.51.100.9\r\nTracing the route\r\n  1 192.0.2.1 4 msec\r\n  2 a.router> 8 "
		"msec\r\n");
	assert_int_equal(telnet->state, TELNET_COMMAND);
	feed(telnet, "  3 198.51.100.9 9 msec\r\nrouter>");
	assert_int_equal(telnet->state, TELNET_DONE);
	assert_string_equal(telnet->text,
		"Tracing the route\n  1 192.0.2.1 4 msec\n  2 a.router> 8 msec\n  3 198.51.100.9 9 msec\n");
	assert_int_equal(telnet->length, strlen(telnet->text));
	free(telnet);
}

static void test_options(void **state)
{
	struct telnet *telnet = open_session(NULL, NULL);
	(void)state;
	/* DO TERMINAL-TYPE, WILL ECHO, DONT and WONT, a subnegotiation that has an IAC IAC in it, NOP */
	const char bytes[] = "\xff\xfd\x18\xff\xfb\x01\xff\xfe\x01\xff\xfc\x03\xff\xfa\x18\x01\xff\xff\x02"
			     "\xff\xf0\xff\xf1x";
	feed_bytes(telnet, bytes, sizeof(bytes) - 1);
	sent_is(telnet, "\xff\xfc\x18\xff\xfe\x01");
	assert_string_equal(telnet->text, "x");
	feed_bytes(telnet, "\xff\xff", 2);
	assert_string_equal(telnet->text, "x\xff");
	free(telnet);
}

static void test_junk(void **state)
{
	struct telnet *telnet = log_in();
	const char bytes[] = "\x1b[2K\x1b[1;31mred\x1b[0m\r\0\n";
	(void)state;
	feed_bytes(telnet, bytes, sizeof(bytes) - 1);
	assert_string_equal(telnet->text, "red\n");
	feed(telnet, "1 a\n--More-- ");
	sent_is(telnet, " ");
	feed(telnet, "\b\b\b\b\b\b\b\b\b         \b\b\b\b\b\b\b\b\b2 b\n");
	feed(telnet, "---(more 40%)---");
	sent_is(telnet, " ");
	feed(telnet, "3 c\nrouter>");
	assert_int_equal(telnet->state, TELNET_DONE);
	assert_string_equal(telnet->text, "red\n1 a\n2 b\n3 c\n");
	free(telnet);
}

static void test_other_routers(void **state)
{
	struct telnet *telnet = open_session(NULL, NULL);
	(void)state;
	feed(telnet, "<lab-R1>");
	telnet_quiet(telnet);
	sent_is(telnet, "terminal length 0\r\n");
	feed(telnet,
		"terminal length 0\r\n ^\r\nError: Unrecognized command found at '^' position.\r\n<lab-R1>");
	sent_is(telnet, "set cli screen-length 0\r\n");
	feed(telnet, "set cli screen-length 0\r\nError: Unrecognized command\r\n<lab-R1>");
	sent_is(telnet, "screen-length 0 temporary\r\n");
	feed(telnet, "Info: done\r\n<lab-R1>");
	sent_is(telnet, "traceroute 198.51.100.9\r\n");
	feed(telnet, "Error: Unrecognized command\r\n<lab-R1>");
	sent_is(telnet, "tracert 198.51.100.9\r\n"); /* no IPv6 for an IPv4 address */
	feed(telnet, "Error: Unrecognized command\r\n<lab-R1>");
	assert_int_equal(telnet->state, TELNET_FAILED);
	assert_string_equal(telnet->reason, "it does not let us run a traceroute");
	free(telnet);
}

static void fails(
	const char *user, const char *password, const char *first, const char *second, const char *reason)
{
	struct telnet *telnet = open_session(user, password);
	feed(telnet, first);
	feed(telnet, second);
	assert_int_equal(telnet->state, TELNET_FAILED);
	assert_non_null(strstr(telnet->reason, reason));
	free(telnet);
}

static void test_refusals(void **state)
{
	(void)state;
	fails(NULL, NULL, "login: ", "", "telnet://USER@HOST");
	fails("u", NULL, "login: ", "Password:", "telnet://USER:PASSWORD@HOST");
	fails("u", "p", "login: ", "Password:\r\nLogin incorrect\r\nlogin: ", "refused");
	fails("u", "p", "login: ", "Password:\r\nPassword: ", "refused");
}

static void test_ends(void **state)
{
	struct telnet *telnet = log_in();
	(void)state;
	assert_false(telnet_end(telnet)); /* nothing came yet */
	feed(telnet, "traceroute 198.51.100.9\r\n 1 192.0.2.1 1 msec\r\n 2 * ");
	assert_true(telnet_end(telnet));
	assert_string_equal(telnet->text, " 1 192.0.2.1 1 msec\n 2 * ");
	free(telnet);
	telnet = log_in();
	for (size_t i = 0; i < 3 * TELNET_TEXT_MAX && telnet->state < TELNET_DONE; i++)
		feed(telnet, "x");
	assert_int_equal(telnet->state, TELNET_DONE);
	assert_int_equal(telnet->length, TELNET_TEXT_MAX);
	free(telnet);
	telnet = open_session(NULL, NULL);
	for (size_t i = 0; i < 100000 && telnet->state < TELNET_DONE; i++)
		feed_bytes(telnet, "\xff\xfd\x01", 3);
	assert_int_equal(telnet->state, TELNET_FAILED);
	assert_true(telnet->out_length <= TELNET_SEND_MAX);
	free(telnet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_junk),
		cmocka_unit_test(test_other_routers),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
