#ifndef RETOUR_CLI_LAB_GENERATE_H
#define RETOUR_CLI_LAB_GENERATE_H

#include "sim/world.h"

/* retour lab generate: argv[0] is the word itself. */
int cli_lab_generate(int argc, char **argv);
/* retour lab stats */
int cli_lab_stats(const struct world *world);

#endif
