/* The daemon's settings: one by one, from a file, and what is said of mistakes; whom it believes about
 * addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "serve/config.h"
#include "serve/proxy.h"

static void addresses_to_listen_on(void **state UNUSED)
{
	static const char *const bad[] = {"", ":", "80", "192.0.2.1", "192.0.2.1:", "192.0.2.1:0",
		"192.0.2.1:65536", "192.0.2.1:8o", "2001:db8::1:80", "[2001:db8::1]", "[192.0.2.1]:80",
		"[]:80", "localhost:80", "[2001:db8::1:80", "192.0.2.1:-1", ":080808"};
	struct listening listening;
	assert_true(listening_parse(":8080", &listening));
	assert_true(!addr_is_set(listening.addr) && listening.port == 8080);
	assert_true(listening_parse("192.0.2.1:1", &listening));
	assert_true(addr_equal(listening.addr, addr_v4(0xc0000201)) && listening.port == 1);
	assert_true(listening_parse("[2001:db8::1]:65535", &listening));
	assert_true(addr_equal(listening.addr, addr_v6(0x20010db800000000, 1)) && listening.port == 65535);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(listening_parse(bad[i], &listening));
}

static void whole_file(void **state UNUSED)
{
	static const char text[] = "listen: [':8080', '[2001:db8::1]:443']\n"
				   "tls: {certificate: /etc/c.pem, key: /etc/k.pem}\n"
				   "roles: [responder, http]\n"
				   "allow: [192.0.2.0/24]\n"
				   "allow_target:\n"
				   "  - 198.51.100.0/24\n"
				   "  - 2001:db8::7\n"
				   "trust_proxy: [127.0.0.1]\n"
				   "rate: 1000\n"
				   "prefix_rate: 20\n"
				   "trace_rate: 7\n";
	struct serve_config config;
	struct error error = {0};
	serve_config_init(&config);
	assert_int_equal(serve_config_parse(&config, "serve.yaml", text, &error), 0);
	assert_int_equal(serve_config_check(&config, &error), 0);
	const struct serve_options *options = &config.options;
	const struct web_options *web = &options->web;
	assert_true(options->responder && options->ipv4 && options->ipv6 && !web->inband);
	assert_int_equal(web->listen_count, 2);
	assert_int_equal(web->listen[1].port, 443);
	assert_string_equal(web->tls_certificate, "/etc/c.pem");
	assert_string_equal(web->tls_key, "/etc/k.pem");
	assert_int_equal(options->allow_count, 1);
	assert_true(web->allow == options->allow && web->allow_count == 1);
	assert_int_equal(web->target_count, 2);
	assert_int_equal(web->targets[1].length, 128);
	assert_int_equal(web->proxy_count, 1);
	assert_int_equal(options->rate, 1000);
	assert_int_equal(options->prefix_rate, 20);
	assert_int_equal(web->traces_per_minute, 7);
	/* What options say comes on top. */
	assert_int_equal(serve_config_set(&config, "listen", ":9090", &error), 0);
	assert_int_equal(config.options.web.listen_count, 3);
	serve_config_deinit(&config);
}

static void usual(void **state UNUSED)
{
	struct serve_config config;
	struct error error = {0};
	serve_config_init(&config);
	assert_int_equal(serve_config_parse(&config, "empty", "", &error), 0);
	assert_int_equal(serve_config_check(&config, &error), 0);
	assert_true(config.options.responder && config.options.web.inband);
	assert_int_equal(config.options.web.listen_count, 0);
	serve_config_deinit(&config);
}

static void mistakes(void **state UNUSED)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"allow: [192.0.2.0/24]\nlisten:\n  - ':80'\n  - nowhere\n", "f:4: listen nowhere: expected"},
		{"allow:\n  - 192.0.2.1/24\n", "f:2: allow 192.0.2.1/24: expected"},
		{"trust_proxy: [proxy.example]\n", "f:1: trust_proxy proxy.example: expected"},
		{"roles: [responder,\n  cook]\n", "roles cook: expected"},
		{"roles: [responder]\nlisten: [':80']\n", "f:2:"},
		{"rate: 10000001\n", "f:1: rate 10000001: expected"},
		{"allow: []\nrate: 0\n", "f:2: rate 0: expected"},
		{"rate: many\n", "f:1:"},
		{"rate: -1\n", "f:1:"},
		{"\nrates: 5\n", "f:2:"},
		{"tls: {certificate: c.pem}\n", "f:1:"},
		{"listen: {a: b}\n", "f:1:"},
		{"listen: [\n", "f:"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct serve_config config;
		struct error error = {0};
		serve_config_init(&config);
		assert_int_equal(serve_config_parse(&config, "f", cases[i].text, &error), -EINVAL);
		if (!strstr(error.text, cases[i].expected))
			fail_msg("'%s' is not in '%s'", cases[i].expected, error.text);
		serve_config_deinit(&config);
	}
}

static void what_does_not_go_together(void **state UNUSED)
{
	static const char *const texts[] = {
		"roles: [http]\n",
		"tls: {certificate: c, key: k}\n",
		"trace_rate: 5\n",
		"trust_proxy: [192.0.2.1]\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct serve_config config;
		struct error error = {0};
		serve_config_init(&config);
		assert_int_equal(serve_config_parse(&config, "f", texts[i], &error), 0);
		assert_int_equal(serve_config_check(&config, &error), -EINVAL);
		serve_config_deinit(&config);
	}
}

static void believed(void **state UNUSED)
{
	const struct prefix proxies[] = {
		prefix_of(addr_v4(0x7f000001), 32), prefix_of(addr_v6(0x20010db8deadbeef, 0), 64)};
	const struct addr stranger = addr_v4(0xc0000201), proxy = addr_v4(0x7f000001),
			  told = addr_v4(0xc6336407);
	assert_false(addr_is_set(proxy_client(NULL, 0, stranger, "198.51.100.7")));
	assert_false(addr_is_set(proxy_client(proxies, 2, stranger, "198.51.100.7")));
	assert_false(addr_is_set(proxy_client(proxies, 2, proxy, NULL)));
	assert_true(addr_equal(proxy_client(proxies, 2, proxy, "198.51.100.7"), told));
	assert_true(
		addr_equal(proxy_client(proxies, 2, addr_v6(0x20010db8deadbeef, 5), "198.51.100.7"), told));
	/* Only what the proxy itself wrote. */
	assert_true(
		addr_equal(proxy_client(proxies, 2, proxy, "192.0.2.66, 203.0.113.1,\t 198.51.100.7"), told));
	static const char *const nonsense[] = {"", ",", "198.51.100.7,", "unknown", "_hidden",
		"198.51.100.7:80", "224.0.0.1", "198.51.100.7, x", "\xff"};
	for (size_t i = 0; i < ARRAY_LEN(nonsense); i++)
		assert_false(addr_is_set(proxy_client(proxies, 2, proxy, nonsense[i])));
}

static void an_agent(void **state UNUSED)
{
	static const char text[] = "roles: [agent]\n"
				   "agent:\n"
				   "  name: vp1\n"
				   "  broker: '[2001:db8::1]:8884'\n"
				   "  ca: /a\n"
				   "  certificate: /b\n"
				   "  key: /c\n"
				   "  spoof: true\n"
				   "  veto: [192.0.2.0/24, 198.51.100.7]\n"
				   "  sources: [203.0.113.9]\n"
				   "  packets_per_second: 7\n"
				   "  packets_per_day: 70\n";
	struct serve_config config;
	struct error error = {0};
	serve_config_init(&config);
	assert_int_equal(serve_config_parse(&config, "serve.yaml", text, &error), 0);
	assert_int_equal(serve_config_check(&config, &error), 0);
	const struct vantage_options *agent = &config.options.vantage;
	assert_false(config.options.responder);
	assert_string_equal(agent->name, "vp1");
	assert_string_equal(agent->broker, "2001:db8::1");
	assert_int_equal(agent->port, 8884);
	assert_string_equal(agent->key, "/c");
	assert_true(agent->rules.spoof && !agent->insecure);
	assert_int_equal(agent->rules.veto_count, 2);
	assert_int_equal(agent->rules.veto[1].length, 32);
	assert_int_equal(agent->source_count, 1);
	assert_true(agent->rules.per_second == 7 && agent->rules.per_day == 70);
	serve_config_deinit(&config);
}

/* Without a broker the coordinator on this machine is meant; with a path one whose socket is elsewhere. */
static void an_agent_of_this_machine(void **state UNUSED)
{
	struct serve_config config;
	struct error error = {0};
	setenv("XDG_STATE_HOME", "/x", 1);
	serve_config_init(&config);
	assert_int_equal(serve_config_parse(&config, "f", "agent: {name: vp1}\n", &error), 0);
	assert_int_equal(serve_config_check(&config, &error), 0);
	assert_string_equal(config.options.vantage.broker, "/x/retour/revtr.db-socket");
	serve_config_deinit(&config);

	serve_config_init(&config);
	assert_int_equal(serve_config_parse(&config, "f", "agent: {name: vp1, broker: '/run/a:7'}\n", &error), 0);
	assert_int_equal(serve_config_check(&config, &error), 0);
	assert_string_equal(config.options.vantage.broker, "/run/a:7");
	serve_config_deinit(&config);

	serve_config_init(&config);
	assert_int_equal(serve_config_set(&config, "agent", "vp2", &error), 0);
	assert_int_equal(serve_config_check(&config, &error), 0);
	assert_false(config.options.responder);
	assert_string_equal(config.options.vantage.name, "vp2");
	serve_config_deinit(&config);

	serve_config_init(&config);
	assert_int_equal(serve_config_set(&config, "agent", "vp/2", &error), 0);
	assert_int_equal(serve_config_check(&config, &error), -EINVAL);
	serve_config_deinit(&config);

	unsetenv("XDG_STATE_HOME");
	unsetenv("HOME");
	serve_config_init(&config);
	assert_int_equal(serve_config_set(&config, "agent", "vp2", &error), 0);
	assert_int_equal(serve_config_check(&config, &error), -EINVAL);
	assert_non_null(strstr(error.text, "where is the coordinator"));
	serve_config_deinit(&config);
}

/* What the file says, and what is said of it. */
static void agents_mistakes(void **state UNUSED)
{
	static const char *const texts[][2] = {
		{"roles: [responder]\nagent: {name: a, broker: b}\n", "no role agent"},
		{"roles: [agent]\n", "expected responder"},
		{"agent: {name: a/b, broker: b}\n", "letters, digits"},
		{"agent: {name: a, broker: 'b:0'}\n", "HOST:PORT"},
		{"agent: {name: a, broker: '[::1'}\n", "HOST:PORT"},
		{"agent: {broker: b}\n", "name"},
		{"agent: {name: a, broker: b, veto: [x]}\n", "a network such as"},
		{"agent: {name: a, broker: b, sources: ['2001:db8::1']}\n", "IPv4 addresses"},
		{"agent: {name: a, broker: b, spoof: perhaps}\n", "false, true"},
		{"agent: {name: a, broker: b, packets_per_second: 1001}\n", "1 to 1000"},
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct serve_config config;
		struct error error = {0};
		serve_config_init(&config);
		assert_int_equal(serve_config_parse(&config, "f", texts[i][0], &error), -EINVAL);
		if (!strstr(error.text, texts[i][1]))
			fail_msg("%s: %s", texts[i][0], error.text);
		serve_config_deinit(&config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_to_listen_on),
		cmocka_unit_test(whole_file),
		cmocka_unit_test(usual),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(what_does_not_go_together),
		cmocka_unit_test(believed),
		cmocka_unit_test(an_agent),
		cmocka_unit_test(an_agent_of_this_machine),
		cmocka_unit_test(agents_mistakes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
