#ifndef RETOUR_CLI_LAB_TRUTH_H
#define RETOUR_CLI_LAB_TRUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/world.h"

/* Print the way from names[0] to names[1]; the exit status. */
int cli_lab_truth(const struct world *world, char *const *names, uint8_t family, bool json);

#endif
