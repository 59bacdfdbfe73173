/* What runs on the far side, and what is read of what comes back. The script is run by the shells that are here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reverse/ssh_line.h"

static char folder[] = "/tmp/retour-ssh-line-XXXXXX";

static struct addr address(const char *text)
{
	struct addr addr = ADDR_NONE;
	assert_true(!*text || addr_parse(text, &addr));
	return addr;
}

/* ---- destinations */

static void test_destinations(void **state)
{
	(void)state;
	static const char *const good[] = {"a", "me@a.example", "2001:db8::1", "me@2001:db8::1", "ssh://me@a:2222",
		"DOMAIN\\me@a", "a_b-c", "fe80::1%eth0"};
	static const char *const bad[] = {"", "-oProxyCommand=x", "-", "a b", "a;b", "a`b`", "$(a)", "a|b", "a\nb", "a'b",
		"a\"b", "a>b", "a\x80", "{a}", "a&b", "a*"};
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!ssh_destination_valid(good[i]))
			fail_msg("'%s' is good", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (ssh_destination_valid(bad[i]))
			fail_msg("'%s' is bad", bad[i]);
}

/* ---- lines */

/* Nothing in a command means anything to any shell. */
static void test_lines(void **state)
{
	(void)state;
	static const struct {
		const char *name, *command, *input;
	} expected[] = {
		{"windows", "tracert -d -w 1000 203.0.113.9", ""},
		{"ios", "", "terminal length 0\ntraceroute 203.0.113.9 timeout 1 probe 2\nexit\n"},
		{"ios-xr", "", "terminal length 0\ntraceroute 203.0.113.9 timeout 1 probe 2\nexit\n"},
		{"junos", "traceroute 203.0.113.9 wait 1 no-resolve", ""},
		{"routeros", "/tool traceroute address=203.0.113.9 count=1 timeout=1 duration=30", ""},
		{"unix", "sh -s", NULL},
		{"vyos", "sh -s", NULL},
	};
	struct ssh_goal goal = {.family = 4, .said = address("203.0.113.9")};
	struct ssh_line line;
	enum ssh_dialect dialect;
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		assert_true(ssh_dialect_find(expected[i].name, &dialect));
		assert_true(ssh_line_write(&line, dialect, &goal));
		assert_string_equal(line.command, expected[i].command);
		if (expected[i].input)
			assert_string_equal(line.input, expected[i].input);
		for (const char *c = line.command; *c; c++)
			assert_true(isalnum((unsigned char)*c) || strchr(" -./=:", *c));
	}
	assert_false(ssh_dialect_find("pathping", &dialect));
	assert_false(ssh_dialect_find("", &dialect));
	goal.said = ADDR_NONE;
	assert_false(ssh_line_write(&line, SSH_JUNOS, &goal));
	assert_true(ssh_line_write(&line, SSH_UNIX, &goal)); /* it may find out over there */
}

/* ---- the script, run */

static void put_program(const char *name, const char *text)
{
	char path[100];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, 0755), 0);
}

static void remove_programs(void)
{
	char command[200];
	snprintf(command, sizeof(command), "rm -f %s/*", folder);
	assert_int_equal(system(command), 0);
}

/* Run the script by `shell` (an absolute path) with the programs of the folder only. */
static const char *run_by(const char *shell, const struct ssh_goal *goal, const char *connection)
{
	static char output[8192];
	char path[120], command[400];
	struct ssh_line line;
	assert_true(ssh_line_write(&line, SSH_UNIX, goal));
	/* programs of this machine must not be found in the folders that the script adds */
	char *place = strstr(line.input, ":/usr/sbin:/sbin:/usr/local/bin:/usr/local/sbin");
	assert_non_null(place);
	memset(place, '/', strlen(":/usr/sbin:/sbin:/usr/local/bin:/usr/local/sbin"));
	snprintf(path, sizeof(path), "%s/script", folder);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(line.input, file);
	fclose(file);
	snprintf(command, sizeof(command), "env -i PATH=%s %s%s%s %s -s <%s 2>&1", folder,
		connection ? "SSH_CONNECTION='" : "", connection ? connection : "", connection ? "'" : "", shell, path);
	file = popen(command, "r");
	assert_non_null(file);
	size_t length = fread(output, 1, sizeof(output) - 1, file);
	output[length] = '\0';
	pclose(file);
	return output;
}

static const char *const shells[] = {"/bin/dash", "/bin/bash", "'/bin/busybox' sh"};

static const char *traced(const struct ssh_goal *goal, const char *connection)
{
	static char text[ADDR_TEXT_SIZE];
	struct ssh_answer answer;
	ssh_answer_read(run_by("/bin/sh", goal, connection), &answer);
	assert_true(answer.script);
	if (!addr_is_set(answer.to))
		assert_true(answer.over);
	return addr_format(answer.to, text);
}

/* Which address is traced, by what the far sshd says of the connection. */
static void test_address(void **state)
{
	(void)state;
	remove_programs();
	put_program("retour", "#!/bin/sh\necho that is all\n"); /* no packet leaves this host */
	static const struct {
		const char *said, *other, *connection;
		unsigned family;
		bool jump, private_peer;
		const char *traced;
	} cases[] = {
		{"", "198.51.100.7", "203.0.113.9 4711 198.18.18.80 22", 4, false, false, "203.0.113.9"},
		{"", "198.51.100.7", NULL, 4, false, false, "198.51.100.7"},
		{"", "198.51.100.7", "", 4, false, false, "198.51.100.7"},
		{"192.0.2.1", "198.51.100.7", "203.0.113.9 4711 198.18.18.80 22", 4, false, false, "192.0.2.1"},
		/* seen by the other family, through a jump host, or not at all */
		{"", "198.51.100.7", "2001:db8::9 4711 2001:db8::80 22", 4, false, false, "198.51.100.7"},
		{"", "2001:db8::7", "203.0.113.9 4711 198.18.18.80 22", 6, false, false, "2001:db8::7"},
		{"", "2001:db8::7", "2001:db8::9 4711 2001:db8::80 22", 6, false, false, "2001:db8::9"},
		{"", "198.51.100.7", "203.0.113.9 4711 198.18.18.80 22", 4, true, false, "198.51.100.7"},
		{"", "", "203.0.113.9 4711 198.18.18.80 22", 4, true, false, ""},
		{"", "", "UNKNOWN 65535 UNKNOWN 65535", 4, false, false, ""},
		/* by a proxy next to it */
		{"", "198.51.100.7", "172.17.0.1 4711 172.17.0.2 22", 4, false, false, "198.51.100.7"},
		{"", "198.51.100.7", "127.0.0.1 4711 127.0.0.1 22", 4, false, true, "198.51.100.7"},
		{"", "198.51.100.7", "100.100.3.4 1 100.64.0.1 22", 4, false, false, "198.51.100.7"},
		{"", "", "fd00::1 1 fd00::2 22", 6, false, false, ""},
		{"", "", "fe80::1%eth0 1 fe80::2%eth0 22", 6, false, true, ""},
		/* where the target is in the same private network that is how it sees us */
		{"", "192.168.1.2", "10.1.2.3 4711 10.1.2.4 22", 4, false, true, "10.1.2.3"},
		{"", "", "172.32.0.1 1 198.18.18.80 22", 4, false, false, "172.32.0.1"},
		{"", "", "100.128.0.1 1 198.18.18.80 22", 4, false, false, "100.128.0.1"},
		/* whatever the far side puts there */
		{"", "198.51.100.7", "$(reboot) 1 `reboot` 22", 4, false, false, "198.51.100.7"},
		{"", "198.51.100.7", "-n 1 * 22", 4, false, false, "198.51.100.7"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ssh_goal goal = {.family = (uint8_t)cases[i].family, .said = address(cases[i].said),
			.other = address(cases[i].other), .direct = !cases[i].jump,
			.private_peer = cases[i].private_peer};
		const char *got = traced(&goal, cases[i].connection);
		if (strcmp(got, cases[i].traced) != 0)
			fail_msg("case %zu: '%s' instead of '%s'", i, got, cases[i].traced);
	}
}

/* Best first, and the next where one cannot. */
static void test_programs(void **state)
{
	(void)state;
	struct ssh_goal goal = {.family = 4, .other = address("203.0.113.9")};
	for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
		struct ssh_answer answer;
		char plain[30] = "";
		sscanf(shells[i], "'%25[^']", plain);
		if (access(*plain ? plain : shells[i], X_OK) < 0)
			continue;
		remove_programs();
		if (!*plain) { /* a shell that is many programs would find those of its own */
			ssh_answer_read(run_by(shells[i], &goal, NULL), &answer);
			assert_int_equal(answer.run_count, 0);
			assert_true(answer.over);
		}
		put_program("retour", "#!/bin/sh\necho you lack a capability >&2\nexit 4\n");
		put_program("mtr", "#!/bin/sh\n[ \"$1\" = --json ] && exit 1\necho \"report $*\"\nread x && echo $x\nexit 0\n");
		put_program("traceroute", "#!/bin/sh\necho no\n");
		ssh_answer_read(run_by(shells[i], &goal, NULL), &answer);
		assert_int_equal(answer.run_count, 3);
		assert_string_equal(answer.runs[0].program, "retour");
		assert_int_equal(answer.runs[0].code, 4);
		assert_int_equal(answer.runs[1].code, 1);
		assert_string_equal(answer.runs[2].program, "mtr");
		assert_int_equal(answer.runs[2].code, 0);
		assert_false(answer.over);
		assert_non_null(answer.runs[2].bytes);
		assert_memory_equal(answer.runs[2].bytes, "report -r -w -n -c 3 203.0.113.9\n", 33);
		put_program("retour", "#!/bin/sh\necho \"$*\"\nexit 2\n"); /* measured, not reached */
		ssh_answer_read(run_by(shells[i], &goal, NULL), &answer);
		assert_int_equal(answer.run_count, 1);
		assert_memory_equal(answer.runs[0].bytes, "trace --json -n 203.0.113.9\n", 28);
	}
}

/* ---- what comes back */

static const char example[] =
	"Welcome!\n"
	"retour-ssh connection 203.0.113.9 198.18.18.80\r\n"
	"retour-ssh to 203.0.113.9\n"
	"retour-ssh run retour\n"
	"\n"
	"retour-ssh end 4\n"
	"retour-ssh run mtr\n"
	"line 1\n"
	"line 2\n"
	"\n"
	"retour-ssh end 0\n";

static void test_answer(void **state)
{
	(void)state;
	struct ssh_answer answer;
	ssh_answer_read(example, &answer);
	assert_true(answer.script);
	assert_false(answer.over);
	assert_int_equal(answer.peer.low, 0xcb007109);
	assert_int_equal(answer.server.low, 0xc6121250);
	assert_int_equal(answer.to.low, 0xcb007109);
	assert_int_equal(answer.run_count, 2);
	assert_int_equal(answer.runs[0].code, 4);
	assert_true(answer.runs[1].ended);
	assert_int_equal(answer.runs[1].length, 15);
	assert_memory_equal(answer.runs[1].bytes, "line 1\nline 2\n\n", 15);
	ssh_answer_read("'sh' is not recognized as an internal or external command,\r\n", &answer);
	assert_false(answer.script);
	ssh_answer_read("retour-ssh unknown\n", &answer);
	assert_true(answer.over);
	assert_false(addr_is_set(answer.to));
}

static void test_answer_cut(void **state)
{
	(void)state;
	for (size_t length = 0; length < sizeof(example); length++) {
		char *text = strndup(example, length);
		struct ssh_answer answer;
		ssh_answer_read(text, &answer);
		for (size_t i = 0; i < answer.run_count; i++)
			if (answer.runs[i].bytes) {
				assert_true(answer.runs[i].bytes >= text);
				assert_true(answer.runs[i].bytes + answer.runs[i].length <= text + length);
			}
		free(text);
	}
}

/* A far side that says too much. */
static void test_answer_flood(void **state)
{
	(void)state;
	char *text = malloc(300000);
	size_t length = 0;
	struct ssh_answer answer;
	for (int i = 0; i < 5000; i++)
		length += (size_t)snprintf(text + length, 300000 - length, "retour-ssh run x%09d%09d%09d\nx\n", i, i, i);
	ssh_answer_read(text, &answer);
	assert_int_equal(answer.run_count, SSH_RUNS_MAX);
	assert_int_equal(strlen(answer.runs[0].program), 23);
	free(text);
}

static void test_configuration(void **state)
{
	(void)state;
	struct ssh_configuration c;
	ssh_configuration_read("host web\nuser me\nhostname www.example.net\nport 22\nproxycommand none\n", &c);
	assert_string_equal(c.hostname, "www.example.net");
	assert_false(c.indirect);
	ssh_configuration_read("hostname www.example.net\nproxyjump me@jump:22\n", &c);
	assert_true(c.indirect);
	ssh_configuration_read("hostname a\nproxycommand nc %h %p", &c);
	assert_true(c.indirect);
	ssh_configuration_read("", &c);
	assert_string_equal(c.hostname, "");
}

/* As OpenSSH 9.2 says it with LogLevel=ERROR. */
static void test_explain(void **state)
{
	(void)state;
	static const struct {
		const char *errors;
		enum attempt_status status;
		const char *says;
	} cases[] = {
		{"root@far: Permission denied (publickey,password).\r\n", ATTEMPT_REFUSED, "ssh-copy-id"},
		{"Host key verification failed.\r\n", ATTEMPT_REFUSED, "log in once by hand"},
		{"@@@\r\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n@@@\r\nIT IS POSSIBLE\r\n"
		 "Host key verification failed.\r\n", ATTEMPT_REFUSED, "ssh-keygen -R"},
		{"ssh: connect to host far port 22: Connection refused\r\n", ATTEMPT_UNAVAILABLE, "connection refused"},
		{"ssh: connect to host far port 22: Connection timed out\r\n", ATTEMPT_TIMEOUT, "nothing came back"},
		{"ssh: connect to host far port 22: No route to host\r\n", ATTEMPT_UNAVAILABLE, "no route"},
		{"ssh: Could not resolve hostname far: Name or service not known\r\n", ATTEMPT_FAILED, "knows no host far"},
		{"/root/.ssh/config: line 1: Bad configuration option: x\r\n/root/.ssh/config: terminating, 1 bad\r\n",
			ATTEMPT_FAILED, "terminating, 1 bad"},
		{"kex_exchange_identification: Connection closed by remote host\r\n\r\n", ATTEMPT_FAILED,
			"Connection closed by remote host"},
		{"", ATTEMPT_FAILED, "does not say why"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char reason[300];
		assert_int_equal(ssh_explain(cases[i].errors, "far", reason, sizeof(reason)), cases[i].status);
		if (!strstr(reason, cases[i].says))
			fail_msg("'%s' is not said: %s", cases[i].says, reason);
		assert_null(strpbrk(reason, "\r\n"));
	}
}

static int enter(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int leave(void **state)
{
	(void)state;
	remove_programs();
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_destinations),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_answer_cut),
		cmocka_unit_test(test_answer_flood),
		cmocka_unit_test(test_configuration),
		cmocka_unit_test(test_explain),
	};
	return cmocka_run_group_tests(tests, enter, leave);
}
