#include "serve/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/compiler.h"
#include "base/library.h"
#include "net/privilege.h"
#include "serve/confine.h"

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
	SCMP_SYS(adjtimex), /* reading whether the clock is right */
	SCMP_SYS(clock_adjtime),
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

/* libmicrohttpd and its connections; traces that are paced by a timer. */
static const int allowed_http[] = {
	SCMP_SYS(accept4),
	SCMP_SYS(shutdown),
	SCMP_SYS(getsockopt),
	SCMP_SYS(timerfd_settime),
};

/* A second daemon of libmicrohttpd beside the one with the old certificate. */
static const int allowed_certificates[] = {
	SCMP_SYS(epoll_create1),
	SCMP_SYS(eventfd2),
	SCMP_SYS(pipe2),
	SCMP_SYS(fcntl),
	SCMP_SYS(lseek),
};

/* libmosquitto and OpenSSL, which read their files again for each connection; the C library's names. */
static const int allowed_agent[] = {
	SCMP_SYS(connect),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(getpeername),
	SCMP_SYS(fcntl),
	SCMP_SYS(lseek),
	SCMP_SYS(pread64),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(uname),
	SCMP_SYS(gettid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(statx),
	SCMP_SYS(readlink),
};

/* SQLite. Where it may open files for writing is confine.c's business: here names are not seen. */
static const int allowed_store[] = {
	SCMP_SYS(openat),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(lseek),
	SCMP_SYS(fcntl),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fallocate),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(readlink),
	SCMP_SYS(getcwd),
	SCMP_SYS(geteuid),
	SCMP_SYS(clock_nanosleep),
};

/* libseccomp's functions under their own names, without the prefix; loaded by those who confine themselves. */
struct filter {
	scmp_filter_ctx rules;
	scmp_filter_ctx (*init)(uint32_t action);
	int (*rule_add)(scmp_filter_ctx rules, uint32_t action, int call, unsigned count, ...);
	int (*rule_add_array)(scmp_filter_ctx rules, uint32_t action, int call, unsigned count,
		const struct scmp_arg_cmp *arguments);
	int (*load)(scmp_filter_ctx rules);
	void (*release)(scmp_filter_ctx rules);
};

static int load(struct filter *filter, struct error *error)
{
	const struct library_symbol symbols[] = {
		{"seccomp_init", &filter->init},
		{"seccomp_rule_add", &filter->rule_add},
		{"seccomp_rule_add_array", &filter->rule_add_array},
		{"seccomp_load", &filter->load},
		{"seccomp_release", &filter->release},
	};
	return library_load("libseccomp.so.2", "libseccomp2", symbols, ARRAY_LEN(symbols), error);
}

static int allow(const struct filter *filter, const int *calls, size_t count)
{
	int code = 0;
	for (size_t i = 0; i < count && code == 0; i++)
		code = filter->rule_add(filter->rules, SCMP_ACT_ALLOW, calls[i], 0);
	return code;
}

/* If argument number `argument` is `value`. */
static int allow_with(const struct filter *filter, int call, unsigned argument, int value)
{
	const struct scmp_arg_cmp is = {.arg = argument, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)value};
	return filter->rule_add_array(filter->rules, SCMP_ACT_ALLOW, call, 1, &is);
}

/* Files are opened, but not changed. */
static int allow_reading(const struct filter *filter)
{
	const struct scmp_arg_cmp reading[] = {{.arg = 2,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = O_ACCMODE | O_CREAT | O_TRUNC,
		.datum_b = O_RDONLY}};
	return filter->rule_add_array(filter->rules, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, reading);
}

static int allow_http(const struct filter *filter, const struct sandbox_needs *needs)
{
	int code = allow(filter, allowed_http, ARRAY_LEN(allowed_http));
	if (code == 0)
		code = allow_with(filter, SCMP_SYS(setsockopt), 1, SOL_SOCKET);
	if (code == 0)
		code = allow_with(filter, SCMP_SYS(setsockopt), 1, IPPROTO_TCP);
	if (code == 0)
		code = allow_with(filter, SCMP_SYS(ioctl), 1, SIOCOUTQ);
	for (size_t i = 0; i < ARRAY_LEN(needs->connecting) && code == 0; i++)
		if (needs->connecting[i] >= 0)
			code = allow_with(filter, SCMP_SYS(connect), 0, needs->connecting[i]);
	return code;
}

static int allow_agent(const struct filter *filter)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
	static const int families[] = {AF_INET, AF_INET6, AF_UNIX};
	int code = allow(filter, allowed_agent, ARRAY_LEN(allowed_agent));
	for (size_t i = 0; i < ARRAY_LEN(families) * ARRAY_LEN(types) && code == 0; i++) {
		/* no raw sockets, whatever becomes of the capabilities */
		const struct scmp_arg_cmp ordinary[] = {
			{.arg = 0,
				.op = SCMP_CMP_EQ,
				.datum_a = (scmp_datum_t)families[i / ARRAY_LEN(types)]},
			{.arg = 1,
				.op = SCMP_CMP_MASKED_EQ,
				.datum_a = (scmp_datum_t) ~(SOCK_CLOEXEC | SOCK_NONBLOCK),
				.datum_b = (scmp_datum_t)types[i % ARRAY_LEN(types)]}};
		code = filter->rule_add_array(filter->rules, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, ordinary);
	}
	/* a coordinator on this machine: bus/socket.c */
	const struct scmp_arg_cmp frames[] = {{.arg = 0, .op = SCMP_CMP_EQ, .datum_a = AF_UNIX},
		{.arg = 1,
			.op = SCMP_CMP_MASKED_EQ,
			.datum_a = (scmp_datum_t) ~(SOCK_CLOEXEC | SOCK_NONBLOCK),
			.datum_b = SOCK_SEQPACKET}};
	if (code == 0)
		code = filter->rule_add_array(filter->rules, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, frames);
	return code == 0 ? allow_with(filter, SCMP_SYS(ioctl), 1, FIONREAD) : code;
}

static int add_rules(const struct filter *filter, const struct sandbox_needs *needs)
{
	int code = allow(filter, allowed, ARRAY_LEN(allowed));
	if (code == 0)
		code = allow_with(filter, SCMP_SYS(socket), 0, AF_NETLINK);
	if (code == 0 && needs->agent)
		code = allow_agent(filter);
	if (code == 0 && needs->folder)
		code = allow(filter, allowed_store, ARRAY_LEN(allowed_store));
	if (code == 0 && needs->certificates)
		code = allow(filter, allowed_certificates, ARRAY_LEN(allowed_certificates));
	if (code == 0 && !needs->folder && (needs->agent || needs->certificates))
		code = allow_reading(filter);
	/* libuv, for each socket that it watches */
	if (code == 0 && (needs->agent || needs->certificates || needs->folder))
		code = allow_with(filter, SCMP_SYS(ioctl), 1, FIONBIO);
	return code == 0 && needs->http ? allow_http(filter, needs) : code;
}

int sandbox_enter(const struct sandbox_needs *needs, struct error *error)
{
	struct filter filter;
	int code = load(&filter, error);
	if (code == 0)
		code = privilege_drop(error);
	if (code == 0 && needs->folder)
		code = confine_writing(needs->folder, error);
	if (code < 0)
		return code;
	/* A call that is not on the list fails instead of killing: a responder in service keeps serving when
	 * a library takes another way than the one foreseen. */
	filter.rules = filter.init(SCMP_ACT_ERRNO(EPERM));
	code = filter.rules ? add_rules(&filter, needs) : -ENOMEM;
	if (code == 0)
		code = filter.load(filter.rules);
	filter.release(filter.rules);
	return code ? error_set(error, code, "cannot limit system calls: %s", strerror(-code)) : 0;
}
