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
/* The software stamp in the control messages of `message` as monotonic time. Without one, or when the wall clock
 * jumped in between so that the stamp makes no sense, the time of this call. */
int64_t stamp_of(const struct msghdr *message);

#endif
