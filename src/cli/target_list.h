/* The hosts of a file: one name or address a line; what follows a '#' is a comment. */
#ifndef RETOUR_CLI_TARGET_LIST_H
#define RETOUR_CLI_TARGET_LIST_H

#include <stddef.h>

#include "base/error.h"

struct target_list {
	char **names;
	size_t count;
};

/* "-" is standard input. */
int target_list_read(struct target_list *list, const char *file, struct error *error) MUST_USE;
void target_list_deinit(struct target_list *list);

#endif
