/* Adapter files: how to fill in the form of a looking glass that has no interface for programs, as data.
 * retour-adapter(5) describes them. */
#ifndef RETOUR_REVERSE_ADAPTER_H
#define RETOUR_REVERSE_ADAPTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

struct adapter_router {
	char *id;     /* what the form sends */
	char *city;   /* NULL = not said */
	uint32_t asn; /* 0 = not said */
};

struct adapter_pair {
	char *name, *value;
};

struct adapter {
	char *name; /* whose looking glass it is */
	char *base_url;
	char *method; /* GET or POST; NULL = POST */
	char *path;   /* of the form, below base_url; NULL = base_url itself */
	char *cmd_key, *cmd_value,
		*cmd_value6; /* what asks for a traceroute, and for one of IPv6 where that is another */
	char *target_key;    /* the field of the address */
	char *router_key;    /* the field of the router; NULL = there is no choice */
	struct adapter_router *routers;
	size_t router_count;
	struct adapter_pair *fields; /* what else the form sends */
	size_t field_count;
	char *token_page,
		*token_field; /* a hidden field, and the page (below base_url) that has it; NULL = none */
	char *result;	      /* pre, text, or json:KEY.KEY...; NULL = pre */
	char *parser;	      /* a dialect of import/, NULL = find out */
	unsigned min_interval_s;
	bool automation; /* the terms of use let programs ask */
	char *last_verified;
};

/* `file`: a path where it has a slash (~/ is the home directory), else the name of a file in the folder
 * looking-glasses/ beside the settings, without its .yaml. 0 or negative. */
int adapter_load(struct adapter **adapter, const char *file, struct error *error) MUST_USE;
/* The same for a text that ends with a NUL; `name` is for messages. */
int adapter_parse(struct adapter **adapter, const char *name, const char *text, struct error *error) MUST_USE;
/* NULL is fine. */
void adapter_free(struct adapter *adapter);
/* The router of that id or city, without regard to case; NULL: the first. NULL: there is none. */
const struct adapter_router *adapter_router(const struct adapter *adapter, const char *wanted);

#endif
