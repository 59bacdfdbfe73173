#include "serve/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/socket.h>

#include "net/privilege.h"

static const int allowed[] = {
	/* packets and the event loop */
	SCMP_SYS(recvmsg),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	/* reading this host's addresses again: netlink (the socket call itself is below) */
	SCMP_SYS(bind),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpid),
	/* the C library */
	SCMP_SYS(clock_gettime),
	SCMP_SYS(futex),
	SCMP_SYS(brk),
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(mprotect),
	SCMP_SYS(getrandom),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(newfstatat),
	SCMP_SYS(fstat),
	SCMP_SYS(sched_yield),
};

static int add_rules(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp netlink = {.arg = 0, .op = SCMP_CMP_EQ, .datum_a = AF_NETLINK};
	int code = 0;
	for (size_t i = 0; i < ARRAY_LEN(allowed) && code == 0; i++)
		code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	if (code == 0)
		code = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, &netlink);
	return code;
}

int sandbox_enter(struct error *error)
{
	int code = privilege_drop(error);
	if (code < 0)
		return code;
	/* A call that is not on the list fails instead of killing: a responder in service keeps serving when
	 * a library takes another way than the one foreseen. */
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	code = filter ? add_rules(filter) : -ENOMEM;
	if (code == 0)
		code = seccomp_load(filter);
	seccomp_release(filter);
	return code ? error_set(error, code, "cannot limit system calls: %s", strerror(-code)) : 0;
}
