/* The system calls themselves: libcap would cost each start of the program more than the calls do. */
#include "net/privilege.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int privilege_drop(struct error *error)
{
	struct __user_cap_header_struct mine = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
	if (setresgid(getgid(), getgid(), getgid()) < 0 || setresuid(getuid(), getuid(), getuid()) < 0)
		return error_set(error, -errno, "cannot give up set-user-id: %s", strerror(errno));
	if (syscall(SYS_capset, &mine, none) < 0)
		return error_set(error, -errno, "cannot give up capabilities: %s", strerror(errno));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set(error, -errno, "cannot forbid new privileges: %s", strerror(errno));
	return 0;
}

bool privilege_has(unsigned capability)
{
	struct __user_cap_header_struct mine = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
	if (syscall(SYS_capget, &mine, data) < 0)
		return false;
	return data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}
