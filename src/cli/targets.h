/* `retour trace --targets FILE`: many traces at once on one driver, each printed when it is complete. */
#ifndef RETOUR_CLI_TARGETS_H
#define RETOUR_CLI_TARGETS_H

#include "cli/options.h"

/* Returns the exit status: 0 all were reached, 2 some were not or could not be measured, 4 none could be
 * measured. */
int targets_run(const struct options *options);

#endif
