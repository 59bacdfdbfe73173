/* Known looking glasses, to be shown and not to be asked: a list that ships with the program, and one of the
 * user's (looking-glasses.yaml in the folder of local data). retour-lg(1) describes the file. Its words are
 * untrusted. */
#ifndef RETOUR_REVERSE_CATALOGUE_H
#define RETOUR_REVERSE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"

struct catalogue_entry {
	unsigned asn;
	char *network; /* its name; NULL = not said */
	char *url;     /* http, https, telnet or ssh */
	char *note;    /* NULL = none */
	bool traces;   /* it is known to run traceroutes; false: it may, or not */
};

struct catalogue {
	char *noted; /* the day of which its entries are; NULL = not said */
	struct catalogue_entry *entries;
	size_t count;
};

/* Errors name file, line and what was expected. To be freed after success only. */
int catalogue_parse(
	struct catalogue **catalogue, const char *name, const char *text, struct error *error) MUST_USE;
/* The one that ships. */
int catalogue_shipped(struct catalogue **catalogue, struct error *error) MUST_USE;
/* The user's, in the folder of local data (NULL = the usual one); where there is no such file it is empty. */
int catalogue_load(struct catalogue **catalogue, const char *dir, struct error *error) MUST_USE;
void catalogue_free(struct catalogue *catalogue);

extern const char catalogue_text[]; /* of the one that ships */

#endif
