/* The way back as probes of RIPE Atlas near the far host see it: a one-off traceroute by its REST interface,
 * version 2, with the user's key and credits. */
#ifndef RETOUR_REVERSE_ATLAS_H
#define RETOUR_REVERSE_ATLAS_H

#include "reverse/ladder.h"

extern const struct reverse_method atlas_method;

#endif
