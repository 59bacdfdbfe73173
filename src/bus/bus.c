#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus/bus_inside.h"

bool bus_matches(const char *filter, const char *topic)
{
	for (;;) {
		size_t wanted = strcspn(filter, "/"), given = strcspn(topic, "/");
		if (wanted == 1 && *filter == '#')
			return true;
		bool any = wanted == 1 && *filter == '+';
		if (!any && (wanted != given || memcmp(filter, topic, wanted) != 0))
			return false;
		filter += wanted;
		topic += given;
		if (*filter == '\0' && *topic == '\0')
			return true;
		/* "a/#" means "a", too */
		if (*topic == '\0')
			return strcmp(filter, "/#") == 0;
		if (*filter == '\0')
			return false;
		filter++;
		topic++;
	}
}

void bus_deliver(struct bus *bus, const char *topic, const char *payload, size_t length)
{
	for (size_t i = 0; i < bus->subscription_count; i++)
		if (bus->subscriptions[i].receive && bus_matches(bus->subscriptions[i].filter, topic))
			bus->subscriptions[i].receive(bus->subscriptions[i].context, topic, payload, length);
}

int bus_publish(struct bus *bus, const char *topic, const char *payload, size_t length, bool keep)
{
	return bus->ops->publish(bus, topic, payload, length, keep);
}

int bus_subscribe(struct bus *bus, const char *filter, bus_receive *receive, void *context)
{
	struct subscription *longer =
		realloc(bus->subscriptions, (bus->subscription_count + 1) * sizeof(*longer));
	char *copy = strdup(filter);
	if (longer)
		bus->subscriptions = longer;
	if (!longer || !copy) {
		free(copy);
		return -ENOMEM;
	}
	longer[bus->subscription_count++] = (struct subscription){copy, receive, context};
	return bus->ops->subscribe(bus, filter);
}

/* They stay in the list, as this may be called from one of them. */
void bus_unsubscribe(struct bus *bus, const void *context)
{
	for (size_t i = 0; i < bus->subscription_count; i++)
		if (bus->subscriptions[i].context == context)
			bus->subscriptions[i].receive = NULL;
}

void bus_free(struct bus *bus, void (*closed)(void *context), void *context)
{
	if (!bus) {
		if (closed)
			closed(context);
		return;
	}
	bus->closed = closed;
	bus->closed_context = context;
	bus->ops->free(bus);
}

void bus_closed(struct bus *bus)
{
	void (*closed)(void *context) = bus->closed;
	void *context = bus->closed_context;
	for (size_t i = 0; i < bus->subscription_count; i++)
		free(bus->subscriptions[i].filter);
	free(bus->subscriptions);
	free(bus);
	if (closed)
		closed(context);
}
