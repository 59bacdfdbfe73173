#include "net/driver.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "net/stamp.h"

/* After so many packets look at what came in, so that a long burst does not starve the receiver. */
#define SENDS_A_ROUND 32

#define PROGRESS_AFTER_MS 2000
#define PROGRESS_EVERY_MS 500

static void on_packet(void *context, int64_t received_ns, const struct packet *packet)
{
	struct driver *driver = context;
	for (unsigned i = 0; i < driver->machine_count; i++) {
		struct machine *machine = &driver->machines[i].machine;
		machine->ops->packet(machine->self, received_ns, packet);
	}
}

static void on_stamp(void *context, uint32_t number, int64_t sent_ns)
{
	struct driver *driver = context;
	if (number >= driver->send_count || driver->send_count - number > DRIVER_STAMPS)
		return;
	struct machine *machine = &driver->machines[driver->sends[number % DRIVER_STAMPS].machine].machine;
	machine->ops->sent(machine->self, driver->sends[number % DRIVER_STAMPS].token, sent_ns, 0);
}

static void receive(struct driver *driver)
{
	struct channel_events events = {.packet = on_packet, .stamp = on_stamp, .context = driver};
	driver->channel->receive(driver->channel, &events);
}

static void transmit(struct driver *driver, unsigned index, const struct outgoing *outgoing)
{
	struct machine *machine = &driver->machines[index].machine;
	int64_t now_ns = clock_monotonic_ns();
	int result = driver->channel->send(driver->channel, outgoing);
	if (result == -EAGAIN || result == -ENOBUFS) {
		/* The queue of the interface is full for a moment: as good as lost on the way. */
		result = 0;
	}
	machine->ops->sent(machine->self, outgoing->token, now_ns, result);
	if (result < 0) {
		/* The kernel may or may not have counted it: start the numbers of the stamps anew. */
		receive(driver);
		(void)stamp_enable(driver->channel->fds[0], true);
		driver->send_count = 0;
		return;
	}
	driver->sends[driver->send_count % DRIVER_STAMPS].machine = (uint8_t)index;
	driver->sends[driver->send_count % DRIVER_STAMPS].token = outgoing->token;
	driver->send_count++;
}

/* Let one machine send until it waits, or until the pace or the receiver wants its turn: then its wake_ns says
 * when to go on. */
static void pump_machine(struct driver *driver, unsigned index)
{
	struct driver_machine *dm = &driver->machines[index];
	struct outgoing outgoing;
	for (int i = 0; i < SENDS_A_ROUND; i++) {
		int64_t now_ns = clock_monotonic_ns();
		dm->wake_ns = pacer_ready_ns(&driver->pacer, now_ns);
		if (dm->wake_ns > now_ns)
			return;
		enum machine_want want = dm->machine.ops->next(dm->machine.self, now_ns, &outgoing, &dm->wake_ns);
		dm->done = want == MACHINE_DONE;
		if (dm->done && driver->done)
			driver->done(driver->done_context, index);
		if (want != MACHINE_SEND)
			return;
		pacer_take(&driver->pacer, now_ns);
		transmit(driver, index, &outgoing);
	}
	dm->wake_ns = 0;
}

static void arm_timer(struct driver *driver, int64_t wake_ns)
{
	struct itimerspec when = {0};
	if (wake_ns != TIME_NEVER) {
		wake_ns = MAX(wake_ns, 1); /* all zeros would disarm it */
		when.it_value.tv_sec = wake_ns / NS_PER_S;
		when.it_value.tv_nsec = wake_ns % NS_PER_S;
	}
	timerfd_settime(driver->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void pump(struct driver *driver)
{
	int64_t wake_ns = TIME_NEVER;
	bool all_done = true;
	for (unsigned i = 0; i < driver->machine_count; i++) {
		struct driver_machine *dm = &driver->machines[i];
		if (!dm->done)
			pump_machine(driver, i);
		if (!dm->done)
			wake_ns = MIN(wake_ns, dm->wake_ns);
		all_done &= dm->done;
	}
	if (all_done)
		uv_stop(&driver->loop);
	else
		arm_timer(driver, wake_ns);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)events;
	/* libuv stops polling at POLLERR, which only says that the error queue holds something. */
	if (status < 0)
		uv_poll_start(poll, UV_READABLE, on_readable);
	receive(poll->data);
	pump(poll->data);
}

static void on_timer(uv_poll_t *poll, int status, int events)
{
	struct driver *driver = poll->data;
	uint64_t expirations;
	(void)status;
	(void)events;
	if (read(driver->timer_fd, &expirations, sizeof(expirations)) > 0)
		pump(driver);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct driver *driver = handle->data;
	driver->signal = number;
	uv_stop(&driver->loop);
}

static int watch(struct driver *driver, uv_poll_t *poll, int fd, uv_poll_cb callback)
{
	int result = uv_poll_init(&driver->loop, poll, fd);
	poll->data = driver;
	return result < 0 ? result : uv_poll_start(poll, UV_READABLE, callback);
}

static int watch_signal(struct driver *driver, uv_signal_t *handle, int number)
{
	int result = uv_signal_init(&driver->loop, handle);
	handle->data = driver;
	return result < 0 ? result : uv_signal_start(handle, on_signal, number);
}

int driver_init(struct driver *driver, struct channel *channel, struct error *error)
{
	memset(driver, 0, sizeof(*driver));
	driver->channel = channel;
	pacer_init(&driver->pacer, DRIVER_PACKETS_PER_S, DRIVER_BURST, hash_key_random().k0);
	driver->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (driver->timer_fd < 0)
		return error_set(error, -errno, "cannot create a timer: %s", strerror(errno));
	int result = uv_loop_init(&driver->loop);
	if (result < 0) {
		close(driver->timer_fd);
		return error_set(error, result, "cannot start the event loop: %s", uv_strerror(result));
	}
	result = watch(driver, &driver->timer_poll, driver->timer_fd, on_timer);
	for (int i = 0; i < CHANNEL_FDS_MAX && result == 0; i++)
		if (channel->fds[i] >= 0)
			result = watch(driver, &driver->polls[i], channel->fds[i], on_readable);
	if (result == 0)
		result = watch_signal(driver, &driver->signals[0], SIGINT);
	if (result == 0)
		result = watch_signal(driver, &driver->signals[1], SIGTERM);
	if (result < 0) {
		driver_deinit(driver);
		return error_set(error, result, "cannot watch the sockets: %s", uv_strerror(result));
	}
	return 0;
}

void driver_add(struct driver *driver, struct machine machine)
{
	if (driver->machine_count < DRIVER_MACHINES_MAX)
		driver->machines[driver->machine_count++] = (struct driver_machine){.machine = machine};
}

void driver_set_done(struct driver *driver, driver_done *done, void *context)
{
	driver->done = done;
	driver->done_context = context;
}

static void on_progress(uv_timer_t *timer)
{
	struct driver *driver = timer->data;
	int64_t elapsed_ns = clock_monotonic_ns() - driver->started_ns;
	driver->progress(driver->progress_context, (double)elapsed_ns / (double)NS_PER_S);
}

void driver_set_progress(struct driver *driver, driver_progress *progress, void *context)
{
	driver->progress = progress;
	driver->progress_context = context;
	uv_timer_init(&driver->loop, &driver->progress_timer);
	driver->progress_timer.data = driver;
	uv_timer_start(&driver->progress_timer, on_progress, PROGRESS_AFTER_MS, PROGRESS_EVERY_MS);
}

int driver_run(struct driver *driver, struct error *error)
{
	driver->started_ns = clock_monotonic_ns();
	pump(driver);
	int result = uv_run(&driver->loop, UV_RUN_DEFAULT);
	return result < 0 ? error_set(error, result, "the event loop failed: %s", uv_strerror(result)) : 0;
}

static void close_handle(uv_handle_t *handle, void *unused)
{
	(void)unused;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

void driver_deinit(struct driver *driver)
{
	uv_walk(&driver->loop, close_handle, NULL);
	uv_run(&driver->loop, UV_RUN_DEFAULT);
	uv_loop_close(&driver->loop);
	close(driver->timer_fd);
}
