/* The way back as probes of Globalping near the far host see it: its HTTP interface, version 1. */
#ifndef RETOUR_REVERSE_GLOBALPING_H
#define RETOUR_REVERSE_GLOBALPING_H

#include "reverse/ladder.h"

extern const struct reverse_method globalping_method;

#endif
