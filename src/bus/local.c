/* A bus within one process: a queue that the loop empties. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "bus/bus_inside.h"

#define WAITING_MAX 65536

struct message {
	struct message *next;
	char *topic;
	size_t length;
	char payload[]; /* and a NUL */
};

struct local {
	struct bus bus;
	uv_async_t wake;
	struct message *first, **end;
	size_t waiting;
	struct message *kept; /* the last of each topic that is kept */
};

static struct message *message_new(const char *topic, const char *payload, size_t length)
{
	struct message *message = malloc(sizeof(*message) + length + 1);
	if (!message)
		return NULL;
	*message = (struct message){.topic = strdup(topic), .length = length};
	if (length > 0)
		memcpy(message->payload, payload, length);
	message->payload[length] = '\0';
	if (message->topic)
		return message;
	free(message);
	return NULL;
}

static void message_free(struct message *message)
{
	free(message->topic);
	free(message);
}

static struct message *take_first(struct local *local)
{
	struct message *message = local->first;
	if (!message)
		return NULL;
	local->first = message->next;
	if (!local->first)
		local->end = &local->first;
	local->waiting--;
	return message;
}

static void on_wake(uv_async_t *wake)
{
	struct local *local = wake->data;
	/* What is published meanwhile has its turn after the loop's other business. */
	for (size_t count = local->waiting; count > 0; count--) {
		struct message *message = take_first(local);
		bus_deliver(&local->bus, message->topic, message->payload, message->length);
		message_free(message);
	}
	if (local->first)
		uv_async_send(&local->wake);
	else
		uv_unref((uv_handle_t *)&local->wake);
}

static int keep_message(struct local *local, const char *topic, const char *payload, size_t length)
{
	struct message **place = &local->kept, *fresh = message_new(topic, payload, length);
	if (!fresh)
		return -ENOMEM;
	while (*place && strcmp((*place)->topic, topic) != 0)
		place = &(*place)->next;
	if (*place) {
		fresh->next = (*place)->next;
		message_free(*place);
	}
	*place = fresh;
	return 0;
}

static int put(struct local *local, const char *topic, const char *payload, size_t length)
{
	if (local->waiting == WAITING_MAX)
		return -ENOBUFS;
	struct message *message = message_new(topic, payload, length);
	if (!message)
		return -ENOMEM;
	*local->end = message;
	local->end = &message->next;
	local->waiting++;
	uv_ref((uv_handle_t *)&local->wake);
	uv_async_send(&local->wake);
	return 0;
}

static int publish(struct bus *bus, const char *topic, const char *payload, size_t length, bool keep)
{
	struct local *local = (struct local *)bus;
	int result = keep ? keep_message(local, topic, payload, length) : 0;
	return result < 0 ? result : put(local, topic, payload, length);
}

/* Others may hear what was kept a second time; messages say of themselves what they are. */
static int subscribe(struct bus *bus, const char *filter)
{
	struct local *local = (struct local *)bus;
	int result = 0;
	for (const struct message *kept = local->kept; kept && result == 0; kept = kept->next)
		if (bus_matches(filter, kept->topic))
			result = put(local, kept->topic, kept->payload, kept->length);
	return result;
}

static void on_closed(uv_handle_t *handle)
{
	struct local *local = handle->data;
	struct message *message;
	while ((message = take_first(local)))
		message_free(message);
	while ((message = local->kept)) {
		local->kept = message->next;
		message_free(message);
	}
	bus_closed(&local->bus);
}

static void free_local(struct bus *bus)
{
	struct local *local = (struct local *)bus;
	uv_close((uv_handle_t *)&local->wake, on_closed);
}

struct bus *bus_new_local(struct uv_loop_s *loop)
{
	static const struct bus_ops ops = {publish, subscribe, free_local};
	struct local *local = calloc(1, sizeof(*local));
	if (!local)
		return NULL;
	local->bus.ops = &ops;
	local->end = &local->first;
	if (uv_async_init(loop, &local->wake, on_wake) < 0) {
		free(local);
		return NULL;
	}
	local->wake.data = local;
	/* It keeps the loop only while messages wait. */
	uv_unref((uv_handle_t *)&local->wake);
	return &local->bus;
}
