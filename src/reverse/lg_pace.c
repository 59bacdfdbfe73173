#include "reverse/lg_pace.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/compiler.h"

/* The folder, made where it is missing. False: there can be none, and nothing is remembered. */
static bool folder(char *path, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char parent[300];
	if (state && *state == '/')
		snprintf(parent, sizeof(parent), "%s", state);
	else if (home && *home == '/')
		snprintf(parent, sizeof(parent), "%s/.local/state", home);
	else
		return false;
	snprintf(path, size, "%.300s/retour", parent);
	for (char *slash = path + 1; *slash; slash++) {
		if (*slash != '/')
			continue;
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	mkdir(path, 0700);
	return access(path, W_OK) == 0;
}

unsigned lg_pace(const char *name, unsigned min_interval_s)
{
	char path[512], file[100];
	struct stat status;
	size_t length = 0;
	if (min_interval_s == 0 || !folder(path, sizeof(path)))
		return 0;
	for (; name[length] && length + 1 < sizeof(file); length++)
		file[length] = isalnum((unsigned char)name[length]) ? name[length] : '_';
	file[length] = '\0';
	snprintf(path + strlen(path), sizeof(path) - strlen(path), "/lg-%s", file);
	int64_t now_s = clock_wall_ns() / NS_PER_S;
	if (stat(path, &status) == 0 && status.st_mtime <= now_s &&
		now_s < status.st_mtime + (int64_t)min_interval_s)
		return (unsigned)(status.st_mtime + (int64_t)min_interval_s - now_s);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0) {
		futimens(fd, NULL);
		close(fd);
	}
	return 0;
}
