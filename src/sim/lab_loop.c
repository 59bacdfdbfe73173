/* The event loop of a running lab: packets between devices and simulator, time, and the ends of processes.
 *
 * The simulator keeps exact time: a packet that is handled late by some microseconds is still due at the next
 * router when it would have been, so only the last step carries the delay of this machine. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "sim/lab_inside.h"

/* How long a service may take to say that it is up, and to end. */
#define SERVICE_START_NS (500 * NS_PER_MS)
#define SERVICE_READY_NS (20 * NS_PER_S) /* those that the world says what they say of */
#define SERVICE_STOP_NS	 (300 * NS_PER_MS)
#define EVENTS_MAX	 32
#define PACKETS_AT_ONCE	 64 /* from one host, then others have their turn */

/* A sleeping processor wakes up so late at times. Before a packet is due at a host the lab is up early and
 * looks at the clock, where there is another processor for the others. */
#define WAKE_EARLY_NS (150 * NS_PER_US)
#define AWAKE_MAX_NS  (20 * NS_PER_MS)

static int64_t lab_now(const struct lab *lab)
{
	return clock_monotonic_ns() - lab->started_ns;
}

static void send_all(struct lab *lab, uint32_t host)
{
	uint8_t bytes[65536];
	ssize_t got;
	for (unsigned i = 0; i < PACKETS_AT_ONCE; i++) {
		got = read(lab->hosts[host].device_fd, bytes, sizeof(bytes));
		if (got <= 0)
			break;
		sim_advance(lab->sim, lab_now(lab));
		(void)sim_send(lab->sim, host, bytes, (size_t)got); /* what is no packet, no network takes */
	}
}

static bool deliver(void *context, uint32_t host, const uint8_t *bytes, size_t length)
{
	struct lab *lab = context;
	int fd = lab->hosts[host].device_fd;
	if (fd < 0)
		return false;
	ssize_t written UNUSED = write(fd, bytes, length); /* full queues lose packets */
	return true;
}

static void set_timer(struct lab *lab, int64_t due_ns)
{
	struct itimerspec when = {0};
	if (due_ns != TIME_NEVER) {
		int64_t at = lab->started_ns + due_ns;
		when.it_value = (struct timespec){.tv_sec = at / NS_PER_S, .tv_nsec = at % NS_PER_S};
	}
	(void)timerfd_settime(lab->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

/* Wait until something comes or is due, and return how many events there are. Time awake has to be earned by
 * sleep: a busy lab does not spin, or the kernel would stop it for using a processor all the time. */
static int await(struct lab *lab, struct epoll_event *events)
{
	int64_t now_ns = lab_now(lab), due_ns = sim_next(lab->sim);
	if (lab->may_spin && lab->awake_ns > 0 && sim_next_is_visible(lab->sim))
		due_ns -= WAKE_EARLY_NS;
	bool spin = due_ns <= now_ns;
	if (!spin)
		set_timer(lab, MIN(due_ns, lab->deadline_ns));
	int count = epoll_wait(lab->epoll, events, EVENTS_MAX, spin ? 0 : -1);
	int64_t passed_ns = lab_now(lab) - now_ns;
	lab->awake_ns = MIN(lab->awake_ns + (spin ? -passed_ns : passed_ns), AWAKE_MAX_NS);
	return count;
}

static void enter(struct lab *lab, int state, int64_t patience_ns)
{
	lab->state = state;
	lab->deadline_ns = patience_ns == TIME_NEVER ? TIME_NEVER : lab_now(lab) + patience_ns;
}

/* Keep the last line, for the case that the service fails. */
static void listen_to(struct lab_service *service, const char *ready)
{
	char text[1024];
	ssize_t got = read(service->output, text, sizeof(text) - 1);
	if (got == 0 || (got < 0 && errno != EAGAIN)) {
		close(service->output);
		service->output = -1;
		return;
	}
	if (got < 0)
		return;
	text[got] = '\0';
	service->ready |= !ready || strstr(text, ready);
	char *rest = NULL;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		snprintf(service->last, sizeof(service->last), "%.*s", (int)sizeof(service->last) - 1, line);
}

static void service_ended(struct lab *lab, unsigned index, int status)
{
	struct lab_service *service = &lab->services[index];
	const struct world_service *from = &lab->options->world->services[index];
	char text[512];
	service->pid = 0;
	service->ready = true;
	if (service->output >= 0) /* what it said last may still be there */
		listen_to(service, from->ready);
	if (lab->state >= LAB_STOPPING || status == 0)
		return;
	snprintf(text, sizeof(text), "service '%s' on %s ended with status %d%s%s", from->command,
		lab->options->world->nodes[from->host].name,
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
		service->last[0] ? ": " : "", service->last);
	lab->options->warn(text);
}

static void stop_services(struct lab *lab)
{
	for (unsigned i = 0; i < lab->service_count; i++)
		if (lab->services[i].pid > 0)
			(void)kill(lab->services[i].pid, SIGTERM);
	enter(lab, LAB_STOPPING, SERVICE_STOP_NS);
}

/* As process 1 of its namespace the lab also reaps what programs leave behind. */
static void reap(struct lab *lab)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == lab->command) {
			lab->command = 0;
			lab->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			stop_services(lab);
		}
		for (unsigned i = 0; i < lab->service_count; i++)
			if (pid == lab->services[i].pid)
				service_ended(lab, i, status);
	}
}

static void take_signals(struct lab *lab)
{
	struct signalfd_siginfo info;
	while (read(lab->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD) {
			reap(lab);
		} else if (lab->state == LAB_STARTING) {
			lab->status = 128 + (int)info.ssi_signo;
			stop_services(lab);
		} else if (lab->command > 0 &&
			info.ssi_code != SI_KERNEL) { /* the terminal tells all by itself */
			(void)kill(lab->command, (int)info.ssi_signo);
		}
	}
}

static bool services_are(const struct lab *lab, bool ended)
{
	for (unsigned i = 0; i < lab->service_count; i++)
		if (ended ? lab->services[i].pid > 0 : !lab->services[i].ready)
			return false;
	return true;
}

static int64_t patience_ns(const struct lab *lab)
{
	for (unsigned i = 0; i < lab->service_count; i++)
		if (lab->options->world->services[i].ready)
			return SERVICE_READY_NS;
	return SERVICE_START_NS;
}

/* The command is run all the same: it may say more about what is missing. */
static void tell_late(const struct lab *lab)
{
	for (unsigned i = 0; i < lab->service_count; i++) {
		const struct world_service *from = &lab->options->world->services[i];
		char text[512];
		if (lab->services[i].ready || !from->ready)
			continue;
		snprintf(text, sizeof(text), "service '%s' on %s has not said '%s' within %d s%s%s",
			from->command, lab->options->world->nodes[from->host].name, from->ready,
			(int)(SERVICE_READY_NS / NS_PER_S),
			lab->services[i].last[0] ? "; its last words: " : "", lab->services[i].last);
		lab->options->warn(text);
	}
}

static int step(struct lab *lab)
{
	bool late = lab_now(lab) >= lab->deadline_ns;
	if (lab->state == LAB_STARTING && (late || services_are(lab, false))) {
		tell_late(lab);
		enter(lab, LAB_RUNNING, TIME_NEVER);
		return lab_spawn(
			lab, lab->options->host, lab->options->command, -1, &lab->command, lab->error);
	}
	if (lab->state == LAB_STOPPING && (late || services_are(lab, true)))
		lab->state = LAB_ENDED;
	return 0;
}

static void handle(struct lab *lab, enum lab_source source, uint32_t index)
{
	uint64_t ticks;
	ssize_t got UNUSED;
	switch (source) {
	case LAB_DEVICE: send_all(lab, index); break;
	case LAB_TIMER: got = read(lab->timer, &ticks, sizeof(ticks)); break;
	case LAB_SIGNALS: take_signals(lab); break;
	case LAB_SERVICE:
		if (lab->services[index].output >= 0)
			listen_to(&lab->services[index], lab->options->world->services[index].ready);
		break;
	case LAB_CONTROL: lab_control_accept(lab); break;
	case LAB_REQUEST: lab_control_answer(lab, (int)index); break;
	}
}

int lab_loop(struct lab *lab)
{
	struct epoll_event events[EVENTS_MAX];
	sim_set_deliver(lab->sim, deliver, lab);
	lab->may_spin = sysconf(_SC_NPROCESSORS_ONLN) > 1;
	enter(lab, LAB_STARTING, patience_ns(lab));
	for (;;) {
		sim_advance(lab->sim, lab_now(lab));
		int result = step(lab);
		if (result < 0 || lab->state == LAB_ENDED)
			return result;
		int count = await(lab, events);
		if (count < 0 && errno != EINTR)
			return error_set(lab->error, -errno, "epoll: %s", strerror(errno));
		for (int i = 0; i < count; i++)
			handle(lab, (enum lab_source)(events[i].data.u64 >> 32),
				(uint32_t)events[i].data.u64);
	}
}
