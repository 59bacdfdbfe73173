/* `--via lg`: the looking glasses of the user's settings, nearest to the far host first. `--via lg:NAME`:
 * that one. */
#ifndef RETOUR_REVERSE_LG_METHOD_H
#define RETOUR_REVERSE_LG_METHOD_H

#include "reverse/ladder.h"

extern const struct reverse_method lg_method;

#endif
