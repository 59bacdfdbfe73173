/* What was found out about agents, kept as text by name. */
#ifndef RETOUR_STORE_CAPABILITIES_H
#define RETOUR_STORE_CAPABILITIES_H

#include "store/store.h"

int store_put_capability(
	struct store *store, const char *agent, const char *text, struct error *error) MUST_USE;
/* `text` is borrowed for the call. */
int store_each_capability(struct store *store,
	void (*each)(void *context, const char *agent, const char *text), void *context,
	struct error *error) MUST_USE;

#endif
