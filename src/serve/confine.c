#include "serve/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

#define FILES                                                                                                \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |      \
		LANDLOCK_ACCESS_FS_TRUNCATE)
#define OTHERS                                                                                               \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_CHAR |         \
		LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |  \
		LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER)

/* What a kernel of this version does not know it must not be asked for. */
static uint64_t known(long version)
{
	return version >= 3    ? UINT64_MAX
		: version == 2 ? LANDLOCK_ACCESS_FS_TRUNCATE - 1
			       : LANDLOCK_ACCESS_FS_REFER - 1;
}

static int restrict_to(int rules, const char *folder, uint64_t allowed)
{
	struct landlock_path_beneath_attr beneath = {.allowed_access = allowed};
	beneath.parent_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (beneath.parent_fd < 0)
		return -errno;
	int code = 0;
	if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0 ||
		syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		code = -errno;
	close(beneath.parent_fd);
	return code;
}

int confine_writing(const char *folder, struct error *error)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 1)
		return 0;
	struct landlock_ruleset_attr attributes = {.handled_access_fs = (FILES | OTHERS) & known(version)};
	int rules = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	if (rules < 0)
		return error_set(error, -errno, "cannot limit where files are written: %s", strerror(errno));
	int code = restrict_to(rules, folder, FILES & known(version));
	close(rules);
	return code < 0 ? error_set(error, code, "cannot limit writing to %s: %s", folder, strerror(-code))
			: 0;
}
