#include "net/driver.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/compiler.h"

/* After so many packets look at what came in, so that a long burst does not starve the receiver. */
#define SENDS_A_ROUND 32

#define PROGRESS_AFTER_MS 2000
#define PROGRESS_EVERY_MS 500

/* ---- who hears what */

static unsigned bucket_of(const struct driver *driver, struct addr target)
{
	return (unsigned)hash_addr(driver->key, target) & (driver->bucket_count - 1);
}

static void link_machine(struct driver *driver, unsigned number)
{
	unsigned bucket = bucket_of(driver, driver->machines[number].target);
	driver->machines[number].next = driver->buckets[bucket];
	driver->buckets[bucket] = number;
}

static void unlink_machine(struct driver *driver, unsigned number)
{
	unsigned *at = &driver->buckets[bucket_of(driver, driver->machines[number].target)];
	while (*at != DRIVER_NONE && *at != number)
		at = &driver->machines[*at].next;
	if (*at == number)
		*at = driver->machines[number].next;
}

/* Room for one more machine, and buckets enough that a search is short. */
static int make_room(struct driver *driver)
{
	if (driver->machine_count < driver->bucket_count)
		return 0;
	unsigned count = driver->bucket_count ? 2 * driver->bucket_count : DRIVER_MACHINES_AT_FIRST;
	struct driver_machine *machines = realloc(driver->machines, count * sizeof(*machines));
	if (!machines)
		return -ENOMEM;
	driver->machines = machines;
	unsigned *buckets = realloc(driver->buckets, count * sizeof(*buckets));
	if (!buckets)
		return -ENOMEM;
	driver->buckets = buckets;
	driver->bucket_count = count;
	for (unsigned i = 0; i < count; i++)
		buckets[i] = DRIVER_NONE;
	for (unsigned i = driver->machine_count; i-- > 0;)
		if (!machines[i].done)
			link_machine(driver, i);
	return 0;
}

static void tell(struct driver *driver, struct addr about, int64_t received_ns, const struct packet *packet)
{
	if (driver->bucket_count == 0)
		return;
	for (unsigned i = driver->buckets[bucket_of(driver, about)]; i != DRIVER_NONE;
		i = driver->machines[i].next) {
		struct driver_machine *dm = &driver->machines[i];
		if (dm->done || !addr_equal(dm->target, about))
			continue;
		dm->machine.ops->packet(dm->machine.self, received_ns, packet);
		schedule_set(&driver->schedule, i, 0);
	}
}

static void on_packet(void *context, int64_t received_ns, const struct packet *packet)
{
	struct driver *driver = context;
	tell(driver, ADDR_NONE, received_ns, packet);
	tell(driver, packet->has_quote ? packet->quoted_ip.destination : packet->ip.source, received_ns,
		packet);
}

static void on_stamp(void *context, uint32_t number, int64_t sent_ns)
{
	struct driver *driver = context;
	if (driver->send_count - number > CHANNEL_STAMPS)
		return;
	unsigned index = driver->sends[number % CHANNEL_STAMPS].machine;
	if (index == DRIVER_NONE || driver->machines[index].done)
		return;
	const struct machine machine = driver->machines[index].machine;
	machine.ops->sent(machine.self, driver->sends[number % CHANNEL_STAMPS].token, sent_ns, 0);
}

static void receive(struct driver *driver)
{
	struct channel_events events = {.packet = on_packet, .stamp = on_stamp, .context = driver};
	for (int i = 0; i < 2; i++)
		if (driver->channels[i])
			driver->channels[i]->receive(driver->channels[i], &events);
}

/* The one that carries packets of this version. */
static struct channel *channel_for(const struct driver *driver, const struct outgoing *outgoing)
{
	struct channel *second = driver->channels[1];
	return second && outgoing->bytes[0] >> 4 == second->family ? second : driver->channels[0];
}

/* ---- who sends when */

static void transmit(struct driver *driver, unsigned index, const struct outgoing *outgoing)
{
	const struct machine machine = driver->machines[index].machine;
	struct channel *channel = channel_for(driver, outgoing);
	int64_t now_ns = clock_monotonic_ns();
	uint32_t number = driver->send_count++;
	driver->sends[number % CHANNEL_STAMPS].machine = index;
	driver->sends[number % CHANNEL_STAMPS].token = outgoing->token;
	int result = channel->send(channel, outgoing, number);
	if (result == -EAGAIN || result == -ENOBUFS) {
		/* The queue of the interface is full for a moment: as good as lost on the way. */
		result = 0;
	}
	machine.ops->sent(machine.self, outgoing->token, now_ns, result);
	if (result < 0) {
		receive(driver);
		stamped_restart(channel);
	}
}

static void finish(struct driver *driver, unsigned index)
{
	driver->machines[index].done = true;
	schedule_remove(&driver->schedule, index);
	if (driver->done)
		driver->done(driver->done_context, index);
	/* What was learned there may concern those who run beside it. */
	for (unsigned i = driver->buckets[bucket_of(driver, ADDR_NONE)]; i != DRIVER_NONE;
		i = driver->machines[i].next)
		schedule_set(&driver->schedule, i, 0);
}

/* Ask one machine for its next packet. */
static void step(struct driver *driver, unsigned index, int64_t now_ns)
{
	const struct machine machine = driver->machines[index].machine;
	struct outgoing outgoing;
	int64_t wake_ns = now_ns;
	enum machine_want want = machine.ops->next(machine.self, now_ns, &outgoing, &wake_ns);
	if (want == MACHINE_DONE) {
		finish(driver, index);
		return;
	}
	schedule_set(&driver->schedule, index, want == MACHINE_SEND ? now_ns : wake_ns);
	if (want != MACHINE_SEND)
		return;
	pacer_take(&driver->pacer, now_ns);
	transmit(driver, index, &outgoing);
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

/* Machines send in turn until all wait, or until the pace or the receiver wants its turn. */
static void pump(struct driver *driver)
{
	unsigned number;
	int64_t wake_ns;
	uint32_t start = driver->send_count;
	while (schedule_first(&driver->schedule, &number, &wake_ns)) {
		int64_t now_ns = clock_monotonic_ns();
		if (wake_ns <= now_ns)
			wake_ns = pacer_ready_ns(&driver->pacer, now_ns);
		if (wake_ns > now_ns || driver->send_count - start >= SENDS_A_ROUND) {
			arm_timer(driver, wake_ns);
			return;
		}
		step(driver, number, now_ns);
	}
	if (driver->on == &driver->loop)
		uv_stop(driver->on);
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
	if (read(driver->timer_fd, &expirations, sizeof(expirations)) < 0)
		return;
	/* Answers before silence: they may have come while this process was suspended. */
	receive(driver);
	pump(driver);
}

/* From the loop's next turn on, as the caller may be a machine. */
void driver_wake(struct driver *driver)
{
	for (unsigned i = 0; i < driver->machine_count; i++)
		if (!driver->machines[i].done)
			schedule_set(&driver->schedule, i, 0);
	arm_timer(driver, 1);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct driver *driver = handle->data;
	driver->signal = number;
	uv_stop(driver->on);
}

static int watch(struct driver *driver, uv_poll_t *poll, int fd, uv_poll_cb callback)
{
	int result = uv_poll_init(driver->on, poll, fd);
	poll->data = driver;
	return result < 0 ? result : uv_poll_start(poll, UV_READABLE, callback);
}

static int watch_channel(struct driver *driver, int number)
{
	const struct channel *channel = driver->channels[number];
	int result = 0;
	for (int i = 0; i < CHANNEL_FDS_MAX && result == 0; i++)
		if (channel->fds[i] >= 0)
			result = watch(driver, &driver->polls[number][i], channel->fds[i], on_readable);
	return result;
}

static int watch_signal(struct driver *driver, uv_signal_t *handle, int number)
{
	int result = uv_signal_init(driver->on, handle);
	handle->data = driver;
	return result < 0 ? result : uv_signal_start(handle, on_signal, number);
}

/* Everything but the loop. */
static int start(struct driver *driver, struct channel *channel, struct error *error)
{
	memset(driver, 0, sizeof(*driver));
	driver->channels[0] = channel;
	driver->free = DRIVER_NONE;
	driver->key = hash_key_random();
	pacer_init(&driver->pacer, DRIVER_PACKETS_PER_S, DRIVER_BURST, driver->key.k0);
	driver->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	return driver->timer_fd < 0 ? error_set(error, -errno, "cannot create a timer: %s", strerror(errno))
				    : 0;
}

static int watch_own(struct driver *driver)
{
	int result = watch(driver, &driver->timer_poll, driver->timer_fd, on_timer);
	return result < 0 ? result : watch_channel(driver, 0);
}

int driver_init(struct driver *driver, struct channel *channel, struct error *error)
{
	int result = start(driver, channel, error);
	if (result < 0)
		return result;
	driver->on = &driver->loop;
	result = uv_loop_init(&driver->loop);
	if (result < 0) {
		close(driver->timer_fd);
		return error_set(error, result, "cannot start the event loop: %s", uv_strerror(result));
	}
	result = watch_own(driver);
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

int driver_attach(struct driver *driver, uv_loop_t *loop, struct channel *channel, struct error *error)
{
	int result = start(driver, channel, error);
	if (result < 0)
		return result;
	driver->on = loop;
	result = watch_own(driver);
	return result < 0 ? error_set(error, result, "cannot watch the sockets: %s", uv_strerror(result)) : 0;
}

int driver_add_channel(struct driver *driver, struct channel *channel, struct error *error)
{
	driver->channels[1] = channel;
	int result = watch_channel(driver, 1);
	return result < 0 ? error_set(error, result, "cannot watch the sockets: %s", uv_strerror(result)) : 0;
}

void driver_set_rate(struct driver *driver, double per_second)
{
	pacer_init(&driver->pacer, per_second, MIN((double)DRIVER_BURST, MAX(1.0, per_second / 10)),
		driver->key.k0);
}

/* One that was taken away, or a new one. */
static int take_number(struct driver *driver)
{
	unsigned number = driver->free;
	if (number != DRIVER_NONE) {
		driver->free = driver->machines[number].next;
		schedule_restore(&driver->schedule, number);
		return (int)number;
	}
	int result = make_room(driver);
	if (result == 0)
		result = schedule_add(&driver->schedule);
	return result < 0 ? result : (int)driver->machine_count++;
}

int driver_add_numbered(struct driver *driver, struct machine machine, struct addr target)
{
	int number = take_number(driver);
	if (number < 0)
		return number;
	driver->machines[number] = (struct driver_machine){.machine = machine, .target = target};
	link_machine(driver, (unsigned)number);
	if (driver->on != &driver->loop)
		arm_timer(driver, 1);
	return number;
}

int driver_add_for(struct driver *driver, struct machine machine, struct addr target)
{
	return MIN(driver_add_numbered(driver, machine, target), 0);
}

void driver_remove(struct driver *driver, unsigned number)
{
	unlink_machine(driver, number);
	schedule_remove(&driver->schedule, number);
	driver->machines[number].done = true;
	driver->machines[number].next = driver->free;
	driver->free = number;
	for (unsigned i = 0; i < CHANNEL_STAMPS; i++)
		if (driver->sends[i].machine == number)
			driver->sends[i].machine = DRIVER_NONE;
}

int driver_add(struct driver *driver, struct machine machine)
{
	return driver_add_for(driver, machine, ADDR_NONE);
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

void driver_start(struct driver *driver)
{
	driver->started_ns = clock_monotonic_ns();
	pump(driver);
}

int driver_run(struct driver *driver, struct error *error)
{
	if (driver->started_ns == 0)
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
	if (driver->on == &driver->loop) {
		uv_walk(&driver->loop, close_handle, NULL);
		uv_run(&driver->loop, UV_RUN_DEFAULT);
		uv_loop_close(&driver->loop);
	}
	close(driver->timer_fd);
	schedule_deinit(&driver->schedule);
	free(driver->machines);
	free(driver->buckets);
	driver->machines = NULL;
	driver->buckets = NULL;
}
