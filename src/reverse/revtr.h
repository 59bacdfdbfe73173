/* The way back as a coordinator of reverse traceroutes finds it (docs/revtr.md). */
#ifndef RETOUR_REVERSE_REVTR_H
#define RETOUR_REVERSE_REVTR_H

#include "reverse/ladder.h"

extern const struct reverse_method revtr_method;

#endif
