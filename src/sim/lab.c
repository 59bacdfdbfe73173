/* Three processes: the one that was called (outside), the lab (process 1 of a new PID namespace), and the
 * programs on the hosts. When the first dies, the kernel kills the second (PR_SET_PDEATHSIG), and with
 * process 1 of a PID namespace die all others in it, and with the last of them the namespaces and their
 * devices. So there is nothing to clean up, whoever is killed. */
#include "sim/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "sim/lab_inside.h"
#include "sim/netns.h"

/* What the lab tells the process outside. */
struct verdict {
	int status;
	struct error error;
};

static void handled_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGQUIT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t written = write(fd, text, strlen(text));
	int code = written < 0 ? -errno : 0;
	close(fd);
	return code;
}

/* Be root in a user namespace of our own, which maps to the user outside. */
static int become_root_of_our_own(void)
{
	char map[2][40];
	snprintf(map[0], sizeof(map[0]), "0 %u 1", geteuid());
	snprintf(map[1], sizeof(map[1]), "0 %u 1", getegid());
	if (unshare(CLONE_NEWUSER) < 0)
		return -errno;
	int result = write_text("/proc/self/setgroups", "deny");
	if (result == 0)
		result = write_text("/proc/self/uid_map", map[0]);
	if (result == 0)
		result = write_text("/proc/self/gid_map", map[1]);
	return result;
}

static int separate(struct error *error)
{
	const int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET;
	if (unshare(flags) == 0)
		return 0;
	int result = become_root_of_our_own();
	if (result == 0 && unshare(flags) < 0)
		result = -errno;
	if (result == 0)
		return 0;
	return error_set(error, result,
		"cannot create namespaces for the lab: %s; run as root, or let users have namespaces (sysctl "
		"kernel.unprivileged_userns_clone=1 and user.max_user_namespaces above 0)",
		strerror(-result));
}

int lab_watch(struct lab *lab, int fd, enum lab_source source, uint32_t index)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)source << 32 | index};
	return fd < 0 || epoll_ctl(lab->epoll, EPOLL_CTL_ADD, fd, &event) < 0
		? error_set(lab->error, -errno, "cannot watch a file descriptor: %s", strerror(errno))
		: 0;
}

static int make_events(struct lab *lab)
{
	sigset_t set;
	handled_signals(&set);
	lab->epoll = epoll_create1(EPOLL_CLOEXEC);
	lab->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	lab->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	int result = lab_watch(lab, lab->timer, LAB_TIMER, 0);
	return result < 0 ? result : lab_watch(lab, lab->signals, LAB_SIGNALS, 0);
}

static bool runs_programs(const struct lab_options *options, uint32_t host)
{
	bool runs = host == options->host;
	for (unsigned i = 0; !options->no_services && i < options->world->service_count; i++)
		runs |= options->world->services[i].host == host;
	return runs;
}

static int make_hosts(struct lab *lab)
{
	const struct world *world = lab->options->world;
	lab->hosts = calloc(world->host_count + 1, sizeof(*lab->hosts));
	lab->service_count = lab->options->no_services ? 0 : world->service_count;
	lab->services = calloc(lab->service_count + 1, sizeof(*lab->services));
	lab->sim = sim_new(world, lab->options->seed);
	if (!lab->hosts || !lab->services || !lab->sim)
		return error_set(lab->error, -ENOMEM, "out of memory");
	int result = 0;
	for (uint32_t i = 0; i < world->host_count && result == 0; i++) {
		struct lab_host *host = &lab->hosts[i];
		*host = (struct lab_host){-1, -1};
		if (world->host_count > LAB_KERNELS_MAX && !runs_programs(lab->options, i))
			continue;
		result = netns_new("eth0", world_node_address(world, i, 4), world_node_address(world, i, 6),
			world->nodes[i].behaviour.srv6 == SRV6_ON, &host->namespace_fd, &host->device_fd,
			lab->error);
		if (result == 0)
			result = lab_watch(lab, host->device_fd, LAB_DEVICE, i);
	}
	return result;
}

/* Exact times matter more than fairness to others: the lab sleeps most of the time. Where it is not allowed,
 * the round-trip times are a little less exact. */
static void hurry(void)
{
	struct sched_param parameters = {.sched_priority = 1};
	(void)prctl(PR_SET_TIMERSLACK, 1);
	(void)sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters);
}

static void write_packet(
	void *context, const uint8_t *head, size_t head_length, const uint8_t *packet, size_t length)
{
	const struct lab_recording *recording = context;
	struct iovec parts[] = {{(void *)head, head_length}, {(void *)packet, length}};
	ssize_t written UNUSED = writev(recording->fd, parts, ARRAY_LEN(parts));
}

static void record(void *context, uint32_t interface, bool arrives, const uint8_t *bytes, size_t length)
{
	const struct lab *lab = context;
	for (unsigned i = 0; i < lab->options->recording_count; i++)
		pcap_packet(&lab->options->recordings[i].pcap, sim_now(lab->sim), interface, arrives, bytes,
			length);
}

static void start_recordings(struct lab *lab)
{
	for (unsigned i = 0; i < lab->options->recording_count; i++) {
		struct lab_recording *recording = &lab->options->recordings[i];
		recording->pcap.sink = write_packet;
		recording->pcap.context = recording;
		recording->pcap.epoch_ns = clock_wall_ns();
		pcap_begin(&recording->pcap);
	}
	if (lab->options->recording_count > 0)
		sim_set_tap(lab->sim, record, lab);
}

static int inside(struct lab *lab)
{
	int result = make_events(lab);
	if (result == 0)
		result = lab_view(lab->options->world, lab->error);
	if (result == 0)
		result = make_hosts(lab);
	if (result == 0)
		result = lab_control_open(lab);
	if (result < 0)
		return result;
	hurry();
	lab->started_ns = clock_monotonic_ns();
	start_recordings(lab);
	result = lab_start_services(lab);
	return result < 0 ? result : lab_loop(lab);
}

/* Process 1. */
static void run_inside(const struct lab_options *options, int outside)
{
	struct verdict verdict = {0};
	struct lab lab = {.options = options, .error = &verdict.error};
	struct pollfd poll_fd = {.fd = outside};
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Died before it could be noticed? Then nobody reads the pipe. */
	if (poll(&poll_fd, 1, 0) == 1 && poll_fd.revents & POLLERR)
		_exit(1);
	if (inside(&lab) < 0 && verdict.error.code == 0)
		(void)error_set(&verdict.error, -EIO, "the lab failed");
	verdict.status = lab.status;
	ssize_t written UNUSED = write(outside, &verdict, sizeof(verdict));
	_exit(0);
}

/* The terminal sends Ctrl-C to the command as well; what somebody sends to us alone is handed on. */
static void wait_outside(pid_t pid)
{
	sigset_t set;
	siginfo_t info;
	handled_signals(&set);
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (sigwaitinfo(&set, &info) < 0 || info.si_signo == SIGCHLD || info.si_code == SI_KERNEL)
			continue;
		(void)kill(pid, info.si_signo);
	}
}

int lab_run(const struct lab_options *options, int *status, struct error *error)
{
	struct verdict verdict;
	int pipe_fds[2];
	sigset_t set, before;
	int result = separate(error);
	if (result < 0)
		return result;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return error_set(error, -errno, "cannot make a pipe: %s", strerror(errno));
	handled_signals(&set);
	sigprocmask(SIG_BLOCK, &set, &before);
	pid_t pid = fork();
	if (pid == 0) {
		close(pipe_fds[0]);
		run_inside(options, pipe_fds[1]);
	}
	close(pipe_fds[1]);
	if (pid > 0)
		wait_outside(pid);
	sigprocmask(SIG_SETMASK, &before, NULL);
	bool told = pid > 0 && read(pipe_fds[0], &verdict, sizeof(verdict)) == sizeof(verdict);
	close(pipe_fds[0]);
	if (!told)
		return error_set(error, -EIO, pid < 0 ? "cannot start the lab" : "the lab was killed");
	*status = verdict.status;
	if (verdict.error.code < 0)
		*error = verdict.error;
	return verdict.error.code;
}
