/* Programs on hosts: the command of the user, and the services of the world. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/lab_inside.h"

#define WORDS_MAX	       32
#define ORDINARY_TIMERSLACK_NS 50000

static int child_output(int output)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
		dup2(output, STDERR_FILENO) < 0)
		return -errno;
	/* a group of its own: Ctrl-C is for the command */
	return setpgid(0, 0) < 0 ? -errno : 0;
}

/* In the child; returns only on failure. */
static int become(const struct lab *lab, uint32_t host, char *const *command, int output)
{
	const char *name = lab->options->world->nodes[host].name;
	sigset_t none;
	sigemptyset(&none);
	if (output >= 0) {
		int result = child_output(output);
		if (result < 0)
			return result;
	}
	if (setns(lab->hosts[host].namespace_fd, CLONE_NEWNET) < 0)
		return -errno;
	/* only for the prompt of a shell */
	if (unshare(CLONE_NEWUTS) == 0 && sethostname(name, strlen(name)) < 0)
		return -errno;
	(void)prctl(PR_SET_TIMERSLACK, ORDINARY_TIMERSLACK_NS);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(command[0], command);
	return -errno;
}

int lab_spawn(
	struct lab *lab, uint32_t host, char *const *command, int output, pid_t *pid, struct error *error)
{
	int pipe_fds[2], failure = 0;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return error_set(error, -errno, "cannot start %s: %s", command[0], strerror(errno));
	*pid = fork();
	if (*pid == 0) {
		failure = become(lab, host, command, output);
		ssize_t written UNUSED = write(pipe_fds[1], &failure, sizeof(failure));
		_exit(127);
	}
	if (*pid < 0)
		failure = -errno;
	close(pipe_fds[1]);
	/* Nothing to read: exec has closed the pipe. */
	if (*pid > 0 && read(pipe_fds[0], &failure, sizeof(failure)) == sizeof(failure))
		(void)waitpid(*pid, NULL, 0);
	close(pipe_fds[0]);
	if (failure == 0)
		return 0;
	*pid = 0;
	return error_set(error, failure, "cannot run '%s': %s", command[0], strerror(-failure));
}

/* Words apart at blanks; `text` is cut up. */
static void split(char *text, char *words[static WORDS_MAX])
{
	size_t count = 0;
	char *rest = NULL;
	for (char *word = strtok_r(text, " \t", &rest); word && count + 1 < WORDS_MAX;
		word = strtok_r(NULL, " \t", &rest))
		words[count++] = word;
	words[count] = NULL;
}

static int start_service(struct lab *lab, unsigned index)
{
	const struct world_service *from = &lab->options->world->services[index];
	struct lab_service *service = &lab->services[index];
	char *words[WORDS_MAX], *text = strdup(from->command);
	int pipe_fds[2];
	struct error why = {0};
	if (!text || pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		free(text);
		return error_set(lab->error, -ENOMEM, "out of memory");
	}
	split(text, words);
	service->output = pipe_fds[0];
	if (words[0] && lab_spawn(lab, from->host, words, pipe_fds[1], &service->pid, &why) < 0) {
		service->ready = true;
		lab->options->warn(why.text);
	}
	close(pipe_fds[1]);
	free(text);
	return lab_watch(lab, service->output, LAB_SERVICE, index);
}

int lab_start_services(struct lab *lab)
{
	int result = 0;
	for (unsigned i = 0; i < lab->service_count && result == 0; i++)
		result = start_service(lab, i);
	return result;
}
