#include "cli/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/exit.h"

void streams_guard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		/* The lowest free number is this one. The wrong direction makes every use an error. */
		if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return;
	}
}

int streams_finish(const char *program, int status, int if_lost)
{
	bool failed = fflush(stdout) != 0;
	const char *reason = failed ? strerror(errno) : "standard output failed";
	if ((!failed && !ferror(stdout)) || status != EXIT_OK)
		return status;
	fprintf(stderr, "%s: cannot write the result: %s\n", program, reason);
	return if_lost;
}
