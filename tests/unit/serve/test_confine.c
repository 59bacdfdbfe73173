/* Where files can still be written, seen by a child: it cannot be undone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compiler.h"
#include "serve/confine.h"

#define TRY(what) \
	do { \
		if (!(what)) \
			_exit(__LINE__ & 0x7f); \
	} while (0)

static bool can_write(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* In a folder with `in` and, beside it, `out/there`. */
static void child(void)
{
	struct error error = {0};
	TRY(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	TRY(can_write("out/there") && can_write("in/one"));
	TRY(confine_writing("in", &error) == 0);
	TRY(can_write("in/two") && unlink("in/two") == 0 && truncate("in/one", 0) == 0);
	TRY(!can_write("out/there") && errno == EACCES);
	TRY(!can_write("out/new") && errno == EACCES);
	TRY(unlink("out/there") < 0 && errno == EACCES);
	TRY(rename("in/one", "out/one") < 0);
	TRY(symlink("/", "in/way-out") < 0 && mkdir("in/folder", 0700) < 0);
	TRY(open("out/there", O_RDONLY | O_CLOEXEC) >= 0);
	TRY(execl("/bin/true", "true", NULL) < 0 && errno == EACCES);
	_exit(0);
}

static void writes_in_its_folder_only(void **state UNUSED)
{
	char folder[] = "/tmp/retour-confine-XXXXXX", command[80];
	int status;
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1) {
		print_message("no Landlock here\n");
		skip();
	}
	assert_non_null(mkdtemp(folder));
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		TRY(chdir(folder) == 0 && mkdir("in", 0700) == 0 && mkdir("out", 0700) == 0);
		child();
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
	assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(writes_in_its_folder_only)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
