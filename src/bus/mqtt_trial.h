/* Trying, with each connection to a broker, what it must not let us do (struct bus_trial). */
#ifndef RETOUR_BUS_MQTT_TRIAL_H
#define RETOUR_BUS_MQTT_TRIAL_H

#include "bus/bus.h"
#include "bus/mqtt_library.h"

struct mqtt_trial {
	const struct bus_trial *wanted; /* NULL = nothing is tried */
	int say_id, hear_id;		/* the library's numbers of what is on its way */
	bool saying, hearing, may_say, may_hear;
};

void mqtt_trial_begin(struct mqtt_trial *trial, const struct mqtt_library *library, struct mosquitto *client);
/* What the broker says to a message, to a subscription, or a message: true: of the trial, and nobody else's
 * business. */
bool mqtt_trial_published(struct mqtt_trial *trial, int id, bool refused);
bool mqtt_trial_subscribed(struct mqtt_trial *trial, int id);
bool mqtt_trial_heard(struct mqtt_trial *trial, const char *topic);

#endif
