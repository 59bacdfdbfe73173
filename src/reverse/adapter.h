/* Adapter files: how to fill in the form of a looking glass that has no interface for programs, as data.
 * retour-adapter(5) describes them. */
#ifndef RETOUR_REVERSE_ADAPTER_H
#define RETOUR_REVERSE_ADAPTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"

struct adapter_router {
	char *id;   /* what the form sends */
	char *city; /* NULL = not said */
	unsigned asn;
};

struct adapter_pair {
	char *name, *value;
};

struct adapter {
	char *name; /* whose it is */
	char *base_url;
	char *method; /* GET or POST */
	char *path;   /* below base_url */
	char *cmd_key, *cmd_value, *cmd_value6; /* what asks for a traceroute; of IPv6 where that is another */
	char *target_key; /* the field of the address */
	char *router_key; /* the field of the router, NULL = there is one */
	struct adapter_router *routers;
	size_t router_count;
	struct adapter_pair *fields; /* further fields */
	size_t field_count;
	char *token_page, *token_field; /* a hidden field to be fetched first; NULL = none */
	char *result;			/* pre, text, or json:KEY[.KEY...]; NULL = pre */
	char *parser;			/* a dialect of import/, NULL = find out */
	unsigned min_interval_s;	/* told with the instructions */
	bool automation;		/* the terms of use allow programs to ask */
	char *last_verified;
};

/* `file` NULL is an error that says what is missing. 0 or negative. */
int adapter_load(struct adapter **adapter, const char *file, struct error *error) MUST_USE;
int adapter_parse(struct adapter **adapter, const char *name, const char *text, struct error *error) MUST_USE;
void adapter_free(struct adapter *adapter);

#endif
