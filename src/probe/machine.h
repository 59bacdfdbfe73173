/* The seam between pure algorithms and the two worlds they run in.
 *
 * A machine is anything that sends and receives IP packets: a forward trace, a responder client, the
 * responder itself. It opens no socket and reads no clock. A driver (net/ on the kernel, sim/ in virtual
 * time) calls it:
 *
 *   next()    until it answers WAIT or DONE: what to send now, or when to ask again
 *   sent()    a packet left, with the time the kernel (or the simulator) saw it leave
 *   packet()  a packet came in, with its time of arrival; not every packet concerns this machine
 *
 * Times are monotonic nanoseconds of the driver. Machines are called from one thread and never re-entered. */
#ifndef RETOUR_PROBE_MACHINE_H
#define RETOUR_PROBE_MACHINE_H

#include <stdint.h>

#include "packet/packet.h"

#define OUTGOING_SIZE_MAX 9216 /* jumbo frames */

struct outgoing {
	uint32_t token; /* the machine's own name for this packet, handed back by sent() */
	size_t length;
	uint8_t bytes[OUTGOING_SIZE_MAX]; /* a whole IP packet, header included */
};

enum machine_want {
	MACHINE_SEND, /* `outgoing` is filled in */
	MACHINE_WAIT, /* ask again at *wake_ns (may be TIME_NEVER), or after any event */
	MACHINE_DONE, /* nothing more to do; stays DONE */
};

struct machine_ops {
	enum machine_want (*next)(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns);
	/* `error` is 0 or the negative errno of the send; then sent_ns is the time of the attempt. May come
	 * again for the same token with a better time (a kernel transmit stamp arrives after the send call
	 * returned). */
	void (*sent)(void *self, uint32_t token, int64_t sent_ns, int error);
	/* Fields that the driver cannot see are zero: an unprivileged socket hands over neither the quoted IP
	 * header (quoted_ip.header_length is 0 then) nor always the reply's TTL (ip.ttl 0 = not known). */
	void (*packet)(void *self, int64_t received_ns, const struct packet *packet);
};

struct machine {
	const struct machine_ops *ops;
	void *self;
};

#endif
