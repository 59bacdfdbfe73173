#include "bus/frames.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#define AT_ONCE 64 /* frames of one connection, then others have their turn */

struct waiting {
	struct waiting *next;
	size_t length;
	char bytes[];
};

struct frames {
	uv_poll_t poll;
	int fd; /* -1: closed */
	bool lost;
	const struct frames_ops *ops;
	void *context;
	struct waiting *first, **end;
	size_t waiting;
	char bytes[FRAME_BYTES_MAX + 1];
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct frames *frames)
{
	uv_poll_start(&frames->poll, UV_READABLE | (frames->first ? UV_WRITABLE : 0), on_poll);
}

static void lose(struct frames *frames, const char *why)
{
	if (frames->lost || frames->fd < 0)
		return;
	frames->lost = true;
	uv_poll_stop(&frames->poll);
	frames->ops->lost(frames->context, why);
}

/* 0, or a negative errno: -EAGAIN when the other end has to read first. */
static int write_waiting(struct frames *frames)
{
	while (frames->first) {
		struct waiting *waiting = frames->first;
		if (send(frames->fd, waiting->bytes, waiting->length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			return errno == EINTR ? -EAGAIN : -errno;
		frames->first = waiting->next;
		if (!frames->first)
			frames->end = &frames->first;
		frames->waiting--;
		free(waiting);
	}
	return 0;
}

/* False: it is none. */
static bool take(struct frames *frames, size_t length)
{
	frames->bytes[length] = '\0';
	const char *topic = frames->bytes + 1;
	const char *end = length > 1 ? memchr(topic, '\0', length - 1) : NULL;
	if (!end)
		return false;
	frames->ops->frame(frames->context, (enum frame)frames->bytes[0], topic, end + 1,
		(size_t)(frames->bytes + length - (end + 1)));
	return true;
}

static void read_all(struct frames *frames)
{
	for (unsigned i = 0; i < AT_ONCE && frames->fd >= 0 && !frames->lost; i++) {
		ssize_t length = recv(frames->fd, frames->bytes, FRAME_BYTES_MAX, MSG_DONTWAIT | MSG_TRUNC);
		if (length < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (length < 0)
			lose(frames, strerror(errno));
		else if (length == 0)
			lose(frames, "the other end has gone");
		else if (length > FRAME_BYTES_MAX || !take(frames, (size_t)length))
			lose(frames, "the other end says what is no message");
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct frames *frames = poll->data;
	if (status < 0 || events & UV_READABLE)
		read_all(frames);
	if (frames->fd < 0 || frames->lost)
		return;
	int result = events & UV_WRITABLE ? write_waiting(frames) : 0;
	if (result < 0 && result != -EAGAIN)
		lose(frames, strerror(-result));
	else
		watch(frames);
}

struct frames *frames_new(struct uv_loop_s *loop, int fd, const struct frames_ops *ops, void *context)
{
	struct frames *frames = calloc(1, sizeof(*frames));
	if (!frames || uv_poll_init(loop, &frames->poll, fd) < 0) {
		close(fd);
		free(frames);
		return NULL;
	}
	frames->fd = fd;
	frames->ops = ops;
	frames->context = context;
	frames->end = &frames->first;
	frames->poll.data = frames;
	watch(frames);
	return frames;
}

int frames_put(struct frames *frames, enum frame kind, const char *topic, const char *payload, size_t length)
{
	size_t head = 1 + strlen(topic) + 1;
	if (head + length > FRAME_BYTES_MAX)
		return -EMSGSIZE;
	if (frames->lost || frames->waiting >= FRAMES_WAITING_MAX)
		return -ENOBUFS;
	struct waiting *waiting = malloc(sizeof(*waiting) + head + length);
	if (!waiting)
		return -ENOMEM;
	waiting->next = NULL;
	waiting->length = head + length;
	waiting->bytes[0] = (char)kind;
	memcpy(waiting->bytes + 1, topic, head - 1);
	if (length > 0)
		memcpy(waiting->bytes + head, payload, length);
	*frames->end = waiting;
	frames->end = &waiting->next;
	frames->waiting++;
	/* What goes wrong is found out from the loop. */
	(void)write_waiting(frames);
	watch(frames);
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void frames_free(struct frames *frames)
{
	if (!frames)
		return;
	if (!frames->lost)
		(void)write_waiting(frames);
	while (frames->first) {
		struct waiting *next = frames->first->next;
		free(frames->first);
		frames->first = next;
	}
	uv_poll_stop(&frames->poll);
	close(frames->fd);
	frames->fd = -1;
	uv_close((uv_handle_t *)&frames->poll, on_closed);
}
