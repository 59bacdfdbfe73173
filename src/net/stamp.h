/* Kernel timestamps (SO_TIMESTAMPING): when a packet really left and really came, without our own scheduling
 * delay. The kernel stamps with the wall clock; inside the program time is monotonic. */
#ifndef RETOUR_NET_STAMP_H
#define RETOUR_NET_STAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Ask for receive stamps, and with `transmit` for transmit stamps numbered from 0 in order of sending.
 * 0 or negative errno. Asking again starts the numbers anew. */
int stamp_enable(int fd, bool transmit);
/* What is known about stamps that are about to be read: none of them is older than the last reading that left
 * nothing behind. Also across a suspended process or a wall clock that was set, the right time is found. */
struct stamp_clock {
	int64_t drained_ns; /* monotonic */
	int64_t offset_ns;  /* wall clock less monotonic clock then */
};
/* As stamp_of, with that knowledge. */
int64_t stamp_since(const struct stamp_clock *clock, const struct msghdr *message);
/* Everything that came before `since_ns` has been read. */
void stamp_drained(struct stamp_clock *clock, int64_t since_ns);
/* The software stamp in the control messages of `message` as monotonic time. Without one, or when the wall
 * clock jumped in between so that the stamp makes no sense, the time of this call. */
int64_t stamp_of(const struct msghdr *message);

#endif
