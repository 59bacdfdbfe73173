/* The kernel driver: runs machines on real sockets, in one thread, on one libuv loop.
 *
 *   driver_init, driver_add for each machine, driver_run, driver_deinit; machines are borrowed. */
#ifndef RETOUR_NET_DRIVER_H
#define RETOUR_NET_DRIVER_H

#include <stdbool.h>
#include <uv.h>

#include "base/error.h"
#include "net/channel.h"
#include "probe/machine.h"
#include "probe/pacer.h"

#define DRIVER_MACHINES_MAX 8
#define DRIVER_STAMPS       4096 /* transmit stamps that may be outstanding */

/* The cap that is always in force, over all machines of the process: what a burst may hold, and the rate that
 * follows it. One measurement there and back fits into a burst or two. */
#define DRIVER_PACKETS_PER_S 2500
#define DRIVER_BURST         32

struct driver_machine {
	struct machine machine;
	bool done;
	int64_t wake_ns;
};

/* Called twice a second in a run that takes longer than two. */
typedef void driver_progress(void *context, double elapsed_s);
/* Called when a machine is DONE, with its number in the order of adding. */
typedef void driver_done(void *context, unsigned machine);

struct driver {
	uv_loop_t loop;
	uv_poll_t polls[CHANNEL_FDS_MAX];
	uv_poll_t timer_poll;
	uv_signal_t signals[2];
	uv_timer_t progress_timer;
	driver_progress *progress;
	void *progress_context;
	driver_done *done;
	void *done_context;
	int64_t started_ns;
	int timer_fd;
	struct channel *channel; /* borrowed */
	struct pacer pacer;
	struct driver_machine machines[DRIVER_MACHINES_MAX];
	unsigned machine_count;
	struct {
		uint8_t machine;
		uint32_t token;
	} sends[DRIVER_STAMPS];
	uint32_t send_count; /* since the stamps were numbered anew */
	int signal;          /* that ended the run, 0 = none */
};

int driver_init(struct driver *driver, struct channel *channel, struct error *error) MUST_USE;
void driver_add(struct driver *driver, struct machine machine);
void driver_set_done(struct driver *driver, driver_done *done, void *context);
void driver_set_progress(struct driver *driver, driver_progress *progress, void *context);
/* Until every machine is DONE, or SIGINT or SIGTERM came: then their number is in `signal`, and the machines hold
 * what they have. */
int driver_run(struct driver *driver, struct error *error) MUST_USE;
void driver_deinit(struct driver *driver);

#endif
