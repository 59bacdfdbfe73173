/* Messages that wait for a connection, in order, and not too many of them. Inside bus/. */
#ifndef RETOUR_BUS_UNSENT_H
#define RETOUR_BUS_UNSENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

#define UNSENT_MAX 65536

struct unsent_message {
	struct unsent_message *next;
	char *topic;
	size_t length;
	bool keep;
	char payload[];
};

struct unsent {
	struct unsent_message *first, **end;
	size_t count;
};

void unsent_init(struct unsent *unsent);
void unsent_deinit(struct unsent *unsent);
/* Copies. 0 or -ENOMEM; how many may wait is for the caller to see to. */
int unsent_put(
	struct unsent *unsent, const char *topic, const char *payload, size_t length, bool keep) MUST_USE;
/* The first one, which there is, goes. */
void unsent_drop(struct unsent *unsent);

#endif
