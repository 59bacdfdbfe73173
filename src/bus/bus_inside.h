/* What every kind of bus has. Inside bus/. */
#ifndef RETOUR_BUS_INSIDE_H
#define RETOUR_BUS_INSIDE_H

#include "bus/bus.h"

struct bus_ops {
	int (*publish)(struct bus *bus, const char *topic, const char *payload, size_t length, bool keep);
	int (*subscribe)(struct bus *bus, const char *filter);
	void (*free)(struct bus *bus); /* calls bus_closed when nothing is open any more */
};

struct subscription {
	char *filter;
	bus_receive *receive;
	void *context;
};

/* The first member of every kind. */
struct bus {
	const struct bus_ops *ops;
	struct subscription *subscriptions;
	size_t subscription_count;
	void (*closed)(void *context);
	void *closed_context;
};

/* Does the filter, with its `+` and `#`, mean this topic? (MQTT 5, 4.7.1) */
bool bus_matches(const char *filter, const char *topic);
/* To all who subscribed to it. */
void bus_deliver(struct bus *bus, const char *topic, const char *payload, size_t length);
/* Free the common part and the whole; tells who waits for it. */
void bus_closed(struct bus *bus);

#endif
