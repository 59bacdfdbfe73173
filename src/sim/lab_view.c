/* A private view of the file system: a small memory file system holds our files, some of which are laid over
 * those of the machine. All of it is in our mount namespace only and vanishes with it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/lab_inside.h"
#include "sim/export.h"
#include "sim/names.h"

/* Directories that are everywhere and that no program needs for what was in them before. */
static const char *const bases[] = {"/dev/shm", "/run/lock", "/mnt", "/media"};

static const char resolv_conf[] = "nameserver " NAMES_ADDRESS4 "\n"
				  "search lab\n"
				  "options timeout:1 attempts:2\n";
static const char hosts_file[] = "127.0.0.1\tlocalhost\n"
				 "::1\tlocalhost\n";
static const char nsswitch[] = "passwd: files\n"
			       "group: files\n"
			       "shadow: files\n"
			       "hosts: files dns\n"
			       "services: files\n"
			       "protocols: files\n";

static int write_file(const char *directory, const char *name, const char *text)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	ssize_t written = write(fd, text, strlen(text));
	close(fd);
	return written == (ssize_t)strlen(text) ? 0 : -EIO;
}

/* Lay our file over the machine's; one that is not there cannot be covered, and does no harm. */
static int cover(const char *directory, const char *name, const char *target)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return mount(path, target, NULL, MS_BIND, NULL) < 0 && errno != ENOENT ? -errno : 0;
}

static int make_base(char *directory, size_t size)
{
	for (size_t i = 0; i < ARRAY_LEN(bases); i++) {
		if (mount("retour-lab", bases[i], "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") < 0)
			continue;
		snprintf(directory, size, "%s/retour-lab", bases[i]);
		return mkdir(directory, 0755) < 0 ? -errno : 0;
	}
	return -errno;
}

/* `retour` inside the lab is this very program, and what it remembers ends with the lab: what the user's own
 * coordinator keeps has nothing to do with this Internet. */
static int set_environment(const char *directory)
{
	char path[PATH_MAX], program[PATH_MAX] = "";
	const char *search = getenv("PATH");
	if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
		return -errno;
	snprintf(path, sizeof(path), "%s/bin", directory);
	if (mkdir(path, 0755) < 0)
		return -errno;
	snprintf(path, sizeof(path), "%s/bin/retour", directory);
	if (symlink(program, path) < 0)
		return -errno;
	snprintf(path, sizeof(path), "%s/bin:%s", directory, search ? search : "/usr/bin:/bin");
	if (setenv("PATH", path, 1) < 0)
		return -errno;
	snprintf(path, sizeof(path), "%s/state", directory);
	if (mkdir(path, 0700) < 0 || setenv("XDG_STATE_HOME", path, 1) < 0 ||
		setenv("RETOUR_DATA", directory, 1) < 0)
		return -errno;
	return 0;
}

static int write_all(const struct world *world, const char *directory)
{
	int result = 0;
	for (const struct export *export = exports; export->file && result == 0; export ++) {
		char *text = export->write(world);
		result = text ? write_file(directory, export->file, text) : -ENOMEM;
		free(text);
	}
	if (result == 0)
		result = write_file(directory, "resolv.conf", resolv_conf);
	if (result == 0)
		result = write_file(directory, "hosts", hosts_file);
	if (result == 0)
		result = write_file(directory, "nsswitch.conf", nsswitch);
	return result;
}

int lab_view(const struct world *world, struct error *error)
{
	char directory[PATH_MAX / 2] = "";
	umask(022);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_set(
			error, -errno, "cannot make the mounts of the lab private: %s", strerror(errno));
	int result = make_base(directory, sizeof(directory));
	/* First the links that need the old /proc; a new one is not always allowed in a container. */
	if (result == 0)
		result = set_environment(directory);
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 && errno != EPERM)
		result = -errno;
	if (result == 0)
		result = write_all(world, directory);
	if (result == 0)
		result = cover(directory, "resolv.conf", "/etc/resolv.conf");
	if (result == 0)
		result = cover(directory, "hosts", "/etc/hosts");
	if (result == 0)
		result = cover(directory, "nsswitch.conf", "/etc/nsswitch.conf");
	return result < 0 ? error_set(error, result, "cannot set up the files of the lab in %s: %s",
				    directory, strerror(-result))
			  : 0;
}
