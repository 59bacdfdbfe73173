/* The way back over ssh, on an event loop, with a program in the place of ssh that plays far hosts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "reverse/settings.h"
#include "reverse/ssh.h"

/* ---- time: the loop's and ours, which a test may let pass */

static int64_t later_s;

int clock_gettime(clockid_t id, struct timespec *time)
{
	int result = (int)syscall(SYS_clock_gettime, id, time);
	time->tv_sec += later_s;
	return result;
}

/* ---- the far hosts
 *
 * Called with -G it says what the name stands for. Else the last two arguments are the destination and the command. */

static char folder[] = "/tmp/retour-ssh-XXXXXX";

static const char fake[] =
	"#!/bin/sh\n"
	"here=$(dirname \"$0\")\n"
	"echo \"$*\" >>$here/calls\n"
	"what=trace\n"
	"while [ \"$1\" != -- ]; do [ \"$1\" = -G ] && what=configuration; shift; done\n"
	"destination=$2 command=$3\n"
	"if [ $what = configuration ]; then\n"
	"	case $destination in\n"
	"	beside) echo hostname 198.51.100.81 ;;\n"
	"	elsewhere) echo hostname 192.0.2.200 ;;\n"
	"	jumped) echo hostname 198.51.100.80; echo proxyjump jump ;;\n"
	"	broken) echo 'config: line 1: Bad configuration option' >&2; exit 255 ;;\n"
	"	*) echo hostname 198.51.100.80 ;;\n"
	"	esac\n"
	"	exit 0\n"
	"fi\n"
	"SSH_CONNECTION='203.0.113.9 4711 198.51.100.80 22'\n"
	"export SSH_CONNECTION\n"
	"unrecognised() { printf \"Der Befehl '%s' ist falsch\\r\\n\" \"${command%% *}\" >&2; exit 1; }\n"
	"case $destination in\n"
	"unix | far.example) PATH=$here/far exec /bin/sh -s ;;\n"
	"beside) SSH_CONNECTION='203.0.113.9 4711 198.51.100.81 22' PATH=$here/far exec /bin/sh -s ;;\n"
	"jumped) SSH_CONNECTION='198.51.100.2 4711 198.51.100.80 22' PATH=$here/far exec /bin/sh -s ;;\n"
	"windows)\n"
	"	case $command in\n"
	"	tracert*) cat $here/tracert ;;\n"
	"	*) unrecognised ;;\n"
	"	esac ;;\n"
	"old-windows)\n"
	"	case $command in\n"
	"	pathping*) cat $here/pathping ;;\n"
	"	*) unrecognised ;;\n"
	"	esac ;;\n"
	"ios)\n"
	"	read line && [ \"$line\" = 'terminal length 0' ] || exit 1\n"
	"	read line && [ \"$line\" = 'traceroute 198.51.100.7 timeout 1 probe 2' ] && cat $here/ios ;;\n"
	"junos) [ \"$command\" = 'traceroute 198.51.100.7 wait 1 no-resolve' ] && cat $here/junos ;;\n"
	"strange) unrecognised ;;\n"
	"password) echo 'me@password: Permission denied (publickey,password).' >&2; exit 255 ;;\n"
	"lame) printf 'retour-ssh to 203.0.113.9\\nretour-ssh run traceroute\\n\\nretour-ssh end 141\\n' ;;\n"
	"liar) printf 'retour-ssh to 2001:db8::1\\nretour-ssh run retour\\nretour-ssh end 0\\n' ;;\n"
	"flood) exec yes 'retour-ssh to 203.0.113.9' ;;\n"
	"silent) echo $$ >$here/pid; exec sleep 1000 ;;\n"
	"slow)\n"
	"	echo $$ >$here/pid\n"
	"	printf 'retour-ssh to 203.0.113.9\\nretour-ssh run traceroute\\n'\n"
	"	printf 'traceroute to 203.0.113.9 (203.0.113.9), 30 hops max, 60 byte packets\\n'\n"
	"	printf ' 1  198.51.100.1  0.5 ms  0.4 ms\\n 2  192.0.2.'\n"
	"	sleep 1000 & wait ;;\n"
	"esac\n";

static const char traceroute[] =
	"#!/bin/sh\n"
	"for a; do :; done\n"
	"echo \"traceroute to $a ($a), 30 hops max, 60 byte packets\"\n"
	"echo ' 1  198.51.100.1  0.512 ms  0.433 ms'\n"
	"echo ' 2  * *'\n"
	"echo \" 3  $a  9.101 ms  9.332 ms\"\n";

static const char tracert[] =
	"\r\nRoutenverfolgung zu 198.51.100.7 über maximal 30 Hops\r\n\r\n"
	"  1    <1 ms    <1 ms     1 ms  198.51.100.1 \r\n"
	"  2     *        *        *     Zeitüberschreitung der Anforderung.\r\n"
	"  3     9 ms     9 ms     9 ms  198.51.100.7 \r\n\r\n"
	"Ablaufverfolgung beendet.\r\n";

static const char pathping[] =
	"\r\nTracing route to 198.51.100.7 over a maximum of 30 hops\r\n\r\n"
	"  0  198.51.100.80 \r\n  1  198.51.100.1 \r\n  2  198.51.100.7 \r\n\r\n"
	"Computing statistics for 1 seconds...\r\n"
	"            Source to Here   This Node/Link\r\n"
	"Hop  RTT    Lost/Sent = Pct  Lost/Sent = Pct  Address\r\n"
	"  0                                           198.51.100.80 \r\n"
	"                                0/   1 =  0%   |\r\n"
	"  1    1ms     0/   1 =  0%     0/   1 =  0%  198.51.100.1 \r\n"
	"                                0/   1 =  0%   |\r\n"
	"  2    9ms     0/   1 =  0%     0/   1 =  0%  198.51.100.7 \r\n\r\n"
	"Trace complete.\r\n";

static const char ios[] =
	"\r\nfar#terminal length 0\r\nfar#traceroute 198.51.100.7 timeout 1 probe 2\r\n"
	"Type escape sequence to abort.\r\nTracing the route to 198.51.100.7\r\n"
	"VRF info: (vrf in name/id, vrf out name/id)\r\n"
	"  1 198.51.100.1 1 msec 0 msec\r\n  2  *  * \r\n  3 198.51.100.7 9 msec 9 msec\r\nfar#exit\r\n";

static const char junos[] =
	"traceroute to 198.51.100.7 (198.51.100.7), 30 hops max, 52 byte packets\n"
	" 1  198.51.100.1  0.553 ms  0.431 ms  0.402 ms\n"
	"     MPLS Label=299840 CoS=0 TTL=1 S=1\n"
	" 2  * * *\n 3  198.51.100.7  9.113 ms  9.204 ms  9.001 ms\n";

static void put(const char *name, const char *text, mode_t mode)
{
	char path[200];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

/* ---- a run */

struct scene {
	uv_loop_t loop;
	struct settings settings;
	struct outside outside;
	struct reverse_task task;
	void *run;
	unsigned wakes;
	enum attempt_status status;
	char detail[400];
	struct path *path;
};

static void wake(void *context)
{
	struct scene *scene = context;
	scene->wakes++;
	uv_stop(&scene->loop);
}

static struct addr address(const char *text)
{
	struct addr addr;
	assert_true(addr_parse(text, &addr));
	return addr;
}

static void begin(struct scene *scene, const char *parameter)
{
	uv_loop_init(&scene->loop);
	scene->outside = (struct outside){
		.loop = &scene->loop, .wake = wake, .context = scene, .settings = &scene->settings, .data_dir = folder};
	scene->task = (struct reverse_task){.target = address("198.51.100.80"),
		.source = address("198.51.100.7"),
		.parameter = parameter,
		.outside = &scene->outside};
}

static enum machine_want next(struct scene *scene)
{
	struct machine machine = ssh_method.machine(scene->run);
	int64_t wake_ns;
	return machine.ops->next(machine.self, clock_monotonic_ns(), NULL, &wake_ns);
}

static void end(struct scene *scene)
{
	ssh_method.free(scene->run);
	while (uv_run(&scene->loop, UV_RUN_DEFAULT) != 0)
		; /* it was stopped, by wake() */
	assert_int_equal(uv_loop_close(&scene->loop), 0); /* nothing of it is left there */
}

static void run(struct scene *scene)
{
	scene->run = ssh_method.start(&scene->task);
	assert_non_null(scene->run);
	for (int i = 0; next(scene) != MACHINE_DONE && i < 100000; i++)
		uv_run(&scene->loop, UV_RUN_ONCE);
	scene->status = ssh_method.status(scene->run, scene->detail, sizeof(scene->detail));
	scene->path = ssh_method.path(scene->run, 0);
	end(scene);
}

static void expect_path(const struct scene *scene, const char *last, enum certainty certainty)
{
	if (!scene->path)
		fail_msg("no path: %s", scene->detail);
	assert_string_equal(scene->path->method, "ssh");
	assert_int_equal(scene->path->direction, DIRECTION_REVERSE);
	assert_true(scene->path->reached);
	assert_int_equal(scene->path->hop_count, 3);
	assert_true(addr_equal(scene->path->hops[0].address, address("198.51.100.1")));
	assert_false(addr_is_set(scene->path->hops[1].address));
	assert_true(addr_equal(scene->path->hops[2].address, address(last)));
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(scene->path->hops[i].technique, TECHNIQUE_REMOTE_TRACE);
		assert_int_equal(scene->path->hops[i].certainty, certainty);
	}
}

static void expect(struct scene *scene, const char *destination, enum attempt_status status, const char *says)
{
	begin(scene, destination);
	run(scene);
	if (scene->status != status || !strstr(scene->detail, says))
		fail_msg("%s: %s, %s", destination, attempt_status_word(scene->status), scene->detail);
}

static void test_unix(void **state)
{
	(void)state;
	struct scene s = {0};
	expect(&s, "unix", ATTEMPT_OK, "traceroute on unix; reached your NAT at 203.0.113.9");
	expect_path(&s, "203.0.113.9", CERTAINTY_MEASURED);
	assert_null(s.path->vantage);
	path_free(s.path);
}

/* Without a parameter the host's own name is where ssh goes, by the family that is measured. */
static void test_own_name(void **state)
{
	(void)state;
	struct scene s = {0};
	begin(&s, NULL);
	s.task.target_name = "far.example";
	s.task.public_address = address("198.51.100.7");
	put("calls", "", 0600);
	run(&s);
	assert_int_equal(s.status, ATTEMPT_OK);
	expect_path(&s, "198.51.100.7", CERTAINTY_MEASURED);
	assert_null(strstr(s.detail, "NAT"));
	char calls[2000], path[200];
	snprintf(path, sizeof(path), "%s/calls", folder);
	FILE *file = fopen(path, "r");
	size_t length = fread(calls, 1, sizeof(calls) - 1, file);
	fclose(file);
	calls[length] = '\0';
	assert_non_null(strstr(calls, "BatchMode=yes"));
	assert_non_null(strstr(calls, " -G -- far.example\n"));
	assert_non_null(strstr(calls, " -4 -- far.example sh -s\n"));
	path_free(s.path);
}

static void test_windows(void **state)
{
	(void)state;
	struct scene s = {0};
	expect(&s, "windows", ATTEMPT_OK, "tracert on windows");
	expect_path(&s, "198.51.100.7", CERTAINTY_MEASURED);
	path_free(s.path);
	s = (struct scene){0};
	expect(&s, "old-windows", ATTEMPT_OK, "pathping on old-windows");
	assert_int_equal(s.path->hop_count, 2);
	path_free(s.path);
	s = (struct scene){0};
	expect(&s, "strange", ATTEMPT_UNSUPPORTED, "neither Unix nor Windows");
	assert_null(s.path);
}

static void test_routers(void **state)
{
	(void)state;
	static const char *const names[] = {"ios", "junos"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char host[] = "198.51.100.*", destination[10], dialect[10];
		struct settings_ssh entry = {.host = host, .destination = destination, .dialect = dialect};
		struct scene s = {.settings = {.ssh = &entry, .ssh_count = 1}};
		snprintf(destination, sizeof(destination), "%s", names[i]);
		snprintf(dialect, sizeof(dialect), "%s", names[i]);
		begin(&s, NULL);
		assert_true(ssh_method.configured(&s.task));
		run(&s);
		assert_string_equal(s.detail + strlen(names[i]), i == 0 ? " on ios" : " on junos");
		expect_path(&s, "198.51.100.7", CERTAINTY_MEASURED);
		path_free(s.path);
		/* the same where it is named */
		s.path = NULL;
		snprintf(host, sizeof(host), "nobody");
		expect(&s, names[i], ATTEMPT_OK, names[i]);
		expect_path(&s, "198.51.100.7", CERTAINTY_MEASURED);
		path_free(s.path);
	}
}

static void test_configured(void **state)
{
	(void)state;
	char host[] = "*.Example";
	struct settings_ssh entry = {.host = host};
	struct settings settings = {.ssh = &entry, .ssh_count = 1};
	struct outside outside = {.settings = &settings};
	struct reverse_task task = {.target = address("198.51.100.80"), .outside = &outside};
	assert_false(ssh_method.configured(&task));
	task.target_name = "far.example";
	assert_true(ssh_method.configured(&task));
	task.target_name = "far.example.net";
	assert_false(ssh_method.configured(&task));
	task.outside = NULL;
	assert_false(ssh_method.configured(&task));
}

/* Another machine than the target, by what ssh says or by the connection. */
static void test_vantage(void **state)
{
	(void)state;
	struct scene s = {0};
	expect(&s, "beside", ATTEMPT_OK, "not the target");
	expect_path(&s, "203.0.113.9", CERTAINTY_INFERRED);
	assert_non_null(s.path->vantage);
	assert_string_equal(s.path->vantage->name, "beside");
	assert_true(addr_equal(s.path->vantage->address, address("198.51.100.81")));
	path_free(s.path);
}

/* The far side sees the jump host, which nobody wants to trace. */
static void test_jump(void **state)
{
	(void)state;
	struct scene s = {0};
	expect(&s, "jumped", ATTEMPT_OK, "traceroute on jumped");
	expect_path(&s, "198.51.100.7", CERTAINTY_MEASURED);
	path_free(s.path);
	s = (struct scene){0};
	begin(&s, "jumped");
	s.task.source = address("192.168.1.2");
	run(&s);
	assert_int_equal(s.status, ATTEMPT_UNAVAILABLE);
	assert_non_null(strstr(s.detail, "--public-address"));
	assert_null(s.path);
}

static void test_failures(void **state)
{
	(void)state;
	static const struct {
		const char *destination;
		enum attempt_status status;
		const char *says;
	} cases[] = {
		{"password", ATTEMPT_REFUSED, "ssh-copy-id"},
		{"broken", ATTEMPT_FAILED, "Bad configuration option"},
		{"lame", ATTEMPT_FAILED, "traceroute on lame gave no trace: it ended with status 141"},
		{"liar", ATTEMPT_FAILED, "not our address"},
		{"flood", ATTEMPT_FAILED, "more than 4 MiB"},
		{"-oProxyCommand=touch /tmp/x", ATTEMPT_FAILED, "no destination for ssh"},
		{"", ATTEMPT_FAILED, "no destination for ssh"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scene s = {0};
		expect(&s, cases[i].destination, cases[i].status, cases[i].says);
		assert_null(s.path);
	}
	struct scene s = {0};
	char *path = strdup(getenv("PATH"));
	setenv("PATH", "/nonexistent", 1);
	expect(&s, "unix", ATTEMPT_UNAVAILABLE, "install openssh-client");
	setenv("PATH", path, 1);
	free(path);
}

/* ---- its end before its time */

static pid_t running_pid(void)
{
	char path[200];
	int pid = 0;
	snprintf(path, sizeof(path), "%s/pid", folder);
	FILE *file = fopen(path, "r");
	if (file && fscanf(file, "%d", &pid) != 1)
		pid = 0;
	if (file)
		fclose(file);
	return pid;
}

static bool group_is_gone(pid_t pid)
{
	for (int i = 0; i < 200 && kill(-pid, 0) == 0; i++)
		usleep(10000);
	return kill(-pid, 0) < 0;
}

static pid_t start_and_wait_for(struct scene *s, const char *destination)
{
	char path[200];
	snprintf(path, sizeof(path), "%s/pid", folder);
	unlink(path);
	begin(s, destination);
	s->run = ssh_method.start(&s->task);
	assert_int_equal(next(s), MACHINE_WAIT);
	for (int i = 0; i < 1000 && running_pid() == 0; i++) {
		uv_run(&s->loop, UV_RUN_NOWAIT);
		usleep(5000);
	}
	assert_true(running_pid() > 0);
	return running_pid();
}

static void test_abandoned(void **state)
{
	(void)state;
	struct scene s = {0};
	pid_t pid = start_and_wait_for(&s, "silent");
	end(&s);
	assert_true(group_is_gone(pid));
	/* and at every step before */
	for (int steps = 0; steps < 6; steps++) {
		s = (struct scene){0};
		begin(&s, "unix");
		s.run = ssh_method.start(&s.task);
		if (steps > 0)
			next(&s);
		for (int i = 1; i < steps; i++)
			uv_run(&s.loop, UV_RUN_ONCE);
		end(&s);
	}
}

/* 60 s: what was printed by then is a part of the path; the group is gone with what it had started. */
static void test_late(void **state)
{
	(void)state;
	struct scene s = {0};
	pid_t pid = start_and_wait_for(&s, "slow");
	for (int i = 0; i < 1000; i++) {
		ssh_method.status(s.run, s.detail, sizeof(s.detail));
		if (strstr(s.detail, "traceroute is at work on slow"))
			break;
		uv_run(&s.loop, UV_RUN_NOWAIT);
		usleep(5000);
	}
	assert_non_null(strstr(s.detail, "traceroute is at work on slow"));
	later_s += 61;
	while (next(&s) != MACHINE_DONE)
		uv_run(&s.loop, UV_RUN_ONCE);
	assert_int_equal(ssh_method.status(s.run, s.detail, sizeof(s.detail)), ATTEMPT_PARTIAL);
	assert_non_null(strstr(s.detail, "stopped after 60 s"));
	s.path = ssh_method.path(s.run, 0);
	assert_non_null(s.path);
	assert_false(s.path->reached);
	assert_true(addr_equal(s.path->hops[0].address, address("198.51.100.1")));
	path_free(s.path);
	end(&s);
	assert_true(group_is_gone(pid));
	s = (struct scene){0};
	pid = start_and_wait_for(&s, "silent");
	later_s += 61;
	while (next(&s) != MACHINE_DONE)
		uv_run(&s.loop, UV_RUN_ONCE);
	assert_int_equal(ssh_method.status(s.run, s.detail, sizeof(s.detail)), ATTEMPT_TIMEOUT);
	end(&s);
	assert_true(group_is_gone(pid));
}

static int enter(void **state)
{
	(void)state;
	char path[4096];
	if (!mkdtemp(folder))
		return -1;
	put("ssh", fake, 0755);
	put("tracert", tracert, 0600);
	put("pathping", pathping, 0600);
	put("ios", ios, 0600);
	put("junos", junos, 0600);
	snprintf(path, sizeof(path), "%s/far", folder);
	mkdir(path, 0700);
	put("far/traceroute", traceroute, 0755);
	/* the script adds folders with programs of this machine; these fakes come first */
	put("far/retour", "#!/bin/sh\nexit 4\n", 0755);
	put("far/mtr", "#!/bin/sh\nexit 1\n", 0755);
	snprintf(path, sizeof(path), "%s:%s", folder, getenv("PATH"));
	return setenv("PATH", path, 1);
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
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_own_name),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_routers),
		cmocka_unit_test(test_configured),
		cmocka_unit_test(test_vantage),
		cmocka_unit_test(test_jump),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_abandoned),
		cmocka_unit_test(test_late),
	};
	return cmocka_run_group_tests(tests, enter, leave);
}
