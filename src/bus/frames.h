/* One end of a connection between processes of one machine: a Unix socket that keeps messages apart, on a
 * loop. A frame is a letter, a topic with the NUL that ends it, and a payload. Inside bus/. */
#ifndef RETOUR_BUS_FRAMES_H
#define RETOUR_BUS_FRAMES_H

#include <stddef.h>

#include "base/compiler.h"

#define FRAME_BYTES_MAX	   65536
#define FRAMES_WAITING_MAX 65536 /* of one end, when the other one does not read */

enum frame {
	FRAME_NAME = 'n', /* topic: who we are. The first one of a client */
	FRAME_WILL = 'w', /* to be published, and kept, when the connection ends */
	FRAME_HEAR = 's', /* topic: a filter */
	FRAME_MESSAGE = 'p',
	FRAME_KEPT = 'k',    /* a message that is kept */
	FRAME_REFUSAL = 'r', /* payload: why, for a person; then the connection ends */
	FRAME_WELCOME = 'y',
};

struct uv_loop_s;
struct frames;

struct frames_ops {
	/* `topic` and `payload` end with a NUL. */
	void (*frame)(void *context, enum frame kind, const char *topic, const char *payload, size_t length);
	/* The other end has gone, or says what is no frame; told once. The ends are freed by frames_free all
	 * the same. */
	void (*lost)(void *context, const char *why);
};

/* Takes `fd` over, which must not block. NULL: out of memory, and it is closed. */
struct frames *frames_new(struct uv_loop_s *loop, int fd, const struct frames_ops *ops, void *context);
/* 0, -ENOMEM, -EMSGSIZE, or -ENOBUFS: too much waits already. */
int frames_put(struct frames *frames, enum frame kind, const char *topic, const char *payload,
	size_t length) MUST_USE;
/* Writes what can be written at once, and closes; may be called from within its callbacks. NULL is nothing.
 */
void frames_free(struct frames *frames);

#endif
