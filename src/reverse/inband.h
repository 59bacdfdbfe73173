/* The way back traced by `retour serve` inside the connection by which it is asked for (GET /api/v1/inband).
 * It comes through our NAT and firewall, as a part of a connection from here. No privilege is needed here: no
 * packet is of our own making, our kernel answers as it answers any repetition. */
#ifndef RETOUR_REVERSE_INBAND_H
#define RETOUR_REVERSE_INBAND_H

#include "reverse/ladder.h"

extern const struct reverse_method inband_method;

#endif
