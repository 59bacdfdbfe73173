/* What a node reveals, as `retour lab truth --reveals` prints it. */
#ifndef RETOUR_CLI_LAB_REVEAL_H
#define RETOUR_CLI_LAB_REVEAL_H

#include <jansson.h>

#include "sim/reveal.h"

void print_reveal(const struct reveal *reveal);
json_t *reveal_json(const struct reveal *reveal);

#endif
