/* A bus to another process of this machine: the other side of door.c. What is published without a connection
 * waits. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "bus/bus_inside.h"
#include "bus/frames.h"
#include "bus/unsent.h"

#define PAUSE_FIRST_MS 50
#define PAUSE_MAX_MS   2000 /* on one machine trying costs nothing */

struct plug {
	struct bus bus;
	uv_loop_t *loop;
	uv_timer_t again;
	struct frames *frames; /* NULL: no connection */
	bool connected;	       /* and we are welcome */
	struct sockaddr_un address;
	char *name, *will_topic, *will;
	unsigned pause_ms;
	struct unsent unsent;
	bus_presence *presence;
	void *context;
	char told[200]; /* the last cause */
};

static void on_again(uv_timer_t *timer);

static void tell(struct plug *plug, bool connected, const char *why)
{
	if (!plug->presence || (!connected && strcmp(plug->told, why) == 0))
		return;
	snprintf(plug->told, sizeof(plug->told), "%s", why ? why : "");
	plug->presence(plug->context, connected, why);
}

static void lost(struct plug *plug, const char *why)
{
	frames_free(plug->frames);
	plug->frames = NULL;
	plug->connected = false;
	tell(plug, false, why);
	uv_timer_start(&plug->again, on_again, plug->pause_ms, 0);
	plug->pause_ms = MIN(2 * plug->pause_ms, PAUSE_MAX_MS);
}

/* ---- messages */

/* What has to wait in the connection's own queue is handed over when that has room. */
static void hand_over(struct plug *plug)
{
	while (plug->connected && plug->unsent.first) {
		const struct unsent_message *first = plug->unsent.first;
		int result = frames_put(plug->frames, first->keep ? FRAME_KEPT : FRAME_MESSAGE, first->topic,
			first->payload, first->length);
		if (result == -ENOMEM || result == -ENOBUFS)
			return;
		unsent_drop(&plug->unsent);
	}
}

static int publish(struct bus *bus, const char *topic, const char *payload, size_t length, bool keep)
{
	struct plug *plug = (struct plug *)bus;
	if (plug->unsent.count >= UNSENT_MAX)
		return -ENOBUFS;
	int result = unsent_put(&plug->unsent, topic, payload, length, keep);
	if (result < 0)
		return result;
	hand_over(plug);
	return 0;
}

static int subscribe(struct bus *bus, const char *filter)
{
	struct plug *plug = (struct plug *)bus;
	/* Without a connection: later, with the others. */
	return plug->connected ? frames_put(plug->frames, FRAME_HEAR, filter, "", 0) : 0;
}

static void on_welcome(struct plug *plug)
{
	plug->connected = true;
	plug->pause_ms = PAUSE_FIRST_MS;
	if (plug->will_topic)
		(void)!frames_put(plug->frames, FRAME_WILL, plug->will_topic, plug->will, strlen(plug->will));
	for (size_t i = 0; i < plug->bus.subscription_count; i++)
		(void)!subscribe(&plug->bus, plug->bus.subscriptions[i].filter);
	tell(plug, true, NULL);
	hand_over(plug);
}

static void on_frame(void *context, enum frame kind, const char *topic, const char *payload, size_t length)
{
	struct plug *plug = context;
	if (kind == FRAME_WELCOME && !plug->connected)
		on_welcome(plug);
	else if (kind == FRAME_REFUSAL)
		lost(plug, payload);
	else if (kind == FRAME_MESSAGE)
		bus_deliver(&plug->bus, topic, payload, length);
}

static void on_lost(void *context, const char *why)
{
	lost(context, why);
}

/* ---- connecting */

static void on_again(uv_timer_t *timer)
{
	static const struct frames_ops ops = {on_frame, on_lost};
	struct plug *plug = timer->data;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&plug->address, sizeof(plug->address)) < 0) {
		int code = errno;
		if (fd >= 0)
			close(fd);
		lost(plug,
			code == ENOENT || code == ECONNREFUSED ? "no coordinator runs there"
							       : strerror(code));
		return;
	}
	plug->frames = frames_new(plug->loop, fd, &ops, plug);
	if (!plug->frames || frames_put(plug->frames, FRAME_NAME, plug->name, "", 0) < 0)
		lost(plug, "out of memory");
}

/* ---- life */

static void on_closed(uv_handle_t *handle)
{
	struct plug *plug = handle->data;
	unsent_deinit(&plug->unsent);
	free(plug->name);
	free(plug->will_topic);
	free(plug->will);
	bus_closed(&plug->bus);
}

/* The will is told by the other side. */
static void free_plug(struct bus *bus)
{
	struct plug *plug = (struct plug *)bus;
	frames_free(plug->frames);
	plug->frames = NULL;
	plug->connected = false;
	uv_close((uv_handle_t *)&plug->again, on_closed);
}

static bool copy_texts(struct plug *plug, const struct bus_socket_options *options)
{
	plug->name = strdup(options->name);
	plug->will_topic = options->will_topic ? strdup(options->will_topic) : NULL;
	plug->will = options->will_topic ? strdup(options->will_payload) : NULL;
	return plug->name && (!options->will_topic || (plug->will_topic && plug->will));
}

struct bus *bus_new_socket(
	struct uv_loop_s *loop, const struct bus_socket_options *options, struct error *error)
{
	static const struct bus_ops ops = {publish, subscribe, free_plug};
	struct plug *plug = calloc(1, sizeof(*plug));
	if (!plug) {
		(void)error_set(error, -ENOMEM, "out of memory");
		return NULL;
	}
	*plug = (struct plug){.bus.ops = &ops,
		.loop = loop,
		.address.sun_family = AF_UNIX,
		.pause_ms = PAUSE_FIRST_MS,
		.presence = options->presence,
		.context = options->context};
	unsent_init(&plug->unsent);
	uv_timer_init(loop, &plug->again);
	plug->again.data = plug;
	if (strlen(options->path) >= sizeof(plug->address.sun_path) || !copy_texts(plug, options)) {
		(void)error_set(error, -EINVAL, "the path of the coordinator's socket, %s, is too long",
			options->path);
		bus_free(&plug->bus, NULL, NULL);
		return NULL;
	}
	memcpy(plug->address.sun_path, options->path, strlen(options->path));
	/* From the loop: by then there are subscriptions. */
	uv_timer_start(&plug->again, on_again, 0, 0);
	return &plug->bus;
}
