/* The user's settings: what a good file says, and what is told about a bad one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reverse/settings.h"

static const char good[] =
	"# mine\n"
	"ladder: [responder, source-route-lsrr, inferred]\n"
	"ssh:\n"
	"  - host: '*.example.net'\n"
	"    destination: me@jump.example.net\n"
	"    vantage: true\n"
	"    dialect: junos\n"
	"  - host: 192.0.2.*\n"
	"looking_glasses:\n"
	"  - name: fra\n"
	"    type: hyperglass\n"
	"    url: https://lg.example.net\n"
	"    location: fra1\n"
	"    asn: 64500\n"
	"    address: 192.0.2.9\n"
	"  - {name: tel, type: telnet, url: 'telnet://rviews@rs.example.net'}\n"
	"  - {name: html, type: adapter, adapter: lg.yaml}\n"
	"globalping: {use: true}\n"
	"revtr: {url: 'https://revtr.example.net:7388', ca: /etc/retour/ca.crt}\n"
	"atlas:\n"
	"  use: true\n"
	"  token_env: RETOUR_TEST_KEY\n"
	"  token: c0ffee\n"
	"stun: ['stun.example.net:3478', '[2001:db8::1]:3478', 192.0.2.1, stun.example.net]\n"
	"public_address: 203.0.113.9\n"
	"public_address6: 2001:db8::9\n";

static void test_good(void **state)
{
	(void)state;
	struct settings *s;
	struct error error = {0};
	if (settings_parse(&s, "c", good, &error) < 0)
		fail_msg("%s", error.text);
	assert_int_equal(s->ladder_count, 3);
	assert_string_equal(s->ladder[1], "source-route-lsrr");
	assert_int_equal(s->ssh_count, 2);
	assert_string_equal(s->ssh[0].host, "*.example.net");
	assert_string_equal(s->ssh[0].destination, "me@jump.example.net");
	assert_string_equal(s->ssh[0].dialect, "junos");
	assert_true(s->ssh[0].vantage);
	assert_string_equal(s->ssh[1].host, "192.0.2.*");
	assert_null(s->ssh[1].destination);
	assert_false(s->ssh[1].vantage);
	assert_int_equal(s->looking_glass_count, 3);
	assert_string_equal(s->looking_glasses[0].location, "fra1");
	assert_int_equal(s->looking_glasses[0].asn, 64500);
	assert_int_equal(s->looking_glasses[1].asn, 0);
	assert_string_equal(s->looking_glasses[2].adapter, "lg.yaml");
	assert_true(s->globalping.use);
	assert_null(settings_token(&s->globalping));
	assert_string_equal(s->revtr.ca, "/etc/retour/ca.crt");
	assert_false(s->revtr.use);
	assert_int_equal(s->stun_count, 4);
	assert_int_equal(settings_public_address(s, 4).low, 0xcb007109);
	assert_int_equal(settings_public_address(s, 6).low, 9);
	unsetenv("RETOUR_TEST_KEY");
	assert_string_equal(settings_token(&s->atlas), "c0ffee");
	setenv("RETOUR_TEST_KEY", "beef", 1);
	assert_string_equal(settings_token(&s->atlas), "beef");
	settings_free(s);
}

/* Nothing in it is nothing set. */
static void test_empty(void **state)
{
	(void)state;
	static const char *const texts[] = {"", "\n", "# only a word\n"};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct settings *s;
		struct error error = {0};
		if (settings_parse(&s, "c", texts[i], &error) < 0)
			fail_msg("%s: %s", texts[i], error.text);
		assert_int_equal(s->ladder_count + s->ssh_count + s->looking_glass_count, 0);
		assert_false(s->atlas.use);
		assert_false(addr_is_set(settings_public_address(s, 4)));
		settings_free(s);
	}
}

static void test_bad(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"lader: [responder]\n", "c:1: Unexpected key: lader; expected one of: ladder, ssh, looking_glasses"},
		{"\n\nladder:\n  - responder\n  - nonsense\n", "c:5: ladder: no way back is called 'nonsense'; known: "},
		{"ladder: [responder, nonsense]\n", "c:1: ladder: no way back is called 'nonsense'"},
		{"ladder: ['responder,inferred']\n", "c:1: ladder: 'responder,inferred': expected one"},
		{"ladder: responder\n", "c:1: ladder: "},
		{"ladder:\n  - {responder: 1}\n", "c:2: ladder: "},
		{"ssh:\n  - destination: a\n", "c:2: Missing required mapping field: host"},
		{"ssh:\n  - host: a\n    dialekt: unix\n", "c:3: Unexpected key: dialekt; expected one of: host, "},
		{"ssh:\n  - host: a\n  - host: b\n    dialect: vms\n",
			"c:4: ssh: dialect 'vms': expected one of: unix windows ios ios-xr junos routeros vyos"},
		{"ssh:\n  - host: a\n    destination: -oProxyCommand=reboot\n", "c:3: ssh: '-oProxyCommand=reboot'"},
		{"ssh:\n  - host: a\n    destination: 'a b'\n", "c:3: ssh: 'a b': expected [user@]host"},
		{"ssh:\n  - host: a\n    destination: 'a;b'\n", "c:3: ssh: 'a;b': expected [user@]host"},
		{"ssh:\n  - host: a\n    vantage: true\n", "c:3: ssh: a vantage point needs a destination"},
		{"ssh:\n  - host: a\n    vantage: perhaps\n", "c:3: Invalid ENUM value: perhaps; expected one of: false, true"},
		{"looking_glasses:\n  - {name: a, type: bird, url: 'http://a'}\n", "c:2: looking_glasses: type 'bird'"},
		{"looking_glasses:\n  - {name: a, type: rfc8522}\n", "c:2: looking_glasses: 'a' has no url"},
		{"looking_glasses:\n  - {name: a, type: adapter}\n", "c:2: looking_glasses: 'a' has no adapter"},
		{"looking_glasses:\n  - {name: a, type: telnet, url: 'http://a'}\n", "expected telnet://..."},
		{"looking_glasses:\n  - {name: a, type: hybula, url: 'file:///etc/passwd'}\n", "expected https://"},
		{"looking_glasses:\n  - {name: a, type: hybula, url: 'http://a', address: a}\n", "expected an address"},
		{"looking_glasses:\n  - {name: a, type: hybula, url: 'http://a', asn: AS1}\n",
			"c:2: asn: 'AS1'; expected a whole number"},
		{"globalping:\n  use: yep\n", "c:2: Invalid ENUM value: yep"},
		{"globalping:\n  ca: ca.crt\n", "c:2: Unexpected key: ca"},
		{"globalping:\n  url: lg.example.net\n", "c:2: globalping: url 'lg.example.net': expected https://"},
		{"atlas: {token_env: $KEY}\n", "c:1: atlas: token_env: expected the name of an environment variable"},
		{"stun: [a:b]\n", "c:1: stun: 'a:b': expected host or host:port"},
		{"stun: ['a:65536']\n", "c:1: stun: "},
		{"stun: ['[2001:db8::1']\n", "c:1: stun: "},
		{"public_address: 2001:db8::1\n", "c:1: public_address: '2001:db8::1': expected an IPv4 address"},
		{"public_address6: me\n", "c:1: public_address6: 'me': expected an IPv6 address"},
		{"public_address: 255.255.255.255\n", "expected an IPv4 address"},
		{"- responder\n", "c:1: "},
		{"responder\n", "c:1: "},
		{"ladder: [responder\n", "c:"},
		{"ssh:\n\t- host: a\n", "there is a tab in the file"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct settings *s = NULL;
		struct error error = {0};
		assert_int_equal(settings_parse(&s, "c", cases[i].text, &error), -EINVAL);
		assert_null(s);
		if (!strstr(error.text, cases[i].says))
			fail_msg("'%s' is not said of:\n%s\nbut: %s", cases[i].says, cases[i].text, error.text);
	}
}

/* A key stays where it is, whatever is wrong with it or around it. */
static void test_secret(void **state)
{
	(void)state;
	static const char *const texts[] = {"atlas:\n  token: s3cret here\n", "atlas:\n  token: [s3cret]\n",
		"atlas:\n  token: {s3cret: s3cret}\n", "atlas: s3cret\n", "atlas:\n  token: \"s3cret\n",
		"atlas:\n  token: s3cret\n  url: x\n", "atlas:\n  - token: s3cret\n", "atlas:\n  token: -s3cret\n"};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct settings *s;
		struct error error = {0};
		assert_int_equal(settings_parse(&s, "c", texts[i], &error), -EINVAL);
		if (strstr(error.text, "s3cret"))
			fail_msg("the key is shown: %s", error.text);
	}
}

/* Cut anywhere it is refused, or it is a whole file with less in it. */
static void test_truncated(void **state)
{
	(void)state;
	for (size_t length = 0; length < sizeof(good); length++) {
		char *text = strndup(good, length);
		struct settings *s = NULL;
		struct error error = {0};
		if (settings_parse(&s, "c", text, &error) < 0)
			assert_true(!s && error.text[0] && !strchr(error.text, '\n'));
		else
			settings_free(s);
		free(text);
	}
}

/* ---- files */

static char folder[] = "/tmp/retour-settings-XXXXXX";
static char path[200];

static void put(const char *text, size_t length, mode_t mode)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static void refused(const char *file, int code, const char *says)
{
	struct settings *s;
	struct error error = {0};
	assert_int_equal(settings_load(&s, file, &error), code);
	assert_null(s);
	if (!strstr(error.text, says))
		fail_msg("'%s' is not said: %s", says, error.text);
}

static void test_files(void **state)
{
	(void)state;
	struct settings *s;
	struct error error = {0};
	char *huge = malloc(1 << 20);
	memset(huge, '#', 1 << 20);
	put(huge, 1 << 20, 0600);
	refused(path, -EFBIG, "too large; expected less than 256 KiB");
	free(huge);
	put("ladder: []\0token", 16, 0600);
	refused(path, -EILSEQ, "not a text file");
	refused(folder, -EISDIR, "Is a directory");
	refused("/nonexistent/retour.yaml", -ENOENT, "No such file");
	refused("/dev/zero", -EFBIG, "too large");
	put("public_address: 203.0.113.9\n", 28, 0644);
	if (settings_load(&s, path, &error) < 0)
		fail_msg("%s", error.text);
	settings_free(s);
}

/* A key that others may read is a key to be changed. */
static void test_readable_key(void **state)
{
	(void)state;
	static const char text[] = "globalping: {token: c0ffee}\n";
	struct settings *s;
	struct error error = {0};
	put(text, sizeof(text) - 1, 0644);
	refused(path, -EACCES, "chmod 600");
	put(text, sizeof(text) - 1, 0640);
	refused(path, -EACCES, "token_env");
	put(text, sizeof(text) - 1, 0600);
	if (settings_load(&s, path, &error) < 0)
		fail_msg("%s", error.text);
	assert_string_equal(settings_token(&s->globalping), "c0ffee");
	settings_free(s);
}

static void expect_address(unsigned last)
{
	struct settings *s;
	struct error error = {0};
	if (settings_load(&s, NULL, &error) < 0)
		fail_msg("%s", error.text);
	assert_int_equal(settings_public_address(s, 4).low & 0xff, last);
	settings_free(s);
}

static void test_places(void **state)
{
	(void)state;
	char name[300];
	static const char *const folders[] = {"/.config", "/.config/retour", "/retour"};
	setenv("HOME", folder, 1);
	unsetenv("XDG_CONFIG_HOME");
	expect_address(0); /* no file, no settings */
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		snprintf(name, sizeof(name), "%s%s", folder, folders[i]);
		assert_int_equal(mkdir(name, 0700), 0);
	}
	snprintf(path, sizeof(path), "%s/.config/retour/config.yaml", folder);
	put("public_address: 203.0.113.1\n", 28, 0600);
	expect_address(1);
	snprintf(path, sizeof(path), "%s/retour/config.yaml", folder);
	put("public_address: 203.0.113.2\n", 28, 0600);
	setenv("XDG_CONFIG_HOME", "retour", 1); /* relative: not heeded */
	expect_address(1);
	setenv("XDG_CONFIG_HOME", folder, 1);
	expect_address(2);
	put("public_adress: 203.0.113.2\n", 27, 0600);
	refused(NULL, -EINVAL, "/retour/config.yaml:1: Unexpected key: public_adress");
}

static int enter(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/config.yaml", folder);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	char command[100];
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_secret),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_readable_key),
		cmocka_unit_test(test_places),
	};
	return cmocka_run_group_tests(tests, enter, leave);
}
