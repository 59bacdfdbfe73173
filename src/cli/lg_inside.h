/* Inside `retour lg`. */
#ifndef RETOUR_CLI_LG_INSIDE_H
#define RETOUR_CLI_LG_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

struct lg_options {
	const char *arguments[2];		   /* what is no option; NULL = not given */
	const char *config, *data_dir, *from_json; /* NULL = not given */
	struct addr public_address;
	uint8_t family; /* 0 = either */
	bool json;
};

/* Each returns the exit status. */
int lg_find_run(const struct lg_options *options);
int lg_ask_run(const struct lg_options *options);
int lg_list_run(const struct lg_options *options);

#endif
