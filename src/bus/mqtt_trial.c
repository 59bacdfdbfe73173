#include "bus/mqtt_trial.h"

#include <string.h>

#define QOS 1 /* so that the broker answers */

static void tell(const struct mqtt_trial *trial)
{
	trial->wanted->told(trial->wanted->context, trial->may_say, trial->may_hear);
}

/* The subscription first: what is kept there comes before the answer to what is said. */
void mqtt_trial_begin(struct mqtt_trial *trial, const struct mqtt_library *library, struct mosquitto *client)
{
	static const char nothing[] = "{}";
	if (!trial->wanted)
		return;
	trial->may_hear = false;
	trial->hearing = library->subscribe_v5(client, &trial->hear_id, trial->wanted->hear, QOS, 0, NULL) ==
		MOSQ_ERR_SUCCESS;
	if (trial->saying)
		return; /* the library says it again by itself */
	int result = library->publish_v5(
		client, &trial->say_id, trial->wanted->say, (int)strlen(nothing), nothing, QOS, false, NULL);
	trial->saying = result == MOSQ_ERR_SUCCESS || result == MOSQ_ERR_NO_CONN;
}

bool mqtt_trial_published(struct mqtt_trial *trial, int id, bool refused)
{
	if (!trial->saying || id != trial->say_id)
		return false;
	trial->saying = false;
	trial->may_say = !refused;
	tell(trial);
	return true;
}

/* That it is granted means little: mosquitto grants all, and keeps back what is not to be read. */
bool mqtt_trial_subscribed(struct mqtt_trial *trial, int id)
{
	if (!trial->hearing || id != trial->hear_id)
		return false;
	trial->hearing = false;
	return true;
}

bool mqtt_trial_heard(struct mqtt_trial *trial, const char *topic)
{
	if (!trial->wanted || strcmp(topic, trial->wanted->hear) != 0)
		return false;
	trial->may_hear = true;
	if (!trial->saying)
		tell(trial);
	return true;
}
