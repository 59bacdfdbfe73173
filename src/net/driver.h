/* The kernel driver: runs machines on real sockets, in one thread, on one libuv loop.
 *
 *   driver_init, driver_add for each machine, driver_run, driver_deinit; machines are borrowed until they are
 * done. */
#ifndef RETOUR_NET_DRIVER_H
#define RETOUR_NET_DRIVER_H

#include <limits.h>
#include <stdbool.h>
#include <uv.h>

#include "base/error.h"
#include "base/hash.h"
#include "net/channel.h"
#include "net/schedule.h"
#include "probe/machine.h"
#include "probe/pacer.h"

#define DRIVER_MACHINES_AT_FIRST 8 /* a power of two */
#define DRIVER_NONE		 UINT_MAX

/* The cap that is always in force, over all machines of the process: what a burst may hold, and the rate that
 * follows it. One measurement there and back fits into a burst or two. */
#define DRIVER_PACKETS_PER_S 2500
#define DRIVER_BURST	     32

struct driver_machine {
	struct machine machine;
	struct addr target; /* it hears packets about this address only; none: all packets */
	bool done;
	unsigned next; /* with the same hash of the target, or among the free numbers; DRIVER_NONE = last */
};

/* Called twice a second in a run that takes longer than two. */
typedef void driver_progress(void *context, double elapsed_s);
/* Called when a machine is DONE, with its number in the order of adding. */
typedef void driver_done(void *context, unsigned machine);

struct driver {
	uv_loop_t loop; /* its own, unless it is attached to another */
	uv_loop_t *on;	/* the one it runs on */
	uv_poll_t polls[2][CHANNEL_FDS_MAX];
	uv_poll_t timer_poll;
	uv_signal_t signals[2];
	uv_timer_t progress_timer;
	driver_progress *progress;
	void *progress_context;
	driver_done *done;
	void *done_context;
	int64_t started_ns;
	int timer_fd;
	struct channel *channels[2]; /* borrowed; one a family, the second may be missing */
	struct pacer pacer;
	struct driver_machine *machines;
	unsigned machine_count;
	unsigned free;	   /* first number that was taken away, or DRIVER_NONE */
	unsigned *buckets; /* first machine by hash of its target; as many as there is room for machines */
	unsigned bucket_count;
	struct hash_key key;
	struct schedule schedule;
	struct {
		unsigned machine;
		uint32_t token;
	} sends[CHANNEL_STAMPS]; /* the last ones, by number */
	uint32_t send_count;
	int signal; /* that ended the run, 0 = none */
};

int driver_init(struct driver *driver, struct channel *channel, struct error *error) MUST_USE;
/* On somebody else's loop, for as long as that runs: machines come and go, nobody waits for the last of them,
 * and signals are not its business. It opens its timer here. No driver_run; driver_deinit once the loop has
 * closed all handles. */
int driver_attach(
	struct driver *driver, uv_loop_t *loop, struct channel *channel, struct error *error) MUST_USE;
/* A channel for the other family, too. */
int driver_add_channel(struct driver *driver, struct channel *channel, struct error *error) MUST_USE;
/* A machine that hears every packet, or only those that come from `target` or quote a packet to it: for many
 * targets at once. 0 or -ENOMEM. Also while the driver runs. */
int driver_add(struct driver *driver, struct machine machine) MUST_USE;
int driver_add_for(struct driver *driver, struct machine machine, struct addr target) MUST_USE;
/* As driver_add_for, with the number that driver_remove wants: one that is free again is given to the next.
 * Negative errno. */
int driver_add_numbered(struct driver *driver, struct machine machine, struct addr target) MUST_USE;
/* Let go of a machine, whether it is DONE or not: it hears nothing more. Not from within that machine's own
 * functions; from the callback that says it is DONE is fine. */
void driver_remove(struct driver *driver, unsigned number);
/* Another cap than the usual one, because the user said so. */
void driver_set_rate(struct driver *driver, double per_second);
void driver_set_done(struct driver *driver, driver_done *done, void *context);
void driver_set_progress(struct driver *driver, driver_progress *progress, void *context);
/* Something that machines wait for has happened elsewhere on this loop: ask them again. */
void driver_wake(struct driver *driver);
/* Send what machines want to send at once: what the caller does between this and driver_run, it does while
 * the first answers are on their way. */
void driver_start(struct driver *driver);
/* Until every machine is DONE, or SIGINT or SIGTERM came: then their number is in `signal`, and the machines
 * hold what they have. */
int driver_run(struct driver *driver, struct error *error) MUST_USE;
void driver_deinit(struct driver *driver);

#endif
