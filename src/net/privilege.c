#include "net/privilege.h"

#include <errno.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

int privilege_drop(struct error *error)
{
	if (setresgid(getgid(), getgid(), getgid()) < 0 || setresuid(getuid(), getuid(), getuid()) < 0)
		return error_set(error, -errno, "cannot give up set-user-id: %s", strerror(errno));
	cap_t none = cap_init();
	int result = none ? cap_set_proc(none) : -1;
	int code = result < 0 ? -errno : 0;
	if (none)
		cap_free(none);
	if (code < 0)
		return error_set(error, code, "cannot give up capabilities: %s", strerror(-code));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set(error, -errno, "cannot forbid new privileges: %s", strerror(errno));
	return 0;
}
