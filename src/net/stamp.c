#include "net/stamp.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define STAMP_AGE_MAX_NS (2 * NS_PER_S)
#define STAMP_SLACK_NS	 NS_PER_MS /* stamps are queued a little after they are taken */
#define READINGS_MAX	 5
#define READING_NS	 NS_PER_US /* two clocks are read in much less */

int stamp_enable(int fd, bool transmit)
{
	int off = 0;
	int flags = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE;
	if (transmit)
		flags |= SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_OPT_ID |
			SOF_TIMESTAMPING_OPT_TSONLY | SOF_TIMESTAMPING_OPT_CMSG;
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &off, sizeof(off)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)) < 0)
		return -errno;
	return 0;
}

/* The stamp as wall-clock time, 0 = none. */
static int64_t wall_stamp_ns(const struct msghdr *message)
{
	struct msghdr *m = (struct msghdr *)message; /* CMSG_NXTHDR takes no const */
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct scm_timestamping stamps;
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPING ||
			c->cmsg_len < CMSG_LEN(sizeof(stamps)))
			continue;
		memcpy(&stamps, CMSG_DATA(c), sizeof(stamps));
		return stamps.ts[0].tv_sec * NS_PER_S + stamps.ts[0].tv_nsec;
	}
	return 0;
}

/* Wall clock less monotonic clock. Whoever else gets the processor between the two readings would be part of
 * the difference, so they are repeated until they lie close together. */
static int64_t wall_offset_ns(void)
{
	int64_t offset_ns = 0, best_ns = TIME_NEVER;
	for (int i = 0; i < READINGS_MAX && best_ns > READING_NS; i++) {
		int64_t before_ns = clock_monotonic_ns();
		int64_t wall_ns = clock_wall_ns();
		int64_t took_ns = clock_monotonic_ns() - before_ns;
		if (took_ns >= best_ns)
			continue;
		best_ns = took_ns;
		offset_ns = wall_ns - before_ns - took_ns / 2;
	}
	return offset_ns;
}

int64_t stamp_of(const struct msghdr *message)
{
	int64_t offset_ns = wall_offset_ns();
	int64_t now_ns = clock_monotonic_ns();
	int64_t stamp_ns = wall_stamp_ns(message);
	int64_t age_ns = now_ns - (stamp_ns - offset_ns);
	return stamp_ns > 0 && age_ns >= 0 && age_ns < STAMP_AGE_MAX_NS ? now_ns - age_ns : now_ns;
}

int64_t stamp_since(const struct stamp_clock *clock, const struct msghdr *message)
{
	int64_t offset_ns = wall_offset_ns();
	int64_t now_ns = clock_monotonic_ns();
	int64_t stamp_ns = wall_stamp_ns(message);
	if (stamp_ns == 0)
		return now_ns;
	if (clock->drained_ns == 0)
		return stamp_of(message);
	/* The wall clock may have been set since: a stamp from before that fits the old offset. */
	int64_t with_old = stamp_ns - clock->offset_ns, with_new = stamp_ns - offset_ns;
	int64_t since_ns = clock->drained_ns - STAMP_SLACK_NS;
	bool set = offset_ns - clock->offset_ns > STAMP_SLACK_NS ||
		clock->offset_ns - offset_ns > STAMP_SLACK_NS;
	if (set && with_old >= since_ns && with_old <= now_ns)
		return with_old;
	return with_new >= since_ns && with_new <= now_ns ? with_new : now_ns;
}

void stamp_drained(struct stamp_clock *clock, int64_t since_ns)
{
	*clock = (struct stamp_clock){
		.drained_ns = since_ns,
		.offset_ns = wall_offset_ns(),
	};
}
