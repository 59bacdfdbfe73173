#include "net/stamp.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define STAMP_AGE_MAX_NS (2 * NS_PER_S)

int stamp_enable(int fd, bool transmit)
{
	int off = 0;
	int flags = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE;
	if (transmit)
		flags |= SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY |
			SOF_TIMESTAMPING_OPT_CMSG;
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &off, sizeof(off)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)) < 0)
		return -errno;
	return 0;
}

int64_t stamp_of(const struct msghdr *message)
{
	int64_t now_ns = clock_monotonic_ns();
	int64_t wall_ns = clock_wall_ns();
	struct msghdr *m = (struct msghdr *)message; /* CMSG_NXTHDR takes no const */
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct scm_timestamping stamps;
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPING ||
			c->cmsg_len < CMSG_LEN(sizeof(stamps)))
			continue;
		memcpy(&stamps, CMSG_DATA(c), sizeof(stamps));
		int64_t stamp_ns = stamps.ts[0].tv_sec * NS_PER_S + stamps.ts[0].tv_nsec;
		int64_t age_ns = wall_ns - stamp_ns;
		if (stamp_ns > 0 && age_ns >= 0 && age_ns < STAMP_AGE_MAX_NS)
			return now_ns - age_ns;
	}
	return now_ns;
}
