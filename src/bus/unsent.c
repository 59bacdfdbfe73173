#include "bus/unsent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void unsent_init(struct unsent *unsent)
{
	*unsent = (struct unsent){.end = &unsent->first};
}

void unsent_deinit(struct unsent *unsent)
{
	while (unsent->first)
		unsent_drop(unsent);
}

int unsent_put(struct unsent *unsent, const char *topic, const char *payload, size_t length, bool keep)
{
	struct unsent_message *message = malloc(sizeof(*message) + length);
	if (!message)
		return -ENOMEM;
	*message = (struct unsent_message){.topic = strdup(topic), .length = length, .keep = keep};
	if (!message->topic) {
		free(message);
		return -ENOMEM;
	}
	if (length > 0)
		memcpy(message->payload, payload, length);
	*unsent->end = message;
	unsent->end = &message->next;
	unsent->count++;
	return 0;
}

void unsent_drop(struct unsent *unsent)
{
	struct unsent_message *message = unsent->first;
	unsent->first = message->next;
	if (!unsent->first)
		unsent->end = &unsent->first;
	unsent->count--;
	free(message->topic);
	free(message);
}
