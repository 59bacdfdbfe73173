#ifndef RETOUR_CLI_LAB_TRUTH_H
#define RETOUR_CLI_LAB_TRUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/world.h"

struct lab_truth_arguments {
	const char *flow; /* "PROTO:SPORT:DPORT", or NULL: any */
	double at_s;	  /* since the lab started */
	uint64_t seed;	  /* of the lab: it decides which way a flow takes */
	uint8_t family;
	bool json, bulk, reveals;
};

/* Print the way from names[0] to names[1], or with `bulk` for each line "FROM TO" of standard input; the exit
 * status. */
int cli_lab_truth(const struct world *world, char *const *names, const struct lab_truth_arguments *arguments);

#endif
