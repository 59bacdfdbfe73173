/* The local bus for other processes of this machine: each who comes in says his name, and then hears and says
 * what a client of that name may. The socket is a file; who may open it may come in. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "bus/bus_inside.h"
#include "bus/frames.h"

#define GUESTS_MAX  256
#define FILTERS_MAX 8
#define TOPIC_MAX   256
#define BACKLOG	    64

struct guest {
	struct bus_door *door;
	struct guest *next;
	struct frames *frames;
	char *name; /* NULL: has not said it */
	char *will_topic, *will;
	char *filters[FILTERS_MAX];
	size_t filter_count;
};

struct bus_door {
	uv_poll_t poll;
	uv_loop_t *loop;
	int fd;
	struct bus *bus;
	const struct bus_door_options *options;
	char *path;
	struct guest *guests;
	size_t guest_count;
};

/* ---- what a guest may */

/* Is `topic` what the pattern, with %u for the name, stands for? */
static bool may(const char *const *patterns, const char *name, const char *topic)
{
	for (; *patterns; patterns++) {
		char wanted[TOPIC_MAX];
		const char *user = strstr(*patterns, "%u");
		int length = user ? snprintf(wanted, sizeof(wanted), "%.*s%s%s", (int)(user - *patterns),
					    *patterns, name, user + 2)
				  : snprintf(wanted, sizeof(wanted), "%s", *patterns);
		if (length > 0 && (size_t)length < sizeof(wanted) && strcmp(wanted, topic) == 0)
			return true;
	}
	return false;
}

static bool good_name(const char *name)
{
	return *name && strlen(name) < TOPIC_MAX / 2 && !strpbrk(name, "/+#%");
}

static bool name_taken(const struct bus_door *door, const char *name)
{
	if (door->options->own && strcmp(door->options->own, name) == 0)
		return true;
	for (const struct guest *guest = door->guests; guest; guest = guest->next)
		if (guest->name && strcmp(guest->name, name) == 0)
			return true;
	return false;
}

/* ---- a guest */

static void see_off(struct guest *guest)
{
	struct bus_door *door = guest->door;
	struct guest **place = &door->guests;
	while (*place != guest)
		place = &(*place)->next;
	*place = guest->next;
	door->guest_count--;
	if (guest->will)
		(void)!bus_publish(door->bus, guest->will_topic, guest->will, strlen(guest->will), true);
	frames_free(guest->frames);
	for (size_t i = 0; i < guest->filter_count; i++)
		free(guest->filters[i]);
	free(guest->name);
	free(guest->will_topic);
	free(guest->will);
	free(guest);
}

static void refuse(struct guest *guest, const char *why)
{
	(void)!frames_put(guest->frames, FRAME_REFUSAL, "", why, strlen(why));
	see_off(guest);
}

static void take_name(struct guest *guest, const char *name)
{
	char why[300];
	if (guest->name || !good_name(name)) {
		refuse(guest, "that is no name for an agent");
	} else if (name_taken(guest->door, name)) {
		snprintf(why, sizeof(why), "an agent named %s is connected already", name);
		refuse(guest, why);
	} else if (!(guest->name = strdup(name)) || frames_put(guest->frames, FRAME_WELCOME, "", "", 0) < 0) {
		refuse(guest, "out of memory");
	}
}

static void take_will(struct guest *guest, const char *topic, const char *will)
{
	if (guest->will || !may(guest->door->options->may_say, guest->name, topic)) {
		refuse(guest, "it may not leave that will");
		return;
	}
	guest->will_topic = strdup(topic);
	guest->will = guest->will_topic ? strdup(will) : NULL;
}

static void take_filter(struct guest *guest, const char *filter)
{
	struct bus *bus = guest->door->bus;
	if (!may(guest->door->options->may_hear, guest->name, filter) || guest->filter_count == FILTERS_MAX) {
		refuse(guest, "it may not hear that");
		return;
	}
	char *copy = strdup(filter);
	if (!copy)
		return;
	guest->filters[guest->filter_count++] = copy;
	/* What was kept is told again, also to us: on_message. */
	(void)!bus->ops->subscribe(bus, filter);
}

static void on_frame(void *context, enum frame kind, const char *topic, const char *payload, size_t length)
{
	struct guest *guest = context;
	struct bus_door *door = guest->door;
	if (!guest->name && kind != FRAME_NAME) {
		refuse(guest, "it has not said its name");
		return;
	}
	switch (kind) {
	case FRAME_NAME: take_name(guest, topic); break;
	case FRAME_WILL: take_will(guest, topic, payload); break;
	case FRAME_HEAR: take_filter(guest, topic); break;
	case FRAME_MESSAGE:
	case FRAME_KEPT:
		if (!may(door->options->may_say, guest->name, topic))
			refuse(guest, "it may not say that");
		else
			(void)!bus_publish(door->bus, topic, payload, length, kind == FRAME_KEPT);
		break;
	case FRAME_REFUSAL:
	case FRAME_WELCOME:
	default: refuse(guest, "it says what no agent says"); break;
	}
}

static void on_lost(void *context, const char *why UNUSED)
{
	see_off(context);
}

/* ---- the bus */

static bool hears(const struct guest *guest, const char *topic)
{
	for (size_t i = 0; i < guest->filter_count; i++)
		if (strcmp(guest->filters[i], topic) == 0)
			return true;
	return false;
}

/* A guest who does not read what he asked for loses messages, as with any broker. */
static void on_message(void *context, const char *topic, const char *payload, size_t length)
{
	struct bus_door *door = context;
	for (struct guest *guest = door->guests; guest; guest = guest->next)
		if (hears(guest, topic))
			(void)!frames_put(guest->frames, FRAME_MESSAGE, topic, payload, length);
}

/* ---- the door */

static void let_in(struct bus_door *door, int fd)
{
	static const struct frames_ops ops = {on_frame, on_lost};
	struct guest *guest = door->guest_count < GUESTS_MAX ? calloc(1, sizeof(*guest)) : NULL;
	if (!guest) {
		close(fd);
		return;
	}
	guest->door = door;
	guest->frames = frames_new(door->loop, fd, &ops, guest);
	if (!guest->frames) {
		free(guest);
		return;
	}
	guest->next = door->guests;
	door->guests = guest;
	door->guest_count++;
}

static void on_knock(uv_poll_t *poll, int status UNUSED, int events UNUSED)
{
	struct bus_door *door = poll->data;
	int fd = accept4(door->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		let_in(door, fd);
	uv_poll_start(poll, UV_READABLE, on_knock);
}

/* What is left of an earlier one, which cannot be running: whoever opens a door has its store. */
static void clear(const char *path)
{
	struct stat status;
	if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode))
		(void)unlink(path);
}

static int open_socket(const char *path, struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(error, -ENAMETOOLONG,
			"agents of other processes cannot come: the path of their socket, %s, is longer than "
			"%zu characters",
			path, sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path));
	clear(path);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		chmod(path, 0600) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int code = -errno;
	if (fd >= 0)
		close(fd);
	return error_set(error, code, "agents of other processes cannot come: no socket at %s: %s", path,
		strerror(-code));
}

struct bus_door *bus_door_open(
	struct uv_loop_s *loop, struct bus *bus, const struct bus_door_options *options, struct error *error)
{
	struct bus_door *door = calloc(1, sizeof(*door));
	int fd = door ? open_socket(options->path, error) : -1;
	if (fd < 0) {
		free(door);
		if (error->code == 0)
			(void)error_set(error, -ENOMEM, "out of memory");
		return NULL;
	}
	door->loop = loop;
	door->bus = bus;
	door->options = options;
	door->fd = fd;
	door->path = strdup(options->path);
	uv_poll_init(loop, &door->poll, fd);
	door->poll.data = door;
	uv_poll_start(&door->poll, UV_READABLE, on_knock);
	if (door->path && bus_subscribe(bus, "#", on_message, door) == 0)
		return door;
	bus_door_close(door);
	(void)error_set(error, -ENOMEM, "out of memory");
	return NULL;
}

static void on_closed(uv_handle_t *handle)
{
	struct bus_door *door = handle->data;
	free(door->path);
	free(door);
}

void bus_door_close(struct bus_door *door)
{
	if (!door)
		return;
	bus_unsubscribe(door->bus, door);
	while (door->guests)
		see_off(door->guests);
	uv_poll_stop(&door->poll);
	close(door->fd);
	if (door->path)
		(void)unlink(door->path);
	uv_close((uv_handle_t *)&door->poll, on_closed);
}
